"""The query language of search, and its parser.

All words have to be there, in any place, but for stop words; `"a phrase"` as written; `-word` not
at all; `one OR other`; `begin*` any word with that prefix. Everything else is punctuation: no text
is an error, and one without a word is no query.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec

from registry.text.tokens import article_variants, common, word_places, words

SHORTEST_PREFIX = 3
"""Letters of the shortest prefix; a shorter one is a word."""

MOST_PREFIXES = 4
"""The prefixes that a query may have; further ones are words."""

MOST_PHRASES = 4
"""The phrases that a query may have; further ones are their words, in any place."""


class Word(msgspec.Struct, frozen=True):
    """A folded word, in any form of the same stem."""

    word: str


class Phrase(msgspec.Struct, frozen=True):
    """Folded words one after the other within one text, in exactly these forms."""

    words: tuple[str, ...]


class Prefix(msgspec.Struct, frozen=True):
    """The beginning of a folded word."""

    start: str


class And(msgspec.Struct, frozen=True):
    """All of these."""

    of: tuple[Query, ...]


class Or(msgspec.Struct, frozen=True):
    """At least one of these."""

    of: tuple[Query, ...]


class Not(msgspec.Struct, frozen=True):
    """Not this."""

    of: Query


Query: TypeAlias = Word | Phrase | Prefix | And | Or | Not

_TOKEN = re.compile(r'(?P<minus>-(?=["\w]))?(?:"(?P<quoted>[^"]*)"|(?P<plain>\||[^\s"|]+))')
# Invisible marks of direction may stand between a minus and its word.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»", '"'),
        **dict.fromkeys("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e"),
        **dict.fromkeys("\u2066\u2067\u2068\u2069"),
    }
)
_OR = {"OR", "|"}
_AND = {"AND", "&"}


class Vocabulary:
    """What a country knows of words: synonyms of words and phrases, and its stop words.

    A set of synonyms is an acronym and its expansion, for example; the Arabic article makes no
    difference, nor a French feminine or plural. Stop words are added to those of all languages.
    """

    def __init__(self, sets: Iterable[Sequence[str]] = (), stop_words: Iterable[str] = ()) -> None:
        """Take sets of texts, and texts of one word."""
        self.stop_words = common() | {word for text in stop_words for word in words(text)}
        self._single: set[str] = set()
        self._by_first: dict[str, list[tuple[tuple[str, ...], Query]]] = {}
        for texts in sets:
            group = dict.fromkeys(found for text in texts if (found := tuple(words(text))))
            query = Or(tuple(_all_of([Word(word) for word in found]) for found in group))
            self._single |= {_bare(found[0]) for found in group if len(found) == 1}
            for key in dict.fromkeys(map(_key, group)):
                self._by_first.setdefault(key[0], []).append((key, query))
        for known in self._by_first.values():
            known.sort(key=lambda one: -len(one[0]))

    def words(self) -> set[str]:
        """Return the single words that have synonyms, without their articles."""
        return self._single

    def __contains__(self, word: str) -> bool:
        """Return whether a single word has synonyms."""
        return self.at([word], 0) is not None

    def at(self, sequence: Sequence[str], start: int) -> tuple[int, Query] | None:
        """Return (length, query) of the longest known phrase that begins at a position, or None."""
        for key, query in self._by_first.get(_key(sequence[start : start + 1])[0], ()):
            if _key(sequence[start : start + len(key)]) == key:
                return len(key), query
        return None


_ENDING = re.compile("(?<=[a-z]{4})(?:(?:(?<=l)le|(?<=n)ne|e)?s?|x)$")

NO_VOCABULARY = Vocabulary()


class Clause(msgspec.Struct, frozen=True):
    """A word of a query, or a phrase that has synonyms: its folded words, and its text as typed."""

    words: tuple[str, ...]
    text: str


def parse_query(text: str, vocabulary: Vocabulary = NO_VOCABULARY) -> Query | None:
    """Return the query of a text as typed, or None if it has no word."""
    clauses: list[list[Query]] = []
    joins = False
    prefixes = phrases = 0
    for token in _TOKEN.finditer(text.translate(_PLAIN)):
        plain = token["plain"]
        if plain in _OR or plain in _AND:
            joins = plain in _OR and bool(clauses)
            continue
        if plain is None:
            item = _quoted(token["quoted"], may_stand=phrases < MOST_PHRASES)
            phrases += 1
        else:
            item = _plain(plain, may_begin=prefixes < MOST_PREFIXES)
            prefixes += plain.endswith("*")
        if item is None:
            continue
        if token["minus"]:
            item = Not(item)
        if joins:
            clauses[-1].append(item)
        else:
            clauses.append([item])
        joins = False
    if not clauses:
        return None
    query = _all_of(_replace_synonyms(clauses, vocabulary))
    return _without_stop_words(query, vocabulary.stop_words)


def clauses(text: str, vocabulary: Vocabulary = NO_VOCABULARY) -> list[Clause]:
    """Return the clauses of a query, without stop words; none for one with operators."""
    plain = text.translate(_PLAIN)
    for token in _TOKEN.finditer(plain):
        typed = token["plain"]
        if typed is None or token["minus"] or typed in _OR | _AND or typed.endswith("*"):
            return []
    row = [(word, place) for *place, found in word_places(plain) for word in found]
    sequence = [word for word, _ in row]
    found: list[Clause] = []
    for start, length, _ in _phrases(sequence, vocabulary):
        of = tuple(sequence[start : start + length])
        if length > 1 or of[0] not in vocabulary.stop_words:
            first, last = row[start][1], row[start + length - 1][1]
            found.append(Clause(of, plain[first[0] : last[1]]))
    return found


def required_words(query: Query) -> Iterator[str]:
    """Yield the single words that have to be there, without those of phrases."""
    if isinstance(query, Word):
        yield query.word
    elif isinstance(query, And | Or):
        for one in query.of:
            yield from required_words(one)


def is_positive(query: Query) -> bool:
    """Return whether a query requires anything to be there."""
    if isinstance(query, And | Or):
        return any(is_positive(one) for one in query.of)
    return not isinstance(query, Not)


def is_plain(query: Query) -> bool:
    """Return whether a query is only of words and prefixes that all have to be there."""
    if isinstance(query, And | Or):
        return all(is_plain(one) for one in query.of)
    return isinstance(query, Word | Prefix)


def replace_words(text: str, words_for: Mapping[str, str]) -> str:
    """Return the text of a query with some folded words replaced."""
    parts, done = [], 0
    for start, end, found in word_places(text):
        if len(found) == 1 and found[0] in words_for:
            parts += [text[done:start], words_for[found[0]]]
            done = end
    return "".join([*parts, text[done:]])


def _bare(word: str) -> str:
    return article_variants(word, "ar")[-1]


def _key(sequence: Sequence[str]) -> tuple[str, ...]:
    """Return words without their articles, and without a French feminine or plural ending."""
    return tuple(_ENDING.sub("", _bare(word)) for word in sequence)


def _plain(text: str, *, may_begin: bool) -> Query | None:
    found = words(text)
    if not found:
        return None
    items: list[Query] = [Word(word) for word in found]
    if text.endswith("*") and may_begin and len(found[-1]) >= SHORTEST_PREFIX:
        items[-1] = Prefix(found[-1])
    return _all_of(items)


def _quoted(text: str, *, may_stand: bool) -> Query | None:
    found = tuple(words(text))
    if not found:
        return None
    return Phrase(found) if may_stand else _all_of([Word(word) for word in found])


def _all_of(items: Sequence[Query]) -> Query:
    return items[0] if len(items) == 1 else And(tuple(items))


def _replace_synonyms(clauses: Sequence[Sequence[Query]], vocabulary: Vocabulary) -> list[Query]:
    """Return clauses in which the phrases of a set of synonyms are replaced by the set."""
    found: list[Query] = []
    row: list[str] = []
    for clause in clauses:
        if len(clause) == 1 and isinstance(clause[0], Word):
            row.append(clause[0].word)
            continue
        found += _with_synonyms(row, vocabulary)
        row = []
        members = [
            _all_of(_with_synonyms([one.word], vocabulary)) if isinstance(one, Word) else one
            for one in clause
        ]
        found.append(members[0] if len(members) == 1 else Or(tuple(members)))
    return [*found, *_with_synonyms(row, vocabulary)]


def _with_synonyms(row: Sequence[str], vocabulary: Vocabulary) -> list[Query]:
    return [query for _, _, query in _phrases(row, vocabulary)]


def _phrases(row: Sequence[str], vocabulary: Vocabulary) -> Iterator[tuple[int, int, Query]]:
    """Yield the words and known phrases of a row as (start, length, query)."""
    start = 0
    while start < len(row):
        known = vocabulary.at(row, start)
        length, query = (1, Word(row[start])) if known is None else known
        yield start, length, query
        start += length


def _without_stop_words(query: Query, stop_words: Collection[str]) -> Query:
    """Return a query without the stop words that stand beside other words."""
    if isinstance(query, Or):
        return Or(tuple(_without_stop_words(one, stop_words) for one in query.of))
    if isinstance(query, And):
        kept = [
            _without_stop_words(one, stop_words)
            for one in query.of
            if not (isinstance(one, Word) and one.word in stop_words)
        ]
        return _all_of(kept) if any(map(is_positive, kept)) else query
    return query
