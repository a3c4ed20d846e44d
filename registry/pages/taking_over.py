"""Filling the folder of a build: what is as it was is taken over, the rest is rendered."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from registry.pages.manifest import Made, Manifest, made_of
from registry.pages.page import Group
from registry.pages.rendering import Done
from registry.pages.switch import Begun

_NONE = Made(key="")


class LostFileError(Exception):
    """The build in force lacks files that it should have: only a full build can follow it."""


def take_over(
    current: Path | None, new: Begun, same: Mapping[str, Made], changed: Sequence[str]
) -> None:
    """Make the new folder hold the groups that are the `same` as in the build in force.

    It may hold files of a build before already: those of groups that are neither the same nor
    `changed` go. Raises `LostFileError`.
    """
    for name in new.held.groups.keys() - same.keys() - set(changed):
        for file in new.held.groups[name].keys:
            _remove(new.folder, file)
    for name, made in same.items():
        held = new.held.groups.get(name, _NONE)
        if held.key == made.key:
            continue
        _remove_others(new, held, made)
        for file, key in made.keys.items():
            if held.keys.get(file) != key and not _keep(current, new.folder, file):
                raise LostFileError


def make(group: Group, *, current: Path | None, known: Manifest, new: Begun) -> Done:
    """Make a group that changed in the new folder; its pages that did not are taken over."""
    pages = list(group.pages())
    made = made_of(group.key, pages)
    held = new.held.groups.get(group.name, _NONE)
    _remove_others(new, held, made)
    before, there = known.groups.get(group.name, _NONE).keys, held.keys
    rendered = 0
    for page in pages:
        if there.get(page.file) == page.key:
            continue
        if before.get(page.file) != page.key or not _keep(current, new.folder, page.file):
            _write(f"{new.folder}/{page.file}", page.render())
            rendered += 1
    return Done(name=group.name, made=made, rendered=rendered)


def _remove_others(new: Begun, held: Made, made: Made) -> None:
    """Remove what a group held and has no more."""
    for file in held.keys.keys() - made.keys.keys():
        _remove(new.folder, file)


def _keep(old: Path | None, new: Path, file: str) -> bool:
    """Take a file over from the build before; False when it is not there any more."""
    if old is None:
        return False
    source, target = old / file, new / file
    try:
        try:
            _linked(source, target)
        except FileExistsError:
            target.unlink()
            _linked(source, target)
    except FileNotFoundError:
        return False
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)
    return True


def _linked(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, target)


def _write(target: str, content: bytes) -> None:
    while True:
        try:
            file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            # A file that a build before has too must not be written through.
            os.unlink(target)  # noqa: PTH108
        except FileNotFoundError:
            # Another process may just have removed the folder, as it was empty.
            os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
        else:
            break
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(file, left) :]
    finally:
        os.close(file)


def _remove(folder: Path, file: str) -> None:
    """Remove a file, and the folders that are empty without it."""
    (folder / file).unlink(missing_ok=True)
    with suppress(OSError):
        for above in (folder / file).relative_to(folder).parents:
            (folder / above).rmdir()
