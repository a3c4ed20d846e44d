"""A publisher that is told where to die: `python -m tests.crash.dying DATABASE_URL`.

For each line of its input, JSON, it makes a process that publishes the log once and meets one
fault, and answers with a line: `published`, `failed` or `died`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import errno
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn, Self

from registry.ledger.publish_files import publish_log
from registry.settings import Settings
from registry.store.database import connect


class Fault:
    """Something that happens at the so-many-th time that the publisher touches the disk.

    `kind` is a step to die after, `kill`, `torn` (half of what is written gets there, then death)
    or the name of an error of the operating system, such as `ENOSPC`.
    """

    def __init__(self, kind: str, at: int) -> None:
        self._kind = kind
        self._left = at
        self._lock = threading.Lock()

    def step(self, name: str) -> None:
        if name == self._kind:
            self._die()

    def touch(self, file: Any = None, content: bytes = b"") -> None:
        with self._lock:
            self._left -= 1
            if self._left:
                return
        if self._kind == "kill":
            self._die()
        if self._kind == "torn":
            if file is not None:
                file.raw.write(content[: len(content) // 2])
            self._die()
        if self._kind.isupper():
            raise OSError(getattr(errno, self._kind), os.strerror(getattr(errno, self._kind)))

    @staticmethod
    def _die() -> NoReturn:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("nobody survives this")


class _Faulty:
    """A file opened for writing, whose writes meet the fault."""

    def __init__(self, file: Any, fault: Fault) -> None:
        self._file = file
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, content: bytes) -> int:
        self._fault.touch(self._file, content)
        return int(self._file.write(content))


def _inject(fault: Fault) -> None:
    """Let every write, sync and renaming of this process meet the fault."""
    opened, synced, replaced = Path.open, os.fsync, Path.replace

    def open_(path: Path, mode: str = "r", *more: Any, **options: Any) -> Any:
        file = opened(path, mode, *more, **options)
        return _Faulty(file, fault) if set(mode) & set("wxa") else file

    def fsync(descriptor: int) -> None:
        fault.touch()
        synced(descriptor)

    def replace(path: Path, target: Path) -> Path:
        fault.touch()
        return replaced(path, target)

    Path.open = open_  # type: ignore[method-assign, assignment]
    os.fsync = fsync  # type: ignore[assignment]
    Path.replace = replace  # type: ignore[method-assign, assignment]


async def _publish(url: str, settings: Settings, now: dt.datetime, fault: Fault) -> None:
    database = await connect(url, size=2)
    try:
        await publish_log(database, settings, now=now, done=fault.step)
    finally:
        await database.close()


def _child(url: str, order: dict[str, Any]) -> NoReturn:
    code = 1
    try:
        fault = Fault(order["kind"], order["at"])
        _inject(fault)
        settings = Settings(data_dir=Path(order["data"]), base_url=order["base"])
        asyncio.run(_publish(url, settings, dt.datetime.fromisoformat(order["now"]), fault))
        code = 0
    except Exception as error:  # noqa: BLE001  the parent is told, and looks at the files
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
    finally:
        os._exit(code)


def main() -> None:
    url = sys.argv[1]
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _child(url, json.loads(line))
        _, status = os.waitpid(child, 0)
        ended = "died" if os.WIFSIGNALED(status) else ("failed" if status else "published")
        sys.stdout.write(ended + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
