"""Links of records are asked for by the background runner, and broken ones told to the agency."""

import datetime as dt
import json
import secrets
from http.server import BaseHTTPRequestHandler

import msgspec
import pytest

from registry.clock import utc_now
from registry.console.form_layout import page_at
from registry.record.pack import load_pack
from registry.services.context import ServiceContext
from registry.worker import links
from registry.worker.links import LinkChecks
from tests.peered import serving
from tests.typed import Typist, file_all, for_agency

DAY = dt.timedelta(days=1)
ANSWERS = {
    "/there": {"HEAD": 200},
    "/no-head": {"HEAD": 405, "GET": 200},
    "/for-members": {"HEAD": 401},
    "/moved": {"HEAD": 301},
    "/gone": {"HEAD": 404},
    "/fails": {"HEAD": 500},
}


@pytest.fixture
def host():
    """A host with pages of all kinds, and one of which it lets no program ask; what was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            asked.append((self.command, self.path))
            if self.path == "/robots.txt":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"User-agent: *\nDisallow: /private\n")
                return
            self.send_response(ANSWERS[self.path][self.command])
            self.end_headers()

        do_GET = do_HEAD  # noqa: N815

        def log_message(self, *_):
            pass

    with serving(Handler) as address:
        yield address, asked


async def published(someone, document, addresses):
    document |= {
        "documents": [
            {"type": "other", "title": {"fr": name}, "url": url} for name, url in addresses
        ]
    }
    await file_all(someone, document)
    page = page_at("/documents/0/url")
    await someone.open(f"records/{document['id']}/{page}")
    await someone.fill(document, page, then="list")
    await someone.open(f"records/{document['id']}/submit")
    await someone.send(someone.form("submit"))
    assert "Publié" in someone.text
    return document["id"]


async def ask_all(checks, now):
    """Have it look at every record once."""
    checks._due = None
    await checks.go_on(now=now)
    while checks._record:
        await checks.go_on(now=now)


async def test_a_link_that_fails_twice_is_told_to_its_agency_until_it_is_mended(
    office, host, settings, monkeypatch
):
    address, asked = host
    browser, _ = await office.member("editor", agency="demo-services")
    someone = Typist(browser, "fr")
    names = [*ANSWERS, "/private", "/gone"]
    record = await published(
        someone, for_agency("minimal"), [(name, address + name) for name in names]
    )
    context = ServiceContext(
        database=office.database, pack=load_pack("ma"), random=secrets.token_bytes
    )
    monkeypatch.setattr(links, "_PAUSE_SECONDS", 0)
    checks = LinkChecks(msgspec.structs.replace(settings, peers_on_loopback="on"), context)

    begun = utc_now()
    await ask_all(checks, begun)
    assert sorted(asked) == sorted(
        [("GET", "/robots.txt"), ("GET", "/no-head"), *(("HEAD", path) for path in ANSWERS)]
    )
    await someone.open("")
    assert "ne fonctionne" not in someone.text

    # The next day only what was not there is asked for, and what is not there again is told.
    asked.clear()
    await ask_all(checks, begun + DAY + dt.timedelta(minutes=1))
    assert sorted(asked) == [("GET", "/robots.txt"), ("HEAD", "/fails"), ("HEAD", "/gone")]
    await someone.open("")
    assert "2 liens ne fonctionnent pas" in someone.text
    await someone.open(f"records/{record}/")
    assert someone.text.count(f"{address}/gone") == 2
    assert f"{address}/fails" in someone.text
    assert f"{address}/there" not in someone.text
    for language, told in {"ar": "لم تعد", "en": "there is no such page any more"}.items():
        assert told in (await browser.get(f"/office/{language}/records/{record}/")).text

    monkeypatch.setitem(ANSWERS, "/fails", {"HEAD": 200})
    await ask_all(checks, utc_now() + 3 * DAY)
    await someone.open("")
    assert "1 lien ne fonctionne pas" in someone.text

    # Nothing of an address stays with what is kept of it.
    [row] = await office.run("select array_agg(l::text) as rows from link_state as l")
    assert address not in json.dumps(row["rows"])


async def test_no_address_of_an_inner_network_is_asked_for(office, host, settings, monkeypatch):
    address, asked = host
    browser, _ = await office.member("editor", agency="demo-services")
    await published(Typist(browser, "fr"), for_agency("minimal"), [("/there", f"{address}/there")])
    context = ServiceContext(
        database=office.database, pack=load_pack("ma"), random=secrets.token_bytes
    )
    monkeypatch.setattr(links, "_PAUSE_SECONDS", 0)
    await ask_all(LinkChecks(settings, context), utc_now())
    assert asked == []
    [row] = await office.run("select why from link_state")
    assert row["why"] == "silent"
