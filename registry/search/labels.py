"""Labels as words: the codes whose labels have the words of a query.

What a record says in codes it says in words too: a question for "impôts" finds the records of the
sector that is called so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from registry.record.codelists import codelists
from registry.record.facets import FACETS
from registry.record.pack import Pack
from registry.text.query_parser import And, Not, Or, Phrase, Prefix, Query, Word
from registry.text.tokens import article_variants, language_of, query_stems, stems, words

LABELLED = ("sector", "function", "risk", "status", "technique", "affected", "territory")
"""The facets whose labels are words."""

FacetCode: TypeAlias = tuple[str, str]
"""A facet and one of its codes."""


class LabelIndex:
    """The labels of codes, analysed as texts are."""

    def __init__(self, labels: Iterable[tuple[FacetCode, Mapping[str, str]]]) -> None:
        """Take the label of each code by language tag."""
        self._by_stem: dict[tuple[str, str], list[FacetCode]] = {}
        self._by_language: dict[str, list[tuple[tuple[str, ...], FacetCode]]] = {}
        self._length: dict[FacetCode, int] = {}
        for code, texts in labels:
            for tag, text in texts.items():
                language = language_of(tag)
                row = tuple(words(text))
                self._by_language.setdefault(language, []).append((row, code))
                self._length[code] = min(len(row), self._length.get(code, len(row)))
                for stem in {stems(language)[word] for word in row}:
                    self._by_stem.setdefault((language, stem), []).append(code)

    def having(
        self, leaf: Word | Prefix | Phrase, languages: Sequence[str]
    ) -> dict[str, list[str]]:
        """Return the codes whose label has a word, prefix or phrase, by facet."""
        found: dict[str, dict[str, None]] = {}
        for language in languages:
            for kind, code in self._codes(leaf, language):
                found.setdefault(kind, {})[code] = None
        return {kind: list(codes) for kind, codes in found.items()}

    def named(self, query: Query) -> list[FacetCode]:
        """Return the codes whose label has all words of a query in a language.

        Those with the fewest other words come first.
        """
        found: set[FacetCode] = set()
        for language in self._by_language:
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
        for row, code in self._by_language.get(language, ()):
            if isinstance(leaf, Prefix):
                # With the article or without it, on either side.
                starts = article_variants(leaf.start, language)
                has = any(
                    form.startswith(starts)
                    for word in row
                    for form in article_variants(word, language)
                )
            else:
                length = len(leaf.words)
                has = any(
                    row[at : at + length] == leaf.words for at in range(len(row) - length + 1)
                )
            if has:
                yield code


NO_LABELS = LabelIndex(())


def names_of(pack: Pack) -> LabelIndex:
    """Return what a question may name beside records: a pack's agencies, and the sectors."""
    agencies = [(("agency", one.id), one.name) for one in pack.agencies.values()]
    sectors = [(("sector", one.code), one.label) for one in codelists()["sector"].values()]
    return LabelIndex([*agencies, *sectors])


def labels_of(pack: Pack) -> LabelIndex:
    """Return the labels of the codes that search knows, of the format and of a pack."""
    lists = {**codelists(), **{f"pack/{name}": codes for name, codes in pack.lists.items()}}
    return LabelIndex(
        ((kind, code.code), code.label)
        for kind in LABELLED
        for name in FACETS[kind].lists
        for code in lists[name].values()
    )
