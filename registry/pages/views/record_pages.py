"""The pages of each record: in force or its tombstone, every version, and their comparison."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import msgspec

from registry.log.register import StoredRecord, VersionLine
from registry.pages.cards import Card
from registry.pages.digests import RecordDigest
from registry.pages.labels import message
from registry.pages.page import Page, digest
from registry.pages.pictures import picture_page
from registry.pages.reader import (
    Reader,
    Text,
    as_it_is,
    label,
    reader_of_origin,
    say,
    translated,
)
from registry.pages.short_links import short_address
from registry.pages.site import Site, page, pages
from registry.pages.views.diff_view import changes_view, news_view
from registry.pages.views.document_view import show
from registry.pages.views.kit_pages import notice_pages
from registry.pages.views.law_pages import asked_since, demand_view
from registry.pages.views.letter_pages import record_letter_pages
from registry.pages.views.lists import (
    APPROVED_BY,
    agency_view,
    card_row,
    card_tag,
    card_words,
    change_view,
    has_card,
    has_letter,
    history_view,
    origin_view,
)
from registry.pages.views.record_view import (
    kit_of,
    links,
    public_before,
    read_document,
    read_languages,
    record_page_view,
    record_view,
    register_notices,
)
from registry.record.law import Demand
from registry.record.model import NOT_STATED
from registry.record.observations import observed
from registry.record.pack import Agency
from registry.text.dates import format_date


def tombstone_view(reader: Reader, record: StoredRecord, site: Site) -> dict[str, Any]:
    """Build the tombstone; the last version's name and contact stand in it, and nothing else."""
    document = msgspec.json.decode(record.document)
    contact = {"contact": document.get("contact") or {}}
    written = site.cards[record.id].written
    withdrawals = site.records[record.id].withdrawals
    last, *before = history_view(reader, site, record)
    successor = site.cards.get(withdrawals[-1].successor or "")
    known = {
        "id": record.id,
        "name": say(reader, document.get("name"), written),
        "shown": reader.tag,
        "agency": agency_view(reader, site, record.agency),
        "notices": register_notices(record, origin_view(reader, site, record.register.origin)),
        "withdrawal": last | {"hash": withdrawals[-1].hash, "successor": withdrawals[-1].successor},
        "contact": show(reader, contact, {}, written)["contact"],
        "successor": successor and say(reader, successor.name, successor.written),
        "compared": record.register.version > 1,
        "links": links(reader, record, document, site.base_url),
        "kit": kit_of(site, record),
        "letter": has_letter(site, site.cards[record.id]),
        "history": [last | {"note": None}, *before],  # its note stands above
    }
    return {"r": known}


def version_view(
    reader: Reader, versions: Sequence[StoredRecord], number: int, site: Site
) -> dict[str, Any]:
    """Build the page of version `number` of a record; `versions` are all, oldest first.

    Of the version in force only what it changed stands here: the rest is the record's own page.
    """
    latest, shown = versions[-1], versions[number - 1]
    before = versions[number - 2] if number > 1 else None
    view = record_view(reader, msgspec.structs.replace(shown, versions=latest.versions), site)
    view["r"]["public_before"] = public_before(reader, versions[:number])
    register = shown.register
    # What is late is late today: a version that others followed promised nothing for today.
    view["r"]["overdue"] &= shown is latest
    view["r"]["observations"] = view["r"]["observations"] if shown is latest else []
    levels = [
        (read_document(one.document).get("risk") or {}).get("level", NOT_STATED)
        for one in (before or shown, shown)
    ]
    view["v"] = {
        "number": number,
        "last": latest.register.version,
        "withdrawn": latest.register.state == "withdrawn",
        "in_force": shown is latest and latest.register.state != "withdrawn",
        "superseded_on": register.superseded_at and register.superseded_at.date().isoformat(),
        "note": say(reader, latest.versions[number - 1].change_note),
        "changed_on": latest.versions[number - 1].changed_on or None,
        "approved_by": APPROVED_BY.get(latest.versions[number - 1].approved_by),
        "risk": [label(reader, "risk_level", level) for level in levels]
        if levels[0] != levels[1]
        else None,
        "agencies": before and _agencies(reader, (before, shown), site.snapshot.agencies),
        "sections": changes_view(reader, before.document, shown.document) if before else [],
    }
    return view


def compare_view(
    reader: Reader,
    latest: StoredRecord,
    lines: Sequence[VersionLine],
    pair: tuple[StoredRecord, StoredRecord] | None,
    missing: Sequence[str] = (),
    *,
    agencies: Mapping[str, Agency],
    source: Mapping[str, Any],
) -> dict[str, Any]:
    """Build the comparison of two versions, the earlier first; `lines` are all, oldest first.

    One version twice is no pair to compare. `missing` are numbers that were asked for and that no
    version has; then there is no pair, and the latest two are proposed. `agencies` has those of the
    pair that have names; `source` is the view of the register that the record comes from.
    """
    if pair is None:
        numbers = [line.version for line in lines[-2:]]
    else:
        numbers = [one.register.version for one in pair]
    return {
        "r": {
            "id": latest.id,
            "origin": latest.register.origin,
            "notices": register_notices(latest, source),
            "name": say(
                reader, read_document(latest.document).get("name"), read_languages(latest.document)
            ),
        },
        "lines": [change_view(reader, line) for line in reversed(lines)],
        "numbers": numbers,
        "missing": missing,
        "pair": {
            "before": numbers[0],
            "after": numbers[1],
            "line": next(change_view(reader, line) for line in lines if line.version == numbers[1]),
            "agencies": _agencies(reader, pair, agencies),
            "news": news_view(reader, *(one.document for one in pair)),
            "sections": changes_view(reader, *(one.document for one in pair)),
        }
        if pair is not None and numbers[0] != numbers[1]
        else None,
    }


def _agencies(
    reader: Reader, pair: tuple[StoredRecord, StoredRecord], agencies: Mapping[str, Agency]
) -> list[Text] | None:
    """Return the names of the agencies of two versions, None where it is one."""
    before, after = (one.agency for one in pair)
    if before == after:
        return None
    return [
        ((known := agencies.get(name)) and say(reader, known.name)) or as_it_is(reader, name)
        for name in (before, after)
    ]


Task: TypeAlias = tuple[str, str]

_MOST_SIMILAR = 4
_VERSION = message("Version %(version)s")


def record_pages(site: Site) -> Iterator[Page]:
    """Yield the pages of every record, in each language, those of one record together."""
    today = site.day
    tasks = by_task(site.cards.values())
    for name, record in site.records.items():
        card, last = record.card, len(record.versions)
        alike = [] if card.withdrawn else similar(card, tasks)
        related = [
            (other.id, other.name, other.withdrawn)
            for related in (*record.related, *(one.successor for one in record.withdrawals))
            if (other := site.cards.get(related or "")) is not None
        ]
        shown = observed(record.stated.observations, today)
        law = [] if card.withdrawn else _asked_since(site, record)
        key = digest(msgspec.json.encode([record.seen, shown, related]))
        yield from pages(
            site,
            f"records/{name}",
            template="tombstone.html" if card.withdrawn else "record.html",
            key=digest(key, *(other.digest for other in alike)),
            view=partial(_record, site=site, name=name, alike=alike, law=law),
            listed=not card.withdrawn,
            needs=(name,),
        )
        if card.origin is None:
            yield from _card_pages(site, card)
        if has_letter(site, card):
            yield from record_letter_pages(site, name, key)
        if card.short_code is not None and not card.withdrawn:
            yield from notice_pages(site, name, key)
        for number in range(1, last + 1):
            yield from pages(
                site,
                f"records/{name}/versions/{number}",
                template="version.html",
                key=key,
                view=partial(_version, site=site, name=name, number=number),
                listed=False,
                needs=(name,),
            )
        if last > 1:
            yield from pages(
                site,
                f"records/{name}/compare",
                template="compare.html",
                key=key,
                view=partial(_compare, site=site, name=name),
                listed=False,
                needs=(name,),
            )


def _asked_since(site: Site, record: RecordDigest) -> Sequence[Demand]:
    pack = site.snapshot.pack
    published = pack.day(record.versions[-1].published_at)
    return asked_since(record.card, pack, published, site.day)


def _card_pages(site: Site, card: Card) -> Iterator[Page]:
    """Yield what others show of a record: its card as a picture, and its head to embed.

    Of a withdrawn one the head says so, in the frames in which it stands.
    """
    for tag, edition in site.editions.items():
        reader = edition.reader
        name, agency, words = card_words(reader, site, card)
        if has_card(card) and card_tag(reader, card) == tag:
            version = translated(reader, _VERSION).text % {"version": card.version}
            day = format_date(card.published_on, reader.locale.babel)
            shown = {
                "name": name,
                "agency": agency,
                "risk": label(reader, "risk_level", card.risk),
                "status": label(reader, "status", card.status),
                "source": f"{version} – {day}",
                "address": short_address(site.base_url, card.short_code or "").partition("://")[2],
                "fictitious": card.fictitious,
            }
            yield picture_page(site, tag, f"records/{card.id}/card", shown, template="record.svg")
        head = {
            "c": card_row(reader, site, card),
            "table": None,
            "name": words,
            "back": f"records/{card.id}",
            "as_of": card.published_on,
        }
        key, view = digest(msgspec.json.encode(head)), partial(dict[str, Any], head)
        path = f"records/{card.id}/embed"
        yield page(site, tag, path, template="embed.html", key=key, view=view, listed=False)


def by_task(cards: Iterable[Card]) -> dict[Task, list[Card]]:
    """Return the records in force that state their sector and task, by these and in order."""
    groups: dict[Task, list[Card]] = {}
    for card in cards:
        if not card.withdrawn and NOT_STATED not in {card.sector, card.function}:
            groups.setdefault((card.sector, card.function), []).append(card)
    for group in groups.values():
        group.sort(key=_place)
    return groups


def similar(card: Card, groups: Mapping[Task, Sequence[Card]]) -> list[Card]:
    """Return records of the same task in the same sector, at the same level of risk first.

    What is filed here comes before what was copied. Neighbours in one order are taken, not the best
    of all, so that a new record changes the pages of few.
    """
    group = groups.get((card.sector, card.function), ())
    here = bisect_left(group, _place(card), key=_place)
    start = max(0, min(here - _MOST_SIMILAR // 2, len(group) - _MOST_SIMILAR - 1))
    near = group[start : start + _MOST_SIMILAR + 1]
    return [other for other in near if other.id != card.id][:_MOST_SIMILAR]


def _place(card: Card) -> tuple[bool, str, str]:
    return (card.origin is not None, card.risk, card.id)


def _record(
    reader: Reader, *, site: Site, name: str, alike: Sequence[Card], law: Sequence[Demand]
) -> dict[str, Any]:
    versions = site.histories[name]
    reader = _reader_of(reader, site, name)
    if site.cards[name].withdrawn:
        return tombstone_view(reader, versions[-1], site)
    view = record_page_view(reader, versions, site, alike=alike)
    return view | {"asked_since": [demand_view(reader, one) for one in law]}


def _version(reader: Reader, *, site: Site, name: str, number: int) -> dict[str, Any]:
    return version_view(_reader_of(reader, site, name), site.histories[name], number, site)


def _reader_of(reader: Reader, site: Site, name: str) -> Reader:
    return reader_of_origin(reader, site.snapshot.origins.get(site.cards[name].origin or ""))


def _compare(reader: Reader, *, site: Site, name: str) -> dict[str, Any]:
    *_, before, latest = site.histories[name]
    own = _reader_of(reader, site, name)
    return compare_view(
        own,
        latest,
        latest.versions,
        (before, latest),
        agencies=site.snapshot.agencies,
        source=origin_view(own, site, latest.register.origin),
    )
