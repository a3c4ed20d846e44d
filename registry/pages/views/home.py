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
from registry.pages.pictures import PRINTED, WIDTH, picture_page, set_lines, width_of
from registry.pages.reader import Reader, Text, as_it_is, say, translated
from registry.pages.site import Site, page
from registry.pages.views.lists import card_words, change_view, count_rows
from registry.pages.views.machine_files import register_script
from registry.pages.views.statistics_pages import Table, finding, levels_table
from registry.record.model import NOT_STATED, RUNNING
from registry.text.dates import format_date

WEEK = message("What changed this week")
_COUNTED = {
    "new": message("new records"),
    "changed": message("new versions"),
    "withdrawn": message("withdrawn records"),
}
_SOURCE = message("Source: this register, %(date)s, entry %(entry)s of its log")
_WEEK = 7
_NAMED = 3
_LATEST = 8
"""Changes on the first page."""


def home_pages(site: Site) -> Iterator[Page]:
    """Yield the first page in each language."""
    for tag, edition in site.editions.items():
        view = home_view(edition.reader, site)
        if view["sentence"]:
            yield from _levels_pictures(site, tag, view["levels"], view["sentence"])
        yield _week_picture(site, tag, view["week"])
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
    """Count what changed in this register in the seven days that end with that of the snapshot.

    `names` are those of the latest.
    """
    last = site.snapshot.as_of.date()
    here = [record for record in site.records.values() if record.card.origin is None]
    since = last - dt.timedelta(days=_WEEK - 1)
    days = [
        (line.published_at.date(), line.version == 1, record.card)
        for record in here
        for line in record.versions
    ]
    changed = [one for one in days if since <= one[0] <= last]
    latest = dict.fromkeys(
        card.id for _, _, card in nlargest(len(changed), changed, key=lambda one: one[2].entry)
    )
    new = sum(first for _, first, _ in changed)
    gone = [one.withdrawn_at.date() for record in here for one in record.withdrawals]
    return {
        "last": last.isoformat(),
        "new": new,
        "changed": len(changed) - new,
        "withdrawn": sum(since <= day <= last for day in gone),
        "names": [card_words(reader, site, site.cards[name])[0] for name in latest][:_NAMED],
    }


def _levels_pictures(site: Site, tag: str, table: Table, sentence: Text) -> Iterator[Page]:
    """Yield the picture of the levels of risk to print, and the same to share."""
    reader = site.editions[tag].reader
    states = [translated(reader, column.title) for column in table.columns[:-1]]  # type: ignore[arg-type]
    view = {
        "title": set_lines(sentence, 23, 2),
        "rows": [
            {"name": set_lines(row.name, 11)[0], "values": row.values[:-1], "total": row.values[-1]}
            for row in table.rows
            if row.name
        ],
        "most": table.most,
        "states": [
            {"text": set_lines(one, 20)[0], "width": 76 + 23 * width_of(one.text)} for one in states
        ],
        **_source(site, tag, "statistics"),
    }
    for path, width in (("statistics/levels", PRINTED), ("statistics/levels-card", WIDTH)):
        yield picture_page(site, tag, path, view, template="levels.svg", width=width)


def _week_picture(site: Site, tag: str, week: Mapping[str, Any]) -> Page:
    reader = site.editions[tag].reader
    view = {
        "title": set_lines(translated(reader, WEEK), 23),
        "numbers": [
            {"n": week[name], "text": set_lines(translated(reader, words), 13)[0]}
            for name, words in _COUNTED.items()
        ],
        "names": [set_lines(name, 34)[0] for name in week["names"]],
        **_source(site, tag, "changes"),
    }
    return picture_page(site, tag, "changes/week", view, template="week.svg")


def _source(site: Site, tag: str, path: str) -> dict[str, str]:
    """Return what a picture says of where its numbers are from, and of which day and entry."""
    reader = site.editions[tag].reader
    day = format_date(site.snapshot.as_of.date().isoformat(), reader.locale.babel)
    said = translated(reader, _SOURCE)
    words = said.text % {"date": day, "entry": site.snapshot.register.size - 1}
    address = f"{site.base_url.partition('://')[2]}/{tag}/{path}"
    return {
        "source": set_lines(msgspec.structs.replace(said, text=words), 44)[0],
        "address": set_lines(as_it_is(reader, address), 26)[0],
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
