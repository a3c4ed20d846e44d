"""What is published stays as it was: the database itself refuses."""

import asyncpg
import pytest

ACTS = {
    "log_entry": "update log_entry set kind = 'other'",
    "version": "update version set completeness = 100",
    "section": "update section set value = '{}' where key = 'contact'",
    "source_event": "update source_event set state = 'present'",
    "entry_section": "update entry_section set value = '{}'",
    "withdrawal": "update withdrawal set reason = 'other'",
    "attestation": "update attestation set systems_total = 0",
    "audit": "update audit set actor = 'nobody'",
    "audit_link": "update audit_link set position = position + 1",
    "checkpoint": "update checkpoint set note = ''",
    "cosignature": "update cosignature set line = ''",
    "erased_member": "update erased_member set commitment = ''",
}


async def refused(database, statement):
    async with database.connection() as connection:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="append-only"):
            await connection.execute(statement)


async def test_nobody_updates_deletes_or_truncates(database, publish, record):
    await publish(record)
    for table, act in ACTS.items():
        await refused(database, act)
        await refused(database, f"delete from {table}")  # noqa: S608  our own names
        await refused(database, f"truncate {table} cascade")


async def test_not_even_by_an_insert_that_updates(database, publish, record):
    await publish(record)
    async with database.connection() as connection:
        before = await connection.fetchval("select bytes from log_entry where index = 1")
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await connection.execute(
                "insert into log_entry select index, kind, record, at, '\\x00', leaf from log_entry"
                " on conflict (index) do update set bytes = excluded.bytes"
            )
        assert await connection.fetchval("select bytes from log_entry where index = 1") == before


async def test_the_state_of_the_log_has_one_row(database):
    async with database.connection() as connection:
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute(
                "insert into log_state (size, peaks, last_at) values (0, '', now())"
            )
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(
                "insert into log_state (only_row, size, peaks, last_at)"
                " values (false, 0, '', now())"
            )
