"""The limit of work: milliseconds of CPU time that one address or token may take in a minute.

What a request takes is known when it has been answered, so the last one may go over; the next are
refused until the debt is paid, in this process at once, in others when they charge the next time.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress

from registry.clock import utc_now
from registry.errors import TooManyRequests, Unavailable
from registry.services import limits
from registry.store.database import Database

_COUNTED_SECONDS = 0.01
"""Requests that take less are not counted: that would cost more than they do."""

_MOST_KEPT = 10_000


class WorkLimit:
    """Charges requests for the time they took, and refuses those who are in debt."""

    def __init__(self, per_minute: int) -> None:
        """Take the milliseconds a minute; 0 is no limit."""
        self._per_minute = per_minute
        self._until: dict[str, float] = {}

    @property
    def has_debtors(self) -> bool:
        """Whether anybody may be in debt."""
        return bool(self._until)

    def counts(self, seconds: float) -> bool:
        """Return whether a request that took so long is charged."""
        return self._per_minute > 0 and seconds >= _COUNTED_SECONDS

    def require(self, who: str) -> None:
        """Raise `TooManyRequests` while an address or a token is in debt."""
        until = self._until.get(who)
        if until is None:
            return
        left = until - time.monotonic()
        if left <= 0:
            self._until.pop(who, None)
            return
        raise TooManyRequests(
            f"what was asked for took more than {self._per_minute:,} ms of work in a minute; try "
            "again later, and ask for less at once",
            retry_after=max(1, math.ceil(left)),
        )

    async def charge(self, database: Database, who: str, seconds: float) -> None:
        """Take the time of a request, one that counts, from what an address or a token may take."""
        # Nobody waits for a database that does not answer, after an answer.
        with suppress(Unavailable):
            debt = await limits.charge(
                database,
                "ms of work",
                who,
                per_minute=self._per_minute,
                cost=seconds * 1000,
                now=utc_now(),
            )
            if debt > 0:
                if len(self._until) >= _MOST_KEPT:
                    self._until.clear()
                self._until[who] = time.monotonic() + debt
