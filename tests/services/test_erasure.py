"""Erasing notes, contacts and decisions, and words of a text that stays; no file has them left.

`test_no_file_has_what_was_erased` builds the site before and after for all of them; others only
where they read a page, or erase what no other does.
"""

import asyncio
import datetime as dt
import json
from pathlib import Path

import msgspec
import pytest

from registry.errors import Conflict, InvalidStatement, NotFound, Unavailable
from registry.ledger import publish_files
from registry.ledger.proofs import read_record_proof
from registry.ledger.published_log import LogTree
from registry.ledger.verify_database import check_all, check_database
from registry.log.files import LogRefused
from registry.log.replay import LogInconsistent
from registry.pages.build import plan
from registry.services.filing.drafts import Precondition
from registry.services.log.recovery import heal_log
from registry.services.people.access import Actor
from registry.services.statements import attestation, redaction, withdrawal
from registry.settings import Settings
from registry.store import attestations, records, redactions, server, withdrawals
from registry.tlog.policy import ANYBODY
from registry.verify.fsck import read_from
from registry.verify.log import verify_log
from registry.verify.record import check_same, verify_record
from registry.worker.runner import publish as publish_log
from registry.worker.site_keeping import build_site
from tests.built import changing_pages, share_templates
from tests.services.test_redaction import exported

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
ID = "demo-sante/prevision-lits"
PERSON = "Zineb Oulhaj"
PHONE = "+212537999777"
MAILBOX = "zineb.oulhaj@demo.example"
NOTE = f"Retiré à la demande de {PERSON}, agent du service informatique."
DECISION = {"basis": "data_protection", "authority": "CNDP"}


@pytest.fixture
def settings(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    share_templates(data)
    return Settings(data_dir=data, base_url="https://algorithms.example")


@pytest.fixture
def database(logged):
    """The register whose log has a key of its own."""
    return logged


@pytest.fixture
def fewer(monkeypatch):
    monkeypatch.setattr(plan, "all_pages", changing_pages)


def acting(name, agency=None, scopes=("redact",)):
    return Actor(name=name, agency=agency, scopes=frozenset(scopes), token=1, request="r")


@pytest.fixture
def redact(context, settings):
    """Ask, confirm as another, publish the log and carry it out."""

    async def work(**statement):
        asked = await redaction.request(context, acting("one"), {**DECISION, **statement}, now=NOW)
        done = await redaction.confirm(context, acting("another"), asked.redaction, now=NOW)
        await publish_log(settings, context)
        return done

    return work


@pytest.fixture
def verified(context, settings, database, pack):
    """Check the database, its rows, and the published files by the log."""

    async def work():
        await check_database(database, settings, progress=lambda *_: None)
        verify_log(read_from(settings.log_dir), verifier=None, progress=lambda *_: None)

    return work


async def everything(database, settings):
    """The site, if one is built, the files of the log, and all rows as text."""
    found = [path.read_bytes() for path in settings.data_dir.rglob("*") if path.is_file()]
    async with database.connection() as connection:
        tables = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public'"
        )
        for table in tables:
            rows = await connection.fetch(f"select t::text from {table['tablename']} as t")  # noqa: S608  our own names
            found += [row["t"].encode() for row in rows]
    return b"\n".join(found)


async def withdraw(context, database):
    async with database.connection() as connection:
        [current] = (await records.read_latest(connection, [ID])).values()
    done = await withdrawal.withdraw(
        context,
        acting("agency", "demo-sante", ["file"]),
        ID,
        {"reason": "filed_in_error", "note": {"fr": NOTE, "ar": "سحب"}},
        precondition=Precondition(tag=current.leaf.hex()[:16]),
        now=NOW,
    )
    return done.entry


@pytest.mark.usefixtures("fewer")
async def test_a_withdrawals_note_is_erased(
    context, settings, database, publish, record, redact, verified
):
    await publish(record)
    entry = await withdraw(context, database)
    await publish_log(settings, context)
    assert PERSON.encode() in await everything(database, settings)
    done = await redact(entry=entry, pointers=["/note"], reference="D-1")
    assert (done.id, done.entries, done.versions) == (ID, [entry], [])
    await verified()
    await build_site(settings, context)
    assert PERSON.encode() not in await everything(database, settings)
    async with database.connection() as connection:
        [left] = await withdrawals.read_all(connection, ID)
    assert left.note is None
    assert [(one.pointer, one.entry) for one in left.redacted] == [
        ("/note/ar", done.entry), ("/note/fr", done.entry)
    ]  # fmt: skip
    page = (settings.site_dir / f"fr/records/{ID}.html").read_text(encoding="utf-8")
    assert "Effacé le" in page
    assert "CNDP" in page

    # What is named of an entry is there, and is no version's.
    for statement, pointer in (
        ({"entry": entry, "pointers": ["/note"]}, "/pointers/0"),
        ({"entry": entry, "pointers": ["/name"], "words": ["ab"]}, "/words"),
        ({"pointers": ["/note"]}, "/record"),
    ):
        with pytest.raises(InvalidStatement) as refused:
            await redact(**statement)
        assert [one.pointer for one in refused.value.findings] == [pointer]
    with pytest.raises(NotFound, match="a version's content is named by the record"):
        await redact(entry=1, pointers=["/note"])


async def test_an_attestations_contact_is_erased_in_part(
    context, settings, database, redact, verified
):
    said = await attestation.attest(
        context,
        acting("agency", "demo-sante", ["file"]),
        "demo-sante",
        {
            "day": "2026-11-20",
            "systems_total": 4,
            "contact": {"email": MAILBOX, "url": "https://demo.example/contact"},
        },
        now=NOW,
    )
    await publish_log(settings, context)
    assert MAILBOX.encode() in await everything(database, settings)
    done = await redact(entry=said.entry, pointers=["/contact/email"])
    assert done.id == "demo-sante"
    await verified()
    assert MAILBOX.encode() not in await everything(database, settings)
    async with database.connection() as connection:
        [left] = await attestations.read_latest(connection)
    assert left.contact == {"url": "https://demo.example/contact"}
    assert [one.pointer for one in left.redacted] == ["/contact/email"]
    # An agency may have redacted what is its own, and nobody else's.
    own = acting("own", "demo-services")
    assert await redaction.list_redactions(context, own) == []
    assert len(await redaction.list_redactions(context, acting("own", "demo-sante"))) == 1


@pytest.mark.usefixtures("fewer")
async def test_a_redactions_own_authority_is_erased(
    context, settings, database, publish, record, redact, verified
):
    record["contact"]["phone"] = PHONE
    await publish(record)
    first = await redact(record=ID, pointers=["/contact/phone"], authority=f"Me {PERSON}")
    await build_site(settings, context)
    assert PERSON.encode() in await everything(database, settings)
    await redact(entry=first.entry, pointers=["/authority"])
    await verified()
    await build_site(settings, context)
    assert PERSON.encode() not in await everything(database, settings)
    async with database.connection() as connection:
        stored = await records.read(connection, ID, 1)
    assert [(one.pointer, one.authority) for one in stored.register.redacted] == [
        ("/contact/phone", None)
    ]


@pytest.fixture
def goal(record):
    """A record whose purpose, which everybody must be able to read, names two persons."""
    record["purpose"]["goal"] = {
        "fr": f"Prévoir les lits, selon la méthode de {PERSON} et d’Amine Tahiri.",
        "ar": "توقع الأسرة",
    }
    return record


@pytest.mark.usefixtures("fewer")
async def test_words_of_a_protected_text_are_replaced_by_a_mark(
    context, settings, database, publish, goal, redact, verified
):
    await publish(goal)
    other = goal | {"system_version": "2"}
    other["purpose"] = goal["purpose"] | {"goal": {"fr": "Prévoir les lits.", "ar": "توقع"}}
    await publish(other)
    with pytest.raises(InvalidStatement) as refused:
        await redact(record=ID, pointers=["/purpose/goal"])
    assert [one.rule for one in refused.value.findings] == ["protected"]
    for wrong, rule in (
        ({"pointers": ["/purpose/goal"], "words": ["nowhere at all"]}, "held"),
        ({"pointers": ["/risk"], "words": [goal["risk"]["level"]]}, "text"),
        ({"pointers": ["/purpose/goal"], "words": ["a"]}, "words"),
        ({"pointers": ["/id"], "words": ["sante"]}, "kept"),
    ):
        with pytest.raises(InvalidStatement) as refused:
            await redact(record=ID, **wrong)
        assert rule in {one.rule for one in refused.value.findings}

    done = await redact(record=ID, pointers=["/purpose"], words=[PERSON.upper()])
    assert (done.versions, done.pointers) == ([1], ["/purpose/goal"])
    await verified()
    found = await everything(database, settings)
    assert PERSON.encode() not in found
    assert b"Amine Tahiri" in found

    async def version(number):
        async with database.connection() as connection:
            return await records.read(connection, ID, number)

    async def proven(number):
        async with database.snapshot() as connection:
            proof = await read_record_proof(connection, LogTree(), ID, number)
        return verify_record(json.dumps(_plain(proof)).encode(), verifier=None, policy=ANYBODY)

    left = json.loads((await version(1)).document)
    assert left["purpose"]["goal"] == {
        "fr": "Prévoir les lits, selon la méthode de […] et d’Amine Tahiri.",
        "ar": "توقع الأسرة",
    }
    assert left["purpose"] == goal["purpose"] | {"goal": left["purpose"]["goal"]}
    check_same(await proven(1), left)
    assert (await version(2)).register.redacted == []

    # A second name in what is shown now, by another redaction: the first one's text goes with it.
    again = await redact(record=ID, pointers=["/purpose/goal"], words=["Amine Tahiri"])
    assert again.entries == [done.entry]
    await verified()
    await build_site(settings, context)
    page = (settings.site_dir / f"fr/records/{ID}/versions/1.html").read_text(encoding="utf-8")
    assert "Des mots en ont été effacés le" in page
    assert b"Amine Tahiri" not in await everything(database, settings)
    left = json.loads((await version(1)).document)
    assert left["purpose"]["goal"]["fr"] == "Prévoir les lits, selon la méthode de […] et d’[…]."
    check_same(await proven(1), left)
    altered = left | {"purpose": left["purpose"] | {"goal": {"fr": "Autre […]."}}}
    with pytest.raises(LogInconsistent, match="/purpose is another"):
        check_same(await proven(1), altered)

    # Nobody puts anything else in its place.
    async with database.connection() as connection:
        await connection.execute("set session_replication_role = replica")
        await connection.execute(
            "update section set value = replace(value, 'Prévoir', 'Trier') where key = 'purpose'"
        )
    with pytest.raises(LogInconsistent, match="purpose"):
        await verified()


async def test_one_redaction_never_undoes_another_of_the_same_text(
    context, settings, database, publish, record
):
    """What is shown in the place of a text is made when it is asked for; then it may change."""
    await publish(record, now=NOW)
    first, second = "annoncent", "mobilisées"
    words = {"record": record["id"], "pointers": ["/purpose/goal"], **DECISION}

    async def ask(**more):
        asked = await redaction.request(context, acting("one"), {**words, **more}, now=NOW)
        return asked.redaction

    async def confirm(number):
        return await redaction.confirm(context, acting("another"), number, now=NOW)

    earlier, later, whole = [
        await ask(words=[first]),
        await ask(words=[second]),
        await ask(basis="court"),
    ]
    await confirm(earlier)
    for again in (confirm(later), confirm(whole), ask(words=[second])):
        with pytest.raises(Conflict, match="is being carried out; try again in a moment"):
            await again
    await publish_log(settings, context)
    with pytest.raises(Conflict, match="a part of the same; take it back and ask for it"):
        await confirm(whole)
    listed = await redaction.list_redactions(context, acting("another"))
    assert {one.id: one.state for one in listed} == {earlier: "erased", whole: "overtaken"}
    for number, error in ((earlier, Conflict), (later, NotFound), (2**70, NotFound)):
        with pytest.raises(error):
            await redaction.delete(context, acting("one"), number, now=NOW)
    with pytest.raises(NotFound):
        await redaction.delete(context, acting("own", "demo-education"), whole, now=NOW)
    await redaction.delete(context, acting("one"), whole, now=NOW)
    with pytest.raises(NotFound, match="one of words when another erases a part of the same"):
        await confirm(later)
    erased = await ask(basis="court")
    late = await ask(words=[second])
    await confirm(erased)
    await publish_log(settings, context)
    with pytest.raises(NotFound, match="ask for it anew"):
        await confirm(late)
    kept = await everything(database, settings)
    assert first.encode() not in kept
    assert second.encode() not in kept


async def test_filing_again_what_was_erased_is_noticed(filer, record, redact):
    record["contact"]["phone"] = PHONE
    await filer.publish(record)
    await redact(record=ID, pointers=["/contact/phone"])

    async def amend(**note):
        record["publication"] = record["publication"] | {"change_note": note}
        await filer.publish(record, Precondition(tag=await filer.tag(record)))
        noticed = (await filer.stored(record)).register.noticed()
        return [one.pointer for one in noticed if one.rule == "R26"]

    assert await amend(fr="Un numéro est de nouveau là", ar="عاد رقم الهاتف") == ["/contact/phone"]
    # What the last version has is known.
    record["system_version"] = "3"
    assert await amend(fr="Une autre version", ar="نسخة أخرى من النظام") == []


async def test_what_was_replaced_comes_back_with_a_healed_log(
    context, settings, database, publish, goal, redact, verified, backup
):
    await publish(goal)
    await publish_log(settings, context)
    await backup.keep()
    await redact(record=ID, pointers=["/purpose/goal"], words=[PERSON])
    await redact(record=ID, pointers=["/purpose/goal"], words=["Amine Tahiri"])
    await backup.restore()
    await heal_log(context, settings, now=NOW, progress=lambda *_: None)
    await publish_log(settings, context)
    await verified()
    async with database.connection() as connection:
        stored = await records.read(connection, ID, 1)
    shown = json.loads(stored.document)["purpose"]["goal"]["fr"]
    assert shown == "Prévoir les lits, selon la méthode de […] et d’[…]."


@pytest.mark.parametrize("is_carried_out", [True, False])
async def test_what_is_left_of_findings_comes_back_with_a_healed_log(
    context, settings, database, publish, record, redact, verified, backup, is_carried_out
):
    record["contact"]["phone"] = PHONE
    said = {"severity": "warning", "lang": "en"}
    findings = [
        said | {"rule": "R1", "pointer": "/contact/phone", "message": "It is odd."},
        said | {"rule": "R2", "pointer": "/contact/email", "message": "It is odd."},
        said | {"rule": "R3", "pointer": "/name", "message": "It stays."},
    ]
    await publish(record, findings=findings)
    await publish_log(settings, context)
    await backup.keep()
    await redact(record=ID, pointers=["/contact/phone"])
    asked = {**DECISION, "record": ID, "pointers": ["/contact/email"]}
    requested = await redaction.request(context, acting("one"), asked, now=NOW)
    done = await redaction.confirm(context, acting("another"), requested.redaction, now=NOW)
    if is_carried_out:
        await publish_log(settings, context)
    else:
        # It is signed and published, and then all is lost before anything is erased.
        await publish_files.publish_log(database, settings, now=NOW)
        content = json.loads((settings.log_dir / f"content/{done.entry}.json").read_bytes())
        assert [one["rule"] for one in content["verdicts"]["1"]["findings"]] == ["R3"]
    await backup.restore()
    await heal_log(context, settings, now=NOW, progress=lambda *_: None)
    await publish_log(settings, context)
    await verified()
    async with database.connection() as connection:
        stored = await records.read(connection, ID, 1)
    assert [one.rule for one in stored.register.noticed()] == ["R3"]
    assert PHONE.encode() not in stored.document


async def test_what_is_published_is_erased_while_publication_is_blocked(
    context, settings, database, publish, goal
):
    await publish(goal)
    asked = await redaction.request(
        context,
        acting("one"),
        {**DECISION, "record": ID, "pointers": ["/purpose/goal"], "words": [PERSON]},
        now=NOW,
    )
    await redaction.confirm(context, acting("another"), asked.redaction, now=NOW)
    await publish_files.publish_log(database, settings, now=NOW)
    assert PERSON.encode() in await everything(database, settings)
    await publish(goal | {"id": "demo-sante/autre", "name": {"fr": "Autre", "ar": "آخر"}})
    block = settings.key_file.with_name("log-blocked")
    block.write_text("The last check of the log found: a fault.\n", encoding="utf-8")
    with pytest.raises(LogRefused, match="a fault"):
        await publish_log(settings, context)
    async with database.connection() as connection:
        [first, _] = await connection.fetch(
            "select value from section where key = 'purpose' order by record desc"
        )
    assert PERSON not in first["value"]


def _plain(proof):
    return msgspec.to_builtins(proof)


async def test_who_reads_for_long_holds_nobody_up(
    context, settings, database, publish, record, redact
):
    """An export may read for minutes: the tables are rewritten when it has ended."""
    record["contact"]["phone"] = PHONE
    await publish(record)
    await publish_log(settings, context)
    content = settings.log_dir / "content/1.json"
    async with database.snapshot() as reading:
        await reading.fetch("select * from section")
        with pytest.raises(Unavailable):
            await redact(record=ID, pointers=["/contact/phone"])
        # Nobody else waits any more, and what is public is without it already.
        async with database.connection() as connection:
            left = await connection.fetchval("select value from section where key = 'contact'")
            assert await redactions.read_unsettled(connection) != {}
        assert PHONE not in left
        assert PHONE not in content.read_text(encoding="utf-8")
    await publish_log(settings, context)
    async with database.connection() as connection:
        assert await redactions.read_unsettled(connection) == {}


async def test_no_file_has_what_was_erased(
    context, settings, database, publish, record, redact, capfd, monkeypatch
):
    """Withdrawal's note, attestation's contact, names in a protected text: by the bytes.

    Of the server its tables, samples of them, log file and write-ahead log; of the register its
    site, the files of its log, its exports and what it logs.
    """
    monkeypatch.setattr(plan, "all_pages", changing_pages)
    record["contact"]["phone"] = PHONE
    record["purpose"]["goal"]["fr"] += f" Demandé par {PERSON}."
    await publish(record)
    await publish(record | {"system_version": "2"})
    said = {"day": "2026-11-20", "systems_total": 4, "contact": {"email": MAILBOX}}
    agency = acting("agency", "demo-sante", ["file"])
    attested = await attestation.attest(context, agency, "demo-sante", said, now=NOW)
    entry = await withdraw(context, database)
    await publish_log(settings, context)
    async with database.connection() as connection:
        assert await server.read_wal_settings(connection) == {}
        folder = Path(await connection.fetchval("show data_directory"))
        await connection.execute("analyze")
        await connection.execute("checkpoint")

    def found(exports):
        contents = [("exports", exports)] + [
            (path.relative_to(root).parts[0], path.read_bytes())
            for root in (folder, settings.data_dir)
            for path in root.rglob("*")
            if path.is_file()
        ]
        return {
            place
            for place, content in contents
            if any(text.encode() in content for text in (PERSON, PHONE[1:], MAILBOX))
        }

    await build_site(settings, context)
    before = await asyncio.to_thread(found, await exported(context, settings))
    assert before >= {"base", "pg_wal", "log", "site-builds", "exports"}
    await redact(entry=entry, pointers=["/note"])
    await redact(entry=attested.entry, pointers=["/contact"])
    await redact(record=ID, pointers=["/contact/phone"])
    await redact(record=ID, pointers=["/purpose/goal"], words=[PERSON])
    await build_site(settings, context)
    assert await asyncio.to_thread(found, await exported(context, settings)) == set()
    told = "".join(capfd.readouterr())
    assert not any(text in told for text in (PERSON, PHONE[1:], MAILBOX))


FORGED = {
    "redaction": ("update redaction set basis = 'court' where entry = 2", "basis is"),
    "erased_member": (
        "update erased_member set redaction = 3 where redaction = 2",
        "redaction is 3, and 2 follows",
    ),
    "erased_member, one more": ("delete from erased_member", "not what the entry commits to"),
    "checkpoint": ("update checkpoint set root = sha256('x')", "are not those signed"),
}
"""Statements of whoever can pass triggers, on a register with redactions, and what is found."""


async def test_each_forgery_of_a_redaction_is_found(
    context, settings, database, publish, record, redact, verified, pack
):
    record["contact"]["phone"] = PHONE
    await publish(record)
    await redact(record=ID, pointers=["/contact/phone"])
    await redact(record=ID, pointers=["/contact/url"])
    await verified()
    wrong = []
    for forgery, (statement, expected) in FORGED.items():
        async with database.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                await connection.execute("set local session_replication_role = replica")
                await connection.execute(statement)
                await check_all(connection, {}, lambda *_: None)
                wrong.append(f"{forgery}: not found")
            except LogInconsistent as error:
                if expected not in error.detail:
                    wrong.append(f"{forgery}: {error.detail}")
            finally:
                await transaction.rollback()
    assert wrong == []
