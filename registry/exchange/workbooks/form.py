"""The form of a record: a sheet that reads downwards, one field a row.

Hidden cells say what a program needs: which record it is, of which state it was made, which field a
row is and which language a column. So every word that people see may be translated or reworded.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

MARK = "register-form-1"
"""The first cell of a form; beside it stand record, tag and language."""

TOP = 5
"""The number of rows above the first field: two hidden ones, title, status, headings."""

LEAD = ("field", "label", "help", "asked")
FINDING = "finding"
"""The names of columns; those of values are `answer:` or `text:` and a language."""

FIRST_VALUE = len(LEAD)
"""The first column of values."""

FormValue: TypeAlias = str | bool | int | float | None


class FormRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row: a field by its pointer, with `*` for an entry of a list; "" is a heading or a note.

    `values` are cells by column. A `folded` row is closed until somebody opens it, a `hidden` one
    is for programs.
    """

    pattern: str = ""
    label: str = ""
    help: str = ""
    asked: str = ""
    values: tuple[FormValue, ...] = ()
    folded: bool = False
    hidden: bool = False


class FormSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A form; `tag` is of the state that it was made of, "" for a new record.

    `languages` are those of the columns of values, of which the first has answers, too.
    """

    record: str
    tag: str
    language: str
    languages: tuple[str, ...]
    title: str
    rows: tuple[FormRow, ...]
