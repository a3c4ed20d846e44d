"""Labels of codes, facts of a country's law with their sources, events of people's lives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from registry.log.redaction import SOURCE_BASIS
from registry.pages.reader import Reader, say
from registry.record.codelists import CodeList, codelists
from registry.record.life_events import LifeEvent
from registry.record.model import NOT_STATED, LangText
from registry.record.pack import LegalFact, Pack
from registry.text.catalogues import SOURCE, Catalogue
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
        "step": fact.step,
        "words": say(reader, fact.words),
        "purpose": say(reader, fact.purpose),
        "by_when": say(reader, fact.by_when),
        "source": say(reader, fact.source),
        "post": say(reader, fact.post),
        "website": fact.website,
        "phone": fact.phone,
        "after": fact.after,
        "days": (day_after(_ANY, fact.after) - _ANY).days,
        "confirmed": fact.confirmed,
    }


def event_row(reader: Reader, event: LifeEvent) -> dict[str, Any]:
    """Return the name, description and address of an event."""
    return {
        "path": f"life/{event.code}",
        "name": say(reader, event.name),
        "description": say(reader, event.description),
    }
