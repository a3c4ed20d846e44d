"""Taking files over from the build in force into a new one, so that only the others are made."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from registry.pages.manifest import Made, Manifest
from registry.pages.switch import Begun

_NONE = Made(key="")


class LostFileError(Exception):
    """The build in force lacks files that it should have: only a full build can follow it."""


def take_over(current: Path | None, known: Manifest, new: Begun, wanted: Manifest) -> list[str]:
    """Make the new folder hold what it can of the build in force; list what is to be rendered.

    It may hold files of a build before already: those that are not wanted go.
    """
    stale = {
        name: new.held.groups.get(name, _NONE).keys
        for name in new.held.groups | wanted.groups
        if new.held.groups.get(name, _NONE).key != wanted.groups.get(name, _NONE).key
    }
    for name, held in stale.items():
        for file in held.keys() - wanted.groups.get(name, _NONE).keys.keys():
            _remove(new.folder, file)
    changed = []
    folders: set[str] = set()
    for name, held in stale.items():
        made = known.groups.get(name, _NONE).keys
        for file, key in wanted.groups.get(name, _NONE).keys.items():
            if held.get(file) == key:
                continue
            folder = file.rpartition("/")[0]
            if folder not in folders:
                (new.folder / folder).mkdir(parents=True, exist_ok=True)
                folders.add(folder)
            if current is None or made.get(file) != key or not _keep(current, new.folder, file):
                changed.append(file)
    return changed


def _keep(old: Path, new: Path, file: str) -> bool:
    """Take a file over from the build before; False when it is not there any more."""
    source, target = old / file, new / file
    try:
        try:
            os.link(source, target)
        except FileExistsError:
            target.unlink()
            os.link(source, target)
    except FileNotFoundError:
        return False
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)
    return True


def _remove(folder: Path, file: str) -> None:
    """Remove a file, and the folders that are empty without it."""
    (folder / file).unlink(missing_ok=True)
    with suppress(OSError):
        for above in (folder / file).relative_to(folder).parents:
            (folder / above).rmdir()
