"""Work that as many processes share as there are to do it, such as rendering groups of pages.

The processes are forks: they find the work as it is, take one part after the other until none is
left, and tell what they have made. What one of them meets, or its death, ends the whole.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from typing import Any, TypeAlias, TypeVar

import msgspec

from registry.errors import Unavailable
from registry.pages.manifest import Made
from registry.pages.page import Group

T = TypeVar("T")
R = TypeVar("R")

WORTH_A_PROCESS = 50
"""Fewer groups than this are made sooner than another process is started."""

_BLOCKS = 2048
"""Into how many parts the work falls at most: their numbers fit into a pipe."""

_NUMBER_BYTES = 2

_LOOKED_THROUGH_AFTER = 50_000
"""New objects after which a process looks for rubbish: seldom, and yet it does not grow."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A group that was made, and how many of its files had to be rendered for it."""

    name: str
    made: Made
    rendered: int


Make: TypeAlias = Callable[[Group], Done]


def make_all(
    groups: Sequence[Group], make: Make, *, processes: int, progress: Callable[[int], None]
) -> dict[str, Done]:
    """Make groups; `progress` is told how many are done."""
    # What pages are made of stays: to look for rubbish in it, over and over, takes a third longer.
    gc.freeze()
    try:
        made: dict[str, Done] = {}
        number = max(1, min(processes, len(groups) // WORTH_A_PROCESS))
        # Closed at once where `progress` raises: the folder is removed then.
        with closing(spread(groups, make, number)) as parts:
            for some in parts:
                made |= {done.name: done for done in some}
                progress(len(made))
        return made
    finally:
        gc.unfreeze()


def spread(
    items: Sequence[T], act: Callable[[T], R], number: int
) -> Generator[list[R], None, None]:
    """Act on items in a number of processes; yields what comes of some as soon as it is there."""
    if number == 1:
        for item in items:
            yield [act(item)]
        return
    size = -(-len(items) // _BLOCKS)
    blocks = [items[start : start + size] for start in range(0, len(items), size)]
    # Whoever is free takes the next: to read so few bytes of a pipe is one step.
    left, write = os.pipe()
    os.write(write, b"".join(at.to_bytes(_NUMBER_BYTES, "big") for at in range(len(blocks))))
    os.close(write)
    context = get_context("fork")
    told: list[Connection] = []
    workers = []
    try:
        for _ in range(number):
            reader, writer = context.Pipe(duplex=False)
            worker = context.Process(target=_work, args=(blocks, act, left, writer), daemon=True)
            worker.start()
            writer.close()
            told.append(reader)
            workers.append(worker)
        yield from _heard(told)
    finally:
        os.close(left)
        for worker in workers:
            worker.terminate()
            worker.join()


def _heard(told: list[Connection]) -> Iterator[list[Any]]:
    """Hear all processes out; raises what one of them has met."""
    while told:
        ready = connection.wait(told)
        for reader in [one for one in told if one in ready]:
            try:
                news = reader.recv()
            except EOFError as error:
                raise Unavailable("a process that made a part of the site has died") from error
            if isinstance(news, BaseException):
                raise news
            if news is None:
                told.remove(reader)
            else:
                yield news


def _work(
    blocks: Sequence[Sequence[T]], act: Callable[[T], R], left: int, told: Connection
) -> None:
    # What pages are made of is frozen; what comes of rendering is hardly ever rubbish in a circle.
    gc.enable()
    gc.set_threshold(_LOOKED_THROUGH_AFTER)
    parent = os.getppid()
    try:
        while taken := os.read(left, _NUMBER_BYTES):
            made = []
            for item in blocks[int.from_bytes(taken, "big")]:
                if os.getppid() != parent:  # nobody waits for it any more
                    os._exit(1)
                made.append(act(item))
            told.send(made)
    except Exception as error:  # noqa: BLE001  it is the other process that raises it
        with suppress(OSError):
            told.send(error)
        return
    told.send(None)
