"""Two registers that harvest each other: what a round costs, and that none of it is stale after."""

import asyncio
import datetime as dt
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from registry.store import embedded
from tests.bench.documents import local_documents
from tests.bench.measure import Row
from tests.peered import open_peer, served_folder

RECORDS, WITHDRAWALS, REDACTIONS = 5_000, 10_000, 100
PHONE = "+2125399"
_GROUP = 50
_START = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


class HarvestFigures(msgspec.Struct, kw_only=True):
    """What a campaign found: seconds of rounds, versions and entries, and what was stale after.

    `first` and `second` are of the processor, the others by the clock.
    """

    first: float = 0.0
    first_wall: float = 0.0
    versions: int = 0
    second: float = 0.0
    second_wall: float = 0.0
    entries: int = 0
    stale: int = 0
    left: int = 0


def run() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = embedded.start(folder)
        try:
            found = asyncio.run(_in_two_registers(server.url, folder))
        finally:
            server.release()
    yield Row(
        what=f"harvest of {found.versions:,} records, each way half of them: work of the process",
        figure=found.first,
        unit="s",
        at_most=100,
        beside=f"{found.first_wall:.0f} s by the clock",
    )
    yield Row(
        what=f"a round of {WITHDRAWALS:,} withdrawals and {REDACTIONS} redactions: work of it",
        figure=found.second,
        unit="s",
        at_most=60,
        beside=f"{found.second_wall:.0f} s by the clock, {found.entries:,} entries",
    )
    yield Row(
        what="of these, records that are stale at the other, and erased texts left there",
        figure=found.stale + found.left,
        unit="",
        at_most=0,
    )


async def _in_two_registers(url: str, folder: Path) -> HarvestFigures:
    with ExitStack() as stack:
        made = []
        for code in ("ma", "mb"):
            web = folder / code / "web"
            web.mkdir(parents=True)
            connection = await asyncpg.connect(url)
            await connection.execute(f"create database {code}")
            await connection.close()
            there = url.replace(f"/{embedded.DATABASE}", f"/{code}", 1)
            address = stack.enter_context(served_folder(web))
            made.append(await open_peer(code, there, web, address, now=_START, pack="ma"))
        found = await campaign(
            *made, records=RECORDS, withdrawals=WITHDRAWALS, redactions=REDACTIONS, now=_START
        )
        for one in made:
            await one.context.database.close()
    return found


async def campaign(
    one: Any, two: Any, *, records: int, withdrawals: int, redactions: int, now: dt.datetime
) -> HarvestFigures:
    """Let two registers harvest each other, then withdraw and redact in the first of them."""
    found = HarvestFigures()
    documents = local_documents(withdrawals + redactions)
    for number, document in enumerate(documents[-redactions:]):
        document["contact"]["phone"] = f"{PHONE}{number:05}"  # type: ignore[index]
    # What is withdrawn and redacted comes first, as far as it is among what is harvested first.
    first, later = documents[-records:], documents[:-records]
    await _publish(one, first, now)
    await _publish(two, local_documents(records), now)
    await one.watch(two, now=now)
    await two.watch(one, now=now)
    started = _now()
    for reader, source in ((one, two), (two, one)):
        report = await reader.harvest(source, now=now)
        assert report.outcome == "harvested", report
    found.first, found.first_wall = _since(started)
    found.versions = 2 * records
    if later:
        await _publish(one, later, now)
        await two.harvest(one, now=now)
    await one.withdraw(*[str(each["id"]) for each in documents[:withdrawals]], now=now)
    for document in documents[-redactions:]:
        await one.redact(document["id"], "/contact/phone", now=now)
    await one.serve_log()
    started = _now()
    report = await two.harvest(one, now=now)
    found.second, found.second_wall = _since(started)
    found.entries = report.entries
    [[found.stale]] = await two.fetch(
        "select count(*) from record where id = any($1) and state <> 'withdrawn'",
        [f"{one.code}.{each['id']}" for each in documents[:withdrawals]],
    )
    [[standing]] = await two.fetch(
        "select count(*) from record where id = any($1) and state = 'published'",
        [f"{one.code}.{each['id']}" for each in documents[-redactions:]],
    )
    assert standing == redactions
    found.left = await two.count_rows_with(PHONE)
    return found


def _now() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


def _since(started: tuple[float, float]) -> tuple[float, float]:
    return time.process_time() - started[0], time.perf_counter() - started[1]


async def _publish(register: Any, documents: list[dict[str, object]], now: dt.datetime) -> None:
    for start in range(0, len(documents), _GROUP):
        await register.put(*documents[start : start + _GROUP], now=now)
    await register.serve_log()
