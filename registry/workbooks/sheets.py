"""Sheets of workbooks (XLSX, XLS, ODS), read by a process of its own within bounds.

The parser is native code that reserves memory for every cell between the first and the last, ends
its process if it gets none, and cannot be interrupted: `registry.workbooks.process`. Its
answers are lines of JSON: for each sheet its head, then its rows; at last `"end"`, or a problem.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Literal, TypeAlias

import msgspec

from registry.record.messages import Message, translatable

SheetCell: TypeAlias = str | bool | int | float
"""A cell's value; empty is "", dates and times are as ISO 8601 has them."""

SheetRange: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last cell of a range, each as (row, column) from 0."""

ERRORS = frozenset(
    {"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#GETTING_DATA", "#SPILL!"}
)
"""The texts of cells with the error of a formula."""

MAX_PARTS = 10_000
MAX_RATIO = 500
# A part below this may be packed as well as it likes.
_SMALL = 16 * 1024 * 1024


class SheetBounds(msgspec.Struct, frozen=True, kw_only=True):
    """The most that is read of a workbook: bytes unpacked, sheets, and cells of a sheet.

    `cells` are those of all sheets that are read, empty ones between the first and the last
    included, `letters` those of their texts; `memory` is in bytes, `seconds` of processor time.
    """

    inflated: int
    sheets: int
    rows: int
    columns: int
    cells: int
    letters: int
    memory: int
    seconds: int


class SheetRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be read: every worksheet, or one by its name or number from 1.

    None is the first that is shown.
    """

    bounds: SheetBounds
    every: bool = False
    sheet: str | int | None = None


class SheetHead(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What is known of a sheet before its rows.

    `hidden_before` are the sheets that were passed over, `merges` the merged ranges, or None where
    the format does not say. `formulas` are the cells with a formula, and `errors` those with the
    error of one, which XLSX marks.
    """

    name: str
    height: int
    hidden_before: tuple[str, ...] = ()
    merges: list[SheetRange] | None = None
    formulas: list[tuple[int, int]] = []
    errors: list[tuple[int, int]] = []


class SheetProblem(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Why a workbook cannot be read: the wording of a message, and its values."""

    wording: str
    values: dict[str, str | int] = {}


class WorkbookProblem(Exception):
    """A workbook cannot be read; `message` can be rendered in any language."""

    def __init__(self, wording: str, **values: str | int) -> None:
        """Take the wording of the message, and its values."""
        super().__init__(wording)
        self.problem = SheetProblem(wording=wording, values=values)
        self.message = Message(message=wording, values={**values})


DAMAGED = translatable("The workbook is damaged. Open it, and save it anew.")
TOO_MUCH = translatable(
    "The workbook unpacks to more than is read. Copy the cells with data to a new one, and save "
    "that."
)
_ENDED = translatable(
    "The workbook could not be read: it is damaged, or takes more memory or time than there is. "
    "Copy the cells with data to a new one, and save that."
)

_ANSWER = msgspec.json.Decoder(SheetHead | SheetProblem | list[SheetCell] | Literal["end"])


def check_parts(file: IO[bytes], bounds: SheetBounds) -> frozenset[str]:
    """Return the names of a workbook's parts.

    Raises `WorkbookProblem` if there are too many, or they are too large unpacked.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise WorkbookProblem(DAMAGED) from error
    finally:
        file.seek(0)
    if (
        len(members) > MAX_PARTS
        or sum(member.file_size for member in members) > bounds.inflated
        or any(
            member.file_size > max(_SMALL, MAX_RATIO * member.compress_size) for member in members
        )
    ):
        raise WorkbookProblem(TOO_MUCH)
    return frozenset(member.filename for member in members)


@contextmanager
def read_answers(
    file: IO[bytes], request: SheetRequest
) -> Iterator[Iterator[SheetHead | list[SheetCell]]]:
    """Start the process that reads a workbook, and yield its heads and rows as they come.

    It is ended with the context. Iterating raises `WorkbookProblem`. Nothing in the file is run,
    fetched or calculated: formulas have the values that were saved with them.
    """
    process = subprocess.Popen(  # noqa: S603 — our own command
        [
            *(sys.executable, "-P", "-m", "registry.workbooks.process"),
            msgspec.json.encode(request).decode(),
        ],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    if process.stdout is None:
        raise RuntimeError("a pipe was asked for")
    try:
        with process.stdout as lines:
            yield _answers(lines)
    finally:
        process.kill()  # it has ended, unless this was interrupted
        process.wait()


def _answers(lines: IO[bytes]) -> Iterator[SheetHead | list[SheetCell]]:
    for line in lines:
        try:
            answer = _ANSWER.decode(line)
        except msgspec.DecodeError:
            break  # the process ended within a line
        if isinstance(answer, SheetProblem):
            raise WorkbookProblem(answer.wording, **answer.values)
        if isinstance(answer, str):
            return
        yield answer
    raise WorkbookProblem(_ENDED)


def column_letters(index: int) -> str:
    """Return the letters of a spreadsheet's column, counted from 0."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def cell_name(row: int, column: int) -> str:
    """Return the name of a cell, such as `B7`, of its row and column from 0."""
    return f"{column_letters(column)}{row + 1}"


def place_named(name: str) -> tuple[int, int]:
    """Return row and column, from 0, of a cell's name."""
    named = name.rstrip("0123456789")
    column = 0
    for letter in named:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(name[len(named) :]) - 1, column - 1
