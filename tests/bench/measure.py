"""Timing: runs of two ways in turn, so that a drifting machine treats both alike."""

import time
from collections.abc import Callable, Sequence

import msgspec


class Timing(msgspec.Struct, kw_only=True):
    """Seconds of single pieces of work; `elapsed` by the clock, where pieces ran side by side."""

    seconds: list[float] = []
    elapsed: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.seconds) / (self.elapsed or sum(self.seconds))

    def quantile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Comparison(msgspec.Struct, kw_only=True):
    """One line of the results."""

    name: str
    unit: str
    beside_name: str
    ours: Timing
    beside: Timing


def timed(timing: Timing, work: Callable[[], object], pieces: int = 1) -> None:
    """Time one call that does `pieces` pieces of work."""
    start = time.perf_counter()
    work()
    timing.seconds += [(time.perf_counter() - start) / pieces] * pieces


def in_turn(
    items: Sequence[object],
    ours: Callable[[object], object],
    beside: Callable[[object], object],
    block: int = 50,
) -> tuple[Timing, Timing]:
    """Give every item to both, a block of items at a time."""
    mine, other = Timing(), Timing()
    for start in range(0, len(items), block):
        for item in items[start : start + block]:
            timed(mine, lambda item=item: ours(item))
        for item in items[start : start + block]:
            timed(other, lambda item=item: beside(item))
    return mine, other
