"""The keys of a log, one after another: which of them have to sign a checkpoint.

The first entry names the first key, and an entry of the kind `key` the one that follows it. Every
checkpoint that covers that entry is signed by the new key; by the one before too, as long as its
last entry is younger than `OVERLAP` after the entry that replaced it. The first checkpoint that
covers the entry is signed by both however late it is, and a proof to it is kept as a file for ever:
it leads whoever knows the first key to the last.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec

from registry.log.entry import (
    GenesisEntry,
    KeyEntry,
    LogEntry,
    decode_entry,
    parse_timestamp,
    read_entry,
    timestamp,
)
from registry.tlog.checkpoint import Checkpoint, OpenedCheckpoint, open_checkpoint
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import ED25519, Verifier, parse_verifier
from registry.tlog.note import NoteRefused
from registry.tlog.tlog_proof import TlogProof, check_tlog_proof, parse_tlog_proof

OVERLAP = dt.timedelta(days=90)
"""For so long the key before signs beside the one that follows it."""

MOST_KEYS = 10_000
"""The keys that a log may have: another's is not followed without end."""


class KeyRefused(ValueError):
    """A key entry that may not stand where it does."""


class LogKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of the log, the entry that names it, and the time of that entry as it says it.

    `until` is the time from which entries are no longer signed by it, None for the last key.
    """

    verifier: Verifier
    index: int
    since: str
    until: str | None = None


class KeyChain(msgspec.Struct, frozen=True):
    """The keys of a log in the order of their entries; each `step` returns the chain after it.

    `continues` is the last word of the log that this one says to continue.
    """

    keys: tuple[LogKey, ...]
    continues: Checkpoint | None = None

    @classmethod
    def begin(cls, genesis: LogEntry) -> KeyChain:
        """Begin with the first entry of a log; raises `KeyRefused` where it names no key."""
        if not isinstance(genesis, GenesisEntry):
            raise KeyRefused("the first entry does not name the log's key")
        try:
            verifier = parse_verifier(genesis.key)
            continues = genesis.continued()
        except ValueError as error:
            raise KeyRefused("the first entry does not name the log's key") from error
        if verifier.kind != ED25519 or genesis.origin != verifier.name:
            raise KeyRefused("the first entry names a key that is not of its origin")
        return cls((LogKey(verifier=verifier, index=0, since=genesis.at),), continues)

    @classmethod
    def known(cls, verifier: Verifier) -> KeyChain:
        """Begin with a key that is known from elsewhere, whatever came before it."""
        return cls((LogKey(verifier=verifier, index=0, since=""),))

    def step(self, index: int, entry: LogEntry) -> KeyChain:
        """Return the chain after an entry; raises `KeyRefused` for a key that may not follow."""
        if not isinstance(entry, KeyEntry):
            return self
        last = self.keys[-1]
        if entry.follows != last.verifier.to_text() or index <= last.index:
            raise KeyRefused("its key does not follow the last key of the log")
        if self.is_full:
            raise KeyRefused(f"a log has {MOST_KEYS:,} keys at most")
        try:
            verifier = parse_verifier(entry.key)
        except ValueError as error:
            raise KeyRefused(f"its key cannot be one of the log: {error}") from error
        if verifier.kind != ED25519 or verifier.name != self.origin:
            raise KeyRefused("its key is not one of this log")
        if verifier.public in {one.verifier.public for one in self.keys}:
            raise KeyRefused("its key was one of the log before")
        replaced = msgspec.structs.replace(
            last, until=timestamp(parse_timestamp(entry.at) + OVERLAP)
        )
        new = LogKey(verifier=verifier, index=index, since=entry.at)
        return KeyChain((*self.keys[:-1], replaced, new), self.continues)

    @property
    def is_full(self) -> bool:
        """Whether no further key may follow."""
        return len(self.keys) >= MOST_KEYS

    @property
    def origin(self) -> str:
        """The name of the log, which is that of all its keys."""
        return self.keys[0].verifier.name

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """Every key that ever was the log's, the first first."""
        return tuple(one.verifier for one in self.keys)

    @property
    def last(self) -> Verifier:
        """The key that signs now."""
        return self.keys[-1].verifier

    def at(self, time: str) -> tuple[Verifier, ...]:
        """Return the keys that sign a log whose last entry has this time, the first first."""
        return tuple(one.verifier for one in self.keys if one.until is None or time < one.until)

    def signing(self, time: str, *, signed: int) -> tuple[Verifier, ...]:
        """Return the keys that have to sign, where the first `signed` entries were signed before.

        Beside those in force, however late it is, each that was replaced in an entry since.
        """
        unsigned = {
            one.verifier.public
            for one, following in pairwise(self.keys)
            if following.index >= signed
        }
        in_force = self.at(time)
        return tuple(one for one in self.verifiers if one in in_force or one.public in unsigned)

    def until(self, size: int) -> KeyChain:
        """Return the chain as the first `size` entries have it."""
        kept = [one for one in self.keys if one.index < size]
        last = msgspec.structs.replace(kept[-1], until=None)
        return KeyChain((*kept[:-1], last), self.continues)

    def open(
        self, note: bytes, *, time: str | None = None, witnesses: Sequence[Verifier] = ()
    ) -> OpenedCheckpoint:
        """Check a checkpoint of the log by all keys that must have signed it.

        `time` is that of its last entry; without it the last key at its size must have signed.
        Raises `NoteRefused`.
        """
        opened = open_checkpoint(note, origin=self.origin, verifiers=[*self.verifiers, *witnesses])
        self.check(opened, time=time)
        return opened

    def check(self, opened: OpenedCheckpoint, *, time: str | None = None) -> None:
        """Raise `NoteRefused` unless all keys that must have signed a checkpoint have done so."""
        then = self.until(opened.checkpoint.size)
        signed = {one.verifier.public for one in opened.verified}
        for verifier in (then.last,) if time is None else then.at(time):
            if verifier.public not in signed:
                raise NoteRefused(
                    f"{verifier.to_text()}, a key of the log then, has not signed the checkpoint"
                )


def key_path(number: int) -> str:
    """Return the path of the proof that a log's key of a number, the first is 0, follows."""
    return f"key/{number}.tlog-proof"


def parse_key_path(path: str) -> int:
    """Return the number of a key's proof; raises `ValueError` for any but the one path."""
    number = path.removeprefix("key/").removesuffix(".tlog-proof")
    if not number.isdecimal() or key_path(int(number)) != path:
        raise ValueError(f"{path!r} is no path of a key's proof")
    return int(number)


def follow(chain: KeyChain, content: bytes) -> tuple[KeyChain, Checkpoint]:
    """Return the chain with one more key, by the proof of its entry, and the checkpoint of that.

    The proof holds the entry as its `extra`; both the key that it names and the one before must
    have signed the checkpoint. Raises `KeyRefused`.
    """
    try:
        proof = parse_tlog_proof(content)
        entry = proof.extra or b""
        named = read_entry(entry)
        followed = chain.step(proof.index, named)
        opened = check_tlog_proof(
            proof, leaf=leaf_hash(entry), origin=chain.origin, verifiers=followed.verifiers
        )
    except ValueError as error:
        raise KeyRefused(str(error)) from error
    if not isinstance(named, KeyEntry):
        raise KeyRefused("it holds no entry that names a key")
    signed = {one.verifier for one in opened.verified}
    for verifier in followed.verifiers[-2:]:
        if verifier not in signed:
            raise KeyRefused(
                f"the key of entry {proof.index} is not vouched for: {verifier.to_text()} has not "
                "signed the checkpoint"
            )
    return followed, opened.checkpoint


def follow_all(key: str, proofs: Sequence[str]) -> KeyChain:
    """Return the keys that the proofs of a log's later keys lead to from its first.

    Without proofs there is one, the key that is stated. Raises `ValueError`.
    """
    if not proofs:
        return KeyChain.known(parse_verifier(key))
    entry = decode_entry(parse_tlog_proof(proofs[0].encode()).extra or b"")
    if not isinstance(entry, KeyEntry):
        raise KeyRefused("it holds no entry that names a key")
    chain = KeyChain.known(parse_verifier(entry.follows))
    for proof in proofs:
        chain, _ = follow(chain, proof.encode())
    return chain


def prove_key(prove: Callable[[int], TlogProof], index: int, entry: bytes) -> bytes:
    """Make the proof of a key's entry, with its bytes in it, to a checkpoint of both keys."""
    return msgspec.structs.replace(prove(index), extra=entry).to_bytes()
