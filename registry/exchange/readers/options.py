"""How a source file is read: the member `read` of a crosswalk."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

FileKind: TypeAlias = Literal["csv", "json"]


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True, rename={"kind": "as"}):
    """How the file is read; `schemas/crosswalk.schema.json` documents each member."""

    kind: FileKind
    encoding: str = "utf-8"
    delimiter: str = ","
    rows: str | None = None
