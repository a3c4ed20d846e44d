"""The index beside the pages: what the finder asks where no register answers, with its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from registry.pages.digests import RecordDigest, listing_agency
from registry.pages.page import LostFileError, Page, digest
from registry.pages.site import Site
from registry.record.facets import SINGLE
from registry.record.search_document import TokensByLanguage, tokenize
from registry.search.labels import arabizi_of
from registry.search.spelling import COMMON_LEAST, COMMON_SHARE, RARE
from registry.text.arabizi import PARTICLE
from registry.text.folding import LETTERS
from registry.text.query_parser import Vocabulary
from registry.text.spelling import PARTICLES
from registry.text.tokens import article_variants, stem

SHARDS = 128
DEPTH = 3
"""Letters by which words are put into files; shorter beginnings find whole words alone."""

Places = list[list[int]]
"""Where a word stands: numbers of records, in order, by name, summary and the rest."""

Shard = dict[str, Any]
"""The places of each word of one file, raw JSON until they are changed."""

_FEW = 20
"""For no more numbers than this, raw JSON is searched before it is decoded."""

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_places = msgspec.json.Decoder(Places).decode
_encode = msgspec.json.Encoder(order="deterministic").encode


def read_words(folder: Path) -> list[Shard]:
    """Return the words by file; raises `LostFileError` where one is missing or damaged."""
    try:
        return [_decode((folder / f"words-{at}.json").read_bytes()) for at in range(SHARDS)]
    except (OSError, msgspec.DecodeError) as error:
        raise LostFileError from error


def changed_words(
    shards: Sequence[Shard], gone: Collection[int], come: Iterable[tuple[int, TokensByLanguage]]
) -> list[bytes]:
    """Return the files without some numbers, and with others at their words; changes `shards`."""
    if gone:
        _take_out(shards, frozenset(gone))
    for word, put_in in _put_together(come).items():
        places = _places(shards[shard_of(word)], word)
        places[:] = [sorted(one + more) for one, more in zip(places, put_in, strict=True)]
    return [_encode(shard) for shard in shards]


def shard_of(word: str) -> int:
    """Return the number of the file that a word stands in, by its first letters."""
    number = 0
    for letter in word[:DEPTH].ljust(DEPTH, "\0"):
        number = (number * 31 + ord(letter)) % SHARDS
    return number


def _take_out(shards: Sequence[Shard], gone: frozenset[int]) -> None:
    """Remove numbers, and words that nothing is left of."""
    sought = "|".join(map(str, gone)) if len(gone) <= _FEW else "[0-9]+"
    may_hold = re.compile(rf"\b(?:{sought})\b".encode()).search
    for shard in shards:
        for word in [word for word, written in shard.items() if may_hold(written)]:
            places = _places(shard, word)
            for tier, numbers in enumerate(places):
                places[tier] = [number for number in numbers if number not in gone]
            if not any(places):
                del shard[word]


def _places(shard: Shard, word: str) -> Places:
    """Return the places of a word, decoded to be changed."""
    found = shard.get(word)
    places: Places = [[], [], []] if found is None else found
    if isinstance(found, msgspec.Raw):
        places = _decode_places(found)
    shard[word] = places
    return places


def _put_together(come: Iterable[tuple[int, TokensByLanguage]]) -> dict[str, Places]:
    """Return the places of words in some records."""
    found: dict[str, Places] = {}
    spoken_in = cache(_Spoken)
    for number, words in come:
        for word, tier in _tiers(words, spoken_in).items():
            places = found.get(word)
            if places is None:
                places = found[word] = [[], [], []]
            places[tier].append(number)
    return found


def _tiers(words: TokensByLanguage, spoken_in: Callable[[str], _Spoken]) -> dict[str, int]:
    """Return the words that a record is found by, each with the first place where it stands."""
    tiers: dict[str, int] = {}
    for tier in range(3):
        for language, texts in words.items():
            spoken = spoken_in(language)
            for word in set(texts[tier].split()):
                for form in spoken[word]:
                    tiers.setdefault(form, tier)
    return tiers


class _Spoken(dict[str, tuple[str, str]]):
    """The forms that a word of a language is found by: as it is, and its stem."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, word: str) -> tuple[str, str]:
        # Whoever asks for a word with the Arabic article is shown it without as well.
        found = (article_variants(word, self._language)[-1], stem(word, self._language))
        self[word] = found
        return found


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
