"""The other registers that records come from: whose they are, and each import of their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from registry.pages.labels import plural_message
from registry.pages.page import Page, digest
from registry.pages.reader import Reader, language
from registry.pages.site import Site, pages
from registry.pages.views.lists import origin_view
from registry.record.origin import Origin
from registry.store.imports import ImportCounts, ImportRun, OriginSize
from registry.text.folding import fold

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
    ordered = sorted(rows, key=lambda row: fold(row["origin_name"].text))
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
        "counts": _shown_counts(run.counts),
    }


def _shown_counts(counts: ImportCounts) -> list[tuple[str, str, int]]:
    return [
        (*words, number) for name, words in _COUNTED.items() if (number := getattr(counts, name))
    ]
