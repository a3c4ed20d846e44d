"""A few bytes that change with every write, in a file that all processes of a host have mapped.

Who finds them as they were needs not ask the database whether anything is new.
"""

from __future__ import annotations

import mmap
import os
import secrets
from pathlib import Path

from registry.errors import ConfigurationError

LOOK_SECONDS = 0.5
"""After so long the database is asked for what is new, whatever the bytes say: so far behind may
the answers of another host be."""

_BYTES = 16
_MODE = 0o660


class Generation:
    """The file, mapped. Each change writes bytes that were never there before."""

    def __init__(self, path: Path) -> None:
        """Map the file, which is made where it is not there.

        Raises `ConfigurationError` where that is not allowed.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, _MODE)
            try:
                if os.fstat(descriptor).st_size < _BYTES:
                    os.ftruncate(descriptor, _BYTES)
                    # Whatever the umask: processes of other users in the group write it as well.
                    os.fchmod(descriptor, _MODE)
                self._map = mmap.mmap(descriptor, _BYTES)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise ConfigurationError(
                f"{path} cannot be opened for writing ({error.strerror}); every process of the "
                "register must be able to: run them as one user, or as users of one group"
            ) from error

    def read(self) -> bytes:
        """Give the bytes; torn while another writes they are new all the same."""
        return self._map[:]

    def change(self) -> None:
        """Tell the others that something was written; only after it was committed."""
        self._map[:] = secrets.token_bytes(_BYTES)
