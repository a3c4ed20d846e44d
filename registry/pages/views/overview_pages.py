"""The overview of the ways to browse: each kind of list with what stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from registry.pages.cards import HIGH, copied, counted
from registry.pages.page import Page, digest
from registry.pages.reader import Reader
from registry.pages.site import Site, pages
from registry.record.statuses import RUNNING


def overview_pages(site: Site) -> Iterator[Page]:
    """Yield the overview in each language."""
    facts = _facts(site)
    key = digest(msgspec.json.encode(facts))
    yield from pages(
        site, "browse", template="overview.html", key=key, view=partial(_view, facts=facts)
    )


def _facts(site: Site) -> dict[str, Any]:
    cards = [card for card in site.cards.values() if not card.withdrawn]
    here = counted(cards)
    running = [card for card in here if card.status in RUNNING]
    country = site.snapshot.pack.country
    filed = {card.agency for card in here}
    agencies = [one for one in site.snapshot.agencies.values() if not one.origin]
    return {
        "total": len(here),
        "copied_total": len(copied(cards)),
        "sectors": len({card.sector for card in here}),
        "high": sum(card.risk in HIGH for card in running),
        "agencies": len(agencies),
        "silent": sum(
            one.id not in filed and one.id not in site.snapshot.attestations for one in agencies
        ),
        "regions": len(site.lists["pack/regions"]) - 1,
        "whole": sum(country in card.territory for card in here),
        "running": len(running),
        "registers": bool(site.snapshot.sizes or site.snapshot.imports or site.snapshot.peers),
    }


def _view(_: Reader, *, facts: dict[str, Any]) -> dict[str, Any]:
    return facts
