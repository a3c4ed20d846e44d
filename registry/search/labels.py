"""Labels: those that are words of the records with their codes, and what a question names.

What a record says in codes it says in words too: a question for "impôts" finds the records of the
sector that is called so, and the sector itself. A service of a country pack leads to an agency or a
sector whose label has other words.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import TypeAlias

import msgspec

from registry.record.codelists import codelists
from registry.record.facets import FACETS, required_filter
from registry.record.model import LangText
from registry.record.pack import Pack, Service
from registry.record.schema import broader
from registry.search.schema import LabelWords
from registry.text.arabizi import ArabiziIndex
from registry.text.query_parser import (
    And,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Vocabulary,
    Word,
    parse_query,
    required_words,
)
from registry.text.tokens import (
    article_variants,
    language_of,
    query_stems,
    stems,
    token_text,
    words,
)

FacetCode: TypeAlias = tuple[str, str]
"""A facet and one of its codes."""

LABELLED = (
    *("sector", "function", "risk", "status", "technique", "affected", "territory"),
    "data.sensitive",
)
"""The filters by codes whose labels are words; of those that are no facets the country's own."""


class LabelIndex:
    """The labels of codes, analysed as texts are."""

    def __init__(self, labels: Iterable[tuple[FacetCode, Mapping[str, str]]]) -> None:
        """Take the label of each code by language tag."""
        self._by_stem: dict[tuple[str, str], list[FacetCode]] = {}
        self._by_word: dict[tuple[str, str], list[tuple[tuple[str, ...], FacetCode]]] = {}
        self._forms: dict[str, list[tuple[str, FacetCode]]] = {}
        self._length: dict[FacetCode, int] = {}
        for code, texts in labels:
            for tag, text in texts.items():
                language = language_of(tag)
                row = tuple(words(text))
                for word in set(row):
                    self._by_word.setdefault((language, word), []).append((row, code))
                self._forms.setdefault(language, []).extend(
                    (form, code) for word in row for form in article_variants(word, language)
                )
                self._length[code] = min(len(row), self._length.get(code, len(row)))
                for stem in {stems(language)[word] for word in row}:
                    self._by_stem.setdefault((language, stem), []).append(code)
        for forms in self._forms.values():
            forms.sort()

    def words(self, language: str) -> set[str]:
        """Return the words of the labels in a language."""
        return {word for spoken, word in self._by_word if spoken == language}

    def named(self, query: Query) -> list[FacetCode]:
        """Return the codes whose label has all words of a query in a language.

        Those with the fewest other words come first.
        """
        found: set[FacetCode] = set()
        for language in self._forms:
            found |= self._named(query, language) or set()
        return sorted(found, key=lambda code: (self._length[code], code))

    def _named(self, query: Query, language: str) -> set[FacetCode] | None:
        """Return the codes that a part of a query names; None if it names nothing in particular."""
        if isinstance(query, Not):
            return None
        if isinstance(query, And | Or):
            parts = [self._named(one, language) for one in query.of]
            known = [part for part in parts if part is not None]
            join = set.intersection if isinstance(query, And) else set.union
            return join(*known) if known else None
        return set(self._codes(query, language))

    def _codes(self, leaf: Word | Prefix | Phrase, language: str) -> Iterable[FacetCode]:
        if isinstance(leaf, Word):
            for stem in query_stems(leaf.word, language):
                yield from self._by_stem.get((language, stem), ())
            return
        if isinstance(leaf, Prefix):
            # With the article or without it, on either side.
            forms = self._forms[language]
            for start in article_variants(leaf.start, language):
                for form, code in forms[bisect_left(forms, (start,)) :]:
                    if not form.startswith(start):
                        break
                    yield code
            return
        length = len(leaf.words)
        for row, code in self._by_word.get((language, leaf.words[0]), ()):
            if any(row[at : at + length] == leaf.words for at in range(len(row) - length + 1)):
                yield code


class ServiceIndex:
    """What people come for, and the agencies and sectors to which it leads.

    A question has a service if it has all words of one of its wordings, in any order.
    """

    def __init__(self, services: Iterable[Service], stop_words: Iterable[str] = ()) -> None:
        """Take the services of a country pack, and its stop words."""
        self._vocabulary = Vocabulary(stop_words=stop_words)
        self._wordings: dict[str, list[tuple[list[str], frozenset[str], list[FacetCode]]]] = {}
        self._by_stem: dict[tuple[str, str], list[int]] = {}
        self._words: dict[str, set[str]] = {}
        self._bare: set[str] = set()
        for service in services:
            leads_to = (("agency", service.agency), ("sector", service.sector))
            codes = [(kind, code) for kind, code in leads_to if code is not None]
            for tag, texts in service.wordings.items():
                language = language_of(tag)
                for text in texts:
                    row = self._content_words(words(text))
                    kept = frozenset(stems(language)[word] for word in row)
                    wordings = self._wordings.setdefault(language, [])
                    # Under one of its stems: what has not this one has not all.
                    self._by_stem.setdefault((language, min(kept, default="")), []).append(
                        len(wordings)
                    )
                    wordings.append((row, kept, codes))
                    self._words.setdefault(language, set()).update(row)
                    self._bare.update(article_variants(word, "ar")[-1] for word in row)

    def __contains__(self, word: str) -> bool:
        """Return whether a word is one of a service, but for its article."""
        return article_variants(word, "ar")[-1] in self._bare

    def words(self, language: str) -> set[str]:
        """Return the words of the services in a language."""
        return self._words.get(language, set())

    def named(
        self, text: str, *, is_begun: bool = False
    ) -> tuple[list[FacetCode], list[FacetCode]]:
        """Return the codes of the services that a question is, and of those it has among others.

        One that is being typed, `is_begun`, is every service of which a wording begins with it. Of
        those among others come first the longest wordings.
        """
        query = parse_query(text, self._vocabulary)
        asked = self._content_words([] if query is None else required_words(query))
        whole: dict[FacetCode, None] = {}
        within: list[tuple[int, list[FacetCode]]] = []
        for language, wordings in self._wordings.items():
            options = [frozenset(query_stems(word, language)) for word in asked]
            met = frozenset[str]().union(*options)
            of_these = [self._by_stem.get((language, stem), ()) for stem in met]
            numbers = range(len(wordings)) if is_begun else sorted(chain.from_iterable(of_these))
            for row, kept, codes in (wordings[number] for number in numbers):
                if kept <= met:
                    if not any(option.isdisjoint(kept) for option in options):
                        whole.update(dict.fromkeys(codes))
                    else:
                        within.append((len(kept), codes))
                elif is_begun and asked and _begins(row, asked, language):
                    whole.update(dict.fromkeys(codes))
        within.sort(key=lambda one: -one[0])
        return [*whole], [*dict.fromkeys(chain.from_iterable(of for _, of in within))]

    def _content_words(self, row: Iterable[str]) -> list[str]:
        """Return words without the stop words, unless there are no others."""
        every = [*row]
        return [word for word in every if word not in self._vocabulary.stop_words] or every


class NameLabels(msgspec.Struct, frozen=True, kw_only=True):
    """What a question may name beside records: agencies and sectors, by label and by service."""

    labels: LabelIndex
    services: ServiceIndex

    def words(self, language: str) -> set[str]:
        """Return the words of labels and services in a language."""
        return self.labels.words(language) | self.services.words(language)

    def named(self, text: str, query: Query, *, is_begun: bool = False) -> list[FacetCode]:
        """Return what a text names; its query may be that of corrected words.

        First comes where the service leads that it is as a whole, last that of one among others. Of
        one that is being typed, what begins so itself comes before services.
        """
        whole, within = self.services.named(text, is_begun=is_begun)
        named = self.labels.named(query)
        first = (*named, *whole) if is_begun else (*whole, *named)
        return [*dict.fromkeys((*first, *within))]

    def is_name(self, text: str, query: Query) -> bool:
        """Return whether a text as a whole names something."""
        return bool(self.services.named(text)[0] or self.labels.named(query))


NO_NAMES = NameLabels(labels=LabelIndex(()), services=ServiceIndex(()))


def _begins(row: Sequence[str], asked: Sequence[str], language: str) -> bool:
    """Return whether words begin with others, of which the last may be begun, but for articles."""
    forms, begun = ([article_variants(word, language) for word in each] for each in (row, asked))
    *typed, last = begun
    return (
        len(row) >= len(asked)
        and all(form[-1] == whole[-1] for form, whole in zip(forms, typed, strict=False))
        and any(form.startswith(last) for form in forms[len(typed)])
    )


@lru_cache(maxsize=4)
def names_of(pack: Pack) -> NameLabels:
    """Return what a question may name beside records: a pack's agencies, and the sectors.

    Cached: it takes 50 ms.
    """
    agencies = [(("agency", one.id), one.name) for one in pack.agencies.values()]
    sectors = [(("sector", one.code), one.label) for one in codelists()["sector"].values()]
    return NameLabels(
        labels=LabelIndex([*agencies, *sectors]),
        services=ServiceIndex([*pack.services, *_agency_names(pack)], pack.stop_words),
    )


def _agency_names(pack: Pack) -> Iterator[Service]:
    """Yield each agency as what one comes for, by its names and their synonyms, as acronyms are.

    A code that is no word of the names is the acronym of most agencies that have no synonyms.
    """
    sets: dict[tuple[str, ...], dict[int, Sequence[str]]] = {}
    for number, texts in enumerate(pack.synonyms):
        for text in texts:
            sets.setdefault(tuple(words(text)), {})[number] = texts
    for agency in pack.agencies.values():
        names = [tuple(words(name)) for name in agency.name.values()]
        found = {number: texts for name in names for number, texts in sets.get(name, {}).items()}
        synonyms = [text for number in sorted(found) for text in found[number]]
        if "-" not in agency.id and agency.id not in chain.from_iterable(names):
            synonyms.append(agency.id)
        wordings = {tag: (name, *synonyms) for tag, name in agency.name.items()}
        yield Service(agency=agency.id, wordings=wordings)


@lru_cache(maxsize=4)
def arabizi_of(pack: Pack) -> ArabiziIndex:
    """Return the Arabic words that search knows; cached as well."""
    return ArabiziIndex(_arabic_texts(pack))


def _arabic_texts(pack: Pack) -> Iterator[str]:
    """Yield the Arabic texts of synonyms, services and names."""
    for texts in pack.synonyms:
        yield from texts
    for service in (*pack.services, *_agency_names(pack)):
        yield from service.wordings.get("ar", ())
    for code in codelists()["sector"].values():
        yield code.label["ar"]


def labels_of(pack: Pack) -> LabelWords:
    """Return the labels that are words of the records with their codes, of format and pack."""
    fields = {kind: required_filter(kind).field for kind in LABELLED}
    return {
        kind: {
            code: _words_by_language(held.label)
            for code, held in pack.codes(field.lists if field else ()).items()
            if kind in FACETS or broader(code) != code
        }
        for kind, field in fields.items()
    }


def _words_by_language(label: LangText) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for tag, text in label.items():
        found.setdefault(language_of(tag), []).append(text)
    return {language: token_text(texts) for language, texts in found.items()}
