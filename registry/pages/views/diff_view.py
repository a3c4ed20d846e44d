"""Differences between two versions, as a reader sees them: by field, in the order of the format.

Differences in several languages of one text are one change with a line for each language, the
reader's own first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Literal

import msgspec

from registry.pages.labels import message
from registry.pages.reader import Reader, Text, as_it_is, in_language, label, language
from registry.pages.views.document_view import field_title, is_line
from registry.record.diff import KEYS, Difference, DifferenceKind, differences
from registry.record.model import NOT_STATED
from registry.record.pointers import dig, field_path, parts, pointer, value_at
from registry.record.schema import Field, field_at, fields
from registry.text.locales import country_name, direction
from registry.text.word_diff import DiffSpan

Path = tuple[str, ...]

_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
_OF_THE_CHANGE = frozenset((("publication", "change_note"), ("publication", "changed_on")))
"""The agency's note on a change, and its day, stand above the differences, not among them."""
_PERIOD = ("evaluation", "outcomes", "*", "period")


class DiffValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value of any shape: wordings, items of a list, named parts of an object, or one thing."""

    kind: Literal["texts", "items", "parts", "number", "money", "date", "truth", "address", "plain"]
    texts: Sequence[Text] = ()
    items: Sequence[DiffValue] = ()
    parts: Sequence[tuple[Text, DiffValue]] = ()
    plain: Any = None


class DiffLine(msgspec.Struct, frozen=True, kw_only=True):
    """One difference of a field; `words` mark what moved in it.

    `language` is that of one wording of several, `lang` also that of a line that stands alone.
    """

    kind: DifferenceKind
    language: Text | None
    lang: str | None
    dir: str | None
    before: DiffValue | None
    after: DiffValue | None
    words: Sequence[DiffSpan] | None


class FieldDiff(msgspec.Struct, frozen=True, kw_only=True):
    """A field that changed: the names that lead to it below its section, and its lines.

    `pointer` is its JSON Pointer in the later document; for an item that left a list, that of the
    list.
    """

    pointer: str
    trail: Sequence[Text]
    lines: Sequence[DiffLine]


class SectionDiff(msgspec.Struct, frozen=True, kw_only=True):
    """A section of the record with all that changed in it; `name` is its member."""

    name: str
    title: Text
    changes: Sequence[FieldDiff]


def changes_view(reader: Reader, earlier: bytes, later: bytes) -> list[SectionDiff]:
    """Return the differences of two documents, in canonical JSON, by section."""
    before, after, different = _compared(earlier, later)
    source = dig(after, "languages", "source")
    grouped: dict[Path, list[tuple[str | None, Difference]]] = {}
    for difference in different:
        path = parts(difference.pointer)
        if path[:2] in _OF_THE_CHANGE:
            continue
        tag = path[-1] if _is_by_language(path[:-1]) else None
        place = path[:-1] if tag else path
        # What left and what came at one place of a list are two changes.
        where = (*place, difference.kind) if field_path(path)[-1] == "*" else place
        grouped.setdefault(where, []).append((tag, difference))
    found: dict[str, list[tuple[Any, FieldDiff]]] = {}
    for several in grouped.values():
        tag, first = several[0]
        path = parts(first.pointer)
        place = path[:-1] if tag else path
        document = before if first.kind == "removed" and not tag else after
        gone = first.kind == "removed" and field_path(place)[-1] == "*"
        change = FieldDiff(
            pointer=pointer(place[:-1] if gone else place),
            trail=_trail(reader, place, document, source),
            lines=sorted(
                (_line(reader, one, tag, source) for tag, one in several),
                key=lambda line: _rank(reader, line.lang),
            ),
        )
        found.setdefault(place[0], []).append((_order(place), change))
    return [
        SectionDiff(
            name=name,
            title=field_title(reader, (name,)),
            changes=[change for _, change in sorted(changes, key=lambda item: item[0])],
        )
        for name, changes in sorted(found.items(), key=lambda item: _order((item[0],)))
    ]


NEWS = {
    ("risk", "level"): message("Level of risk"),
    ("decision", "role"): message("Part in the decision"),
    ("rights", "contestation", "available"): message("Contesting a decision"),
    ("data", "personal_data"): message("Personal data"),
    ("lifecycle", "status"): message("Status"),
    ("procurement", "origin"): message("Supplier"),
}
"""What a change of matters first to whoever received a decision, by field, in English."""

_DAYS = ("rights", "contestation", "deadline_days")


def news_view(reader: Reader, earlier: bytes, later: bytes) -> list[dict[str, Any]]:
    """Return what two documents say of the fields of `NEWS`, those that changed first.

    Of each side these are its `texts`, and of contesting the `days` that one has for it.
    """
    documents = _compared(earlier, later)[:2]
    rows = []
    for path, title in NEWS.items():
        sides = [_news_side(reader, document, path) for document in documents]
        rows.append({"title": title, "sides": sides, "same": sides[0] == sides[1]})
    return sorted(rows, key=lambda row: bool(row["same"]))


def _news_side(reader: Reader, document: Any, path: Path) -> dict[str, Any]:
    field = field_at(path)
    code = dig(document, *path)
    texts = [label(reader, field.lists if field else (), code or NOT_STATED)]
    if path[0] == "procurement":
        names = [
            one["name"] for one in dig(document, *path[:1], "suppliers") or () if "name" in one
        ]
        texts = [as_it_is(reader, name) for name in names] or texts
    return {
        "texts": texts,
        "is_level": path[0] == "risk",
        "days": dig(document, *_DAYS) if path[0] == "rights" else None,
    }


@lru_cache(maxsize=64)
def _compared(earlier: bytes, later: bytes) -> tuple[Any, Any, list[Difference]]:
    """Return both documents and their differences; languages of one page come in turn."""
    before, after = msgspec.json.decode(earlier), msgspec.json.decode(later)
    return before, after, differences(before, after)


def _line(reader: Reader, difference: Difference, tag: str | None, source: str | None) -> DiffLine:
    path = parts(difference.pointer)
    lang = tag or (source if is_line(field_path(path)) else None)
    return DiffLine(
        kind=difference.kind,
        language=language(reader, tag) if tag else None,
        lang=lang,
        dir=direction(lang) if lang else None,
        before=_side(reader, difference.before, tag, path, source),
        after=_side(reader, difference.after, tag, path, source),
        words=_marks(difference),
    )


def _marks(difference: Difference) -> Sequence[DiffSpan] | None:
    """Return the marked words of a text; one word, such as a number, is shown whole."""
    if difference.words is msgspec.UNSET or " " not in difference.before + difference.after:
        return None
    return difference.words


def _side(
    reader: Reader, value: Any, tag: str | None, path: Path, source: str | None
) -> DiffValue | None:
    if value is None:
        return None
    if tag and _is_text(path[:-1]):
        return DiffValue(kind="texts", texts=_wordings(reader, {tag: value}))
    if tag and (field := field_at(field_path(path[:-1]))) is not None:
        return _leaf(reader, value, field.entry)
    return value_view(reader, value, field_path(path), source)


def value_view(reader: Reader, value: Any, path: Path, source: str | None = None) -> DiffValue:
    """Return a value at a path of the format, `*` for each item of a list.

    `source` is the language that the record was written in, where that is known.
    """
    if isinstance(value, list):
        items = [value_view(reader, item, (*path, "*"), source) for item in value]
        return DiffValue(kind="items", items=items)
    if isinstance(value, dict):
        return _object(reader, value, path, source)
    if source and isinstance(value, str) and is_line(path):
        return DiffValue(kind="texts", texts=_wordings(reader, {source: value}))
    return _leaf(reader, value, field_at(path))


def _object(reader: Reader, value: Mapping[str, Any], path: Path, source: str | None) -> DiffValue:
    """Return wordings, an amount of money, or members in the order of the format, others last."""
    if _is_text(path):
        return DiffValue(kind="texts", texts=_wordings(reader, value))
    field = field_at(path)
    if field is not None and _is_by_language(path):
        codes = [(_tongue(reader, tag), _leaf(reader, value[tag], field.entry)) for tag in value]
        return DiffValue(kind="parts", parts=codes)
    known = list(field.members) if field is not None else []
    if field is not None and field.kind == "Money" and value.keys() == field.members.keys():
        return DiffValue(kind="money", plain=value)
    members = [
        (field_title(reader, (*path, name)), value_view(reader, value[name], (*path, name), source))
        for name in [*(one for one in known if one in value), *(value.keys() - known)]
    ]
    return DiffValue(kind="parts", parts=members)


def _leaf(reader: Reader, value: Any, field: Field | None) -> DiffValue:
    if isinstance(value, bool):
        return DiffValue(kind="truth", plain=value)
    if isinstance(value, int | float):
        return DiffValue(kind="number", plain=value)
    text = str(value)
    if field is not None and (name := _name_of(reader, text, field)) is not None:
        return DiffValue(kind="texts", texts=[name])
    if field is not None and _is_date(field) and all(map(_DATE.fullmatch, text.split("/"))):
        return DiffValue(kind="date", plain=text)
    is_address = text.startswith(("https://", "http://"))
    return DiffValue(kind="address" if is_address else "plain", plain=text)


def _is_date(field: Field) -> bool:
    """Return whether a field holds a date, or two with a slash between."""
    return field.kind in {"Date", "FuzzyDate"} or field.path == _PERIOD


def _wordings(reader: Reader, text: Mapping[str, str]) -> list[Text]:
    return [
        in_language(reader, text[tag], tag)
        for tag in sorted(text, key=lambda tag: _rank(reader, tag))
    ]


def _rank(reader: Reader, tag: str | None) -> tuple[int, str]:
    place = reader.order.index(tag) if tag in reader.order else len(reader.order)
    return (place, tag or "")


def _trail(reader: Reader, place: Path, document: Any, source: str | None) -> list[Text]:
    """Return the names that lead from a section to a field; an item of a list has its key's."""
    steps = field_path(place)
    trail = []
    for depth in range(1, len(place)):
        if steps[depth] != "*":
            trail.append(field_title(reader, steps[: depth + 1]))
            continue
        item = value_at(document, place[: depth + 1])
        trail.append(_item_name(reader, item, steps[: depth + 1], int(place[depth]), source))
    return trail


def _item_name(reader: Reader, item: Any, steps: Path, index: int, source: str | None) -> Text:
    names = KEYS.get(tuple(step for step in steps if step != "*"), ())
    for name in names:
        if isinstance(item, dict) and name in item:
            value = value_view(reader, item[name], (*steps, name), source)
            if value.kind == "texts":
                return value.texts[0]
            return as_it_is(reader, str(value.plain))
    return as_it_is(reader, str(index + 1))


def _name_of(reader: Reader, code: str, field: Field) -> Text | None:
    """Return what a code of a list, of a language or of a country stands for; None for a text."""
    if field.holds == "language":
        return _tongue(reader, code)
    if field.holds == "country":
        return in_language(reader, country_name(code, reader.locale.babel), reader.locale.tag)
    return label(reader, field.lists, code) if field.lists else None


def _tongue(reader: Reader, tag: str) -> Text:
    known = tag in reader.pack.languages
    return language(reader, tag) if known else as_it_is(reader, tag)


def _is_text(path: Path) -> bool:
    field = field_at(field_path(path))
    return field is not None and field.is_text


def _is_by_language(path: Path) -> bool:
    field = field_at(field_path(path))
    return field is not None and field.is_by_language


def _order(place: Path) -> tuple[int, ...]:
    """Return the sort key of a field: the format's order, and within a list that of its items."""
    steps = field_path(place)
    return tuple(
        int(part) if step == "*" else _places().get(steps[: depth + 1], -1)
        for depth, (part, step) in enumerate(zip(place, steps, strict=True))
    )


@cache
def _places() -> dict[Path, int]:
    return {field.path: number for number, field in enumerate(fields())}
