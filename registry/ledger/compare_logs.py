"""Comparing what two people have of one log: whether it can be one history."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import msgspec

from registry.errors import ConfigurationError
from registry.ledger.histories import (
    begun_anew,
    check_goes_on,
    compare_notes,
    signed_checkpoint,
)
from registry.ledger.kept_notes import KeptNote, proven_keys
from registry.ledger.verify_log import ReadFile, keys_from
from registry.tlog.checkpoint import stated
from registry.tlog.keys import Verifier, parse_verifier


class LogSource(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has of a log: notes, each with where it lies, and of a log itself its files.

    Of a log there is one note, its checkpoint.
    """

    notes: Sequence[tuple[str, KeptNote]]
    read: ReadFile | None = None


class ComparedLog(msgspec.Struct, frozen=True, kw_only=True):
    """The sizes of a log that were compared, and whether it is known that it only grew."""

    origin: str
    sizes: Sequence[int]
    is_known: bool


def compare_sources(sources: Sequence[LogSource], verifier: Verifier | None) -> ComparedLog:
    """Return what two sources together show of a log; raises `TwoHistories`.

    Without a verifier it is the key that the first log names, else the first that stands beside a
    note. Raises `ConfigurationError` where they are of different logs, or that key has signed no
    note; `LogInconsistent` where a signature does not hold, or files are not what was
    signed.
    """
    listed = [(*one, source.read) for source in sources for one in source.notes]
    origins = sorted({note.origin for _, note, _ in listed})
    if len(origins) > 1:
        raise ConfigurationError(f"these are different logs: {', '.join(origins)}")
    [origin] = origins
    verifiers = _verifiers(sources, verifier)
    signed: dict[int, tuple[str, bytes]] = {}
    others: list[tuple[str, bytes]] = []
    logs: list[tuple[int, bytes, ReadFile]] = []
    for where, kept, read in listed:
        said = signed_checkpoint(where, kept.note, origin, verifiers)
        if said is None:
            others.append((where, kept.note))
            continue
        _, first = signed.setdefault(said.size, (where, kept.note))
        compare_notes(first, kept.note, verifiers, None)
        if read is not None:
            logs.append((said.size, kept.note, read))
    if not signed:
        raise ConfigurationError(
            f"no known key of {origin} has signed these; give the log's with --key"
        )
    if others:
        raise begun_anew(origin, signed[max(signed)], others[0], is_log_known=bool(logs))
    if not logs:
        return ComparedLog(origin=origin, sizes=sorted(signed), is_known=len(signed) == 1)
    _, note, read = max(logs, key=lambda one: one[0])
    check_goes_on(note, verifiers, read, list(signed.values()))
    return ComparedLog(origin=origin, sizes=sorted(signed), is_known=True)


def _verifiers(sources: Sequence[LogSource], verifier: Verifier | None) -> Sequence[Verifier]:
    """Return the keys of the log: as it names them itself, or as they stand beside notes."""
    for source in sources:
        if source.read is not None:
            size = stated(source.notes[0][1].note).size
            return keys_from(source.read, size, verifier).verifiers
    notes = [note for source in sources for _, note in source.notes]
    for note in notes:
        if verifier is None and note.key is not None:
            with suppress(ValueError):
                verifier = parse_verifier(note.key)
    return [] if verifier is None else list(proven_keys(verifier, notes))
