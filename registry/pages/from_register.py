"""Reading the corpus of a build from the register, and telling whether a build is still true."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec

from registry.exchange.crosswalk import load_crosswalk
from registry.exchange.crosswalk import names as crosswalk_names
from registry.pages.corpus import Corpus, Counted, Origin
from registry.store import agencies, attestations, log, records, redactions, statistics, withdrawals
from registry.store.moments import Moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry.record.pack import Pack
    from registry.settings import Settings
    from registry.store.database import Connection, Database


class _Log(msgspec.Struct):
    size: int
    root: str


class _MadeFrom(msgspec.Struct):
    as_of: dt.datetime
    base_url: str
    log: _Log
    erasures: int


async def read_corpus(database: Database, pack: Pack, *, as_of: dt.datetime) -> Corpus:
    """Read one state of the register; `as_of` is the moment that the pages speak of."""
    async with database.snapshot() as connection:
        state = await log.read_state(connection)
        known = await agencies.read_all(connection)
        found = [record async for record in records.read_all(connection, withdrawn=True)]
        withdrawn = await withdrawals.read_every(connection)
        attested = await attestations.read_latest(connection)
        earlier = await records.read_earlier(connection)
        lines = await log.read_lines(connection)
        counted = await _count(connection, lines, as_of)
        erasures = await redactions.count(connection)
    return Corpus(
        pack=pack,
        agencies={one.agency.id: one.agency for one in known},
        records=found,
        earlier=earlier,
        counted=counted,
        log=lines,
        log_size=state.range.size,
        root=state.range.root().hex(),
        as_of=as_of,
        erasures=erasures,
        origins=_origins(),
        withdrawals=withdrawn,
        attestations={attestation.agency: attestation for attestation in attested},
    )


async def _count(connection: Connection, lines: Sequence[log.Line], as_of: dt.datetime) -> Counted:
    last = lines[-1]
    moment = Moment(entry=last.index, at=last.at, day=as_of.date())
    return Counted(
        by_code=await statistics.read(
            connection, moment, by=("risk", "sector", "status", "personal_data"), filters={}
        ),
        by_agency=await statistics.read(connection, moment, by=("agency",), filters={}),
    )


async def is_current(database: Database, settings: Settings, *, as_of: dt.datetime) -> bool:
    """Tell whether the site in force shows the latest entry and this day, at this address."""
    try:
        made = msgspec.json.decode((settings.site_dir / "build.json").read_bytes(), type=_MadeFrom)
    except (OSError, msgspec.DecodeError):
        return False
    async with database.connection() as connection:
        state = await log.read_state(connection)
        erasures = await redactions.count(connection)
    return (
        made.log.size == state.range.size
        and made.log.root == state.range.root().hex()
        and made.as_of.date() == as_of.date()
        and made.base_url == settings.base_url
        and made.erasures == erasures
    )


def day_of(now: dt.datetime) -> dt.datetime:
    """Give the moment that pages built now speak of: the beginning of the UTC day.

    What pages say of time (reviews overdue) changes by the day, so a day's builds are alike.
    """
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _origins() -> dict[str, Origin]:
    known = [load_crosswalk(name) for name in crosswalk_names()]
    return {
        one.origin: Origin(code=one.origin, name={one.language: one.title}, url=one.homepage)
        for one in known
    }
