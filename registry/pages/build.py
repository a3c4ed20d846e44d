"""Building the site: what changed is rendered, what did not is kept, and the switch is one step."""

from __future__ import annotations

import os
import shutil
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from registry.pages.assets import asset_pages
from registry.pages.browse import browse_pages
from registry.pages.machine import machine_pages
from registry.pages.manifest import Manifest, read_manifest, write_manifest
from registry.pages.page import Page, digest
from registry.pages.problems import problem_pages
from registry.pages.site import Site, open_site, page
from registry.pages.switch import building, manifest_file
from registry.pages.view_lists import home_view
from registry.pages.view_record import is_overdue, record_view
from registry.pages.view_tombstone import tombstone_view
from registry.pages.words import word_pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from registry.pages.corpus import Corpus
    from registry.settings import Settings

_NOTHING = Manifest(keys={})


class BuildReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a build did: files in the site, those rendered anew, those that went away."""

    files: int
    rendered: int
    removed: int
    folder: str


def build(
    corpus: Corpus,
    *,
    out: Path,
    settings: Settings,
    full: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> BuildReport:
    """Build the site of a corpus beside the one in force, then put it in force.

    `out` becomes a link to a folder in `<out>-builds/`. A build that fails leaves the old site as
    it was. The same corpus gives the same bytes. `progress` is told (files done, files in all).
    """
    site = open_site(corpus, settings.base_url)
    pages = list(_pages(site))
    pages.sort(key=lambda item: item.file)
    with building(out) as (current, new):
        known = read_manifest(manifest_file(current)) if current and not full else _NOTHING
        rendered = 0
        folders: set[str] = set()
        for done, item in enumerate(pages, start=1):
            target = new / item.file
            folder = item.file.rpartition("/")[0]
            if folder not in folders:
                target.parent.mkdir(parents=True, exist_ok=True)
                folders.add(folder)
            unchanged = known.keys.get(item.file) == item.key
            if not (unchanged and current and _keep(current, new, item.file)):
                with target.open("xb") as file:
                    file.write(item.render())
                rendered += 1
            if progress is not None:
                progress(done, len(pages))
        keys = {item.file: item.key for item in pages}
        write_manifest(manifest_file(new), Manifest(keys=keys))
    return BuildReport(
        files=len(pages),
        rendered=rendered,
        removed=len(known.keys.keys() - keys.keys()),
        folder=str(new),
    )


def _pages(site: Site) -> Iterator[Page]:
    pages = [
        *_home_pages(site),
        *browse_pages(site),
        *_record_pages(site),
        *word_pages(site),
        *problem_pages(site),
    ]
    yield from asset_pages(site.assets)
    yield from pages
    yield from machine_pages(site, sorted(item.file for item in pages if item.listed))


def _home_pages(site: Site) -> Iterator[Page]:
    for tag, edition in site.editions.items():
        view = home_view(edition.reader, site)
        key = digest(msgspec.json.encode(view))
        yield page(site, tag, "", template="home.html", key=key, view=partial(dict, view))


def _record_pages(site: Site) -> Iterator[Page]:
    corpus, today = site.corpus, site.corpus.as_of.date()
    for record in corpus.records:
        document = msgspec.json.decode(record.document)
        withdrawals = site.corpus.withdrawals.get(record.id, ())
        related = [
            (card.name, card.withdrawn)
            for named in document.get("related_records") or ()
            if (card := site.cards.get(named["record"])) is not None
        ]
        facts = [
            record.register,
            record.versions,
            withdrawals,
            corpus.agencies.get(record.agency),
            related,
            is_overdue(document, today),
        ]
        key = digest(msgspec.json.encode(facts), record.document)
        gone = record.register.state == "withdrawn"
        make = tombstone_view if gone else record_view
        for tag, edition in site.editions.items():
            yield page(
                site,
                tag,
                f"records/{record.id}",
                template="tombstone.html" if gone else "record.html",
                key=key,
                view=partial(make, edition.reader, record, site),
                listed=not gone,
            )


def _keep(old: Path, new: Path, file: str) -> bool:
    """Take a file over from the build before; False when it is not there any more."""
    try:
        os.link(old / file, new / file)
    except FileNotFoundError:
        return False
    except OSError:  # a file system without hard links
        shutil.copyfile(old / file, new / file)
    return True
