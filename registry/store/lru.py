"""Things that are kept in memory as long as there is room, those that were used last."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")


class LruCache(Generic[K, T]):
    """Things by key, each with its bytes; when all have more than the room, the oldest go."""

    def __init__(self, room: int) -> None:
        """Begin with nothing; `room` is in bytes."""
        self._things: OrderedDict[K, tuple[T, int]] = OrderedDict()
        self._room = room
        self._used = 0

    def get(self, key: K) -> T | None:
        """Give a thing, which is used by that."""
        found = self._things.get(key)
        if found is None:
            return None
        self._things.move_to_end(key)
        return found[0]

    def put(self, key: K, thing: T, weight: int) -> None:
        """Keep a thing of so many bytes in the place of what was there; what never fits is not."""
        self.drop(key)
        if weight > self._room:
            return
        self._things[key] = thing, weight
        self._used += weight
        while self._used > self._room:
            self.drop(next(iter(self._things)))

    def drop(self, key: K) -> None:
        """Forget a thing, if it is there."""
        _, weight = self._things.pop(key, (None, 0))
        self._used -= weight
