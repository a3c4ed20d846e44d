"""What a redaction leaves of a version's findings stays bound by the log, whatever it was of."""

import datetime as dt
import json

import msgspec
import pytest

from registry.ledger.proofs import read_record_proof
from registry.ledger.published_log import LogTree
from registry.ledger.verify_database import check_all, check_database
from registry.log.replay import LogInconsistent
from registry.record.canonical import canonical
from registry.services.people.access import Actor
from registry.services.statements import attestation, redaction
from registry.tlog.policy import ANYBODY
from registry.verify.fsck import read_from
from registry.verify.log import verify_log
from registry.verify.record import verify_record
from registry.worker.runner import publish as publish_log

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
ID, OTHER = "demo-sante/prevision-lits", "demo-sante/autre"
PHONE, PERSON, SECOND = "+212537999777", "Zineb Oulhaj", "Amine Tahiri"
DECISION = {"basis": "data_protection", "authority": f"Me {SECOND}"}
FORGED = """alter table version drop constraint if exists version_verdict_salt_check;
update version set findings = '[]', missing = '{{}}', {columns} where entry = {entry};
update figure set rules = '{{}}' where entry = {entry};
update search_version set codes = (codes::jsonb - 'finding' - 'missing')::text where ord = {entry};
insert into erasure (redaction, entries) values (-1, array[{entry}])"""
SALTS = (
    "verdict_salt = ''", "verdict_salt = sha256('')",
    "verdict_salt = sha256(''), verdict_redaction = null",
    "verdict_salt = sha256(''), verdict_redaction = {last}",
)  # fmt: skip


@pytest.fixture
def database(logged):
    return logged


def acting(name, agency=None, scopes=("redact",)):
    return Actor(name=name, agency=agency, scopes=frozenset(scopes), token=1, request="r")


def noticed(*said):
    return [
        {
            "rule": rule, "pointer": pointer, "severity": "warning", "message": message,
            "lang": "en",
        }
        for rule, pointer, message in said
    ]  # fmt: skip


@pytest.fixture
async def filed(context, settings, publish, record):
    """A high-risk record whose findings quote what is erased later, and one that quotes it too."""
    record["contact"]["phone"] = PHONE
    record["purpose"]["goal"] = {"fr": f"Prévoir, selon {PERSON} et {SECOND}.", "ar": "توقع"}
    paper = {"type": "other", "title": {"fr": f"Note de {PERSON}"}, "url": "https://demo.example"}
    record["documents"] = [paper, paper | {"title": {"fr": "Notice"}}]
    findings = noticed(
        ("R01", "/contact/phone", "It is odd."), ("R02", "/name", f"See {PHONE}."),
        ("R03", "/risk", "It stays."), ("R04", "/documents/0/url", "It is odd."),
        ("R05", "/summary", f"{PERSON} is not known."), ("R06", "/summary", f"As {SECOND} says."),
        ("R07", "/procurement", "It is thin."),
    )  # fmt: skip
    quoting = noticed(("R02", "/name", f"See {PHONE}."), ("R08", "/name", "It stays."))
    other = record | {"id": OTHER, "source_id": "A-2"}
    await publish(record, findings=findings)
    await publish(record | {"system_version": "2"}, findings=findings)
    await publish(other, findings=quoting)
    said = {"day": "2026-11-20", "systems_total": 4, "contact": {"email": "a@demo.example"}}
    agency = acting("agency", "demo-sante", ["file"])
    await attestation.attest(context, agency, "demo-sante", said, now=NOW)
    await publish_log(settings, context)


REDACTIONS = {
    "a member": {"record": ID, "pointers": ["/contact/phone"]},
    "words of a text": {"record": ID, "pointers": ["/purpose/goal"], "words": [PERSON]},
    "an item of a list": {"record": ID, "pointers": ["/documents/0"]},
    "other words of that text": {"record": ID, "pointers": ["/purpose/goal"], "words": [SECOND]},
    "a section": {"record": ID, "pointers": ["/procurement"], "versions": [1]},
    "an attestation's contact": {"entry": 4, "pointers": ["/contact"]},
    "a redaction's authority": {"entry": 6, "pointers": ["/authority"]},
}
LEFT = {
    "a member": ["R03", "R04", "R05", "R06", "R07"],
    "words of a text": ["R03", "R04", "R06", "R07"],
    "an item of a list": ["R03", "R06", "R07"],
    "other words of that text": ["R03", "R07"],
    "a section": ["R03"],
}


@pytest.fixture
def redact(context):
    async def work(**statement):
        asked = await redaction.request(context, acting("one"), {**DECISION, **statement}, now=NOW)
        return await redaction.confirm(context, acting("another"), asked.redaction, now=NOW)

    return work


async def unnamed(database, pack, last):
    """The forgeries of findings that the check of the database does not name."""
    async with database.connection() as connection:
        rows = await connection.fetch("select entry from version order by entry")
    passed = []
    for entry in [row["entry"] for row in rows]:
        for salt in SALTS:
            columns = salt.format(last=last)
            async with database.connection() as connection:
                transaction = connection.transaction()
                await transaction.start()
                try:
                    await connection.execute("set local session_replication_role = replica")
                    await connection.execute(FORGED.format(entry=entry, columns=columns))
                    await check_all(connection, {}, lambda *_: None)
                    passed.append((entry, columns))
                except LogInconsistent as error:
                    if error.index != entry or "table version, demo-sante/" not in error.where:
                        passed.append((entry, columns, error.detail))
                finally:
                    await transaction.rollback()
    return passed


def overlooked(folder):
    """The contents with another verdict that pass the check of the published files."""
    read, passed = read_from(folder), []
    for path in sorted(folder.glob("content/*.json")):
        name = path.relative_to(folder).as_posix()
        content = json.loads(path.read_bytes())
        if "verdict" not in content:
            continue
        kept = content["verdict"]
        for verdict in (
            {"findings": [], "missing": []},
            kept | {"findings": []}, kept | {"missing": []}, kept | {"salt": "A" * 43},
            kept | {"redaction": 0}, {name: kept[name] for name in kept if name != "redaction"},
            kept | {"findings": [], "redaction": kept.get("redaction", 6)},
        ):  # fmt: skip
            if verdict == kept:
                continue
            other = canonical(content | {"verdict": verdict})
            try:
                verify_log(
                    lambda one: other if one == name else read(one),  # noqa: B023
                    verifier=None,
                    progress=lambda *_: None,
                )
                passed.append((name, verdict))
            except LogInconsistent as error:
                if error.where != name:
                    passed.append((name, verdict, error.detail))
    return passed


async def test_forged_findings_are_named_after_each_kind_of_redaction(
    context, settings, database, filed, redact, pack
):
    rules = {}
    for kind, statement in REDACTIONS.items():
        done = await redact(**statement)
        # Until it is carried out the verdict before it stands.
        assert (await check_database(database, settings, progress=lambda *_: None)).size
        await publish_log(settings, context)
        await check_database(database, settings, progress=lambda *_: None)
        verify_log(read_from(settings.log_dir), verifier=None, progress=lambda *_: None)
        async with database.connection() as connection:
            rows = await connection.fetch(
                "select v.entry, v.findings, f.rules from version as v natural join figure as f"
            )
        rules = {row["entry"]: row["rules"] for row in rows}
        for row in rows:
            left = [one["rule"] for one in json.loads(row["findings"])]
            assert left == row["rules"], kind
        if kind in LEFT:
            assert rules[1] == LEFT[kind], kind
        assert rules[3] == ["R08"]
        assert await unnamed(database, pack, done.entry) == [], kind
        assert overlooked(settings.log_dir) == [], kind
    assert rules[2] == ["R03", "R07"]
    async with database.snapshot() as connection:
        for version in (1, 2):
            proof = await read_record_proof(connection, LogTree(), ID, version)
            verify_record(msgspec.json.encode(proof), verifier=None, policy=ANYBODY)
        # A record of which nothing was erased: its finding quoted another's telephone number.
        proof = await read_record_proof(connection, LogTree(), OTHER, 1)
    assert [one.index for one in proof.redactions] == [6, 12]
    verify_record(msgspec.json.encode(proof), verifier=None, policy=ANYBODY)
    without = msgspec.structs.replace(proof, redactions=[])
    with pytest.raises(LogInconsistent, match="its verdict is not the one that entry 6 leaves"):
        verify_record(msgspec.json.encode(without), verifier=None, policy=ANYBODY)


async def test_two_redactions_that_wait_leave_one_verdict_after_the_other(
    context, settings, database, filed, redact, pack
):
    await redact(record=ID, pointers=["/contact/phone"])
    await redact(record=ID, pointers=["/documents/0"])
    content = {}
    await publish_log(settings, context)
    for path in settings.log_dir.glob("content/*.json"):
        content[path.name] = json.loads(path.read_bytes())
    assert content["1.json"]["verdict"]["redaction"] == 7
    assert content["3.json"]["verdict"]["redaction"] == 6
    assert not any("verdicts" in one for one in content.values())
    await check_database(database, settings, progress=lambda *_: None)
    verify_log(read_from(settings.log_dir), verifier=None, progress=lambda *_: None)
