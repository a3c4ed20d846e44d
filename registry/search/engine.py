"""The search engine of a process: the answers of the index."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import msgspec
import tantivy

from registry.errors import InvalidParameter, Unavailable
from registry.record.facets import LANGUAGE, OBSERVATION
from registry.record.facts import FactCounts, facts
from registry.record.observations import OBSERVATIONS
from registry.record.pack import Pack
from registry.search import ranking
from registry.search.filters import IndexAsOf
from registry.search.find import QueryMatches, WordMeanings, begun_query
from registry.search.highlights import Bodies, Cards, Connect
from registry.search.index import IndexDamagedError, IndexDirectory, IndexStatus, Progress
from registry.search.labels import (
    NO_NAMES,
    NameLabels,
    arabizi_of,
    labels_of,
    names_of,
)
from registry.search.query import Named, SearchQuery, SearchResult, Transition
from registry.search.result_page import find_all, find_named, place_results, write_page
from registry.search.schema import NO_LABEL_WORDS, LabelWords, value_place
from registry.search.spelling import WordLists
from registry.store import agencies, transitions
from registry.store.database import Borrow, Connection
from registry.store.search_rows import SearchState, read_state
from registry.structs import copy_as
from registry.text.arabizi import NO_ARABIZI, ArabiziIndex
from registry.text.highlighting import Texts
from registry.text.query_parser import NO_VOCABULARY, Vocabulary
from registry.text.tokens import prepare
from registry.work import WorkThread

_CARDS_ROOM = 24 * 2**20
_BODIES_ROOM = 64 * 2**20
_MET_FIRST = 100
_EVERY_SECONDS = 10.0
_PASSAGES_SECONDS = 2.0
"""How long an answer waits for the texts of passages; a usual one takes a hundredth of that."""

_MOST_FOLLOWED = 20_000
"""Records whose versions are compared for one question."""

_WAIT_SECONDS = 20.0
"""How long a query waits until what was published is in the index, which may be made anew."""


class SearchIndex:
    """The index on this host, kept up to date with the register.

    A query sees everything that was published before it: the state of the log is read first, once
    for all queries that wait at the same time. What is found, ranked and marked is so in a thread.
    """

    def __init__(
        self,
        borrow: Borrow,
        folder: Path,
        *,
        languages: Iterable[str] = (),
        vocabulary: Vocabulary = NO_VOCABULARY,
        labels: LabelWords = NO_LABEL_WORDS,
        names: NameLabels = NO_NAMES,
        arabizi: ArabiziIndex = NO_ARABIZI,
        pack: Pack | None = None,
        on_pack: Callable[[Pack], None] = lambda _: None,
    ) -> None:
        """Take a function that lends connections, and the folder of the host's index.

        Names are ordered in any of the languages, which are those of the country. `labels` are
        those of codes, `names` those of what a question may name beside records, and `arabizi`
        words that may be typed in Latin letters. The last two are of the `pack`, or once agencies
        were added to the register, of one that has them too, which is given to `on_pack`.
        """
        self._borrow = borrow
        spoken = [*languages]
        self._directory = IndexDirectory(folder, spoken, labels)
        self._meanings = WordMeanings(
            languages=[],
            spoken=spoken,
            vocabulary=vocabulary,
            names=names,
            arabizi=arabizi,
        )
        self._pack, self._on_pack = pack, on_pack
        self._agencies = -1
        self._cards = Cards(_CARDS_ROOM)
        self._bodies = Bodies(_BODIES_ROOM)
        self._lock = asyncio.Lock()
        self._place = 0
        self._log: SearchState | None = None
        self._rising: asyncio.Task[SearchState] | None = None
        self._spoken: tantivy.Searcher | None = None
        self._looked_at = float("-inf")
        self._thread = WorkThread("search")
        prepare()

    async def answer(self, question: SearchQuery) -> SearchResult:
        """Return a page of results.

        Raises `InvalidParameter` for a position in a larger log than this one, whose answer would
        still change, and `Unavailable` where the index cannot be brought up to the log.
        """
        at = await self._as_of(question)
        # Those of this index: what is read of it after an erasure is cached for nobody else.
        cards, texts = self._cards, self._bodies
        results = await self._thread.run(place_results, question, at, self._meanings)
        hidden = [ord_ for group in results.groups for ord_ in group.hidden]
        bodies: Mapping[int, Texts] = {}
        # After an erasure a table is written anew for a while: the answer goes without passages.
        with suppress(TimeoutError, Unavailable):
            async with asyncio.timeout(_PASSAGES_SECONDS), self._connect() as connect:
                bodies = await texts.read(hidden, connect)
        names = self._meanings.names
        return await self._thread.run(write_page, results, cards, bodies, names)

    async def find(self, question: SearchQuery, *, size: int) -> tuple[Sequence[int], str | None]:
        """Return every version that a query finds in a log of a size, oldest first.

        Return `mended` beside them, as in a `SearchResult`. Raises as `answer` does.
        """
        last = size - 1 if question.as_of is None else min(question.as_of, size - 1)
        query = msgspec.structs.replace(question, as_of=last, facets=())
        return await self._thread.run(find_all, query, await self._as_of(query), self._meanings)

    async def found(self, question: SearchQuery) -> QueryMatches:
        """Return what a query finds, as of now. Raises as `answer` does."""
        at = await self._as_of(question)
        return await self._thread.run(QueryMatches, question, at, self._meanings)

    async def count_answers(self, question: SearchQuery) -> list[FactCounts]:
        """Return of every fact how what a query finds answers on it. Raises as `answer` does."""
        at = await self._as_of(question)

        def counted() -> list[FactCounts]:
            found = QueryMatches(question, at, self._meanings)
            answers = at.count_answers(found.hits, [*facts()])
            return [copy_as(FactCounts, one, fact=fact) for fact, one in answers.items()]

        return await self._thread.run(counted)

    async def transitions(self, question: SearchQuery, name: str, since: str) -> list[Transition]:
        """Return from what to what the values of a dimension went in the window of a question.

        What comes from other registers went so on the day, from `since` on, that it states for its
        change. Raises as `answer` does, and `InvalidParameter` for more records than can be
        followed.
        """
        window = question.changed
        if window is None:
            raise ValueError("without a window nothing went on")
        at = await self._as_of(question)
        last = at.entry if window.last is None else min(at.entry, window.last)
        # What was imported after the window may have changed within it.
        standing = msgspec.structs.replace(question, changed=None)
        found, _ = await self._thread.run(find_all, standing, at, self._meanings)
        if len(found) > _MOST_FOLLOWED:
            raise InvalidParameter(
                f"transitions: {len(found):,} records are too many to follow, {_MOST_FOLLOWED:,} "
                "at most; narrow the question by filters, such as origin"
            )
        until = "9999" if question.today is None else question.today.isoformat()
        async with self._connect() as connect:
            changed = await transitions.read(
                await connect(),
                found,
                entries=(min(window.after, last), last),
                days=(since, until),
                as_of=at.entry,
            )
        return await self._thread.run(at.transitions, changed, name)

    async def count_observations(self, question: SearchQuery) -> dict[str, int]:
        """Return how many of what a query finds show each observation. Raises as `answer` does."""
        at = await self._as_of(question)

        def counted() -> dict[str, int]:
            found = QueryMatches(question, at, self._meanings)
            counts = at.count(found.hits, [OBSERVATION]).facets
            shown = {one.code: one.count for one in counts[OBSERVATION]}
            return {code: shown.get(code, 0) for code in OBSERVATIONS}

        return await self._thread.run(counted)

    async def suggest(
        self, text: str, *, most: int, reader: str | None = None
    ) -> tuple[list[Named], list[str]]:
        """Return what may be meant while a text is typed: agencies and sectors, and cards.

        Its last word may be the beginning of one. Names in the language of the `reader` come first.
        A text that means nothing so is corrected as a question is.
        """
        if begun_query(text, self._meanings.vocabulary) is None:
            return [], []
        at = await self._as_of(SearchQuery())
        # Those of this index: its languages may be others than before.
        cards, meanings = self._cards, self._meanings

        def begun(text: str) -> tuple[list[Named], list[str]]:
            query = begun_query(text, meanings.vocabulary)
            if query is None:
                return [], []
            asked = QueryMatches(SearchQuery(), at, meanings)
            read = [asked.read(query, tag) for tag in dict.fromkeys((reader, None))]
            named = find_named(meanings.names, text, query, at, is_begun=True)
            first = ranking.first_by_name(at, read, most)
            return named, [cards.read(at.searcher, one)[0] for one in first]

        def suggested() -> tuple[list[Named], list[str]]:
            found = begun(text)
            if any(found):
                return found
            mended = QueryMatches(SearchQuery(text=text, reader=reader), at, meanings).mended
            return found if mended is None else begun(mended)

        return await self._thread.run(suggested)

    async def warm_up(self) -> None:
        """Bring up the index and load the texts of the newest versions, for the first query.

        Raises what the first query would.
        """
        question = SearchQuery(limit=_MET_FIRST)
        at = await self._as_of(question)
        newest = await self._thread.run(place_results, question, at, self._meanings)
        async with self._connect() as connect:
            met = await self._bodies.read(newest.ordinals, connect)
        for texts in met.values():
            await self._thread.run(texts.index_further)
        await self._thread.run(self._meanings.arabizi.prepare)

    async def status(self) -> IndexStatus:
        """Return what the index holds now, without bringing it up."""
        async with self._connect() as connect:
            return self._directory.status(await read_state(await connect()))

    async def rebuild(self, progress: Progress = lambda *_: None) -> None:
        """Make the index anew, whatever it holds; it answers until then."""
        async with self._connect() as connect:
            await self._directory.renew(await connect(), progress, always=True)

    async def keep_current(self) -> None:
        """Index beforehand what imports bring, and make stale files anew; never return."""
        await asyncio.gather(self._keep_up(), self._keep_fresh())

    async def _keep_up(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            # What is wrong, the next query meets too, and says.
            with suppress(Exception):
                async with self._connect() as connect:
                    await self._current(connect)

    async def _keep_fresh(self) -> None:
        # At first whatever it is: other labels, or what a process has left that was killed.
        made = -1
        while True:
            with suppress(Exception):
                if self._log is not None and self._log.epoch != made:
                    async with self._borrow() as connection:
                        made = (await self._directory.renew(connection)).epoch
            await asyncio.sleep(_EVERY_SECONDS)

    def has(self, kind: str, code: str) -> bool:
        """Return whether a version has a code, as of the last query."""
        searcher = self._directory.searcher
        return searcher is not None and searcher.doc_freq(kind, code) > 0

    def states(self, dimension: str, value: str) -> bool:
        """Return whether a version states a value of a dimension, as of the last query."""
        return self.has(*value_place(dimension, value))

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[Connect]:
        async with AsyncExitStack() as stack:
            borrowed: list[Connection] = []

            async def connect() -> Connection:
                if not borrowed:
                    borrowed.append(await stack.enter_async_context(self._borrow()))
                return borrowed[0]

            yield connect

    async def _as_of(self, question: SearchQuery) -> IndexAsOf:
        # Nobody holds a connection while a question waits for the thread.
        async with self._connect() as connect:
            size = await self._current(connect)
        searcher, state = self._directory.searcher, self._directory.state
        if searcher is None or state is None or state.size < size:
            raise Unavailable("the search index is being made anew; try again in a moment")
        if question.after is not None and question.after.size > size:
            raise InvalidParameter(
                f"cursor: it goes on in a log of {question.after.size:,} entries, and this one has "
                f"{size:,}; begin again without it"
            )
        entry = size - 1
        if question.as_of is not None:
            entry = min(entry, question.as_of)
        if question.after is not None:
            entry = min(entry, question.after.size - 1)
        return IndexAsOf(
            self._directory.schema,
            searcher,
            # It may be ahead by now of the log that was looked at.
            size=state.size,
            entry=entry,
            changed=question.changed,
            today=question.today,
            countries=question.countries,
        )

    async def _current(self, connect: Connect) -> int:
        """Return the size of the log, to which the index has been brought up."""
        came = time.monotonic()
        async with self._turn():
            # Another query has looked while this one waited.
            if self._log is None or self._looked_at <= came:
                looked_at = time.monotonic()
                log = await self._look(connect)
                if self._log is None or log.epoch != self._log.epoch:
                    self._cards, self._bodies = Cards(_CARDS_ROOM), Bodies(_BODIES_ROOM)
                self._log, self._looked_at = log, looked_at
            return self._log.range.size

    async def _look(self, connect: Connect) -> SearchState:
        directory = self._directory
        state = directory.state
        log = await read_state(await connect(), -1 if state is None else state.size - 1)
        await self._name_added(log, connect)
        if not directory.holds(log):
            if self._rising is None or self._rising.done():
                # A damaged one is made anew by who has the lock, and by nobody else.
                with suppress(IndexDamagedError):
                    directory.read()
            if not directory.holds(log):
                seen, log = log, await self._brought_up()
                if log.range.size < seen.range.size or log.epoch < seen.epoch:
                    # It was begun for another query, before this one came.
                    log = await self._brought_up()
        # Another query may have brought it up, and have been given up before it came here.
        if directory.place != self._place:
            self._cards, self._place = Cards(_CARDS_ROOM), directory.place
        if directory.searcher is not None and directory.searcher is not self._spoken:
            known = directory.searcher.terms_with_prefix(LANGUAGE, "|", None, None)
            self._spoken = directory.searcher
            self._meanings = msgspec.structs.replace(
                self._meanings,
                languages=[code[1:] for code, _ in known],
                lists=WordLists(
                    directory.searcher, self._meanings.names, self._meanings.vocabulary
                ),
            )
        return log

    async def _name_added(self, log: SearchState, connect: Connect) -> None:
        """Take over the agencies that were added to the register."""
        if self._pack is None or log.agencies == self._agencies:
            return
        pack = self._pack.with_agencies(await agencies.read_local(await connect()))
        if pack is not self._pack:
            names, arabizi = await self._thread.run(lambda: (names_of(pack), arabizi_of(pack)))
            self._meanings = msgspec.structs.replace(self._meanings, names=names, arabizi=arabizi)
            self._spoken = None
            self._pack = pack
            self._on_pack(pack)
        self._agencies = log.agencies

    async def _brought_up(self) -> SearchState:
        """Return the log's state when the index is brought up to it, by a task that nobody stops.

        Who asks may go away meanwhile, and who waits for long is told so.
        """
        if self._rising is None or self._rising.done():

            async def bring_up() -> SearchState:
                async with self._borrow() as connection:
                    return await self._directory.bring_up(connection)

            self._rising = asyncio.create_task(bring_up())
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                return await asyncio.shield(self._rising)
        except TimeoutError as error:
            raise Unavailable(
                "the search index is being made anew; try again in a moment"
            ) from error

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


def open_index(
    borrow: Borrow, folder: Path, pack: Pack, on_pack: Callable[[Pack], None] = lambda _: None
) -> SearchIndex:
    """Return the index of a host, for a register of a country pack; `on_pack` as it takes it."""
    return SearchIndex(
        borrow,
        folder,
        languages=pack.languages,
        vocabulary=Vocabulary(pack.synonyms, pack.stop_words),
        labels=labels_of(pack),
        names=names_of(pack),
        arabizi=arabizi_of(pack),
        pack=pack,
        on_pack=on_pack,
    )
