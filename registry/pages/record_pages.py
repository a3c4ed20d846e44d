"""The pages of each record: as it stands or its tombstone, every version, and their comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from registry.pages.cards import Card
from registry.pages.known import Known
from registry.pages.page import Group, Page, digest
from registry.pages.similar import by_task, similar
from registry.pages.site import Site, pages
from registry.pages.view_record import record_page_view
from registry.pages.view_tombstone import tombstone_view
from registry.pages.view_version import compare_view, version_view
from registry.store.records import StoredRecord


def record_groups(site: Site) -> Iterator[Group]:
    """Yield the pages of every record, in each language."""
    groups = by_task(site.cards.values())
    for name, known in site.known.items():
        alike = [] if known.card.withdrawn else similar(known.card, groups)
        around = _around(site, known)
        yield Group(
            name=f"records/{name}",
            key=digest(site.ground, around, *(other.digest for other in alike)),
            pages=partial(_pages, site, name, alike, around),
            needs=(name,),
        )


def _around(site: Site, known: Known) -> bytes:
    """Gather what the pages of a record show of itself, and what they say of others and today."""
    related = [
        (card.id, card.name, card.withdrawn)
        for name in known.related
        if (card := site.cards.get(name)) is not None
    ]
    today = site.corpus.as_of.date()
    return msgspec.json.encode([known.seen, known.card.is_overdue(today), related])


def _pages(site: Site, name: str, alike: Sequence[Card], around: bytes) -> Iterator[Page]:
    versions = site.histories[name]
    record, gone = versions[-1], site.cards[name].withdrawn
    view = tombstone_view if gone else partial(record_page_view, alike=alike)
    yield from pages(
        site,
        f"records/{name}",
        key=digest(around, *(other.digest for other in alike)),
        template="tombstone.html" if gone else "record.html",
        view=partial(view, record=record, site=site),
        listed=not gone,
    )
    yield from _history(site, versions, around)


def _history(site: Site, versions: Sequence[StoredRecord], around: bytes) -> Iterator[Page]:
    record = versions[-1].id
    for number in range(1, len(versions) + 1):
        yield from pages(
            site,
            f"records/{record}/versions/{number}",
            key=digest(around),
            template="version.html",
            view=partial(version_view, versions=versions, number=number, site=site),
            listed=False,
        )
    if len(versions) > 1:
        yield from pages(
            site,
            f"records/{record}/compare",
            key=digest(around),
            template="compare.html",
            view=partial(compare_view, versions=versions),
            listed=False,
        )
