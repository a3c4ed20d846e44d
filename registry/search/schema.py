"""The schema of the search index: its fields, and the document of a version.

Words are analysed here and not by tantivy: a token is a stem or a word with its language, and
tantivy's tokenizer splits at blanks.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from types import MappingProxyType
from typing import TypeAlias

import msgspec
import tantivy

from registry.record.dimensions import (
    PERIODS,
    PUBLISHED_AT,
    RANGED,
    Dimension,
    DimensionKind,
    dimensions,
    numeric,
    values_in,
)
from registry.record.facets import (
    COMPLETENESS,
    FACETS,
    LANGUAGE,
    LOCAL,
    LONGEST_NAME,
    NAME_LENGTH,
    OBSERVED_SINCE,
    REVIEW_DUE,
    required_filter,
    values_of,
)
from registry.record.model import SOURCE_STATES
from registry.record.observations import BY_DAY
from registry.record.schema import broader
from registry.record.search_document import ANSWERS, DERIVATION
from registry.store.search_rows import VersionRow
from registry.text.company_names import folded_name
from registry.text.tokens import TokenCache, article_variants, stems

STEMS = ("stem_name", "stem_summary", "stem_text", "stem_label")
"""The fields of stems by tier; each has those of the tiers before it too."""

WORDS = ("words_name", "words_summary", "words_text", "words_label")
"""The fields of words in order, for phrases, by tier; each has its own alone."""

NAME, SUMMARY, TEXT, LABEL = range(4)
"""The tiers in which a query may match; that of labels has the words of the labels of codes."""

LEXEME = "lexeme"
"""The field of words as written, each followed by its language."""

CURRENT = 2**62
"""The value of `until` of a version in force."""

VALUE, SPELLED = "value", "spelled"
"""The fields of what a version states by dimension, and of how its names are spelled.

Of a country's own code the first has the one of the format that it is under, the other itself.
"""

ITEM = "item"
"""The kind of the documents of items of lists; those of versions have none."""

UNSAID = "\x1f"
"""What the values of a dimension begin with that are kinds of an answer without a value."""

ANSWER = "answer"
"""The field of how a version answers on each fact, by `answer_token`."""

_NO_SCORE = -1
_UNIT = 2**32
"""More than the number of entries: a sort key is a number times this, and the entry."""

_LARGEST = 2**30
"""Beyond the numbers of sort keys, of which clients send others."""

_NO_DAY = 2**29 - 1
_FROM = dt.date(2000, 1, 1)
_CODES = (
    *(
        kind
        for kind, facet in FACETS.items()
        if kind != "overdue" and facet.of is None and not facet.answers and values_of(kind) is None
    ),
    COMPLETENESS,
    LANGUAGE,
)
FORMAT = (DERIVATION, version("tantivy"), _CODES, (*dimensions(),), STEMS, WORDS, "15")
"""What determines how an index is read, beside the register."""

_END = "."
"""A token between texts, over which no phrase reaches."""

_BREAK = f" {_END} "


LabelWords: TypeAlias = Mapping[str, Mapping[str, Mapping[str, str]]]
"""The labels of codes, by facet, code and language, as `token_text` writes them."""

NO_LABEL_WORDS: LabelWords = {}


class IndexedUpTo(msgspec.Struct, frozen=True, kw_only=True):
    """What an index holds: the log up to a size, with its root and last leaf, in an epoch.

    `erased` are the redactions without whose words its documents are, `made` is the epoch in which
    its files were begun, and `labels` the digest of the labels that it was made with. `documents`
    is their number, without that of this statement. `tail` are the sizes of the log at which
    segments begin; what is before the second is what was merged last, in one or more.
    """

    size: int
    root: str
    leaf: str
    epoch: int
    made: int
    labels: str
    erased: Sequence[int]
    documents: int = 0
    tail: Sequence[int] = ()


@cache
def schema(languages: tuple[str, ...]) -> tantivy.Schema:
    """Return the schema for names in some languages."""
    built = tantivy.SchemaBuilder()
    for name in ("ord", "since", "until"):
        built.add_integer_field(name, indexed=True, fast=True)
    for name in (
        *("published", "raised", "lowered", "by_completeness", "by_review", "by_name"),
        *map(since_field, BY_DAY),
    ):
        built.add_integer_field(name, fast=True)
    for name in (
        *_CODES,
        ANSWER,
        *(name_field(language) for language in languages),
    ):
        built.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for name in (VALUE, SPELLED):
        built.add_json_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    for dimension in dimensions().values():
        if dimension.kind in RANGED:
            built.add_float_field(number_field(dimension.name), fast=True)
    for name in (*STEMS, LEXEME):
        built.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for name in WORDS:
        built.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    built.add_text_field("kind", tokenizer_name="raw", index_option="basic")
    for name in ("card", "state"):
        built.add_bytes_field(name, stored=True)
    return built.build()


def digest(of: object) -> str:
    """Return the name of what makes an index, or of labels in it, 16 hexadecimal digits."""
    return sha256(msgspec.json.encode(of, order="sorted")).hexdigest()[:16]


def name_field(language: str) -> str:
    """Return the field by which names are ordered in a language."""
    return f"name_in_{language}"


def value_field(name: str, field: str = VALUE) -> str:
    """Return the field of the values of a dimension, or of the periods of its days."""
    return field + "." + name.replace(".", "\\.")


def value_place(name: str, value: str) -> tuple[str, str]:
    """Return the field and the token by which versions that state a value are found."""
    dimension = dimensions()[name]
    field = SPELLED if has_narrower(dimension) and broader(value) != value else VALUE
    return value_field(name, field), value_token(dimension.kind, value)


def has_narrower(dimension: Dimension) -> bool:
    """Return whether a country may have codes of its own among the values."""
    return dimension.field is not None and dimension.field.has_narrower


def number_field(dimension: str) -> str:
    """Return the field by which the values of a dimension are found in a range."""
    return f"number_{dimension}"


def value_token(kind: DimensionKind, value: str) -> str:
    """Return the token of a value."""
    return folded_name(value) if kind == "name" else value


def since_field(observation: str) -> str:
    """Return the field of the first day on which an observation holds, by `day_number`."""
    return f"{observation}_since"


def documents(
    row: VersionRow, languages: tuple[str, ...], labels: LabelWords
) -> Iterator[tantivy.Document]:
    """Yield the documents of a version: one, and one for each change of its state at its source.

    They are followed by one for each item of its lists that states more than one dimension.
    """
    values, items = values_in(row.codes)
    values[PUBLISHED_AT] = [row.published_on]
    bounds = [row.ord, *row.source, CURRENT if row.until is None else row.until]
    is_foreign = row.codes["origin"] != [LOCAL]
    for place, (since, until) in enumerate(itertools.pairwise(bounds)):
        made = _document(row, languages, labels)
        _add_values(made, values, _unsaid(row, values))
        made.add_integer("since", since)
        made.add_integer("until", until)
        if is_foreign:
            made.add_text("source_state", SOURCE_STATES[place % 2])
        yield made
    for item in items:
        if len(item) > 1:
            made = tantivy.Document()
            made.add_text("kind", ITEM)
            made.add_integer("ord", row.ord)
            _add_values(made, item)
            yield made


def _unsaid(row: VersionRow, values: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return by dimension the kind of an answer that has no value, but for what is not asked."""
    found = {}
    for answer, kind in ANSWERS.items():
        for name in row.codes.get(kind, ()):
            if name in dimensions() and name not in values:
                found[name] = [UNSAID + answer]
    return found


def _add_values(
    made: tantivy.Document,
    values: Mapping[str, Sequence[str]],
    unsaid: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Add what is stated of dimensions, with the periods of days, and the places in their order."""
    tokens = {**unsaid}
    spelled = {}
    for name, stated in values.items():
        dimension = dimensions()[name]
        kind = dimension.kind
        counted = stated
        if kind == "name":
            spelled[name] = stated
        elif has_narrower(dimension):
            counted = [*map(broader, stated)]
            spelled[name] = [code for code in stated if code not in counted]
        tokens[name] = list(dict.fromkeys(value_token(kind, value) for value in counted))
        if kind in RANGED:
            for number in {numeric(kind, value) for value in stated}:
                made.add_float(number_field(name), number)
    for name in [name for name in tokens if dimensions()[name].kind == "date"]:
        for period, length in PERIODS.items():
            cut = [one if one[0] == UNSAID else one[:length] for one in tokens[name]]
            tokens[f"{name}:{period}"] = list(dict.fromkeys(cut))
    made.add_json(VALUE, tokens)
    if spelled:
        made.add_json(SPELLED, spelled)


def _document(row: VersionRow, languages: tuple[str, ...], labels: LabelWords) -> tantivy.Document:
    made = tantivy.Document()
    made.add_integer("ord", row.ord)
    made.add_bytes("card", row.card.encode())
    for name, entries in (
        ("published", row.published),
        ("raised", row.raised),
        ("lowered", row.lowered),
    ):
        for entry in entries:
            made.add_integer(name, entry)
    for kind in _CODES:
        for code in row.codes.get(kind, ()):
            made.add_text(kind, f"|{code}" if kind == LANGUAGE else code)
    for answer, kind in ANSWERS.items():
        for fact in row.codes.get(kind, ()):
            made.add_text(ANSWER, answer_token(fact, answer))
    score = next(map(int, row.codes.get(COMPLETENESS, ())), _NO_SCORE)
    made.add_integer("by_completeness", descending_key(score, row.ord))
    _add_days(made, row)
    lengths = [int(code.split(" ", 1)[0]) for code in row.codes.get(NAME_LENGTH, ())]
    made.add_integer("by_name", ascending_key(min(lengths, default=LONGEST_NAME), row.ord))
    other = next(iter(row.names.values()))
    for language in languages:
        name = row.names.get(language, other)
        made.add_text(name_field(language), f"{name}\0{_UNIT - row.ord:010d}")
    tiers = [{language: of[tier] for language, of in row.words.items()} for tier in range(LABEL)]
    _add_words(made, [*tiers, _label_words(row, labels)])
    return made


def _add_days(made: tantivy.Document, row: VersionRow) -> None:
    """Add when the next review is due, and from which day on observations hold."""
    due = [day_number(dt.date.fromisoformat(day)) for day in row.codes.get(REVIEW_DUE, ())]
    made.add_integer("by_review", ascending_key(due[0] if due else _NO_DAY, row.ord))
    for code, since in (one.split(" ") for one in row.codes.get(OBSERVED_SINCE, ())):
        made.add_integer(since_field(code), day_number(dt.date.fromisoformat(since)))


def state_document(state: IndexedUpTo) -> tantivy.Document:
    """Return the document that says what the index holds."""
    made = tantivy.Document()
    made.add_text("kind", "state")
    made.add_bytes("state", msgspec.json.encode(state))
    return made


def answer_token(fact: str, kind: str) -> str:
    """Return the token of versions that answer on a fact in a kind of `ANSWERS`."""
    return f"{fact}={kind}"


def descending_key(number: int, ord_: int) -> int:
    """Return the key of a version in an order by number, the highest and newest first."""
    return _number(number) * _UNIT + ord_


def ascending_key(number: int, ord_: int) -> int:
    """Return the key of a version in an order by number, the lowest and newest first."""
    return _number(number) * _UNIT + _UNIT - 1 - ord_


def review_day(key: int) -> dt.date:
    """Return the day of a key of `by_review`."""
    return _FROM + dt.timedelta(days=key // _UNIT)


def ord_of(key: int | str, *, descending: bool) -> int:
    """Return the version that a sort key is of."""
    if isinstance(key, str):
        return _UNIT - int(key[-10:])
    return key % _UNIT if descending else _UNIT - 1 - key % _UNIT


def number_of(key: int) -> int:
    """Return the number of a sort key without the version."""
    return key // _UNIT


def _number(number: int) -> int:
    return min(max(-_LARGEST, number), _LARGEST)


def day_number(day: dt.date) -> int:
    """Return the number of a day in the fields of days, negative before 2000."""
    return (day - _FROM).days


def stem_token(stem: str, language: str) -> str:
    """Return the token of a stem in a language."""
    return f"{language}|{stem}"


def word_token(word: str, language: str) -> str:
    """Return the token of a word in a language, in the fields of phrases and words as written."""
    return f"{word}|{language}"


@cache
def _stem_and_forms(language: str) -> Mapping[str, tuple[str, str]]:
    """Return the tokens of a word's stem, and of it with and without its article, by word."""
    known = stems(language)

    def tokens(word: str) -> tuple[str, str]:
        forms = [word_token(form, language) for form in article_variants(word, language)]
        return stem_token(known[word], language), " ".join(forms)

    return TokenCache(tokens)


def _label_words(row: VersionRow, labels: LabelWords) -> dict[str, str]:
    """Return the words of the labels of a version's codes by language, and of the broader ones."""
    found: dict[str, str] = {}
    for kind, texts in labels.items():
        stated = row.codes.get(required_filter(kind).stating or kind, ())
        for code in dict.fromkeys((*row.codes.get(kind, ()), *map(broader, stated), *stated)):
            for language, text in texts.get(code, {}).items():
                before = found.get(language)
                found[language] = text if before is None else f"{before}\n{text}"
    return found


def _add_words(made: tantivy.Document, tiers: Sequence[Mapping[str, str]]) -> None:
    found: set[str] = set()
    lexemes: set[str] = set()
    for stems_field, words_field, tier in zip(STEMS, WORDS, tiers, strict=True):
        texts = []
        for language, text in tier.items():
            if written := text.split():
                # As `word_token` writes each, all at once; a text ends at a line break.
                marked = f"|{language} ".join(text.strip().split(" "))
                texts.append(word_token(marked, language).replace(word_token("\n", language), _END))
                known = _stem_and_forms(language)
                of_words, forms = zip(*map(known.__getitem__, set(written)), strict=True)
                found.update(of_words)
                lexemes.update(forms)
        if texts:
            made.add_text(words_field, _BREAK.join(texts))
        if found:
            made.add_text(stems_field, " ".join(found))
    if lexemes:
        made.add_text(LEXEME, " ".join(lexemes))
