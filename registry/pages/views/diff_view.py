"""What changed between two versions, as a reader sees it: field by field, in the order of the form.

Differences in several languages of one text are one change with a line for each language, the
reader's own first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Literal

import msgspec

from registry.pages.reader import Reader, Text, as_it_is, label, language
from registry.pages.views.document_view import field_title
from registry.record.diff import KEYS, Difference, DifferenceKind, differences
from registry.record.pointers import parts, value_at
from registry.record.schema import Field, field_at, fields
from registry.text.locales import direction
from registry.text.word_diff import DiffSpan

Document = dict[str, Any]
Path = tuple[str, ...]

_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
_NOTE = ("publication", "change_note")
"""What the agency says of the change stands above the changes, not among them."""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A value of any shape: wordings, items of a list, named parts of an object, or one thing."""

    kind: Literal["texts", "items", "parts", "number", "date", "truth", "address", "plain"]
    texts: Sequence[Text] = ()
    items: Sequence[Value] = ()
    parts: Sequence[tuple[Text, Value]] = ()
    plain: Any = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One difference of a change; `language` is that of the text, `words` mark what moved in it."""

    kind: DifferenceKind
    language: Text | None
    lang: str | None
    dir: str | None
    before: Value | None
    after: Value | None
    words: Sequence[DiffSpan] | None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A field that changed: the names that lead to it below its section, and its lines."""

    trail: Sequence[Text]
    lines: Sequence[Line]


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A section of the record with all that changed in it."""

    title: Text
    changes: Sequence[Change]


def changes_view(reader: Reader, earlier: bytes, later: bytes) -> list[Section]:
    """List what changed between two documents, in canonical JSON, by section."""
    before, after, different = _compared(earlier, later)
    grouped: dict[Path, list[tuple[str | None, Difference]]] = {}
    for difference in different:
        path = parts(difference.pointer)
        if path[: len(_NOTE)] == _NOTE:
            continue
        tag = path[-1] if _is_text(path[:-1]) else None
        place = path[:-1] if tag else path
        # What left and what came at one place of a list are two changes.
        where = (*place, difference.kind) if _starred(path)[-1] == "*" else place
        grouped.setdefault(where, []).append((tag, difference))
    found: dict[str, list[tuple[Any, Change]]] = {}
    for several in grouped.values():
        tag, first = several[0]
        path = parts(first.pointer)
        place = path[:-1] if tag else path
        document = before if first.kind == "removed" and not tag else after
        change = Change(
            trail=_trail(reader, place, document),
            lines=sorted(
                (_line(reader, one, tag) for tag, one in several),
                key=lambda line: _rank(reader, line.lang),
            ),
        )
        found.setdefault(place[0], []).append((_order(place), change))
    return [
        Section(
            title=field_title(reader, (name,)),
            changes=[change for _, change in sorted(changes, key=lambda item: item[0])],
        )
        for name, changes in sorted(found.items(), key=lambda item: _order((item[0],)))
    ]


@lru_cache(maxsize=64)
def _compared(earlier: bytes, later: bytes) -> tuple[Document, Document, list[Difference]]:
    """Compare once for the readers of all languages, who come one after the other."""
    before, after = msgspec.json.decode(earlier), msgspec.json.decode(later)
    return before, after, differences(before, after)


def _line(reader: Reader, difference: Difference, tag: str | None) -> Line:
    path = parts(difference.pointer)
    return Line(
        kind=difference.kind,
        language=language(reader, tag) if tag else None,
        lang=tag,
        dir=direction(tag) if tag else None,
        before=_side(reader, difference.before, tag, path),
        after=_side(reader, difference.after, tag, path),
        words=_marks(difference),
    )


def _marks(difference: Difference) -> Sequence[DiffSpan] | None:
    """Give the marked words of a text; what is one word, such as a number, is told whole."""
    if difference.words is msgspec.UNSET or " " not in difference.before + difference.after:
        return None
    return difference.words


def _side(reader: Reader, value: Any, tag: str | None, path: Path) -> Value | None:
    if value is None:
        return None
    if tag:
        return Value(kind="texts", texts=_wordings(reader, {tag: value}))
    return value_view(reader, value, _starred(path))


def value_view(reader: Reader, value: Any, path: Path) -> Value:
    """Show a value that stands at a path of the format, `*` for each item of a list."""
    if isinstance(value, list):
        items = [value_view(reader, item, (*path, "*")) for item in value]
        return Value(kind="items", items=items)
    if isinstance(value, dict):
        if _is_text(path):
            return Value(kind="texts", texts=_wordings(reader, value))
        members = [
            (field_title(reader, (*path, name)), value_view(reader, part, (*path, name)))
            for name, part in value.items()
        ]
        return Value(kind="parts", parts=members)
    return _leaf(reader, value, field_at(path))


def _leaf(reader: Reader, value: Any, field: Field | None) -> Value:
    if isinstance(value, bool):
        return Value(kind="truth", plain=value)
    if isinstance(value, int | float):
        return Value(kind="number", plain=value)
    text = str(value)
    if field is not None and field.lists:
        return Value(kind="texts", texts=[label(reader, field.lists, text)])
    if field is not None and field.kind in {"Date", "FuzzyDate"} and _DATE.fullmatch(text):
        return Value(kind="date", plain=text)
    is_address = text.startswith(("https://", "http://"))
    return Value(kind="address" if is_address else "plain", plain=text)


def _wordings(reader: Reader, text: Mapping[str, str]) -> list[Text]:
    return [
        Text(text=text[tag], lang=tag, dir=direction(tag), differs=tag != reader.tag)
        for tag in sorted(text, key=lambda tag: _rank(reader, tag))
    ]


def _rank(reader: Reader, tag: str | None) -> tuple[int, str]:
    place = reader.order.index(tag) if tag in reader.order else len(reader.order)
    return (place, tag or "")


def _trail(reader: Reader, place: Path, document: Document) -> list[Text]:
    """Name every step from the section to a field; an item of a list by what it is known by."""
    steps = _starred(place)
    trail = []
    for depth in range(1, len(place)):
        if steps[depth] != "*":
            trail.append(field_title(reader, steps[: depth + 1]))
            continue
        item = value_at(document, place[: depth + 1])
        trail.append(_item_name(reader, item, steps[: depth + 1], int(place[depth])))
    return trail


def _item_name(reader: Reader, item: Any, steps: Path, index: int) -> Text:
    names = KEYS.get(tuple(step for step in steps if step != "*"), ())
    for name in names:
        if isinstance(item, dict) and name in item:
            value = value_view(reader, item[name], (*steps, name))
            if value.kind == "texts":
                return value.texts[0]
            return as_it_is(reader, str(value.plain))
    return as_it_is(reader, str(index + 1))


def _starred(path: Path) -> Path:
    """Write a path with `*` for the numbers of items; a member's name is never a number."""
    return tuple("*" if part.isdecimal() else part for part in path)


def _is_text(path: Path) -> bool:
    field = field_at(_starred(path))
    return field is not None and field.kind == "LangText"


def _order(place: Path) -> tuple[int, ...]:
    """Say where a field stands: by the format's order, and within a list by its items'."""
    steps = _starred(place)
    return tuple(
        int(part) if step == "*" else _places().get(steps[: depth + 1], -1)
        for depth, (part, step) in enumerate(zip(place, steps, strict=True))
    )


@cache
def _places() -> dict[Path, int]:
    return {field.path: number for number, field in enumerate(fields())}
