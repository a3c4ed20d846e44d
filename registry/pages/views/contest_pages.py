"""How to contest: four questions, each of which leads to a letter; dates, helpers, rights."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from registry.pages.editions import Edition
from registry.pages.labels import legal_fact_view, steps_view
from registry.pages.page import Page
from registry.pages.reader import Reader
from registry.pages.site import Site, page
from registry.pages.views.prose_pages import markdown_view, read_words
from registry.text.dates import day_after


def contest_pages(site: Site) -> Iterator[Page]:
    """Yield the page in each language, without dates: these the register computes when asked."""
    today = site.day
    for tag, edition in site.editions.items():
        view = partial(
            contest_view, edition.reader, site.editions, today=today, is_copy=site.is_copy
        )
        key = str(site.is_copy)
        yield page(site, tag, "contest", template="contest.html", key=key, view=view)


def contest_view(
    reader: Reader,
    editions: Mapping[str, Edition],
    *,
    today: dt.date,
    received: dt.date | None = None,
    typed: str = "",
    is_copy: bool = False,
) -> dict[str, Any]:
    """Return the page, with the dates of a decision that was `received` on a day.

    `typed` is what was given as that day, which may be none.
    """
    lang, text = read_words(reader, "contest")
    intro, _, steps = text.partition("\n## ")
    deadlines = [legal_fact_view(reader, one) for one in reader.pack.deadlines]
    if received is not None:
        for one in deadlines:
            day = day_after(received, one["after"])
            one |= {"day": day.isoformat(), "is_past": day < today}
    return markdown_view(editions, reader.tag, lang, intro) | {
        "steps": markdown_view(editions, reader.tag, lang, f"\n## {steps}")["body"],
        "redress_steps": steps_view(reader, today, received),
        "rights": [legal_fact_view(reader, right) for right in reader.pack.rights],
        "deadlines": deadlines,
        "last": next((one for one in deadlines if one["code"] == "contest"), None),
        "received": received and received.isoformat(),
        "typed": typed,
        "is_copy": is_copy,
    }
