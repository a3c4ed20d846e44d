"""Correction of a query that finds nothing: other words, another alphabet, or fewer words.

A correction must not turn the meaning of a question: a short word keeps its first letter and its
letters, a short Arabic word is never corrected, and no word becomes a negation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from registry.search.filters import IndexAsOf
from registry.search.labels import NameLabels
from registry.search.schema import LABEL, LEXEME, NAME, STEMS, SUMMARY, stem_token, word_token
from registry.search.text_query import any_of, every, words_beginning
from registry.text.arabizi import ArabiziIndex
from registry.text.query_parser import (
    Query,
    Vocabulary,
    clauses,
    parse_query,
    replace_words,
    required_words,
)
from registry.text.spelling import (
    distance,
    first_letters,
    is_likely,
    is_particle,
    may_be_misspelt,
    other_articles,
    other_beginnings,
    slips,
    sounds_alike,
    without_particle,
)
from registry.text.tokens import NEUTRAL, article_variants, query_stems, words

_MOST_WORDS = 12
_MOST_ALIKE = 12
RARE = 3
_OFTEN = 10
"""A word in so few versions is offered one that so many times as many have."""

_FEWEST_CLAUSES = 2

_SHORTEST_BARE = 4
"""Letters that must be left of a word without its particle, if only records have it."""

COMMON_SHARE = 0.2
COMMON_LEAST = 10
"""A word is too common to be answered without the others if more versions than both have it."""


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A corrected query: its text, its parsed form, and its language if it is of one."""

    text: str
    query: Query
    lang: str | None


class _Weight(NamedTuple):
    """How much a clause says: more if it names an agency or a sector, and so on.

    `is_told` says whether the country pack knows it, or a name or summary has it.
    """

    is_named: bool
    is_known: bool
    is_told: bool
    rarity: int
    place: int


class Speller:
    """The words of the versions in force, by which a query may be corrected."""

    def __init__(
        self,
        at: IndexAsOf,
        *,
        languages: Sequence[str],
        vocabulary: Vocabulary,
        names: NameLabels,
        arabizi: ArabiziIndex,
        finds: Callable[[Query, str | None, int], int],
    ) -> None:
        """Take the languages, the likeliest first.

        A correction may also lead to what `names` names; `arabizi` has the words of the country.
        `finds` counts what a query in a language finds within a tier.
        """
        self._at = at
        self._languages = languages
        self._vocabulary = vocabulary
        self._names = names
        self._arabizi = arabizi
        self._finds = finds

    def correct(self, text: str, query: Query) -> Correction | None:
        """Return a correction of a query that finds nothing, with which it finds something.

        Words that no version has in a language are replaced, by words of that language; if each
        occurs but not together, one is, by a more frequent word. An acronym of the country pack is
        never replaced, nor a word of its services. Arabic words stand for their spelling in Latin
        letters before words of another language than the first do. Otherwise all are replaced
        that can be, and if that finds nothing, the words that say least are left out.
        """
        typed = self._typed(text, query)
        arabic = self._arabic(typed[:_MOST_WORDS])
        likely: dict[str, str] = {}
        for place, language in enumerate(self._languages):
            options = self._options(typed, language)
            for chosen in self._replacements(typed, options, language):
                if found := self._read(replace_words(text, chosen), language, text):
                    return found
            read = replace_words(text, arabic)
            if place == 0 and arabic and (found := self._read(read, None, text)):
                return found
            likely = {
                word: alike[0]
                for word, alike in options.items()
                if alike and (may_be_misspelt(word) or word.endswith(alike[0]))
            } | likely
        meant = likely | arabic
        if likely and (found := self._read(replace_words(text, meant), None, text)):
            return found
        return None if self._names.is_name(text, query) else self._reduced(text, meant)

    def _read(
        self, text: str, language: str | None, typed: str, tier: int = LABEL
    ) -> Correction | None:
        """Return a text as a correction if it finds something, or names what was not named yet."""
        query = parse_query(text, self._vocabulary)
        if query is None:
            return None
        if not self._finds(query, language, tier):
            named = self._names.named(text, query)
            asked = parse_query(typed, self._vocabulary)
            if not named or asked is None or self._names.named(typed, asked):
                return None
        return Correction(text=text, query=query, lang=language)

    def _arabic(self, typed: Sequence[str]) -> dict[str, str]:
        """Return the Arabic words of which words that no version has are spellings."""
        unknown = [
            word
            for word in typed
            if not any(self._known([word], language) for language in self._languages)
        ]
        if not any(self._arabizi.spelt(word) for word in unknown):
            return {}
        found = {word: self._arabizi.spelt(word, is_beside=True) for word in unknown}
        return {word: spelt[0] for word, spelt in found.items() if spelt}

    def _reduced(self, text: str, meant: Mapping[str, str]) -> Correction | None:
        """Return a query, with the words that are meant, without the clauses that say least.

        First go those that nothing has, then those that no name or summary has, the most frequent
        and the last, until something has the others: anywhere if most are left or the country pack
        knows one, which stay longest, else in its name and summary, and a single word in a name.
        What names an agency or a sector stays too, and is an answer of its own: beside it, others
        must be in a summary. One with a particle of negation is never reduced.
        """
        read = replace_words(text, meant)
        parts = clauses(read, self._vocabulary)[:_MOST_WORDS]
        has_particle = any(is_particle(word) for part in parts for word in part.words)
        if len(parts) < _FEWEST_CLAUSES or has_particle:
            return None
        named = self._names.services.named_words(read)
        weights: dict[str, _Weight] = {}
        for place, part in enumerate(parts):
            query = parse_query(part.text, self._vocabulary)
            count = 0 if query is None else self._finds(query, None, LABEL)
            is_named = not named.isdisjoint(part.words)
            is_known = len(part.words) > 1 or part.words[0] in self._vocabulary
            if count or is_named:
                weights[part.text] = _Weight(
                    is_named=is_named,
                    is_known=is_known,
                    is_told=is_known
                    or (query is not None and self._finds(query, None, SUMMARY) > 0),
                    rarity=-count,
                    place=-place,
                )
        most = max(COMMON_LEAST, COMMON_SHARE * self._at.total(self._at.standing))
        while weights and (count := -max(weights.values()).rarity) <= most:
            is_known = any(weight.is_known for weight in weights.values())
            tier = SUMMARY
            if len(weights) > len(parts) / 2 or (is_known and not named):
                tier = LABEL
            elif len(weights) == 1 and not is_known:
                tier = NAME
            if len(weights) < len(parts) and (tier != NAME or count <= RARE):
                found = self._read(" ".join(weights), None, text, tier)
                if found is not None:
                    return found
            del weights[min(weights, key=weights.__getitem__)]
        return None

    def suggest(self, text: str, asked: Query) -> str | None:
        """Return the text with a rare word replaced by a frequent one, or None."""
        for language in self._languages:
            for word in self._typed(text, asked):
                rare = self._having(word, language)
                if not 0 < rare <= RARE:
                    continue
                for other in self._alike(word, language, is_alone=True):
                    meant = replace_words(text, {word: other})
                    query = parse_query(meant, self._vocabulary)
                    is_often = self._having(other, language) >= _OFTEN * rare
                    if is_often and query is not None and self._finds(query, language, LABEL):
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
        """Return what each word that no version has in a language may stand for."""
        return {
            word: self._without_particle(word, language)
            or self._alike(word, language, is_alone=len(typed) == 1)[:_MOST_ALIKE]
            for word in typed[:_MOST_WORDS]
            if not self._having(word, language)
        }

    def _replacements(
        self, typed: Sequence[str], options: Mapping[str, list[str]], language: str
    ) -> Iterator[dict[str, str]]:
        """Yield what words may be replaced by, the likeliest first."""
        if not options and len(typed) > 1:
            having = {word: self._having(word, language) for word in typed[:_MOST_WORDS]}
            for word in filter(may_be_misspelt, sorted(having, key=having.__getitem__)):
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
        names = self._names.words(language)
        bare = without_particle(word)
        return [
            other
            for other in (bare or word, *other_articles(word))
            if other != word
            and (
                other in names
                or other in self._vocabulary
                or (other == bare and len(bare) >= _SHORTEST_BARE and self._having(bare, language))
            )
        ]

    def _alike(self, word: str, language: str, *, is_alone: bool) -> list[str]:
        """Return the words that may be meant: by edit distance, then the most frequent first.

        Those of the same sounds come before; the Arabic article counts on neither side.
        """
        typed = article_variants(word, "ar")[-1]
        most = slips(typed, is_alone=is_alone)
        if most == 0:
            return []
        named = self._names.words(language)
        firsts = {word[0], *first_letters(typed)} | ({"ا"} if typed != word else set())
        searcher, known = self._at.searcher, self._at.known
        begun = [words_beginning(first, searcher, [language], known) for first in firsts]
        others = {
            *(other for row in begun for other, _ in row),
            *self._known(other_beginnings(typed), language),
            *(other for other in (*self._vocabulary.words(), *named) if other[0] in firsts),
        }
        letters = set(typed)
        found: dict[str, int] = {}
        for other in others:
            bare = article_variants(other, "ar")[-1]
            if sounds_alike(typed, bare):
                found[other] = 0
            elif (
                abs(len(bare) - len(typed)) <= most
                and len(letters.symmetric_difference(bare)) <= 2 * most
                and bare != typed
                and is_likely(typed, bare, is_alone=is_alone)
                and (slipped := distance(typed, bare, most)) <= most
            ):
                found[other] = slipped
        counted = {other: self._meant(other, language) for other in found}
        likely = [other for other in found if counted[other] or other in self._names.services]
        article = word.removesuffix(typed)
        return sorted(
            likely,
            key=lambda other: (
                found[other],
                -counted[other],
                not other.startswith(article),
                other,
            ),
        )

    def _meant(self, word: str, language: str) -> int:
        """Return how many results a word has, or what it is a synonym of."""
        query = parse_query(word, self._vocabulary) if word in self._vocabulary else None
        if query is not None:
            return self._finds(query, language, LABEL)
        return self._having(word, language)

    def _known(self, forms: Iterable[str], language: str) -> list[str]:
        searcher = self._at.searcher
        return [form for form in forms if searcher.doc_freq(LEXEME, word_token(form, language))]

    def _having(self, word: str, language: str) -> int:
        """Return the number of versions in force that have a word in a language, or a name."""
        tokens = [
            stem_token(stem, spoken)
            for spoken in dict.fromkeys((language, NEUTRAL))
            for stem in query_stems(word, spoken)
        ]
        return self._at.total(
            every([self._at.standing, any_of(self._at.schema, STEMS[-1], tokens)])
        )
