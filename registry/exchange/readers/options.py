"""How a source file is read: the member `read` of a crosswalk."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

FileKind: TypeAlias = Literal["csv", "xlsx", "xls", "ods", "json", "jsonl", "html"]


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True, rename={"kind": "as"}):
    """How the file is read; `schemas/crosswalk.schema.json` documents each member.

    Rows of tables count from 1, as people count them. A negative number in `skip_rows` counts from
    the last row; a name in `columns` that is None leaves the file's own.
    """

    kind: FileKind
    encoding: str = "utf-8"
    delimiter: str = ","
    header_row: int | tuple[int, ...] = 1
    skip_rows: int | tuple[int, ...] = ()
    columns: tuple[str | None, ...] = ()
    sheet: str | int | None = None
    rows: str | None = None
    caption: str | None = None
