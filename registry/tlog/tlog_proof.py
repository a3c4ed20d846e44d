"""Inclusion proofs as files, c2sp.org/tlog-proof: an audit path and its checkpoint."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from registry.tlog import base64_text
from registry.tlog.checkpoint import OpenedCheckpoint, open_checkpoint
from registry.tlog.hashing import HASH_BYTES
from registry.tlog.keys import Verifier
from registry.tlog.note import MAX_BYTES
from registry.tlog.proof import check_inclusion

_FIRST = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_EXTRA = "extra "
_LONGEST_PATH = 63


class TlogProof(msgspec.Struct, frozen=True, kw_only=True):
    """An entry's index, its audit path, and the bytes of a checkpoint (§ Format).

    `extra` is not covered by any signature.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def to_bytes(self) -> bytes:
        """Return the file, named `….tlog-proof`."""
        lines = [_FIRST]
        if self.extra is not None:
            lines.append(_EXTRA + base64_text.encode(self.extra))
        lines.append(f"index {self.index}")
        lines += map(base64_text.encode, self.path)
        return "\n".join([*lines, "", ""]).encode() + self.checkpoint


def parse_tlog_proof(content: bytes) -> TlogProof:
    """Return the parts of a proof, unchecked. Raises `ValueError`."""
    if len(content) > 2 * MAX_BYTES:
        raise ValueError("the proof is too large")
    head, blank, checkpoint = content.partition(b"\n\n")
    if not blank:
        raise ValueError("the proof has no blank line with a checkpoint after it")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError("the proof's first part is not ASCII") from error
    if first != _FIRST:
        raise ValueError(f"the proof does not begin with {_FIRST}")
    extra = None
    if lines and lines[0].startswith(_EXTRA):
        extra = base64_text.decode(lines.pop(0).removeprefix(_EXTRA))
    match = _INDEX.fullmatch(lines[0]) if lines else None
    if match is None:
        raise ValueError("the proof does not say the entry's index")
    if len(lines) - 1 > _LONGEST_PATH:
        raise ValueError("the proof's path is too long")
    return TlogProof(
        index=int(match[1]),
        path=tuple(base64_text.decode(line, HASH_BYTES) for line in lines[1:]),
        checkpoint=checkpoint,
        extra=extra,
    )


def check_tlog_proof(
    proof: TlogProof, *, leaf: bytes, origin: str, verifiers: Sequence[Verifier]
) -> OpenedCheckpoint:
    """Return the checkpoint under which a leaf is in the log, to count its cosignatures.

    Raises `NoteRefused` or `ProofRefused`, both `ValueError`.
    """
    opened = open_checkpoint(proof.checkpoint, origin=origin, verifiers=verifiers)
    check_inclusion(
        proof.path,
        index=proof.index,
        size=opened.checkpoint.size,
        leaf=leaf,
        root=opened.checkpoint.root,
    )
    return opened
