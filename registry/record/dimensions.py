"""Dimensions: the facts whose values are codes, numbers, days or names, which questions ask for.

They follow from the schema, by rule; a dimension has the name of its fact.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal, TypeAlias

import msgspec

from registry.record.canonical import canonical
from registry.record.facts import STATED, AnswerKind, fact_name, facts
from registry.record.model import Document
from registry.record.pointers import dig
from registry.record.schema import Field

DimensionKind: TypeAlias = Literal["code", "boolean", "number", "date", "name", "plain"]

PUBLISHED_AT = "published_at"
"""The dimension of the day on which a version was published, in UTC; no fact of the record."""

RANGED: tuple[DimensionKind, ...] = ("number", "date")
"""The kinds whose values have an order."""

PERIODS = {"year": 4, "month": 7}
"""The parts of a day by which it is grouped, and how many of its characters they are."""

_UNASKED = frozenset({"Url", "Email"})
_NAMED = frozenset({"name", "title"})
_FROM = dt.date(2000, 1, 1)
_YEAR, _MONTH, _DAY = 4, 7, 10


class Dimension(msgspec.Struct, frozen=True, kw_only=True):
    """A fact with its kind: `field` is that of one value, `items` the list whose items have it.

    A `name` is compared by its folded form.
    """

    name: str
    kind: DimensionKind
    field: Field | None = None
    items: str | None = None

    @property
    def lists(self) -> tuple[str, ...]:
        """The code lists of its values."""
        return self.field.lists if self.field else ()


@cache
def dimensions() -> Mapping[str, Dimension]:
    """Return every dimension by name, in document order, the moment of publication last."""
    found = {}
    for name, fact in facts().items():
        field = fact.field.entry if fact.field.is_list else fact.field
        if (kind := _kind(field)) is not None:
            found[name] = Dimension(name=name, kind=kind, field=field, items=_items(fact.field))
    found[PUBLISHED_AT] = Dimension(name=PUBLISHED_AT, kind="date")
    return found


def periods() -> list[str]:
    """Return the names of what groups the days of dimensions: `published_at:month`."""
    days = [one.name for one in dimensions().values() if one.kind == "date"]
    return [f"{name}:{period}" for name in days for period in PERIODS]


def _kind(field: Field) -> DimensionKind | None:
    if field.holds in {"code", "boolean", "number", "date"}:
        return field.holds
    if field.kind in {"Line", "LangLine"} or (
        field.is_text and (field.path[-1] == "*" or field.path[-1] in _NAMED)
    ):
        return "name"
    is_plain = field.holds in {"plain", "country", "language", "currency", "place"}
    return "plain" if is_plain and field.kind not in _UNASKED else None


def _items(field: Field) -> str | None:
    """Return the name of the list of which a field is a part of each item."""
    path = field.path
    return fact_name(path[: path.index("*")]) if "*" in path else None


@cache
def _single() -> Mapping[str, Sequence[str]]:
    """Return the paths of the dimensions that are in no list, by name."""
    return {
        one.name: facts()[one.name].field.path
        for one in dimensions().values()
        if one.items is None and one.name != PUBLISHED_AT
    }


@cache
def _by_list() -> Mapping[str, Sequence[tuple[str, str]]]:
    """Return by list the dimensions of its items, each with its name in an item."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in dimensions().values():
        if one.items is not None:
            found.setdefault(one.items, []).append((one.name, one.name[len(one.items) + 1 :]))
    return found


def read_values(document: Document, answers: Mapping[str, AnswerKind]) -> dict[str, list[str]]:
    """Return what a document states of each dimension, as a search row keeps it.

    Beside lists it is by dimension; of a list it is a JSON text an item, by the rest of the name.
    """
    single = _single()
    found = {
        name: _texts(dig(document, *single[name]))
        for name, answer in answers.items()
        if answer == STATED and name in single
    }
    for name, members in _by_list().items():
        if items := dig(document, *name.split(".")):
            stated = [rest for fact, rest in members if answers.get(fact) == STATED]
            found[name] = [
                msgspec.json.encode(values).decode()
                for item in items
                if (values := dict(_members(item, stated)))
            ]
    return {name: values for name, values in found.items() if values}


def _members(item: Any, stated: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    for rest in stated:
        if values := _texts(dig(item, *rest.split("."))):
            yield rest, values


def _texts(value: Any) -> list[str]:
    """Return the values of a dimension as texts, each once; of a name in each language."""
    if value is None:
        return []
    if isinstance(value, list):
        return list(dict.fromkeys(text for one in value for text in _texts(one)))
    if isinstance(value, dict):
        return list(dict.fromkeys(value[tag] for tag in sorted(value)))
    return [value if isinstance(value, str) else canonical(value).decode()]


_items_decoder = msgspec.json.Decoder(dict[str, list[str]])


def values_in(
    kept: Mapping[str, Sequence[str]],
) -> tuple[dict[str, Sequence[str]], list[Mapping[str, Sequence[str]]]]:
    """Return the values by dimension of what `read_values` returned, and those of each item."""
    found: dict[str, Sequence[str]] = {name: kept[name] for name in _single() if name in kept}
    items: list[Mapping[str, Sequence[str]]] = []
    for name in _by_list():
        for text in kept.get(name, ()):
            item: Mapping[str, Sequence[str]] = {
                f"{name}.{rest}": values for rest, values in _items_decoder.decode(text).items()
            }
            items.append(item)
            for member, values in item.items():
                found[member] = list(dict.fromkeys((*found.get(member, ()), *values)))
    return found, items


def numeric(kind: DimensionKind, value: str) -> float:
    """Return the place of a value in its order: of a day, the days since 2000.

    A month or a year is its first day. Raises `ValueError` for what is neither.
    """
    return float(value) if kind == "number" else float((first_day(value) - _FROM).days)


def first_day(value: str) -> dt.date:
    """Return the first day of a day, a month or a year. Raises `ValueError`."""
    if len(value) not in {_YEAR, _MONTH, _DAY} or not value[:_YEAR].isdecimal():
        raise ValueError(value)
    return dt.date.fromisoformat(f"{value}-01-01"[:_DAY] if len(value) < _DAY else value)


def last_day(value: str) -> dt.date:
    """Return the last day of a day, a month or a year. Raises `ValueError`."""
    first = first_day(value)
    if len(value) == _DAY:
        return first
    months = 12 if len(value) == _YEAR else 1
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    if year > dt.MAXYEAR:
        return dt.date.max
    return dt.date(year, month + 1, 1) - dt.timedelta(days=1)


def bounds(kind: DimensionKind, lowest: str | None, highest: str | None) -> tuple[Any, Any]:
    """Return the ends of a range as numbers, both included; of a month its first and last day."""
    low = None if lowest is None else numeric(kind, lowest)
    if highest is None or kind == "number":
        return low, None if highest is None else float(highest)
    return low, float((last_day(highest) - _FROM).days)
