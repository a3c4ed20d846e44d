"""Law as data: what a country's statutes ask of a record, by the rows of its pack.

`Law` is what is in force on one day, compiled: the conditions of `conditions.csv` as look-ups by
path, the rows of `requirements.csv` as sets of names. It adds to what the format asks for, and
takes nothing from it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from registry.record.ids import agency_of
from registry.record.model import Document, LangText
from registry.record.pointers import dig, parts, values_at

Test: TypeAlias = Literal["is", "not", "has", "before", "from"]
TEXT, KIND = "text", "agency/kind"
"""The two paths of conditions that are no pointers."""

NAMING: tuple[tuple[str, ...], ...] = (("name",), ("summary",), ("purpose", "goal"))
"""The texts that identify a system to the public."""

_LEVEL = "level:"


class LegalCondition(msgspec.Struct, frozen=True, kw_only=True):
    """One fact of a record, as a row of `conditions.csv`; `value` has codes with `|` between."""

    name: str
    path: str
    test: Test
    value: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of `value`."""
        return tuple(code.strip() for code in self.value.split("|"))

    @property
    def pointer(self) -> str:
        """The place of the record that it is about."""
        return {TEXT: "/name", KIND: "/id"}.get(self.path, self.path)


class LegalRequirement(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A row of `requirements.csv`: what an article asks for, when, and what its absence is.

    `asks` is a pointer, the name of a condition, or empty where a level follows from `when` alone.
    Days are `YYYY-MM-DD` in the country's time zone: from `since` to `until`, and the row is the
    law as one knew it from the day `known` on.
    """

    code: str
    when: str
    asks: str = ""
    outcome: str = msgspec.field(name="else")
    law: str
    article: str
    known: str = ""
    since: str = ""
    until: str = ""
    confirmed_by: str = ""
    confirmed_on: str = ""
    note: LangText = {}

    @property
    def level(self) -> str:
        """The least risk level that follows, or ""."""
        return self.outcome.removeprefix(_LEVEL) if self.outcome.startswith(_LEVEL) else ""


def read_notation(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the alternatives of a notation such as `L | P+D`, each of conditions."""
    return tuple(tuple(part.split("+")) for part in text.split(" | "))


class Demand(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A requirement in force: met by the condition, or by what is stated at the pointer."""

    row: LegalRequirement
    law: LangText
    pointer: str
    condition: LegalCondition | None


class Law(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a country's law asks for on a day. `kinds` are those of agencies.

    `tests` are the conditions by path and `demands` the rows by when they apply.
    """

    tests: tuple[tuple[str, tuple[LegalCondition, ...]], ...] = ()
    demands: tuple[tuple[tuple[frozenset[str], ...], tuple[Demand, ...]], ...] = ()
    kinds: Mapping[str, str] = {}

    def held(self, document: Document) -> frozenset[str]:
        """Return the names of the conditions that hold for a document."""
        found: set[str] = set()
        for path, tests in self.tests:
            values = self._values(document, path)
            if values:
                found.update(one.name for one in tests if _holds(one, values))
        return frozenset(found)

    def asking(self, held: frozenset[str]) -> tuple[Demand, ...]:
        """Return what is asked for under some conditions."""
        found: tuple[Demand, ...] = ()
        for alternatives, demands in self.demands:
            if any(names <= held for names in alternatives):
                found += demands
        return found

    def _values(self, document: Document, path: str) -> list[str]:
        if path == KIND:
            kind = self.kinds.get(agency_of(str(document.get("id", ""))))
            return [] if kind is None else [kind]
        if path == TEXT:
            texts = [text for name in NAMING if isinstance(text := dig(document, *name), dict)]
            return sorted(set(texts[0]).intersection(*texts[1:])) if texts else []
        return values_stated(document, path)


NO_LAW = Law()


def values_stated(document: Document, place: str) -> list[str]:
    """Return the values at a pointer, whose `*` is each item of a list, as they are written."""
    if "*" not in place:
        value = dig(document, *parts(place))
        found = value if isinstance(value, list) else [] if value is None else [value]
    else:
        found = [value for _, value in values_at(document, parts(place))]
    return [_written(value) for value in found if value not in ("", [], {})]


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _holds(condition: LegalCondition, values: list[str]) -> bool:
    """Return whether a condition holds for what is stated: of a date, for every day of it."""
    match condition.test:
        case "is":
            return not set(values).isdisjoint(condition.codes)
        case "not":
            return set(values).isdisjoint(condition.codes)
        case "before":
            return all(value < condition.value[: len(value)] for value in values)
        case "from":
            return all((value + "-01-01")[:10] >= condition.value for value in values)
        case "has":
            return not condition.value or condition.value in values


def in_force(
    rows: Iterable[LegalRequirement], day: dt.date, *, ahead: bool = False
) -> tuple[LegalRequirement, ...]:
    """Return the rows that are the law on a day, or `ahead` of it, as it was known on that day.

    Of the rows of one code those count that were known last.
    """
    today = day.isoformat()
    known = [row for row in rows if row.known <= today]
    latest: dict[str, str] = {}
    for row in known:
        latest[row.code] = max(row.known, latest.get(row.code, ""))
    return tuple(
        row
        for row in known
        if row.known == latest[row.code]
        and (row.since > today if ahead else row.since <= today <= (row.until or today))
    )


def compile_law(
    rows: Iterable[LegalRequirement],
    conditions: Iterable[LegalCondition],
    *,
    laws: Mapping[str, LangText],
    kinds: Mapping[str, str],
) -> Law:
    """Return some rows with the conditions that they name, compiled."""
    by_name = {one.name: one for one in conditions}
    used: dict[str, list[LegalCondition]] = {}
    demands: dict[str, list[Demand]] = {}
    named: set[str] = set()
    for row in rows:
        named.update(*read_notation(row.when), (row.asks,))
        condition = by_name.get(row.asks)
        demands.setdefault(row.when, []).append(
            Demand(
                row=row,
                law=laws.get(row.law, {}),
                pointer=row.asks if condition is None else condition.pointer,
                condition=condition,
            )
        )
    for name in sorted(named & by_name.keys()):
        used.setdefault(by_name[name].path, []).append(by_name[name])
    return Law(
        tests=tuple((path, tuple(tests)) for path, tests in used.items()),
        demands=tuple(
            (tuple(map(frozenset, read_notation(when))), tuple(asked))
            for when, asked in demands.items()
        ),
        kinds=kinds,
    )
