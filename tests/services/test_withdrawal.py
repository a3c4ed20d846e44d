"""Withdrawing: out of force at once, history kept, and back only as the next version."""

import asyncio
import datetime as dt
import json

import msgspec
import pytest

from registry.errors import (
    Conflict,
    Forbidden,
    IdempotencyKeyReused,
    InvalidRecord,
    InvalidStatement,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from registry.search.query import SearchQuery
from registry.services.filing.drafts import Precondition
from registry.services.filing.receipts import Receipt
from registry.services.people.access import Actor
from registry.services.statements import withdrawal
from registry.store import withdrawals
from tests.commitments import section_commitment
from tests.conftest import amended
from tests.searched import search

NEW = Precondition(new=True)
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=5)


@pytest.fixture
def restricted(record):
    """The record as it is when only its existence may be told."""
    kept = ("id", "schema_version", "risk", "sector", "lifecycle")
    record["sector"]["primary"] = "public_safety"
    document = {key: record[key] for key in kept}
    document["risk"] = {"level": record["risk"]["level"]}
    document["sector"] = {"primary": record["sector"]["primary"]}
    document["lifecycle"] = {"status": record["lifecycle"]["status"]}
    document["publication"] = {
        "visibility": "restricted",
        "restriction": {
            "ground": "state_security",
            "authority": "Commission nationale du secret",
            "reference": "2026/31",
            "review_on": "2027-11-24",
        },
        "change_note": {"fr": "Restreint par décision", "ar": "مقيد بموجب قرار"},
    }
    return document


async def tombstone(filer, document):
    stored = await filer.stored(document)
    async with filer.context.database.connection() as connection:
        return await withdrawal.read_tombstone(connection, stored)


async def history(filer, document):
    async with filer.context.database.connection() as connection:
        return await withdrawals.read_all(connection, document["id"])


async def found(filer):
    async with filer.context.database.snapshot() as connection:
        answer = await search(connection, SearchQuery())
    return [json.loads(hit.card)["id"] for hit in answer.hits]


async def entry(filer, index):
    async with filer.context.database.connection() as connection:
        row = await connection.fetchrow(
            "select kind, record, at, bytes, leaf from log_entry where index = $1", index
        )
        sections = await connection.fetch("select * from entry_section where entry = $1", index)
    return row, json.loads(row["bytes"]), sections


async def test_a_withdrawn_record_is_out_of_force_and_its_history_stays(filer, record):
    published = await filer.publish(record)
    receipt = await filer.withdraw(record, published.hash[:16], now=LATER)
    assert (receipt.outcome, receipt.version, receipt.entry, receipt.withdrawn_at) == (
        "withdrawn",
        1,
        2,
        LATER,
    )
    assert receipt.published_at is None
    assert await found(filer) == []
    stored = await filer.stored(record)
    assert (stored.register.state, stored.register.superseded_at) == ("withdrawn", LATER)
    assert await filer.versions(record) == [1]
    told = await tombstone(filer, record)
    assert msgspec.to_builtins(told) == {
        "id": record["id"],
        "agency": "demo-sante",
        "origin": None,
        "fictitious": True,
        "name": record["name"],
        "risk": record["risk"]["level"],
        "sector": record["sector"]["primary"],
        "status": record["lifecycle"]["status"],
        "version": 1,
        "reason": "filed_in_error",
        "note": filer.statement["note"],
        "successor": None,
        "withdrawn_at": LATER.isoformat().replace("+00:00", "Z"),
        "entry": 2,
        "hash": receipt.hash,
        "redacted": [],
        "approved_by": None,
    }
    assert (await filer.acts())[-1] == ("demo-sante", "withdraw", record["id"], "1", "done")


async def test_the_entry_commits_to_the_note_and_follows_the_version(filer, record):
    published = await filer.publish(record)
    receipt = await filer.withdraw(record, published.hash[:16], now=LATER)
    row, told, [section] = await entry(filer, receipt.entry)
    assert (row["kind"], row["record"], row["at"], row["leaf"].hex()) == (
        "withdrawal",
        record["id"],
        LATER,
        receipt.hash,
    )
    assert told == {
        "v": 1,
        "kind": "withdrawal",
        "actor": "demo-sante",
        "at": "2026-11-24T12:05:00Z",
        "id": record["id"],
        "version": 1,
        "reason": "filed_in_error",
        "prev": {"index": published.entry, "leaf": published.hash},
        "sections": {"note": section["commitment"]},
    }
    assert json.loads(section["value"]) == filer.statement["note"]
    assert section["commitment"] == section_commitment(
        "note", filer.statement["note"], section["salts"]
    )


async def test_withdrawing_again_gives_the_same_receipt(filer, record):
    published = await filer.publish(record)
    first = await filer.withdraw(record, published.hash[:16])
    again = await filer.withdraw(record, published.hash[:16], now=LATER)
    assert again == msgspec.structs.replace(first, outcome="unchanged")
    assert len(await history(filer, record)) == 1
    with pytest.raises(Conflict, match="for another reason"):
        await filer.withdraw(record, published.hash[:16], filer.statement | {"reason": "other"})


async def test_a_withdrawal_names_the_state_that_it_ends(filer, record):
    await filer.publish(record)
    with pytest.raises(PreconditionRequired):
        await filer.withdraw(record, None)
    with pytest.raises(PreconditionFailed):
        await filer.withdraw(record, "0" * 16)
    with pytest.raises(NotFound):
        await filer.withdraw(record | {"id": "demo-sante/absent"}, "0" * 16)
    assert (await filer.stored(record)).register.state == "published"


async def test_only_the_agency_and_the_administrator_withdraw(filer, record):
    tag = (await filer.publish(record)).hash[:16]
    reviewer = Actor(name="r", agency=None, scopes=frozenset({"review"}), token=1)
    others = Actor(name="e", agency="demo-education", scopes=frozenset({"admin"}), token=1)
    for actor in (filer.schools, reviewer, others):
        with pytest.raises(Forbidden):
            await filer.withdraw(record, tag, by=actor)
    receipt = await filer.withdraw(record, tag, by=filer.authority)
    _, told, _ = await entry(filer, receipt.entry)
    assert told["actor"] == "authority"


UNSAID = [
    ({"reason": "bored"}, "/reason"),
    ({"reason": None}, "/reason"),
    ({"note": None}, "/note"),
    ({"note": {}}, "/note"),
    ({"note": {"fr": ""}}, "/note/fr"),
    ({"note": {"fr": "x" * 1001}}, "/note/fr"),
    ({"note": {"de": "x"}}, "/note/de"),
    ({"note": {"fr": "<script>"}}, "/note/fr"),
    ({"version": 1}, "/version"),
]


async def test_a_withdrawal_says_why_in_a_language_of_the_register(filer, record, subtests):
    tag = (await filer.publish(record)).hash[:16]
    for change, pointer in UNSAID:
        with subtests.test(change=change):
            said = {**filer.statement, **change}
            said = {key: part for key, part in said.items() if part is not None}
            with pytest.raises(InvalidStatement) as refused:
                await filer.withdraw(record, tag, said)
            assert [finding.pointer for finding in refused.value.findings] == [pointer]
    assert await found(filer) == [record["id"]]


async def test_a_record_filed_anew_is_the_next_version_and_the_history_is_kept(filer, record):
    first = await filer.publish(record)
    gone = await filer.withdraw(record, first.hash[:16])
    with pytest.raises(PreconditionFailed, match="was withdrawn; send If-None-Match"):
        await filer.save(record, Precondition(tag=first.hash[:16]))
    with pytest.raises(NotFound):
        await filer.submit(record)
    back = await filer.publish(amended(record), now=LATER)
    assert (back.outcome, back.version) == ("published", 2)
    _, told, _ = await entry(filer, back.entry)
    assert told["prev"] == {"index": gone.entry, "leaf": gone.hash}
    assert await found(filer) == [record["id"]]
    stored = await filer.stored(record)
    assert (stored.register.state, stored.register.superseded_at) == ("published", None)
    assert await filer.versions(record) == [1, 2]
    assert [one.version for one in await history(filer, record)] == [1]
    again = await filer.withdraw(record, back.hash[:16])
    assert (again.outcome, again.version) == ("withdrawn", 2)
    assert [one.version for one in await history(filer, record)] == [1, 2]


async def test_a_record_that_comes_back_says_what_has_changed(filer, record):
    first = await filer.publish(record)
    await filer.withdraw(record, first.hash[:16])
    del record["publication"]["change_note"]
    await filer.save(record)
    with pytest.raises(InvalidRecord) as refused:
        await filer.submit(record)
    assert "change_note" in {finding.rule for finding in refused.value.findings}


async def test_what_comes_back_is_reviewed_too(reviewed, filer, record):
    first = await filer.publish(record)
    await filer.withdraw(record, first.hash[:16])
    await reviewed.save(amended(record))
    assert (await reviewed.submit(record)).outcome == "in_review"
    assert (await reviewed.approve(record)).version == 2


async def test_an_amendment_of_what_was_withdrawn_meanwhile_is_not_published(
    filer, reviewed, record
):
    first = await filer.publish(record)
    changed = amended(record, source_id="x")
    await reviewed.save(changed, Precondition(tag=first.hash[:16]))
    await reviewed.submit(changed)
    await filer.withdraw(record, first.hash[:16])
    for act in (reviewed.approve(changed), filer.submit(changed)):
        with pytest.raises(Conflict, match="was withdrawn since"):
            await act
    await filer.delete(changed)
    assert (await filer.publish(changed)).version == 2


async def test_of_withdrawal_and_amendment_at_once_one_wins(filer, record):
    for turn in range(4):
        document = amended(record, id=f"demo-sante/turn-{turn}", source_id=str(turn))
        first = await filer.publish(document)
        changed = amended(document, website="https://demo.example/autre")
        await filer.save(changed, Precondition(tag=first.hash[:16]))
        results = await asyncio.gather(
            filer.withdraw(document, first.hash[:16]),
            filer.submit(changed),
            return_exceptions=True,
        )
        [won] = [one for one in results if isinstance(one, Receipt)]
        [lost] = [one for one in results if not isinstance(one, Receipt)]
        register = (await filer.stored(document)).register
        if won.outcome == "withdrawn":
            assert isinstance(lost, Conflict)
            assert (register.state, register.version) == ("withdrawn", 1)
        else:
            assert isinstance(lost, PreconditionFailed)
            assert (register.state, register.version) == ("published", 2)
        assert (document["id"] in await found(filer)) is (register.state == "published")


async def test_many_withdrawals_at_once_write_one_entry(filer, record):
    tag = (await filer.publish(record)).hash[:16]
    receipts = await asyncio.gather(*(filer.withdraw(record, tag) for _ in range(8)))
    assert sorted(one.outcome for one in receipts) == [*["unchanged"] * 7, "withdrawn"]
    assert {one.entry for one in receipts} == {2}


async def test_a_key_repeats_the_receipt_of_a_withdrawal(filer, with_token, record):
    tag = (await filer.publish(record)).hash[:16]
    first = await filer.withdraw(record, tag, by=with_token, idempotency_key="k")
    await filer.publish(amended(record))
    again = await filer.withdraw(record, tag, by=with_token, idempotency_key="k")
    assert again == first
    other = filer.statement | {"reason": "other"}
    with pytest.raises(IdempotencyKeyReused):
        await filer.withdraw(record, tag, other, by=with_token, idempotency_key="k")


async def test_a_withdrawn_record_is_neither_a_namesake_nor_holds_an_identifier(filer, record):
    first = await filer.publish(record)
    await filer.withdraw(record, first.hash[:16])
    twin = record | {"id": "demo-sante/twin"}
    saved = await filer.save(twin)
    assert not {"R21", "R22"} & {finding.rule for finding in saved.verdict.findings}


async def test_a_restricted_record_shows_only_that_it_exists(filer, record, restricted):
    first = await filer.publish(record)
    second = await filer.publish(restricted, Precondition(tag=first.hash[:16]))
    async with filer.context.database.snapshot() as connection:
        card = json.loads((await search(connection, SearchQuery())).hits[0].card)
        # Its identifier still has the other words.
        words = SearchQuery(text=record["name"]["fr"].split()[-1])
        assert (await search(connection, words)).total == 0
    assert (card["name"], card["summary"]) == (None, None)
    assert (card["agency"], card["risk"]) == ("demo-sante", record["risk"]["level"])
    stored = await filer.stored(restricted)
    told = stored.document + msgspec.json.encode(stored.register)
    for text in (*record["name"].values(), *record["summary"].values(), record["contact"]["email"]):
        assert text.encode() not in told
    # What was public stays in the history.
    assert json.loads((await filer.stored(record, 1)).document) == record
    await filer.withdraw(restricted, second.hash[:16])
    gone = await tombstone(filer, restricted)
    assert gone.name is None
    assert (gone.risk, gone.version) == (record["risk"]["level"], 2)
