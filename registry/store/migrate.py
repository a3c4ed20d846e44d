"""Migrations: numbered, forward only, one transaction each, identified by checksum.

The first line says which kind one is, `-- Expand: …` or `-- Contract: …` and why: code of the
release before works on a database that is expanded, so that hosts are updated one after the other.
"""

from __future__ import annotations

import asyncio
import re
import time
from hashlib import sha256
from pathlib import Path
from typing import Literal

import asyncpg
import msgspec
import structlog

from registry.errors import ConfigurationError, Unavailable
from registry.store.database import Connection, Database

MIGRATIONS = Path(__file__).parent / "migrations"

_FILE = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_EXPAND = "-- Expand: "
# Any constant will do, as long as it is the same in every process.
_LOCK = 0x7265_6769_7374
# A migration of a large register may take longer than any other statement.
_LONGEST_SECONDS = 24 * 3600
_SILENT_SECONDS = 2.0
_POLL_SECONDS = 0.2
_TABLE = """
create table if not exists migration (
    number integer primary key, name text not null, checksum text not null,
    applied_at timestamptz not null default now(), kind text not null
)
"""
_HAS_BEGUN = """
select exists (
    select from pg_tables
    where tablename = 'migration' and schemaname = any (current_schemas(false))
)
"""
"""Unlike `to_regclass`, it sees what another has committed since this transaction began."""

_HOLDER = """
select
    a.pid, a.usename as user, coalesce(host(a.client_addr), 'here') as host, a.state,
    a.application_name as program, a.backend_start::text as since
from pg_locks as l
inner join pg_stat_activity as a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and (l.classid::bigint << 32) + l.objid::bigint = $1
"""

_UNRELEASED = (
    "the database was made by an earlier, unreleased version of the register, and this one does "
    "not open it; begin anew: end its processes, move the data folder (REGISTRY_DATA_DIR, else "
    "var) away, name an empty database where REGISTRY_DATABASE_URL is set, and start again (make "
    "up, registry up)"
)
"""What is said of a database whose first migration is not the one of all releases."""

_log = structlog.get_logger()


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """A migration file: its number, name, kind, SQL text and SHA-256."""

    number: int
    name: str
    kind: Literal["expand", "contract"]
    sql: str
    checksum: str

    @property
    def title(self) -> str:
        """The number and name, as messages show them."""
        return f"{self.number} ({self.name})"


class MigrationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the migrations of a database differ from those of this version, by number and name.

    `contracting` are those of `missing` on which the release before cannot work. `refused` are
    those of `ahead`, which are unknown here, that this version cannot work with.
    """

    missing: list[str]
    contracting: list[str]
    ahead: list[str]
    refused: list[str]


def read_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """Return the migrations in order of their numbers, which may have gaps."""
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
                kind="expand" if text.startswith(_EXPAND) else "contract",
                sql=text,
                checksum=sha256(text.encode()).hexdigest(),
            )
        )
    return found


async def migrate(database: Database, folder: Path = MIGRATIONS) -> list[Migration]:
    """Apply the missing migrations and return them.

    Raises `ConfigurationError` if an applied one was changed, if the database is of an unreleased
    version, or if the database role lacks a privilege.
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
    done = await _read_applied(connection, migrations[0])
    _check(done, migrations)
    return [migration for migration in migrations if migration.number not in done]


async def _read_applied(connection: Connection, first: Migration) -> dict[int, dict[str, str]]:
    """Return the rows of applied migrations by number; `first` is the one of all releases."""
    if not await has_begun(connection):
        return {}
    try:
        # Not by their names: those of the first unreleased versions have no `kind`.
        rows = await connection.fetch("select * from migration")
    except asyncpg.InsufficientPrivilegeError as error:
        raise ConfigurationError(
            f"there is a register in this database, and the role in REGISTRY_DATABASE_URL may not "
            f"read it ({error}); grant it what docs/operating.md names, The database, also after "
            "a restore"
        ) from error
    done = {row["number"]: row for row in rows}
    if first.number in done and done[first.number]["checksum"] != first.checksum:
        raise ConfigurationError(_UNRELEASED)
    return done


async def _apply(connection: Connection, migration: Migration) -> None:
    await connection.execute(_TABLE)
    await connection.execute(migration.sql, timeout=_LONGEST_SECONDS)
    await connection.execute(
        "insert into migration (number, name, checksum, kind) values ($1, $2, $3, $4)",
        migration.number,
        migration.name,
        migration.checksum,
        migration.kind,
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
        return await has_begun(connection)


async def read_status(connection: Connection, folder: Path = MIGRATIONS) -> MigrationStatus:
    """Return how the migrations of a database differ from those of this version.

    Raises `ConfigurationError` if the database is of an unreleased version.
    """
    migrations = read_migrations(folder)
    done = await _read_applied(connection, migrations[0])
    ours = {one.number: one for one in migrations}
    missing = [one for number, one in ours.items() if number not in done]
    ahead = {number: row for number, row in sorted(done.items()) if number not in ours}
    return MigrationStatus(
        missing=[one.title for one in missing],
        contracting=[one.title for one in missing if one.kind == "contract"],
        ahead=[_named(number, row) for number, row in ahead.items()],
        refused=[_named(number, row) for number, row in ahead.items() if not _is_expanding(row)],
    )


async def check_migrated(database: Database, folder: Path = MIGRATIONS) -> None:
    """Raise `Unavailable` where this version cannot work with the database as it is."""
    async with database.connection() as connection:
        status = await read_status(connection, folder)
    if status.refused:
        raise Unavailable(
            f"the database has migration {status.refused[-1]}, which this version of the register "
            "cannot work with; update it"
        )
    if status.missing:
        raise Unavailable("the database is not migrated yet; run: registry work")


async def has_begun(connection: Connection) -> bool:
    """Return whether a register was begun where the connection leads."""
    return bool(await connection.fetchval(_HAS_BEGUN))


def _check(done: dict[int, dict[str, str]], migrations: list[Migration]) -> None:
    known = {migration.number: migration for migration in migrations}
    for number, row in done.items():
        migration = known.get(number)
        if migration is None:
            if _is_expanding(row):
                continue
            raise ConfigurationError(
                f"the database has migration {_named(number, row)}, which this version of the "
                "register does not know; run the newer version"
            )
        if row["checksum"] != migration.checksum:
            raise ConfigurationError(
                f"migration {number} ({migration.name}) was changed after the database applied it; "
                "restore the released file and add a new migration instead"
            )


def _is_expanding(row: dict[str, str]) -> bool:
    return row["kind"] == "expand"


def _named(number: int, row: dict[str, str]) -> str:
    return f"{number} ({row['name']})"
