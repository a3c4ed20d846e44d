"""Facts of a country's law as pages show them, each with its source and whether it is confirmed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from registry.pages.reader import Reader, say
from registry.record.pack import LegalFact
from registry.text.dates import day_after

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
