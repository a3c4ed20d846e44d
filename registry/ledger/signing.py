"""Signing checkpoints, and the journal of what was signed."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from registry.errors import ConfigurationError
from registry.ledger import key
from registry.ledger.proofs import prover
from registry.ledger.published_log import read_keys
from registry.log.entry import timestamp
from registry.log.files import (
    CHECKPOINT,
    LogRefused,
    read_checkpoint,
    read_published,
    sync,
    tree_of,
    write_durable,
)
from registry.log.key_chain import KeyChain, KeyRefused, follow, key_path, prove_key
from registry.settings import Settings
from registry.store import checkpoints
from registry.store.checkpoints import Signed
from registry.store.database import Connection, Database
from registry.store.log import LogState
from registry.tlog import base64_text
from registry.tlog.checkpoint import Checkpoint, open_checkpoint
from registry.tlog.hashing import HASH_BYTES
from registry.tlog.keys import Signer
from registry.tlog.note import NoteRefused, parse_note, sign_note
from registry.tlog.proof import root_of

_LINE = re.compile(rb"([1-9][0-9]{0,18}) ([A-Za-z0-9+/]{43}=)")
_LONGEST_LINE = 80
_AT_ONCE = 4096


class SignedSize(msgspec.Struct, frozen=True, kw_only=True):
    """A size and root that somebody has seen of this log; `where` names the witness of it."""

    where: str
    size: int
    root: bytes


def read_signed_size(settings: Settings) -> list[SignedSize]:
    """List what files know of, whatever the database says: what was signed, what is published.

    The signature of what is published is not checked. Raises `LogRefused` for what is no
    checkpoint.
    """
    found: list[SignedSize] = []
    noted = read_last(settings.signed_sizes_file)
    if noted is not None:
        found.append(
            SignedSize(where=str(settings.signed_sizes_file), size=noted[0], root=noted[1])
        )
    said = read_published(settings.log_dir)
    if said is not None:
        where = str(settings.log_dir / CHECKPOINT)
        found.append(SignedSize(where=where, size=said.size, root=said.root))
    return found


def read_last(path: Path) -> tuple[int, bytes] | None:
    """Read the size and root that were signed last; raises `ConfigurationError` on anything odd.

    A line whose writing was interrupted was never signed and does not count.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 2 * _LONGEST_LINE))
            tail = file.read()
    except FileNotFoundError:
        return None
    lines = tail[: tail.rfind(b"\n") + 1].split(b"\n")[:-1]
    if not lines:
        return None
    match = _LINE.fullmatch(lines[-1])
    try:
        if match is not None:
            return int(match[1]), base64_text.decode(match[2].decode(), HASH_BYTES)
    except ValueError:
        pass
    raise ConfigurationError(f"{path}: the last line is not what was written there")


def append(path: Path, size: int, root: bytes) -> None:
    """Note that a root is about to be signed."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    is_new = not path.exists()
    with path.open("ab+") as file:
        end = file.seek(0, os.SEEK_END)
        start = file.seek(max(0, end - _LONGEST_LINE))
        tail = file.read()
        # What was interrupted is cut off.
        file.truncate(start + tail.rfind(b"\n") + 1)
        file.write(f"{size} {base64_text.encode(root)}\n".encode())
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync(path.parent)


def sign(signers: Sequence[Signer], state: LogState, *, now: dt.datetime) -> Signed:
    """Sign the log as it is; the same size and root always give the same note."""
    size, root = state.range.size, state.range.root()
    text = Checkpoint(origin=signers[0].name, size=size, root=root).to_text()
    note = sign_note(text, signers).to_bytes()
    return Signed(size=size, root=root, note=note, signed_at=now)


def signers_of(
    there: Sequence[Signer], chain: KeyChain, state: LogState, last: Signed | None
) -> list[Signer]:
    """Return the keys that sign the log as it is, after it was signed last.

    Raises `ConfigurationError` where one is missing.
    """
    if state.last_at is None:
        raise ConfigurationError("the log has no first entry yet; start the register once")
    signed = 0 if last is None else last.size
    return key.signers(there, chain, timestamp(state.last_at), signed=signed)


def own_note(note: bytes, chain: KeyChain) -> bytes:
    """Return a note of the log with the signatures of its own keys alone."""
    parsed = parse_note(note)
    ours = {(one.name, one.id) for one in chain.verifiers}
    lines = tuple(one for one in parsed.signatures if (one.name, one.key) in ours)
    return msgspec.structs.replace(parsed, signatures=lines).to_bytes()


async def sign_again(
    connection: Connection,
    settings: Settings,
    healed: LogState,
    last: Signed | None,
    *,
    now: dt.datetime,
) -> Signed:
    """Return the checkpoint of the healed log: as it is published, or signed again the same.

    A key that has signed it may have been destroyed since.
    """
    chain = await read_keys(connection)
    published = read_checkpoint(settings.log_dir)
    size, root = healed.range.size, healed.range.root()
    if published is not None and read_published(settings.log_dir) == Checkpoint(
        origin=chain.origin, size=size, root=root
    ):
        return Signed(size=size, root=root, note=own_note(published, chain), signed_at=now)
    signers = signers_of(key.read_all(settings.key_file), chain, healed, last)
    return sign(signers, healed, now=now)


async def find_divergence(
    connection: Connection, folder: Path, last: Signed | None, furthest: SignedSize | None
) -> int | None:
    """Return the first entry in which the database contradicts what was signed further.

    It is looked for after the database's own last checkpoint, in the tiles of a folder. Raises
    `LogRefused` where these do not lead to what was signed.
    """
    agreed = 0 if last is None else last.size
    if furthest is None or furthest.size <= agreed:
        return None
    nodes = tree_of(folder, furthest.size)
    if await asyncio.to_thread(root_of, nodes, furthest.size) != furthest.root:
        raise LogRefused(f"the tiles in {folder} do not lead to the root that was signed")
    for at in range(agreed, furthest.size, _AT_ONCE):
        end = min(at + _AT_ONCE, furthest.size)
        for entry in await checkpoints.read_entries(connection, at, end):
            if entry.leaf != nodes(0, entry.index):
                return entry.index
    return None


async def write_key_proofs(database: Database, folder: Path, chain: KeyChain) -> None:
    """Keep for each later key the proof of its entry to the first checkpoint that covers it."""
    for number, one in enumerate(chain.keys[1:], 1):
        path = key_path(number)
        if (folder / path).exists():
            continue
        async with database.connection() as connection:
            signed = await checkpoints.read_first_beyond(connection, one.index)
            [entry] = await checkpoints.read_entries(connection, one.index, one.index + 1)
        if signed is None:
            raise LogRefused(f"no checkpoint covers entry {one.index}, which was signed")
        prove = prover(folder, signed.note)
        proof = await asyncio.to_thread(prove_key, prove, one.index, entry.content)
        try:
            follow(chain.until(one.index), proof)
        except KeyRefused as error:
            raise LogRefused(
                f"{folder / path} is missing, and cannot be made again: {error}; put it back from "
                "a copy of the log"
            ) from error
        await asyncio.to_thread(write_durable, folder, [(path, proof)])


def reached_elsewhere(
    settings: Settings,
    there: Sequence[Signer],
    chain: KeyChain,
    last: Signed | None,
    *,
    stored: bytes | None = None,
) -> list[SignedSize]:
    """List what is known to have been signed: by database, by file, by what is published.

    What is published is ours by any key that the log ever had, or that lies here: an older state
    of the database does not know the last one. `stored` is the checkpoint in the store of objects;
    one that is not ours counts nothing, since others may write there.
    """
    published = read_checkpoint(settings.log_dir)
    ours = {*chain.verifiers, *(one.verifier for one in there)}
    if published is not None:
        try:
            open_checkpoint(published, origin=chain.origin, verifiers=list(ours))
        except NoteRefused as error:
            raise LogRefused(f"the published checkpoint is not ours: {error}") from error
    signed = []
    if last is not None:
        signed.append(SignedSize(where="the database", size=last.size, root=last.root))
    if stored is not None:
        with suppress(NoteRefused):
            said = open_checkpoint(stored, origin=chain.origin, verifiers=list(ours)).checkpoint
            where = str(settings.publish_to)
            signed.append(SignedSize(where=where, size=said.size, root=said.root))
    return signed + read_signed_size(settings)
