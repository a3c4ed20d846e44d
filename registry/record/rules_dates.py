"""Rules on dates: retirement, deployment, review. A date is an interval of days."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator

from registry.clock import months_after
from registry.record.codelists import codelists
from registry.record.field_descriptions import named_code
from registry.record.messages import PendingFinding, message
from registry.record.rule_context import RuleContext, remark

DECEMBER = 12


def interval(text: str) -> tuple[dt.date, dt.date]:
    """Return the first and last day that a date can mean."""
    match text.split("-"):
        case [year]:
            return dt.date(int(year), 1, 1), dt.date(int(year), DECEMBER, 31)
        case [year, month]:
            last = calendar.monthrange(int(year), int(month))[1]
            return dt.date(int(year), int(month), 1), dt.date(int(year), int(month), last)
        case _:
            day = dt.date.fromisoformat(text)
            return day, day


def retirement_dated(context: RuleContext) -> Iterator[PendingFinding]:
    """R04: A retirement date if and only if retired, not before deployment, not in the future.

    An error: people must be able to tell until when a system may have touched them.
    """
    place = "/lifecycle/retired_on"
    status = context.status
    retired = context.dig("lifecycle", "retired_on")
    if retired is None:
        if status == "retired" and context.lacks("lifecycle", "retired_on"):
            yield remark(
                "R04",
                place,
                message(
                    "A retired system has a date of retirement. Add {place}: the date of last use.",
                    place=place,
                ),
            )
        return
    first, last = interval(retired)
    if status is not None and status != "retired":
        yield remark(
            "R04",
            place,
            message(
                "A system has a date of retirement only when it is retired, and the status is "
                "{status}. Remove the date, or set {place} to {code}.",
                status=codelists()["status"][status].label,
                place="/lifecycle/status",
                code=named_code("status", "retired"),
            ),
        )
    if first > context.today:
        yield remark(
            "R04",
            place,
            message(
                "{date} is in the future. State the date of last use once it has passed.",
                date=retired,
            ),
        )
    deployed = context.dig("lifecycle", "deployed_on")
    if deployed is not None and last < interval(deployed)[0]:
        yield remark(
            "R04",
            place,
            message(
                "{date} is before {other}, when the system came into operation "
                "({place}). Mend either date.",
                date=retired,
                other=deployed,
                place="/lifecycle/deployed_on",
            ),
        )


def deployment_dated(context: RuleContext) -> Iterator[PendingFinding]:
    """R05: In pilot, in use or suspended, the date of deployment is stated; never in the future.

    An error: people must be able to tell since when a system may have touched them.
    """
    place = "/lifecycle/deployed_on"
    deployed = context.dig("lifecycle", "deployed_on")
    if deployed is None:
        if "D" in context.held and context.lacks("lifecycle", "deployed_on"):
            yield remark(
                "R05",
                place,
                message(
                    "A system that is in pilot, in use or suspended has a date since when. Add "
                    "{place}: the year, and month and day as far as they are known.",
                    place=place,
                ),
            )
    elif interval(deployed)[0] > context.today:
        yield remark(
            "R05",
            place,
            message(
                "{date} is in the future. State when the system was first used on real cases, or "
                "leave it out until then.",
                date=deployed,
            ),
        )


def change_dated(context: RuleContext) -> Iterator[PendingFinding]:
    """R27: The day of the change is not in the future.

    An error: the history of a record says since when something is so, and not what is planned.
    """
    changed = context.dig("publication", "changed_on")
    if changed is not None and interval(changed)[0] > context.today:
        yield remark(
            "R27",
            "/publication/changed_on",
            message(
                "{date} is in the future. Publish the change when it has taken place, or leave the "
                "day out.",
                date=changed,
            ),
        )


def review_planned(context: RuleContext) -> Iterator[PendingFinding]:
    """R06: The next review comes after the last one, within the country's interval for the level.

    An error: a record that nobody looks at again stops being true.
    """
    last = context.dig("lifecycle", "last_reviewed_on")
    following = context.dig("lifecycle", "next_review_on")
    if last is None or following is None:
        return
    place = "/lifecycle/next_review_on"
    day, next_day = dt.date.fromisoformat(last), dt.date.fromisoformat(following)
    if next_day <= day:
        yield remark(
            "R06",
            place,
            message(
                "{date} is not after the last review, {other} ({place}). State when the record "
                "will be looked at again.",
                date=following,
                other=last,
                place="/lifecycle/last_reviewed_on",
            ),
        )
        return
    if context.level is None:
        return
    months = context.pack.review_months[context.level]
    limit = months_after(day, months)
    if next_day > limit:
        yield remark(
            "R06",
            place,
            message(
                "{date} is too late: at the level {level} a record is reviewed every {months} "
                "months at the latest. State {limit} or an earlier day.",
                date=following,
                level=codelists()["risk_level"][context.level].label,
                months=months,
                limit=limit.isoformat(),
            ),
        )
