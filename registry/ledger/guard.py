"""The guard of the log: what has to hold, under its lock, before anything is appended to it.

A database that is older than what was signed or acknowledged, or whose clock differs from this
process's, takes nothing. Every process remembers the furthest state of the log that it has seen;
the publisher of the log compares the database with what was signed after every change of it, and
where they differ writes so into the row that is locked here.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from registry.clock import utc_now
from registry.errors import ClockDiffers, RegisterBehind
from registry.store import log
from registry.store.database import Connection
from registry.store.log import Entry, GuardedState

LONGEST_SKEW = dt.timedelta(seconds=5)
"""The most by which two clocks, or a clock and the last entry, may differ."""

_LINE = re.compile(rb"([0-9]{10}) ([0-9]{19}) ([0-9a-f]{64})\n")
_LINE_BYTES = 10 + 1 + 19 + 1 + 64 + 1
_RETRY_SECONDS = 30


class SeenLog(msgspec.Struct, frozen=True, order=True):
    """A state of the log that was committed: its size, and the leaf hash of its last entry.

    `discards` counts how often entries had been given up before; it comes first in the order. A
    leaf commits to random salts, so that a log that has gone on otherwise has another one there.
    """

    discards: int = 0
    size: int = 0
    leaf: bytes = bytes(32)


class LogMemory:
    """The furthest state of the log that this process, and others of its host, have seen."""

    def __init__(self, path: Path | None = None) -> None:
        """Take the file that processes share and that outlives them; None to remember no longer."""
        self._path = path
        self._last = SeenLog()

    @property
    def last(self) -> SeenLog:
        """The furthest state."""
        if self._path is not None:
            with suppress(OSError), self._path.open("rb") as file:
                self._last = max(self._last, _parse(file.read(_LINE_BYTES)))
        return self._last

    def note(self, seen: SeenLog) -> None:
        """Remember a state that was committed; where the file cannot be written, in memory."""
        if seen <= self._last:
            return
        self._last = seen
        if self._path is None:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o664)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if _parse(os.pread(descriptor, _LINE_BYTES, 0)) < seen:
                    line = f"{seen.discards:010} {seen.size:019} {seen.leaf.hex()}\n"
                    os.pwrite(descriptor, line.encode(), 0)
            finally:
                os.close(descriptor)


class LogGuard:
    """Locks the log for those who append, if it may be appended to.

    Entries get the database's time, once `clock`, that of this process, agrees with it. Without a
    clock they get the caller's, for replays and tests.
    """

    def __init__(
        self, memory: LogMemory, *, clock: Callable[[], dt.datetime] | None = utc_now
    ) -> None:
        """Take what the process remembers, and its clock."""
        self.memory = memory
        self.clock = clock
        self.is_blocked = False
        """Whether a check of the log had found a fault when it was last locked or looked at."""
        self._written: dict[Connection, SeenLog] = {}

    async def lock(self, connection: Connection, *, now: dt.datetime) -> GuardedState:
        """Lock the log until the transaction ends; `clock` is the time that entries get.

        Raises `RegisterBehind` or `ClockDiffers`.
        """
        seen = self._written.get(connection) or self.memory.last
        asked_at = self.clock and self.clock()
        state = await log.lock_state(connection, seen.size - 1)
        self.is_blocked = state.fault is not None
        _check_in_place(state, seen)
        if self.clock is None or asked_at is None:
            return msgspec.structs.replace(state, clock=now)
        _check_clocks(state, skew(state.clock, asked_at, self.clock()))
        return state

    async def look(self, connection: Connection) -> tuple[GuardedState, bool]:
        """Return the state without locking it, and whether nothing would be appended for it.

        What lacks nothing is remembered.
        """
        seen = self.memory.last
        state = await log.read_guarded(connection, seen.size - 1)
        self.is_blocked = state.fault is not None
        is_whole = lacks(state, seen) is None
        if is_whole and state.last_leaf is not None:
            self.memory.note(SeenLog(state.discards, state.range.size, state.last_leaf))
        return state, not is_whole or state.stopped is not None or not state.is_confirmed

    def wrote(self, connection: Connection, state: GuardedState, entry: Entry) -> None:
        """Note the last entry of a transaction, which may fail still."""
        self._written[connection] = SeenLog(state.discards, entry.index + 1, entry.leaf)

    def written(self, connection: Connection) -> SeenLog | None:
        """Return what a transaction has written so far."""
        return self._written.get(connection)

    def rewind(self, connection: Connection, before: SeenLog | None) -> None:
        """Forget what was written since, in a part of a transaction that was rolled back."""
        self._written.pop(connection, None)
        if before is not None:
            self._written[connection] = before

    def end(self, connection: Connection, *, committed: bool) -> None:
        """Remember what a transaction has written, if it was committed."""
        written = self._written.pop(connection, None)
        if committed and written is not None:
            self.memory.note(written)


def _check_in_place(state: GuardedState, seen: SeenLog) -> None:
    """Raise `RegisterBehind` unless the log goes on from all that was signed and was `seen`."""
    if state.stopped is None and not state.is_confirmed:
        raise RegisterBehind(
            "the database was restored, or another server has taken over, and whether the register "
            "is behind what it has signed is not known before the background runner has compared "
            "them (registry work); nothing is published meanwhile",
            retry_after=_RETRY_SECONDS,
        )
    why = state.stopped or lacks(state, seen)
    if why is not None:
        raise RegisterBehind(
            f"the register is behind what it has signed or acknowledged: {why}; nothing is "
            "published meanwhile",
            retry_after=_RETRY_SECONDS,
        )


def lacks(state: GuardedState, seen: SeenLog) -> str | None:
    """Return in words how the log lacks what was seen of it; None where it goes on from there.

    The state's `leaf` is that of the last entry which was seen. What was seen before entries were
    given up is no measure any more.
    """
    size = state.range.size
    if seen.discards != state.discards:
        is_older = seen.discards > state.discards
        return "the database is from before entries were given up" if is_older else None
    if size < seen.size:
        return f"{seen.size:,} entries were acknowledged, and the database has {size:,}"
    if seen.size and state.leaf != seen.leaf:
        return f"entry {seen.size - 1:,} is another than was acknowledged"
    return None


def skew(theirs: dt.datetime, asked_at: dt.datetime, answered_at: dt.datetime) -> dt.timedelta:
    """Return by how much a clock is ahead of ours at least: negative where it is behind.

    It was read between the times at which it was `asked_at` and had `answered_at`.
    """
    if theirs < asked_at:
        return theirs - asked_at
    return max(theirs - answered_at, dt.timedelta())


def _check_clocks(state: GuardedState, ahead: dt.timedelta) -> None:
    """Raise `ClockDiffers` where the database's clock is off ours, or the log ahead of it."""
    if abs(ahead) > LONGEST_SKEW:
        more = "behind" if ahead < dt.timedelta() else "ahead of"
        raise ClockDiffers(
            f"the database's clock is {_duration(ahead)} {more} this server's; nothing is "
            f"published until they agree to {LONGEST_SKEW.seconds} seconds",
            retry_after=_RETRY_SECONDS,
        )
    accepted = max(state.clock + LONGEST_SKEW, state.dated_ahead or state.clock)
    if state.last_at is not None and state.last_at > accepted:
        raise ClockDiffers(
            f"the last entry of the log is dated {state.last_at:%Y-%m-%dT%H:%M:%SZ}, which is "
            f"{_duration(state.last_at - state.clock)} ahead of the database's clock; nothing is "
            "published before that time, unless whoever runs the register accepts such dates "
            "(registry log heal --accept-dates)",
            retry_after=_RETRY_SECONDS,
        )


def _duration(span: dt.timedelta) -> str:
    return str(abs(dt.timedelta(seconds=round(span.total_seconds()))))


def _parse(line: bytes) -> SeenLog:
    match = _LINE.fullmatch(line)
    if match is None:
        return SeenLog()
    return SeenLog(int(match[1]), int(match[2]), bytes.fromhex(match[3].decode()))
