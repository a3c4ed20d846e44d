"""The checks of a pack's law beyond its schema: names, places, codes and days of its rows."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from registry.record.codelists import codelists, narrower_rows
from registry.record.law import KIND, TEXT, read_choices, read_notation
from registry.record.pointers import parts
from registry.record.requirements import ALWAYS, conditions
from registry.record.schema import Field, field_at

_DAYS = ("known", "since", "until", "confirmed_on")
CONTEST = "contest"
"""The date after a decision that is the last day to contest."""

DURATIONS = {"days": "D", "months": "M"}
"""The units of time limits whose last day follows from the first, as in ISO 8601."""

_NEVER = "9999"
_RECEIVED = "received"
_EVENTS = (_RECEIVED, "refused", "answered", "silence")
_TIMES = {"within": "unit", "silence": "silence_unit"}
_DATED = frozenset(("Date", "FuzzyDate"))


def law_faults(whole: Mapping[str, Any]) -> Iterator[str]:
    """Yield the faults of the time zone, of conditions, requirements and steps."""
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
    for number, row in enumerate(whole["requirements"]):
        yield from _requirement(f"requirements.csv, line {number + 2}", row, known, own)
    yield from _steps(whole)
    for table in ("requirements", "steps"):
        yield from _rows(table, whole)


def _rows(table: str, whole: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong in the columns that every table of law has."""
    seen: set[tuple[str, ...]] = set()
    for number, row in enumerate(whole[table]):
        place = f"{table}.csv, line {number + 2}"
        yield from _days(place, row)
        if row["law"] not in whole["laws"]:
            near = nearest(row["law"], whole["laws"]) or "name it there"
            yield f"{place}, column law: {row['law']!r} is not in /laws of pack.json; {near}"
        key = tuple(row.get(name, "") for name in ("code", "known", "since"))
        if key in seen:
            yield f"{place}: {row['code']!r} comes twice; tell them apart by known or since"
        seen.add(key)
        if ("confirmed_by" in row) != ("confirmed_on" in row):
            yield f"{place}: confirmed_by and confirmed_on go together; fill in both, or none"


def _steps(whole: Mapping[str, Any]) -> Iterator[str]:
    bodies = {*codelists()["contestation_body"], *(row["code"] for row in whole["bodies"])}
    above: list[str] = []
    for number, row in enumerate(whole["steps"]):
        place = f"steps.csv, line {number + 2}"
        if row["body"] not in bodies:
            near = nearest(row["body"], bodies) or "add it there"
            yield f"{place}, column body: {row['body']!r} is not in bodies.csv; {near}"
        # Another row of the same step has the place of the first, so that none comes after itself.
        first = above.index(row["code"]) if row["code"] in above else None
        yield from _order(place, row, above[:first])
        yield from _span(place, row, whole["steps"])
        for time, unit in _TIMES.items():
            if (time in row) != (unit in row):
                yield f"{place}: {time} and {unit} go together; fill in both, or none"
        if "deemed" in row and "silence" not in row:
            yield f"{place}, column silence: deemed says what it means; write how long it is"
        above.append(row["code"])
    told = {
        f"P{row['within']}{DURATIONS[row['unit']]}"
        for row in whole["steps"]
        if _RECEIVED in read_choices(row["on"]) and row.get("unit") in DURATIONS
    }
    for row in whole["deadlines"]:
        if told and row["code"] == CONTEST and row["after"] not in told:
            yield f"deadlines.csv, row {CONTEST}: {row['after']} is no time in steps.csv"


def _span(place: str, row: Mapping[str, str], rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """Yield when a step begins before everything that it comes after, or ends after all of it."""
    after = read_choices(row.get("after", ""))
    before = [one for one in rows if one["code"] in after]
    begin = min((one.get("since", "") for one in before if _begins(one, rows)), default="")
    end = max((one.get("until", _NEVER) for one in before if _is_last(one, rows)), default=_NEVER)
    if row.get("since", "") < begin and _begins(row, rows):
        yield f"{place}, column since: what it comes after begins on {begin}; begin it then, too"
    if end < row.get("until", _NEVER) and _is_last(row, rows):
        yield f"{place}, column until: what it comes after ends on {end}; end it then, too"


def _known(row: Mapping[str, str], rows: Iterable[Mapping[str, str]]) -> list[str]:
    return [one.get("known", "") for one in rows if one["code"] == row["code"]]


def _is_last(row: Mapping[str, str], rows: Iterable[Mapping[str, str]]) -> bool:
    """Return whether no row of the same step was known later."""
    return row.get("known", "") == max(_known(row, rows))


def _begins(row: Mapping[str, str], rows: Iterable[Mapping[str, str]]) -> bool:
    """Return whether no row of the same step that was known later took its place before that."""
    first, since = row.get("known", ""), row.get("since", "")
    return not any(first < known < since for known in _known(row, rows))


def _order(place: str, row: Mapping[str, str], above: list[str]) -> Iterator[str]:
    after, events = read_choices(row.get("after", "")), read_choices(row["on"])
    for code in after:
        if code not in above:
            near = nearest(code, above) or "write the steps in their order"
            yield f"{place}, column after: no step {code!r} stands above it; {near}"
    for event in events:
        if event not in _EVENTS:
            near = nearest(event, _EVENTS) or f"write one of {', '.join(_EVENTS)}"
            yield f"{place}, column on: there is no event {event!r}; {near}"
    if not after and events != (_RECEIVED,):
        yield f"{place}, column on: without after it is {_RECEIVED}; fill in after, or write that"


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
        own = name.removeprefix("pack/")
        rows = narrower_rows(whole, own) if field.has_narrower else whole.get(own, ())
        found.update(codelists()[name] if own == name else (row["code"] for row in rows))
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


def _days(place: str, row: Mapping[str, str]) -> Iterator[str]:
    for name in _DAYS:
        if name in row and not _is_day(row[name]):
            yield f"{place}, column {name}: {row[name]!r} is no day; write it as 2026-08-02"
    if row.get("until", _NEVER) < row.get("since", ""):
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
