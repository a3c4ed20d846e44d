"""The first page: the ways in, what the register says in short, and the latest changes."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from heapq import nlargest
from typing import Any

import msgspec

from registry.pages.cards import HIGH, Card, copied, counted
from registry.pages.labels import message
from registry.pages.page import Page, digest
from registry.pages.pictures import PRINTED, WIDTH, picture_page
from registry.pages.reader import Reader, say, translated
from registry.pages.site import Site, page
from registry.pages.views.lists import card_words, change_view, count_rows
from registry.pages.views.machine_files import register_script
from registry.pages.views.statistics_pages import finding, levels_table
from registry.record.model import NOT_STATED, RUNNING
from registry.text.dates import format_date

WEEK = message("What changed this week")
_COUNTED = {
    "new": message("new records"),
    "changed": message("new versions"),
    "withdrawn": message("withdrawn records"),
}
_SOURCE = message("Source: this register, %(date)s, entry %(entry)s of its log")
_NAMED = 3
_LATEST = 8
"""Changes on the first page."""


def home_pages(site: Site) -> Iterator[Page]:
    """Yield the first page in each language."""
    for tag, edition in site.editions.items():
        view = home_view(edition.reader, site)
        yield from _pictures(site, tag, view)
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
        "copied_fictitious": sum(card.fictitious for card in elsewhere),
        "sectors": sorted(
            (row for row in count_rows(reader, cards, "sector", "sectors") if row["here"]),
            key=lambda row: -row["here"],
        ),
        "latest": latest_changes(reader, site),
        "levels": (levels := levels_table(reader, site)),
        "sentence": finding(reader, site.snapshot.counted, levels)
        if site.snapshot.counted
        else None,
        "week": week_view(reader, site),
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


def week_view(reader: Reader, site: Site) -> dict[str, Any]:
    """Count what changed here in the seven days to the snapshot's; `names` are the latest's."""
    last = site.snapshot.as_of.date()
    since = last - dt.timedelta(days=6)
    local = [record for record in site.records.values() if record.card.origin is None]
    # As in `counted`: no examples once a real agency has filed.
    here = [record for record in local if not record.card.fictitious] or local
    lines = [
        (line.version == 1, record.card)
        for record in here
        for line in record.versions
        if since <= line.published_at.date() <= last
    ]
    new = sum(is_first for is_first, _ in lines)
    gone = [one.withdrawn_at.date() for record in here for one in record.withdrawals]
    latest = nlargest(
        _NAMED, {card.id: card for _, card in lines}.values(), key=lambda card: card.entry
    )
    return {
        "new": new,
        "changed": len(lines) - new,
        "withdrawn": sum(since <= day <= last for day in gone),
        "names": [card_words(reader, site, card)[0] for card in latest],
    }


def _pictures(site: Site, tag: str, view: Mapping[str, Any]) -> Iterator[Page]:
    """Yield the levels of risk as a picture to print and to share, and the week as one."""
    reader = site.editions[tag].reader
    day = format_date(view["as_of"], reader.locale.babel)
    source = translated(reader, _SOURCE).text % {"date": day, "entry": view["log_size"] - 1}
    host = f"{site.base_url.partition('://')[2]}/{tag}"
    told = {"source": source, "demonstration": site.demonstration}
    if view["sentence"]:
        table = view["levels"]
        shown = {"title": view["sentence"], "table": table, "most": table.most, **told}
        shown["address"] = f"{host}/statistics"
        for path, width in (("statistics/levels", PRINTED), ("statistics/levels-card", WIDTH)):
            yield picture_page(site, tag, path, shown, template="levels.svg", width=width)
    shown = {"week": view["week"], "counted": _COUNTED, "title": WEEK, **told}
    shown["address"] = f"{host}/changes"
    yield picture_page(site, tag, "changes/week", shown, template="week.svg")


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
