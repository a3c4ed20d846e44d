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

from registry.pages.taking_over import LostFileError
from registry.record.search_document import TokensByLanguage
from registry.text.tokens import article_variants, stem

SHARDS = 128
DEPTH = 3
"""Letters by which words are put into files; shorter beginnings find whole words alone."""

Places = list[list[int]]
"""Where a word stands: numbers of records, in order, by name, summary and the rest."""

Shard = dict[str, Any]
"""The words of one file: where each stands, as it is written until something is changed there."""

_FEW = 20
"""Numbers that are sooner looked for in what was written than after reading all of it."""

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_places = msgspec.json.Decoder(Places).decode
_encode = msgspec.json.Encoder(order="deterministic").encode


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a build in force has found: by number a digest of the record, and the words' files."""

    seen: Sequence[str]
    files: Sequence[Path]


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A file of words as it is: its bytes, and the words in it."""

    content: bytes
    shard: Shard


def nothing_written() -> list[Written]:
    """Give the files of an index without words."""
    return [Written(content=b"{}", shard={}) for _ in range(SHARDS)]


def read_words(files: Sequence[Path]) -> list[Written]:
    """Read the words' files; raises `LostFileError` where one is missing or damaged."""
    try:
        contents = [file.read_bytes() for file in files]
        return [Written(content=content, shard=_decode(content)) for content in contents]
    except (OSError, msgspec.DecodeError) as error:
        raise LostFileError from error


def changed_words(
    files: Sequence[Written], gone: Collection[int], come: Iterable[tuple[int, TokensByLanguage]]
) -> list[bytes]:
    """Take numbers out of the words' files, and put in others with their words."""
    shards = [file.shard for file in files]
    touched = _take_out(shards, frozenset(gone)) if gone else set()
    for word, put_in in _put_together(come).items():
        at = shard_of(word)
        touched.add(at)
        places = _places(shards[at], word)
        places[:] = [sorted(one + more) for one, more in zip(places, put_in, strict=True)]
    return [_encode(file.shard) if at in touched else file.content for at, file in enumerate(files)]


def shard_of(word: str) -> int:
    """Say in which file a word stands, by its first letters."""
    number = 0
    for letter in word[:DEPTH].ljust(DEPTH, "\0"):
        number = (number * 31 + ord(letter)) % SHARDS
    return number


def _take_out(shards: Sequence[Shard], gone: frozenset[int]) -> set[int]:
    """Take numbers out, and words that nothing is left of; gives the shards that they stood in."""
    touched: set[int] = set()
    sought = "|".join(map(str, gone)) if len(gone) <= _FEW else "[0-9]+"
    may_hold = re.compile(rf"\b(?:{sought})\b".encode()).search
    for at, shard in enumerate(shards):
        for word in [word for word, written in shard.items() if may_hold(written)]:
            places = _places(shard, word)
            for tier, numbers in enumerate(places):
                places[tier] = [number for number in numbers if number not in gone]
            if not any(places):
                del shard[word]
            touched.add(at)
    return touched


def _places(shard: Shard, word: str) -> Places:
    """Read where a word stands, so that it can be changed."""
    found = shard.get(word)
    places: Places = [[], [], []] if found is None else found
    if isinstance(found, msgspec.Raw):
        places = _decode_places(found)
    shard[word] = places
    return places


def _put_together(come: Iterable[tuple[int, TokensByLanguage]]) -> dict[str, Places]:
    """Gather by word where that stands in some records."""
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
    """Give each word of a record by which it is found the first place where that stands."""
    tiers: dict[str, int] = {}
    for tier in range(3):
        for language, texts in words.items():
            spoken = spoken_in(language)
            for word in set(texts[tier].split()):
                for form in spoken[word]:
                    tiers.setdefault(form, tier)
    return tiers


class _Spoken(dict[str, tuple[str, str]]):
    """By which words a word of a language is found: as it is, and its stem."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, word: str) -> tuple[str, str]:
        # Whoever asks for a word with the Arabic article is shown it without as well.
        found = (article_variants(word, self._language)[-1], stem(word, self._language))
        self[word] = found
        return found
