"""Publishing the signed notes of the log, once the tree that they are of is on disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from registry.log.files import (
    CHECKPOINT,
    POLICY,
    WITNESSED,
    read_note,
    replace_durable,
)
from registry.log.key_chain import KeyChain, key_path
from registry.store import log, published_files, witnesses
from registry.store.checkpoints import Signed
from registry.store.database import Connection, Database
from registry.store.witnesses import Cosignature
from registry.tlog.keys import parse_verifier
from registry.tlog.note import open_line
from registry.tlog.policy import readable_policy

_log = structlog.get_logger()

_LOOKED_BACK = 100
"""So many cosigned checkpoints are tried for one that satisfies the policy."""


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
