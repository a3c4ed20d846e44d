"""The page of statistics in each language, and each of its tables as a file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from registry.pages.page import Page, content_page, digest
from registry.pages.reader import Reader
from registry.pages.site import Site, page
from registry.pages.views.statistics_tables import tables
from registry.pages.views.tables import as_csv
from registry.text.catalogues import find


def statistics_pages(site: Site) -> Iterator[Page]:
    """Yield the statistics in each language, with a file for each table."""
    counted = site.snapshot.counted
    for tag, edition in site.editions.items():
        made = tables(edition.reader, site, counted) if counted else []
        known: dict[str, Any] = {
            "tables": made,
            "total": counted.by_code.local.records if counted else 0,
            "copied_total": counted.by_code.foreign.records if counted else 0,
            "examples_only": bool(counted and counted.by_code.fictitious),
            "as_of": site.snapshot.as_of.date().isoformat(),
            "log_size": site.snapshot.register.size,
        }
        key = digest(msgspec.json.encode(known))
        yield page(
            site,
            tag,
            "statistics",
            template="statistics.html",
            key=key,
            view=partial(dict[str, Any], known),
        )
        say = partial(_say, edition.reader)
        for table in made:
            yield content_page(f"{tag}/statistics/{table.id}.csv", as_csv(table, say))


def _say(reader: Reader, wording: str) -> str:
    return find(reader.catalogues, reader.order, wording)[1]
