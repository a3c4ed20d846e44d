"""The files of the published log that its entries do not give, as the publisher wrote them last."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from registry.store.database import Connection, read_row, statement
from registry.tlog.checkpoint import stated


class PublishedLog(msgspec.Struct, frozen=True, kw_only=True):
    """What is published of the log: notes with their signatures, and the policy of witnesses.

    `size` is that of the checkpoint, 0 while there is none. `discards` counts how often entries
    were given up: a log of the same size may be another one then.
    """

    size: int
    discards: int
    checkpoint: bytes | None = None
    witnessed: bytes | None = None
    policy: str | None = None


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


async def read_published(connection: Connection) -> PublishedLog:
    """Return what is published of the log."""
    files = dict(await connection.fetchrow(statement("published", "files")))
    note = files["checkpoint"]
    return PublishedLog(size=0 if note is None else stated(note).size, **files)


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
