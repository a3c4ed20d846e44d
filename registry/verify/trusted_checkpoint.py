"""The checkpoints that a user trusts: the last of each log, remembered between commands.

A folder for each origin: `log.json` with the key that was trusted on first use, and a file for each
note, named by its size. One note was compared with all others; further ones were met in proofs, and
wait until the log itself is read. What is met later of a log is compared with them, and with notes
that were kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

import msgspec

from registry.errors import ConfigurationError
from registry.log.files import CHECKPOINT, replace_durable
from registry.log.replay import LogInconsistent
from registry.tlog.checkpoint import stated
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import Verifier, parse_verifier
from registry.tlog.note import NoteRefused, parse_note
from registry.verify.consistency import (
    KeptNote,
    TwoHistories,
    begun_anew,
    check_goes_on,
    compare_notes,
    proven_keys,
    signed_by,
    signed_checkpoint,
)
from registry.verify.log import ReadFile, VerifiedLog, keys_from

PACKAGE = "public-algorithm-register"
_LOG = "log.json"
_MOST_NOTES = 1000


class TrustedLog(msgspec.Struct, frozen=True, kw_only=True):
    """A log as it was met: origin, verifier key, leaf hash of the first entry in hex, notes.

    `genesis` is None where only proofs of the log were met; the smallest note comes first. `keys`
    are all that the log was seen to have, from the first to the last.
    """

    origin: str
    key: str
    genesis: str | None = None
    notes: list[bytes] = []
    keys: Sequence[str] = ()


class TrustedCheckpoints:
    """The logs that a user has met, below one folder."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made when there is something to remember."""
        self._folder = folder

    def place(self, origin: str) -> Path:
        """Return the folder of a log: who removes it forgets the log."""
        return self._folder / sha256(origin.encode()).hexdigest()

    def recall(self, origin: str) -> TrustedLog | None:
        """Return what is remembered of a log; None where it was never met."""
        place = self.place(origin)
        try:
            log = msgspec.json.decode((place / _LOG).read_bytes(), type=TrustedLog)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ConfigurationError(
                f"{place / _LOG} is not what was written there: {error}; to forget the log, remove "
                "its folder"
            ) from error
        files = sorted(place.glob("checkpoint-*"), key=lambda one: int(one.name.split("-")[1]))
        return msgspec.structs.replace(log, notes=[one.read_bytes() for one in files])

    def add(self, log: TrustedLog) -> None:
        """Remember further notes of a log, beside those that are there; each must be signed."""
        before = self.recall(log.origin)
        notes = [] if before is None else before.notes
        self._write(log if before is None else before)
        for note in log.notes:
            if note not in notes and len(notes) < _MOST_NOTES:
                self._write_note(log.origin, note)
                notes.append(note)

    def settle(self, log: TrustedLog) -> None:
        """Remember one note in place of all, since it was shown that the log goes on from them."""
        [note] = log.notes
        self._write(log)
        kept = self._write_note(log.origin, note)
        for path in self.place(log.origin).glob("checkpoint-*"):
            if path != kept and int(path.name.split("-")[1]) <= stated(note).size:
                path.unlink(missing_ok=True)

    def _write(self, log: TrustedLog) -> None:
        content = msgspec.json.encode(
            {"origin": log.origin, "key": log.key, "genesis": log.genesis, "keys": log.keys}
        )
        self._replace(self.place(log.origin), _LOG, content)

    def _write_note(self, origin: str, note: bytes) -> Path:
        place = self.place(origin)
        name = f"checkpoint-{stated(note).size}-{sha256(note).hexdigest()[:8]}"
        self._replace(place, name, note)
        return place / name

    def _replace(self, place: Path, name: str, content: bytes) -> None:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (place / name).exists() or (place / name).read_bytes() != content:
            replace_durable(place, name, content)


def memory_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of the logs that a user has met, XDG Base Directory Specification."""
    base = environment.get("XDG_STATE_HOME", "")
    # A relative path is invalid and to be ignored, says the specification.
    state = Path(base) if base.startswith("/") else Path.home() / ".local/state"
    return state / PACKAGE / "logs"


KeptNotes: TypeAlias = Sequence[tuple[str, bytes]]
"""Notes that were kept, each with the name of its file."""


def check_known(
    log: VerifiedLog, read: ReadFile, kept: KeptNotes, memory: TrustedCheckpoints | None
) -> None:
    """Raise `TwoHistories` unless a verified log goes on from what is known; then remember it."""
    genesis = leaf_hash(log.genesis).hex()
    known, seen = _recall(memory, log.verifier.name)
    is_begun_anew = known is not None and known.genesis not in {None, genesis}
    check_goes_on(log.note, log.keys.verifiers, read, [*seen, *kept], is_begun_anew=is_begun_anew)
    if memory is not None:
        memory.settle(
            TrustedLog(
                origin=log.verifier.name,
                key=log.verifier.to_text(),
                genesis=genesis,
                notes=[log.note],
                keys=[one.to_text() for one in log.keys.verifiers],
            )
        )


def check_refused(
    read: ReadFile, verifier: Verifier | None, kept: KeptNotes, memory: TrustedCheckpoints | None
) -> None:
    """Raise `TwoHistories` where a log that is not in order contradicts what is known of it.

    Without a verifier it is of the key that was remembered, else of the one that it names.
    """
    try:
        note = read(CHECKPOINT)
        said = stated(note)
        known, seen = _recall(memory, said.origin)
        if verifier is None:
            verifier = None if known is None else parse_verifier(known.key)
        keys = keys_from(read, said.size, verifier).verifiers
        check_goes_on(note, keys, read, [*seen, *kept])
    except TwoHistories:
        raise
    except (FileNotFoundError, LogInconsistent, NoteRefused):
        # Why it is not in order is known already.
        return


def check_notes(
    kept: Sequence[tuple[str, KeptNote]],
    verifier: Verifier | None,
    memory: TrustedCheckpoints | None,
) -> list[str]:
    """Return the origins without a key, whose notes are not compared.

    Raises `TwoHistories` where kept notes contradict each other, or what was seen before. Without
    the log only notes of one size can, and such as are signed by other keys than the log's: the
    verifier, else the key that was remembered, else the first that stands beside a note. What that
    key has signed is remembered then. Raises `LogInconsistent` where its signature does not hold.
    """
    without_key = []
    for origin in sorted({one.origin for _, one in kept}):
        known, seen = _recall(memory, origin)
        ours = [(where, one) for where, one in kept if one.origin == origin]
        named = [known.key] if known is not None else [one.key for _, one in ours if one.key]
        trusted = _trusted(origin, verifier, named)
        if trusted is None:
            without_key.append(origin)
            continue
        signed: dict[int, tuple[str, bytes]] = {}
        others: list[tuple[str, bytes]] = []
        keys = proven_keys(trusted, [one for _, one in ours])
        if known is not None and trusted.to_text() in known.keys:
            keys.update(map(parse_verifier, known.keys))
        verifiers = list(keys)
        if known is not None:
            for where, one in ours:
                _check_not_replaced(known, keys, where, one.note)
        for where, note in [*seen, *((where, one.note) for where, one in ours)]:
            said = signed_checkpoint(where, note, origin, verifiers)
            if said is None:
                others.append((where, note))
            else:
                _, first = signed.setdefault(said.size, (where, note))
                compare_notes(first, note, verifiers, None)
        if signed and others:
            raise begun_anew(origin, next(iter(signed.values())), others[0])
        if memory is not None and signed:
            notes = [note for _, note in signed.values()]
            memory.add(TrustedLog(origin=origin, key=trusted.to_text(), notes=notes))
    return without_key


def _check_not_replaced(
    known: TrustedLog, keys: Collection[Verifier], where: str, note: bytes
) -> None:
    """Raise `TwoHistories` for a note that only keys have signed which were replaced before it."""
    replaced = {parse_verifier(one).id for one in known.keys[:-1]}
    later = {one.id for one in keys} - replaced
    signers = {one.key for one in parse_note(note).signatures}
    for seen in known.notes:
        is_after = stated(note).size >= stated(seen).size
        has_later = any(one.key in later for one in parse_note(seen).signatures)
        if is_after and has_later and signers & replaced and not signers & later:
            raise TwoHistories(
                known.origin,
                f"{where} was signed by {signed_by(note)}, which was replaced before",
                kind="replaced-key",
                notes=[seen, note],
            )


def _trusted(origin: str, verifier: Verifier | None, named: Sequence[str]) -> Verifier | None:
    """Return the key to check a log's notes by: the one given, else the first that is named."""
    if verifier is not None and verifier.name == origin:
        return verifier
    for text in named:
        try:
            found = parse_verifier(text)
        except ValueError:
            continue
        if found.name == origin:
            return found
    return None


def _recall(
    memory: TrustedCheckpoints | None, origin: str
) -> tuple[TrustedLog | None, list[tuple[str, bytes]]]:
    known = None if memory is None else memory.recall(origin)
    if memory is None or known is None:
        return None, []
    place = f"remembered in {memory.place(origin)}; to forget it, remove that folder"
    where = f"what was seen of it before ({place})"
    return known, [(where, note) for note in known.notes]
