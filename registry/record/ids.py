"""Identifiers: `<agency>/<slug>`, chosen by the agency and never reused."""

from __future__ import annotations

import re

from registry.errors import InvalidParameter

MAX_LENGTH = 120

_ID = re.compile(
    r"(?!index/)(?P<agency>[a-z0-9]+(?:[.-][a-z0-9]+)*)"
    r"/(?!index\Z)(?P<slug>[a-z0-9]+(?:-[a-z0-9]+)*)\Z"
)


def split_id(record_id: str) -> tuple[str, str]:
    """Return agency and slug of an identifier. Raises `InvalidParameter` for any other text."""
    match = _ID.match(record_id)
    if match is None or not is_id(record_id):
        shown = record_id if len(record_id) <= MAX_LENGTH else record_id[:MAX_LENGTH] + "…"
        raise InvalidParameter(
            f"{shown!r} is not the identifier of a record: write <agency>/<slug> in lower-case "
            f"letters, digits and hyphens, at most {MAX_LENGTH} characters; "
            "'index' is reserved"
        )
    return match["agency"], match["slug"]


def agency_of(record_id: str) -> str:
    """Return the agency of an identifier; `split_id` checks it as well."""
    return record_id.partition("/")[0]


def is_id(text: str) -> bool:
    """Return whether a text is an identifier."""
    return _ID.match(text) is not None and len(text) <= MAX_LENGTH


def is_foreign_agency(agency: str) -> bool:
    """Return whether an agency is of another register: its code has a dot, as in `us.hhs`."""
    return "." in agency
