"""Checkpoints, c2sp.org/tlog-checkpoint: a log's name, its size, and its root at that size."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from registry.tlog import base64_text
from registry.tlog.hashing import HASH_BYTES
from registry.tlog.keys import ED25519, Verifier
from registry.tlog.note import NoteRefused, Verified, open_note, parse_note

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_LARGEST = 2**63 - 1


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A log's name, its size in entries, and its 32-byte root at that size."""

    origin: str
    size: int
    root: bytes

    def to_text(self) -> str:
        """Return the note's text: exactly three lines, without extensions (§ Note text)."""
        return f"{self.origin}\n{self.size}\n{base64_text.encode(self.root)}\n"


class OpenedCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that the log has signed, and every signature of a known key."""

    checkpoint: Checkpoint
    verified: tuple[Verified, ...]


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint of a note's text. Raises `NoteRefused` unless it has three lines."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:  # noqa: PLR2004  three, and what follows them
        raise NoteRefused("a checkpoint has exactly three lines: origin, size and root")
    origin, size, root = lines[:3]
    if _DECIMAL.fullmatch(size) is None or int(size) > _LARGEST:
        raise NoteRefused("the checkpoint's size is no decimal number")
    try:
        return Checkpoint(origin=origin, size=int(size), root=base64_text.decode(root, HASH_BYTES))
    except ValueError as error:
        raise NoteRefused(f"the checkpoint's root cannot be read: {error}") from error


def stated(note: bytes) -> Checkpoint:
    """Return the checkpoint of a note whose signatures are not checked. Raises `NoteRefused`."""
    return parse_checkpoint(parse_note(note).text)


def open_checkpoint(
    content: bytes, *, origin: str, verifiers: Sequence[Verifier]
) -> OpenedCheckpoint:
    """Return a log's checkpoint. Raises `NoteRefused` unless the log itself has signed it.

    `verifiers` may hold witnesses' keys too. One of an empty log proves nothing and is refused.
    """
    opened = open_note(content, verifiers)
    checkpoint = parse_checkpoint(opened.text)
    if checkpoint.origin != origin:
        raise NoteRefused(f"the checkpoint is of {checkpoint.origin}, not of {origin}")
    if not opened.keys(ED25519):
        raise NoteRefused("the log has not signed the checkpoint, only others have")
    if checkpoint.size == 0:
        raise NoteRefused("the checkpoint is of an empty log")
    return OpenedCheckpoint(checkpoint=checkpoint, verified=opened.verified)
