"""The ledger: dense, in time's order, chained, and its root what the rows give."""

import asyncio
import copy
import datetime as dt
import hashlib
import json
import secrets

import msgspec
import pytest
import rfc8785

from registry.errors import ConfigurationError
from registry.ledger import append
from registry.ledger.entries import StatedEntry, after
from registry.log.disclosure_tree import commitments, seal
from registry.log.entry import WithdrawalEntry
from registry.record.schema import record_schema_bytes
from registry.store import records
from registry.store.database import connect, statement
from registry.store.log import lock_state, read_state
from tests.crowded import crowd
from tests.published import given_times

NOW = dt.datetime(2026, 11, 24, 12, 0, 0, 123_456, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def merkle_root(leaves):
    """RFC 6962 §2.1, sharing nothing with the code under test."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    both = merkle_root(leaves[:split]) + merkle_root(leaves[split:])
    return hashlib.sha256(b"\x01" + both).digest()


async def audited(database):
    """Read every entry, checking all that an auditor of the rows alone can check."""
    async with database.snapshot() as connection:
        rows = await connection.fetch("select * from log_entry order by index")
        state = await read_state(connection)
    assert [row["index"] for row in rows] == list(range(len(rows)))
    leaves = [hashlib.sha256(b"\x00" + row["bytes"]).digest() for row in rows]
    assert [row["leaf"] for row in rows] == leaves
    assert (state.range.size, state.range.root()) == (len(rows), merkle_root(leaves))
    entries = [json.loads(row["bytes"]) for row in rows]
    last = {}
    for row, entry in zip(rows, entries, strict=True):
        assert rfc8785.dumps(entry) == row["bytes"]
        assert (entry["kind"], entry.get("id")) == (row["kind"], row["record"])
        assert entry["at"] == f"{row['at']:%Y-%m-%dT%H:%M:%SZ}"
        if entry["kind"] in {"version", "withdrawal"}:
            assert entry["prev"] == last.get(entry["id"])
            last[entry["id"]] = {"index": row["index"], "leaf": row["leaf"].hex()}
    times = [row["at"] for row in rows]
    assert times == sorted(times)
    assert state.last_at == times[-1]
    return entries


CROWDED = {"record", "section", "figure", "blocking_key"}
FIGURE = """
    agency, origin, at, until_entry, until_at, risk, risk_before, risk_change, sector, status,
    personal_data, completeness, accountability, next_review_on, rules, withheld, restricted
    from figure as f, generate_series(1, 5000) as i
"""


def copies(record, count, name="copy"):
    made = []
    for number in range(count):
        document = copy.deepcopy(record)
        document["id"] = f"demo-sante/{name}-{number}"
        made.append(document)
    return made


async def test_the_log_begins_with_an_entry_that_names_key_and_schema(database):
    [entry] = await audited(database)
    assert entry["kind"] == "genesis"
    assert entry["origin"] == "127.0.0.1:8000/log"
    assert entry["key"].startswith("127.0.0.1:8000/log+")
    assert entry["schema"] == hashlib.sha256(record_schema_bytes()).hexdigest()


async def test_beginning_again_neither_writes_nor_asks_for_the_key(database):
    def not_again():
        pytest.fail("key and configuration are only needed once")

    async with database.transaction() as connection:
        await append.append_genesis(
            connection, make_signer=not_again, configuration=not_again, now=NOW
        )
    assert len(await audited(database)) == 1


async def test_entries_are_chained_per_record_and_stay_in_order(database, publish, record):
    first, second = copies(record, 2)
    await publish(first, second)
    await publish(first)
    await publish(second)
    await publish(first)
    entries = await audited(database)
    assert [entry.get("version") for entry in entries] == [None, 1, 1, 2, 2, 3]
    assert entries[5]["prev"]["index"] == 3


async def test_times_never_decrease_even_when_the_clock_goes_back(database, publish, record):
    documents = copies(record, 3)
    await publish(documents[0], now=NOW + 60 * SECOND)
    [back] = await publish(documents[1], now=NOW - 3600 * SECOND)
    assert back.published_at == (NOW + 60 * SECOND).replace(microsecond=0)
    [forth] = await publish(documents[2], now=NOW + 90 * SECOND)
    assert forth.published_at == (NOW + 90 * SECOND).replace(microsecond=0)
    await audited(database)


async def test_fifty_records_from_five_connections_stay_dense(database_url, publication, record):
    databases = [await connect(database_url, size=2) for _ in range(5)]

    async def publish_one(database, document):
        async with database.transaction() as connection:
            await append.publish(
                connection,
                [publication(document)],
                guard=given_times(),
                now=NOW,
                random=secrets.token_bytes,
            )

    await asyncio.gather(
        *(
            publish_one(databases[number % 5], document)
            for number, document in enumerate(copies(record, 50))
        )
    )
    entries = await audited(databases[0])
    assert len({entry["id"] for entry in entries[1:]}) == 50
    for database in databases:
        await database.close()


async def test_one_record_from_many_connections_is_one_chain(database, publish, record):
    await asyncio.gather(*(publish(record) for _ in range(8)))
    entries = await audited(database)
    assert [entry["version"] for entry in entries[1:]] == list(range(1, 9))


async def test_a_failed_transaction_leaves_nothing(database, publish, publication, record):
    await publish(*copies(record, 3))
    before = await audited(database)
    with pytest.raises(ZeroDivisionError):  # noqa: PT012  the block is what ends
        async with database.transaction() as connection:
            await append.publish(
                connection,
                [publication(record)],
                guard=given_times(),
                now=NOW,
                random=secrets.token_bytes,
            )
            raise ZeroDivisionError
    assert await audited(database) == before
    async with database.connection() as connection:
        assert await records.read(connection, record["id"]) is None
        assert await connection.fetchval("select count(*) from search_version") == 3
        for table in ("version", "section"):
            rows = await connection.fetch(f"select record from {table}")  # noqa: S608  our own names
            assert record["id"] not in {row["record"] for row in rows}
    await publish(record)
    assert (await audited(database))[-1]["id"] == record["id"]


async def test_without_a_first_entry_nothing_can_be_published(database, publish, record):
    async with database.connection() as connection:
        await connection.execute("delete from log_state")
    with pytest.raises(ConfigurationError, match="no first entry"):
        await publish(record)


async def test_an_entry_that_is_no_version_takes_its_place_among_them(database, publish, record):
    await publish(record, now=NOW + 60 * SECOND)
    sections = seal({"note": {"fr": "x"}}, secrets.token_bytes)

    async with database.transaction() as connection:
        state = await lock_state(connection)
        latest = await records.read_latest(connection, [record["id"]])
        current = latest[record["id"]]
        stated = WithdrawalEntry(
            actor="demo-sante",
            id=record["id"],
            version=current.version,
            reason="other",
            prev=after(current),
            sections=commitments(sections),
        )
        withdrawal = StatedEntry(entry=stated, sections=sections, current=current)
        [entry] = await append.append_at(connection, state, [withdrawal], at=NOW)
        kept = await connection.fetch("select * from entry_section")
    assert (entry.index, entry.at) == (2, (NOW + 60 * SECOND).replace(microsecond=0))
    [row] = [one for one in kept if one["entry"] == 2]
    assert (row["entry"], row["key"], row["value"]) == (2, "note", '{"fr":"x"}')
    assert (row["salts"], row["commitment"]) == (sections[0].salts, sections[0].commitment)
    assert (await audited(database))[2]["sections"] == {"note": sections[0].commitment}


def tables_read_through(plan):
    own = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else set()
    return own.union(*(tables_read_through(part) for part in plan.get("Plans", ())))


async def test_what_an_entry_costs_does_not_grow_with_the_register(database, publish, record):
    """No statement of a publication reads a table of versions from end to end."""
    await publish(record)
    statements = {
        ("log", "append"): "(bigint, bytea, timestamptz, jsonb) as ",
        ("records", "current"): "(text []) as ",
        ("records", "read_latest"): "(text []) as ",
        ("names", "alike"): "(text, bigint [], bigint [], bigint, bigint) as ",
    }
    async with database.transaction() as connection:
        await connection.execute("set local plan_cache_mode = force_generic_plan")
        await crowd(connection, record["id"], 5_000)
        await connection.execute(
            "insert into figure select f.entry + 9 + i, record || '-' || i," + FIGURE
        )
        await connection.execute("analyze")
        for number, (name, types) in enumerate(statements.items()):
            await connection.execute(f"prepare s{number} {types} {statement(*name)}")
            arguments = ", ".join("null" for _ in types.split(","))
            plan = await connection.fetchval(
                f"explain (format json) execute s{number} ({arguments})"
            )
            read = tables_read_through(json.loads(plan)[0]["Plan"])
            assert not read & CROWDED, name


async def test_what_is_too_long_for_one_statement_is_written_by_several(
    database, publication, record, monkeypatch
):
    """An import of rows of megabytes was an error of PostgreSQL: it takes no list of 256 MiB."""
    monkeypatch.setattr(append, "_BYTES_AT_ONCE", 200_000)
    counts, write = [], append.log.append

    async def counted(connection, entries, *rest):
        counts.append(len(entries))
        await write(connection, entries, *rest)

    monkeypatch.setattr(append.log, "append", counted)
    row = json.dumps({"report": "x" * 150_000})
    long = [msgspec.structs.replace(publication(one), source_row=row) for one in copies(record, 5)]
    async with database.transaction() as connection:
        made = await append.publish(
            connection, long, guard=given_times(), now=NOW, random=secrets.token_bytes
        )
        kept = await connection.fetch("select record from source_row order by record")
    assert [one.index for one in made] == [1, 2, 3, 4, 5]
    assert [row["record"] for row in kept] == [one.record for one in long]
    assert max(counts) == 2
    assert sum(counts) == 5
    assert len(await audited(database)) == 6


async def test_nothing_to_publish_writes_nothing(database, publish):
    assert await publish() == []
    assert len(await audited(database)) == 1
