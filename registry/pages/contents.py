"""Everything that the site consists of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from registry.pages.assets import asset_pages
from registry.pages.browse import browse_groups
from registry.pages.changes_pages import changes_groups
from registry.pages.compared import compared_pages
from registry.pages.events import read_events
from registry.pages.feeds import feed_groups
from registry.pages.finder import finder_pages
from registry.pages.machine import machine_pages
from registry.pages.manuals import manual_pages
from registry.pages.page import Group, Page, digest, group_of
from registry.pages.problems import problem_pages
from registry.pages.record_pages import record_groups
from registry.pages.site import Site, page
from registry.pages.static_index import index_groups
from registry.pages.static_words import Found
from registry.pages.statistics_pages import statistics_pages
from registry.pages.structured import register_script
from registry.pages.view_lists import home_view
from registry.pages.words import word_pages


def all_groups(
    site: Site, description: Mapping[str, Any] | None, found: Found | None = None
) -> Iterator[Group]:
    """Yield all pages but those for machines; `description` is the API's OpenAPI document.

    `found` is what the index beside the pages knew of words in the build in force.
    """
    events = read_events(site)
    told = digest(site.ground, msgspec.json.encode(description))
    yield Group(name="words", key=told, pages=partial(_lasting_pages, site, description))
    yield group_of("home", _home_pages(site))
    yield group_of("search", finder_pages(site))
    yield from index_groups(site, found)
    yield from browse_groups(site)
    yield from record_groups(site)
    yield group_of("statistics", statistics_pages(site))
    yield from changes_groups(site, events)
    yield from feed_groups(site, events)


MACHINES = "machines"
"""The group of files for machines, which is made when all others are."""


def machine_group(site: Site, listed: Sequence[str]) -> Group:
    """Gather the files for machines; `listed` are the pages for the site map, in order."""
    return group_of(MACHINES, machine_pages(site, listed))


def _lasting_pages(site: Site, description: Mapping[str, Any] | None) -> Iterator[Page]:
    """Yield what changes with the program alone."""
    yield from asset_pages(site.assets)
    yield from compared_pages(site)
    yield from word_pages(site)
    yield from manual_pages(site, description)
    yield from problem_pages(site)


def _home_pages(site: Site) -> Iterator[Page]:
    for tag, edition in site.editions.items():
        view = home_view(edition.reader, site)
        key = digest(msgspec.json.encode(view))
        view["structured"] = register_script(edition.reader, site)
        yield page(site, tag, "", template="home.html", key=key, view=partial(dict, view))
