"""Search: answering questions from what a process knows of the index."""

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
"""How long a question waits for another to take over what is new."""


class SearchIndex:
    """The index as one process has it, kept in step with the register.

    What was published before a question came is in its answer: the database is asked how long the
    log is, by one question for all who come while another is being answered.
    """

    def __init__(
        self,
        borrow: Borrow,
        *,
        synonyms: Synonyms = NO_SYNONYMS,
        room: int = _POSTINGS_ROOM,
    ) -> None:
        """Take what lends connections; `room` is for postings, in bytes."""
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
        """Answer a question; raises `InvalidParameter` for one that would take too long.

        And for a place in a log that is longer than this one: the answer would go on changing.
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
        """Meet the words of the newest versions, so that few are new to who asks first.

        Raises what the first question would.
        """
        async with AsyncExitStack() as stack:
            reader = PostingReader(self._borrow, stack)
            view = await self._current(reader)
            met = await self._bodies.read(list(view.standing[-_MET_FIRST:]), reader)
            for texts in met.values():
                texts.read_on()

    def codes(self, kind: str) -> AbstractSet[str]:
        """Give the codes of a kind that versions have, as far as the process has come."""
        return frozenset() if self._view is None else self._view.facets.sets(kind).keys()

    async def find(self, question: SearchQuery, *, size: int) -> tuple[array[int], str | None]:
        """Give every version that a question finds in a log of a size, whatever its page.

        The oldest come first; beside them, `mended` as in an `Answer`. Raises `InvalidParameter` as
        `answer` does.
        """
        async with AsyncExitStack() as stack:
            reader = PostingReader(self._borrow, stack)
            view = await self._current(reader)
            last = size - 1 if question.as_of is None else min(question.as_of, size - 1)
            asked = msgspec.structs.replace(question, as_of=last)
            result = await find(asked, view=view, reader=reader, synonyms=self._synonyms)
            return result.hits.to_array(), result.mended

    async def _current(self, reader: PostingReader) -> View:
        """Give the view, after taking over what is new."""
        came = time.monotonic()
        async with self._turn():
            # Somebody who waited while another looked need not look again.
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
