"""Correction of a query that finds nothing: other words, another alphabet, or fewer words.

A correction must not turn the meaning of a question: a short word keeps its first letter and its
letters, a short Arabic word is never corrected, and no word becomes a negation. Its work has
bounds: what a caller types decides neither how many words are compared nor how often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

import msgspec
import tantivy

from registry.search.filters import IndexAsOf
from registry.search.labels import NameLabels
from registry.search.schema import LABEL, LEXEME, NAME, STEMS, SUMMARY, stem_token, word_token
from registry.search.text_query import any_of, every
from registry.text.arabizi import ArabiziIndex
from registry.text.query_parser import (
    Clause,
    Query,
    Vocabulary,
    clauses,
    parse_query,
    replace_words,
    required_words,
)
from registry.text.spelling import (
    is_likely,
    is_particle,
    may_be_misspelt,
    other_articles,
    other_beginnings,
    slips,
    within,
    without_particle,
)
from registry.text.tokens import NEUTRAL, article_variants, query_stems, words

_MOST_WORDS = 12
"""Words of the longest question that is corrected, and clauses of which most are looked for."""

_MOST_KEPT = 8
_MOST_CORRECTED = 4
_MOST_ALIKE = 12
_MOST_COUNTED = 40
_MOST_TRIED = 12
"""Queries that are tried in a language."""

_MOST_COUNTS = 300
"""Counts of the index, some 30 ms of CPU at most, after which a query is answered as asked.

They are the same on each host; a time limit would answer a question otherwise where one is busy.
"""

RARE = 3
_OFTEN = 10
"""A word in so few versions is offered one that so many times as many have."""

_FEWEST_CLAUSES = 2

_SHORTEST_BARE = 4
"""Letters that must be left of a word without its particle, if only records have it."""

COMMON_SHARE = 0.2
COMMON_LEAST = 10
"""A word is too common to be answered without the others if more versions than both have it."""

_Row: TypeAlias = tuple[list[str], list[str]]
"""Words without their articles, and as they are."""


class WordLists:
    """The words that may be meant in a language, by first letter and length.

    They are those of an index and of what a question may name, each letter read once.
    """

    def __init__(
        self, searcher: tantivy.Searcher, names: NameLabels, vocabulary: Vocabulary
    ) -> None:
        """Take the searcher of the index, and what the country pack knows."""
        self._searcher = searcher
        self._names = names
        self._vocabulary = vocabulary
        self._indexed: dict[str, dict[str, list[str]]] = {}
        self._named: dict[str, set[str]] = {}
        self._rows: dict[tuple[str, str], dict[int, _Row]] = {}

    def named(self, language: str) -> set[str]:
        """Return the words of what a question may name, and those that have synonyms."""
        if language not in self._named:
            self._named[language] = self._vocabulary.words() | self._names.words(language)
        return self._named[language]

    def near(self, word: str, firsts: Iterable[str], language: str) -> Iterator[tuple[int, str]]:
        """Yield (distance, word) of the words that may be meant by one without its article.

        `firsts` are the first letters that they may have.
        """
        most = slips(word)
        for first in firsts:
            rows = self._rows_of(first, language)
            for length in range(len(word) - most, len(word) + most + 1):
                bare, whole = rows.get(length, ((), ()))
                for distance, position in within(word, bare, most):
                    if distance:
                        yield distance, whole[position]

    def _rows_of(self, first: str, language: str) -> dict[int, _Row]:
        key = (first, language)
        if key not in self._rows:
            rows: dict[int, _Row] = {}
            named = (word for word in self.named(language) if word[0] == first)
            for word in {*named, *self._indexed_words(first).get(language, ())}:
                bare = article_variants(word, "ar")[-1]
                row = rows.setdefault(len(bare), ([], []))
                row[0].append(bare)
                row[1].append(word)
            self._rows[key] = rows
        return self._rows[key]

    def _indexed_words(self, first: str) -> dict[str, list[str]]:
        if first not in self._indexed:
            found = self._indexed[first] = {}
            for token, _ in self._searcher.terms_with_prefix(LEXEME, first, None, None):
                word, language = token.rsplit("|", 1)
                found.setdefault(language, []).append(word)
        return self._indexed[first]


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A corrected query: its text, its parsed form, and its language if it is of one.

    `missing` are the words, as typed, that it leaves out; none of one that stands for all of them.
    `is_name` says whether the others are what records are called by.
    """

    text: str
    query: Query
    lang: str | None = None
    missing: Sequence[str] = ()
    is_name: bool = False


class _Weight(NamedTuple):
    """How much a clause says: more if the country pack knows it, and so on.

    `is_told` says whether it does, or a name or summary has it.
    """

    is_known: bool
    is_told: bool
    rarity: int
    place: int


class _TooMuchError(Exception):
    """Raised within a correction that counts too often."""


class Speller:
    """The words of the versions in force, by which one query may be corrected."""

    def __init__(
        self,
        at: IndexAsOf,
        *,
        lists: WordLists,
        languages: Sequence[str],
        has_reader: bool,
        vocabulary: Vocabulary,
        names: NameLabels,
        arabizi: ArabiziIndex,
        finds: Callable[[Query, str | None, int], int],
    ) -> None:
        """Take the languages, the likeliest first, which is the reader's if `has_reader`.

        A correction may also lead to what `names` names; `arabizi` has the words of the country.
        `finds` counts what a query in a language finds within a tier.
        """
        self._at = at
        self._lists = lists
        self._languages = languages
        self._has_reader = has_reader
        self._vocabulary = vocabulary
        self._names = names
        self._arabizi = arabizi
        self._finds = finds
        self._counts: dict[tuple[str, str], int] = {}
        self._left = _MOST_COUNTS

    def correct(self, text: str, query: Query) -> Correction | None:
        """Return a correction of a query that finds nothing, with which it finds something.

        Words that no version has in a language are replaced, by words of that language; if each
        occurs but not together, one is, by a more frequent word. An acronym of the country pack is
        never replaced, nor a word of its services. Arabic words stand for their spelling in Latin
        letters before words of another language than the first do. Otherwise all are replaced
        that can be, and if that finds nothing, the words that say least are left out. Return None
        too where that takes too much.
        """
        try:
            return self._corrected(text, query)
        except _TooMuchError:
            return None

    def _corrected(self, text: str, query: Query) -> Correction | None:
        typed = self._typed(text, query)
        if len(typed) > _MOST_WORDS:
            # Nothing has so many words; most of them may be found as they are.
            return self._most(self._clauses(text, {}))
        arabic = self._arabic(typed)
        likely: dict[str, str] = {}
        for place, language in enumerate(self._languages):
            options = self._options(typed, language)
            tried = self._replacements(typed, options, language)
            for chosen in islice(tried, _MOST_TRIED):
                if found := self._read(replace_words(text, chosen), language, text):
                    return found
            if place == 0 and arabic and (found := self._in_arabic(text, arabic)):
                return found
            likely = {
                word: alike[0]
                for word, alike in options.items()
                if alike and (may_be_misspelt(word) or word.endswith(alike[0]))
            } | likely
        meant = likely | arabic
        if likely and (found := self._read(replace_words(text, meant), None, text)):
            return found
        if self._names.is_name(text, query):
            return None
        return self._most(self._clauses(text, meant))

    def _most(self, parts: Mapping[str, Clause]) -> Correction | None:
        return self._called(parts) or self._reduced(parts)

    def _in_arabic(self, text: str, arabic: Mapping[str, str]) -> Correction | None:
        """Return a text in Arabic letters, if all of its words that say something have them."""
        parts = clauses(replace_words(text, arabic), self._vocabulary)
        if any(part.text in arabic or part.text.isascii() for part in parts):
            return None
        return self._read(" ".join(part.text for part in parts), None, text)

    def _read(self, text: str, language: str | None, typed: str) -> Correction | None:
        """Return a text as a correction if it finds something, or names what was not named yet."""
        query = parse_query(text, self._vocabulary)
        if query is None:
            return None
        if not self._found(query, language, LABEL):
            named = self._names.named(text, query)
            asked = parse_query(typed, self._vocabulary)
            if not named or asked is None or self._names.named(typed, asked):
                return None
        return Correction(text=text, query=query, lang=language)

    def _found(self, query: Query, language: str | None, tier: int) -> int:
        self._spend()
        return self._finds(query, language, tier)

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise _TooMuchError

    def _arabic(self, typed: Sequence[str]) -> dict[str, str]:
        """Return the Arabic words of which words that no version has are spellings."""
        unknown = [
            word
            for word in typed
            if not any(self._known([word], language) for language in self._languages)
        ]
        if not any(map(self._arabizi.spelt, unknown)):
            return {}
        found = {word: self._arabizi.spelt(word, is_beside=True) for word in unknown}
        return {word: spelt[0] for word, spelt in found.items() if spelt}

    def called(self, text: str) -> Correction | None:
        """Return the words of a text by which records are called, where not all of them are.

        They are all that stand in a name, without those that say least until one name has the
        others; a word that the country pack does not know is enough alone if few names have it.
        """
        try:
            return self._called(self._clauses(text, {}))
        except _TooMuchError:
            return None

    def _clauses(self, text: str, meant: Mapping[str, str]) -> dict[str, Clause]:
        """Return the clauses of a text by what was typed, with the words that are meant.

        A text with a particle of negation has none: it means nothing without it.
        """
        parts = clauses(text, self._vocabulary)
        has_particle = any(is_particle(word) for part in parts for word in part.words)
        if has_particle or len(parts) < _FEWEST_CLAUSES:
            return {}
        found = {part.text: part for part in parts}
        if not meant.keys().isdisjoint(word for part in parts for word in part.words):
            for part in parts:
                read = clauses(replace_words(part.text, meant), self._vocabulary)
                found[part.text] = read[0] if len(read) == 1 else part
        return found

    def _called(self, parts: Mapping[str, Clause]) -> Correction | None:
        language = self._languages[0] if self._has_reader else None
        weights = self._weights(parts, language, NAME)
        while weights:
            is_known = any(weight.is_known for weight in weights.values())
            count = -max(weights.values()).rarity
            if len(weights) < len(parts) and (is_known or len(weights) > 1 or count <= RARE):
                found = self._fewer(parts, weights, language, NAME)
                if found is not None:
                    return found
            del weights[min(weights, key=weights.__getitem__)]
        return None

    def _reduced(self, parts: Mapping[str, Clause]) -> Correction | None:
        """Return a query without the clauses that say least.

        First go those that nothing has, then those that no name or summary has, the most frequent
        and the last, until something has the others: anywhere if most are left or the country pack
        knows one, which stay longest, else in its name and summary, and a single word in a name.
        """
        weights = self._weights(parts, None, LABEL)
        most = max(COMMON_LEAST, COMMON_SHARE * self._at.total(self._at.standing))
        while weights and (count := -max(weights.values()).rarity) <= most:
            is_known = any(weight.is_known for weight in weights.values())
            tier = SUMMARY
            if len(weights) > len(parts) / 2 or is_known:
                tier = LABEL
            elif len(weights) == 1:
                tier = NAME
            if len(weights) < len(parts) and (tier != NAME or count <= RARE):
                found = self._fewer(parts, weights, None, tier)
                if found is not None:
                    return found
            del weights[min(weights, key=weights.__getitem__)]
        return None

    def _weights(
        self, parts: Mapping[str, Clause], language: str | None, tier: int
    ) -> dict[str, _Weight]:
        """Return how much the clauses say that a tier has, by what was typed, most first."""
        weights: dict[str, _Weight] = {}
        for place, (typed, part) in enumerate(islice(parts.items(), _MOST_WORDS)):
            query = parse_query(part.text, self._vocabulary)
            count = 0 if query is None else self._found(query, language, tier)
            if query is not None and count:
                is_known = len(part.words) > 1 or part.words[0] in self._vocabulary
                weights[typed] = _Weight(
                    is_known=is_known,
                    is_told=is_known or tier == NAME or self._found(query, None, SUMMARY) > 0,
                    rarity=-count,
                    place=-place,
                )
        best = sorted(weights, key=weights.__getitem__, reverse=True)
        return {typed: weights[typed] for typed in best[:_MOST_KEPT]}

    def _fewer(
        self, parts: Mapping[str, Clause], kept: Iterable[str], language: str | None, tier: int
    ) -> Correction | None:
        """Return the clauses that are kept, in their order, if a tier has all of them."""
        told = {typed: part.text for typed, part in parts.items() if typed in {*kept}}
        text = " ".join(told.values())
        query = parse_query(text, self._vocabulary)
        if query is None or not self._found(query, language, tier):
            return None
        missing = [typed for typed in parts if typed not in told]
        return Correction(text=text, query=query, missing=missing, is_name=tier == NAME)

    def suggest(self, text: str, asked: Query) -> str | None:
        """Return the text with a rare word replaced by a frequent one, or None."""
        try:
            return self._suggested(text, asked)
        except _TooMuchError:
            return None

    def _suggested(self, text: str, asked: Query) -> str | None:
        for language in self._languages:
            for word in self._typed(text, asked)[:_MOST_CORRECTED]:
                rare = self._having(word, language)
                if not 0 < rare <= RARE:
                    continue
                for other in self._alike(word, language, is_alone=True):
                    meant = replace_words(text, {word: other})
                    query = parse_query(meant, self._vocabulary)
                    is_often = self._having(other, language) >= _OFTEN * rare
                    if is_often and query is not None and self._found(query, language, LABEL):
                        return meant
        return None

    def _typed(self, text: str, query: Query) -> list[str]:
        typed = {
            word
            for word in words(text)
            if word not in self._vocabulary
            and word not in self._vocabulary.stop_words
            and word not in self._names.services
        }
        return [word for word in dict.fromkeys(required_words(query)) if word in typed]

    def _options(self, typed: Sequence[str], language: str) -> dict[str, list[str]]:
        """Return what each word that no version has in a language may stand for.

        Of many words the first are looked at; the others may stand for nothing.
        """
        lacking = [word for word in typed if not self._having(word, language)]
        return {
            word: self._without_particle(word, language)
            or self._alike(word, language, is_alone=len(typed) == 1)
            if number < _MOST_CORRECTED
            else []
            for number, word in enumerate(lacking)
        }

    def _replacements(
        self, typed: Sequence[str], options: Mapping[str, list[str]], language: str
    ) -> Iterator[dict[str, str]]:
        """Yield what words may be replaced by, the likeliest first."""
        if not options and len(typed) > 1:
            having = {word: self._having(word, language) for word in typed}
            rarest = sorted(filter(may_be_misspelt, having), key=having.__getitem__)
            for word in rarest[:_MOST_CORRECTED]:
                for other in self._alike(word, language, is_alone=False):
                    if self._having(other, language) > having[word]:
                        yield {word: other}
        if options and all(options.values()):
            best = {word: alike[0] for word, alike in options.items()}
            yield best
            for word, alike in options.items():
                for other in alike[1:]:
                    yield {**best, word: other}

    def _without_particle(self, word: str, language: str) -> list[str]:
        """Return a word without a particle that is joined to it, if that is known.

        What is known by the country pack may have another article.
        """
        named = self._lists.named(language)
        bare = without_particle(word)
        return [
            other
            for other in (bare or word, *other_articles(word))
            if other != word
            and (
                other in named
                or other in self._vocabulary
                or (other == bare and len(bare) >= _SHORTEST_BARE and self._having(bare, language))
            )
        ]

    def _alike(self, word: str, language: str, *, is_alone: bool) -> list[str]:
        """Return the words that may be meant: by edit distance, then the most frequent first.

        The Arabic article counts on neither side.
        """
        typed = article_variants(word, "ar")[-1]
        if slips(typed) == 0:
            return []
        firsts = {word[0], typed[0]} | ({"ا"} if typed != word else set())
        found = {
            other: distance
            for distance, other in self._lists.near(typed, sorted(firsts), language)
            if is_likely(typed, article_variants(other, "ar")[-1], is_alone=is_alone)
        }
        found |= {
            other: 1
            for other in self._known(other_beginnings(typed), language)
            if is_likely(typed, other, is_alone=is_alone)
        }
        nearest = sorted(found, key=lambda other: (found[other], other))[:_MOST_COUNTED]
        counted = {other: self._meant(other, language) for other in nearest}
        article = word.removesuffix(typed)
        return sorted(
            (other for other in nearest if counted[other] or other in self._names.services),
            key=lambda other: (
                found[other],
                -counted[other],
                not other.startswith(article),
                other,
            ),
        )[:_MOST_ALIKE]

    def _meant(self, word: str, language: str) -> int:
        """Return how many results a word has, or what it is a synonym of."""
        query = parse_query(word, self._vocabulary) if word in self._vocabulary else None
        if query is not None:
            return self._found(query, language, LABEL)
        return self._having(word, language)

    def _known(self, forms: Iterable[str], language: str) -> list[str]:
        searcher = self._at.searcher
        return [form for form in forms if searcher.doc_freq(LEXEME, word_token(form, language))]

    def _having(self, word: str, language: str) -> int:
        """Return the number of versions in force that have a word in a language, or a name."""
        key = (word, language)
        if key not in self._counts:
            self._spend()
            tokens = [
                stem_token(stem, spoken)
                for spoken in dict.fromkeys((language, NEUTRAL))
                for stem in query_stems(word, spoken)
            ]
            self._counts[key] = self._at.total(
                every([self._at.standing, any_of(self._at.schema, STEMS[-1], tokens)])
            )
        return self._counts[key]
