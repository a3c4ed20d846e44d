"""The filters and facets of search: their names, and the codes that stand for no list."""

from __future__ import annotations

FILTERS = (
    "risk",
    "sector",
    "function",
    "agency",
    "status",
    "role",
    "area",
    "personal_data",
    "origin",
)
"""The filters and facets of which every record has a code."""

FURTHER_FILTERS = (
    "territory",
    "technique",
    "supplier",
    "finding",
    "missing",
    "withheld",
    "restricted",
    "overdue",
    "risk_change",
)
"""The filters and facets of which a record may have no code, or several.

`finding` has rules, `missing` pointers, `withheld` the grounds of fields, `restricted` that of
records of which little more than the existence is published, `overdue` has `true`, `risk_change`
`raised` or `lowered`.
"""

CODED = (*FILTERS, *FURTHER_FILTERS)
"""Every filter by codes, each of which is a facet too."""

LOCAL = "local"
"""The origin, in filters and facets, of what was filed here."""

OVERDUE = "true"
"""The code of records whose next review should have been by now."""

COMPLETENESS = "completeness"
"""The kind whose codes are the numbers from 0 to 100."""

REVIEW_DUE = "review_due"
"""The kind whose codes are the days on which the next review is due."""

LANGUAGE = "language"
"""The kind whose codes are the languages that versions have words in."""

NAME_LENGTH = "name_length"
"""The kind whose codes are `length_code`s: how many words a name has in a language."""

LONGEST_NAME = 30
"""Names of more words count as of so many."""


def length_code(language: str, length: int) -> str:
    """Give the code of names of so many words in a language."""
    return f"{min(length, LONGEST_NAME)} {language}"
