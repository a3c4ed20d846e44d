"""Checkpoints of the log, cosignatures of them, and files that entries do not give."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from registry.errors import Finding
from registry.log.blob import ErasedMember, KeptSection, KeptVerdict
from registry.log.entry import timestamp
from registry.store.database import Connection, read_row, read_rows, statement
from registry.store.log import Entry


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that this register has signed; `note` has only its own signature."""

    size: int
    root: bytes
    note: bytes
    signed_at: dt.datetime


async def read_last(connection: Connection) -> Signed | None:
    """Return the last signed checkpoint."""
    return await read_row(connection, Signed, "checkpoints", "last")


async def read_first_beyond(connection: Connection, entry: int) -> Signed | None:
    """Return the first checkpoint that covers an entry."""
    return await read_row(connection, Signed, "checkpoints", "first_beyond", entry)


async def read_time(connection: Connection, size: int) -> str:
    """Return the time of the last of so many entries, as the entry itself says it."""
    [entry] = await read_entries(connection, size - 1, size)
    return timestamp(entry.at)


async def read_keys(connection: Connection, end: int) -> list[Entry]:
    """Return the entries before index `end` that name a key of the log, the first first."""
    return await read_rows(connection, Entry, "checkpoints", "keys", end)


async def insert(connection: Connection, signed: Signed, *, previous: Signed | None) -> bool:
    """Insert a checkpoint after the last; return False if another was inserted meanwhile."""
    written = await connection.fetchval(
        statement("checkpoints", "insert"),
        signed.size,
        None if previous is None else previous.size,
        signed.root,
        signed.note.decode(),
        signed.signed_at,
    )
    return written is not None


async def read_entries(connection: Connection, start: int, end: int) -> list[Entry]:
    """Return the entries from index `start` to before `end`, as far as they exist."""
    return await read_rows(connection, Entry, "checkpoints", "entries", start, end)


async def read_safety(connection: Connection) -> dict[str, str]:
    """Return the server settings on which durability of commits depends."""
    return {
        row["name"]: row["setting"]
        for row in await connection.fetch(statement("checkpoints", "safety"))
    }


async def read_contents(
    connection: Connection, entries: Sequence[int]
) -> dict[int, list[KeptSection]]:
    """Return the contents that entries commit to; some entries have none."""
    erased: dict[tuple[int, str], list[ErasedMember]] = {}
    for row in await connection.fetch(statement("checkpoints", "erased"), list(entries)):
        erased.setdefault((row["entry"], row["key"]), []).append(
            ErasedMember(
                pointer=row["pointer"], commitment=row["commitment"], redaction=row["redaction"]
            )
        )
    found: dict[int, list[KeptSection]] = {entry: [] for entry in entries}
    for row in await connection.fetch(statement("checkpoints", "sections"), list(entries)):
        found[row["entry"]].append(
            KeptSection(
                key=row["key"],
                value=row["value"],
                salts=row["salts"],
                erased=tuple(erased.get((row["entry"], row["key"]), ())),
            )
        )
    return found


async def read_verdicts(connection: Connection, entries: Sequence[int]) -> dict[int, KeptVerdict]:
    """Return the verdicts that entries commit to, of those that do."""
    return {
        row["entry"]: KeptVerdict(
            missing=row["missing"],
            findings=msgspec.json.decode(row["findings"], type=list[Finding]),
            salt=row["verdict_salt"],
        )
        for row in await connection.fetch(statement("checkpoints", "verdicts"), list(entries))
    }


async def insert_erased(connection: Connection, entry: int, section: KeptSection) -> None:
    """Insert the erased members of a section of a recovered entry."""
    await connection.execute(
        statement("checkpoints", "insert_erased"),
        entry,
        section.key,
        [member.pointer for member in section.erased],
        [member.commitment for member in section.erased],
        [member.redaction for member in section.erased],
    )


class WitnessState(msgspec.Struct, frozen=True, kw_only=True):
    """Where the asking of one address stands.

    `asked` is the size that was asked for last, `size` the one that it cosigned last as far as is
    known. `alarm` is why its last answer is one that a witness gives to two histories; `alarms`
    counts these.
    """

    url: str
    asked: int
    asked_at: dt.datetime
    size: int
    answer: str
    alarm: str | None
    alarms: int


class Cosignature(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a checkpoint that a witness has signed: by which verifier key, at what time."""

    verifier: str
    time: int
    line: str


class CosignedCheckpoint(Cosignature, frozen=True, kw_only=True):
    """A cosignature with the checkpoint that it is of: its size and signed note."""

    size: int
    note: bytes


async def read_states(connection: Connection) -> list[WitnessState]:
    """Return how the asking of every address stands that was ever asked."""
    return await read_rows(connection, WitnessState, "witnesses", "states")


async def claim(
    connection: Connection, url: str, size: int, *, now: dt.datetime, apart: dt.timedelta
) -> WitnessState | None:
    """Take the turn to ask an address for a size.

    Returns None where somebody has asked it less than `apart` ago.
    """
    return await read_row(connection, WitnessState, "witnesses", "claim", url, size, now, apart)


async def keep_answer(
    connection: Connection, url: str, *, size: int | None, answer: str, alarm: str | None
) -> None:
    """Keep what an address has answered, and its size, if that is known now."""
    await connection.execute(statement("witnesses", "keep_answer"), url, size, answer, alarm)


async def read_alarms(connection: Connection) -> tuple[int, int]:
    """Return how many alarms there ever were, and at how many addresses one lasts."""
    row = await connection.fetchrow(statement("witnesses", "alarms"))
    return row["alarms"], row["alarmed"]


async def keep_cosignature(
    connection: Connection, size: int, given: Cosignature, *, now: dt.datetime
) -> None:
    """Keep a line of a checkpoint; the same again changes nothing."""
    await connection.execute(
        statement("witnesses", "keep_cosignature"),
        size,
        given.verifier,
        given.time,
        given.line,
        now,
    )


async def read_cosignatures(connection: Connection, size: int) -> list[Cosignature]:
    """Return the newest line of each key for the checkpoint of a size."""
    return await read_rows(connection, Cosignature, "witnesses", "cosignatures", size)


async def read_newest(connection: Connection) -> list[CosignedCheckpoint]:
    """Return of each key its last signature of the newest checkpoint that it has cosigned."""
    return await read_rows(connection, CosignedCheckpoint, "witnesses", "newest")


async def read_cosigned(connection: Connection, size: int, *, most: int) -> list[Signed]:
    """Return the newest checkpoints below a size that somebody has cosigned, the newest first."""
    return await read_rows(connection, Signed, "witnesses", "cosigned", size, most)


class PublishedFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The signed notes and the policy of witnesses; None where none is published.

    `discards` counts how often entries of the log were given up.
    """

    discards: int
    checkpoint: bytes | None = None
    witnessed: bytes | None = None
    policy: bytes | None = None


class PublishingTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where log and site are published to: how many entries of each are there, and since when.

    `fault` says why nothing more gets there; `purged_at` is when the cache in front of it was told
    last what had changed, and `purge_fault` why it was not since.
    """

    address: str
    log_size: int
    site_size: int
    reached_at: dt.datetime
    fault: str | None
    purged_at: dt.datetime | None = None
    purge_fault: str | None = None


class WaitingPurge(msgspec.Struct, frozen=True, kw_only=True):
    """A file in the store that was published over or removed, of which the cache was not told."""

    path: str
    since: dt.datetime


async def read_files(connection: Connection) -> PublishedFiles:
    """Return what is published."""
    found = await read_row(connection, PublishedFiles, "published", "files")
    if found is None:
        raise RuntimeError("a statement without a table returned no row")
    return found


async def read_file(connection: Connection, path: str) -> bytes | None:
    """Return a published file that is kept by its path."""
    content: bytes | None = await connection.fetchval(statement("published", "file"), path)
    return content


async def write_files(
    connection: Connection, files: Mapping[str, bytes | None], *, size: int
) -> None:
    """Keep the files of the log of a size, or that there is none (None).

    Where those of a larger log are kept, nothing changes.
    """
    written = {path: content for path, content in files.items() if content is not None}
    await connection.execute(
        statement("published", "write"), list(written), list(written.values()), size
    )
    for path in files.keys() - written.keys():
        await connection.execute(statement("published", "remove"), path, size)


async def read_leaves(connection: Connection, start: int, end: int) -> list[bytes]:
    """Return the leaf hashes of the entries from index `start` to before `end`."""
    rows = await connection.fetch(statement("published", "leaves"), start, end)
    return [row["leaf"] for row in rows]


async def read_erased(connection: Connection) -> list[int]:
    """Return the entries whose contents were changed by what redactions have erased."""
    rows = await connection.fetch(statement("published", "erased"))
    return [row["entry"] for row in rows]


async def note_target(
    connection: Connection,
    address: str,
    *,
    now: dt.datetime,
    log_size: int | None = None,
    site_size: int | None = None,
    fault: str | None = None,
) -> None:
    """Note what is at the address that log and site are published to; None leaves what was."""
    await connection.execute(
        statement("published", "note_target"), address, log_size, site_size, fault, now
    )


async def read_target(connection: Connection) -> PublishingTarget | None:
    """Return where log and site are published to, if anywhere."""
    return await read_row(connection, PublishingTarget, "published", "target")


async def note_replaced(connection: Connection, paths: Iterable[str], *, now: dt.datetime) -> None:
    """Note files that were published over or removed, of which a cache is to be told."""
    await connection.execute(statement("published", "note_replaced"), sorted(paths), now)


async def read_replaced(connection: Connection, *, most: int) -> list[WaitingPurge]:
    """Return files of which the cache was not told yet, the oldest first."""
    rows = await connection.fetch(statement("published", "replaced"), most)
    return [WaitingPurge(path=row["path"], since=row["since"]) for row in rows]


async def note_purge(
    connection: Connection,
    told: Sequence[WaitingPurge],
    *,
    now: dt.datetime,
    fault: str | None = None,
) -> None:
    """Note of which files the cache was told, unless they have changed again; or why it was not."""
    paths, times = [one.path for one in told], [one.since for one in told]
    await connection.execute(statement("published", "forget_replaced"), paths, times)
    await connection.execute(statement("published", "note_purge"), now, fault)
