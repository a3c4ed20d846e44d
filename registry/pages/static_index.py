"""The index beside the pages: what the finder asks where no register answers.

It is made of the rows that the register's own search keeps, so that words, codes and the shape of
answers are the same; `site/scripts/copy.js` reads it. Its files lie under `find/`:

- `index.json`: columns of codes and orders, one place a record, newest first;
- `cards-<n>.json`: the records as lists show them, `CHUNK` a file;
- `words-<n>.json`: `{word: [in names, in summaries, in the rest]}`, numbers of records.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

import msgspec

from registry.office.listing import Standing, index_row
from registry.pages.page import Page, digest
from registry.record.pack import Agency
from registry.store.index.facets import REVIEW_DUE
from registry.store.index.question import FILTERS
from registry.text.analysis import common, forms, stem
from registry.text.folding import LETTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from registry.pages.site import Site
    from registry.store.index.rows import IndexRow
    from registry.store.records import StoredRecord

FOLDER = "find"
SHARDS = 128
DEPTH = 3
"""Letters by which words are put into files; shorter beginnings find whole words alone."""
CHUNK = 100
MOST = 10_000
"""Records of other registers are left out where there are more in all."""


def index_pages(site: Site) -> Iterator[Page]:
    """Yield the files of the index; they are made when the first of them is wanted."""
    records, left_out = _chosen(site)
    seen = digest(
        site.ground,
        msgspec.json.encode(site.corpus.agencies),
        *(part for one in records for part in (msgspec.json.encode(one.register), one.document)),
    )
    rows = cache(lambda: [_row(site, one) for one in records])
    shards = cache(lambda: _shards(rows()))

    def file(name: str, make: Callable[[], object]) -> Page:
        return Page(
            file=f"{FOLDER}/{name}.json",
            key=digest(seen, name, str(left_out)),
            render=lambda: msgspec.json.encode(make(), order="deterministic"),
            listed=False,
        )

    yield file("index", lambda: _index(site, rows(), left_out))
    for number in range(-(-len(records) // CHUNK)):
        yield file(f"cards-{number}", partial(_cards, rows, number))
    for number in range(SHARDS):
        yield file(f"words-{number}", partial(lambda shard: shards()[shard], number))


def _chosen(site: Site) -> tuple[list[StoredRecord], int]:
    """Choose the records, newest first, and count those that are left out."""
    shown = [one for one in site.corpus.records if one.register.state != "withdrawn"]
    shown.sort(key=lambda one: -one.register.entry)
    if len(shown) <= MOST:
        return shown, 0
    chosen = [one for one in shown if one.register.origin is None]
    return chosen, len(shown) - len(chosen)


def _row(site: Site, record: StoredRecord) -> IndexRow:
    register = record.register
    agency = site.corpus.agencies.get(record.agency) or Agency(
        id=record.agency, name={}, kind="other", origin=register.origin
    )
    standing = Standing(
        version=register.version,
        entry=register.entry,
        published_at=register.published_at,
        completeness=register.completeness,
        missing=register.missing,
        findings=register.findings,
        risk_changes=(),
    )
    return index_row(msgspec.json.decode(record.document), agency, standing)


def _index(site: Site, rows: Sequence[IndexRow], left_out: int) -> Mapping[str, Any]:
    codes = {name: sorted({row.codes[name][0] for row in rows}) for name in FILTERS}
    by_name = sorted(range(len(rows)), key=lambda number: rows[number].name_key)
    places = dict(zip(by_name, range(len(rows)), strict=True))
    cards = [msgspec.json.decode(row.card) for row in rows]
    return {
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
            name: [codes[name].index(row.codes[name][0]) for row in rows] for name in FILTERS
        },
        "entry": [row.ord for row in rows],
        "completeness": [card["completeness"] for card in cards],
        "review_due": [next(iter(row.codes.get(REVIEW_DUE, ())), None) for row in rows],
        "by_name": [places[number] for number in range(len(rows))],
    }


def _cards(rows: Callable[[], Sequence[IndexRow]], number: int) -> list[msgspec.Raw]:
    part = rows()[number * CHUNK : (number + 1) * CHUNK]
    return [msgspec.Raw(row.card.encode()) for row in part]


def _shards(rows: Sequence[IndexRow]) -> list[dict[str, list[list[int]]]]:
    shards: list[dict[str, list[list[int]]]] = [{} for _ in range(SHARDS)]
    places = _Places(shards)
    spoken_in = cache(_Spoken)
    for number, row in enumerate(rows):
        known: set[str] = set()
        for tier in range(3):
            here: set[str] = set()
            for language, texts in row.words.items():
                spoken = spoken_in(language)
                here.update(*(spoken[word] for word in set(texts[tier].split())))
            here -= known
            for word in here:
                places[word][tier].append(number)
            known |= here
    return shards


class _Places(dict[str, list[list[int]]]):
    """Where each word stands, put into its file when it is met."""

    def __init__(self, shards: Sequence[dict[str, list[list[int]]]]) -> None:
        super().__init__()
        self._shards = shards

    def __missing__(self, word: str) -> list[list[int]]:
        places: list[list[int]] = [[], [], []]
        self[word] = self._shards[shard_of(word)][word] = places
        return places


class _Spoken(dict[str, tuple[str, str]]):
    """By which words a word of a language is found: as it is, and its stem."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, word: str) -> tuple[str, str]:
        # Whoever asks for a word with the Arabic article is shown it without as well.
        found = (forms(word, self._language)[-1], stem(word, self._language))
        self[word] = found
        return found


def shard_of(word: str) -> int:
    """Say in which file a word stands, by its first letters."""
    number = 0
    for letter in word[:DEPTH].ljust(DEPTH, "\0"):
        number = (number * 31 + ord(letter)) % SHARDS
    return number
