"""All questions: for each fact that can be asked by its path a form, which the search answers.

They follow from the schema, by section of the format: the code lists make a single page too large.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any

from registry.pages.labels import message
from registry.pages.page import Page
from registry.pages.reader import Reader, Text, in_language, translated
from registry.pages.site import Site, pages
from registry.pages.views.document_view import field_title
from registry.pages.views.finder import FilterLabels, filter_title
from registry.record.dimensions import RANGED, Dimension, dimensions
from registry.record.facets import ENDS
from registry.record.facts import facts
from registry.text.catalogues import find
from registry.text.locales import countries_by_name

_ITSELF = "record"
"""The section of what is beside those of the format."""

_WORDS = message("The record itself")
_ENDS = dict(zip(ENDS, (message("From"), message("Up to")), strict=True))


@cache
def sections() -> Mapping[str, Sequence[Dimension]]:
    """Return what can be asked by section, in document order: the first member of its path."""
    found: dict[str, list[Dimension]] = {_ITSELF: []}
    for name, dimension in dimensions().items():
        section, dot, _ = name.partition(".")
        found.setdefault(section if dot else _ITSELF, []).append(dimension)
    return found


def question_pages(site: Site) -> Iterator[Page]:
    """Yield the list of all questions, and a page of forms for each section."""
    yield from pages(site, "questions", template="questions.html", key="", view=_list_view)
    for section in sections():
        yield from pages(
            site,
            f"questions/{section}",
            template="question_forms.html",
            key="",
            view=partial(_section_view, section=section),
        )


def _list_view(reader: Reader) -> dict[str, Any]:
    return {
        "total": len(dimensions()),
        "sections": [
            {
                "name": section,
                "title": _section_title(reader, section),
                "questions": [
                    {"name": one.name, "title": filter_title(reader, one.name)} for one in asked
                ],
            }
            for section, asked in sections().items()
        ],
    }


def _section_view(reader: Reader, section: str) -> dict[str, Any]:
    known = FilterLabels(reader, reader.pack.agencies, {})
    return {
        "title": _section_title(reader, section),
        "ends": _ENDS,
        "questions": [
            {
                "name": one.name,
                "kind": one.kind,
                "title": filter_title(reader, one.name),
                "meaning": _meaning(reader, one),
                "choices": _choices(reader, known, one),
                "ranged": one.kind in RANGED,
                "is_fact": one.name in facts(),
            }
            for one in sections()[section]
        ],
    }


def _section_title(reader: Reader, section: str) -> Text:
    return translated(reader, _WORDS) if section == _ITSELF else field_title(reader, (section,))


def _meaning(reader: Reader, dimension: Dimension) -> Text | None:
    """Return the format's description of a fact, None where it has none."""
    fact = facts().get(dimension.name)
    if fact is None or not (described := fact.field.schema.get("description")):
        return None
    lang, words = find(reader.titles, reader.order, described)
    return in_language(reader, words, lang)


def _choices(
    reader: Reader, known: FilterLabels, dimension: Dimension
) -> Sequence[tuple[str, Text]]:
    """Return the values of a fact with their words, none where they are not listed."""
    field = dimension.field
    codes: Collection[str] = reader.pack.codes(dimension.lists)
    if dimension.kind == "boolean":
        codes = ("true", "false")
    elif field is not None and field.holds == "country":
        codes = countries_by_name(reader.pack.locale(reader.tag).babel)
    elif field is not None and not codes:
        codes = field.schema.get("enum", ())
    return [(code, known.word(dimension.name, code)) for code in codes]
