"""Sites of a corpus that is at hand, built and listed without a register."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from registry.pages.build import BuildReport, carry_out, make_plan
from registry.pages.contents import all_groups, machine_group
from registry.pages.corpus import Corpus
from registry.pages.page import Page
from registry.pages.site import Site
from registry.pages.switch import building
from registry.pages.taking_over import LostFileError
from registry.settings import Settings

TEMPLATES = Path(__file__).parents[1] / ".pytest_cache" / "site-templates"
"""Jinja's bytecode cache of all tests."""


def share_templates(data: Path) -> None:
    """Let a data folder have the bytecode cache of all tests."""
    TEMPLATES.mkdir(parents=True, exist_ok=True)
    data.joinpath(TEMPLATES.name).symlink_to(TEMPLATES)


def build(
    corpus: Corpus,
    *,
    out: Path,
    settings: Settings,
    full: bool = False,
    progress: Callable[[int, int], None] | None = None,
    description: Mapping[str, Any] | None = None,
    processes: int = 1,
) -> BuildReport:
    """Build the site of a corpus beside the one in force, then put it in force.

    `out` becomes a link to a folder in `<out>-builds/`. A build that fails leaves the old site as
    it was; where nothing has changed the old one stays too. The same corpus gives the same bytes.
    `progress` is told (groups done, groups in all). `description` is the API's OpenAPI document,
    for its reference on the site. More `processes` than one are forks of this one.
    """
    settings = msgspec.structs.replace(settings, data_dir=TEMPLATES.parent)
    for fresh in (full, True):
        try:
            with building(out) as place:
                plan = make_plan(
                    place, corpus, settings=settings, full=fresh, description=description
                )
                return carry_out(place, plan, progress=progress, processes=processes)
        except LostFileError:
            if fresh:
                raise
    raise AssertionError


def all_pages(site: Site, description: Mapping[str, Any] | None) -> Iterator[Page]:
    """Yield every file of a site whose documents are all at hand."""
    pages = [page for group in all_groups(site, description) for page in group.pages()]
    listed = sorted(page.file for page in pages if page.listed)
    yield from (*pages, *machine_group(site, listed).pages())
