"""Comparing a log with what is known of it: notes that were kept, and what a user has seen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias

from registry.ledger.histories import (
    TwoHistories,
    begun_anew,
    check_goes_on,
    compare_notes,
    signed_by,
    signed_checkpoint,
)
from registry.ledger.kept_notes import KeptNote, proven_keys
from registry.ledger.memory import CheckpointMemory, RememberedLog
from registry.ledger.verify_log import ReadFile, VerifiedLog, keys_from
from registry.log.files import CHECKPOINT
from registry.log.replay import LogInconsistent
from registry.tlog.checkpoint import stated
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import Verifier, parse_verifier
from registry.tlog.note import NoteRefused, parse_note

KeptNotes: TypeAlias = Sequence[tuple[str, bytes]]
"""Notes that were kept, each with the name of its file."""


def check_known(
    log: VerifiedLog, read: ReadFile, kept: KeptNotes, memory: CheckpointMemory | None
) -> None:
    """Raise `TwoHistories` unless a verified log goes on from what is known; then remember it."""
    genesis = leaf_hash(log.genesis).hex()
    known, seen = _recall(memory, log.verifier.name)
    is_begun_anew = known is not None and known.genesis not in {None, genesis}
    check_goes_on(log.note, log.keys.verifiers, read, [*seen, *kept], is_begun_anew=is_begun_anew)
    if memory is not None:
        memory.settle(
            RememberedLog(
                origin=log.verifier.name,
                key=log.verifier.to_text(),
                genesis=genesis,
                notes=[log.note],
                keys=[one.to_text() for one in log.keys.verifiers],
            )
        )


def check_refused(
    read: ReadFile, verifier: Verifier | None, kept: KeptNotes, memory: CheckpointMemory | None
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
    memory: CheckpointMemory | None,
) -> None:
    """Raise `TwoHistories` where kept notes contradict each other, or what was seen before.

    Without the log only notes of one size can, and such as are signed by other keys than the log's:
    the verifier, else the key that was remembered, else the first that stands beside a note. What
    that key has signed is remembered then. Raises `LogInconsistent` where its signature does not
    hold.
    """
    for origin in sorted({one.origin for _, one in kept}):
        known, seen = _recall(memory, origin)
        ours = [(where, one) for where, one in kept if one.origin == origin]
        named = [known.key] if known is not None else [one.key for _, one in ours if one.key]
        trusted = _trusted(origin, verifier, named)
        if trusted is None:
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
            memory.add(RememberedLog(origin=origin, key=trusted.to_text(), notes=notes))


def _check_not_replaced(
    known: RememberedLog, keys: Collection[Verifier], where: str, note: bytes
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
    memory: CheckpointMemory | None, origin: str
) -> tuple[RememberedLog | None, list[tuple[str, bytes]]]:
    known = None if memory is None else memory.recall(origin)
    if memory is None or known is None:
        return None, []
    place = f"remembered in {memory.place(origin)}; to forget it, remove that folder"
    where = f"what was seen of it before ({place})"
    return known, [(where, note) for note in known.notes]
