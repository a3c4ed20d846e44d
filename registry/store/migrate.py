"""Migrations: numbered, forward only, one transaction each, identified by checksum."""

from __future__ import annotations

import asyncio
import re
import time
from hashlib import sha256
from pathlib import Path

import asyncpg
import msgspec
import structlog

from registry.errors import ConfigurationError
from registry.store.database import Connection, Database

MIGRATIONS = Path(__file__).parent / "migrations"

_FILE = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
# Any constant will do, as long as it is the same in every process.
_LOCK = 0x7265_6769_7374
# A migration of a large register may take longer than any other statement.
_LONGEST_SECONDS = 24 * 3600
_SILENT_SECONDS = 2.0
_POLL_SECONDS = 0.2
_TABLE = """
create table if not exists migration (
    number integer primary key, name text not null, checksum text not null,
    applied_at timestamptz not null default now()
)
"""
_HOLDER = """
select
    a.pid, a.usename as user, coalesce(host(a.client_addr), 'here') as host, a.state,
    a.application_name as program, a.backend_start as since
from pg_locks as l
inner join pg_stat_activity as a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and (l.classid::bigint << 32) + l.objid::bigint = $1
"""

_log = structlog.get_logger()


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """A migration file: its number, name, SQL text and SHA-256."""

    number: int
    name: str
    sql: str
    checksum: str


def read_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """Return the migrations in order of their numbers, of which some were never used."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = _FILE.match(path.name)
        if match is None or (found and int(match[1]) <= found[-1].number):
            raise ConfigurationError(f"migration {path.name} is out of order")
        text = path.read_text(encoding="utf-8")
        found.append(
            Migration(
                number=int(match[1]),
                name=match[2],
                sql=text,
                checksum=sha256(text.encode()).hexdigest(),
            )
        )
    return found


async def migrate(database: Database, folder: Path = MIGRATIONS) -> list[Migration]:
    """Apply the missing migrations and return them.

    Raises `ConfigurationError` if an applied one was changed, or if the database role lacks a
    privilege.
    """
    migrations = read_migrations(folder)
    applied: list[Migration] = []
    try:
        # Nothing is locked, or made, where there is nothing to do.
        async with database.connection() as connection:
            await _check_encoding(connection)
            is_missing = bool(await _missing(connection, migrations))
        while is_missing:
            async with database.transaction() as connection:
                # Processes that start at the same time migrate one after the other.
                await _lock(connection)
                missing = await _missing(connection, migrations)
                if missing:
                    await _apply(connection, missing[0])
                    applied.append(missing[0])
            is_missing = len(missing) > 1
    except (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidSchemaNameError) as error:
        raise ConfigurationError(
            f"the role in REGISTRY_DATABASE_URL may not make in this database what a register "
            f"needs ({error}); let it own the database, or let the role that does migrate first"
        ) from error
    return applied


async def _lock(connection: Connection) -> None:
    """Wait until no other process migrates; say who does after two seconds."""
    until: float | None = time.monotonic() + _SILENT_SECONDS
    while not await connection.fetchval("select pg_try_advisory_xact_lock($1)", _LOCK):
        if until is not None and time.monotonic() > until:
            holder = await connection.fetchrow(_HOLDER, _LOCK)
            if holder is not None:
                _log.warning("another process migrates the database; waiting for it", **holder)
            until = None
        await asyncio.sleep(_POLL_SECONDS)


async def _missing(connection: Connection, migrations: list[Migration]) -> list[Migration]:
    """Return the migrations that are not applied yet, in order."""
    if not await _applied_before(connection):
        return migrations
    try:
        rows = await connection.fetch("select number, name, checksum from migration")
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigurationError(
            f"there is a register in this database, and the role in REGISTRY_DATABASE_URL may not "
            f"read it ({error}); grant it what docs/operating.md names, The database, also after "
            "a restore"
        ) from error
    done = {row["number"]: row for row in rows}
    _check(done, migrations)
    return [migration for migration in migrations if migration.number not in done]


async def _apply(connection: Connection, migration: Migration) -> None:
    await connection.execute(_TABLE)
    await connection.execute(migration.sql, timeout=_LONGEST_SECONDS)
    await connection.execute(
        "insert into migration (number, name, checksum) values ($1, $2, $3)",
        migration.number,
        migration.name,
        migration.checksum,
    )


async def _check_encoding(connection: Connection) -> None:
    encoding = await connection.fetchval("show server_encoding")
    if encoding != "UTF8":
        # Checked before anything is created: Arabic would fail only when it is written.
        raise ConfigurationError(
            f"the database in REGISTRY_DATABASE_URL is in {encoding}, and a register needs UTF8; "
            "make another one: create database … encoding 'UTF8' template template0"
        )


async def is_begun(database: Database) -> bool:
    """Return whether a register was begun in the database."""
    async with database.connection() as connection:
        return await _applied_before(connection)


async def is_migrated(database: Database, folder: Path = MIGRATIONS) -> bool:
    """Return whether every migration is applied."""
    async with database.connection() as connection:
        if not await _applied_before(connection):
            return False
        count = await connection.fetchval("select count(*) from migration")
    return bool(count == len(read_migrations(folder)))


async def _applied_before(connection: Connection) -> bool:
    return await connection.fetchval("select to_regclass('migration')") is not None


def _check(done: dict[int, dict[str, str]], migrations: list[Migration]) -> None:
    known = {migration.number: migration for migration in migrations}
    for number, row in done.items():
        migration = known.get(number)
        if migration is None:
            raise ConfigurationError(
                f"the database has migration {number} ({row['name']}), which this version of the "
                "register does not know; run the newer version"
            )
        if row["checksum"] != migration.checksum:
            raise ConfigurationError(
                f"migration {number} ({migration.name}) was changed after the database applied it; "
                "restore the released file and add a new migration instead"
            )
