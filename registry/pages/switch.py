"""Putting a finished build in force: a link that changes from one folder to the next at once.

Beside the link `site` lies `site-builds/` with numbered folders, each with its manifest. The
build in force and the one before it are kept, for readers who are under way, unless something was
erased in between; the one before becomes the next.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from registry.errors import ConfigurationError
from registry.pages.manifest import NOTHING, Manifest, read_manifest, write_manifest


def builds_folder(out: Path) -> Path:
    """Say where the builds behind a link lie."""
    return out.with_name(f"{out.name}-builds")


def kept_file(out: Path) -> Path:
    """Say where that is kept which the builds have read of the register; it is never served."""
    return builds_folder(out) / "kept"


def manifest_file(build: Path) -> Path:
    """Say where the manifest of a build lies: beside its folder, so that it is never served."""
    return build.with_name(f"{build.name}.json")


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A build under way: its folder, and what that holds of an older build already."""

    folder: Path
    held: Manifest


class Place:
    """Where one build happens, held alone: `current` is the folder in force with `known` in it.

    `out` is the link to it.
    """

    def __init__(self, out: Path, builds: Path) -> None:
        """Look at what is in force."""
        self.out, self._builds = out, builds
        self.current = out.resolve() if out.exists() else None
        self.known = read_manifest(manifest_file(self.current)) if self.current else NOTHING
        self._folder: Path | None = None

    def new(self, *, fresh: bool, ground: str) -> Begun:
        """Begin a folder; unless it must be fresh, the one that is over serves again.

        Its files are most of the next build, and a few changes are sooner made than all links;
        not if that was made on another ground, where other groups may have had the same files.
        """
        last = max(_numbers(self._builds), default=0)
        folder = self._builds / str(last + 1)
        # By name: the paths of the two differ where the data folder is relative, or behind a link.
        in_force = self.current.name if self.current else None
        over = [n for n in _numbers(self._builds) if str(n) != in_force]
        spare = self._builds / str(max(over, default=0))
        self._folder = folder
        held = NOTHING if fresh or not over else read_manifest(manifest_file(spare))
        if not held.groups or held.ground != ground:
            folder.mkdir()
            return Begun(folder=folder, held=NOTHING)
        # From here on it is no build that could serve anything, until its manifest is written.
        manifest_file(spare).unlink()
        spare.rename(folder)
        return Begun(folder=folder, held=held)

    def put_in_force(self, manifest: Manifest) -> None:
        """Switch to the new folder, and remove what is over."""
        if self._folder is None:
            raise RuntimeError("no build was begun")
        write_manifest(manifest_file(self._folder), manifest)
        switch(self.out, self._folder)
        kept = {self._folder.name} | ({self.current.name} if self.current else set())
        self._folder = None
        _prune(self._builds, keep=kept)

    def drop_earlier(self) -> None:
        """Remove every build but the one in force."""
        _prune(self._builds, keep={self.out.resolve().name})

    def abandon(self) -> None:
        """Remove a folder that was not put in force."""
        if self._folder is not None:
            _remove(self._folder)


@contextmanager
def building(out: Path) -> Iterator[Place]:
    """Hold the only right to build here; what was begun and not put in force is removed.

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
        place = Place(out, builds)
        try:
            yield place
        finally:
            place.abandon()


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
