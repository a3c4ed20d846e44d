"""The registers that are watched: since when, whether they are in order, and what is set apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from registry.pages.page import Page, digest
from registry.pages.reader import Reader
from registry.pages.site import Site, pages
from registry.pages.views.lists import origin_view
from registry.services.peer_standing import PeerStanding
from registry.text.folding import fold

_ADDRESS = "peers"


def peer_pages(site: Site) -> Iterator[Page]:
    """Yield the page of the registers that are watched, if any is or was."""
    standings = site.snapshot.peers
    if standings:
        yield from pages(
            site,
            _ADDRESS,
            template="peers.html",
            key=digest(shown_digest(standings)),
            view=partial(_view, site=site, standings=standings),
        )


def shown_digest(standings: Sequence[PeerStanding]) -> str:
    """Return the digest of what the page shows of peers: days, not times of looks at them."""
    return digest(msgspec.json.encode([_facts(one) for one in standings])) if standings else ""


def _facts(one: PeerStanding) -> dict[str, Any]:
    return {
        "code": one.code,
        "log": one.log,
        "state": one.state,
        "why": one.why,
        "since": one.since.date().isoformat(),
        "seen_on": one.seen_at and one.seen_at.date().isoformat(),
        "tried_on": one.tried_at and one.tried_at.date().isoformat(),
        "size": one.size,
        "applied": one.applied,
        "records": one.records,
        "set_apart": [[each.record, each.why] for each in one.set_apart],
        "evidence": one.evidence,
    }


def _view(reader: Reader, *, site: Site, standings: Sequence[PeerStanding]) -> dict[str, Any]:
    rows = [_facts(one) | origin_view(reader, site, one.code) for one in standings]
    return {"peers": sorted(rows, key=lambda row: fold(row["origin_name"].text))}
