"""Signed notes, c2sp.org/signed-note: a text, a blank line, and signature lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from registry.tlog import base64_text
from registry.tlog.cosignature import message_of, parse_timed_signature
from registry.tlog.keys import COSIGNATURES, Signer, Verifier

MAX_BYTES = 1 << 20
MAX_SIGNATURES = 100

_ID_BYTES = 4
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f]")
_LINE = re.compile(r"— ([^ +]+) ([A-Za-z0-9+/=]+)")


class NoteRefused(ValueError):
    """A note that is malformed, or not signed as it must be."""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature line: the key's name and 4-byte id, and the signature of the key's type."""

    name: str
    key: bytes
    raw: bytes

    def to_line(self) -> str:
        """Return the line, with its newline (§ Signatures)."""
        return f"— {self.name} {base64_text.encode(self.key + self.raw)}\n"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A note whose signatures are not checked; `text` ends in a newline."""

    text: str
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """Return the note as it is served."""
        return (self.text + "\n" + "".join(one.to_line() for one in self.signatures)).encode()


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A signature that holds; `time` is a cosignature's, POSIX seconds."""

    verifier: Verifier
    time: int | None = None


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A note's text, and the signatures of known keys."""

    text: str
    verified: tuple[Verified, ...]

    def keys(self, kind: int) -> frozenset[bytes]:
        """Return the distinct public keys of a type: one counts once, whatever its names."""
        return frozenset(one.verifier.public for one in self.verified if one.verifier.kind == kind)


def parse_note(content: bytes) -> Note:
    """Return the parts of a note (§ Format). Raises `NoteRefused`."""
    if len(content) > MAX_BYTES:
        raise NoteRefused(f"a note has at most {MAX_BYTES:,} bytes")
    try:
        whole = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteRefused("the note is not UTF-8") from error
    if _CONTROLS.search(whole):
        raise NoteRefused("the note holds control characters")
    # The text may hold blank lines itself: the last one is what separates.
    text, blank, signed = whole.rpartition("\n\n")
    if not blank or not signed.endswith("\n"):
        raise NoteRefused("the note has no blank line with signatures after it")
    lines = signed[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteRefused(f"the note has more than {MAX_SIGNATURES} signatures")
    return Note(text=text + "\n", signatures=tuple(_signature(line) for line in lines))


def open_note(content: bytes, verifiers: Iterable[Verifier]) -> Opened:
    """Return a note's checked signatures. Raises `NoteRefused` if none is known, or one fails.

    Signatures of keys that are not known are passed over (§ Signatures).
    """
    note = parse_note(content)
    known = {(verifier.name, verifier.id): verifier for verifier in verifiers}
    verified: list[Verified] = []
    for signature in note.signatures:
        verifier = known.get((signature.name, signature.key))
        if verifier is not None:
            verified.append(_verified(verifier, note.text, signature.raw))
    if not verified:
        raise NoteRefused("none of the known keys has signed the note")
    return Opened(text=note.text, verified=tuple(verified))


def open_line(content: bytes, line: str, verifier: Verifier) -> Verified:
    """Return the signature of a key on a note's text that a line states, which ends in a newline.

    Raises `NoteRefused` where it does not hold.
    """
    text = parse_note(content).text
    [verified] = open_note(f"{text}\n{line}".encode(), [verifier]).verified
    return verified


def sign_note(text: str, signers: Sequence[Signer]) -> Note:
    """Return a text that ends in a newline, signed with Ed25519 keys (§ Ed25519 signatures)."""
    return Note(
        text=text,
        signatures=tuple(
            Signature(name=one.name, key=one.verifier.id, raw=one.sign(text.encode()))
            for one in signers
        ),
    )


def _signature(line: str) -> Signature:
    match = _LINE.fullmatch(line)
    if match is None or any(sign.isspace() for sign in match[1]):
        raise NoteRefused("a line after the blank one is no signature")
    try:
        raw = base64_text.decode(match[2])
    except ValueError as error:
        raise NoteRefused(f"the signature of {match[1]} cannot be read: {error}") from error
    if len(raw) <= _ID_BYTES:
        raise NoteRefused(f"the signature of {match[1]} is too short")
    return Signature(name=match[1], key=raw[:_ID_BYTES], raw=raw[_ID_BYTES:])


def _verified(verifier: Verifier, text: str, raw: bytes) -> Verified:
    time = None
    message, signature = text.encode(), raw
    try:
        if verifier.kind in COSIGNATURES:
            timed = parse_timed_signature(raw, verifier.kind)
            time, signature = timed.time, timed.signature
            message = message_of(text, timed.time, verifier)
    except ValueError as error:
        raise NoteRefused(f"the signature of {verifier.name} does not hold: {error}") from error
    if not verifier.verifies(message, signature):
        raise NoteRefused(f"the signature of {verifier.name} does not hold")
    return Verified(verifier=verifier, time=time)
