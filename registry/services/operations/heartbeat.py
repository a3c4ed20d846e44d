"""Heartbeats: what each process tells the others of itself, through the database."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import platform
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import structlog

from registry import __version__
from registry.errors import Unavailable
from registry.resources import read_revision
from registry.settings import Settings
from registry.store import heartbeats
from registry.store.database import Database
from registry.store.heartbeats import Heartbeat, ProcessFigures, ProcessName

INTERVAL_SECONDS = 10.0
SILENT_AFTER = dt.timedelta(seconds=60)
"""A process that has told nothing for so long is taken for dead."""

_log = structlog.get_logger()


def host_of(process: ProcessName, settings: Settings) -> str:
    """Return the name of this host; of one with several servers each has its port."""
    return f"{platform.node()}:{settings.port}" if process == "serve" else platform.node()


def figures_of_host(settings: Settings, **more: object) -> ProcessFigures:
    """Return the version and the room on the disk, with `more` fields that the caller knows."""
    known = {"version": __version__, "revision": read_revision(), **disk_room(settings.data_dir)}
    return msgspec.convert(known | more, ProcessFigures)


def disk_room(folder: Path) -> dict[str, int]:
    """Return bytes and inodes of the file system of a folder, those of others than root as free.

    It is empty while the folder is not there; some file systems count no inodes.
    """
    try:
        found = os.statvfs(folder)
    except OSError:
        return {}
    room = {
        "disk_bytes": found.f_blocks * found.f_frsize,
        "disk_free_bytes": found.f_bavail * found.f_frsize,
    }
    if found.f_files:
        room |= {"disk_inodes": found.f_files, "disk_free_inodes": found.f_favail}
    return room


async def keep_beating(
    database: Database, process: ProcessName, host: str, tell: Callable[[], ProcessFigures]
) -> None:
    """Store every ten seconds what a process tells; never return.

    Where the database takes nothing, it is the others who notice.
    """
    is_logged = False
    while True:
        try:
            figures = await asyncio.to_thread(tell)
            if await database.is_standby():
                await asyncio.sleep(INTERVAL_SECONDS)
                continue
            async with database.connection() as connection:
                await heartbeats.beat(connection, process, host, figures)
        except Unavailable:
            pass
        except Exception:  # noqa: BLE001  no work stops for want of it
            if not is_logged:
                _log.exception("no heartbeat could be stored")
            is_logged = True
        await asyncio.sleep(INTERVAL_SECONDS)


async def note_run(
    database: Database, settings: Settings, process: ProcessName, *, entries: int
) -> None:
    """Note that a command was run to its end; where the database takes no note, it is done too."""
    try:
        async with database.connection() as connection:
            figures = figures_of_host(settings, entries=entries)
            await heartbeats.beat(connection, process, host_of(process, settings), figures)
    except Exception:  # noqa: BLE001  such as a role that may only read
        _log.warning("it is not noted when this was run last", process=process)


def silence_of_work(told: Iterable[Heartbeat]) -> str | None:
    """Return in a sentence that no background runner is alive; None while one is."""
    ages = [one.age for one in told if one.process == "work"]
    if ages and min(ages) <= SILENT_AFTER:
        return None
    since = f"for {_duration(min(ages))}" if ages else "ever"
    return (
        f"no background runner has told anything {since}: nothing is published, and the site is "
        "not built; run: registry work"
    )


def _duration(span: dt.timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    if minutes < 120:  # noqa: PLR2004  then in hours
        return f"{minutes} minutes"
    return f"{minutes // 60} hours"
