"""What the comparison's script needs to say what changed as the pages do: names, labels, dates.

One file a language, fetched only where two versions are asked for that the page does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from registry.pages.page import Page, content_page
from registry.pages.reader import Reader, Text, label, language
from registry.pages.site import Site
from registry.pages.views.document_view import field_title
from registry.record.diff import KEYS
from registry.record.schema import fields
from registry.text.dates import format_date
from registry.text.numbers import format_number

FOLDER = "compare"

_DATES = frozenset(("Date", "FuzzyDate"))


def compared_pages(site: Site) -> Iterator[Page]:
    """Yield the file of each language."""
    for tag, edition in site.editions.items():
        yield content_page(f"{FOLDER}/{tag}.json", msgspec.json.encode(wordings(edition.reader)))


def wordings(reader: Reader) -> dict[str, Any]:
    """Gather the fields in the order of the format, and the labels of the codes that they hold."""
    lists = {name for field in fields() for name in field.lists}
    return {
        "order": reader.order,
        "fields": [
            [
                "/".join(field.path),
                plain(field_title(reader, field.path)) if "title" in field.schema else None,
                "text" if field.kind == "LangText" else "date" if field.kind in _DATES else "",
                field.lists,
            ]
            for field in fields()
        ],
        "keys": {"/".join(path): names for path, names in KEYS.items()},
        "labels": {
            name: {code: plain(label(reader, name, code)) for code in reader.labels[name]}
            for name in sorted(lists)
        },
        "languages": {tag: language(reader, tag).text for tag in reader.pack.languages},
        "number": format_number(-1000.5, reader.locale.babel),
        "dates": _dates(reader.locale.babel),
    }


def plain(text: Text) -> list[str]:
    """Write a text as `[text]`, with its language where that is not the page's."""
    return [text.text, text.lang] if text.differs else [text.text]


def _dates(locale: str) -> dict[str, list[str]]:
    """Write a date of every month with `0` for the year and `22` for the day, or as its first."""
    return {
        form: [
            format_date(f"2000-{month:02}{day}", locale).replace("2000", "0")
            for month in range(1, 13)
        ]
        for form, day in (("first", "-01"), ("other", "-22"), ("month", ""))
    }
