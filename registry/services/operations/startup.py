"""Opening the register: database in shape, log begun, agencies known."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

import uvloop

from registry.clock import utc_now
from registry.errors import ClockDiffers, ConfigurationError, RegisterBehind, Unavailable
from registry.ledger.append import append, append_genesis
from registry.ledger.continuation import read_continued
from registry.ledger.entries import StatedEntry
from registry.ledger.guard import LogGuard, LogMemory
from registry.ledger.key import read_or_create
from registry.ledger.signing import read_signed_size
from registry.log.configuration import configuration_document, configuration_sections
from registry.log.disclosure_tree import commitments, seal
from registry.log.entry import ConfigurationEntry
from registry.record.fast_validator import FastValidator
from registry.record.pack import Pack, load_pack
from registry.services.context import ServiceContext
from registry.services.people.agencies import complete_pack, save_agencies
from registry.settings import Settings, is_loopback
from registry.store import log, server
from registry.store.database import Connection, Database, connect, place
from registry.store.migrate import check_migrated, is_begun, migrate

T = TypeVar("T")


async def open_register(
    database: Database,
    pack: Pack,
    settings: Settings,
    *,
    now: dt.datetime | None = None,
    derives: bool = True,
    restores: bool = False,
    demonstration_from: dt.datetime | None = None,
) -> None:
    """Migrate, begin the log if it is empty, take over the pack's agencies.

    Without `derives` nothing is written, for whoever verifies would destroy the evidence, nor on a
    standby, which takes no writes: all of it must have been done already. The first entry gets the
    database's time, the one that is given, or the one from which a demonstration invents times.
    Repeats harmlessly. The first time it makes the log's key file. An empty log of which files say
    that more was signed is left as it is where the caller `restores` it. Raises
    `ConfigurationError` where nobody does, and when the register began with another pack.
    """
    if not derives or await database.is_standby():
        await check_migrated(database)
        async with database.connection() as connection:
            _check_pack(await log.read_pack(connection), pack)
        return
    await migrate(database)
    async with database.transaction() as connection:
        await log.begin(connection)
        is_empty_log = not (await log.lock_state(connection)).range.size
        lost = await asyncio.to_thread(read_signed_size, settings) if is_empty_log else []
        if lost and not restores:
            raise ConfigurationError(
                f"the database is empty, and {lost[0].where} says that {lost[0].size:,} entries "
                "were signed: restore a backup (registry restore), or bring them back from the "
                "files of the log: registry log heal"
            )
        if lost:
            _check_pack(await log.keep_pack(connection, pack.code), pack)
            return
        await append_genesis(
            connection,
            make_signer=lambda: read_or_create(settings.key_file, settings.origin),
            configuration=lambda: seal(configuration_document(pack), secrets.token_bytes),
            now=now,
            read_continued=lambda: read_continued(settings),
            demonstration_from=demonstration_from,
        )
        _check_pack(await log.keep_pack(connection, pack.code), pack)
    await _take_configuration(database, pack, settings, now=now or utc_now())


def _check_pack(begun_with: str, pack: Pack) -> None:
    if begun_with != pack.code:
        raise ConfigurationError(
            f"this register is of the country pack {begun_with!r}, and REGISTRY_PACK is "
            f"{pack.code!r}; set REGISTRY_PACK={begun_with}, or another REGISTRY_DATA_DIR or "
            "REGISTRY_DATABASE_URL"
        )


async def _take_configuration(
    database: Database, pack: Pack, settings: Settings, *, now: dt.datetime
) -> None:
    """Append the configuration if it is another one, take over the pack's agencies.

    Where nothing may be appended now, all stays as it is until a later start.
    """
    guard = LogGuard(LogMemory(settings.seen_file))
    lent: Connection = None
    is_committed = False
    given = list(pack.agencies.values())
    try:
        async with database.transaction() as lent:
            if await _is_configured_otherwise(lent, pack):
                state = await guard.lock(lent, now=now)
                # Another process may have been first.
                if await _is_configured_otherwise(lent, pack):
                    sections = seal(configuration_document(pack), secrets.token_bytes)
                    stated = ConfigurationEntry(actor=pack.code, sections=commitments(sections))
                    entry = StatedEntry(entry=stated, sections=sections)
                    await append(lent, guard, state, [entry])
            await save_agencies(lent, given, guard=guard, actor=pack.code, now=now)
        is_committed = True
    except Unavailable:
        pass
    finally:
        guard.end(lent, committed=is_committed)


async def _is_configured_otherwise(connection: Connection, pack: Pack) -> bool:
    return await log.read_configuration(connection) != configuration_sections(pack)


def find_unset(settings: Settings) -> list[str]:
    """Return in sentences which settings a register that others can reach should have."""
    is_public = not is_loopback(urlsplit(settings.base_url).hostname or "")
    if settings.security_contact is not None or not is_public:
        return []
    why = "nobody can learn where to report a weakness of this register"
    return [f"{why}: set REGISTRY_SECURITY_CONTACT to a mailto: or https: address"]


async def find_doubts(context: ServiceContext) -> list[str]:
    """Return in sentences why nothing would be published now, or what would go unnoticed."""
    if await context.database.is_standby():
        return ["this database is a standby: the register can be read here, and nothing is filed"]
    async with context.database.transaction() as connection:
        kept = await server.read_wal_settings(connection)
        try:
            state = await context.guard.lock(connection, now=utc_now())
        except (RegisterBehind, ClockDiffers) as error:
            return [error.detail]
    doubts = []
    if "-" in state.database.split("/"):
        doubts.append(
            "this PostgreSQL does not tell its role which server and timeline it is "
            "(pg_control_system, pg_walfile_name): after a failover or restore only what the "
            "processes remember shows whether the database is older than the log"
        )
    if kept:
        named = ", ".join(f"{name} = {setting}" for name, setting in kept.items())
        doubts.append(
            f"this PostgreSQL keeps files of its write-ahead log ({named}), and in them what a "
            "redaction destroys: see docs/operating.md, Redactions and backups"
        )
    return doubts


async def is_empty(database: Database) -> bool:
    """Return whether nothing was ever published here."""
    async with database.connection() as connection:
        state = await log.read_state(connection)
    return state.range.size <= 1


def run_in_register(
    settings: Settings,
    work: Callable[[ServiceContext], Awaitable[T]],
    *,
    begins: bool = True,
    derives: bool = True,
    restores: bool = False,
    demonstration_from: dt.datetime | None = None,
) -> T:
    """Open the register of `settings.database_url`, await `work` in it, and close it again.

    A log that begins is a demonstration's with `demonstration_from`, see `demo/demonstration`.

    Raises `ConfigurationError` where there is no register yet and `begins` is false.
    """

    async def opened() -> T:
        pack = load_pack(settings.pack, settings.packs)
        database = await connect(settings.database_url or "")
        try:
            if not begins and not await is_begun(database):
                where = place(settings.database_url or "")
                raise ConfigurationError(
                    f"there is no register in the database at {where}; mend "
                    "REGISTRY_DATABASE_URL, or begin one with registry work"
                )
            await open_register(
                database,
                pack,
                settings,
                derives=derives,
                restores=restores,
                demonstration_from=demonstration_from,
            )
            return await work(
                ServiceContext(
                    database=database,
                    pack=await complete_pack(database, pack),
                    random=secrets.token_bytes,
                    review=settings.review,
                    fast=FastValidator(enabled=settings.accept_path == "on"),
                    guard=LogGuard(LogMemory(settings.seen_file)),
                )
            )
        finally:
            await database.close()

    return uvloop.run(opened())
