"""What lists and search show of a record: its card, its facet codes, its words."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import msgspec

from registry.record.entry import NOT_STATED
from registry.record.model import LangText
from registry.record.words import words
from registry.store.search import INDEXED_LANGUAGES, LOCAL, SearchRow, Words
from registry.text.folding import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from registry.record.model import Document
    from registry.record.pack import Agency

_SORTED = msgspec.json.Encoder(order="sorted")
_FACETS = {
    "risk": ("risk", "level"),
    "sector": ("sector", "primary"),
    "function": ("sector", "function"),
    "status": ("lifecycle", "status"),
    "role": ("decision", "role"),
    "area": ("risk", "annex_iii_area"),
    "personal_data": ("data", "personal_data"),
}


class Card(msgspec.Struct, frozen=True, kw_only=True):
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


def search_row(
    document: Document,
    *,
    agency: Agency,
    version: int,
    entry: int,
    published_at: dt.datetime,
    completeness: int,
) -> SearchRow:
    """Make what search keeps of a record's latest version; anew, it comes out the same."""
    # A version is kept with its members sorted, in whatever order it was sent.
    document = msgspec.json.decode(_SORTED.encode(document))
    facets = {
        name: document.get(section, {}).get(member, NOT_STATED)
        for name, (section, member) in _FACETS.items()
    }
    facets["agency"] = agency.id
    facets["origin"] = agency.origin or LOCAL
    name: LangText = document.get("name") or {}
    card = Card(
        id=document["id"],
        name=document.get("name"),
        summary=document.get("summary"),
        agency=agency.id,
        risk=facets["risk"],
        sector=facets["sector"],
        status=facets["status"],
        origin=agency.origin,
        fictitious=agency.fictitious,
        version=version,
        published_at=published_at,
        completeness=completeness,
    )
    return SearchRow(
        record=document["id"],
        ord=entry,
        facets=facets,
        name_key=fold(next(iter(name.values()), document["id"])),
        completeness=completeness,
        next_review_on=_date(document.get("lifecycle", {}).get("next_review_on")),
        card=msgspec.json.encode(card).decode(),
        words=_words(document, agency),
    )


def _words(document: Document, agency: Agency) -> Words:
    rest = {key: value for key, value in document.items() if key not in {"name", "summary"}}
    text = list(words(rest))
    text += agency.name.items()
    text.append(("", document["id"].replace("/", " ").replace("-", " ").replace(".", " ")))
    return Words(
        name=_by_language(document.get("name", {}).items()),
        summary=_by_language(document.get("summary", {}).items()),
        text=_by_language(text),
    )


def _by_language(texts: Iterable[tuple[str, str]]) -> dict[str, str]:
    parts: dict[str, list[str]] = {}
    for tag, text in texts:
        language = tag.split("-")[0]
        key = language if language in INDEXED_LANGUAGES else INDEXED_LANGUAGES[-1]
        parts.setdefault(key, []).append(fold(text))
    return {key: "\n".join(found) for key, found in parts.items()}


def _date(value: Any) -> dt.date | None:
    return None if value is None else dt.date.fromisoformat(value)
