"""Cells: values as people write them in one language, and the cells of one record."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import msgspec

from registry.record.codelists import codelists, nearest_code
from registry.record.law import NO_LAW
from registry.record.messages import (
    Message,
    MessageValue,
    PlainLanguage,
    Title,
    message,
    render,
    render_title,
)
from registry.record.model import Document
from registry.record.pack import Pack, law_of
from registry.record.pointers import dig, parts, pointer, put
from registry.record.schema import Field, FieldKind
from registry.record.values import (
    NOT_STORED,
    ValueFault,
    clean_text,
    not_whole,
    quoted_text,
    read_value,
)
from registry.text.catalogues import SOURCE
from registry.text.dates import duration_words
from registry.text.folding import fold
from registry.text.locales import country_codes, country_name, language_name
from registry.text.locales import pick as pick_text
from registry.workbooks.sheets import ERRORS, SheetCell, cell_name

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


COUNTRIES, LANGUAGES, BOOLEANS = "countries", "languages", "booleans"
"""The names of choices that are no code lists."""

_OTHER_CHOICES: Mapping[FieldKind, tuple[str, ...]] = {
    "boolean": (BOOLEANS,),
    "country": (COUNTRIES,),
    "language": (LANGUAGES,),
}

_NONE = message("There is none")
_NOT_STORED = message("not stored at all")


class WorkbookWords:
    """What a workbook says in a language; what that lacks is said in the next of the pack's."""

    def __init__(self, pack: Pack, language: str, day: dt.date | None = None) -> None:
        """Take the country whose codes and languages they are, and its law on a day."""
        self.pack = pack
        self.law = NO_LAW if day is None else law_of(pack, day)
        self.language = PlainLanguage(language)
        self._locale = pack.locale(language).babel
        self._read: dict[tuple[str, ...], dict[str, str]] = {}

    def say(self, text: str, **values: MessageValue) -> str:
        """Return a sentence."""
        return self.render(Message(message=text, values=values))

    def render(self, saying: Message) -> str:
        """Return a message as text."""
        return render(saying, self.language, self.pack.fallback)

    def title(self, text: str) -> str:
        """Return a title or description of the format."""
        return render_title(text, self.language, self.pack.fallback)

    def language_name(self, tag: str) -> str:
        """Return the name of a language."""
        return language_name(tag, self._locale)

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages of the pack, with this one first."""
        return tuple(dict.fromkeys((*self._own, *self.pack.languages)))

    @property
    def _own(self) -> tuple[str, ...]:
        return (self.language,) if self.language in self.pack.languages else ()

    def is_none(self, given: str) -> bool:
        """Return whether a text says, in any language, that a list has no entry."""
        return self._is(_NONE, given)

    def is_not_stored(self, given: str) -> bool:
        """Return whether a text says, in any language, that nothing is stored."""
        return self._is(_NOT_STORED, given)

    def _is(self, saying: Message, given: str) -> bool:
        return _folded(given) in {
            _folded(render(saying, tag, ())) for tag in (*self.pack.languages, SOURCE)
        }

    def period(self, value: str) -> str:
        """Return a period of retention in words."""
        if value == NOT_STORED:
            return self.render(_NOT_STORED)
        return duration_words(value, self.language)

    def choices(self, names: Sequence[str]) -> dict[str, str]:
        """Return the labels of the codes of lists, or of what `choices_of` names besides."""
        return {code: self.pick(texts) for code, texts in self._texts(names).items()}

    def label(self, names: Sequence[str], code: str) -> str:
        """Return the label of a code, or the code if the lists do not have it."""
        texts = self._texts(names).get(code)
        return self.pick(texts) if texts else code

    def code(self, names: Sequence[str], given: str) -> str | None:
        """Return the code that is written as such, or as its label in any language, or None."""
        key = tuple(names)
        if key not in self._read:
            known: dict[str, str] = {}
            for code, texts in self._texts(names).items():
                known.setdefault(fold(code), code)
                for text in texts.values():
                    known.setdefault(_folded(text), code)
            self._read[key] = known
        return self._read[key].get(_folded(given))

    def pick(self, texts: Mapping[str, str]) -> str:
        """Return a text by language in this one, or else the next of the pack's."""
        found = pick_text(texts, self.language, (*self.pack.fallback, SOURCE))
        return found[1] if found else ""

    def _texts(self, names: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """Return the labels of codes by language."""
        tags = dict.fromkeys((*self.pack.languages, SOURCE))
        locales = {tag: self.pack.locale(tag).babel for tag in tags}
        if COUNTRIES in names:
            return {
                code: {tag: country_name(code, locale) for tag, locale in locales.items()}
                for code in country_codes()
            }
        if LANGUAGES in names:
            return {
                one: {tag: language_name(one, locale) for tag, locale in locales.items()}
                for one in tags
            }
        if BOOLEANS in names:
            answers = codelists()["answer"]
            return {"true": answers["yes"].label, "false": answers["no"].label}
        return {code: held.label for code, held in self.pack.codes(names).items()}


def choices_of(field: Field) -> tuple[str, ...]:
    """Return the names of the lists that a field's value is chosen from; none for other values."""
    return field.lists or _OTHER_CHOICES.get(field.holds, ())


def _folded(text: str) -> str:
    return " ".join(fold(text).split())


_DIGITS_OF_NUMBER = 15


def is_empty(cell: SheetCell) -> bool:
    """Return whether a cell says nothing."""
    return isinstance(cell, str) and not cell.strip()


def read_text(cell: SheetCell) -> str:
    """Return a cell as text: trimmed, in normalisation form C, line breaks as such alone."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return format(cell, f".{_DIGITS_OF_NUMBER}g")
    text = clean_text(str(cell))
    if text in ERRORS:
        raise ValueFault(formula_fault())
    return text


def merged_fault() -> Message:
    """Return the sentence for a cell that was made one with others."""
    return message(
        "This cell is merged with others, and what stood in those is lost. Unmerge them, and write "
        "each answer in its own cell."
    )


def formula_fault() -> Message:
    """Return the message for a cell with a formula, or with the error of one."""
    return message(
        "This cell has a formula, and nothing is calculated here. Write the value itself: copy the "
        "cell, and paste its value alone."
    )


def read_cell(field: Field, cell: SheetCell, words: WorkbookWords) -> Any:
    """Return the value of a field, codes by their labels as well. Raises `ValueFault`."""
    if isinstance(cell, bool) and field.holds == "boolean":
        return cell
    if field.holds == "number" and not isinstance(cell, bool | str) and math.isfinite(cell):
        return _number(field, cell)
    text = read_text(cell)
    if names := choices_of(field):
        return _read_code(field, names, text, words)
    if field.holds == "period" and words.is_not_stored(text):
        return NOT_STORED
    if isinstance(cell, bool) and field.holds not in {"number", "date", "period"}:
        raise ValueFault(
            message("{value} is no text. Write the answer in words.", value=quoted_text(text))
        )
    return read_value(field, text)


def write_cell(field: Field, value: Any, words: WorkbookWords) -> FormValue:
    """Return a value as people write it: codes by their labels, a period in words."""
    names = choices_of(field)
    if isinstance(value, bool):
        return words.label(names, "true" if value else "false")
    if names and isinstance(value, str):
        return words.label(names, value)
    if field.holds == "period" and isinstance(value, str):
        return words.period(value)
    written: FormValue = value
    return written


def _read_code(field: Field, names: tuple[str, ...], text: str, words: WorkbookWords) -> Any:
    is_boolean = field.holds == "boolean"
    code = words.code(names, text)
    if code is not None:
        return code == "true" if is_boolean else code
    pattern = field.schema.get("pattern")
    if "enum" not in field.schema and pattern and re.search(pattern, text):
        return text  # a code that the lists of this country lack; a rule may judge it
    labels = words.choices(names)
    if is_boolean:
        raise ValueFault(
            message(
                "{value} is neither yes nor no. Write {yes} or {no}.",
                value=quoted_text(text),
                yes=labels["true"],
                no=labels["false"],
            )
        )
    what = message(
        "{value} is not one of the choices of {title}. Choose one from the list of the cell.",
        value=quoted_text(text),
        title=Title(text=field.schema["title"])
        if "title" in field.schema
        else message("this list"),
    )
    near = nearest_code(text, list(labels.values()))
    if near is None and (code := nearest_code(text, list(labels))) is not None:
        near = labels[code]
    if near is None:
        raise ValueFault(what)
    raise ValueFault(message("{what} Perhaps {label} is meant.", what=what, label=near))


def _number(field: Field, cell: float) -> int | float:
    """Return a number that a program wrote; a whole one may be written with decimals of naught."""
    if isinstance(cell, int) or cell.is_integer():
        return int(cell)
    if field.schema["type"] == "integer":
        raise ValueFault(not_whole(quoted_text(str(cell))))
    return cell


class CellPlace(NamedTuple):
    """A cell, by row and column from 0."""

    row: int
    column: int

    @property
    def name(self) -> str:
        """The cell's name, such as `B7`."""
        return cell_name(self.row, self.column)


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A cell that cannot be read, the path of its value as far as it is known, and why."""

    place: CellPlace
    path: tuple[str | int, ...]
    message: str


class DerivedCell(msgspec.Struct, frozen=True, kw_only=True):
    """A cell that follows from another: `text` says the value at `path`, which `column` has.

    `lists` are those of its codes; without any it is a text by language.
    """

    place: CellPlace
    path: tuple[str, ...]
    text: str
    column: str
    lists: tuple[str, ...] = ()


class FilledRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record of a sheet: a whole form, or a row of a table.

    `tag` is of the state that it was made of, None for a new record. `missing` are paths that the
    sheet has no room for, of which it says nothing. `places` are the cells of values by pointer,
    `home` is that of the record.
    """

    sheet: str
    row: int
    record: str
    document: Document
    tag: str | None
    home: CellPlace
    places: Mapping[str, CellPlace]
    unread: tuple[Unread, ...] = ()
    is_blank: bool = False
    missing: tuple[tuple[str, ...], ...] = ()
    derived: tuple[DerivedCell, ...] = ()

    def place_of(self, given: str) -> CellPlace:
        """Return the cell of a pointer, or the nearest: of what is in it, or of what it is in."""
        here = given
        while here:
            if here in self.places:
                return self.places[here]
            within = [at for at in self.places if at.startswith(f"{here}/")]
            if within:
                return min(self.places[at] for at in within)
            here = pointer(parts(here)[:-1])
        return self.home


def keep_missing(filled: FilledRecord, base: Document) -> Document:
    """Return the document with what its base states and the sheet has no room for."""
    document: Document = _copied(filled.document)
    for path in filled.missing:
        value = dig(base, *path)
        if value is not None and dig(document, *path) is None:
            put(document, path, value)
    return document


def _copied(value: Any) -> Any:
    """Return a copy of the objects of a document."""
    if isinstance(value, dict):
        return {name: _copied(member) for name, member in value.items()}
    return value
