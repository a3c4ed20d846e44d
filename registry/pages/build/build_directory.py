"""The folders of builds with their manifests, and the link that changes from one to the next."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from registry.errors import ConfigurationError, Unavailable
from registry.log.register import LogLine
from registry.pages.digests import RecordDigest
from registry.pages.page import LostFileError
from registry.pages.snapshot import RegisterState


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one build by path with their keys, and what the build was made from.

    `state` is the digest of everything that the build depends on, empty where that is not known.
    `fingerprint` is the site's, `register` the state in which `log` and `records` were read.
    """

    pages: Mapping[str, str]
    fingerprint: str = ""
    state: str = ""
    register: RegisterState | None = None
    log: Sequence[LogLine] = ()
    records: Sequence[RecordDigest] = ()


NO_MANIFEST = Manifest(pages={})
"""The manifest of a folder without a build."""

_decode = msgspec.json.Decoder(Manifest).decode


def manifest_file(build: Path) -> Path:
    """Return the path of a build's manifest: beside its folder, so that it is never served."""
    return build.with_name(f"{build.name}.json")


def read_manifest(build: Path) -> Manifest:
    """Return a build's manifest; a missing or damaged one only costs a full build."""
    try:
        return _decode(manifest_file(build).read_bytes())
    except (OSError, msgspec.DecodeError):
        return NO_MANIFEST


def write_manifest(build: Path, manifest: Manifest) -> None:
    """Write a build's manifest."""
    manifest_file(build).write_bytes(msgspec.json.encode(manifest))


_ATTEMPTS = 3
_PAUSE_SECONDS = 0.2
_STOPPED = "the build of the site was stopped; the next one goes on with it"


class BuildDirectory:
    """The place of one build, held alone.

    `current` is the folder in force, with its `manifest`; `out` is the link to it; `new` is the
    folder of the build under way.
    """

    def __init__(self, out: Path, is_stopped: Callable[[], bool] = lambda: False) -> None:
        """Read what is in force; `is_stopped` returns whether the build is to end."""
        self.out = out
        self._is_stopped = is_stopped
        self.current = out.resolve() if out.exists() else None
        self.manifest = read_manifest(self.current) if self.current else NO_MANIFEST
        self.new: Path | None = None
        self._builds = builds_folder(out)

    def begin(self, *, fresh: bool) -> Mapping[str, str]:
        """Begin a folder and return the keys of the files that it has already.

        Unless it must be fresh, the folder of the build before the one in force serves again: its
        files are most of the next build, and a few changes take less time than all links.
        """
        folders = [path for path in self._builds.iterdir() if path.name.isdigit()]
        new = self._builds / str(max((int(path.name) for path in folders), default=0) + 1)
        # By name: the paths of the two differ where the data folder is relative, or behind a link.
        earlier = [path for path in folders if not self.current or path.name != self.current.name]
        spare = max(earlier, key=lambda path: int(path.name), default=None)
        held = read_manifest(spare).pages if spare and not fresh else {}
        self.new = new
        if not spare or not held:
            new.mkdir()
            return {}
        # From here on it is no build that could serve anything, until its manifest is written.
        manifest_file(spare).unlink()
        spare.rename(new)
        return held

    def write(self, file: str, content: bytes) -> None:
        """Write a file of the new folder."""

        def create(path: Path) -> None:
            with path.open("xb") as created:
                created.write(content)

        self._make(file, create)

    def link(self, file: str) -> None:
        """Link a file of the build in force, or copy it where the file system has no links.

        Raises `LostFileError`.
        """
        if self.current is None:
            raise LostFileError
        source = self.current / file

        try:
            self._make(file, lambda path: _link(source, path))
        except FileNotFoundError as error:
            raise LostFileError from error

    def remove(self, file: str) -> None:
        """Remove a file of the new folder, and the folders that are empty without it."""
        if self.new is None:
            raise RuntimeError("no build was begun")
        (self.new / file).unlink(missing_ok=True)
        with suppress(OSError):
            for above in Path(file).parents[:-1]:
                (self.new / above).rmdir()

    def put_in_force(self, manifest: Manifest) -> None:
        """Switch to the new folder, and remove what is over."""
        if self.new is None:
            raise RuntimeError("no build was begun")
        write_manifest(self.new, manifest)
        link = self.out.with_name(f".{self.out.name}.new")
        link.unlink(missing_ok=True)
        link.symlink_to(self.new.relative_to(self.out.parent))
        link.replace(self.out)
        builds = [self.new]
        if self.current and _erasures(manifest) == _erasures(self.manifest):
            builds.append(self.current)
        self.current, self.new = self.new, None
        kept = {".lock", *(name for one in builds for name in (one.name, manifest_file(one).name))}
        for path in self._builds.iterdir():
            if path.name not in kept:
                _remove(path)

    def stop_if_asked(self, there: Mapping[str, str]) -> None:
        """Raise `Unavailable` where the build is to end; the next one begins with what is there.

        `there` has every file that may be in the new folder, with its key or "".
        """
        if self.new is not None and self._is_stopped():
            write_manifest(self.new, Manifest(pages=there))
            self.new = None
            raise Unavailable(_STOPPED)

    def abandon(self) -> None:
        """Remove a folder that was not put in force."""
        if self.new is not None:
            _remove(self.new)

    def _make(self, file: str, make: Callable[[Path], None]) -> None:
        """Make a new file; an earlier build may share what is there, and its folder be missing."""
        if self.new is None:
            raise RuntimeError("no build was begun")
        path = self.new / file
        try:
            make(path)
        except FileExistsError:
            path.unlink()
            make(path)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            make(path)


def link_build(out: Path, into: Path) -> None:
    """Link the files of the build in force into a new folder, which later builds do not touch.

    Raises `Unavailable` while builds follow each other faster than their files can be linked.
    """
    for _ in range(_ATTEMPTS):
        build = out.resolve()
        made = _made_at(build)
        with suppress(OSError):
            shutil.copytree(build, into, copy_function=_link)
            # The folder of an earlier build becomes that of the next, without a manifest at first.
            if made == _made_at(build):
                return
        shutil.rmtree(into, ignore_errors=True)
    raise Unavailable("the site is being built again and again; try later")


def build_name(out: Path) -> str:
    """Return a name that no other build in this place has."""
    build = out.resolve()
    return f"{build.name}-{_made_at(build):x}"


def builds_folder(out: Path) -> Path:
    """Return the folder of the builds behind a link."""
    return out.with_name(f"{out.name}-builds")


@contextmanager
def hold_directory(
    out: Path, is_stopped: Callable[[], bool] = lambda: False
) -> Iterator[BuildDirectory]:
    """Hold the only right to build here; what was begun and neither finished nor stopped goes.

    Raises `ConfigurationError` when something else lies where the link belongs, `Unavailable` when
    it is stopped while another process has the right.
    """
    if out.exists() and not out.is_symlink():
        raise ConfigurationError(
            f"{out} is not the link of an earlier build; move it away or build elsewhere (--out)"
        )
    builds = builds_folder(out)
    builds.mkdir(parents=True, exist_ok=True)
    with (builds / ".lock").open("w") as lock:
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if is_stopped():
                raise Unavailable(_STOPPED)
            time.sleep(_PAUSE_SECONDS)
        directory = BuildDirectory(out, is_stopped)
        try:
            yield directory
        finally:
            directory.abandon()


def _made_at(build: Path) -> int:
    """Return when a build was put in force, in nanoseconds; 0 where it is none."""
    try:
        return manifest_file(build).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _link(source: Path | str, path: Path | str) -> None:
    """Link a file, or copy it where the file system has no links."""
    try:
        os.link(source, path)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:
        shutil.copyfile(source, path)


def _erasures(manifest: Manifest) -> object:
    return manifest.register and manifest.register.erasures


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
