"""The search engine of a process."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from registry.errors import InvalidParameter, Unavailable
from registry.search.find import find
from registry.search.highlights import Bodies
from registry.search.lookup import PostingReader
from registry.search.page import Cards, answer
from registry.search.query import SearchQuery, SearchResult
from registry.search.view import View, caught_up
from registry.store.database import Borrow
from registry.text.query_parser import NO_SYNONYMS, Synonyms
from registry.text.tokens import prepare

_POSTINGS_ROOM = 64 * 2**20
_CARDS_ROOM = 24 * 2**20
_BODIES_ROOM = 64 * 2**20
_MET_FIRST = 100
_WAIT_SECONDS = 5.0
"""How long a query waits for another one to update the view."""


class SearchIndex:
    """The index in the memory of a process, kept up to date with the register.

    A query sees everything that was published before it: the size of the log is read first, once
    for all queries that wait at the same time.
    """

    def __init__(
        self,
        borrow: Borrow,
        *,
        synonyms: Synonyms = NO_SYNONYMS,
        room: int = _POSTINGS_ROOM,
    ) -> None:
        """Take a function that lends connections; `room` is the limit for postings, in bytes."""
        self._borrow = borrow
        self._synonyms = synonyms
        self._room = room
        self._cards = Cards(_CARDS_ROOM)
        self._bodies = Bodies(_BODIES_ROOM)
        self._lock = asyncio.Lock()
        self._view: View | None = None
        self._looked_at = float("-inf")
        prepare()

    async def answer(self, question: SearchQuery) -> SearchResult:
        """Return a page of results.

        Raises `InvalidParameter` for a query that would take too long, and for a position in a
        larger log than this one, whose answer would still change.
        """
        size = 0 if question.after is None else question.after.size
        async with AsyncExitStack() as stack:
            reader = PostingReader(self._borrow, stack)
            view = await self._current(reader)
            if view.size < size:
                raise InvalidParameter(
                    f"cursor: it goes on in a log of {size:,} entries, and this one has "
                    f"{view.size:,}; begin again without it"
                )
            result = await find(question, view=view, reader=reader, synonyms=self._synonyms)
            return await answer(
                question,
                result,
                view=view,
                cards=self._cards,
                bodies=self._bodies,
                reader=reader,
            )

    async def warm_up(self) -> None:
        """Load the words of the newest versions, so that the first query is fast.

        Raises what the first query would.
        """
        async with AsyncExitStack() as stack:
            reader = PostingReader(self._borrow, stack)
            view = await self._current(reader)
            met = await self._bodies.read(list(view.standing[-_MET_FIRST:]), reader)
            for texts in met.values():
                texts.read_on()

    def codes(self, kind: str) -> AbstractSet[str]:
        """Return the codes of a kind that versions have, as of the last update."""
        return frozenset() if self._view is None else self._view.facets.sets(kind).keys()

    async def find(self, question: SearchQuery, *, size: int) -> tuple[array[int], str | None]:
        """Return every version that a query finds in a log of a size, oldest first.

        Return `mended` beside them, as in a `SearchResult`. Raises `InvalidParameter` as `answer`
        does.
        """
        async with AsyncExitStack() as stack:
            reader = PostingReader(self._borrow, stack)
            view = await self._current(reader)
            last = size - 1 if question.as_of is None else min(question.as_of, size - 1)
            query = msgspec.structs.replace(question, as_of=last)
            result = await find(query, view=view, reader=reader, synonyms=self._synonyms)
            return result.hits.to_array(), result.mended

    async def _current(self, reader: PostingReader) -> View:
        """Return the view, updated to the log."""
        came = time.monotonic()
        async with self._turn():
            # Another query has updated the view while this one waited.
            if self._view is None or self._looked_at <= came:
                looked_at = time.monotonic()
                view = await caught_up(self._view, await reader.connection(), self._room)
                if view.epoch != (self._view or view).epoch:
                    self._cards = Cards(_CARDS_ROOM)
                    self._bodies = Bodies(_BODIES_ROOM)
                self._view, self._looked_at = view, looked_at
            return self._view

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._lock.acquire()
        except TimeoutError as error:
            raise Unavailable("the register is busy; try again in a moment") from error
        try:
            yield
        finally:
            self._lock.release()
