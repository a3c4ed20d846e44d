"""An exclusive lock on a file, which can be kept for work that goes on in a thread."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO


class FileLock:
    """An exclusive lock on a file, which ends with the process at the latest."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises `OSError`."""
        self._file: IO[str] = path.open("a", encoding="utf-8")
        self._is_lent = False

    def take(self) -> bool:
        """Take the lock if nobody has it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def lend(self, work: Callable[[], None]) -> None:
        """Keep the lock until some work, begun in a thread, is done."""

        def until_done() -> None:
            try:
                work()
            finally:
                self._file.close()

        self._is_lent = True
        threading.Thread(target=until_done, name="search-merge").start()

    def release(self) -> None:
        """Release the lock, unless it is lent."""
        if not self._is_lent:
            self._file.close()
