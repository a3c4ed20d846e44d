"""Who else signs the log: its witnesses, and how anybody compares what they have seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec

from registry.pages.page import Page, digest
from registry.pages.reader import Reader
from registry.pages.site import Site, pages
from registry.services.witness_client import checkpoint_address
from registry.services.witness_policy import WitnessStanding, can_be_asked

_ADDRESS = "witnesses"


def witness_pages(site: Site) -> Iterator[Page]:
    """Yield the page of the log's witnesses; without any it says so."""
    standings, origin = site.snapshot.witnesses, site.snapshot.origin
    yield from pages(
        site,
        _ADDRESS,
        template="witnesses.html",
        key=digest(origin, signed_digest(standings)),
        view=partial(_view, site=site, standings=standings, origin=origin),
    )


def signed_digest(standings: Sequence[WitnessStanding]) -> str:
    """Return the digest of what the page shows of witnesses: days, not times of signatures."""
    facts = [
        [one.name, one.url, one.cosigned_at and one.cosigned_at.date(), one.alarm is not None]
        for one in standings
    ]
    return digest(msgspec.json.encode(facts)) if facts else ""


def _view(
    _: Reader, *, site: Site, standings: Sequence[WitnessStanding], origin: str
) -> dict[str, Any]:
    return {
        "witnesses": [
            {
                "name": one.name,
                "host": urlsplit(one.url).hostname if one.url else None,
                "copy": checkpoint_address(one.url, origin)
                if one.url and can_be_asked(one.url)
                else None,
                "signed_on": one.cosigned_at and one.cosigned_at.date().isoformat(),
                "refuses": one.alarm is not None,
            }
            for one in standings
        ],
        "own": f"{site.base_url}/log/{'witnessed' if standings else 'checkpoint'}",
        "policy": f"{site.base_url}/log/policy",
    }
