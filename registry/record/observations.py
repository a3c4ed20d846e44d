"""Observations: what a record itself shows that whoever reads it may want to ask about.

They are computed from what is stated, and refuse nothing. What is not stated makes none, but where
an observation is of what is missing; then neither does what is withheld, erased or restricted.
`schemas/observations.sql` has the same conditions for a line of an export.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from registry.record.model import Document
from registry.record.pointers import dig
from registry.resources import SCHEMAS

Since: TypeAlias = dt.date | bool
"""The first day on which an observation holds, or whether it holds on every day."""

_YEARS = 2
"""Years after which a measurement is old and a pilot long."""

_SQL = SCHEMAS / "observations.sql"
_STATEMENT = "statement"
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def observe(document: Document, erased: Sequence[str] = ()) -> dict[str, dt.date | None]:
    """Return what a record shows: by code the first day on which it holds, None for every day.

    `erased` are the pointers to what a redaction took away.
    """
    found = {code: since(document, erased) for code, since in _OBSERVATIONS.items()}
    return {
        code: None if since is True else since
        for code, since in found.items()
        if since is not False
    }


def observed(observations: Mapping[str, dt.date | None], day: dt.date) -> list[str]:
    """Return the codes of what holds on a day, in the order of `OBSERVATIONS`."""
    return [code for code, since in observations.items() if since is None or since <= day]


@cache
def conditions() -> dict[str, str]:
    """Return the condition of each observation in the dialect of DuckDB, of a line of an export."""
    return {code: condition for code, condition in _sql().items() if code != _STATEMENT}


def query(code: str, source: str, day: dt.date) -> str:
    """Return the statement that lists the records of an observation, from an export as JSON Lines.

    `source` is its file or its address.
    """
    given = {
        "$condition": conditions()[code],
        "$source": source.replace("'", "''"),
        "$day": f"date '{day.isoformat()}'",
    }
    statement = _sql()[_STATEMENT]
    for name, value in given.items():
        statement = statement.replace(name, value)
    return statement


@cache
def _sql() -> dict[str, str]:
    _, *parts = _NAME.split(_SQL.read_text(encoding="utf-8"))
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _items(document: Document, *path: str) -> list[dict[str, Any]]:
    """Return the items of a list, without those that were erased."""
    return [item for item in dig(document, *path) or () if item is not None]


def _completed(document: Document) -> list[dict[str, Any]]:
    return [one for one in _items(document, "assessments") if one.get("status") == "completed"]


def _is_whole(document: Document, erased: Iterable[str], *path: str) -> bool:
    """Return whether nothing of a part of a record was withheld, erased or restricted."""
    if dig(document, "publication", "visibility") == "restricted":
        return False
    withheld = (
        one.get("pointer", "") for one in _items(document, "publication", "withheld_fields")
    )
    place = "/" + "/".join(path) + "/"
    gone = [f"{pointer}/" for pointer in (*withheld, *erased)]
    return not any(one.startswith(place) or place.startswith(one) for one in gone)


def _high_risk_unassessed(document: Document, erased: Sequence[str]) -> Since:
    return (
        dig(document, "risk", "level") in {"high", "unacceptable"}
        and dig(document, "lifecycle", "status") == "in_use"
        and not _completed(document)
        and _is_whole(document, erased, "assessments")
    )


def _self_assessed(document: Document, erased: Sequence[str]) -> Since:
    completed = _completed(document)
    return (
        bool(completed)
        and all(one.get("independent") is False for one in completed)
        and _is_whole(document, erased, "assessments")
    )


def _assessed_after_deployment(document: Document, erased: Sequence[str]) -> Since:
    completed = _completed(document)
    days: list[str] = [day for one in completed if (day := one.get("completed_on"))]
    deployed = dig(document, "lifecycle", "deployed_on")
    if not days or len(days) < len(completed) or deployed is None:
        return False
    is_later = min(days) > _last_day(deployed).isoformat()
    return is_later and _is_whole(document, erased, "assessments")


def _fairness_untested(document: Document, erased: Sequence[str]) -> Since:
    used = {*(dig(document, "data", "protected_attributes_used") or ())} - {None, "none"}
    answer = dig(document, "evaluation", "fairness_tested", "answer")
    return (
        bool(used)
        and answer in {None, "no", "in_progress"}
        and _is_whole(document, erased, "evaluation", "fairness_tested")
    )


def _below_area(document: Document, _: Sequence[str]) -> Since:
    area = dig(document, "risk", "annex_iii_area")
    return area not in {None, "none"} and dig(document, "risk", "level") in {"minimal", "limited"}


def _effect_not_told(document: Document, _: Sequence[str]) -> Since:
    told = dig(document, "rights", "notice", "answer")
    return dig(document, "decision", "legal_effect") is True and told == "no"


def contested_and_overturned(document: Document) -> tuple[int | None, int | None]:
    """Return how many decisions were contested, and overturned, in the periods that state both."""
    periods = _items(document, "evaluation", "outcomes")
    told = [one for one in periods if {"contested", "overturned"} <= one.keys()]
    if not told:
        return None, None
    return sum(one["contested"] for one in told), sum(one["overturned"] for one in told)


def _mostly_overturned(document: Document, erased: Sequence[str]) -> Since:
    contested, overturned = contested_and_overturned(document)
    if contested is None or overturned is None:
        return False
    return overturned * 2 > contested and _is_whole(document, erased, "evaluation", "outcomes")


def _serious_incident_open(document: Document, _: Sequence[str]) -> Since:
    return any(
        one.get("severity") == "serious" and one.get("status") == "open"
        for one in _items(document, "evaluation", "incidents")
    )


def _metric_old(document: Document, erased: Sequence[str]) -> Since:
    metrics = _items(document, "evaluation", "metrics")
    days = [day for one in metrics if (day := one.get("measured_on"))]
    if not days or dig(document, "lifecycle", "status") not in {"in_use", "pilot"}:
        return False
    if not _is_whole(document, erased, "evaluation", "metrics"):
        return False
    return _after(dt.date.fromisoformat(max(days)), _YEARS)


def _no_competition(document: Document, _: Sequence[str]) -> Since:
    procedure = dig(document, "procurement", "contract", "procedure")
    return procedure in {"negotiated", "purchase_order"}


def _contract_over(document: Document, erased: Sequence[str]) -> Since:
    contract = dig(document, "procurement", "contract")
    amendments = _items(document, "procurement", "amendments")
    ends = [day for one in (contract, *amendments) if one and (day := one.get("ends"))]
    if not ends or dig(document, "lifecycle", "status") != "in_use":
        return False
    if not _is_whole(document, erased, "procurement", "amendments"):
        return False
    return _after(dt.date.fromisoformat(max(ends)))


def _review_overdue(document: Document, _: Sequence[str]) -> Since:
    due = dig(document, "lifecycle", "next_review_on")
    if due is None or dig(document, "lifecycle", "status") == "retired":
        return False
    return _after(dt.date.fromisoformat(due))


def _pilot_long(document: Document, _: Sequence[str]) -> Since:
    lifecycle = dig(document, "lifecycle") or {}
    since = lifecycle.get("pilot_from") or lifecycle.get("deployed_on")
    if since is None or lifecycle.get("status") != "pilot":
        return False
    return _after(_last_day(since), _YEARS)


def _last_day(fuzzy: str) -> dt.date:
    """Return the last day of a year, a month or a day."""
    if len(fuzzy) == len("2026-12-31"):
        return dt.date.fromisoformat(fuzzy)
    year, month = int(fuzzy[:4]), int(fuzzy[5:] or 12)
    return dt.date(year, month, calendar.monthrange(year, month)[1])


def _after(day: dt.date, years: int = 0) -> Since:
    """Return the day after a day, or so many years later, of 29 February after the 28th.

    It is False, never, beyond the calendar: 9999-12-31 is written where there is no end.
    """
    year = day.year + years
    if year > dt.MAXYEAR:
        return False
    last = day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))
    return last < dt.date.max and last + dt.timedelta(days=1)


_OBSERVATIONS: dict[str, Callable[[Document, Sequence[str]], Since]] = {
    "high_risk_unassessed": _high_risk_unassessed,
    "serious_incident_open": _serious_incident_open,
    "mostly_overturned": _mostly_overturned,
    "effect_not_told": _effect_not_told,
    "fairness_untested": _fairness_untested,
    "below_area": _below_area,
    "assessed_after_deployment": _assessed_after_deployment,
    "self_assessed": _self_assessed,
    "metric_old": _metric_old,
    "pilot_long": _pilot_long,
    "review_overdue": _review_overdue,
    "contract_over": _contract_over,
    "no_competition": _no_competition,
}

OBSERVATIONS = tuple(_OBSERVATIONS)
"""The codes of observations, what weighs most on people first."""

REVIEW_OVERDUE = "review_overdue"

BY_DAY = ("metric_old", "pilot_long", REVIEW_OVERDUE, "contract_over")
"""Those that hold from a day on; the others hold whatever the day."""
