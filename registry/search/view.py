"""The view: the index in the memory of a process, and its updates from the register."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence

from pyroaring import BitMap

from registry.search.facets import ALL, Facets, load_facets
from registry.search.phrases import Phrases
from registry.search.postings import NewTerms, Postings
from registry.store.database import Connection
from registry.store.search_rows import IndexState, read_new, read_state, read_superseded

_BLOCK = 200


class View:
    """Bitmaps of versions in a log of some size.

    Later ordinals are larger, and `standing` is never modified but replaced: a query that has it
    uses it to the end.
    """

    def __init__(self, state: IndexState, facets: Facets, room: int) -> None:
        """Begin with the stored bitmaps; `room` is the limit for postings, in bytes."""
        self.size = 0
        self.folded = state.folded
        self.epoch = state.epoch
        self.facets = facets
        self.postings = Postings(room)
        self.phrases = Phrases()
        self.standing = BitMap()
        self._gone = BitMap()
        # In the order of the entries that put them out of force: those entries, those versions.
        self._by, self._superseded = array("I"), array("I")

    def take(self, pairs: Sequence[tuple[int, int]], size: int) -> None:
        """Update to a log of a size; `pairs` are of `read_superseded` since the last update."""
        self._by.extend(by for by, _ in pairs)
        self._superseded.extend(ordinal for _, ordinal in pairs)
        self._gone |= BitMap(ordinal for _, ordinal in pairs)
        self.size = size
        self.standing = (self._all() & BitMap(range(size))) - self._gone

    def standing_as_of(self, entry: int) -> BitMap:
        """Return the versions that were in force when an entry was the last."""
        if entry >= self.size - 1:
            return self.standing
        gone = BitMap(self._superseded[: bisect_right(self._by, entry)])
        return (self._all() & BitMap(range(entry + 1))) - gone

    def _all(self) -> BitMap:
        return self.facets.sets(ALL)[""]


async def caught_up(view: View | None, connection: Connection, room: int) -> View:
    """Return a view that is up to date: the same one updated, or a new one if that is shorter.

    No snapshot is needed: everything read is below the size of the log, which is read first, and
    does not change any more.
    """
    state = await read_state(connection)
    if view is None or view.epoch != state.epoch or state.folded >= view.size:
        view = View(state, await load_facets(connection), room)
    elif (view.size, view.folded) == (state.size, state.folded):
        return view
    is_folded = view.folded != state.folded or view.size == 0
    terms = NewTerms() if is_folded else view.postings.new
    since = state.folded if is_folded else view.size - 1
    while rows := await read_new(connection, since=since, size=state.size, limit=_BLOCK):
        for row in rows:
            view.facets.add(row.ord, row.codes)
            terms.add(row.ord, row.words)
        since = rows[-1].ord
    pairs = await read_superseded(connection, since=view.size - 1, size=state.size)
    if is_folded:
        view.postings.fold(terms)
        view.folded = state.folded
    view.take(pairs, state.size)
    return view
