"""The page of statistics in each language, and each of its tables as a file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from registry.pages.page import Page, digest
from registry.pages.reader import Reader
from registry.pages.site import Site, page
from registry.pages.tables import as_csv
from registry.pages.view_statistics import tables
from registry.text.catalogues import find


def statistics_pages(site: Site) -> Iterator[Page]:
    """Yield the statistics in each language, with a file for each table."""
    counted = site.corpus.counted
    for tag, edition in site.editions.items():
        made = tables(edition.reader, site, counted) if counted else []
        known: dict[str, Any] = {
            "tables": made,
            "total": counted.by_code.local.records if counted else 0,
            "copied_total": counted.by_code.foreign.records if counted else 0,
            "examples_only": bool(counted and counted.by_code.fictitious),
            "as_of": site.corpus.as_of.date().isoformat(),
            "log_size": site.corpus.log_size,
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
            content = as_csv(table, say)
            yield Page(
                file=f"{tag}/statistics/{table.id}.csv",
                key=digest(content),
                render=partial(bytes, content),
                listed=False,
            )


def _say(reader: Reader, wording: str) -> str:
    return find(reader.catalogues, reader.order, wording)[1]
