"""A least-recently-used cache with a limit in bytes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")


class LruCache(Generic[K, T]):
    """Values by key, each with its size; beyond the limit the least recently used are dropped."""

    def __init__(self, room: int) -> None:
        """Begin empty; `room` is the limit in bytes."""
        self._things: OrderedDict[K, tuple[T, int]] = OrderedDict()
        self._room = room
        self._used = 0

    def get(self, key: K) -> T | None:
        """Return a value, which counts as a use, or None."""
        found = self._things.get(key)
        if found is None:
            return None
        self._things.move_to_end(key)
        return found[0]

    def put(self, key: K, thing: T, weight: int) -> None:
        """Insert or replace a value of a size in bytes; one larger than the limit is not cached."""
        self.drop(key)
        if weight > self._room:
            return
        self._things[key] = thing, weight
        self._used += weight
        while self._used > self._room:
            self.drop(next(iter(self._things)))

    def drop(self, key: K) -> None:
        """Remove a value, if it is cached."""
        _, weight = self._things.pop(key, (None, 0))
        self._used -= weight
