"""The first page: the ways in, what the register says in short, and the latest changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from heapq import nlargest
from typing import Any

import msgspec

from registry.pages.cards import HIGH, Card, copied, counted
from registry.pages.page import Page, digest
from registry.pages.reader import Reader, say
from registry.pages.site import Site, page
from registry.pages.views.lists import change_view, count_rows
from registry.pages.views.machine_files import register_script
from registry.record.model import NOT_STATED, RUNNING

_LATEST = 8
"""Changes on the first page."""


def home_pages(site: Site) -> Iterator[Page]:
    """Yield the first page in each language."""
    for tag, edition in site.editions.items():
        view = home_view(edition.reader, site)
        key = digest(msgspec.json.encode(view))
        view["structured"] = register_script(edition.reader, site)
        yield page(site, tag, "", template="home.html", key=key, view=partial(dict, view))


def home_view(reader: Reader, site: Site) -> dict[str, Any]:
    """Build the first page."""
    cards = list(site.cards.values())
    here, elsewhere = counted(cards), copied(cards)
    return {
        **_by_use(here),
        "copied_total": len(elsewhere),
        "sectors": sorted(
            (row for row in count_rows(reader, cards, "sector", "sectors") if row["here"]),
            key=lambda row: -row["here"],
        ),
        "latest": latest_changes(reader, site),
        "as_of": site.snapshot.as_of.date().isoformat(),
        "log_size": site.snapshot.register.size,
    }


def _by_use(cards: Sequence[Card]) -> dict[str, Any]:
    """Count the records by whether their systems run, and what is said of those that do.

    Those at high or unacceptable risk are counted by what they say of contesting.
    """
    running = [card for card in cards if card.status in RUNNING]
    said = Counter(card.contestation for card in running if card.risk in HIGH)
    unknown = sum(card.status == NOT_STATED for card in cards)
    return {
        "running": len(running),
        "idle": len(cards) - len(running) - unknown,
        "unknown": unknown,
        "high": {
            "all": said.total(),
            "yes": said["yes"],
            "no": said.total() - said["yes"] - said[NOT_STATED],
            "silent": said[NOT_STATED],
        },
        "alone": sum(card.role == "decides_alone" for card in running),
    }


def latest_changes(reader: Reader, site: Site) -> list[dict[str, Any]]:
    """Return the latest versions in force and withdrawals of this register, newest first."""
    changes = [
        (change, name)
        for name, record in site.records.items()
        if record.card.origin is None
        for change in (
            *(record.versions if not record.card.withdrawn else ()),
            *record.withdrawals,
        )
    ]
    return [
        {
            "id": name,
            "name": say(reader, site.cards[name].name, site.cards[name].written),
            **change_view(reader, change),
        }
        for change, name in nlargest(_LATEST, changes, key=lambda item: item[0].entry)
    ]
