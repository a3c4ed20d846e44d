"""What is asked of, and answered by, the process that reads a workbook."""

from __future__ import annotations

import msgspec


class SheetRequest(msgspec.Struct, frozen=True):
    """The sheet that is asked for, by name or number from 1; None is the first that is shown."""

    sheet: str | int | None
    header_rows: tuple[int, ...]


class SheetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a sheet before its rows; `problem` says why there are none.

    `errors` counts the cells that hold the error of a formula, `errors_at` names the first.
    """

    sheet: str = ""
    hidden_before: tuple[str, ...] = ()
    height: int = 0
    merges_known: bool = False
    errors: int = 0
    errors_at: tuple[str, ...] = ()
    problem: str = ""


class SheetRow(msgspec.Struct, frozen=True, array_like=True):
    """A row's cells."""

    cells: list[str | bool]
