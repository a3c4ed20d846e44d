"""A register that is open for the time of one command."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from registry.office.filing import Office
from registry.office.opening import open_register
from registry.record.acceptance import ACCEPT_PATH
from registry.record.pack import load_pack
from registry.settings import Settings
from registry.store.database import connect
from registry.store.generation import Generation

UNUSABLE = 2
"""The exit code of a command that was used or set up wrongly."""

T = TypeVar("T")


@contextmanager
def database_of(settings: Settings) -> Iterator[Settings]:
    """Give settings whose `database_url` answers, with the embedded server held if it is that."""
    if settings.database_url is not None:
        yield settings
        return
    from registry.store import embedded  # noqa: PLC0415  not needed with a database of one's own

    server = embedded.start(settings.data_dir)
    try:
        yield msgspec.structs.replace(settings, database_url=server.url)
    finally:
        server.release()


def run(settings: Settings, work: Callable[[Office], Awaitable[T]]) -> T:
    """Open the register, do the work, close it again."""
    with database_of(settings) as ready:
        return run_in(ready, work)


def run_in(settings: Settings, work: Callable[[Office], Awaitable[T]]) -> T:
    """Do the work in a register whose database answers."""
    ACCEPT_PATH.taken = settings.accept_path == "on"

    async def opened() -> T:
        pack = load_pack(settings.pack)
        database = await connect(
            settings.database_url or "", generation=Generation(settings.generation_file)
        )
        try:
            await open_register(database, pack, settings, now=now())
            return await work(
                Office(
                    database=database,
                    pack=pack,
                    random=secrets.token_bytes,
                    review=settings.review,
                )
            )
        finally:
            await database.close()

    return asyncio.run(opened())


def now() -> dt.datetime:
    """Give the current UTC time."""
    return dt.datetime.now(dt.UTC)


def say(sentence: str) -> None:
    """Tell the person at the terminal something, beside the command's output."""
    sys.stderr.write(sentence + "\n")
