"""The whole examination, in an order in which one reads it."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

import msgspec

from registry import __version__
from registry.clock import utc_now
from registry.errors import RegistryError, Unavailable
from registry.services.doctor import database as of_database
from registry.services.doctor import host as of_host
from registry.services.doctor import log as of_log
from registry.services.doctor.checks import Check, finding, unseen
from registry.services.doctor.proxy import ProxyExamination
from registry.settings import Settings
from registry.store import heartbeats
from registry.store.database import Connection, Database, connect

_PATIENCE_SECONDS = 10.0


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; `has_database` says whether the database was there to be looked at."""

    checks: list[Check]
    has_database: bool


async def examine(settings: Settings, ready: Settings | RegistryError) -> Examination:
    """Examine everything; `ready` are the settings with a `database_url`, or why there is none."""
    checks = [of_host.check_software(), *of_host.check_settings(settings)]
    for part in (
        lambda: list(of_host.check_disk(settings)),
        lambda: [of_host.check_port(settings)],
        lambda: list(ProxyExamination(settings, now=utc_now()).checks()),
    ):
        checks += await asyncio.to_thread(part)
    try:
        if isinstance(ready, RegistryError):
            raise ready
        database = await connect(ready.database_url or "", size=2, patience=_PATIENCE_SECONDS)
        try:
            checks += await _of_database(settings, database)
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await database.close()
    except Unavailable as error:
        checks += _without_database(error, "Start it, or mend the way to it.")
        return Examination(checks=checks, has_database=False)
    except RegistryError as error:
        checks += _without_database(error, "Mend REGISTRY_DATABASE_URL or REGISTRY_DATA_DIR.")
    return Examination(checks=checks, has_database=True)


def _without_database(error: RegistryError, advice: str) -> list[Check]:
    return [
        finding("database", error.detail, advice),
        unseen("register", "what is in the database could not be looked at"),
    ]


async def _of_database(settings: Settings, database: Database) -> list[Check]:
    async with database.connection() as connection:
        checks = await _seen("database", lambda: of_database.check_server(connection, settings))
        migrated = await of_database.check_migrations(connection)
        checks.append(migrated)
        if migrated.state != "in order":
            return [*checks, unseen("register", "the database is not of this version")]
        checks += await _of_register(connection, settings)
    return checks + await _seen(
        "search index", lambda: _one(of_log.check_search(database, settings))
    )


async def _of_register(connection: Connection, settings: Settings) -> list[Check]:
    told = await heartbeats.read_all(connection)
    return [
        *await _seen("key", lambda: of_log.check_key(connection, settings, told)),
        *await _seen("log", lambda: of_log.check_log(connection, settings)),
        *await _seen("replica", lambda: of_database.check_replica(connection, settings)),
        *of_database.check_processes(told, version=__version__),
        *of_log.check_disks(told, least=of_host.LEAST_SHARE, here=platform.node()),
        *of_database.check_runs(told),
        *await _seen("numbers", lambda: of_database.check_numbers(connection)),
        *await _seen("tokens", lambda: _one(of_database.check_tokens(connection, now=utc_now()))),
    ]


async def _one(work: Awaitable[Check]) -> list[Check]:
    return [await work]


async def _seen(name: str, look: Callable[[], Awaitable[Iterable[Check]]]) -> list[Check]:
    """Return what a look gives; where it fails, that is the finding."""
    try:
        return list(await look())
    except Exception as error:  # noqa: BLE001  one part that cannot be seen hides no other
        why = (
            error.detail if isinstance(error, RegistryError) else f"{type(error).__name__}: {error}"
        )
        return [
            finding(
                name, f"it cannot be looked at: {why}", "Mend what this names, and run it again."
            )
        ]
