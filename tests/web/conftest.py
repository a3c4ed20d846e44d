"""Registers that are served whole: the API, the files of the site, pages rendered when asked."""

import asyncio
import secrets
from contextlib import asynccontextmanager

import html5lib
import httpx
import msgspec
import pytest

from registry.ledger import append
from registry.pages.editions import open_editions
from registry.record.pack import Agency
from registry.record.validate import validate
from registry.services.context import ServiceContext
from registry.services.importing.matching import ForeignFiling
from registry.settings import Settings
from registry.store.database import connect
from registry.web.app import create_app
from tests.api.conftest import UNLIMITED, lifespan, shared_by_applications
from tests.built import TEMPLATES
from tests.conftest import NOW, as_role
from tests.imported import import_filings
from tests.published import given_times
from tests.served import records

ORIGIN = "us-omb-2025"
FOREIGN = Agency(
    id="us.demo", name={"en": "Department of <Letters>"}, kind="federal", origin=ORIGIN
)


@asynccontextmanager
async def opened(settings, url):
    """Open a client of the register in a database."""
    url = as_role("serving", url)
    application = create_app(msgspec.structs.replace(settings, database_url=url), tell=None)
    transport = httpx.ASGITransport(application)
    async with (
        lifespan(application),
        httpx.AsyncClient(transport=transport, base_url="https://algorithms.example") as client,
    ):
        yield client


@pytest.fixture
async def client(settings, database_url):
    async with opened(settings, database_url) as client:
        yield client


@pytest.fixture(scope="session")
async def reader(filled_url, tmp_path_factory):
    """A client of the filled register, for the tests that change nothing in it."""
    folder = tmp_path_factory.mktemp("reader")
    settings = Settings(data_dir=folder, base_url="https://algorithms.example", **UNLIMITED)
    async with opened(settings, filled_url) as client:
        yield client


@pytest.fixture(scope="session", autouse=True)
def shared():
    """What applications make of the site's templates, and what they start: once a process."""
    made = {}

    def once(pack, assets, base_url, **_):
        key = id(pack), base_url
        if key not in made:
            made[key] = open_editions(pack, assets, base_url, bytecode=TEMPLATES)
        return made[key]

    with pytest.MonkeyPatch.context() as patch, shared_by_applications():
        patch.setattr("registry.web.app.open_editions", once)
        yield


@pytest.fixture(scope="session")
def filled_url(copied, pack, publication):
    """A register with the demonstration records, and a few of another country's."""

    def filing(slug, name):
        document = {
            "id": f"us.demo/{slug}",
            "schema_version": "1.0",
            "name": {"en": name},
            "summary": {"en": "Sorts <b>incoming</b> letters of kangaroos."},
            "lifecycle": {"status": "in_use"},
        }
        verdict = validate(document, profile="foreign", pack=pack, today=NOW.date())
        return ForeignFiling(document=document, agency=FOREIGN, verdict=verdict, source_row={})

    async def fill(url):
        database = await connect(url)
        documents = records("demo-sante", "demo-services", "demo-education", "demo-agriculture")
        documents = [
            *documents,
            *(one for one in records("demo-securite") if one["id"].endswith("/systeme-a")),
        ]
        async with database.transaction() as connection:
            await append.publish(
                connection,
                [publication(document) for document in documents],
                guard=given_times(),
                now=NOW,
                random=secrets.token_bytes,
            )
        context = ServiceContext(
            database=database, pack=pack, random=secrets.token_bytes, guard=given_times()
        )
        names = {
            "mail": "Zebra sorting",
            "radio": "Radiographies of a zebra",
            "words": "Radiographees",
            **{f"sorting-{number}": f"Sorting {number}" for number in range(30)},
        }
        foreign = [filing(slug, name) for slug, name in names.items()]
        await import_filings(context, foreign)
        await database.close()

    with copied() as url:
        asyncio.run(fill(url))
        yield url


def parse(answer):
    """Return a page, checked as every rendered one is."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(answer.text)
