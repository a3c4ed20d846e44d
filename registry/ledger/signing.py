"""Signing the log with all keys that must, and keeping what vouches for each later key."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from registry.errors import ConfigurationError
from registry.ledger import key, signing_journal
from registry.ledger.proofs import prover
from registry.ledger.published_log import read_keys
from registry.ledger.signing_journal import SignedSize
from registry.log.entry import timestamp
from registry.log.files import LogRefused, read_checkpoint, read_published, write_durable
from registry.log.key_chain import KeyChain, KeyRefused, follow, key_path, prove_key
from registry.settings import Settings
from registry.store import checkpoints
from registry.store.checkpoints import Signed
from registry.store.database import Connection, Database
from registry.store.log import LogState
from registry.tlog.checkpoint import Checkpoint, open_checkpoint
from registry.tlog.keys import Signer
from registry.tlog.note import NoteRefused, parse_note, sign_note


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
        note = parse_note(published)
        ours = {(one.name, one.id) for one in chain.verifiers}
        lines = tuple(one for one in note.signatures if (one.name, one.key) in ours)
        own = msgspec.structs.replace(note, signatures=lines).to_bytes()
        return Signed(size=size, root=root, note=own, signed_at=now)
    signers = signers_of(key.read_all(settings.key_file), chain, healed, last)
    return sign(signers, healed, now=now)


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
    return signed + signing_journal.read_signed_size(settings)
