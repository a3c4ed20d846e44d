"""The page of statistics in each language, and each of its tables as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from registry.exchange.export_csv import escape_formula
from registry.pages.page import Page, content_page, digest
from registry.pages.reader import Reader, Text, translated
from registry.pages.site import Site, page
from registry.pages.views.statistics_findings import finding
from registry.pages.views.statistics_tables import Table, tables


def statistics_pages(site: Site) -> Iterator[Page]:
    """Yield the statistics in each language, with a file for each table."""
    counted = site.snapshot.counted
    for tag, edition in site.editions.items():
        made = tables(edition.reader, site, counted) if counted else []
        known: dict[str, Any] = {
            "tables": made,
            "findings": {one.id: finding(edition.reader, counted, one) for one in made}
            if counted
            else {},
            "total": counted.by_code.local.records if counted else 0,
            "copied_total": counted.by_code.foreign.records if counted else 0,
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
        for table in made:
            yield content_page(f"{tag}/statistics/{table.id}.csv", _as_csv(edition.reader, table))


def _as_csv(reader: Reader, table: Table) -> bytes:
    """Return a table as CSV in UTF-8, safe to open in a spreadsheet."""
    kept = io.StringIO()
    kept.write("\ufeff")
    writer = csv.writer(kept, lineterminator="\r\n")
    titles = [
        column.title.text
        if isinstance(column.title, Text)
        else translated(reader, column.title).text
        for column in table.columns
    ]
    writer.writerow(["code", translated(reader, table.head).text, *titles])
    for row in table.rows:
        values = ["" if value is None else str(value) for value in row.values]
        cells = [row.code, row.name.text if row.name else "", *values]
        writer.writerow([escape_formula(cell) for cell in cells])
    return kept.getvalue().encode()
