"""Moments: which entry was the last then, and every way to name one wrongly."""

import datetime as dt
import re

import pytest

from registry.errors import InvalidParameter
from registry.log.register import END
from registry.store.as_of import LogWindow, read_as_of, read_entry, read_time, read_window

# The genesis entry of the tests' register; what follows comes at these times.
BEGAN = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
TIMES = [
    dt.datetime(2026, 11, 24, 13, 0, 5, tzinfo=dt.UTC),
    dt.datetime(2026, 11, 24, 13, 0, 5, tzinfo=dt.UTC),
    dt.datetime(2026, 11, 26, 0, 0, 0, tzinfo=dt.UTC),
]
NOW = dt.datetime(2026, 11, 27, 8, 30, tzinfo=dt.UTC)


FOUND = {
    None: (3, "2026-11-27"),
    "entry:0": (0, "2026-11-24"),
    "entry:2": (2, "2026-11-24"),
    "entry:3": (3, "2026-11-26"),
    "2026-11-24": (2, "2026-11-24"),
    "2026-11-25": (2, "2026-11-25"),
    "2026-11-26": (3, "2026-11-26"),
    "2026-11-27": (3, "2026-11-27"),
    "2026-11-24T12:00:00Z": (0, "2026-11-24"),
    "2026-11-24T13:00:04.999Z": (0, "2026-11-24"),
    "2026-11-24T13:00:05Z": (2, "2026-11-24"),
    "2026-11-24t14:00:05.123456789+01:00": (2, "2026-11-24"),
    "2026-11-25T23:59:59.999999-00:00": (2, "2026-11-25"),
    "2026-11-25T20:00:00-04:00": (3, "2026-11-26"),
    "2026-11-27T08:30:00Z": (3, "2026-11-27"),
}
REFUSED = {
    "entry:4": "the last one is entry:3, of 2026-11-26T00:00:00Z",
    f"entry:{10**17}": "the last one is entry:3",
    "2026-11-28": "still to come",
    "2026-11-27T08:30:01Z": "still to come; the last entry is entry:3",
    "9999-12-31": "still to come",
    "2026-11-23": "before the register began; its first entry is entry:0",
    "2026-11-24T11:59:59Z": "before the register began",
    "0001-01-01": "before the register began",
}
NO_TIMES = [
    "", "yesterday", "now", "entry:", "entry:-1", "entry:+1", "entry:01", "entry: 1", "Entry:1",
    f"entry:{10**30}", "entry:٣", "41", "2026-11", "2026-11-31", "2026-13-01", "0000-01-01",
    "2026-11-24T13:00:05", "2026-11-24T13:00Z", "2026-11-24T25:00:00Z", "2026-11-24T13:00:60Z",
    "2026-11-24 13:00:05Z", "2026-11-24T13:00:05+24:00", "2026-11-24T13:00:05+00:60",
    "2026-11-24T13:00:05.Z", "20261124",
    "٢٠٢٦-١١-٢٤", "2026-11-24\n", " 2026-11-24", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2026-11-24T13:00:05+01:00:00", "2026-W48-2", "' or 1=1",
]  # fmt: skip


@pytest.fixture
async def find(database, publish, record):
    """Find a moment in a log of four entries."""
    for at in TIMES:
        await publish(record, now=at)

    async def read(as_of, now=NOW):
        async with database.snapshot() as connection:
            moment = await read_as_of(connection, as_of, now=now)
        return moment.entry, moment.day.isoformat()

    return read


async def refusal(find, as_of):
    """What is said of a moment that is none; nothing where it is one."""
    try:
        await find(as_of)
    except InvalidParameter as error:
        return str(error)
    return ""


async def test_a_moment_is_found(find):
    assert {as_of: await find(as_of) for as_of in FOUND} == FOUND


async def test_a_moment_that_the_log_does_not_have_is_refused(find):
    for as_of, said in REFUSED.items():
        assert said in await refusal(find, as_of), as_of


async def test_what_names_no_moment_is_refused(find):
    for as_of in NO_TIMES:
        told = await refusal(find, as_of)
        assert re.match(r"as_of: .* is not a time such as", told, re.DOTALL), as_of


async def test_a_plus_that_became_a_space_is_explained(find):
    with pytest.raises(InvalidParameter, match="write \\+ as %2B"):
        await find("2026-11-24T13:00:05 01:00")


async def test_a_clock_that_was_ahead_does_not_put_the_last_entry_into_the_future(find):
    early = BEGAN - dt.timedelta(days=30)
    assert await find("2026-11-26", now=early) == (3, "2026-11-26")
    assert await find(None, now=early) == (3, early.date().isoformat())


async def test_without_a_moment_there_is_no_end(database):
    async with database.snapshot() as connection:
        assert await read_entry(connection, None, now=NOW) == END
        assert await read_entry(connection, "entry:0", now=NOW) == 0


def test_a_day_begins_and_ends_in_utc():
    first, last = (read_time("x", "2026-11-24", begins=begins) for begins in (True, False))
    assert first == dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
    assert last - first == dt.timedelta(days=1) - dt.timedelta(microseconds=1)
    with pytest.raises(InvalidParameter, match="changed_since: 'x' is not a time such as"):
        read_time("changed_since", "x")


WINDOWS = {
    ("2026-11-24", None): (-1, None),
    ("2026-11-25", None): (2, None),
    ("2026-11-24T13:00:05Z", None): (0, None),
    ("2026-11-24T13:00:05.000001Z", None): (2, None),
    ("2030-01-01", None): (3, None),
    (None, "2026-11-23"): (-1, -1),
    (None, "2026-11-24"): (-1, 2),
    (None, "2026-11-26T00:00:00Z"): (-1, 3),
    ("2026-11-26", "2026-11-26"): (2, 3),
    ("2026-11-24T14:00:05+01:00", "2026-11-24"): (0, 2),
}


async def test_a_time_is_a_part_of_the_log(find, database):
    async with database.connection() as connection:
        found = {between: await read_window(connection, *between) for between in WINDOWS}
    assert found == {
        between: LogWindow(after=after, last=last) for between, (after, last) in WINDOWS.items()
    }


async def test_without_a_time_all_of_the_log_is_asked(database):
    async with database.connection() as connection:
        assert await read_window(connection, None, None) is None
        with pytest.raises(InvalidParameter, match="changed_since: 2026-11-26 is after"):
            await read_window(connection, "2026-11-26", "2026-11-25")


async def test_a_moment_can_be_named_again(find, database):
    async def again(as_of, now=NOW):
        async with database.snapshot() as connection:
            moment = await read_as_of(connection, as_of, now=now)
            text = moment.text
            same = await read_as_of(connection, text, now=NOW + dt.timedelta(days=99))
        assert (same.entry, same.day) == (moment.entry, moment.day)
        return text

    assert await again("entry:2") == "entry:2"
    assert await again("2026-11-24T23:00:00Z") == "entry:2"
    assert await again("2026-11-25") == "2026-11-25T00:00:00Z"
    assert await again(None) == "2026-11-27T00:00:00Z"
