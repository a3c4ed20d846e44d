"""Reading the corpus of a build from the register, and telling whether a build is still true."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from registry.exchange.crosswalk import load_crosswalk
from registry.exchange.crosswalk import names as crosswalk_names
from registry.pages.build import BuildReport, Plan, carry_out, make_plan, unchanged
from registry.pages.collecting import uncollected
from registry.pages.corpus import Corpus, Counted, Origin
from registry.pages.ground import ground_of
from registry.pages.known import Kept, read_kept, write_kept
from registry.pages.page import digest
from registry.pages.switch import building, kept_file
from registry.pages.taking_over import LostFileError
from registry.record.pack import Agency, Pack
from registry.settings import Settings
from registry.store import agencies, attestations, log, records, redactions, statistics, withdrawals
from registry.store.as_of import AsOf
from registry.store.database import Connection, Database
from registry.store.records import StoredRecord


class _Log(msgspec.Struct):
    size: int
    root: str


class _MadeFrom(msgspec.Struct):
    as_of: dt.datetime
    base_url: str
    log: _Log
    erasures: int
    agencies: str


class _State(msgspec.Struct, frozen=True, kw_only=True):
    """How far the register is: the log's size, root and last leaf, and what no entry tells of.

    `erasures` are the redactions that were carried out, and how often something was destroyed;
    `fingerprint` is that of the agencies.
    """

    size: int
    root: str
    leaf: str
    last_at: dt.datetime
    erasures: tuple[int, int]
    agencies: dict[str, Agency]
    fingerprint: str


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
) -> BuildReport:
    """Build the site from the register as it is now; `build` says how.

    Only what came into the register since the last build is read, and then the documents of the
    records whose pages changed. `as_of` is the moment that the pages speak of.
    """
    build = partial(
        _build,
        database,
        pack,
        settings,
        out=out,
        as_of=as_of,
        progress=progress,
        description=description,
        processes=processes,
    )
    with uncollected():
        try:
            return await build(full=full)
        except LostFileError:
            return await build(full=True)


async def _build(
    database: Database,
    pack: Pack,
    settings: Settings,
    *,
    out: Path,
    as_of: dt.datetime,
    full: bool,
    progress: Callable[[int, int], None] | None,
    description: Mapping[str, Any] | None,
    processes: int,
) -> BuildReport:
    ground = await asyncio.to_thread(ground_of, pack, settings.base_url, read_origins())
    with ExitStack() as held:
        place = await asyncio.to_thread(held.enter_context, building(out))
        async with database.snapshot() as connection:
            state = await _read_state(connection)
            told = [as_of, description, settings.security_contact]
            rests_on = digest(ground, msgspec.json.encode([state, told]))
            if not full and place.current and place.known.state == rests_on:
                return unchanged(place)
            corpus = await _read_since(
                connection, pack, state, ground, as_of=as_of, kept=None if full else out
            )
            plan = await asyncio.to_thread(
                make_plan,
                place,
                corpus,
                settings=settings,
                full=full,
                description=description,
                ground=ground,
                state=rests_on,
            )
            histories = await read_histories(connection, plan.needs)
        keep = partial(_keep, out, plan, state)
        finish = partial(carry_out, place, plan, histories, progress=progress, processes=processes)
        # In its thread to the end: whoever does not wait must not take the folder from under it.
        return await asyncio.to_thread(_finish, held.pop_all(), keep, finish)


def _finish(
    held: ExitStack, keep: Callable[[], None], finish: Callable[[], BuildReport]
) -> BuildReport:
    with held:
        # What was erased goes from what is kept before anybody takes the site for current.
        keep()
        return finish()


async def _read_since(
    connection: Connection,
    pack: Pack,
    state: _State,
    ground: str,
    *,
    as_of: dt.datetime,
    kept: Path | None,
) -> Corpus:
    """Read what came since a build kept what it had read beside a site, if that holds."""
    reading = asyncio.to_thread(read_kept, kept_file(kept)) if kept else asyncio.sleep(0)
    before, counted = await asyncio.gather(reading, _count(connection, state, as_of))
    holds = await _still_holds(connection, before, ground, state)
    return await _read_corpus(
        connection, pack, state, counted, as_of=as_of, kept=before if holds else None
    )


async def read_corpus(connection: Connection, pack: Pack, *, as_of: dt.datetime) -> Corpus:
    """Read one state of the register whole, in a `snapshot`."""
    state = await _read_state(connection)
    counted = await _count(connection, state, as_of)
    return await _read_corpus(connection, pack, state, counted, as_of=as_of, kept=None)


async def _read_state(connection: Connection) -> _State:
    state = await log.read_state(connection)
    size = state.range.size
    known = await agencies.read_all(connection)
    return _State(
        size=size,
        root=state.range.root().hex(),
        leaf=await _leaf(connection, size),
        last_at=state.last_at or dt.datetime.min.replace(tzinfo=dt.UTC),
        erasures=(await redactions.count(connection), state.erasures),
        agencies={one.agency.id: one.agency for one in known},
        fingerprint=await agencies.fingerprint(connection),
    )


async def _leaf(connection: Connection, size: int) -> str:
    """Read the hash of the last of the log's first entries."""
    last = await log.read_entries(connection, since=size - 2, until=size - 1, limit=1)
    return last[0].leaf.hex() if last else ""


async def _still_holds(
    connection: Connection, kept: Kept | None, ground: str, state: _State
) -> bool:
    """Say whether what a build has kept is of this register, and holds to this day."""
    return (
        kept is not None
        and (kept.ground, kept.agencies) == (ground, state.fingerprint)
        and kept.erasures == state.erasures
        and kept.size <= state.size
        and kept.leaf == await _leaf(connection, kept.size)
    )


def _keep(out: Path, plan: Plan, state: _State) -> None:
    kept = Kept(
        ground=plan.site.ground,
        agencies=state.fingerprint,
        erasures=state.erasures,
        size=state.size,
        leaf=state.leaf,
        log=list(plan.site.corpus.log),
        records=list(plan.site.known.values()),
    )
    write_kept(kept_file(out), kept)


async def _read_corpus(
    connection: Connection,
    pack: Pack,
    state: _State,
    counted: Counted,
    *,
    as_of: dt.datetime,
    kept: Kept | None,
) -> Corpus:
    """Read what came since something was kept; all of it where nothing was."""
    lines = await log.read_lines(connection, since=kept.size if kept else 0)
    changed = None if kept is None else sorted({line.subject for line in lines if line.subject})
    before = {} if kept is None else {one.card.id: one for one in kept.records}
    for name in changed or ():
        before.pop(name, None)
    lines = [*(kept.log if kept else ()), *lines]
    return Corpus(
        pack=pack,
        agencies=state.agencies,
        fingerprint=state.fingerprint,
        records=[
            record async for record in records.read_all(connection, withdrawn=True, only=changed)
        ],
        earlier=await records.read_earlier(connection, only=changed),
        counted=counted,
        log=lines,
        log_size=state.size,
        root=state.root,
        as_of=as_of,
        erasures=state.erasures[0],
        origins=read_origins(),
        withdrawals=await withdrawals.read_every(connection, only=changed),
        attestations={one.agency: one for one in await attestations.read_latest(connection)},
        kept=before,
    )


async def read_histories(
    connection: Connection, names: Sequence[str]
) -> dict[str, Sequence[StoredRecord]]:
    """Read all versions of records, oldest first."""
    earlier = await records.read_earlier(connection, only=names)
    return {
        record.id: (*earlier.get(record.id, ()), record)
        async for record in records.read_all(connection, withdrawn=True, only=names)
    }


async def _count(connection: Connection, state: _State, as_of: dt.datetime) -> Counted:
    moment = AsOf(entry=state.size - 1, at=state.last_at, day=as_of.date())
    by_code = await statistics.read(
        connection, moment, by=("risk", "sector", "status", "personal_data"), filters={}
    )
    by_agency = await statistics.read_groups(
        connection, moment, by=("agency",), fictitious=by_code.fictitious
    )
    return Counted(by_code=by_code, by_agency=by_agency)


async def is_current(database: Database, settings: Settings, *, as_of: dt.datetime) -> bool:
    """Tell whether the site in force shows the register as it is on this day, at this address."""
    try:
        made = msgspec.json.decode((settings.site_dir / "build.json").read_bytes(), type=_MadeFrom)
    except (OSError, msgspec.DecodeError):
        return False
    async with database.connection() as connection:
        state = await log.read_state(connection)
        erasures = await redactions.count(connection)
        fingerprint = await agencies.fingerprint(connection)
    return (
        made.log.size == state.range.size
        and made.log.root == state.range.root().hex()
        and made.as_of.date() == as_of.date()
        and made.base_url == settings.base_url
        and made.erasures == erasures
        and made.agencies == fingerprint
    )


def day_of(now: dt.datetime) -> dt.datetime:
    """Give the moment that pages built now speak of: the beginning of the UTC day.

    What pages say of time (reviews overdue) changes by the day, so a day's builds are alike.
    """
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def read_origins() -> dict[str, Origin]:
    """Read which other registers records may come from."""
    known = [load_crosswalk(name) for name in crosswalk_names()]
    return {
        one.origin: Origin(code=one.origin, name={one.language: one.title}, url=one.homepage)
        for one in known
    }
