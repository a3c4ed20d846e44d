"""Building the site: what changed is rendered, what did not is kept, and the switch is one step."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from registry.pages.contents import all_pages
from registry.pages.manifest import NOTHING, Manifest
from registry.pages.rendering import render_all
from registry.pages.site import open_site
from registry.pages.switch import building, compiled_folder, drop_earlier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from registry.pages.corpus import Corpus
    from registry.pages.switch import Begun
    from registry.settings import Settings


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
    description: Mapping[str, Any] | None = None,
    processes: int = 1,
) -> BuildReport:
    """Build the site of a corpus beside the one in force, then put it in force.

    `out` becomes a link to a folder in `<out>-builds/`. A build that fails leaves the old site as
    it was; where nothing has changed the old one stays too. The same corpus gives the same bytes.
    `progress` is told (files done, files in all). `description` is the API's OpenAPI document, for
    its reference on the site. More `processes` than one are forks of this one.
    """
    site = open_site(
        corpus,
        settings.base_url,
        security_contact=settings.security_contact,
        kept=compiled_folder(out),
    )
    pages = {page.file: page for page in all_pages(site, description)}
    wanted = Manifest(
        keys={file: page.key for file, page in pages.items()}, erasures=corpus.erasures
    )
    with building(out) as place:
        known = NOTHING if full else place.known
        if place.current and known == wanted:
            return BuildReport(files=len(pages), rendered=0, removed=0, folder=str(place.current))
        new = place.new(fresh=full)
        changed = _keep_unchanged(place.current, known, new, wanted)

        def done(number: int) -> None:
            if progress is not None:
                progress(len(pages) - len(changed) + number, len(pages))

        render_all(
            [pages[file] for file in changed], new.folder, processes=processes, progress=done
        )
        place.put_in_force(wanted)
    if known.erasures != corpus.erasures:
        # What was erased since must not be found in what was built before.
        drop_earlier(out)
    return BuildReport(
        files=len(pages),
        rendered=len(changed),
        removed=len(known.keys.keys() - wanted.keys.keys()),
        folder=str(new.folder),
    )


def _keep_unchanged(
    current: Path | None, known: Manifest, new: Begun, wanted: Manifest
) -> list[str]:
    """Make the new folder hold what it can of the build in force; list what is to be rendered.

    It may hold files of a build before already: those that are not wanted go.
    """
    for file in new.held.keys.keys() - wanted.keys.keys():
        _remove(new.folder, file)
    changed = []
    folders: set[str] = set()
    for file, key in wanted.keys.items():
        if new.held.keys.get(file) == key:
            continue
        folder = file.rpartition("/")[0]
        if folder not in folders:
            (new.folder / folder).mkdir(parents=True, exist_ok=True)
            folders.add(folder)
        if current is None or known.keys.get(file) != key or not _keep(current, new.folder, file):
            changed.append(file)
    return changed


def _keep(old: Path, new: Path, file: str) -> bool:
    """Take a file over from the build before; False when it is not there any more."""
    target = new / file
    target.unlink(missing_ok=True)
    try:
        os.link(old / file, target)
    except FileNotFoundError:
        return False
    except OSError:  # a file system without hard links
        shutil.copyfile(old / file, target)
    return True


def _remove(folder: Path, file: str) -> None:
    """Remove a file, and the folders that are empty without it."""
    (folder / file).unlink(missing_ok=True)
    with suppress(OSError):
        for above in (folder / file).relative_to(folder).parents:
            (folder / above).rmdir()
