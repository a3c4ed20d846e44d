"""What was ever signed of the log: a file outside the database, so that no backup forgets it.

A line a checkpoint, `size root`, the root in base64. It is written, and synced, before the
signature is made; it is only ever appended to.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from registry.errors import ConfigurationError
from registry.log.files import CHECKPOINT, read_published, sync
from registry.settings import Settings
from registry.tlog import base64_text
from registry.tlog.hashing import HASH_BYTES

_LINE = re.compile(rb"([1-9][0-9]{0,18}) ([A-Za-z0-9+/]{43}=)")
_LONGEST_LINE = 80


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
        _cut_what_was_interrupted(file.fileno())
        file.write(f"{size} {base64_text.encode(root)}\n".encode())
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync(path.parent)


def _cut_what_was_interrupted(descriptor: int) -> None:
    end = os.fstat(descriptor).st_size
    start = max(0, end - _LONGEST_LINE)
    tail = os.pread(descriptor, end - start, start)
    whole = tail.rfind(b"\n") + 1
    if whole < len(tail):
        os.ftruncate(descriptor, start + whole)
