"""Search documents: what lists and search keep of a version: card, codes, words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from typing import Any, TypeAlias

import msgspec

from registry.record.dimensions import read_values
from registry.record.facets import (
    COMPLETENESS,
    FACETS,
    LANGUAGE,
    NAME_LENGTH,
    OBSERVATION,
    OBSERVED_SINCE,
    REVIEW_DUE,
    PublishedState,
    length_code,
)
from registry.record.facts import KINDS, NOT_ASKED, AnswerKind, answer_kinds
from registry.record.model import NOT_STATED, Document, LangText
from registry.record.observations import observe
from registry.record.pack import Agency
from registry.record.pointers import dig
from registry.record.schema import Field, document_field, record_schema_bytes
from registry.resources import SCHEMAS
from registry.text import tokens
from registry.text.folding import LETTERS_DIGEST, sort_key


def search_texts(document: Document) -> list[tuple[str, str, str]]:
    """Return a document's texts as (pointer, language tag, text), in the order of the schema.

    A text in several languages has one pointer, and its languages are sorted by tag; the tag is ""
    where the format has no language.
    """
    found: list[tuple[str, str, str]] = []
    _walk(document, _members(), "", found)
    return found


def _walk(value: Any, shape: Any, pointer: str, found: list[tuple[str, str, str]]) -> None:
    if isinstance(value, list):
        for number, item in enumerate(value):
            _walk(item, shape, f"{pointer}/{number}", found)
    elif shape is not _TEXT:
        for key, part in shape.items():
            if key in value:
                _walk(value[key], part, f"{pointer}/{key}", found)
    elif isinstance(value, str):
        found.append((pointer, "", value))
    else:
        found.extend([(pointer, tag, value[tag]) for tag in sorted(value)])


_TEXT: dict[str, Any] = {}


@cache
def _members() -> dict[str, Any]:
    return _shape(document_field()) or {}


def _shape(field: Field) -> Any:
    """Return what of a field is searched: `_TEXT`, or the members that have any."""
    if field.is_text or field.kind == "Line":
        return _TEXT
    if field.is_list:
        return _shape(field.entry)
    members = {name: _shape(member) for name, member in field.members.items()}
    return {name: shape for name, shape in members.items() if shape is not None} or None


FacetCodes: TypeAlias = dict[str, list[str]]
TokensByLanguage: TypeAlias = dict[str, tuple[str, str, str]]

_TABLES = (
    record_schema_bytes(),
    (SCHEMAS / "life_events.json").read_bytes(),
    (SCHEMAS / "observations.sql").read_bytes(),
    repr([(name, facet.pointer, facet.single) for name, facet in FACETS.items()]).encode(),
    LETTERS_DIGEST.encode(),
    b"answers, values",
)
DERIVATION = f"{tokens.ANALYSIS} {sha256(b''.join(_TABLES)).hexdigest()[:12]}"
"""The name of how search documents are derived; rows of another one are derived again.

It changes with the analysis, the record format, the life events, the observations, the table of
facets and that of letters.
"""

ANSWERS: dict[AnswerKind, str] = {kind: f"answer_{kind}" for kind in KINDS if kind != NOT_ASKED}
"""By kind of answer, the kind whose codes are the facts that a version answers so.

The rest is not asked.
"""

_PARTS = {"/name": 0, "/summary": 1}
_REST = 2


class RecordSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a list. Codes are `not_stated` where the record states none.

    `completeness` is null where it does not state its level of risk, on which it depends what is
    asked.
    """

    id: str
    name: LangText | None
    summary: LangText | None
    agency: str
    risk: str
    sector: str
    status: str
    origin: str | None
    fictitious: bool
    version: int
    published_at: dt.datetime
    completeness: int | None


class SearchDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What the index has of a version.

    `codes` are by kind of facet, the facts by kind of answer (`ANSWERS`), and what is stated of
    dimensions (`read_values`); `card` is the JSON of lists; `words` are by language the words of
    name, of summary and of the rest, as `registry.text.tokens` writes them.
    """

    ord: int
    name_key: str
    codes: Mapping[str, Sequence[str]]
    card: str
    words: Mapping[str, tuple[str, str, str]]


def build(
    document: Document,
    agency: Agency,
    words: TokensByLanguage,
    state: PublishedState,
    erased: Sequence[str] = (),
) -> SearchDocument:
    """Return the search document of a version, whose words `tokenize` returns; reproducible.

    The document is without what was at the `erased` pointers.
    """
    codes = {name: facet.read(document, agency, state) for name, facet in FACETS.items()}
    completeness = None if codes["risk"] == [NOT_STATED] else state.completeness
    answers = answer_kinds(document, erased)
    observations = observe(document, erased)
    name, summary = _text(document, "name"), _text(document, "summary")
    card = RecordSummary(
        id=document["id"],
        name=name,
        summary=summary,
        agency=agency.id,
        risk=codes["risk"][0],
        sector=codes["sector"][0],
        status=codes["status"][0],
        origin=agency.origin,
        fictitious=agency.fictitious,
        version=state.version,
        published_at=state.published_at,
        completeness=completeness,
    )
    codes |= {
        COMPLETENESS: [] if completeness is None else [str(completeness)],
        REVIEW_DUE: [day] if (day := dig(document, "lifecycle", "next_review_on")) else [],
        OBSERVATION: [code for code, since in observations.items() if since is None],
        OBSERVED_SINCE: [f"{code} {since}" for code, since in observations.items() if since],
        LANGUAGE: sorted(words),
        NAME_LENGTH: [
            length_code(language, len(name_words.split()))
            for language, (name_words, *_) in words.items()
            if name_words
        ],
    }
    for fact, kind in answers.items():
        codes.setdefault(ANSWERS[kind], []).append(fact)
    codes |= read_values(document, answers)
    return SearchDocument(
        ord=state.entry,
        name_key=sort_key(next(iter(name.values())) if name else document["id"]),
        codes={kind: given for kind, given in codes.items() if given},
        card=msgspec.json.encode(card).decode(),
        words=words,
    )


def tokenize(document: Document, agency: Agency) -> TokensByLanguage:
    """Return the words of a document, which is most of the work."""
    by_language: dict[str, tuple[list[str], list[str], list[str]]] = {}
    by_tag: dict[str, tuple[list[str], list[str], list[str]]] = {}
    for pointer, tag, text in [
        *search_texts(document),
        *[("", tag, text) for tag, text in sorted(agency.name.items())],
        ("", tokens.NEUTRAL, document["id"]),
    ]:
        if tag not in by_tag:
            language = tokens.language_of(tag)
            by_tag[tag] = by_language.setdefault(language, ([], [], []))
        by_tag[tag][_PARTS.get(pointer, _REST)].append(text)
    found = {
        language: (tokens.token_text(name), tokens.token_text(summary), tokens.token_text(rest))
        for language, (name, summary, rest) in by_language.items()
    }
    return {language: parts for language, parts in found.items() if any(parts)}


def _text(document: Document, field: str) -> LangText | None:
    """Return a text by language sorted by tag, as versions are stored."""
    text = document.get(field)
    return text and dict(sorted(text.items()))
