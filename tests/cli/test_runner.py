"""The background runner: what it does beside building the site."""

import asyncio
import contextlib
import datetime as dt

from registry.cli.runner import forget, keep_site_current
from registry.office import answers, limits
from registry.office.access import Actor
from registry.settings import Settings

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


async def left(database):
    async with database.connection() as connection:
        return [
            await connection.fetchval("select count(*) from answer"),
            await connection.fetchval("select count(*) from allowance"),
        ]


async def act(office, number, now):
    """Leave an answer and an allowance behind, as a request with a key does."""
    async with office.database.transaction() as connection:
        await connection.execute(
            "insert into token (digest, actor, scopes, created_at, expires_at)"
            " values ($1, 'x', '{}', $2, $2)",
            bytes([number]),
            now,
        )
        actor = Actor(name="x", agency=None, scopes=frozenset(), token=number)
        await answers.keep(connection, office, actor, "key", b"request", b"answer", now=now)
    await limits.spend(office.database, "writes", f"token {number}", per_minute=1, burst=1, now=now)


async def test_it_forgets_what_is_over_and_nothing_else(office):
    await act(office, 1, NOW)
    await act(office, 2, NOW + DAY)
    await forget(office, now=NOW + DAY + dt.timedelta(minutes=1))
    assert await left(office.database) == [1, 1]


async def test_it_does_so_while_it_works(office, tmp_path):
    await act(office, 1, NOW - 9999 * DAY)
    settings = Settings(data_dir=tmp_path, site_build="manual")
    working = asyncio.create_task(keep_site_current(settings, office))
    while await left(office.database) != [0, 0]:
        assert not working.done()
        await asyncio.sleep(0.02)
    working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working
