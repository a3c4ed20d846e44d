"""The pages of each record: as it stands or its tombstone, every version, and their comparison."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from registry.pages.cards import read_related
from registry.pages.page import digest
from registry.pages.similar import by_task, similar
from registry.pages.site import pages
from registry.pages.view_record import record_page_view
from registry.pages.view_tombstone import tombstone_view
from registry.pages.view_version import compare_view, version_view

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from registry.pages.page import Page
    from registry.pages.site import Site
    from registry.store.records import StoredRecord


def record_pages(site: Site) -> Iterator[Page]:
    """Yield every page of every record, in each language."""
    groups = by_task(site.cards.values())
    for record in site.corpus.records:
        card = site.cards[record.id]
        gone = card.withdrawn
        alike = [] if gone else similar(card, groups)
        versions = (*site.corpus.earlier.get(record.id, ()), record)
        around = _around(site, versions)
        key = digest(around, record.document, *(other.digest for other in alike))
        view = tombstone_view if gone else partial(record_page_view, alike=alike)
        yield from pages(
            site,
            f"records/{record.id}",
            key=key,
            template="tombstone.html" if gone else "record.html",
            view=partial(view, record=record, site=site),
            listed=not gone,
        )
        yield from _history(site, versions, around)


def _around(site: Site, versions: Sequence[StoredRecord]) -> bytes:
    """Gather what any page of a record shows beside the documents; `versions` are all it has."""
    record = versions[-1]
    related = {name for version in versions for name in read_related(version.document)}
    return msgspec.json.encode(
        [
            record.register,
            record.versions,
            site.corpus.withdrawals.get(record.id, ()),
            site.corpus.agencies.get(record.agency),
            site.cards[record.id].is_overdue(site.corpus.as_of.date()),
            [
                (card.id, card.name, card.withdrawn)
                for name in sorted(related)
                if (card := site.cards.get(name)) is not None
            ],
        ]
    )


def _history(site: Site, versions: Sequence[StoredRecord], around: bytes) -> Iterator[Page]:
    record = versions[-1].id
    digests = [digest(version.document) for version in versions]
    for number, version in enumerate(versions, start=1):
        yield from pages(
            site,
            f"records/{record}/versions/{number}",
            key=digest(
                around, msgspec.json.encode(version.register), *digests[max(0, number - 2) : number]
            ),
            template="version.html",
            view=partial(version_view, versions=versions, number=number, site=site),
            listed=False,
        )
    if len(versions) > 1:
        yield from pages(
            site,
            f"records/{record}/compare",
            key=digest(around, *digests),
            template="compare.html",
            view=partial(compare_view, versions=versions),
            listed=False,
        )
