"""Rotating the log's key: the next key's file first, then the entry that names it.

Whoever dies between the two leaves a file that no entry names, which the next rotation takes; who
dies after the entry leaves all that the publisher needs. No file is ever renamed or written over.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import msgspec

from registry.errors import Conflict
from registry.ledger import key
from registry.ledger.append import append
from registry.ledger.entries import StatedEntry
from registry.ledger.published_log import read_keys
from registry.log.entry import KeyEntry, timestamp
from registry.log.files import published_size
from registry.log.key_chain import KeyChain, LogKey
from registry.services.context import ServiceContext
from registry.services.operations import audit_trail
from registry.services.people.access import OPERATOR
from registry.settings import Settings
from registry.store import log
from registry.store.database import Database
from registry.tlog.keys import Signer, Verifier


class KeyState(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of the log, the key files that are there, and how far the log is published."""

    chain: KeyChain
    files: Mapping[Path, Signer]
    size: int
    published: int

    @property
    def pending(self) -> list[Path]:
        """The files of keys that no entry names."""
        public = {one.public for one in self.chain.verifiers}
        return [path for path, one in self.files.items() if one.verifier.public not in public]

    def file_of(self, verifier: Verifier) -> Path | None:
        """Return the file of a key, if it is there."""
        return next((path for path, one in self.files.items() if one.verifier == verifier), None)

    def is_needed(self, key: LogKey, *, now: dt.datetime) -> bool:
        """Return whether anything is, or may be, to be signed with a key.

        Entries from before its end are signed with it however late that is.
        """
        return key.until is None or timestamp(now) < key.until or self.published < self.size


async def read_key_state(database: Database, settings: Settings) -> KeyState:
    """Return the keys of the log and of its files."""
    async with database.snapshot() as connection:
        chain = await read_keys(connection)
        state = await log.read_state(connection)
    return KeyState(
        chain=chain,
        files={path: key.read(path) for path in key.files(settings.key_file)},
        size=state.range.size,
        published=await asyncio.to_thread(published_size, settings.log_dir),
    )


async def rotate(
    context: ServiceContext, settings: Settings, *, made: Signer | None, now: dt.datetime
) -> tuple[Path, int]:
    """Name the next key of the log in an entry; return its file, and the entry's index.

    `made` is one that was made elsewhere. Raises `Conflict` where the log has all the keys that it
    may have, the last is not published yet, its file is not here, or it is not clear which key is
    to follow.
    """
    state = await read_key_state(context.database, settings)
    last = state.chain.keys[-1]
    if state.chain.is_full:
        raise Conflict(
            f"the log has {len(state.chain.keys):,} keys, and nobody would follow another one; "
            "begin a log that continues this one: see docs/key-ceremony.md"
        )
    if state.published <= last.index:
        raise Conflict(
            f"entry {last.index} names a key and is not published yet; the background runner does "
            "that within a second, ask again then"
        )
    if state.file_of(last.verifier) is None:
        raise Conflict(
            f"the file of {last.verifier.to_text()} is not here, and only with it can another key "
            "follow; where it is lost or stolen see docs/key-ceremony.md"
        )
    signer = _next(state, settings, made)
    path = key.path_of(settings.key_file, signer.verifier)
    await asyncio.to_thread(key.write, path, signer)
    stated = KeyEntry(actor=OPERATOR.name, key=signer.verifier_key, follows=last.verifier.to_text())
    async with context.transaction() as connection:
        locked = await context.guard.lock(connection, now=now)
        if (await read_keys(connection)).last != last.verifier:
            raise Conflict("another key was named meanwhile; see registry log key show")
        [appended] = await append(connection, context.guard, locked, [StatedEntry(entry=stated)])
        await audit_trail.note(
            connection, OPERATOR, "rotate_key", signer.verifier_key, before=None, now=now
        )
    return path, appended.index


def _next(state: KeyState, settings: Settings, made: Signer | None) -> Signer:
    """Return the key that is to follow: the one given, one that lies here, or a new one."""
    pending = state.pending
    if made is not None:
        if made.name != state.chain.origin or made.verifier in state.chain.verifiers:
            raise Conflict(
                f"{made.verifier_key} cannot follow: it must be a new key of the name "
                f"{state.chain.origin}"
            )
        return made
    if len(pending) > 1:
        raise Conflict(
            f"{len(pending)} keys lie in {settings.key_file.parent} that no entry names; name the "
            "one that is to follow with --new, or move the others away"
        )
    return state.files[pending[0]] if pending else key.make(state.chain.origin)
