"""The law as the register applies it: each row with its article, and what will be asked for."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

from registry.pages.cards import Card, counted
from registry.pages.labels import law_words, message
from registry.pages.page import Page, digest
from registry.pages.reader import (
    Reader,
    Text,
    as_it_is,
    in_language,
    label,
    language,
    say,
    translated,
)
from registry.pages.site import Site, pages
from registry.pages.views.events import Event
from registry.pages.views.feeds import FORMATS, Feed, Item, introduce
from registry.pages.views.finder import FilterLabels, fact_title
from registry.pages.views.lists import AGENCY_KINDS, agency_view
from registry.record.facets import stated_values
from registry.record.facts import facts
from registry.record.law import (
    KIND,
    TEXT,
    Demand,
    LegalCondition,
    LegalRequirement,
    read_notation,
)
from registry.record.messages import PlainLanguage, render
from registry.record.messages import message as sentence
from registry.record.pack import Pack, law_of
from registry.record.pointers import parts
from registry.record.requirements import ALWAYS, conditions
from registry.text.dates import format_date

FeedWriter: TypeAlias = Callable[[Feed], bytes]

_TITLE = message("The law as this register applies it")
_EVERY = message("to every record")
_KIND = message("Kind of agency")
_TEXTS = message("Name, summary and goal")
_SINCE = message("From %(date)s on")


def law_pages(site: Site, events: Sequence[Event]) -> Iterator[Page]:
    """Yield the page and its feeds in each language; `events` are all, oldest first."""
    pack, today = site.snapshot.pack, site.day
    lacking: dict[int, Counter[str]] = {}
    for card in counted([*site.cards.values()]):
        for place in card.unmet:
            lacking.setdefault(place, Counter())[card.agency] += 1
    now, ahead = demands_on(pack, today), demands_on(pack, today, ahead=True)
    later = [(one, lacking.get(pack.requirements.index(one.row), Counter())) for one in ahead]
    names = [site.snapshot.agencies.get(one) for _, several in later for one in several]
    yield from pages(
        site,
        "law",
        template="law.html",
        key=repr([[sorted(several.items()) for _, several in later], names]),
        view=partial(_view, site=site, now=now, later=later),
    )
    news = sorted((one for one in (*now, *ahead) if one.row.known), key=lambda one: one.row.known)
    beginning = (events[0].at if events else site.snapshot.as_of).isoformat()
    for tag, edition in site.editions.items():
        for ending, write in FORMATS.items():
            yield Page(
                file=f"feeds/{tag}/law.{ending}",
                key=digest(site.fingerprint, "law", beginning),
                render=partial(
                    _feed,
                    edition.reader,
                    site=site,
                    rows=news[::-1],
                    beginning=beginning,
                    write=write,
                ),
                listed=False,
            )


@cache
def demands_on(pack: Pack, day: dt.date, *, ahead: bool = False) -> Sequence[Demand]:
    """Return what the law asks for on a day, or is known to ask for later, in the pack's order."""
    found = {one.row: one for _, _, one in law_of(pack, day, ahead=ahead).demands}
    return [found[row] for row in pack.requirements if row in found]


def _view(
    reader: Reader,
    *,
    site: Site,
    now: Iterable[Demand],
    later: Iterable[tuple[Demand, Mapping[str, int]]],
) -> dict[str, Any]:
    return {
        "now": [demand_view(reader, one) for one in now],
        "later": [
            demand_view(reader, one)
            | {
                "total": sum(several.values()),
                "agencies": [
                    {**agency_view(reader, site, agency), "n": n} for agency, n in several.items()
                ],
            }
            for one, several in sorted(later, key=lambda one: one[0].row.since)
        ],
    }


def upcoming_view(reader: Reader, cards: Sequence[Card], today: dt.date) -> list[dict[str, Any]]:
    """Return what the law will ask for of the records of an agency, with those that lack it."""
    pack = reader.pack
    found = []
    for one in demands_on(pack, today, ahead=True):
        place = pack.requirements.index(one.row)
        lacking = [card for card in cards if place in card.unmet]
        if lacking:
            named = [
                {"id": card.id, "name": say(reader, card.name, card.written)} for card in lacking
            ]
            found.append(demand_view(reader, one) | {"records": named})
    return sorted(found, key=lambda one: str(one["since"]))


def asked_since(card: Card, pack: Pack, published: dt.date, today: dt.date) -> list[Demand]:
    """Return what a record does not state and the law did not ask for when it was published.

    It asks for it today, or is known to ask for it from a later day on.
    """
    rows = (*demands_on(pack, today), *demands_on(pack, today, ahead=True))
    asked = {one.row.asks for one in demands_on(pack, published)}
    return [
        one
        for one in rows
        if one.row.since > published.isoformat()
        and one.row.asks not in asked
        and pack.requirements.index(one.row) in card.unmet
    ]


def demand_view(reader: Reader, demand: Demand) -> dict[str, Any]:
    """Return the view of a row of the law: what it asks for, of which records, and from when."""
    row, own = demand.row, {one.name: one for one in reader.pack.conditions}
    condition = demand.condition
    fact = fact_named(demand.pointer) if row.asks and condition is None else ""
    return {
        "id": row_id(row),
        "law": say(reader, demand.law) or as_it_is(reader, row.law),
        "article": row.article,
        "asks": _fact(reader, condition)
        if condition
        else {"title": fact_title(reader, fact), "test": "words"},
        "stated": bool(row.asks),
        "lacking": f"search?lacks={fact}" if fact in facts() and not demand.level else "",
        "applies": [
            [
                _fact(reader, own[name])
                if name in own
                else {"title": _reason(reader, name), "test": "words"}
                for name in names
            ]
            for names in read_notation(row.when)
        ],
        "outcome": row.outcome,
        "level": demand.level and label(reader, "risk_level", demand.level),
        "since": row.since,
        "until": row.until,
        "confirmed": bool(row.confirmed_by),
        "confirmed_by": row.confirmed_by,
        "confirmed_on": row.confirmed_on,
        "note": say(reader, row.note),
    }


def row_id(row: LegalRequirement) -> str:
    """Return the anchor of a row on the page: its code, with its first day where it has one."""
    return f"{row.code}-{row.since}" if row.since else row.code


def _reason(reader: Reader, name: str) -> Text:
    if name == ALWAYS:
        return translated(reader, _EVERY)
    words = render(
        sentence(conditions()[name].reason), PlainLanguage(reader.tag), reader.pack.fallback
    )
    return in_language(reader, words, reader.tag)


def _fact(reader: Reader, condition: LegalCondition) -> dict[str, Any]:
    """Return a condition as the name of a fact, a test, and what it is compared with."""
    if condition.path == TEXT:
        values = [language(reader, condition.value)]
        return {"title": translated(reader, _TEXTS), "test": "is", "values": values}
    if condition.path == KIND:
        kinds = [AGENCY_KINDS[code] for code in condition.codes if code in AGENCY_KINDS]
        values = [translated(reader, one) for one in kinds]
        return {"title": translated(reader, _KIND), "test": condition.test, "values": values}
    name = fact_named(condition.path)
    title, codes = fact_title(reader, name), [code for code in condition.codes if code]
    if condition.test in {"before", "from"}:
        return {"title": title, "test": condition.test, "values": codes}
    known = FilterLabels(reader, reader.pack.agencies, {})
    values = [
        as_it_is(reader, code) if stated_values(name) is None else known.word(name, code)
        for code in codes
    ]
    return {"title": title, "test": condition.test if values else "has", "values": values}


def fact_named(pointer: str) -> str:
    """Return the name of the fact at a place of the format."""
    return ".".join(part for part in parts(pointer) if part != "*")


def _feed(
    reader: Reader, *, site: Site, rows: Sequence[Demand], beginning: str, write: FeedWriter
) -> bytes:
    """Return the feed of what became known of the law, newest first."""
    edition, host = site.editions[reader.tag], urlsplit(site.base_url).hostname
    own, title = say(reader, site.snapshot.pack.site_name), translated(reader, _TITLE).text
    home = f"{site.base_url}/{reader.tag}/law"
    items = []
    for demand in rows:
        row, view = demand.row, demand_view(reader, demand)
        level = view["level"] if not view["stated"] else None
        asked = level or view["asks"]["title"]
        day = format_date(row.since, reader.locale.babel)
        since = translated(reader, _SINCE).text % {"date": day} if row.since else ""
        note = view["note"].text if view["note"] else ""
        items.append(
            Item(
                id=f"tag:{host},{row.known}:law/{quote(row.code)}/{row.since}/{reader.tag}",
                url=f"{home}#{row_id(row)}",
                title=f"{law_words(reader, row).text} – {asked.text}",
                text="\n".join(text for text in (since, note) if text),
                at=f"{row.known}T00:00:00Z",
                tags=[],
            )
        )
    return write(
        Feed(
            title=f"{title} – {own.text}" if own else title,
            lang=reader.tag,
            set_in=reader.locale.tag,
            address=f"{site.base_url}/feeds/{reader.tag}/law",
            introduction=introduce(edition, site.base_url),
            home=home,
            updated=items[0].at if items else beginning,
            items=items,
        )
    )
