"""Allowances: token buckets in the database, shared by whoever asks."""

import asyncio
import datetime as dt
from functools import partial

import pytest

from registry.errors import TooManyRequests
from registry.services.operations import limits

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


def later(seconds):
    return NOW + dt.timedelta(seconds=seconds)


@pytest.fixture
def spend(database):
    async def asked(who="token 1", *, kind="writes", now=NOW, **changes):
        await limits.spend(database, kind, who, **{"per_minute": 3} | changes, now=now)

    return asked


async def granted(spend, times, **how):
    done = 0
    for _ in range(times):
        try:
            await spend(**how)
        except TooManyRequests:
            continue
        done += 1
    return done


async def test_a_minutes_worth_passes_and_the_next_is_told_when(spend):
    assert await granted(spend, 3) == 3
    with pytest.raises(TooManyRequests, match="3 writes a minute") as refused:
        await spend()
    assert refused.value.retry_after == 20
    with pytest.raises(TooManyRequests) as refused:
        await spend(per_minute=1)
    assert refused.value.retry_after == 60


async def test_it_fills_again_with_time_and_never_over_a_minutes_worth(spend):
    assert await granted(spend, 5) == 3
    assert await granted(spend, 5, now=later(40)) == 2
    assert await granted(spend, 9, now=later(3600)) == 3


async def test_a_refusal_costs_nothing(spend):
    assert await granted(spend, 50) == 3
    assert await granted(spend, 1, now=later(20)) == 1


async def test_a_clock_that_runs_behind_gives_nothing_and_takes_nothing(spend):
    assert await granted(spend, 3, now=later(10)) == 3
    assert await granted(spend, 1, now=NOW) == 0
    assert await granted(spend, 5, now=later(30)) == 1


async def test_everybody_and_every_kind_has_an_own_allowance(spend):
    assert await granted(spend, 4) == 3
    assert await granted(spend, 4, who="token 2") == 3
    assert await granted(spend, 4, kind="validations") == 3


async def test_a_cost_is_taken_at_once_and_the_dearest_is_a_minutes_worth(spend):
    await spend(cost=2)
    with pytest.raises(TooManyRequests):
        await spend(cost=2)
    await spend(cost=1)
    await spend(cost=100, now=later(3600))
    with pytest.raises(TooManyRequests):
        await spend(now=later(3600))


async def test_nothing_a_minute_is_no_limit(spend, database):
    assert await granted(spend, 50, per_minute=0) == 50
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from allowance") == 0


async def test_at_the_same_time_exactly_a_minutes_worth_passes(spend):
    answers = await asyncio.gather(*(spend() for _ in range(40)), return_exceptions=True)
    assert answers.count(None) == 3
    assert all(isinstance(answer, TooManyRequests) for answer in answers if answer is not None)


async def test_what_nobody_uses_any_more_is_forgotten(spend, database):
    await spend("token 1")
    await spend("token 2", now=later(3600))
    await limits.forget_unused(database, now=later(3601))
    async with database.connection() as connection:
        kept = [row["who"] for row in await connection.fetch("select who from allowance")]
    assert kept == ["token 2"]


async def test_nobody_waits_for_a_disk(spend, database):
    async def waits(work):
        # One after the other they all take the same connection, whose own counts these are.
        before = await waited()
        for _ in range(10):
            await work()
        return await waited() - before

    async def waited():
        async with database.connection() as connection:
            await connection.execute("select pg_stat_force_next_flush()")
            return await connection.fetchval(
                "select sum(fsyncs) from pg_stat_io"
                " where object = 'wal' and backend_type = 'client backend'"
            )

    async def write_what_lasts():
        async with database.connection() as connection:
            await connection.execute("create table if not exists lasting (x integer)")
            await connection.execute("insert into lasting values (1)")

    take = partial(spend, per_minute=6000)
    assert await waits(write_what_lasts) >= 10
    await take()  # not counted: the first one prepares the statement
    assert await waits(take) == 0


async def test_a_clock_that_was_ahead_does_not_keep_allowances_empty(spend):
    ahead = later(7200)
    assert await granted(spend, 5, now=ahead) == 3
    assert await granted(spend, 5) == 3
    assert await granted(spend, 5, now=later(20)) == 1


async def test_what_was_taken_is_owed_and_at_most_a_minute_of_it(database):
    async def charge(cost, now=NOW):
        return await limits.charge(database, "work", "one", per_minute=60, cost=cost, now=now)

    assert await charge(50) == 0
    assert await charge(20) == 10
    assert await charge(10_000) == 60
    assert await charge(5, later(30)) == 35
    assert await charge(0, later(600)) == 0
