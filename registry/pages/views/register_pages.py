"""Other registers: those that records come from, those that are watched, witnesses of the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec

from registry.hub.standing import PeerStanding
from registry.pages.labels import plural_message
from registry.pages.page import Page, digest
from registry.pages.reader import Reader, language
from registry.pages.site import Site, pages
from registry.pages.views.lists import origin_view
from registry.record.origin import Origin
from registry.services.log.witness_client import checkpoint_address
from registry.services.log.witness_policy import WitnessStanding, can_be_asked
from registry.store.imports import ImportRun, OriginSize
from registry.text.folding import sort_key

SHOWN_IMPORTS = 50
"""The imports on a register's page; the API lists those before them."""

_COUNTED = {
    "added": plural_message("%(n)s new record", "%(n)s new records"),
    "changed": plural_message("%(n)s changed record", "%(n)s changed records"),
    "undated": plural_message(
        "%(n)s of them without a date at the source", "%(n)s of them without a date at the source"
    ),
    "moved": plural_message("%(n)s moved to another agency", "%(n)s moved to another agency"),
    "gone": plural_message("%(n)s no longer at its source", "%(n)s no longer at their source"),
    "returned": plural_message("%(n)s at its source again", "%(n)s at their source again"),
    "ended": plural_message("%(n)s withdrawn at its source", "%(n)s withdrawn at their source"),
    "erased": plural_message("%(n)s redacted at its source", "%(n)s redacted at their source"),
    "refused": plural_message("%(n)s refused row", "%(n)s refused rows"),
}
"""The counts of an import that are shown where they are not 0, in English: for one, for several."""


def origin_pages(site: Site) -> Iterator[Page]:
    """Yield the index of other registers and a page of each, if something came from any."""
    snapshot = site.snapshot
    watched = {one.code for one in snapshot.peers}
    codes = sorted({*snapshot.sizes, *snapshot.imports, *watched})
    if not codes:
        return
    sizes = {code: snapshot.sizes.get(code, OriginSize(records=0, gone=0)) for code in codes}
    yield from pages(
        site,
        "registers/",
        template="registers.html",
        key=digest(msgspec.json.encode([sizes, bool(watched)])),
        view=partial(_index, site=site, sizes=sizes, watched=bool(watched)),
    )
    for code in codes:
        runs = snapshot.imports.get(code, ())
        yield from pages(
            site,
            f"registers/{code}",
            template="register.html",
            key=digest(msgspec.json.encode([sizes[code], runs, code in watched])),
            view=partial(
                _origin,
                site=site,
                code=code,
                size=sizes[code],
                runs=runs,
                watched=code in watched,
            ),
        )


def _index(
    reader: Reader, *, site: Site, sizes: dict[str, OriginSize], watched: bool
) -> dict[str, Any]:
    rows = [_head(reader, site, code) | {"size": size} for code, size in sizes.items()]
    ordered = sorted(rows, key=lambda row: sort_key(row["origin_name"].text))
    return {"registers": ordered, "watched": watched}


def _origin(
    reader: Reader,
    *,
    site: Site,
    code: str,
    size: OriginSize,
    runs: Sequence[ImportRun],
    watched: bool,
) -> dict[str, Any]:
    return {
        "watched": watched,
        "register": _head(reader, site, code),
        "size": size,
        "runs": [_run(run) for run in runs],
        "is_cut": len(runs) == SHOWN_IMPORTS,
    }


def _head(reader: Reader, site: Site, code: str) -> dict[str, Any]:
    known = site.snapshot.origins.get(code) or Origin(code=code, title=code)
    return origin_view(reader, site, code) | {
        "written_in": language(reader, known.language) if known.language else None,
    }


def _run(run: ImportRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "day": run.begun_at.date().isoformat(),
        "as_of": run.as_of and run.as_of.isoformat(),
        "ended": run.ended_at is not None,
        "complete": run.complete,
        "file": run.file_name,
        "sha256": run.file_sha256,
        "counts": [
            (*words, number)
            for name, words in _COUNTED.items()
            if (number := getattr(run.counts, name))
        ],
    }


_PEERS = "peers"


def peer_pages(site: Site) -> Iterator[Page]:
    """Yield the page of the registers that are watched, if any is or was."""
    standings = site.snapshot.peers
    if standings:
        yield from pages(
            site,
            _PEERS,
            template="peers.html",
            key=digest(shown_digest(standings)),
            view=partial(_peer_view, site=site, standings=standings),
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


def _peer_view(reader: Reader, *, site: Site, standings: Sequence[PeerStanding]) -> dict[str, Any]:
    rows = [_facts(one) | origin_view(reader, site, one.code) for one in standings]
    return {"peers": sorted(rows, key=lambda row: sort_key(row["origin_name"].text))}


_WITNESSES = "witnesses"


def witness_pages(site: Site) -> Iterator[Page]:
    """Yield the page of the log's witnesses; without any it says so."""
    standings, origin = site.snapshot.witnesses, site.snapshot.origin
    yield from pages(
        site,
        _WITNESSES,
        template="witnesses.html",
        key=digest(origin, signed_digest(standings)),
        view=partial(_witness_view, site=site, standings=standings, origin=origin),
    )


def signed_digest(standings: Sequence[WitnessStanding]) -> str:
    """Return the digest of what the page shows of witnesses: days, not times of signatures."""
    facts = [
        [one.name, one.url, one.cosigned_at and one.cosigned_at.date(), one.alarm is not None]
        for one in standings
    ]
    return digest(msgspec.json.encode(facts)) if facts else ""


def _witness_view(
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
