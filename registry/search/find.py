"""Finding versions: by the words of a query, corrected if they find nothing, and its filters."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from pyroaring import BitMap

from registry.record.facets import LANGUAGE
from registry.search.correction import correct
from registry.search.count import passing, within
from registry.search.evaluate import Matches, evaluate, searched_languages
from registry.search.lookup import PostingReader, look_up
from registry.search.postings import ANYWHERE
from registry.search.query import SearchQuery
from registry.search.times import changed, moved, overdue
from registry.search.view import View
from registry.text.query_parser import Query, Synonyms, parse_query

_NAMES = frozenset({"supplier"})
"""The kinds whose codes are names with several spellings."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The versions that a query finds: by words and time (`texts`), and with filters (`hits`).

    `entry` is the last entry of the log that counts; `mended` the corrected text. `having` are the
    versions by code of each kind that is filtered or counted, `passed` those that each filter
    passes.
    """

    entry: int
    query: Query | None
    found: Matches | None
    mended: str | None
    texts: BitMap
    having: Mapping[str, Mapping[str, BitMap]]
    passed: Mapping[str, BitMap]
    hits: BitMap


async def find(
    question: SearchQuery, *, view: View, reader: PostingReader, synonyms: Synonyms
) -> Result:
    """Return the result of a query. Raises `InvalidParameter` as `look_up` does."""
    entry = _entry(question, view)
    standing = view.standing_as_of(entry)
    query: Query | None = None
    found: Matches | None = None
    mended = None
    texts = standing if question.text is None else BitMap()
    if question.text is not None:
        query = parse_query(question.text, synonyms)
    if query is not None and question.text is not None:
        found = await look_up(
            query,
            reader=reader,
            view=view,
            languages=searched_languages(question.lang, view.facets.sets(LANGUAGE)),
            lang=question.lang,
            entry=entry,
        )
        texts = evaluate(query, found, ANYWHERE) & standing
        if not texts and question.mends:
            better = await correct(
                question.text,
                query,
                found,
                reader=reader,
                view=view,
                entry=entry,
                synonyms=synonyms,
            )
            if better is not None:
                query, found, mended = better.query, better.found, better.text
                texts = evaluate(query, found, ANYWHERE) & standing
    if question.among is not None:
        texts = texts & BitMap(question.among)
    if question.changed is not None:
        texts = texts & await changed(question.changed, view=view, entry=entry, reader=reader)
    having = await _having(question, view=view, entry=entry, reader=reader, standing=standing)
    passed = {
        kind: passing(view.facets.alike(kind, codes) if kind in _NAMES else codes, having[kind])
        for kind, codes in question.filters.items()
    }
    return Result(
        entry=entry,
        query=query,
        found=found,
        mended=mended,
        texts=texts,
        having=having,
        passed=passed,
        hits=within(texts, passed),
    )


async def _having(
    question: SearchQuery, *, view: View, entry: int, reader: PostingReader, standing: BitMap
) -> dict[str, Mapping[str, BitMap]]:
    """Return the versions by code of each kind that a query filters or counts."""
    having: dict[str, Mapping[str, BitMap]] = {}
    for kind in {*question.filters, *question.facets}:
        if kind == "overdue":
            having[kind] = overdue(view.facets, question.today)
        elif kind == "risk_change" and question.changed is not None:
            having[kind] = await moved(question.changed, view=view, entry=entry, reader=reader)
        elif kind in _NAMES and kind in question.facets:
            having[kind] = view.facets.by_name(kind, standing)
        else:
            having[kind] = view.facets.sets(kind)
    return having


def _entry(question: SearchQuery, view: View) -> int:
    entry = view.size - 1
    if question.as_of is not None:
        entry = min(entry, question.as_of)
    if question.after is not None:
        entry = min(entry, question.after.size - 1)
    return entry
