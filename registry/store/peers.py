"""Peers: other registers whose logs are harvested, and how far, and what was found of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from registry.store.database import Connection, read_row, read_rows, statement
from registry.store.log import bytea
from registry.store.log_checks import LastBefore
from registry.tlog.compact import CompactRange


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """A register that is harvested; `docs/hub.md` says what its states mean.

    `origin` is the name of its log and `key` its verifier key; `applied` entries of it, over which
    `peaks` is the compact range, are taken in, the last of them of the time `applied_at`.
    """

    code: str
    origin: str
    key: str
    address: str
    policy: str | None
    added_at: dt.datetime
    removed_at: dt.datetime | None
    applied: int
    peaks: bytes
    applied_at: str
    seen_at: dt.datetime | None
    tried_at: dt.datetime | None
    failure: str | None
    smaller_since: dt.datetime | None
    stopped_at: dt.datetime | None
    stopped: str | None


class PeerCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A signed checkpoint of a peer that was seen: 32-byte root, and the note to the byte."""

    size: int
    root: bytes
    note: bytes
    seen_at: dt.datetime


class PeerSubject(LastBefore, frozen=True, kw_only=True):
    """The last entry of a subject in a peer's log, and what became of it here.

    `record` is its id here, None of what is not taken. `holes` are list items that were erased
    there before they came here, as `<version> <pointer>`.
    """

    record: str | None = None
    is_withdrawn: bool = False
    holes: Sequence[str] = ()


class PeerEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What shows that a peer cannot be believed: signed notes, and the proof, JSON text."""

    code: str
    kind: str
    why: str
    notes: Sequence[bytes]
    proof: str | None
    found_at: dt.datetime


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A record of a peer that cannot be taken: why, and the indexes of its entries that wait."""

    code: str
    subject: str
    waiting: Sequence[int]
    why: str
    since: dt.datetime


async def read_all(connection: Connection, code: str | None = None) -> list[Peer]:
    """Return the peers, those that were removed too, or the one of a code."""
    return await read_rows(connection, Peer, "peers", "all", code)


async def add(
    connection: Connection,
    *,
    code: str,
    origin: str,
    key: str,
    address: str,
    policy: str | None,
    now: dt.datetime,
) -> None:
    """Insert a peer, or take up one that was removed."""
    await connection.execute(statement("peers", "insert"), code, origin, key, address, policy, now)


async def remove(connection: Connection, code: str, *, now: dt.datetime) -> None:
    """Mark a peer as removed; what was seen of it stays."""
    await connection.execute(statement("peers", "remove"), code, now)


async def read_last_checkpoint(connection: Connection, code: str) -> PeerCheckpoint | None:
    """Return the last checkpoint of a peer that was in order."""
    return await read_row(connection, PeerCheckpoint, "peers", "last_checkpoint", code)


async def keep_checkpoint(connection: Connection, code: str, checkpoint: PeerCheckpoint) -> None:
    """Insert a checkpoint of a peer that is in order."""
    await connection.execute(
        statement("peers", "insert_checkpoint"),
        code,
        checkpoint.size,
        checkpoint.root,
        checkpoint.note,
        checkpoint.seen_at,
    )


async def note_seen(connection: Connection, code: str, *, now: dt.datetime) -> None:
    """Store that a peer's log was found in order."""
    await connection.execute(statement("peers", "seen"), code, now)


async def note_failure(
    connection: Connection, code: str, why: str, *, now: dt.datetime, is_smaller: bool = False
) -> None:
    """Store why a round failed; if the log `is_smaller` than before, since when."""
    await connection.execute(statement("peers", "failed"), code, now, why, is_smaller)


async def stop(connection: Connection, evidence: PeerEvidence) -> None:
    """Believe a peer no more, and keep what shows why."""
    at, why = evidence.found_at, evidence.why
    await connection.execute(statement("peers", "stop"), evidence.code, at, why)
    await connection.execute(
        statement("peers", "insert_evidence"),
        evidence.code,
        evidence.kind,
        why,
        list(evidence.notes),
        evidence.proof,
        at,
    )


async def read_evidence(connection: Connection, code: str | None = None) -> list[PeerEvidence]:
    """Return the evidence against a peer, or against all, oldest first."""
    return await read_rows(connection, PeerEvidence, "peers", "evidence", code)


async def note_applied(connection: Connection, code: str, upto: CompactRange, *, at: str) -> None:
    """Store how far a peer's log is taken in, and the time of the last of these entries."""
    await connection.execute(statement("peers", "applied"), code, upto.size, upto.packed(), at)


async def read_subjects(
    connection: Connection, code: str, subjects: Sequence[str]
) -> dict[str, PeerSubject]:
    """Return those subjects of a peer's log that are known, by name."""
    found = await read_rows(connection, PeerSubject, "peers", "subjects", code, list(subjects))
    return {one.subject: one for one in found}


async def save_subjects(connection: Connection, code: str, subjects: Sequence[PeerSubject]) -> None:
    """Insert or replace subjects of a peer's log."""
    rows = [msgspec.structs.asdict(one) | {"leaf": bytea(one.leaf)} for one in subjects]
    await connection.execute(
        statement("peers", "save_subjects"), code, msgspec.json.encode(rows).decode()
    )


async def read_quarantined(connection: Connection, code: str | None = None) -> list[Quarantined]:
    """Return the records of a peer, or of all, that cannot be taken."""
    return await read_rows(connection, Quarantined, "peers", "quarantined", code)


async def quarantine(
    connection: Connection, code: str, subject: str, index: int, why: str, *, now: dt.datetime
) -> None:
    """Insert an entry of a record that waits; `why` is kept of the first one."""
    await connection.execute(statement("peers", "quarantine"), code, subject, index, why, now)


async def keep_waiting(
    connection: Connection, code: str, subject: str, waiting: Sequence[int], why: str
) -> None:
    """Replace what waits of a record, or release it where nothing does."""
    if waiting:
        await connection.execute(
            statement("peers", "requarantine"), code, subject, list(waiting), why
        )
    else:
        await connection.execute(statement("peers", "release"), code, subject)


async def read_version_numbers(connection: Connection, record: str) -> Mapping[int, int]:
    """Return the numbers here of a record's versions, by their numbers at its source."""
    rows = await connection.fetch(statement("peers", "versions"), record)
    return {row["there"]: row["version"] for row in rows}


async def read_following(connection: Connection, record: str, entries: Sequence[int]) -> list[int]:
    """Return the withdrawals and redactions here of a record that follow entries at its source."""
    if not entries:
        return []
    rows = await connection.fetch(statement("peers", "following"), record, list(entries))
    return [row["index"] for row in rows]


async def read_followed(connection: Connection, records: Sequence[str]) -> dict[str, int]:
    """Return by record the last entry of its source's log that an entry here follows."""
    rows = await connection.fetch(statement("peers", "followed"), list(records))
    return {row["record"]: row["last"] for row in rows if row["last"] is not None}
