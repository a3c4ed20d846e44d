"""The checks of a pack's law beyond its schema: names, places, codes and days of its rows."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import available_timezones

from registry.record.codelists import codelists
from registry.record.law import KIND, TEXT, read_notation
from registry.record.pointers import parts
from registry.record.requirements import ALWAYS, conditions
from registry.record.schema import Field, field_at

_DAYS = ("known", "since", "until", "confirmed_on")
_DATED = frozenset(("Date", "FuzzyDate"))


def law_faults(whole: Mapping[str, Any]) -> Iterator[str]:
    """Yield the faults of the time zone, `conditions.csv` and `requirements.csv`."""
    zone = whole.get("time_zone", "UTC")
    if zone not in available_timezones():
        near = nearest(zone, available_timezones()) or "write one such as Africa/Casablanca"
        yield f"pack.json, /time_zone: there is no time zone {zone!r}; {near}"
    own = [row["name"] for row in whole["conditions"]]
    for number, row in enumerate(whole["conditions"]):
        place = f"conditions.csv, line {number + 2}"
        if own.index(row["name"]) < number:
            yield f"{place}, column name: {row['name']!r} comes twice; give it another name"
        if row["name"] in conditions():
            yield f"{place}, column name: {row['name']!r} is a condition of the format; rename it"
        yield from _condition(place, row, whole)
    known = {ALWAYS, *conditions(), *own} - {"amended"}
    seen: set[tuple[str, ...]] = set()
    for number, row in enumerate(whole["requirements"]):
        place = f"requirements.csv, line {number + 2}"
        yield from _requirement(place, row, known, own)
        yield from _days(place, row)
        if row["law"] not in whole["laws"]:
            near = nearest(row["law"], whole["laws"]) or "name it there"
            yield f"{place}, column law: {row['law']!r} is not in /laws of pack.json; {near}"
        key = tuple(row.get(name, "") for name in ("code", "known", "since"))
        if key in seen:
            yield f"{place}: {row['code']!r} comes twice; tell them apart by known or since"
        seen.add(key)


def _condition(place: str, row: Mapping[str, str], whole: Mapping[str, Any]) -> Iterator[str]:
    test, path, value = row["test"], row["path"], row.get("value", "")
    field = field_at(parts(path)) if path.startswith("/") else None
    if path not in {TEXT, KIND} and field is None:
        yield f"{place}, column path: the format has nothing at {path!r}; write a pointer of it"
        return
    if (path == TEXT) != (test == "has" and bool(value)):
        wanted = "has, with a language as its value" if path == TEXT else "has, without a value"
        if path == TEXT or test == "has":
            yield f"{place}: the test of {path} is {wanted}"
            return
    if path == TEXT and value not in whole["languages"]:
        yield f"{place}, column value: {value!r} is not among /languages"
    if test != "has" and not value:
        yield f"{place}, column value: it is empty; {test} needs one"
    elif test != "has":
        yield from _value(place, row, field, whole)


def _value(
    place: str, row: Mapping[str, str], field: Field | None, whole: Mapping[str, Any]
) -> Iterator[str]:
    test, path, value = row["test"], row["path"], row["value"]
    if test in {"before", "from"}:
        if field is None or field.kind not in _DATED:
            yield f"{place}, column test: {path} holds no date; use is, not or has"
        elif not _is_day(value):
            yield f"{place}, column value: {value!r} is no day; write it as 2026-08-02"
    else:
        codes = _codes(field, whole)
        for code in (code.strip() for code in value.split("|")):
            if codes and code not in codes:
                near = nearest(code, codes) or f"write one of {', '.join(sorted(codes)[:5])}"
                yield f"{place}, column value: {code!r} is not a code of {path}; {near}"


def _codes(field: Field | None, whole: Mapping[str, Any]) -> set[str]:
    """Return the codes that a condition may name; none where the field is no choice."""
    if field is None:
        return {row["kind"] for row in whole["agencies"]}
    if field.is_list:
        field = field.entry
    if field.schema.get("type") == "boolean":
        return {"true", "false"}
    found: set[str] = set(field.schema.get("enum", ()))
    for name in field.lists if field.is_national else ():
        own = whole.get(name.removeprefix("pack/"))
        found.update(row["code"] for row in own) if own else found.update(codelists()[name])
    return found


def _requirement(
    place: str, row: Mapping[str, str], known: set[str], own: list[str]
) -> Iterator[str]:
    for name in sorted({name for names in read_notation(row["when"]) for name in names} - known):
        near = nearest(name, known) or "add it to conditions.csv"
        yield f"{place}, column when: there is no condition {name!r}; {near}"
    asks, outcome = row.get("asks", ""), row["else"]
    if not asks and not outcome.startswith("level:"):
        yield f"{place}, column asks: it is empty; write a pointer or a condition's name"
    elif asks.startswith("/"):
        if field_at(parts(asks)) is None:
            yield f"{place}, column asks: the format has nothing at {asks!r}; write a pointer of it"
    elif asks and asks not in own:
        near = nearest(asks, own) or "add it to conditions.csv"
        yield f"{place}, column asks: {asks!r} is no pointer and not in conditions.csv; {near}"
    if ("confirmed_by" in row) != ("confirmed_on" in row):
        yield f"{place}: confirmed_by and confirmed_on go together; fill in both, or none"


def _days(place: str, row: Mapping[str, str]) -> Iterator[str]:
    for name in _DAYS:
        if name in row and not _is_day(row[name]):
            yield f"{place}, column {name}: {row[name]!r} is no day; write it as 2026-08-02"
    if row.get("until", "9999") < row.get("since", ""):
        yield f"{place}, column until: it is before since; put the later day there"


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def nearest(given: str, among: Iterable[str]) -> str:
    """Return the question whether the most similar name was meant, or ""."""
    near = difflib.get_close_matches(given, list(among), 1)
    return f"did you mean {near[0]}?" if near else ""
