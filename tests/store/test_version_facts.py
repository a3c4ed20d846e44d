"""Figures: written with each version, ended by what follows, and made anew from the versions."""

import copy
import datetime as dt

import msgspec
import pytest

from registry.services.filing.pipeline import execute
from registry.services.people.access import Actor
from registry.services.statements import withdrawal
from registry.store import log

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
OPERATOR = Actor(name="operator", agency=None, scopes=frozenset(("admin",)), token=1, request="r")


@pytest.fixture
def levelled(record):
    """The record, or another, at a risk level."""

    def make(level, slug="prevision-lits"):
        document = copy.deepcopy(record)
        document["id"] = f"demo-sante/{slug}"
        if level is None:
            del document["risk"]["level"]
        else:
            document["risk"]["level"] = level
        return document

    return make


@pytest.fixture
def withdraw(context):
    async def end(record, now):
        statement = {"reason": "other", "note": {"fr": "Fin", "ar": "نهاية"}}
        command = withdrawal.Withdraw(actor=OPERATOR, subject=record, statement=statement)
        await execute(context, command, now=now)

    return end


@pytest.fixture
def rows(database):
    async def read(*columns):
        async with database.connection() as connection:
            found = await connection.fetch("select * from figure order by entry")
        return [tuple(row[name] for name in columns or row.keys()) for row in found]

    return read


async def test_a_version_counts_until_the_next_one_or_the_withdrawal(
    publish, withdraw, levelled, rows
):
    await publish(levelled("high"), levelled("limited", "other"), now=NOW)
    await publish(levelled("high"), now=NOW + DAY)
    await withdraw("demo-sante/prevision-lits", NOW + 2 * DAY)
    await publish(levelled("high"), now=NOW + 3 * DAY)
    assert await rows("entry", "record", "until_entry", "until_at") == [
        (1, "demo-sante/prevision-lits", 3, NOW + DAY),
        (2, "demo-sante/other", None, None),
        (3, "demo-sante/prevision-lits", 4, NOW + 2 * DAY),
        (5, "demo-sante/prevision-lits", None, None),
    ]


async def test_what_became_of_the_risk_level_is_known(publish, withdraw, levelled, rows):
    levels = ["limited", "high", "high", None, "minimal", "unacceptable", "minimal"]
    for level in levels:
        await publish(levelled(level))
    await withdraw("demo-sante/prevision-lits", NOW)
    await publish(levelled("limited"))
    assert await rows("risk_before", "risk", "risk_change") == [
        (None, "limited", None),
        ("limited", "high", "raised"),
        ("high", "high", None),
        ("high", "not_stated", None),
        ("not_stated", "minimal", None),
        ("minimal", "unacceptable", "raised"),
        ("unacceptable", "minimal", "lowered"),
        ("minimal", "limited", "raised"),
    ]


async def test_entries_say_who_moved_a_level(publish, levelled, database):
    await publish(levelled("high"), levelled("high", "other"))
    await publish(levelled("limited"))
    await publish(levelled("unacceptable", "other"))

    async def moves(**asked):
        async with database.snapshot() as connection:
            found = await log.read_entries(
                connection, **{"since": -1, "until": 9, "limit": 9} | asked
            )
        return [
            (one.index, one.risk and (one.risk.change, one.risk.before, one.risk.after))
            for one in found
        ]

    lowered, raised = (3, ("lowered", "high", "limited")), (4, ("raised", "high", "unacceptable"))
    assert await moves() == [(0, None), (1, None), (2, None), lowered, raised]
    assert await moves(risk_change=["raised"]) == [raised]
    assert await moves(risk_change=["raised", "lowered"]) == [lowered, raised]
    assert await moves(risk_change=["raised", "lowered"], limit=1) == [lowered]
    assert await moves(risk_change=["raised", "lowered"], since=3) == [raised]
    assert await moves(risk_change=["raised"], until=3) == []


async def test_lines_say_what_entries_of_foreign_records_say(publish, record, database):
    await publish(record)
    said = [
        {"run": 7, "undated": True, "moved": {"from": "us.a", "to": "us.b"}},
        {"kind": "source", "state": "gone", "run": 8},
        {},
    ]
    async with database.transaction() as connection:
        await connection.execute("""insert into agency values ('us.b', '{}', 'us-demo', false)""")
        for index, entry in enumerate(said, start=2):
            await connection.execute(
                "insert into log_entry values ($1, $2, 'us.b/x', $3, $4, '')",
                index,
                entry.get("kind", "version"),
                NOW,
                msgspec.json.encode(entry),
            )
        await connection.execute(
            "insert into record values ('us.b/x', 'us.b', 'us-demo', 'published', 1, 2)"
        )
        lines = await log.read_lines(connection)
    facts = [(one.run, one.state, one.moved_from, one.undated) for one in lines]
    nothing = (None, None, None, False)
    assert facts == [nothing, nothing, (7, None, "us.a", True), (8, "gone", None, False), nothing]
