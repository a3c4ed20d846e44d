"""Everything that the site consists of."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from registry.pages.assets import asset_pages
from registry.pages.browse import browse_pages
from registry.pages.changes_pages import changes_pages
from registry.pages.compared import compared_pages
from registry.pages.events import read_events
from registry.pages.feeds import feed_pages
from registry.pages.finder import finder_pages
from registry.pages.machine import machine_pages
from registry.pages.manuals import manual_pages
from registry.pages.page import digest
from registry.pages.problems import problem_pages
from registry.pages.record_pages import record_pages
from registry.pages.site import page
from registry.pages.statistics_pages import statistics_pages
from registry.pages.structured import register_script
from registry.pages.view_lists import home_view
from registry.pages.words import word_pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from registry.pages.page import Page
    from registry.pages.site import Site


def all_pages(site: Site, description: Mapping[str, Any] | None) -> Iterator[Page]:
    """Yield every file; `description` is the API's OpenAPI document, where it is known."""
    events = read_events(site)
    pages = [
        *_home_pages(site),
        *finder_pages(site),
        *browse_pages(site),
        *record_pages(site),
        *statistics_pages(site),
        *changes_pages(site, events),
        *word_pages(site),
        *manual_pages(site, description),
        *problem_pages(site),
    ]
    yield from asset_pages(site.assets)
    yield from compared_pages(site)
    yield from feed_pages(site, events)
    yield from pages
    yield from machine_pages(site, sorted(item.file for item in pages if item.listed))


def _home_pages(site: Site) -> Iterator[Page]:
    for tag, edition in site.editions.items():
        view = home_view(edition.reader, site)
        key = digest(msgspec.json.encode(view))
        view["structured"] = register_script(edition.reader, site)
        yield page(site, tag, "", template="home.html", key=key, view=partial(dict, view))
