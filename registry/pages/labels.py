"""Labels of codes, facts of a country's law with their sources, events of people's lives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from registry.log.redaction import SOURCE_BASIS
from registry.pages.reader import Reader, Text, as_it_is, label, say
from registry.record.codelists import CodeList, codelists, texts
from registry.record.law import LegalRequirement, article_number, read_choices
from registry.record.law_checks import DURATIONS
from registry.record.life_events import LifeEvent
from registry.record.model import NOT_STATED, LangText
from registry.record.pack import LegalFact, Pack, steps_on
from registry.text.catalogues import SOURCE, Catalogue, find_plural
from registry.text.dates import day_after


def read_lists(pack: Pack) -> dict[str, CodeList]:
    """Return the code lists of the format and of the pack."""
    return {**codelists(), **{f"pack/{name}": codes for name, codes in pack.lists.items()}}


def read_labels(
    lists: Mapping[str, CodeList], catalogues: Mapping[str, Catalogue]
) -> dict[str, dict[str, LangText]]:
    """Return the labels by list and code, with words for what a record does not state."""
    labels = {
        name: {code.code: code.label for code in codes.values()} for name, codes in lists.items()
    }
    own = {
        "risk_level": message("Risk not stated"),
        "sector": message("Sector not stated"),
        "status": message("Status not stated"),
    }

    def in_languages(wording: str) -> LangText:
        return {SOURCE: wording} | {
            tag: catalogue.messages[wording]
            for tag, catalogue in catalogues.items()
            if wording in catalogue.messages
        }

    for name, of_list in labels.items():
        of_list[NOT_STATED] = in_languages(own.get(name, message("Not stated")))
    # No basis that anybody may state: that of what another register has erased.
    labels["redaction_reason"][SOURCE_BASIS] = in_languages(message("Erased at its source"))
    return labels


def message(wording: str) -> str:
    """Return an English wording, marked for the translation catalogues as by `_` in templates."""
    return wording


def plural_message(one: str, many: str) -> tuple[str, str]:
    """Mark a counted English wording for the catalogues, which hold its plural forms."""
    return one, many


_ANY = dt.date(2023, 1, 1)
"""A day after which months are short: what is called two months may be 59 days."""


def legal_fact_view(reader: Reader, fact: LegalFact) -> dict[str, Any]:
    """Return the view of a fact; of a date it has the fewest days that it may be away."""
    return {
        "code": fact.code,
        "words": say(reader, fact.words),
        "source": say(reader, fact.source),
        "after": fact.after,
        "days": (day_after(_ANY, fact.after) - _ANY).days,
        "confirmed": fact.confirmed,
    }


def steps_view(
    reader: Reader, day: dt.date, received: dt.date | None = None
) -> list[dict[str, Any]]:
    """Return the steps of redress in force on a day, with the dates of a decision `received` then.

    A date is the last day of a time limit, or of working days, whose holidays nobody knows here,
    one before which the last day is not.
    """
    shown: dict[str, dict[str, Any]] = {}
    for number, step in steps_on(reader.pack, day):
        body = reader.pack.bodies.get(step.body)
        there = {} if body is None else body.extra
        events = read_choices(step.on)
        # Days of work are more days than their number, by as many as are holidays.
        runs = step.within and "received" in events
        duration = f"P{step.within}{DURATIONS.get(step.unit, 'D')}"
        last = day_after(received, duration) if runs and received else None
        shown[step.code] = {
            "row": step,
            "number": number,
            "body": label(reader, ("pack/bodies", "contestation_body"), step.body),
            "by_letter": step.body in {"agency", "hierarchical"},
            "before": [shown[code] for code in read_choices(step.after) if code in shown],
            "events": events,
            "last": last,
            # Of days of work it is not known.
            "is_past": last is not None and step.unit in DURATIONS and last < day,
            "purpose": say(reader, step.purpose),
            "law": say(reader, reader.pack.laws[step.law]),
            "confirmed": bool(step.confirmed_by),
            "website": there.get("website"),
            "phone": there.get("phone"),
            "post": say(reader, texts(there, "post_")),
        }
    return list(shown.values())


def event_row(reader: Reader, event: LifeEvent) -> dict[str, Any]:
    """Return the name, description and address of an event."""
    return {
        "path": f"life/{event.code}",
        "name": say(reader, event.name),
        "description": say(reader, event.description),
    }


_CITED = plural_message("%(law)s, article %(articles)s", "%(law)s, articles %(articles)s")


def law_words(reader: Reader, row: LegalRequirement) -> Text:
    """Return law and article of a row of the country's requirements, to the reader."""
    law = say(reader, reader.pack.laws.get(row.law)) or as_it_is(reader, row.law)
    number = article_number(row.article)
    _, wording = find_plural(reader.catalogues, reader.order, *_CITED, number)
    return msgspec.structs.replace(law, text=wording % {"law": law.text, "articles": row.article})
