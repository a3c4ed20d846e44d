"""Publishing the log: tiles and bundles, then the signature, then the checkpoint.

Always published ≤ signed ≤ tiles on disk, and signed ≤ committed. Every step repeats harmlessly; a
process that dies anywhere leaves what the next one goes on from.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

import structlog

from registry.errors import ConfigurationError, Unavailable
from registry.ledger import key, signing
from registry.ledger.guard import LogMemory, SeenLog, lacks
from registry.ledger.proofs import write_contents
from registry.ledger.published_log import read_bundles, read_keys
from registry.ledger.signing import (
    SignedSize,
    find_divergence,
    reached_elsewhere,
    sign,
    signers_of,
    write_key_proofs,
)
from registry.ledger.verify_database import check_newest
from registry.log.files import (
    CHECKPOINT,
    POLICY,
    WITNESSED,
    LogBehind,
    LogRefused,
    published_size,
    read_checkpoint,
    read_note,
    read_tile,
    replace_durable,
    tree_of,
    write_durable,
)
from registry.log.key_chain import KeyChain, key_path
from registry.settings import Settings
from registry.store import checkpoints, log, published_files, witnesses
from registry.store.checkpoints import Signed
from registry.store.database import Connection, Database
from registry.store.heartbeats import leadership
from registry.store.log import GuardedState, LogState
from registry.store.witnesses import Cosignature
from registry.tlog.keys import Signer, parse_verifier
from registry.tlog.note import open_line
from registry.tlog.policy import readable_policy
from registry.tlog.proof import Nodes, root_of
from registry.tlog.tile import grow

PublishStep: TypeAlias = Literal[
    "begun", "bundles", "tiles", "recomputed", "contents", "noted", "signed", "published"
]

Cosign: TypeAlias = Callable[[Signed], Awaitable[None]]
"""Asks the witnesses for a checkpoint that was signed and is not published yet."""

_log = structlog.get_logger()

_LOOKED_BACK = 100
"""So many cosigned checkpoints are tried for one that satisfies the policy."""


async def publish_log(
    database: Database,
    settings: Settings,
    *,
    now: dt.datetime,
    done: Callable[[PublishStep], None] = lambda _: None,
    cosign: Cosign | None = None,
    stored: bytes | None = None,
) -> Signed | None:
    """Sign and publish what the log has become; None where all of it is published already.

    `cosign` is awaited between signature and publication; it raises nothing, and takes no longer
    than publication may wait. `done` is told of each step that was taken. `stored` is a checkpoint
    that the store of objects has had, which the log must go on from. Raises `LogRefused` where
    the database, the files and what was signed do not fit together, `ConfigurationError` where it
    would not be safe.
    """
    if await is_published(database, settings):
        return None
    # One at a time saves work; what makes it safe is that nobody signs after another's signature.
    async with leadership(database, "publisher"):
        try:
            return await _publish(database, settings, now, done, cosign, stored=stored)
        except LogBehind as error:
            async with database.transaction() as connection:
                await log.stop(connection, error.why)
            raise


async def is_published(database: Database, settings: Settings) -> bool:
    """Return whether the checkpoints on disk and served are of the whole log, and nothing stops."""
    seen = LogMemory(settings.seen_file).last
    async with database.connection() as connection:
        state = await log.read_guarded(connection, seen.size - 1)
        if state.stopped is not None or not state.is_confirmed or lacks(state, seen) is not None:
            return False
        last = await checkpoints.read_last(connection)
        if last is None or last.size != state.range.size:
            return False
        note = await whole_note(connection, last)
        served = (await published_files.read_published(connection)).checkpoint
    return served == note == await asyncio.to_thread(read_checkpoint, settings.log_dir)


async def _publish(
    database: Database,
    settings: Settings,
    now: dt.datetime,
    done: Callable[[PublishStep], None],
    cosign: Cosign | None,
    *,
    stored: bytes | None,
) -> Signed:
    seen = LogMemory(settings.seen_file).last
    async with database.snapshot() as connection:
        state = await log.read_guarded(connection, seen.size - 1)
        last = await checkpoints.read_last(connection)
        safety = await checkpoints.read_safety(connection)
        chain = await read_keys(connection)
    _check_safety(safety)
    there = key.read_all(settings.key_file)
    reached = reached_elsewhere(settings, there, chain, last, stored=stored)
    _check_not_behind(reached, state)
    signers = signers_of(there, chain, state, last)
    await _check_goes_on(database, settings.log_dir, last, reached)
    _check_acknowledged(state, seen)
    await check_newest(database, settings)
    done("begun")

    folder = settings.log_dir
    start = await asyncio.to_thread(_growing_from, folder, last)
    leaves: list[bytes] = []
    async for entries, bundles in read_bundles(database, start, state.range.size):
        await asyncio.to_thread(write_durable, folder, bundles)
        leaves += [entry.leaf for entry in entries if entry.index >= start]
    done("bundles")
    new_tiles = grow(start, lambda tile: read_tile(folder, tile), leaves)
    await asyncio.to_thread(
        write_durable, folder, ((tile.path, content) for tile, content in new_tiles)
    )
    done("tiles")
    nodes = tree_of(folder, state.range.size)
    await asyncio.to_thread(_check_roots, nodes, state, reached)
    if state.stopped is not None or not state.is_confirmed:
        async with database.transaction() as connection:
            await log.confirm(connection, state.database)
    done("recomputed")

    # Whatever is signed can be healed from our own files.
    known = await asyncio.to_thread(published_size, folder)
    await write_contents(database, folder, range(known, state.range.size))
    done("contents")

    if last is None or last.size < state.range.size:
        last = await _sign(database, settings, signers, state, last, now=now, done=done)
        if cosign is not None:
            await cosign(last)
    await write_key_proofs(database, folder, chain)
    await publish_notes(database, folder, chain, last)
    done("published")
    return last


def _check_not_behind(reached: list[SignedSize], state: LogState) -> None:
    """Raise `LogBehind` where more was signed than the database has."""
    for one in reached:
        if one.size > state.range.size:
            raise LogBehind(
                f"{one.where} knows of {one.size} entries, the database has {state.range.size}: an "
                "older state of it was restored. Nothing is signed until the missing entries are "
                "back; run: registry log heal",
                why=f"{one.size:,} entries were signed, and the database has {state.range.size:,}",
            )


def _check_acknowledged(state: GuardedState, seen: SeenLog) -> None:
    """Raise `LogBehind` where the database lacks entries that were acknowledged on this host."""
    why = lacks(state, seen)
    if why is not None:
        raise LogBehind(
            f"{why}. Nothing is signed until a database is restored that has them, or they are "
            f"given up: registry log heal --discard-from {state.range.size}",
            why=why,
        )


async def _check_goes_on(
    database: Database,
    folder: Path,
    last: Signed | None,
    reached: list[SignedSize],
) -> None:
    """Raise `LogBehind` where the database has gone on otherwise than what was signed elsewhere.

    Tiles that do not lead to what was signed are no measure; they are checked later.
    """
    furthest = max(reached, key=lambda one: one.size, default=None)
    found = None
    with suppress(LogRefused, ValueError):
        async with database.connection() as connection:
            found = await find_divergence(connection, folder, last, furthest)
    if furthest is not None and found is not None:
        raise LogBehind(
            f"the database has gone on otherwise than {furthest.where} knows: entries were "
            "appended after an older state of it was restored. Nothing is signed before they are "
            "given up or a state from before them is restored; run: registry log heal",
            why=f"its first {furthest.size:,} entries are not those that were signed",
        )


def _check_safety(safety: dict[str, str]) -> None:
    off = sorted(name for name, setting in safety.items() if setting == "off")
    if off:
        raise ConfigurationError(
            f"the database runs with {' and '.join(off)} off, so that a crash could take back what "
            "was signed; switch it on"
        )


def _growing_from(folder: Path, last: Signed | None) -> int:
    """Return the size from which the tiles on disk can be grown: the last signed one, or 0."""
    if last is None:
        return 0
    try:
        return last.size if root_of(tree_of(folder, last.size), last.size) == last.root else 0
    except (LogRefused, ValueError):
        return 0


def _check_roots(nodes: Nodes, state: LogState, reached: list[SignedSize]) -> None:
    """Raise `LogRefused` unless the tiles are the database's tree, and go on from what was signed.

    Earlier roots are computed in the tree as it is now, not from tiles that were left of them.
    """
    here = SignedSize(where="the database", size=state.range.size, root=state.range.root())
    for one in (here, *reached):
        if root_of(nodes, one.size) != one.root:
            detail = (
                f"the tree on disk has another root at {one.size} entries than {one.where} knows; "
                "nothing is signed. Run: registry log verify"
            )
            if one is here:
                raise LogRefused(detail)
            # The tree is the database's: it has gone on otherwise than what was signed.
            raise LogBehind(
                detail, why=f"its first {one.size:,} entries are not those that were signed"
            )


async def _sign(
    database: Database,
    settings: Settings,
    signers: Sequence[Signer],
    state: LogState,
    last: Signed | None,
    *,
    now: dt.datetime,
    done: Callable[[PublishStep], None],
) -> Signed:
    await asyncio.to_thread(
        signing.append,
        settings.signed_sizes_file,
        state.range.size,
        state.range.root(),
    )
    done("noted")
    signed = sign(signers, state, now=now)
    async with database.transaction() as connection:
        if not await checkpoints.insert(connection, signed, previous=last):
            raise Unavailable("another process has signed the log meanwhile; try again")
    # Only now may the signature leave.
    done("signed")
    return signed


async def publish_notes(database: Database, folder: Path, chain: KeyChain, last: Signed) -> None:
    """Publish a checkpoint and what is said beside it: on disk, then for all hosts that serve."""
    async with database.connection() as connection:
        policy = await log.read_policy(connection, last.size)
        note = await whole_note(connection, last)
        witnessed = await _read_witnessed(connection, last, chain, policy)
    # The policy comes before the checkpoint whose entries name it.
    files = {
        POLICY: None if policy is None else policy.encode(),
        CHECKPOINT: note,
        WITNESSED: witnessed,
    }

    def write() -> None:
        for name, content in files.items():
            if content is None:
                (folder / name).unlink(missing_ok=True)
            elif name == CHECKPOINT or content != read_note(folder, name):
                replace_durable(folder, name, content)
        for number in range(1, len(chain.keys)):
            files[key_path(number)] = (folder / key_path(number)).read_bytes()

    await asyncio.to_thread(write)
    async with database.transaction() as connection:
        await published_files.write_files(connection, files, size=last.size)


async def whole_note(connection: Connection, signed: Signed) -> bytes:
    """Return a checkpoint with all its signatures that hold."""
    cosigned = await _read_holding(connection, signed)
    return signed.note + "".join(one.line for one in cosigned).encode()


async def _read_holding(connection: Connection, signed: Signed) -> list[Cosignature]:
    """Return the cosignatures of a checkpoint, opened anew: their rows may have been changed."""
    stored = await witnesses.read_cosignatures(connection, signed.size)
    found = [one for one in stored if holds(signed.note, one) is not None]
    if len(found) < len(stored):
        _log.error("stored cosignatures do not hold", size=signed.size, number=len(stored))
    return found


def holds(note: bytes, stored: Cosignature) -> int | None:
    """Return the time of a stored cosignature of a checkpoint, in POSIX seconds, if it holds."""
    try:
        return open_line(note, stored.line, parse_verifier(stored.verifier)).time or 0
    except ValueError:
        return None


async def _read_witnessed(
    connection: Connection, last: Signed, chain: KeyChain, text: str | None
) -> bytes | None:
    """Return the newest checkpoint that satisfies the policy, with all its signatures."""
    policy = readable_policy(text)
    if policy is None:
        return None
    for signed in [last, *await witnesses.read_cosigned(connection, last.size, most=_LOOKED_BACK)]:
        keys = {one.verifier for one in await _read_holding(connection, signed)}
        signers = [one for one in policy.verifiers if one.to_text() in keys]
        if policy.is_satisfied([*chain.verifiers, *signers]):
            return await whole_note(connection, signed)
    return None
