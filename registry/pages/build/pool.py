"""Work that several processes share, such as rendering pages.

The processes are forks: they find the work as it is, and are sent the number of one part after the
other. An exception in one of them, or its death, ends the whole.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from registry.errors import Unavailable

T = TypeVar("T")
R = TypeVar("R")

_COLLECT_AFTER = 100_000
"""Objects that a fork makes before it looks for garbage among them."""


def run_in_processes(
    act: Callable[[T], R], items: Sequence[T], processes: int
) -> Generator[R, None, None]:
    """Yield what `act` returns for the items, in no order where there is more than one process."""
    if processes == 1:
        yield from map(act, items)
        return
    context = get_context("fork")
    left = list(reversed(range(len(items))))
    busy: list[Connection] = []
    workers = []
    try:
        for _ in range(min(processes, len(items))):
            ours, theirs = context.Pipe()
            worker = context.Process(
                target=_work, args=(act, items, theirs, [*busy, ours]), daemon=True
            )
            worker.start()
            theirs.close()
            workers.append(worker)
            busy.append(ours)
            ours.send(left.pop())
        while busy:
            ready = wait(busy)
            for ours in [one for one in busy if one in ready]:
                yield _receive(ours)
                if left:
                    ours.send(left.pop())
                else:
                    busy.remove(ours)
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def _receive(ours: Connection) -> Any:
    try:
        result = ours.recv()
    except EOFError as error:
        raise Unavailable("a process that made a part of the site has died") from error
    if isinstance(result, BaseException):
        raise result
    return result


def _work(
    act: Callable[[T], R], items: Sequence[T], theirs: Connection, ours: Iterable[Connection]
) -> None:
    # So that the pipe ends with the process that reads it.
    for one in ours:
        one.close()
    # A fork would copy what it shares by looking for garbage in it; a sixth of a full build.
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    with suppress(EOFError, BrokenPipeError):
        while True:
            item = items[theirs.recv()]
            try:
                result: R | Exception = act(item)
            except Exception as error:  # noqa: BLE001  the other process raises it
                result = error
            theirs.send(result)
