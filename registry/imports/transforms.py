"""Transforms: from a text of the source to a value of the record, one function each.

Each takes a non-empty text and its field, and returns the value or `NOT_UNDERSTOOD`. Nothing is
guessed: what is not clearly a date, an address or a known code is reported and left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from registry.imports.cells import fold_value
from registry.imports.crosswalk_model import Crosswalk
from registry.imports.dates import fuzzy_date
from registry.imports.texts import clean, html_text, one_line
from registry.record.schema import Field

NOT_UNDERSTOOD: Final = object()

Transform: TypeAlias = Callable[[str, Field, Crosswalk], Any]

FULL_DATE = len("2024-10-01")
_URL = re.compile(
    r"https?://[^\s/?#<>\"{}|\\^`\[\]%](?:[^\s<>\"{}|\\^`\[\]%]|%[0-9A-F]{2})*", re.IGNORECASE
)
_EMAIL = re.compile(
    r"[A-Z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Z0-9](?:[A-Z0-9-]*[A-Z0-9])?\.)+[A-Z]{2,}",
    re.IGNORECASE,
)
_BOOLEANS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def _text(text: str, _field: Field, _crosswalk: Crosswalk) -> Any:
    return clean(text) or NOT_UNDERSTOOD


def _html(text: str, _field: Field, _crosswalk: Crosswalk) -> Any:
    return clean(html_text(text)) or NOT_UNDERSTOOD


def _line(text: str, _field: Field, _crosswalk: Crosswalk) -> Any:
    return one_line(text) or NOT_UNDERSTOOD


def _code(_text: str, _field: Field, _crosswalk: Crosswalk) -> Any:
    # The crosswalk's `values` were looked up before: what is not among them is not understood.
    return NOT_UNDERSTOOD


def _boolean(text: str, _field: Field, _crosswalk: Crosswalk) -> Any:
    return _BOOLEANS.get(fold_value(text), NOT_UNDERSTOOD)


def _date(text: str, field: Field, crosswalk: Crosswalk) -> Any:
    dates = crosswalk.dates
    found = fuzzy_date(text, order=dates.order, century_from=dates.century_from)
    return fitting_date(found, field)


def fitting_date(found: str | None, field: Field) -> Any:
    """Return a date if it is as precise as the field asks."""
    if found is None or (field.kind == "Date" and len(found) < FULL_DATE):
        return NOT_UNDERSTOOD
    return found


def _url(text: str, field: Field, _crosswalk: Crosswalk) -> Any:
    url = text.strip().rstrip(",;")
    if not _URL.fullmatch(url) or url.count("#") > 1 or _too_long(url, field):
        return NOT_UNDERSTOOD
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return NOT_UNDERSTOOD
    return url if named else NOT_UNDERSTOOD


def _email(text: str, field: Field, _crosswalk: Crosswalk) -> Any:
    address = text.strip().rstrip(",;").removeprefix("mailto:")
    if not _EMAIL.fullmatch(address) or address.index("@") > 64:  # noqa: PLR2004  RFC 5321 §4.5.3
        return NOT_UNDERSTOOD
    return NOT_UNDERSTOOD if _too_long(address, field) else address


def limit_of(field: Field) -> int | None:
    """Return the most characters that the format allows in a text of the field."""
    schema = field.schema["additionalProperties"] if field.kind == "LangText" else field.schema
    limit: int | None = schema.get("maxLength")
    return limit


def _too_long(text: str, field: Field) -> bool:
    limit = limit_of(field)
    return limit is not None and len(text) > limit


TRANSFORMS: dict[str, Transform] = {
    "text": _text,
    "html": _html,
    "line": _line,
    "code": _code,
    "boolean": _boolean,
    "date": _date,
    "url": _url,
    "email": _email,
}
"""Every transform but `constant`, which reads no cell."""
