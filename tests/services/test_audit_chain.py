"""The audit trail as a chain: what is changed past the register does not stay unnoticed."""

import asyncio
import json

import msgspec
import pytest

from registry.services.operations import audit_trail
from registry.services.operations.audit_trail import (
    START,
    ChainBroken,
    chain_acts,
    note,
    read_lines,
    require_link,
    verify_chain,
    verify_lines,
)
from registry.services.people.access import OPERATOR
from registry.store.audit_trail import ChainLink
from registry.store.database import connect
from tests.conftest import NOW

PUT_IN = """
insert into audit (at, request, action, result) values (now(), '', 'x', 'done');
delete from audit_unchained
"""


async def act(database, *subjects):
    for subject in subjects:
        async with database.transaction() as connection:
            await note(connection, OPERATOR, "save_draft", subject, before=None, now=NOW)


async def chained(database):
    while await chain_acts(database):
        pass
    async with database.connection() as connection:
        return await read_lines(connection, START, limit=1000)


async def verified(database):
    return await verify_chain(database, progress=lambda *_: None)


async def test_each_act_gets_a_place_and_the_hash_of_all_before_it(database, monkeypatch):
    monkeypatch.setattr(audit_trail, "BATCH", 2)
    assert await verified(database) == START
    await act(database, "a", "b", "c")
    lines = await chained(database)
    assert [(one.position, one.subject) for one in lines] == [(1, "a"), (2, "b"), (3, "c")]
    assert [one.previous for one in lines] == ["00" * 32, lines[0].hash, lines[1].hash]
    end = ChainLink(position=3, hash=bytes.fromhex(lines[-1].hash))
    assert await verified(database) == end
    async with database.connection() as connection:
        await require_link(connection, end)
        with pytest.raises(ChainBroken, match="not the one that was followed: position 3"):
            await require_link(connection, ChainLink(position=3, hash=bytes(32)))
        with pytest.raises(ChainBroken, match="position 4"):
            await read_lines(connection, ChainLink(position=4, hash=bytes(32)), limit=1)


async def test_what_is_committed_late_comes_later_and_nobody_waits(database):
    async with database.transaction() as late:
        await note(late, OPERATOR, "save_draft", "late", before=None, now=NOW)
        await act(database, "early")
        assert [one.subject for one in await chained(database)] == ["early"]
    assert [one.subject for one in await chained(database)] == ["early", "late"]
    await act(database, *"abcdefgh")
    await asyncio.gather(*(chain_acts(database) for _ in range(5)))
    assert len(await chained(database)) == 10
    assert (await verified(database)).position == 10


async def test_who_may_only_read_leaves_the_chain_to_others(database, database_url):
    await act(database, "a")
    async with database.connection() as connection:
        await connection.execute(
            "create role shipper login; grant select on all tables in schema public to shipper"
        )
    other = await connect(database_url.replace("postgres:", "shipper:", 1), size=1)
    try:
        assert await chain_acts(other) == 0
        assert len(await chained(database)) == 1
        async with other.connection() as connection:
            assert len(await read_lines(connection, START, limit=10)) == 1
        assert (await verified(other)).position == 1
    finally:
        await other.close()
        async with database.connection() as connection:
            await connection.execute("drop owned by shipper; drop role shipper")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("update audit set actor = 'nobody' where subject = 'b'", "position 2"),
        ("update audit set subject = null where subject = 'c'", "position 3"),
        ("delete from audit where subject = 'b'", "position 2"),
        ("delete from audit_link where position = 2", "position 2"),
        (PUT_IN, "put in past the register"),
    ],
)
async def test_what_a_superuser_changes_is_found(database, change, told):
    await act(database, *"abc")
    await chained(database)
    async with database.transaction() as connection:
        await connection.execute("alter table audit disable trigger audit_append_only")
        await connection.execute("alter table audit_link disable trigger audit_link_append_only")
        await connection.execute("alter table audit_link drop constraint audit_link_act_fkey")
        await connection.execute(change)
    with pytest.raises(ChainBroken, match=told):
        await verified(database)


async def test_one_who_writes_the_chain_anew_is_found_by_what_was_shipped(database):
    await act(database, *"abc")
    lines = await chained(database)
    kept = ChainLink(position=2, hash=bytes.fromhex(lines[1].hash))
    async with database.transaction() as connection:
        for table in ("audit", "audit_link"):
            await connection.execute(f"alter table {table} disable trigger all")
        await connection.execute("update audit set actor = 'nobody' where subject = 'a'")
        await connection.execute("delete from audit_link")
        await connection.execute("insert into audit_unchained select id from audit")
    await chained(database)
    assert (await verified(database)).position == 3
    async with database.connection() as connection:
        with pytest.raises(ChainBroken, match="position 2"):
            await read_lines(connection, kept, limit=10)


async def test_lines_that_were_shipped_are_checked_alone(database):
    await act(database, *"abcd")
    lines = [msgspec.json.encode(one) for one in await chained(database)]
    assert len(list(verify_lines(lines))) == 4
    assert [one.position for one in verify_lines(lines[2:])] == [3, 4]

    def broken(*changed):
        with pytest.raises(ChainBroken) as caught:
            list(verify_lines(changed))
        return caught.value.detail

    other = json.dumps(json.loads(lines[1]) | {"actor": "nobody"}).encode()
    assert broken(lines[0], other) == "line 2, position 2, is not as it was shipped"
    assert "line 2, position 3, does not follow position 1" in broken(lines[0], lines[2])
    assert "line 1 is no act of an audit trail" in broken(b"{}")
