"""The wheel of a commit, the same bytes each time; the wheelhouse for a machine without network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[2]

_PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")
# What is beside the wheels: how to install them, and the files to copy.
_CARRIED = ("requirements.lock", "LICENSE", "SECURITY.md", "deploy", "docs")


def run(*command: object, **environment: str) -> bytes:
    """Run a program and return what it prints; end with what it says where it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, env=os.environ | environment, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: ended with {done.returncode}")
    return done.stdout


@contextmanager
def committed(root: Path = ROOT) -> Iterator[Path]:
    """Yield a folder with the tree of the commit at hand, and nothing that is not committed."""
    with tempfile.TemporaryDirectory() as folder:
        run("git", "clone", "--quiet", "--no-hardlinks", root, Path(folder, "tree"))
        yield Path(folder, "tree")


def read_commit_time(tree: Path) -> int:
    """Return when the commit at hand was made, in seconds since 1970."""
    return int(run("git", "-C", tree, "log", "-1", "--format=%ct"))


def build_wheel(tree: Path, out: Path) -> Path:
    """Build the wheel of a tree into a folder; return its path."""
    out.mkdir(parents=True, exist_ok=True)
    epoch = str(read_commit_time(tree))
    with tempfile.TemporaryDirectory() as built:
        builds = (*_PIP, "wheel", "--no-deps", "--no-build-isolation", "--no-index")
        run(sys.executable, *builds, "--wheel-dir", built, tree, SOURCE_DATE_EPOCH=epoch)
        [wheel] = Path(built).glob("*.whl")
        return Path(shutil.copy(wheel, out))


def build_wheelhouse(tree: Path, out: Path, pythons: Sequence[str]) -> Path:
    """Write a tar archive with all wheels that these interpreters of a target need; return it.

    The interpreters are of this machine, and as those of the target: version, libc, processor.
    """
    with tempfile.TemporaryDirectory() as folder:
        wheel = build_wheel(tree, Path(folder))
        house = Path(folder, f"{wheel.name.split('-py3')[0]}-offline")
        house.mkdir()
        for name in _CARRIED:
            _copy(tree / name, house / name)
        wheels = house / "wheels"
        for python in pythons:
            asks = ("download", "--no-deps", "--only-binary", ":all:", "--require-hashes")
            pip = ("-m", "pip", "--python", python, *_PIP[2:])
            run(sys.executable, *pip, *asks, "-r", tree / "requirements.lock", "-d", wheels)
        shutil.copy(wheel, wheels)
        write_sums(house)
        archive = out / f"{house.name}.tar"
        write_tar(house, archive, at=read_commit_time(tree))
    return archive


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def write_sums(folder: Path) -> None:
    """Write `SHA256SUMS` of all files below a folder, as sha256sum reads it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [
        f"{sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in files
        if path.name != "SHA256SUMS"
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def write_tar(folder: Path, archive: Path, *, at: int) -> None:
    """Write a folder as a tar archive, the same bytes for the same files."""

    def as_root(found: tarfile.TarInfo) -> tarfile.TarInfo:
        found.uid = found.gid = 0
        found.uname = found.gname = "root"
        found.mtime = at
        found.mode = 0o755 if found.isdir() or found.mode & 0o100 else 0o644
        return found

    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in [folder, *sorted(folder.rglob("*"))]:
            name = path.relative_to(folder.parent).as_posix()
            tar.add(path, arcname=name, recursive=False, filter=as_root)
