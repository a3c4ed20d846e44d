"""Attesting: what an agency says it runs, in the log, one chain an agency."""

import asyncio
import datetime as dt
import hashlib
import json

import pytest

from registry.errors import Forbidden, IdempotencyKeyReused, InvalidStatement, NotFound
from registry.services.people.access import Actor
from registry.services.statements.attestation import attest
from registry.store import attestations, audit_trail
from tests.commitments import section_commitment

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
HEALTH = Actor(name="records", agency="demo-sante", scopes=frozenset({"file"}), token=1)
SCHOOLS = Actor(name="records", agency="demo-education", scopes=frozenset({"file"}), token=1)


@pytest.fixture
def statement():
    return {
        "day": "2026-11-01",
        "systems_total": 4,
        "contact": {"email": "registre@demo-sante.example"},
        "note": {"fr": "Pilotes compris."},
    }


async def say(context, statement, actor=HEALTH, now=NOW, **options):
    return await attest(context, actor, actor.agency, statement, now=now, **options)


async def read(context, agency=None):
    async with context.database.connection() as connection:
        if agency is None:
            return await attestations.read_latest(connection)
        return await attestations.read_history(connection, agency)


async def entries(context):
    async with context.database.connection() as connection:
        rows = await connection.fetch(
            "select index, record, bytes, leaf from log_entry where kind = 'attestation' order by 1"
        )
    return [dict(row) | {"said": json.loads(row["bytes"])} for row in rows]


async def test_it_is_in_the_log_and_can_be_verified_from_its_sections(context, statement):
    receipt = await say(context, statement)
    [entry] = await entries(context)
    said = entry["said"]
    assert (receipt.outcome, receipt.entry) == ("attested", entry["index"])
    assert receipt.hash == hashlib.sha256(b"\0" + entry["bytes"]).hexdigest()
    assert said | {"sections": None} == {
        "v": 1,
        "kind": "attestation",
        "actor": "records",
        "at": "2026-11-24T12:00:00Z",
        "agency": "demo-sante",
        "day": "2026-11-01",
        "systems_total": 4,
        "prev": None,
        "sections": None,
    }
    assert entry["record"] is None
    async with context.database.connection() as connection:
        rows = await connection.fetch("select * from entry_section where entry = $1", receipt.entry)
    assert said["sections"] == {
        row["key"]: section_commitment(row["key"], json.loads(row["value"]), row["salts"])
        for row in rows
    }
    assert {row["key"]: json.loads(row["value"]) for row in rows} == {
        "contact": statement["contact"],
        "note": statement["note"],
    }


async def test_it_is_read_as_it_was_said(context, publish, record, statement):
    await publish(record)
    receipt = await say(context, statement | {"note": {"ar": "بما فيها التجارب"}})
    [one] = await read(context)
    assert (one.agency, one.day, one.systems_total) == ("demo-sante", dt.date(2026, 11, 1), 4)
    assert one.uses_none is False
    assert one.contact == statement["contact"]
    assert one.note == {"ar": "بما فيها التجارب"}
    assert (one.entry, one.hash, one.filed_at) == (receipt.entry, receipt.hash, NOW)
    assert one.records == 1


async def test_an_agency_that_uses_none_says_so(context, statement):
    del statement["note"]
    await say(context, statement | {"systems_total": 0})
    [one] = await read(context)
    assert (one.uses_none, one.records, one.note) == (True, 0, None)


async def test_saying_the_same_again_changes_nothing(context, statement):
    first = await say(context, statement)
    again = await say(context, statement, now=NOW + dt.timedelta(days=1))
    assert again.outcome == "unchanged"
    assert (again.entry, again.hash, again.filed_at) == (first.entry, first.hash, first.filed_at)
    assert len(await entries(context)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"systems_total": 5},
        {"contact": {"url": "https://demo.example/"}},
        {"note": {"fr": "Autre"}},
        {"day": "2026-11-02"},
    ],
    ids=str,
)
async def test_what_differs_is_a_new_link_of_the_agencys_chain(context, statement, change):
    first = await say(context, statement)
    await say(context, statement, SCHOOLS)
    second = await say(context, statement | change)
    assert second.outcome == "attested"
    last = (await entries(context))[-1]["said"]
    assert last["prev"] == {"index": first.entry, "leaf": first.hash}
    assert [one.entry for one in await read(context, "demo-sante")] == [second.entry, first.entry]


async def test_the_latest_day_is_in_force_and_of_a_day_the_last_word(context, statement):
    november = await say(context, statement)
    october = await say(context, statement | {"day": "2026-10-01", "systems_total": 3})
    corrected = await say(context, statement | {"systems_total": 6})
    schools = await say(context, statement, SCHOOLS)
    assert [(one.agency, one.entry) for one in await read(context)] == [
        ("demo-education", schools.entry),
        ("demo-sante", corrected.entry),
    ]
    history = [one.entry for one in await read(context, "demo-sante")]
    assert history == [corrected.entry, november.entry, october.entry]
    # A lost answer to the one of October is repeated: it is not said anew.
    again = await say(context, statement | {"day": "2026-10-01", "systems_total": 3})
    assert (again.outcome, again.entry) == ("unchanged", october.entry)


async def test_what_is_wrong_is_told_and_nothing_written(context, statement):
    with pytest.raises(InvalidStatement) as refused:
        await say(context, statement | {"day": "2026-11-25"}, language="fr")
    [finding] = refused.value.findings
    assert (finding.pointer, finding.lang) == ("/day", "fr")
    assert await entries(context) == []


async def test_fewer_than_the_records_in_use_are_refused_with_their_number(
    context, publish, record, statement
):
    await publish(*(in_use(record, number, "2026-03-01") for number in range(3)))
    # What came into use later does not count, nor what is not in use.
    planned = record | {"id": "demo-sante/plan", "lifecycle": {"status": "planned"}}
    await publish(in_use(record, 3, "2026-11-20"), planned)
    with pytest.raises(InvalidStatement) as refused:
        await say(context, statement | {"systems_total": 2})
    [finding] = refused.value.findings
    assert (finding.pointer, finding.rule) == ("/systems_total", "records_in_use")
    assert finding.message.startswith("The agency's records in use on 2026-11-01 are 3,")
    for language in ("ar", "fr"):
        with pytest.raises(InvalidStatement) as refused:
            await say(context, statement | {"systems_total": 0}, language=language)
        assert {one.lang for one in refused.value.findings} == {language}
    assert await entries(context) == []
    assert (await say(context, statement | {"systems_total": 3})).outcome == "attested"
    assert (await say(context, statement | {"systems_total": 0}, SCHOOLS)).outcome == "attested"
    with pytest.raises(InvalidStatement):
        await say(context, statement | {"day": "2026-11-20", "systems_total": 3})


def in_use(record, number, since):
    changed = record | {"id": f"demo-sante/in-use-{number}", "source_id": f"U-{number}"}
    lifecycle = {**record["lifecycle"], "status": "in_use", "deployed_on": since}
    return changed | {"lifecycle": lifecycle}


async def test_nobody_attests_for_another_agency(context, statement):
    for agency in ("demo-education", "nobody"):
        with pytest.raises(Forbidden):
            await attest(context, HEALTH, agency, statement, now=NOW)
    reviewer = Actor(name="r", agency="demo-sante", scopes=frozenset({"review"}), token=1)
    with pytest.raises(Forbidden):
        await say(context, statement, reviewer)
    stranger = Actor(name="x", agency="nobody", scopes=frozenset({"file"}), token=1)
    with pytest.raises(NotFound):
        await say(context, statement, stranger)
    assert await entries(context) == []


async def test_attestations_at_once_make_one_chain(context, statement):
    await asyncio.gather(
        *(say(context, statement | {"systems_total": number}) for number in range(6)),
        *(say(context, statement | {"systems_total": number}, SCHOOLS) for number in range(6)),
    )
    for agency in ("demo-sante", "demo-education"):
        before = None
        chain = [one for one in await entries(context) if one["said"]["agency"] == agency]
        assert len(chain) == 6
        for entry in chain:
            assert entry["said"]["prev"] == before
            before = {"index": entry["index"], "leaf": entry["leaf"].hex()}


async def test_the_same_at_once_is_said_once(context, statement):
    receipts = await asyncio.gather(*(say(context, statement) for _ in range(5)))
    assert sorted(one.outcome for one in receipts) == ["attested", *["unchanged"] * 4]
    assert len({(one.entry, one.hash) for one in receipts}) == 1


async def test_a_key_repeats_its_receipt_and_no_other_request(
    context, database, with_token, statement
):
    actor = with_token
    first = await say(context, statement, actor, idempotency_key="k")
    await say(context, statement | {"systems_total": 9}, actor)
    assert await say(context, statement, actor, idempotency_key="k") == first
    with pytest.raises(IdempotencyKeyReused):
        await say(context, statement | {"systems_total": 5}, actor, idempotency_key="k")
    async with database.connection() as connection:
        kept = await connection.fetchval("select content from answer")
    assert "registre@" not in kept
    assert "Pilotes" not in kept


async def test_it_is_in_the_audit_trail_without_its_text(context, statement):
    first = await say(context, statement)
    await say(context, statement | {"systems_total": 5})
    await say(context, statement | {"systems_total": 5})
    async with context.database.connection() as connection:
        acts = await audit_trail.read(connection, since=0, subject="demo-sante", limit=10)
    assert [(act.action, act.actor, act.before, act.result) for act in acts] == [
        ("attest", "records", None, "done"),
        ("attest", "records", str(first.entry), "done"),
    ]
