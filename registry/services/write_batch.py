"""The desk: what is filed one by one, at the same time, is done together.

Most of what a publication costs is the same for one and for fifty, and the log takes one after the
other. So whoever comes while others are served is served with all who came meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, TypeAlias

import msgspec

_MOST = 50

BatchFunction: TypeAlias = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]
"""Does some things together; gives what became of each, in order."""


class _Waiting(msgspec.Struct, frozen=True, kw_only=True):
    thing: Any
    names: frozenset[Hashable]
    work: BatchFunction
    outcome: asyncio.Future[Any]


class WriteBatch:
    """One process's queue."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiting: list[_Waiting] = []
        self._serving: asyncio.Task[None] | None = None

    async def do(self, thing: Any, names: frozenset[Hashable], work: BatchFunction) -> Any:
        """Have a thing done with the others that wait, but for those with one of its names."""
        outcome = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(thing=thing, names=names, work=work, outcome=outcome))
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        return await outcome

    async def _serve(self) -> None:
        while group := self._next():
            try:
                outcomes = await group[0].work([one.thing for one in group])
            except Exception as error:  # noqa: BLE001  it is theirs who wait for it
                outcomes = [error] * len(group)
            for one, outcome in zip(group, outcomes, strict=True):
                if one.outcome.done():
                    continue
                if isinstance(outcome, Exception):
                    one.outcome.set_exception(outcome)
                else:
                    one.outcome.set_result(outcome)

    def _next(self) -> list[_Waiting]:
        """Take those who come next and still wait, no two with the same name."""
        group: list[_Waiting] = []
        left: list[_Waiting] = []
        taken: set[Hashable] = set()
        for one in self._waiting:
            if one.outcome.done():
                continue
            if len(group) == _MOST or taken & one.names:
                left.append(one)
                continue
            group.append(one)
            taken |= one.names
        self._waiting = left
        return group
