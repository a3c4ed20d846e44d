"""The index beside the pages: what the finder asks where no register answers.

It is made of the rows that the register's own search keeps, so that words, codes and the shape of
answers are the same; `site/scripts/copy.js` reads it. Records are numbered by when they were first
published, and keep their numbers, so that a change changes few files; at the number of a withdrawn
record there is nothing. The files lie under `find/`:

- `index.json`: columns of codes and orders, one place a number;
- `cards-<n>.json`: the records as lists show them, `CHUNK` a file;
- `words-<n>.json`: `{word: [in names, in summaries, in the rest]}`, numbers of records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path

import msgspec

from registry.pages.known import Known, listing_agency
from registry.pages.page import Group, Page, digest
from registry.pages.site import Site
from registry.pages.static_words import (
    DEPTH,
    SHARDS,
    Found,
    Written,
    changed_words,
    nothing_written,
    read_words,
)
from registry.record.facets import SINGLE
from registry.record.search_document import TokensByLanguage, tokenize
from registry.text.folding import LETTERS
from registry.text.tokens import common

FOLDER = "find"
CHUNK = 100
MOST = 10_000
"""Records of other registers are left out where there are more in all."""

Numbered = Sequence[Known | None]
"""The records by number, None for a withdrawn one."""


def index_groups(site: Site, found: Found | None) -> Iterator[Group]:
    """Yield the files of the index; `found` is that of the build in force, if it can serve."""
    numbered, left_out = _numbered(site)
    seen = _seen(numbered)
    facts = msgspec.json.encode([site.corpus.as_of, site.corpus.log_size, left_out])
    key = digest(site.ground, facts, *seen)
    yield _one_file("index", key, partial(_index, site, numbered, left_out))
    for number in range(-(-len(numbered) // CHUNK)):
        part = slice(number * CHUNK, (number + 1) * CHUNK)
        key = digest(site.ground, *seen[part])
        yield _one_file(f"cards-{number}", key, partial(_cards, numbered[part]))
    yield _words(site, numbered, seen, found)


def found_in(folder: Path, seen: Sequence[str]) -> Found:
    """Say where the words of a build lie, and what they were made of."""
    return Found(
        seen=seen, files=[folder / FOLDER / f"words-{number}.json" for number in range(SHARDS)]
    )


def seen_by_number(site: Site) -> list[str]:
    """Give by number the digest of what the index was made of, empty for a withdrawn record."""
    return _seen(_numbered(site)[0])


def _seen(numbered: Numbered) -> list[str]:
    return [one.seen if one else "" for one in numbered]


def _numbered(site: Site) -> tuple[Numbered, int]:
    """Give records their numbers, and count those that are left out."""
    chosen = list(site.known.values())
    left_out = 0
    if sum(not one.card.withdrawn for one in chosen) > MOST:
        copies = [one for one in chosen if one.card.origin is not None]
        left_out = sum(not one.card.withdrawn for one in copies)
        chosen = [one for one in chosen if one.card.origin is None]
    chosen.sort(key=lambda one: (one.versions[0].entry, one.card.id))
    return [None if one.card.withdrawn else one for one in chosen], left_out


def _one_file(name: str, key: str, render: Callable[[], bytes]) -> Group:
    page = Page(file=f"{FOLDER}/{name}.json", key=key, render=render, listed=False)
    return Group(name=f"{FOLDER}/{name}", key=key, pages=lambda: [page])


def _index(site: Site, numbered: Numbered, left_out: int) -> bytes:
    rows = [one and one.row for one in numbered]
    codes = {name: sorted({row.codes[at] for row in rows if row}) for at, name in enumerate(SINGLE)}
    places = {name: {code: n for n, code in enumerate(known)} for name, known in codes.items()}
    by_name = sorted(
        (one.row.name_key, -one.card.entry, number) for number, one in enumerate(numbered) if one
    )
    order = {number: place for place, (_, _, number) in enumerate(by_name)}
    index = {
        "as_of": site.corpus.as_of,
        "size": site.corpus.log_size,
        "left_out": left_out,
        "shards": SHARDS,
        "depth": DEPTH,
        "chunk": CHUNK,
        "letters": LETTERS,
        "common": sorted(common()),
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


def _cards(numbered: Numbered) -> bytes:
    return msgspec.json.encode([one and msgspec.Raw(one.row.card.encode()) for one in numbered])


def _words(site: Site, numbered: Numbered, seen: Sequence[str], found: Found | None) -> Group:
    before = found.seen if found else ()
    changed = [n for n, (one, other) in enumerate(zip_longest(before, seen)) if one != other]
    files = read_words(found.files) if found and changed else nothing_written()
    gone = [number for number in changed if number < len(before) and before[number]]
    come = {number: one for number in changed if number < len(seen) and (one := numbered[number])}
    return Group(
        name=f"{FOLDER}/words",
        key=digest(site.ground, *seen),
        pages=partial(_words_pages, site, files, gone, come),
        needs=[one.card.id for one in come.values()],
    )


def _words_pages(
    site: Site, files: Sequence[Written], gone: Sequence[int], come: Mapping[int, Known]
) -> Iterator[Page]:
    words = ((number, _words_of(site, one)) for number, one in come.items())
    for number, content in enumerate(changed_words(files, gone, words)):
        yield Page(
            file=f"{FOLDER}/words-{number}.json",
            key=digest(content),
            render=partial(bytes, content),
            listed=False,
        )


def _words_of(site: Site, known: Known) -> TokensByLanguage:
    record = site.histories[known.card.id][-1]
    agency = listing_agency(record, site.corpus.agencies.get(record.agency))
    return tokenize(msgspec.json.decode(record.document), agency)
