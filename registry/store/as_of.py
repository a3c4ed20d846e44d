"""Moments: the last entry of the log that counts, and the day for overdue reviews.

An answer as of a moment is what the register knew when that entry was its last; later changes are
left out.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import msgspec

from registry.errors import InvalidParameter, Unavailable
from registry.log.register import END
from registry.store.database import Connection, statement

_ENTRY = re.compile(r"entry:(0|[1-9][0-9]{0,17})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-5][0-9])"
)
AS_OF = "^(" + "|".join(form.pattern for form in (_ENTRY, _DAY, _TIME)) + ")$"
"""The forms that `as_of` may have, as a pattern."""

TIME = "^(" + "|".join(form.pattern for form in (_DAY, _TIME)) + ")$"
"""The forms that a time may have."""

_LAST_OF_A_DAY = dt.time(23, 59, 59, 999_999, tzinfo=dt.UTC)
_FORMS = "a time such as 2026-11-24T13:05:09Z, or a day such as 2026-11-24"


class LogWindow(msgspec.Struct, frozen=True, kw_only=True):
    """A range of the log: the entries after one, up to another or to the end."""

    after: int
    last: int | None


class AsOf(msgspec.Struct, frozen=True, kw_only=True):
    """The last entry that is known, its time, and the UTC day for which overdue reviews count."""

    entry: int
    at: dt.datetime
    day: dt.date

    @property
    def text(self) -> str:
        """The value of `as_of` that names this moment at any later time."""
        if self.at.date() == self.day:
            return f"entry:{self.entry}"
        # The entry alone would mean its own day.
        return f"{self.day.isoformat()}T00:00:00Z"


async def read_as_of(connection: Connection, as_of: str | None, *, now: dt.datetime) -> AsOf:
    """Return the moment that `as_of` names; without it, now.

    It is `entry:<n>`, on the day of that entry, or what `read_time` accepts; today means until now.
    Raises `InvalidParameter` for any other text, a time before the first entry or in the future,
    and an entry that is not in the log.
    """
    latest = await connection.fetchrow(statement("moments", "latest"))
    if latest is None:
        raise Unavailable("the log has no first entry yet; run: registry work")
    last, last_at = latest["index"], latest["at"]
    if as_of is None:
        return _moment(latest, now)
    entry = _ENTRY.fullmatch(as_of)
    if entry is not None:
        row = await connection.fetchrow(statement("moments", "at_entry"), int(entry[1]))
        if row is None:
            raise InvalidParameter(
                f"as_of: there is no {as_of} yet; the last one is entry:{last}, "
                f"of {_written(last_at)}"
            )
        return _moment(row, row["at"])
    wanted = read_time("as_of", as_of, forms=f"{_FORMS}, or an entry such as entry:41")
    # The last entry may be of a host whose clock is ahead of this one.
    if read_time("as_of", as_of, begins=True) > max(now, last_at):
        raise InvalidParameter(
            f"as_of: {as_of} is still to come; the last entry is entry:{last}, "
            f"of {_written(last_at)}; leave as_of out to ask for now"
        )
    row = await connection.fetchrow(statement("moments", "at_time"), wanted)
    if row is None:
        first = await read_beginning(connection)
        raise InvalidParameter(
            f"as_of: {as_of} is before the register began; its first entry is entry:0, "
            f"of {_written(first)}"
        )
    return _moment(row, wanted)


async def read_beginning(connection: Connection) -> dt.datetime:
    """Return the time of the first entry, which has to exist."""
    first: dt.datetime = await connection.fetchval(statement("moments", "first"))
    return first


async def read_entry(connection: Connection, as_of: str | None, *, now: dt.datetime) -> int:
    """Return the last entry of the moment that `as_of` names; None without it."""
    return END if as_of is None else (await read_as_of(connection, as_of, now=now)).entry


async def read_window(
    connection: Connection, since: str | None, until: str | None, name: str = "changed_since"
) -> LogWindow | None:
    """Return the entries from one time to another, inclusive; None if neither is given.

    A day counts from its beginning or to its end; `name` is the parameter of the first time. Raises
    `InvalidParameter` as `read_time` does, and if the times are in the wrong order.
    """
    if since is None and until is None:
        return None
    first = None if since is None else read_time(name, since, begins=True)
    last = None if until is None else read_time("changed_until", until)
    if first is not None and last is not None and first > last:
        raise InvalidParameter(f"changed_since: {since} is after changed_until, which is {until}")
    row = await connection.fetchrow(statement("moments", "window"), first, last)
    return LogWindow(after=row["after"], last=None if last is None else row["last"])


def read_time(name: str, text: str, *, begins: bool = False, forms: str = _FORMS) -> dt.datetime:
    """Return the time of an RFC 3339 parameter; for a day its end in UTC, or its beginning.

    Raises `InvalidParameter`.
    """
    time = _TIME.fullmatch(text)
    try:
        if _DAY.fullmatch(text):
            day = dt.date.fromisoformat(text)
            hour = dt.time(tzinfo=dt.UTC) if begins else _LAST_OF_A_DAY
            return dt.datetime.combine(day, hour)
        if time is not None:
            whole, fraction = f"{time[1]}T{time[2]}", (time[3] or "")[:7]
            zone = "+00:00" if time[4] in "Zz" else time[4]
            return dt.datetime.fromisoformat(f"{whole}{fraction}{zone}").astimezone(dt.UTC)
    except (ValueError, OverflowError):
        # A day or an hour that no calendar has.
        pass
    lost_plus = " " in text and _TIME.fullmatch(text.replace(" ", "+"))
    hint = "; write + as %2B" if lost_plus else ""
    raise InvalidParameter(f"{name}: {text!r} is not {forms}{hint}")


def _moment(row: Any, asked: dt.datetime) -> AsOf:
    return AsOf(entry=row["index"], at=row["at"], day=asked.astimezone(dt.UTC).date())


def _written(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
