"""A few bytes that change with every write, in a file that all processes of a host have mapped.

Who finds them as they were needs not ask the database whether anything is new.
"""

from __future__ import annotations

import mmap
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BYTES = 16


class Generation:
    """The file, mapped. Each change writes bytes that were never there before."""

    def __init__(self, path: Path) -> None:
        """Map the file, which is made where it is not there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o660)
        try:
            if os.fstat(descriptor).st_size < _BYTES:
                os.ftruncate(descriptor, _BYTES)
            self._map = mmap.mmap(descriptor, _BYTES)
        finally:
            os.close(descriptor)

    def read(self) -> bytes:
        """Give the bytes; torn while another writes they are new all the same."""
        return self._map[:]

    def change(self) -> None:
        """Tell the others that something was written; only after it was committed."""
        self._map[:] = secrets.token_bytes(_BYTES)
