"""Harvesting another register: verified, as it says, and nothing that it cannot prove."""

import datetime as dt
import json
import secrets
from http.server import BaseHTTPRequestHandler

import msgspec
import pytest

from registry.errors import Conflict, InvalidParameter, Unavailable
from registry.hub import entries
from registry.hub import rounds as exchange_peers
from registry.hub.rounds import harvest
from registry.ledger import key
from registry.ledger.append import append
from registry.ledger.entries import StatedEntry, after
from registry.ledger.rewrite import rewrite_records
from registry.ledger.verify_database import check_database
from registry.log.disclosure_tree import commitments, seal
from registry.log.entry import WithdrawalEntry
from registry.pages.build import plan
from registry.record.short_code import candidates
from registry.services.log.key_rotation import rotate
from registry.services.people.agencies import save_agencies
from registry.store import discards, imports, log, peers, records, withdrawals
from registry.tlog.checkpoint import Checkpoint, open_checkpoint, stated
from registry.tlog.cosignature import cosign
from registry.tlog.keys import COSIGNATURE, Signer
from registry.tlog.note import NoteRefused, Signature, parse_note, sign_note
from registry.tlog.policy import ANYBODY, parse_policy
from registry.tlog.tile import WIDTH
from registry.verify.record import verify_record
from registry.worker import harvests
from registry.worker.harvests import harvest_due
from registry.worker.site_keeping import build_site
from tests.bench.harvest import campaign
from tests.built import changing_pages, share_templates
from tests.conftest import ROOT, amended, make_record
from tests.peered import is_anywhere, open_peer, serving

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
ID = "demo-sante/prevision-lits"
HERE = f"ma.{ID}"
PHONE = "+212537000199"
PERSON = "Rachidazizabad"


async def test_what_one_publishes_stands_at_the_other_with_its_proof(registers):
    theirs, ours = registers
    document = make_record()
    await theirs.publish(document, now=NOW)
    await theirs.publish(amended(document), now=NOW)
    await ours.watch(theirs, now=NOW)
    report = await ours.harvest(theirs, now=NOW)
    assert (report.outcome, report.entries) == ("harvested", 4)
    for version in (1, 2):
        there, here = await theirs.read(ID, version), await ours.read(HERE, version)
        assert json.loads(here.document) == json.loads(there.document) | {"id": HERE}
        source = here.register.source
        assert (source.origin, source.state) == ("ma.example/log", "present")
        assert (source.index, source.leaf) == (there.register.entry, there.register.hash)
        assert (source.version, source.published_at) == (version, there.register.published_at)
        assert source.proof == f"{theirs.address}/log/proof/{source.index}.tlog-proof"
    async with ours.context.database.connection() as connection:
        row = await imports.read_source_row(connection, HERE)
    proven = verify_record(row.content.encode(), verifier=theirs.verifier, policy=ANYBODY)
    assert (proven.id, proven.version) == (ID, 2)
    assert (await ours.harvest(theirs, now=NOW)).outcome == "unchanged"
    await check_rows(ours)


async def check_rows(register):
    """Check that every row of a register follows from its log."""
    context = register.context
    await check_database(context.database, register.settings, progress=lambda _, __: None)


@pytest.fixture
async def watching(registers):
    """Two registers of which the second watches the first, which has published a record."""
    theirs, ours = registers
    await theirs.publish(personal(), now=NOW)
    await ours.watch(theirs, now=NOW)
    assert (await ours.harvest(theirs, now=NOW)).outcome == "harvested"
    return ours, theirs


def personal():
    """A record with a telephone number and two documents."""
    document = make_record()
    document["contact"]["phone"] = PHONE
    paper = {"type": "other", "title": {"fr": "Note"}}
    document["documents"] = [
        paper | {"url": f"https://demo.example/{PERSON}.pdf"},
        paper | {"url": "https://demo.example/notice.pdf"},
    ]
    return document


async def test_a_withdrawal_there_withdraws_here_and_a_return_brings_it_back(watching):
    ours, theirs = watching
    await theirs.withdraw(ID, now=NOW)
    await theirs.serve_log()
    assert (await ours.harvest(theirs, now=NOW)).entries == 1
    assert (await ours.read(HERE)).register.state == "withdrawn"
    [row] = await ours.fetch(
        "select e.bytes from withdrawal w join log_entry e on e.index = w.entry"
    )
    entry = json.loads(row["bytes"])
    assert (entry["actor"], entry["reason"]) == ("sn", "other")
    assert entry["source"]["index"] == 3
    await theirs.publish(amended(personal()), now=NOW)
    await ours.harvest(theirs, now=NOW)
    assert (await ours.read(HERE)).register.state == "published"
    await check_rows(ours)


async def test_a_peer_s_key_may_change(watching):
    ours, theirs = watching
    first = theirs.verifier
    await rotate(theirs.context, theirs.settings, made=None, now=NOW)
    await theirs.publish(amended(personal()), now=NOW)
    assert (await ours.harvest(theirs, now=NOW)).entries == 2
    # Who has only the old key leaves out that it was replaced.
    folder = theirs.folder / "log"
    note = (folder / "checkpoint").read_bytes()
    old = key.read(theirs.settings.key_file)
    (folder / "checkpoint").write_bytes(sign_note(parse_note(note).text, [old]).to_bytes())
    (folder / "key").rename(theirs.folder / "key")
    report = await ours.harvest(theirs, now=NOW)
    assert (report.outcome, "does not name that key any more" in report.why) == ("failed", True)
    (theirs.folder / "key").rename(folder / "key")
    later = NOW + dt.timedelta(days=100)
    await theirs.publish(amended(personal()), now=later)
    await theirs.publish(amended(personal()), now=later)
    with pytest.raises(NoteRefused):
        open_checkpoint(
            (theirs.settings.log_dir / "checkpoint").read_bytes(),
            origin=first.name,
            verifiers=[first],
        )
    assert (await ours.harvest(theirs, now=later)).entries == 2
    assert (await ours.read(HERE)).register.version == 4
    async with ours.context.database.connection() as connection:
        row = await imports.read_source_row(connection, HERE)
    proven = verify_record(row.content.encode(), verifier=first, policy=ANYBODY)
    assert proven.version == 4
    await check_rows(ours)


async def test_what_was_withdrawn_here_stays_withdrawn(watching):
    ours, theirs = watching
    await ours.withdraw(HERE, now=NOW)
    await theirs.publish(amended(personal()), now=NOW)
    await ours.harvest(theirs, now=NOW)
    assert (await ours.read(HERE)).register.state == "withdrawn"


async def test_a_redaction_there_destroys_here(watching):
    ours, theirs = watching
    await theirs.publish(amended(personal()), now=NOW)
    await ours.harvest(theirs, now=NOW)
    assert await is_anywhere(ours, PHONE)
    await theirs.redact(ID, "/contact/phone", "/documents/0", now=NOW)
    await theirs.serve_log()
    await ours.harvest(theirs, now=NOW)
    for version in (1, 2):
        stored = await ours.read(HERE, version)
        assert "phone" not in json.loads(stored.document)["contact"]
        assert [one.basis for one in stored.register.redacted] == ["source", "source"]
        assert {one.authority for one in stored.register.redacted} == {"CNDP"}
    assert not await is_anywhere(ours, PHONE)
    assert not await is_anywhere(ours, PERSON)
    [entry] = [
        json.loads(row["bytes"])
        for row in await ours.fetch("select bytes from log_entry where kind = 'redaction'")
    ]
    assert (entry["basis"], entry["versions"], entry["confirmed_by"]) == (
        "source",
        [1, 2],
        "ma.another",
    )
    await check_rows(ours)
    # A number that the source states anew is taken.
    document = personal()
    document["contact"]["phone"] = "+212537000100"
    await theirs.publish(amended(document), now=NOW)
    await ours.harvest(theirs, now=NOW)
    assert json.loads((await ours.read(HERE)).document)["contact"]["phone"] == "+212537000100"


async def test_words_erased_there_are_erased_here_and_the_text_stays(watching):
    ours, theirs = watching

    async def shown(version=None):
        return json.loads((await ours.read(HERE, version)).document)["purpose"]["goal"]["fr"]

    document = personal()
    document["purpose"]["goal"]["fr"] = f"Selon {PERSON} et Amine Tahiri."
    await theirs.publish(amended(document), now=NOW)
    await ours.harvest(theirs, now=NOW)
    assert await shown(2) == f"Selon {PERSON} et Amine Tahiri."
    for words, left in (
        (PERSON, "Selon […] et Amine Tahiri."),
        ("Amine Tahiri", "Selon […] et […]."),
    ):
        await theirs.redact(ID, "/purpose/goal", words=[words], now=NOW)
        await theirs.serve_log()
        await ours.harvest(theirs, now=NOW)
        assert await shown(2) == left
        await check_rows(ours)
    assert not await is_anywhere(ours, "Amine Tahiri")

    # Whoever begins to watch after that gets the text as it is shown there; so does a note go.
    await theirs.withdraw(ID, now=NOW, note="À la demande de Salma Berrada")
    await theirs.serve_log()
    await ours.harvest(theirs, now=NOW)
    assert await is_anywhere(ours, "Salma Berrada")
    [entry] = [
        row["index"]
        for row in await theirs.fetch("select index from log_entry where kind = 'withdrawal'")
    ]
    await theirs.redact(None, "/note", entry=entry, now=NOW)
    await theirs.serve_log()
    await ours.harvest(theirs, now=NOW)
    [note] = await ours.fetch("select value from entry_section where key = 'note'")
    assert note["value"] == "{}"
    assert not await is_anywhere(ours, "Salma Berrada")
    await check_rows(ours)


async def test_two_redactions_of_one_text_there_are_both_done_here(watching):
    """The second came before the first was carried out, and would have been lost."""
    ours, theirs = watching
    document = personal()
    document["purpose"]["goal"]["fr"] = f"Selon {PERSON} et Amine Tahiri."
    await theirs.publish(amended(document), now=NOW)
    await ours.harvest(theirs, now=NOW)
    for words in (PERSON, "Amine Tahiri"):
        await theirs.redact(ID, "/purpose/goal", words=[words], now=NOW)
        await theirs.serve_log()
    report = await ours.harvest(theirs, now=NOW)
    assert (report.outcome, report.why) == ("harvested", None)
    shown = json.loads((await ours.read(HERE, 2)).document)["purpose"]["goal"]["fr"]
    assert shown == "Selon […] et […]."
    assert not await is_anywhere(ours, "Amine Tahiri")
    await check_rows(ours)


async def test_a_text_with_a_mark_comes_here_as_it_is_shown_there(registers):
    theirs, ours = registers
    document = make_record()
    document["purpose"]["goal"]["fr"] = f"Selon {PERSON}."
    await theirs.publish(document, now=NOW)
    await theirs.redact(ID, "/purpose/goal", words=[PERSON], now=NOW)
    await theirs.serve_log()
    await ours.watch(theirs, now=NOW)
    await ours.harvest(theirs, now=NOW)
    assert json.loads((await ours.read(HERE)).document)["purpose"]["goal"]["fr"] == "Selon […]."


async def test_what_was_erased_before_it_came_here_is_left_out_and_counted(registers):
    theirs, ours = registers
    await theirs.publish(personal(), now=NOW)
    await theirs.redact(ID, "/documents/0", now=NOW)
    await theirs.serve_log()
    await ours.watch(theirs, now=NOW)
    await ours.harvest(theirs, now=NOW)
    [left] = json.loads((await ours.read(HERE)).document)["documents"]
    assert left["url"].endswith("notice.pdf")
    # Here it is the first item and there the second: the whole list goes.
    await theirs.redact(ID, "/documents/1", now=NOW)
    await theirs.serve_log()
    await ours.harvest(theirs, now=NOW)
    assert "documents" not in json.loads((await ours.read(HERE)).document)


async def test_what_comes_from_elsewhere_is_not_taken_on(registers):
    """Two registers that watch each other do not go in circles."""
    theirs, ours = registers
    await theirs.publish(make_record(), now=NOW)
    await ours.watch(theirs, now=NOW)
    await ours.harvest(theirs, now=NOW)
    await ours.serve_log()
    await theirs.watch(ours, now=NOW)
    # The last names us here in words.
    assert (await theirs.harvest(ours, now=NOW)).entries == 6
    await theirs.serve_log()
    assert [row["id"] for row in await theirs.fetch("select id from record")] == [ID]
    # The withdrawal of what came from there says nothing there either.
    await ours.withdraw(HERE, now=NOW)
    await ours.serve_log()
    assert (await theirs.harvest(ours, now=NOW)).outcome == "harvested"
    assert (await theirs.read(ID)).register.state == "published"


async def test_a_faulty_content_sets_its_record_apart_until_it_is_mended(registers):
    theirs, ours = registers
    other = make_record() | {"id": "demo-sante/autre", "name": {"fr": "Autre", "ar": "آخر"}}
    other.pop("source_id", None)
    await theirs.publish(make_record(), other, now=NOW)
    await ours.watch(theirs, now=NOW)
    contents = theirs.folder / "log/content"
    kept = (contents / "1.json").read_bytes()
    spoilt = kept.replace("Prévision".encode(), b"Provision")
    assert spoilt != kept
    (contents / "1.json").write_bytes(spoilt)
    (contents / "bundle/0").unlink()
    report = await ours.harvest(theirs, now=NOW)
    assert report.outcome == "harvested"
    assert await ours.read(HERE) is None
    assert await ours.read("ma.demo-sante/autre") is not None
    async with ours.context.database.connection() as connection:
        [apart] = await peers.read_quarantined(connection)
    assert (apart.subject, apart.waiting) == (ID, [1])
    assert "not what the entry commits to" in apart.why
    await theirs.publish(amended(make_record()), now=NOW)
    (contents / "1.json").write_bytes(spoilt)
    (contents / "bundle/0").unlink()
    await ours.harvest(theirs, now=NOW)
    assert await ours.read(HERE) is None
    await theirs.serve_log()
    assert (await ours.harvest(theirs, now=NOW)).outcome == "harvested"
    assert (await ours.read(HERE)).register.version == 2
    async with ours.context.database.connection() as connection:
        assert await peers.read_quarantined(connection) == []
    await check_rows(ours)


async def test_what_no_register_files_is_left_out_of_what_is_taken(watching, monkeypatch):
    """A peer may sign any note of a withdrawal, and contents of any size."""
    ours, theirs = watching
    async with theirs.context.transaction() as connection:
        guard = theirs.context.guard
        state = await guard.lock(connection, now=NOW)
        sections = seal({"note": {"fr": 7}, "successor": ["x"]}, secrets.token_bytes)
        current = (await records.read_latest(connection, [ID]))[ID]
        stated = WithdrawalEntry(
            actor="ma",
            id=ID,
            version=current.version,
            reason="other",
            prev=after(current),
            sections=commitments(sections),
        )
        withdrawn = StatedEntry(entry=stated, sections=sections, current=current)
        await append(connection, guard, state, [withdrawn])
    await theirs.serve_log()
    assert (await ours.harvest(theirs, now=NOW)).outcome == "harvested"
    async with ours.context.database.connection() as connection:
        [stone] = await withdrawals.read_all(connection, HERE)
    assert (stone.note, stone.successor) == (None, None)
    monkeypatch.setattr(entries, "_MOST_CONTENT", 1000)
    await theirs.publish(amended(personal()), now=NOW)
    assert (await ours.harvest(theirs, now=NOW)).outcome == "harvested"
    async with ours.context.database.connection() as connection:
        [apart] = await peers.read_quarantined(connection)
    assert "no more than 1,000 are taken" in apart.why


async def test_a_fork_stops_the_peer_and_keeps_both_notes(watching):
    ours, theirs = watching
    known = (theirs.folder / "log/checkpoint").read_bytes()
    # Another history with the same key: the register began again, and says something else.
    forked = await theirs.begin_again(personal() | {"tags": []}, now=NOW)
    report = await ours.harvest(theirs, now=NOW)
    assert (report.outcome, "two histories" in report.why) == ("stopped", True)
    async with ours.context.database.connection() as connection:
        [evidence] = await peers.read_evidence(connection)
    assert sorted(evidence.notes) == sorted([known, forked])
    assert (await ours.harvest(theirs, now=NOW)).outcome == "stopped"
    [standing] = await ours.standings(now=NOW)
    assert (standing.state, standing.evidence) == ("forked", 1)


async def test_a_smaller_log_is_waited_for_a_day(watching):
    ours, theirs = watching
    older = (theirs.folder / "log/checkpoint").read_bytes()
    await theirs.publish(amended(personal()), now=NOW)
    await ours.harvest(theirs, now=NOW)
    newer = (theirs.folder / "log/checkpoint").read_bytes()
    (theirs.folder / "log/checkpoint").write_bytes(older)
    assert (await ours.harvest(theirs, now=NOW)).outcome == "failed"
    [standing] = await ours.standings(now=NOW + dt.timedelta(hours=23))
    assert standing.state == "unreachable"
    await ours.harvest(theirs, now=NOW + dt.timedelta(hours=25))
    [standing] = await ours.standings(now=NOW + dt.timedelta(hours=25))
    assert (standing.state, "shows 3 entries, and had 4" in standing.why) == ("smaller", True)
    (theirs.folder / "log/checkpoint").write_bytes(newer)
    assert (await ours.harvest(theirs, now=NOW)).outcome == "unchanged"
    [standing] = await ours.standings(now=NOW)
    assert standing.state == "consistent"


async def test_a_clock_ahead_and_a_register_that_is_down_change_nothing(registers):
    theirs, ours = registers
    await theirs.publish(make_record(), now=NOW + dt.timedelta(hours=1))
    await ours.watch(theirs, now=NOW)
    report = await ours.harvest(theirs, now=NOW)
    assert (report.outcome, "clocks" in report.why) == ("failed", True)
    assert (await ours.peer("ma")).applied == 0
    assert (await ours.harvest(theirs, now=NOW + dt.timedelta(hours=1))).outcome == "harvested"
    for tile in (theirs.folder / "log/tile/0").rglob("*"):
        if tile.is_file():
            tile.write_bytes(b"x")
    report = await ours.harvest(theirs, now=NOW + dt.timedelta(hours=2))
    assert (report.outcome, "1 bytes, too few" in report.why) == ("failed", True)
    (theirs.folder / "log/checkpoint").unlink()
    report = await ours.harvest(theirs, now=NOW + dt.timedelta(hours=2))
    [standing] = await ours.standings(now=NOW + dt.timedelta(hours=2))
    assert (report.outcome, standing.state) == ("failed", "unreachable")
    assert standing.seen_at == NOW + dt.timedelta(hours=1)


async def test_nothing_is_stale_after_a_round(places):
    """As `make bench ONLY=harvest`, which has 5,000 records, 10,000 withdrawals, 100 redactions."""
    one = await open_peer(*places[0], now=NOW)
    two = await open_peer("mb", *places[1][1:], now=NOW, pack="ma")
    found = await campaign(one, two, records=20, withdrawals=24, redactions=4, now=NOW)
    assert (found.entries, found.stale, found.left) == (28, 0, 0)
    await one.context.database.close()
    await two.context.database.close()


async def test_the_site_says_of_each_record_where_it_is_proven_and_of_each_peer_how_it_stands(
    watching, monkeypatch
):
    ours, theirs = watching
    monkeypatch.setattr(plan, "all_pages", changing_pages)

    async def pages():
        context = ours.context
        await build_site(ours.settings, context, as_of=NOW)
        site = ours.settings.site_dir / "fr"
        return {name: (site / f"{name}.html").read_text() for name in (
            "peers", "registers/ma", f"records/{HERE}",
        )}  # fmt: skip

    share_templates(ours.settings.data_dir)
    found = await pages()
    assert "Trouvé en ordre." in found["peers"]
    assert "ma.example/log" in found["peers"]
    assert "Vérifié avec son journal signé" in found["registers/ma"]
    source = (await ours.read(HERE)).register.source
    assert f'href="{source.proof}"' in found[f"records/{HERE}"]
    assert f"/api/v1/records/{HERE}/source" in found[f"records/{HERE}"]
    assert "se contredit" not in "".join(found.values())

    await theirs.begin_again(personal() | {"tags": []}, now=NOW)
    await ours.harvest(theirs, now=NOW)
    found = await pages()
    assert "Son journal se contredit" in found["peers"]
    assert "/api/v1/peers/ma/evidence" in found["peers"]
    assert "Le journal de ce registre se contredit" in found[f"records/{HERE}"]


async def test_a_peer_s_codes_and_name_are_in_words_in_every_language(registers):
    theirs, ours = registers
    document = personal()
    document["rights"] = {"contestation": {"available": "yes", "body": "mediateur"}}
    document["territory"] = ["MA-04"]
    await theirs.publish(document, now=NOW)
    await ours.watch(theirs, now=NOW)
    await ours.harvest(theirs, now=NOW)
    async with ours.context.database.connection() as connection:
        origin = (await imports.read_origins(connection))["ma"]
    assert origin.names == theirs.context.pack.site_name
    share_templates(ours.settings.data_dir)
    await build_site(ours.settings, ours.context, as_of=NOW)
    for language, region in {"fr": "Rabat-Salé-Kénitra", "en": "Rabat-Salé-Kénitra"}.items():
        site = ours.settings.site_dir / language
        page = (site / f"records/{HERE}.html").read_text()
        assert region in page
        assert theirs.context.pack.lists["bodies"]["mediateur"].label[language] in page
        named = theirs.context.pack.site_name[language]
        assert named in (site / "registers/ma.html").read_text()
    assert "Exemples fictifs parmi elles" in (ours.settings.site_dir / "fr/index.html").read_text()
    # A body of ours with the same code is another body.
    own = ours.context.pack.lists["bodies"]["mediateur"].label
    assert origin.labels["pack/bodies"]["mediateur"] not in (own, None)
    source = json.loads(msgspec.json.encode((await ours.read(HERE)).register.source))
    assert "labels" not in source["register"]


async def test_a_restricted_record_is_taken_as_any_other(registers):
    theirs, ours = registers
    restricted = json.loads((ROOT / "records/demo-securite/systeme-a.json").read_bytes())
    assert restricted["publication"]["visibility"] == "restricted"
    await theirs.publish(restricted, now=NOW)
    await ours.watch(theirs, now=NOW)
    await ours.harvest(theirs, now=NOW)
    here = await ours.read(f"ma.{restricted['id']}")
    assert json.loads(here.document) == restricted | {"id": f"ma.{restricted['id']}"}
    await check_rows(ours)


async def test_agencies_are_named_as_the_peers_log_names_them(watching):
    ours, theirs = watching
    name = theirs.context.pack.agencies["demo-sante"].name
    assert (await ours.agency("ma.demo-sante")).name == name
    renamed = msgspec.structs.replace(
        theirs.context.pack.agencies["demo-sante"], name={"fr": "Agence de la santé", "ar": "وكالة"}
    )
    async with theirs.context.transaction() as connection:
        await save_agencies(connection, [renamed], guard=theirs.context.guard, actor="ma", now=NOW)
    await theirs.serve_log()
    # The log has it, and what the API says does not count.
    await ours.harvest(theirs, now=NOW)
    assert (await ours.agency("ma.demo-sante")).name == renamed.name
    await check_rows(ours)


async def test_the_runner_harvests_what_is_due_whatever_happens_to_another(watching, monkeypatch):
    ours, _ = watching
    asked = []

    async def fail(_, code, **__):
        asked.append(code)
        raise Unavailable("no")

    monkeypatch.setattr(harvests, "harvest", fail)
    await ours.fetch(
        "insert into peer (code, origin, key, address, added_at) values"
        " ('aa', 'aa.example/log', '', '', now()), ('zz', 'zz.example/log', '', '', now())"
    )
    await ours.fetch("update peer set removed_at = now() where code = 'zz'")
    settings = msgspec.structs.replace(ours.settings, harvest_minutes=30)
    await harvest_due(settings, ours.context, now=NOW + dt.timedelta(minutes=29))
    assert asked == ["aa"]
    await harvest_due(settings, ours.context, now=NOW + dt.timedelta(minutes=30))
    assert asked == ["aa", "aa", "ma"]


async def test_a_large_log_is_taken_in_round_by_round(registers, monkeypatch):
    theirs, ours = registers
    monkeypatch.setattr(exchange_peers, "_MOST_ENTRIES", WIDTH)
    document = make_record()
    many = [
        document | {"id": f"demo-sante/lits-{number}", "source_id": f"L-{number}"}
        for number in range(300)
    ]
    await theirs.publish(*many, now=NOW)
    size = stated((theirs.folder / "log/checkpoint").read_bytes()).size
    await ours.watch(theirs, now=NOW)
    settings = msgspec.structs.replace(ours.settings, harvest_minutes=60, peers_on_loopback="on")
    applied = []
    for _ in range(3):
        await harvest_due(settings, ours.context, now=NOW)
        applied.append((await ours.peer("ma")).applied)
    whole = [min(size, WIDTH * number) for number in range(1, 4)]
    assert applied == whole
    [[count]] = await ours.fetch("select count(*) from record where id like 'ma.%'")
    assert count == len(many)
    # What has too little time goes on later as well, and takes in one bundle at the least.
    await theirs.publish(amended(many[0]), now=NOW)
    monkeypatch.setattr(exchange_peers, "_LAST_BEGUN_SECONDS", 0)
    assert (await ours.harvest(theirs, now=NOW)).left == 0


async def test_a_checkpoint_of_a_log_without_end_costs_a_few_files(registers, tmp_path):
    """Its peer signs that it has a billion entries, and answers any tile with anything."""
    theirs, ours = registers
    await theirs.publish(make_record(), now=NOW)
    await ours.watch(theirs, now=NOW)
    signer = key.read(theirs.settings.key_file)
    text = Checkpoint(origin=signer.name, size=10**12, root=bytes(32)).to_text()
    note = sign_note(text, [signer]).to_bytes()
    asked = []

    class Endless(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            found = theirs.folder / self.path.lstrip("/")
            content = note if self.path.endswith("checkpoint") else bytes(32 * WIDTH)
            if "/tile/" not in self.path and content is not note:
                content = found.read_bytes() if found.is_file() else b""
            self.send_response(200 if content else 404)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with serving(Endless) as address:
        await ours.fetch("update peer set address = $1", address)
        report = await ours.harvest(theirs, now=NOW)
    assert report.outcome == "failed"
    assert len(asked) < 100


async def test_a_checkpoint_that_the_policy_does_not_satisfy_is_not_believed(registers):
    theirs, ours = registers
    await theirs.publish(make_record(), now=NOW)
    witness = Signer(name="w.example", seed=bytes(32), kind=COSIGNATURE)
    policy = parse_policy(f"witness w {witness.verifier_key}\nquorum w\n")
    with pytest.raises(Unavailable, match="not witnessed as it should be"):
        await ours.watch(theirs, now=NOW, policy=policy)
    checkpoint = theirs.folder / "log/checkpoint"
    note = checkpoint.read_bytes()
    raw = cosign(parse_note(note).text, witness, time=int(NOW.timestamp())).to_bytes()
    line = Signature(name=witness.name, key=witness.verifier.id, raw=raw).to_line()
    checkpoint.write_bytes(note + line.encode())
    await ours.watch(theirs, now=NOW, policy=policy)
    assert (await ours.harvest(theirs, now=NOW)).outcome == "harvested"
    checkpoint.write_bytes(note)
    report = await ours.harvest(theirs, now=NOW)
    assert (report.outcome, "witnessed" in report.why) == ("failed", True)


async def test_what_cannot_be_watched_is_refused_in_words(watching):
    ours, theirs = watching
    for code, verifier, error, told in (
        ("SN", None, InvalidParameter, "is no code of a register"),
        ("local", None, InvalidParameter, "is no code of a register"),
        ("ma", None, Conflict, "the code ma is watched already"),
        ("mb", None, Conflict, "the log ma.example/log is watched as ma"),
        ("mb", Signer(name="x/log", seed=bytes(32)).verifier, Unavailable, "cannot be believed"),
    ):
        with pytest.raises(error, match=told):
            await ours.watch(theirs, now=NOW, code=code, verifier=verifier)


async def test_what_is_here_already_is_not_taken_twice(watching):
    """How far a peer was taken in is lost with the database; what was published is not."""
    ours, theirs = watching
    await theirs.publish(amended(personal()), now=NOW)
    await theirs.withdraw(ID, now=NOW)
    await theirs.serve_log()
    await ours.harvest(theirs, now=NOW)
    before = await ours.fetch("select count(*) from log_entry")
    await ours.fetch("delete from peer_subject")
    await ours.fetch("update peer set applied = 0, peaks = '', applied_at = ''")
    report = await ours.harvest(theirs, now=NOW)
    assert (report.outcome, report.entries) == ("harvested", 5)
    assert await ours.fetch("select count(*) from log_entry") == before
    await theirs.publish(amended(personal()), now=NOW)
    await ours.harvest(theirs, now=NOW)
    assert (await ours.read(HERE)).register.source.version == 3
    await check_rows(ours)


async def test_what_was_taken_in_and_given_up_is_taken_in_again(watching):
    """Nothing of a peer's log came a second time, however little of it was left here."""
    ours, theirs = watching
    async with ours.context.database.connection() as connection:
        before = await log.read_state(connection)
    other = make_record() | {"id": "demo-sante/autre", "source_id": "A-2"}
    await theirs.publish(
        amended(personal()), other | {"name": {"fr": "Autre", "ar": "آخر"}}, now=NOW
    )
    await ours.harvest(theirs, now=NOW)
    taken = [
        (await ours.read(one)).register.source.version for one in (HERE, "ma.demo-sante/autre")
    ]
    async with ours.context.database.transaction() as connection:
        await log.lock_state(connection)
        changed = await discards.discard(connection, before.range, discards=1)
        await rewrite_records(connection, changed)
    assert (await ours.read(HERE)).register.source.version == 1
    report = await harvest(ours.context, "ma", now=lambda: NOW, only_public=False)
    assert report.outcome == "harvested", report.why
    again = [
        (await ours.read(one)).register.source.version for one in (HERE, "ma.demo-sante/autre")
    ]
    assert again == taken == [2, 1]


async def test_a_peer_of_a_database_that_a_later_release_has_expanded_is_read(watching):
    """Hosts are updated one after the other."""
    ours, theirs = watching
    await ours.fetch("alter table peer add column later text")
    assert (await ours.harvest(theirs, now=NOW)).outcome == "unchanged"


async def test_a_peer_s_short_codes_are_its_own(registers):
    theirs, ours = registers
    await theirs.publish(make_record(), now=NOW)
    other = make_record() | {"id": "demo-sante/autre", "source_id": "A-2"}
    await theirs.publish(other | {"name": {"fr": "Autre", "ar": "آخر"}}, now=NOW)
    await theirs.publish(amended(make_record()), now=NOW)
    await ours.watch(theirs, now=NOW)
    report = await ours.harvest(theirs, now=NOW)
    assert report.outcome == "harvested", report
    for name, version in ((ID, 2), ("demo-sante/autre", 1)):
        there, here = await theirs.read(name), await ours.read(f"ma.{name}")
        assert here.register.version == version
        assert there.register.code == next(candidates(name))
        assert here.register.code is None
    await check_rows(theirs)
    await check_rows(ours)
