"""The index beside the pages: what the finder asks where no register answers.

It is made of the rows that the register's own search keeps, so that words, codes and the shape of
answers are the same; `site/scripts/copy.js` reads it. Records are numbered by when they were first
published, and keep their numbers, so that a change changes few files; at the number of a withdrawn
record there is nothing. The files lie under `find/`:

- `index.json`: columns of codes and orders, one place a number;
- `cards-<n>.json`: the records as lists show them, `CHUNK` a file;
- `words-<n>.json`: `{word: [in names, in summaries, in the rest]}`, numbers of records;
- `arabizi.json`: Arabic words of the pack, and the regular expressions of their spellings in Latin
  letters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import zip_longest
from pathlib import Path

import msgspec

from registry.pages.page import Page, digest
from registry.pages.record_digests import RecordDigest, listing_agency
from registry.pages.site import Site
from registry.pages.views.static_words import (
    DEPTH,
    SHARDS,
    changed_words,
    read_words,
)
from registry.record.facets import SINGLE
from registry.record.search_document import TokensByLanguage, tokenize
from registry.search.labels import arabizi_of
from registry.search.spelling import COMMON_LEAST, COMMON_SHARE, RARE
from registry.text.arabizi import PARTICLE
from registry.text.folding import LETTERS
from registry.text.query_parser import Vocabulary
from registry.text.spelling import PARTICLES

FOLDER = "find"
CHUNK = 100
MOST = 10_000
"""Records of other registers are left out where there are more in all."""

Numbered = Sequence[RecordDigest | None]
"""The records by number, None for a withdrawn one."""


class WordFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The words of the build in force: the folder of its site, and the records it was made from."""

    folder: Path
    records: Sequence[RecordDigest]


def index_pages(site: Site, before: WordFiles | None) -> Iterator[Page]:
    """Yield the files of the index; those of words are made from the ones `before`, if any."""
    numbered, left_out = _number(site.records.values())
    seen = _seen(numbered)
    yield from _words_pages(site, numbered, before)
    facts = msgspec.json.encode([site.snapshot.as_of, site.snapshot.register.size, left_out])
    key = digest(site.fingerprint, facts, *seen)
    yield _one_file("index", key, partial(_index, site, numbered, left_out))
    yield _one_file("arabizi", digest(site.fingerprint), partial(_arabizi, site))
    for number in range(-(-len(numbered) // CHUNK)):
        part = slice(number * CHUNK, (number + 1) * CHUNK)
        key = digest(site.fingerprint, *seen[part])
        yield _one_file(f"cards-{number}", key, partial(_cards, numbered[part]))


def _seen(numbered: Numbered) -> list[str]:
    """Return the digests by number, empty for a withdrawn record."""
    return [one.seen if one else "" for one in numbered]


def _number(records: Iterable[RecordDigest]) -> tuple[Numbered, int]:
    """Return the records by number, and how many are left out."""
    chosen = list(records)
    left_out = 0
    if sum(not one.card.withdrawn for one in chosen) > MOST:
        copies = [one for one in chosen if one.card.origin is not None]
        left_out = sum(not one.card.withdrawn for one in copies)
        chosen = [one for one in chosen if one.card.origin is None]
    chosen.sort(key=lambda one: (one.versions[0].entry, one.card.id))
    return [None if one.card.withdrawn else one for one in chosen], left_out


def _one_file(
    name: str, key: str, render: Callable[[], bytes], needs: tuple[str, ...] = ()
) -> Page:
    return Page(file=f"{FOLDER}/{name}.json", key=key, render=render, listed=False, needs=needs)


def _index(site: Site, numbered: Numbered, left_out: int) -> bytes:
    rows = [one and one.row for one in numbered]
    codes = {name: sorted({row.codes[at] for row in rows if row}) for at, name in enumerate(SINGLE)}
    places = {name: {code: n for n, code in enumerate(known)} for name, known in codes.items()}
    by_name = sorted(
        (one.row.name_key, -one.card.entry, number) for number, one in enumerate(numbered) if one
    )
    order = {number: place for place, (_, _, number) in enumerate(by_name)}
    index = {
        "as_of": site.snapshot.as_of,
        "size": site.snapshot.register.size,
        "left_out": left_out,
        "shards": SHARDS,
        "depth": DEPTH,
        "chunk": CHUNK,
        "letters": LETTERS,
        "common": sorted(Vocabulary(stop_words=site.snapshot.pack.stop_words).stop_words),
        "fewer": {
            "negations": sorted(PARTICLES),
            "rare": RARE,
            "most": max(COMMON_LEAST, COMMON_SHARE * len(by_name)),
        },
        "codes": codes,
        "columns": {
            name: [row and places[name][row.codes[at]] for row in rows]
            for at, name in enumerate(SINGLE)
        },
        "entry": [one and one.card.entry for one in numbered],
        "completeness": [row and row.completeness for row in rows],
        "review_due": [row and row.review_due for row in rows],
        "by_name": [order.get(number) for number in range(len(rows))],
    }
    return msgspec.json.encode(index, order="deterministic")


def _arabizi(site: Site) -> bytes:
    words = arabizi_of(site.snapshot.pack).words
    return msgspec.json.encode({"particle": PARTICLE, "words": words}, order="deterministic")


def _cards(numbered: Numbered) -> bytes:
    return msgspec.json.encode([one and msgspec.Raw(one.row.card.encode()) for one in numbered])


def _words_pages(site: Site, numbered: Numbered, before: WordFiles | None) -> Iterator[Page]:
    """Yield the files of words, under one key: one change may move words in all of them."""
    seen = _seen(numbered)
    earlier = _seen(_number(before.records)[0]) if before else []
    changed = [n for n, (one, other) in enumerate(zip_longest(earlier, seen)) if one != other]
    gone = [number for number in changed if number < len(earlier) and earlier[number]]
    come = {number: one for number in changed if number < len(seen) and (one := numbered[number])}

    @cache
    def files() -> Sequence[bytes]:
        shards = read_words(before.folder / FOLDER) if before else [{} for _ in range(SHARDS)]
        words = ((number, _words_of(site, one)) for number, one in come.items())
        return changed_words(shards, gone, words)

    key = digest(site.fingerprint, *seen)
    needs = tuple(one.card.id for one in come.values())
    for shard in range(SHARDS):
        yield _one_file(f"words-{shard}", key, partial(lambda at: files()[at], shard), needs)


def _words_of(site: Site, known: RecordDigest) -> TokensByLanguage:
    record = site.histories[known.card.id][-1]
    agency = listing_agency(record, site.snapshot.agencies.get(record.agency))
    return tokenize(msgspec.json.decode(record.document), agency)
