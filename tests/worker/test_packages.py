"""The packages of the register: when they are written, and that none outlives an erasure."""

import datetime as dt
import secrets

import pytest

from registry.clock import utc_now
from registry.exports.package import packages
from registry.services.context import ServiceContext
from registry.store import redactions
from registry.worker import packages as module
from registry.worker.packages import Packages

HOUR = dt.timedelta(hours=1)


@pytest.fixture
async def work(logged, settings, pack, monkeypatch):
    monkeypatch.setattr(module, "_ROUND_SECONDS", 0)  # as if it ran for a while
    context = ServiceContext(database=logged, pack=pack, random=secrets.token_bytes)
    return Packages(settings, context)


async def test_one_is_written_an_hour_if_something_was_published(work, settings):
    await work.go_on(now=utc_now() - 24 * 365 * HOUR)
    assert packages(settings.packages_dir) == [], "the log began later"
    await work.go_on(now=utc_now() + HOUR)
    [first] = packages(settings.packages_dir)
    folder = settings.packages_dir / str(first)
    made = (folder / "records.parquet").stat().st_mtime_ns
    await work.go_on(now=utc_now() + 3 * HOUR)
    assert packages(settings.packages_dir) == [first], "nothing was published"
    assert (folder / "records.parquet").stat().st_mtime_ns == made


async def test_what_was_written_before_an_erasure_is_deleted(work, settings, monkeypatch):
    await work.go_on(now=utc_now() + HOUR)
    [entry] = packages(settings.packages_dir)
    leftover = settings.packages_dir / "7"
    (settings.packages_dir / str(entry)).rename(leftover)

    async def one(_):
        return 1

    monkeypatch.setattr(redactions, "count", one)
    await work.go_on(now=utc_now() + HOUR)
    assert packages(settings.packages_dir) == [entry]
    assert not leftover.exists()
