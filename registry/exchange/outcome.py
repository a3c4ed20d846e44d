"""The outcome of a row: a foreign record, or a refusal with its reason."""

from __future__ import annotations

import msgspec

from registry.services.import_rows import ForeignFiling, RefusedRow


class Unclear(msgspec.Struct, frozen=True, kw_only=True):
    """A value of the source that no mapping of its column understood; the field stays absent."""

    column: str
    transform: str
    value: str


class ForeignRecord(ForeignFiling, frozen=True, kw_only=True):
    """A row as a document that satisfies the foreign profile, ready to be filed.

    `source_row` is the unchanged row, `line` its number and `place` the same in words (`sheet
    'Data', row 4`); `otherwise` holds the columns that replaced an empty one.
    """

    line: int
    place: str
    unclear: tuple[Unclear, ...] = ()
    otherwise: tuple[str, ...] = ()
    own_id_missing: bool = False
    told_apart: bool = False


class Refusal(RefusedRow, frozen=True, kw_only=True):
    """A row that becomes no record; `line` is its number."""

    line: int
