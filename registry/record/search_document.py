"""What lists and search show of a version: its card, its codes, its words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from registry.errors import Finding
from registry.record.entry import NOT_STATED
from registry.record.facets import (
    COMPLETENESS,
    LANGUAGE,
    LOCAL,
    NAME_LENGTH,
    REVIEW_DUE,
    length_code,
)
from registry.record.model import Document, LangText
from registry.record.pack import Agency
from registry.record.pointers import dig
from registry.record.search_text import search_texts
from registry.text import tokens
from registry.text.folding import fold

FacetCodes: TypeAlias = dict[str, list[str]]
TokensByLanguage: TypeAlias = dict[str, tuple[str, str, str]]

_ONE_CODE = {
    "risk": ("risk", "level"),
    "sector": ("sector", "primary"),
    "function": ("sector", "function"),
    "status": ("lifecycle", "status"),
    "role": ("decision", "role"),
    "area": ("risk", "annex_iii_area"),
    "personal_data": ("data", "personal_data"),
}
_PARTS = {"/name": 0, "/summary": 1}
_REST = 2


class RecordSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list. Codes are `not_stated` where the record does not say."""

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
    completeness: int


class SearchDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What the index knows of one version.

    `codes` are by kind of facet; `card` is the JSON that lists show; `words` are by language the
    words of name, of summary and of the rest, each as the analysis spells them.
    """

    ord: int
    name_key: str
    codes: Mapping[str, Sequence[str]]
    card: str
    words: Mapping[str, tuple[str, str, str]]


class PublishedState(msgspec.Struct, frozen=True, kw_only=True):
    """What the register knows of a version beside its document.

    `risk_changes` is what ever became of the record's risk level, up to this version.
    """

    version: int
    entry: int
    published_at: dt.datetime
    completeness: int
    missing: Sequence[str]
    findings: Sequence[Finding]
    risk_changes: Sequence[str]


def index_row(document: Document, agency: Agency, standing: PublishedState) -> SearchDocument:
    """Make what search keeps of a version; anew, it comes out the same."""
    return build(document, agency, tokenize(document, agency), standing)


def build(
    document: Document, agency: Agency, found: TokensByLanguage, standing: PublishedState
) -> SearchDocument:
    """Make what search keeps of a version whose words are found."""
    codes = {kind: [dig(document, *path) or NOT_STATED] for kind, path in _ONE_CODE.items()}
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
        version=standing.version,
        published_at=standing.published_at,
        completeness=standing.completeness,
    )
    codes |= {
        "agency": [agency.id],
        "origin": [agency.origin or LOCAL],
        "territory": document.get("territory", []),
        "technique": dig(document, "technical", "techniques") or [],
        "supplier": _members(dig(document, "procurement", "suppliers"), "name"),
        "withheld": _members(dig(document, "publication", "withheld_fields"), "ground"),
        "restricted": _some(dig(document, "publication", "restriction", "ground")),
        "finding": sorted({finding.rule for finding in standing.findings}),
        "missing": list(standing.missing),
        "risk_change": list(standing.risk_changes),
        COMPLETENESS: [str(standing.completeness)],
        REVIEW_DUE: _some(dig(document, "lifecycle", "next_review_on")),
        LANGUAGE: sorted(found),
        NAME_LENGTH: [
            length_code(language, len(words_of_name.split()))
            for language, (words_of_name, *_) in found.items()
            if words_of_name
        ],
    }
    return SearchDocument(
        ord=standing.entry,
        name_key=fold(next(iter(name.values())) if name else document["id"]),
        codes={kind: given for kind, given in codes.items() if given},
        card=msgspec.json.encode(card).decode(),
        words=found,
    )


def tokenize(document: Document, agency: Agency) -> TokensByLanguage:
    """Find the words of a document, which is most of the work."""
    by_language: dict[str, tuple[list[str], list[str], list[str]]] = {}
    by_tag: dict[str, tuple[list[str], list[str], list[str]]] = {}
    for pointer, tag, text in [
        *search_texts(document),
        *[("", tag, text) for tag, text in agency.name.items()],
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
    """Give a text as a version is kept, by tag, in whatever order it was sent."""
    text = document.get(field)
    return text and dict(sorted(text.items()))


def _members(items: Iterable[Mapping[str, str]] | None, name: str) -> list[str]:
    return list(dict.fromkeys(item[name] for item in items or () if name in item))


def _some(value: Any) -> list[str]:
    return [] if value is None else [value]
