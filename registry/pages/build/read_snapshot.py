"""Reading the snapshot of a build from the register, and telling whether a site is current."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any

import msgspec

from registry.hub.standing import read_standings, troubles
from registry.log.register import StoredRecord
from registry.pages.build.build_directory import NO_MANIFEST, Manifest, hold_directory
from registry.pages.build.plan import BuildReport, carry_out, make_plan, report_unchanged
from registry.pages.digests import site_fingerprint
from registry.pages.page import LostFileError, digest
from registry.pages.snapshot import BuildFacts, RegisterCounts, RegisterState, Snapshot, build_facts
from registry.pages.views.register_pages import SHOWN_IMPORTS, shown_digest, signed_digest
from registry.record.pack import Pack
from registry.services.log import witness_policy
from registry.settings import Settings
from registry.store import (
    agencies,
    attestations,
    imports,
    log,
    log_checks,
    records,
    redactions,
    statistics,
    withdrawals,
)
from registry.store.as_of import AsOf
from registry.store.database import Connection, Database


async def build_register(
    database: Database,
    pack: Pack,
    settings: Settings,
    *,
    out: Path,
    as_of: dt.datetime,
    full: bool = False,
    progress: Callable[[int, int], None] | None = None,
    description: Mapping[str, Any] | None = None,
    processes: int = 1,
    is_copy: bool = False,
) -> BuildReport:
    """Build the site from the register as it is now; `as_of` is the moment that pages speak of.

    Only what came into the register since the last build is read, and then the documents of the
    records whose pages changed. `out` becomes a link to a folder in `<out>-builds/`; a build that
    fails leaves the site as it was, and the same register gives the same bytes. One that is
    cancelled ends after a few pages, which the next one does not make again. `progress` is told the
    pages that are done, and all. `description` is the API's OpenAPI document; `is_copy` says
    that no register answers at the address of the pages.
    """
    stopped = Event()

    async def build(*, full: bool) -> BuildReport:
        with ExitStack() as held:
            directory = await asyncio.to_thread(
                held.enter_context, hold_directory(out, stopped.is_set)
            )
            async with database.snapshot() as connection:
                register = await _read_state(connection, as_of)
                fingerprint = await asyncio.to_thread(
                    site_fingerprint,
                    pack,
                    settings.base_url,
                    await imports.read_origins(connection),
                    troubles(await read_standings(connection, now=as_of)),
                    as_of.date(),
                )
                own = [settings.security_contact, settings.has_console]
                facts = [register, as_of, description, own]
                state = digest(fingerprint, msgspec.json.encode(facts))
                if not full and directory.current and directory.manifest.state == state:
                    return report_unchanged(directory)
                before = NO_MANIFEST if full else directory.manifest
                if not await _still_holds(connection, before, fingerprint, register):
                    before = NO_MANIFEST
                snapshot = await read_snapshot(connection, pack, as_of=as_of, before=before)
                plan = await asyncio.to_thread(
                    make_plan,
                    directory,
                    snapshot,
                    settings=settings,
                    full=full,
                    description=description,
                    fingerprint=fingerprint,
                    state=state,
                    is_copy=is_copy,
                )
                histories = await _read_histories(connection, plan.needs())

            def finish(release: ExitStack) -> BuildReport:
                with release:
                    return carry_out(
                        directory, plan, histories, progress=progress, processes=processes
                    )

            # Whoever does not wait must not take the folder from its thread.
            return await asyncio.to_thread(finish, held.pop_all())

    try:
        return await build(full=full)
    except LostFileError:
        return await build(full=True)
    finally:
        stopped.set()


async def read_snapshot(
    connection: Connection, pack: Pack, *, as_of: dt.datetime, before: Manifest = NO_MANIFEST
) -> Snapshot:
    """Read one state of the register, in a `snapshot`; `before` has what need not be read again."""
    register = await _read_state(connection, as_of)
    lines = await log.read_lines(connection, since=before.register.size if before.register else 0)
    changed = None
    if before.register:
        replaced = await imports.read_replaced(connection, since=before.register.replaced)
        changed = sorted({*replaced, *(line.subject for line in lines if line.subject)})
    known = {one.card.id: one for one in before.records}
    for name in changed or ():
        known.pop(name, None)
    return Snapshot(
        pack=pack,
        register=register,
        agencies={one.agency.id: one.agency for one in await agencies.read_all(connection)},
        records=[
            record async for record in records.read_all(connection, withdrawn=True, only=changed)
        ],
        earlier=await records.read_earlier(connection, only=changed),
        counted=await _count(connection, register, as_of),
        log=[*before.log, *lines],
        as_of=as_of,
        origins=await imports.read_origins(connection),
        sizes=await imports.read_sizes(connection),
        imports=await imports.read_latest_runs(connection, SHOWN_IMPORTS),
        peers=await read_standings(connection, now=as_of),
        witnesses=await witness_policy.read_standings(connection),
        origin=await log.read_origin(connection),
        withdrawals=await withdrawals.read_every(connection, only=changed),
        source_events=await imports.read_source_events(connection, only=changed),
        attestations={one.agency: one for one in await attestations.read_latest(connection)},
        digests=known,
    )


async def _read_state(connection: Connection, as_of: dt.datetime) -> RegisterState:
    state = await log.read_state(connection)
    size = state.range.size
    return RegisterState(
        size=size,
        root=state.range.root().hex(),
        leaf=await _leaf(connection, size),
        last_at=state.last_at or dt.datetime.min.replace(tzinfo=dt.UTC),
        erasures=(await redactions.count(connection), state.erasures),
        replaced=state.replaced,
        agencies=await agencies.fingerprint(connection),
        imports=await imports.read_progress(connection),
        peers=shown_digest(await read_standings(connection, now=as_of)),
        witnesses=signed_digest(await witness_policy.read_standings(connection)),
        is_blocked=await log_checks.read_fault(connection) is not None,
    )


async def _leaf(connection: Connection, size: int) -> str:
    """Read the hash of the last of the log's first entries."""
    last = await log.read_entries(connection, since=size - 2, until=size - 1, limit=1)
    return last[0].leaf.hex() if last else ""


async def _still_holds(
    connection: Connection, before: Manifest, fingerprint: str, register: RegisterState
) -> bool:
    """Return whether what an earlier build read is of this register, and holds to this day."""
    earlier = before.register
    return (
        earlier is not None
        and before.fingerprint == fingerprint
        and (earlier.agencies, earlier.erasures) == (register.agencies, register.erasures)
        and earlier.size <= register.size
        and earlier.leaf == await _leaf(connection, earlier.size)
    )


async def _count(
    connection: Connection, register: RegisterState, as_of: dt.datetime
) -> RegisterCounts:
    moment = AsOf(entry=register.size - 1, at=register.last_at, day=as_of.date())
    by_code = await statistics.read(
        connection, moment, by=("risk", "sector", "status", "personal_data"), filters={}
    )
    by_agency = await statistics.read_groups(
        connection, moment, by=("agency",), fictitious=by_code.fictitious
    )
    return RegisterCounts(by_code=by_code, by_agency=by_agency)


async def _read_histories(
    connection: Connection, names: Sequence[str]
) -> dict[str, Sequence[StoredRecord]]:
    """Read all versions of records, oldest first."""
    earlier = await records.read_earlier(connection, only=names)
    return {
        record.id: (*earlier.get(record.id, ()), record)
        async for record in records.read_all(connection, withdrawn=True, only=names)
    }


async def is_current(database: Database, settings: Settings, *, as_of: dt.datetime) -> bool:
    """Return whether the site in force shows the register as it is on this day, at this address."""
    made = await asyncio.to_thread(_read_facts, settings)
    if made is None:
        return False
    async with database.connection() as connection:
        register = await _read_state(connection, as_of)
    if made.as_of.date() != as_of.date():
        return False
    return made == build_facts(register, made.as_of, settings.base_url, pages=made.pages)


async def shows_erased(database: Database, settings: Settings) -> bool:
    """Return whether the site in force is from before something was erased."""
    made = await asyncio.to_thread(_read_facts, settings)
    async with database.connection() as connection:
        return made is not None and made.erasures != await redactions.count(connection)


def _read_facts(settings: Settings) -> BuildFacts | None:
    try:
        content = (settings.site_dir / "build.json").read_bytes()
        return msgspec.json.decode(content, type=BuildFacts)
    except (OSError, msgspec.DecodeError):
        return None


def day_of(pack: Pack, now: dt.datetime) -> dt.datetime:
    """Return the moment that pages built now speak of: the country's day, from midnight UTC on.

    What pages say of time (reviews overdue, the law) changes by the day, so a day's builds are
    alike.
    """
    return dt.datetime.combine(pack.day(now), dt.time(), dt.UTC)
