"""The language of search questions, read into what is to be found.

Words must all be there, wherever they stand, but for those that say little beside others;
`"words in a row"` as they are written; `-word` not at all; `one OR other`; `begin*` any word that
begins so. Everything else is punctuation: no text is an error, and one without any word asks for
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec

from registry.text.analysis import common, forms, word_places, words

SHORTEST_PREFIX = 3
"""Letters of the shortest beginning that is completed; a shorter one is taken as a word."""

MOST_PREFIXES = 4
"""Beginnings that one question may have; further ones are taken as words."""


class Word(msgspec.Struct, frozen=True):
    """One folded word, in any form that its stem has."""

    word: str


class Phrase(msgspec.Struct, frozen=True):
    """Folded words in a row within one text, in just this form."""

    words: tuple[str, ...]


class Prefix(msgspec.Struct, frozen=True):
    """The beginning of a folded word."""

    start: str


class Every(msgspec.Struct, frozen=True):
    """All of these."""

    of: tuple[Asked, ...]


class Some(msgspec.Struct, frozen=True):
    """At least one of these."""

    of: tuple[Asked, ...]


class Without(msgspec.Struct, frozen=True):
    """Not this."""

    of: Asked


Asked: TypeAlias = Word | Phrase | Prefix | Every | Some | Without

_TOKEN = re.compile(r'(?P<minus>-(?=["\w]))?(?:"(?P<quoted>[^"]*)"|(?P<plain>\||[^\s"|]+))')
# Signs of direction, which nobody sees, may stand between a minus and its word.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»", '"'),
        **dict.fromkeys("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e"),
        **dict.fromkeys("\u2066\u2067\u2068\u2069"),
    }
)
_OR = {"OR", "|"}
_AND = {"AND", "&"}


class Synonyms:
    """Sets of words and groups of words that mean the same, as acronyms and what they stand for.

    The article that Arabic writes with a word makes no difference.
    """

    def __init__(self, sets: Iterable[Sequence[str]]) -> None:
        """Take sets of texts."""
        self._by_first: dict[str, list[tuple[tuple[str, ...], Asked]]] = {}
        for texts in sets:
            group = dict.fromkeys(spelt for text in texts if (spelt := tuple(words(text))))
            asked = Some(tuple(_every([Word(word) for word in spelt]) for spelt in group))
            for bare in dict.fromkeys(map(_bare, group)):
                self._by_first.setdefault(bare[0], []).append((bare, asked))
        for known in self._by_first.values():
            known.sort(key=lambda one: -len(one[0]))

    def __contains__(self, word: str) -> bool:
        """Tell whether a word alone means the same as others."""
        return self.at([word], 0) is not None

    def at(self, sequence: Sequence[str], start: int) -> tuple[int, Asked] | None:
        """Find the longest known group of words that begins at a place: its length, its set."""
        for bare, asked in self._by_first.get(_bare(sequence[start : start + 1])[0], ()):
            if _bare(sequence[start : start + len(bare)]) == bare:
                return len(bare), asked
        return None


NO_SYNONYMS = Synonyms(())


def read(text: str, synonyms: Synonyms = NO_SYNONYMS) -> Asked | None:
    """Read a question as people type it; None where it has no word at all."""
    clauses: list[list[Asked]] = []
    joins = False
    prefixes = 0
    for token in _TOKEN.finditer(text.translate(_PLAIN)):
        plain = token["plain"]
        if plain in _OR or plain in _AND:
            joins = plain in _OR and bool(clauses)
            continue
        if plain is None:
            item = _phrase(token["quoted"])
        else:
            item = _plain(plain, may_begin=prefixes < MOST_PREFIXES)
            prefixes += plain.endswith("*")
        if item is None:
            continue
        if token["minus"]:
            item = Without(item)
        if joins:
            clauses[-1].append(item)
        else:
            clauses.append([item])
        joins = False
    if not clauses:
        return None
    return _telling(_every(_spelt_out(clauses, synonyms)))


def asked_words(asked: Asked) -> Iterator[str]:
    """Walk the single words that are to be there, not those of phrases."""
    if isinstance(asked, Word):
        yield asked.word
    elif isinstance(asked, Every | Some):
        for one in asked.of:
            yield from asked_words(one)


def is_positive(asked: Asked) -> bool:
    """Tell whether a question asks for anything to be there, and not only for what is not."""
    if isinstance(asked, Every | Some):
        return any(is_positive(one) for one in asked.of)
    return not isinstance(asked, Without)


def is_plain(asked: Asked) -> bool:
    """Tell whether a question is of words and beginnings alone, all of which are to be there."""
    if isinstance(asked, Every | Some):
        return all(is_plain(one) for one in asked.of)
    return isinstance(asked, Word | Prefix)


def reworded(text: str, words_for: Mapping[str, str]) -> str:
    """Write a question with other words in the place of some folded ones."""
    parts, done = [], 0
    for start, end, found in word_places(text):
        if len(found) == 1 and found[0] in words_for:
            parts += [text[done:start], words_for[found[0]]]
            done = end
    return "".join([*parts, text[done:]])


def with_words(asked: Asked, words_for: Mapping[str, str]) -> Asked:
    """Put other words in the place of some that are to be there."""
    if isinstance(asked, Word):
        return Word(words_for.get(asked.word, asked.word))
    if isinstance(asked, Every | Some):
        return type(asked)(tuple(with_words(one, words_for) for one in asked.of))
    return asked


def _bare(sequence: Sequence[str]) -> tuple[str, ...]:
    """Give words without their articles."""
    return tuple(forms(word, "ar")[-1] for word in sequence)


def _phrase(text: str) -> Asked | None:
    found = tuple(words(text))
    return Phrase(found) if found else None


def _plain(text: str, *, may_begin: bool) -> Asked | None:
    found = words(text)
    if not found:
        return None
    items: list[Asked] = [Word(word) for word in found]
    if text.endswith("*") and may_begin and len(found[-1]) >= SHORTEST_PREFIX:
        items[-1] = Prefix(found[-1])
    return _every(items)


def _every(items: Sequence[Asked]) -> Asked:
    return items[0] if len(items) == 1 else Every(tuple(items))


def _spelt_out(clauses: Sequence[Sequence[Asked]], synonyms: Synonyms) -> list[Asked]:
    """Put sets of synonyms in the place of the words of theirs that stand in a row."""
    found: list[Asked] = []
    row: list[str] = []
    for clause in clauses:
        if len(clause) == 1 and isinstance(clause[0], Word):
            row.append(clause[0].word)
            continue
        found += _with_synonyms(row, synonyms)
        row = []
        members = [
            _every(_with_synonyms([one.word], synonyms)) if isinstance(one, Word) else one
            for one in clause
        ]
        found.append(members[0] if len(members) == 1 else Some(tuple(members)))
    return [*found, *_with_synonyms(row, synonyms)]


def _with_synonyms(row: Sequence[str], synonyms: Synonyms) -> list[Asked]:
    found: list[Asked] = []
    start = 0
    while start < len(row):
        known = synonyms.at(row, start)
        length, asked = (1, Word(row[start])) if known is None else known
        found.append(asked)
        start += length
    return found


def _telling(asked: Asked) -> Asked:
    """Leave out common words that stand beside others."""
    if isinstance(asked, Some):
        return Some(tuple(_telling(one) for one in asked.of))
    if isinstance(asked, Every):
        telling = [
            _telling(one)
            for one in asked.of
            if not (isinstance(one, Word) and one.word in common())
        ]
        return _every(telling) if any(map(is_positive, telling)) else asked
    return asked
