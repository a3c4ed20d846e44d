"""Putting a finished build in force: a link that changes from one folder to the next at once.

Beside the link `site` lies `site-builds/` with numbered folders, each with its manifest. The
build in force and the one before it are kept, for readers who are under way.
"""

from __future__ import annotations

import fcntl
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from registry.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def builds_folder(out: Path) -> Path:
    """Say where the builds behind a link lie."""
    return out.with_name(f"{out.name}-builds")


def manifest_file(build: Path) -> Path:
    """Say where the manifest of a build lies: beside its folder, so that it is never served."""
    return build.with_name(f"{build.name}.json")


@contextmanager
def building(out: Path) -> Iterator[tuple[Path | None, Path]]:
    """Hold the only right to build here; gives the folder in force, if any, and a new empty one.

    When the block ends well the new folder is put in force; when it fails the old one stays.
    Raises `ConfigurationError` when something else lies where the link belongs.
    """
    builds = builds_folder(out)
    if out.exists() and not out.is_symlink():
        raise ConfigurationError(
            f"{out} is not the link of an earlier build; move it away or build elsewhere (--out)"
        )
    builds.mkdir(parents=True, exist_ok=True)
    with (builds / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        current = out.resolve() if out.exists() else None
        new = builds / str(max(_numbers(builds), default=0) + 1)
        new.mkdir()
        try:
            yield current, new
            switch(out, new)
        except BaseException:
            _remove(new)
            raise
        _prune(builds, keep={new.name} | ({current.name} if current else set()))


def switch(out: Path, new: Path) -> None:
    """Point the link at a build, in one step."""
    link = out.with_name(f".{out.name}.new")
    link.unlink(missing_ok=True)
    link.symlink_to(new.relative_to(out.parent))
    link.replace(out)


def _numbers(builds: Path) -> list[int]:
    return [int(entry.name) for entry in builds.iterdir() if entry.name.isdigit()]


def _prune(builds: Path, keep: set[str]) -> None:
    for number in _numbers(builds):
        if str(number) not in keep:
            _remove(builds / str(number))


def _remove(build: Path) -> None:
    shutil.rmtree(build, ignore_errors=True)
    manifest_file(build).unlink(missing_ok=True)
