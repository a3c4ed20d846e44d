"""Names: what this process knows of how the country's published records are called.

Whoever files is compared with the records of the agency. They are kept here by the words of their
names, so that what a comparison costs does not grow with the agency, and what has changed since the
last filing is read before the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from math import ceil
from typing import TypeAlias

from registry.record.model import Document, LangText
from registry.store import record_names
from registry.store.database import Connection
from registry.store.log import LogState
from registry.store.record_names import NameChange, RecordName
from registry.text.confusables import is_confusable
from registry.text.folding import fold

SHARED_WORDS = 0.5
"""The least share of their words that two names have in common when one repeats the other."""

_MOST = 50_000
_NAMES_KEPT = 20_000  # every filing is compared with the same names
NameParts: TypeAlias = tuple[str, frozenset[str], str]


class NameCache:
    """The names of agencies' records, as far as a filing of this process has asked for them."""

    def __init__(self) -> None:
        """Begin with nothing; what is missing is read when it is asked for."""
        self._agencies: dict[str, AgencyNames] = {}
        self._erasures = 0

    async def read(
        self, connection: Connection, agencies: Collection[str], state: LogState
    ) -> dict[str, AgencyNames]:
        """Give what agencies' records are called, at least as of a state of the log.

        In a transaction that has published nothing, or in none.
        """
        most = sum(len(agency.known) for agency in self._agencies.values()) > _MOST
        if most or self._erasures != state.erasures:
            self._agencies.clear()
            self._erasures = state.erasures
        known = {code: self._agencies.setdefault(code, AgencyNames()) for code in agencies}
        size = state.range.size
        behind = {code: agency.size for code, agency in known.items() if agency.size < size}
        if behind:
            for change in await record_names.read_since(connection, behind):
                known[change.agency].take(change.entry, change.record, change.namesake)
            for code in behind:
                known[code].size = max(known[code].size, size)
        return known

    def take(self, changes: Iterable[NameChange], *, before: int, after: int) -> None:
        """Take over all that was published between two sizes of the log, as who published it knows.

        Then it need not be read. Whoever had not read all that was before reads this as well.
        """
        for change in changes:
            if change.agency in self._agencies:
                self._agencies[change.agency].take(change.entry, change.record, change.namesake)
        for agency in self._agencies.values():
            if agency.size == before:
                agency.size = after


class AgencyNames:
    """The names of one agency's records, and which records have a word.

    Everything is known of a log of the `size`.
    """

    def __init__(self) -> None:
        """Begin with no entry seen."""
        self.size = 0
        self.known: dict[str, RecordName] = {}
        self._entries: dict[str, int] = {}
        self._by_word: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._by_source_id: dict[str | None, set[str]] = defaultdict(set)
        self._disguised: set[str] = set()

    def take(self, entry: int, record: str, namesake: RecordName | None) -> None:
        """Take over what a record came to be called, unless something later is known."""
        if entry <= self._entries.get(record, -1):
            return
        self._entries[record] = entry
        before = self.known.pop(record, None)
        for records in self._places(before):
            records.discard(record)
        for records in self._places(namesake):
            records.add(record)
        if namesake is not None:
            self.known[record] = namesake

    def like(self, document: Document) -> list[RecordName]:
        """List the records that a document could be taken for, and some others."""
        if has_confusable_name(document):
            return list(self.known.values())
        found = self._disguised | self._by_source_id.get(document.get("source_id"), set())
        name: LangText = document.get("name") or {}
        for tag, text in name.items():
            having = [self._by_word.get((tag, word), set()) for word in name_parts(text)[1]]
            # Whoever shares that many has one of these, since fewer are left.
            left = ceil(SHARED_WORDS * len(having)) - 1
            for records in sorted(having, key=len)[: len(having) - left]:
                found |= records
        return [self.known[record] for record in found]

    def _places(self, namesake: RecordName | None) -> Iterator[set[str]]:
        if namesake is None:
            return
        if namesake.source_id is not None:
            yield self._by_source_id[namesake.source_id]
        if any_confusable(namesake.name):
            yield self._disguised
        for tag, text in namesake.name.items():
            for word in name_parts(text)[1]:
                yield self._by_word[tag, word]


def has_confusable_name(document: Document) -> bool:
    """Whether a name has to be compared with those of every agency, not only of its own."""
    return any_confusable(document.get("name") or {})


def any_confusable(texts: LangText) -> bool:
    """Whether a name, in any language, holds letters that pass for others."""
    return any(map(confusable, texts.values()))


@lru_cache(maxsize=_NAMES_KEPT)
def name_parts(name: str) -> NameParts:
    """Give a name folded, its words, and its digits."""
    folded = fold(name)
    return folded, frozenset(folded.split()), "".join(filter(str.isdigit, folded))


confusable = lru_cache(maxsize=_NAMES_KEPT)(is_confusable)
