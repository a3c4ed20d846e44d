"""The console as members meet it in their browsers."""

import re
import secrets
from contextlib import asynccontextmanager

import html5lib
import httpx
import msgspec
import pytest

from registry.clock import utc_now
from registry.record.pack import load_pack
from registry.services.people import members
from registry.services.people.access import OPERATOR
from registry.store.database import connect
from registry.web.app import create_app
from tests.api.conftest import lifespan
from tests.conftest import as_role

SITE = "https://algorithms.example"
_TOKEN = re.compile(r'name="_csrf_token" value="([0-9a-f]{128})"')


class Browser:
    """One person's browser: it keeps cookies, and sends the token of the last page."""

    def __init__(self, application, **headers):
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(application), base_url=SITE, headers=headers
        )
        self.token = None

    async def get(self, path, **more):
        answer = await self.client.get(path, **more)
        if found := _TOKEN.search(answer.text):
            self.token = found[1]
        return answer

    async def post(self, path, fields=(), *, token=..., **more):
        """Send a form; the token is that of the last page unless another, or None, is given."""
        given = self.token if token is ... else token
        pairs = [*fields, *([("_csrf_token", given)] if given else [])]
        content = httpx.QueryParams(pairs)
        headers = {"content-type": "application/x-www-form-urlencoded"} | more.pop("headers", {})
        return await self.client.post(path, content=str(content), headers=headers, **more)

    async def sign_in(self, secret, language="fr"):
        path = f"/office/{language}/sign-in/link/{secret}"
        await self.get(path)
        answer = await self.post(path)
        assert answer.status_code == 303, answer.text
        await self.get(f"/office/{language}/")
        return answer


class Office:
    """A console that is served, and the people in it."""

    def __init__(self, application, database, lines):
        self.application = application
        self.database = database
        self.pack = load_pack("ma")
        self.lines = lines
        self.browsers = []

    def browser(self, **headers):
        browser = Browser(self.application, **headers)
        self.browsers.append(browser)
        return browser

    async def invite(self, *roles, agency="demo-sante", name="Amina", **more):
        given = {"email": None, "language": None} | more
        return await members.invite(
            self.database,
            self.pack,
            OPERATOR,
            name=name,
            agency=agency,
            roles=roles,
            now=utc_now(),
            random=secrets.token_bytes,
            **given,
        )

    async def member(self, *roles, language="fr", **more):
        """Return the browser of a new member who is signed in, and her number."""
        made = await self.invite(*roles, **more)
        browser = self.browser()
        await browser.sign_in(made.secret, language)
        return browser, made.member

    async def run(self, statement, *values):
        async with self.database.connection() as connection:
            return await connection.fetch(statement, *values)


@asynccontextmanager
async def opened_office(settings, url, **changes):
    """Open a console over a database."""
    settings = msgspec.structs.replace(
        settings,
        database_url=as_role("serving_console", url),
        **{"console": "on", "base_url": SITE} | changes,
    )
    lines = []
    application = create_app(settings, tell=lines.append)
    database = await connect(url)
    office = Office(application, database, lines)
    async with lifespan(application):
        yield office
        for browser in office.browsers:
            await browser.client.aclose()
    await database.close()


@pytest.fixture
async def office(settings, database_url):
    async with opened_office(settings, database_url) as office:
        yield office


def parse(answer):
    """Return a page, checked as every page of the console is."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "content-encoding" not in answer.headers
    assert "etag" not in answer.headers
    assert "style=" not in answer.text
    assert "onclick" not in answer.text
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(answer.text)
