"""Everything that the site consists of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from registry.pages.assets import asset_pages
from registry.pages.page import Page
from registry.pages.site import Site
from registry.pages.views.answer_pages import answer_pages
from registry.pages.views.browse_pages import agency_pages, browse_pages, overview_pages
from registry.pages.views.changes_pages import changes_pages, gather_imports
from registry.pages.views.contest_pages import contest_pages
from registry.pages.views.events import read_events
from registry.pages.views.feeds import feed_pages
from registry.pages.views.finder import finder_pages
from registry.pages.views.home import home_pages
from registry.pages.views.kit_pages import code_pages
from registry.pages.views.law_pages import law_pages
from registry.pages.views.letter_pages import general_letter_pages
from registry.pages.views.life_pages import life_pages
from registry.pages.views.machine_files import machine_files
from registry.pages.views.prose_pages import (
    copy_pages,
    guide_pages,
    manual_pages,
    problem_pages,
    prose_pages,
    translation_pages,
)
from registry.pages.views.question_pages import question_pages
from registry.pages.views.record_pages import record_pages
from registry.pages.views.region_pages import region_pages
from registry.pages.views.register_pages import origin_pages, peer_pages, witness_pages
from registry.pages.views.static_index import WordFiles, index_pages
from registry.pages.views.statistics_pages import statistics_pages


def all_pages(
    site: Site, description: Mapping[str, Any] | None, words: WordFiles | None = None
) -> list[Page]:
    """Return all files of the site, those of one record together, and what takes longest first.

    `description` is the API's OpenAPI document; `words` are those of the index in force.
    """
    events = read_events(site)
    gathered = gather_imports(events)
    pages = [
        *index_pages(site, words),
        *record_pages(site),
        *asset_pages(site.assets),
        *home_pages(site),
        *finder_pages(site),
        *question_pages(site),
        *overview_pages(site),
        *browse_pages(site),
        *agency_pages(site),
        *region_pages(site),
        *origin_pages(site),
        *peer_pages(site),
        *witness_pages(site),
        *statistics_pages(site),
        *answer_pages(site),
        *changes_pages(site, events, gathered),
        *feed_pages(site, gathered, events),
        *law_pages(site, events),
        *prose_pages(site),
        *translation_pages(site),
        *contest_pages(site),
        *general_letter_pages(site),
        *life_pages(site),
        *copy_pages(site),
        *manual_pages(site, description),
        *guide_pages(site),
        *problem_pages(site),
        *code_pages(site),
    ]
    listed = sorted(page.file for page in pages if page.listed)
    return [*pages, *machine_files(site, listed)]
