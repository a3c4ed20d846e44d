"""Rendering many pages into a folder, by as many processes as there are to do it.

The processes are forks: they find the pages as they are, each renders a share, and tells how far
it is. What one of them meets, or its death, ends the whole.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from pathlib import Path

from registry.errors import Unavailable
from registry.pages.page import Page

WORTH_A_PROCESS = 200
"""Fewer pages than this are rendered sooner than another process is started."""

_TOLD_EVERY = 25


def render_all(
    pages: Sequence[Page], folder: Path, *, processes: int, progress: Callable[[int], None]
) -> None:
    """Write pages; their folders are there. `progress` is told how many are done."""
    # What pages are made of stays: to look for rubbish in it, over and over, takes a third longer.
    gc.freeze()
    try:
        _render_all(pages, folder, processes=processes, progress=progress)
    finally:
        gc.unfreeze()


def _render_all(
    pages: Sequence[Page], folder: Path, *, processes: int, progress: Callable[[int], None]
) -> None:
    # The languages of one page after each other: what one has worked out serves the next.
    ordered = sorted(pages, key=lambda page: page.file.partition("/")[::-1])
    number = max(1, min(processes, len(ordered) // WORTH_A_PROCESS))
    if number == 1:
        for done, page in enumerate(ordered, start=1):
            _write(page, folder)
            progress(done)
        return
    size = -(-len(ordered) // (number * 16))
    blocks = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    context = get_context("fork")
    told: list[Connection] = []
    workers = []
    try:
        for first in range(number):
            reader, writer = context.Pipe(duplex=False)
            share = [page for block in blocks[first::number] for page in block]
            worker = context.Process(target=_render, args=(share, folder, writer), daemon=True)
            worker.start()
            writer.close()
            told.append(reader)
            workers.append(worker)
        _listen(told, progress)
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def _listen(told: list[Connection], progress: Callable[[int], None]) -> None:
    """Hear all processes out; raises what one of them has met."""
    done = 0
    while told:
        ready = connection.wait(told)
        for reader in [one for one in told if one in ready]:
            try:
                news = reader.recv()
            except EOFError as error:
                raise Unavailable("a process that rendered pages has died") from error
            if isinstance(news, BaseException):
                raise news
            if news is None:
                told.remove(reader)
            else:
                done += news
                progress(done)


def _render(pages: Sequence[Page], folder: Path, told: Connection) -> None:
    parent = os.getppid()
    done = 0
    try:
        for page in pages:
            if os.getppid() != parent:  # nobody waits for it any more
                os._exit(1)
            _write(page, folder)
            done += 1
            if done == _TOLD_EVERY:
                told.send(done)
                done = 0
    except Exception as error:  # noqa: BLE001  it is the other process that raises it
        with suppress(OSError):
            told.send(error)
        return
    told.send(done)
    told.send(None)


def _write(page: Page, folder: Path) -> None:
    content = page.render()
    target = folder / page.file
    try:
        file = target.open("xb", buffering=0)
    except FileExistsError:
        # A file that a build before has too must not be written through.
        target.unlink()
        file = target.open("xb", buffering=0)
    with file:
        file.write(content)
