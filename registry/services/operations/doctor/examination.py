"""The table of all checks, in an order in which one reads it, and the examination by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any, TypeAlias

import msgspec

from registry.errors import RegistryError, Unavailable
from registry.services.operations.doctor import database as of_database
from registry.services.operations.doctor import host as of_host
from registry.services.operations.doctor import log as of_log
from registry.services.operations.doctor import proxy as of_proxy
from registry.services.operations.doctor.checks import Check, Installation, finding, unseen
from registry.settings import Settings
from registry.store import heartbeats
from registry.store.database import Database, connect

_PATIENCE_SECONDS = 10.0

Look: TypeAlias = Callable[[Any], Iterator[Check] | AsyncIterator[Check]]

WITHOUT_DATABASE: tuple[Look, ...] = (
    of_host.check_software,
    of_host.check_settings,
    of_host.check_pack,
    of_host.check_disk,
    of_host.check_port,
    of_proxy.check_proxy,
    of_proxy.check_others,
)
"""What `Settings` are enough for; the others look at an `Installation`."""

IN_DATABASE: tuple[Look, ...] = (of_database.check_server, of_database.check_migrations)
IN_REGISTER: tuple[Look, ...] = (
    of_database.check_rights,
    of_proxy.check_client_address,
    of_log.check_key,
    of_log.check_log,
    of_database.check_replica,
    of_database.check_processes,
    of_log.check_disks,
    of_database.check_runs,
    of_database.check_tokens,
    of_log.check_search,
)


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; `has_database` says whether the database was there to be looked at."""

    checks: list[Check]
    has_database: bool


async def examine(settings: Settings, ready: Settings | RegistryError) -> Examination:
    """Examine everything; `ready` are the settings with a `database_url`, or why there is none."""
    checks = await _examined(WITHOUT_DATABASE, settings)
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
    except RegistryError as error:
        is_down = isinstance(error, Unavailable)
        wrong = "Mend REGISTRY_DATABASE_URL or REGISTRY_DATA_DIR."
        advice = "Start it, or mend the way to it." if is_down else wrong
        checks.append(finding("database", error.detail, advice))
        checks.append(unseen("register", "what is in the database could not be looked at"))
        return Examination(checks=checks, has_database=not is_down)
    return Examination(checks=checks, has_database=True)


async def _of_database(settings: Settings, database: Database) -> list[Check]:
    async with database.connection() as connection:
        looked = Installation(settings=settings, database=database, connection=connection, told=[])
        checks = await _examined(IN_DATABASE, looked)
        if any((one.name, one.state) == ("migrations", "finding") for one in checks):
            return [*checks, unseen("register", "the database is not of this version")]
        told = await heartbeats.read_all(connection)
        return checks + await _examined(IN_REGISTER, msgspec.structs.replace(looked, told=told))


async def _examined(looks: tuple[Look, ...], of: object) -> list[Check]:
    """Return what some looks give, one after the other; where one fails, that is the finding."""
    checks: list[Check] = []
    for look in looks:
        found = look(of)
        try:
            if isinstance(found, AsyncIterator):
                checks += [one async for one in found]
            else:
                checks += await asyncio.to_thread(list, found)
        except Exception as error:  # noqa: BLE001  one part that cannot be seen hides no other
            kind = "" if isinstance(error, RegistryError) else f"{type(error).__name__}: "
            name = look.__name__.removeprefix("check_").replace("_", " ")
            seen = f"it cannot be looked at: {kind}{error}"
            checks.append(finding(name, seen, "Mend what this names, and run it again."))
    return checks
