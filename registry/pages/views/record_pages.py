"""The pages of each record: as it stands or its tombstone, every version, and their comparison."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import msgspec

from registry.pages.cards import Card
from registry.pages.page import Page, digest
from registry.pages.reader import Reader
from registry.pages.record_digests import RecordDigest
from registry.pages.site import Site, pages
from registry.pages.views.kit_pages import has_notice, notice_pages
from registry.pages.views.letter_pages import record_letter_pages
from registry.pages.views.lists import has_letter
from registry.pages.views.record_view import record_page_view
from registry.pages.views.tombstone_view import tombstone_view
from registry.pages.views.version_view import compare_view, version_view
from registry.record.model import NOT_STATED

Task: TypeAlias = tuple[str, str]

_MOST_SIMILAR = 4


def record_pages(site: Site) -> Iterator[Page]:
    """Yield the pages of every record, in each language, those of one record together."""
    today = site.snapshot.as_of.date()
    tasks = by_task(site.cards.values())
    for name, record in site.records.items():
        card, last = record.card, len(record.versions)
        alike = [] if card.withdrawn else similar(card, tasks)
        related = [
            (other.id, other.name, other.withdrawn)
            for related in (*record.related, *_successors(record))
            if (other := site.cards.get(related)) is not None
        ]
        key = digest(msgspec.json.encode([record.seen, card.is_overdue(today), related]))
        yield from pages(
            site,
            f"records/{name}",
            template="tombstone.html" if card.withdrawn else "record.html",
            key=digest(key, *(other.digest for other in alike)),
            view=partial(_record, site=site, name=name, alike=alike),
            listed=not card.withdrawn,
            needs=(name,),
        )
        if has_letter(site, card):
            yield from record_letter_pages(site, name, key)
        if has_notice(card):
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


def _successors(record: RecordDigest) -> list[str]:
    """Return the records that a withdrawal of a record says to be in its place."""
    return [one.successor for one in record.withdrawals if one.successor]


def _record(reader: Reader, *, site: Site, name: str, alike: Sequence[Card]) -> dict[str, Any]:
    versions = site.histories[name]
    if site.cards[name].withdrawn:
        return tombstone_view(reader, versions[-1], site)
    return record_page_view(reader, versions, site, alike=alike)


def _version(reader: Reader, *, site: Site, name: str, number: int) -> dict[str, Any]:
    return version_view(reader, site.histories[name], number, site)


def _compare(reader: Reader, *, site: Site, name: str) -> dict[str, Any]:
    *_, before, latest = site.histories[name]
    return compare_view(
        reader, latest, latest.versions, (before, latest), agencies=site.snapshot.agencies
    )
