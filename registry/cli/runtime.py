"""What the bodies of commands run in: settings and an open register."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Event
from typing import Any, TypeVar

import msgspec
from click.exceptions import Exit

from registry.cli import log_output
from registry.cli.output import print_message
from registry.errors import ConfigurationError
from registry.log.files import published_size
from registry.services.context import ServiceContext
from registry.services.operations.startup import find_doubts, find_unset, run_in_register
from registry.settings import Settings, from_environment
from registry.store import embedded

T = TypeVar("T")

_LOOK_SECONDS = 0.2


def pass_settings(body: Callable[..., T]) -> Callable[..., T]:
    """Pass the settings of the environment to a command's body, as its first argument.

    They are read, and the log of the process is configured, after the arguments have been checked.
    """

    @wraps(body)
    def with_settings(**arguments: Any) -> T:
        log_output.configure()
        return body(from_environment(os.environ, print_message), **arguments)

    return with_settings


@contextmanager
def running_database(settings: Settings, *, begins: bool = False) -> Iterator[Settings]:
    """Yield settings with a `database_url` that answers; an embedded server runs for the block.

    A command for an existing register never `begins` one: run in another folder, a nightly check
    would create an empty register there and verify it without an error. Raises `ConfigurationError`
    if there is none.
    """
    if settings.database_url is not None:
        yield settings
        return

    if not begins and not embedded.is_there(settings.data_dir):
        raise ConfigurationError(
            f"there is no register in {settings.data_dir.absolute()}; run this where its folder "
            "is, or set REGISTRY_DATA_DIR"
        )
    server = embedded.start(settings.data_dir, settings.postgres_bin)
    try:
        yield msgspec.structs.replace(settings, database_url=server.url)
    finally:
        server.release()


def run(
    settings: Settings,
    work: Callable[[ServiceContext], Awaitable[T]],
    *,
    begins: bool = False,
    derives: bool = True,
    restores: bool = False,
) -> T:
    """Open the register, await `work` in it, and close it again.

    One that `restores` a log whose database was lost makes a new database where files have the log.
    """
    begins = begins or (restores and published_size(settings.log_dir) > 0)
    with running_database(settings, begins=begins) as ready:
        # The embedded server's folder was found; a first start that was interrupted continues.
        return run_in_register(
            ready,
            work,
            begins=begins or settings.database_url is None,
            derives=derives,
            restores=restores,
        )


def in_register(work: Callable[..., Awaitable[T]]) -> Callable[..., T]:
    """Make the body of a command of a coroutine function that works in an existing register."""

    @pass_settings
    @wraps(work)
    def body(settings: Settings, **arguments: Any) -> T:
        return run(settings, lambda context: work(context, **arguments))

    return body


def note_termination() -> Event:
    """Return an event that SIGTERM sets from now on.

    What a handler raises may be lost in a callback of an object's end, and what a loop of events
    is told once it closes.
    """
    terminated = Event()
    signal.signal(signal.SIGTERM, lambda *_: terminated.set())
    return terminated


async def until_terminated(work: Coroutine[Any, Any, T], terminated: Event) -> T:
    """Return what is awaited; SIGTERM cancels it and ends the command, in order, with code 0."""
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.wait([task], timeout=_LOOK_SECONDS)
        if terminated.is_set():
            task.cancel()
    if task.cancelled() and terminated.is_set():
        raise Exit(0)
    return task.result()


async def print_doubts(settings: Settings, context: ServiceContext) -> None:
    """Print why nothing would be published now, and what a public register should have set."""
    for doubt in [*find_unset(settings), *await find_doubts(context)]:
        print_message(doubt)
