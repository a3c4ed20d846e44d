"""The words of the index beside the pages: those of the build in force, with what changed since.

Every record has a number in it. The numbers of records that changed are taken out of the files, and
put in again where their words stand now; a build without one before it does so with all records.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from registry.pages.page import LostFileError
from registry.record.search_document import TokensByLanguage
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
