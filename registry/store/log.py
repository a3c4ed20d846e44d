"""The rows of the log: entries in order, and the state from which the next one follows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from registry.errors import ConfigurationError
from registry.log.entry import ENTRY_KINDS
from registry.log.files import Incident, IncidentKind
from registry.log.register import LogLine, RiskMove
from registry.record.model import RiskChange
from registry.store.database import Connection, statement
from registry.tlog.compact import CompactRange, unpack

TableRow: TypeAlias = dict[str, Any]
"""A new row: JSON values by the names of columns."""


class LogState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the log; `last_at` is None before the first entry.

    `erasures` counts the erasures of its contents, and `replaced` the replacements of whole texts
    of rows at their source, which add no entry.
    """

    range: CompactRange
    last_at: dt.datetime | None
    erasures: int = 0
    replaced: int = 0


class GuardedState(LogState, frozen=True, kw_only=True):
    """The state, with what tells whether it may be appended to.

    `clock` is the database's time; `database` says which one it is, `confirmed` which one the
    log was last compared in with what was signed; `stopped` is why nothing may be appended,
    `fault` why nothing is published though entries are appended. `leaf` is that of the entry
    asked for, if any is there; `last_leaf` the last, if it was read unlocked. `discards` counts
    how often entries were given up; `dated_ahead` is the time up to which an entry may be dated
    though the clock is behind it.
    """

    clock: dt.datetime
    database: str
    confirmed: str | None
    stopped: str | None
    fault: str | None
    discards: int
    dated_ahead: dt.datetime | None
    leaf: bytes | None
    last_leaf: bytes | None = None

    @property
    def is_confirmed(self) -> bool:
        """Whether the log was compared in this database with what was signed of it."""
        return self.confirmed == self.database


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A stored entry: its exact bytes and 32-byte leaf hash."""

    index: int
    kind: str
    record: str | None
    at: dt.datetime
    content: bytes
    leaf: bytes


class Logged(msgspec.Struct, frozen=True, kw_only=True):
    """An entry to be served: its exact bytes, its leaf hash, its change of risk level."""

    index: int
    content: bytes
    leaf: bytes
    risk: RiskMove | None


class EntrySubject(msgspec.Struct, frozen=True, kw_only=True):
    """What entries are about: every register of origin that counts, agencies and primary sectors.

    Codes are distinct; the origin of what was filed here, and of what is about no record, is
    `local`.
    """

    origins: Sequence[str]
    agencies: Sequence[str] | None = None
    sectors: Sequence[str] | None = None


async def begin(connection: Connection) -> None:
    """Insert the state of an empty log, if there is none."""
    await connection.execute(statement("log", "begin_state"))


async def lock_state(connection: Connection, index: int = -1) -> GuardedState:
    """Return the state, locked until the transaction ends, so that no other process appends.

    Its `leaf` is that of the entry at `index`.
    """
    return _guarded(await connection.fetchrow(statement("log", "lock_state"), index))


async def read_guarded(connection: Connection, index: int = -1) -> GuardedState:
    """Return what `lock_state` does, without locking, and the last leaf."""
    return _guarded(await connection.fetchrow(statement("log", "guarded_state"), index))


async def stop(connection: Connection, why: str) -> None:
    """Stop appending until the log is confirmed, with the reason."""
    await connection.execute(statement("log", "stop"), why)


async def confirm(connection: Connection, database: str) -> None:
    """State that the log in a database has all that was signed, if it is this one still."""
    await connection.execute(statement("log", "confirm"), database)


async def keep_discards(connection: Connection, count: int) -> None:
    """State that entries were given up at least so often."""
    await connection.execute(statement("log", "keep_discards"), count)


async def accept_dates(connection: Connection) -> None:
    """Accept that the database's clock is behind the last entry."""
    await connection.execute(statement("log", "accept_dates"))


async def insert_incident(connection: Connection, kind: IncidentKind, said: object) -> None:
    """Insert what was decided about the log, as JSON."""
    document = msgspec.json.encode(said).decode()
    await connection.execute(statement("log", "insert_incident"), kind, document)


async def read_incidents(connection: Connection) -> list[Incident]:
    """Return what was ever decided about the log, the first first."""
    return [
        Incident(kind=row["kind"], at=row["at"], said=msgspec.Raw(row["document"].encode()))
        for row in await connection.fetch(statement("log", "incidents"))
    ]


async def read_state(connection: Connection) -> LogState:
    """Return the state."""
    return state_of(await connection.fetchrow(statement("log", "state")))


async def keep_pack(connection: Connection, code: str) -> str:
    """Store the country pack if none is stored; return the stored one.

    The caller holds the state's lock.
    """
    await connection.execute(statement("log", "keep_pack"), code)
    return await read_pack(connection)


async def read_pack(connection: Connection) -> str:
    """Return the country pack that the register began with."""
    return str(await connection.fetchval(statement("log", "pack")))


async def note_erasure(connection: Connection) -> None:
    """Count an erasure, and lock the state until the transaction ends."""
    await connection.execute(statement("log", "note_erasure"))


async def append(
    connection: Connection,
    entries: Sequence[Entry],
    rows: Mapping[str, Sequence[msgspec.Raw]],
    after: CompactRange,
) -> None:
    """Insert entries, the rows of other tables that follow from them, and the new state.

    A row is a JSON object, a `TableRow`.

    The caller holds the state's lock.
    """
    if not entries:
        return
    logged = [
        {
            "index": entry.index,
            "kind": entry.kind,
            "record": entry.record,
            "at": entry.at,
            "bytes": bytea(entry.content),
            "leaf": bytea(entry.leaf),
        }
        for entry in entries
    ]
    content = msgspec.json.encode({"log_entry": logged, **rows}).decode()
    await connection.execute(
        statement("log", "append"), after.size, after.packed(), entries[-1].at, content
    )
    if not rows.keys().isdisjoint(("origin", "import_run")):
        await connection.execute(statement("log", "append_sources"), content)


async def rewrite_rows(
    connection: Connection,
    state: LogState,
    entries: Sequence[int],
    rows: Mapping[str, Sequence[TableRow]],
) -> None:
    """Write rows that follow from entries again; the caller holds the state's lock."""
    await connection.execute(statement("log", "drop_derived"), entries)
    content = msgspec.json.encode(rows).decode()
    after = state.range
    await connection.execute(
        statement("log", "append"), after.size, after.packed(), state.last_at, content
    )


def bytea(content: bytes) -> str:
    """Return bytes in PostgreSQL's hexadecimal form, for JSON."""
    return f"\\x{content.hex()}"


async def read_origin(connection: Connection) -> str:
    """Return the log's name, as its first entry says it; empty before there is one."""
    content = await connection.fetchval(statement("log", "genesis"))
    return "" if content is None else str(msgspec.json.decode(content)["origin"])


async def read_demonstration(connection: Connection) -> dt.datetime | None:
    """Return until when a demonstration's log has invented times; None for any other log."""
    content = await connection.fetchval(statement("log", "genesis"))
    said = content and msgspec.json.decode(content).get("demonstration")
    return dt.datetime.fromisoformat(said) if said else None


async def read_configuration(connection: Connection) -> dict[str, str]:
    """Return the sections of the configuration that the log states last, by key."""
    rows = await connection.fetch(statement("log", "configuration"))
    return {row["key"]: row["value"] for row in rows}


async def read_policy(connection: Connection, size: int | None = None) -> str | None:
    """Return the text of the policy of witnesses that was logged last, among the first entries.

    None where none was; of all entries where no size is given.
    """
    content = await connection.fetchval(statement("log", "policy"), size)
    return None if content is None else str(msgspec.json.decode(content)["policy"])


async def read_entries(
    connection: Connection,
    *,
    since: int,
    until: int,
    limit: int,
    risk_change: Sequence[RiskChange] | None = None,
    kinds: Sequence[str] | None = None,
    subject: EntrySubject | None = None,
) -> list[Logged]:
    """Return the entries after index `since` and up to `until`, in order.

    `risk_change` limits to entries with that change of risk level, `kinds` to those kinds,
    `subject` to what they are about.
    """
    moved = None if risk_change is None else list(risk_change)
    kinds = None if kinds is None else list(kinds)
    if subject is None:
        query, further = statement("log", "entries"), []
    else:
        query = statement("log", "entries_about")
        kinds = kinds or list(ENTRY_KINDS)
        further = [subject.origins, subject.agencies, subject.sectors]
    rows = await connection.fetch(query, since, until, limit, moved, kinds, *further)
    return [
        Logged(index=row["index"], content=row["bytes"], leaf=row["leaf"], risk=_move(row))
        for row in rows
    ]


async def read_lines(connection: Connection, *, since: int = 0) -> list[LogLine]:
    """Return entries in order from an index on, without their bytes."""
    return [
        LogLine(
            index=row["index"],
            at=row["at"],
            kind=row["kind"],
            subject=row["subject"],
            risk=_move(row),
            run=row["run"],
            state=row["state"],
            moved_from=row["moved_from"],
            undated=row["undated"],
        )
        for row in await connection.fetch(statement("log", "lines"), since)
    ]


def _move(row: Any) -> RiskMove | None:
    if row["risk_change"] is None:
        return None
    return RiskMove(change=row["risk_change"], before=row["risk_before"], after=row["risk"])


def _guarded(row: Any) -> GuardedState:
    if row is None:
        raise ConfigurationError("the log has no first entry yet; start the register once")
    return GuardedState(
        **msgspec.structs.asdict(state_of(row)),
        clock=row["clock"],
        database=row["database"],
        confirmed=row["incarnation"],
        stopped=row["stopped"],
        fault=row["fault"],
        discards=row["discards"],
        dated_ahead=row["dated_ahead"],
        leaf=row["leaf"],
        last_leaf=row.get("last_leaf"),
    )


def state_of(row: Any) -> LogState:
    """Return the state of a row with its columns, or of None.

    Raises `ConfigurationError` for one that the register has not written.
    """
    if row is None:
        return LogState(range=CompactRange(), last_at=None)
    size, peaks, last_at = row["size"], row["peaks"], row["last_at"]
    try:
        reached = unpack(size, peaks)
    except ValueError as error:
        raise ConfigurationError(
            f"the database, table log_state: {error}; somebody has changed it. Restore a backup; "
            "what else was changed says: registry log verify"
        ) from error
    return LogState(
        range=reached,
        # For an empty log it is -infinity, which the driver converts to the smallest time.
        last_at=last_at if isinstance(last_at, dt.datetime) and size > 0 else None,
        erasures=row["erasures"],
        replaced=row["replaced"],
    )
