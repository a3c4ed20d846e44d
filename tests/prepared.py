"""What takes seconds to make: data folders, once a run; programs of others, once a checkout."""

import atexit
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

_RUN = "TESTS_RUN_FOLDER"
_ROOM = 2 * 1024**3
_CACHE = Path(__file__).parents[1] / ".pytest_cache"


def in_memory() -> str | None:
    """Return a folder in memory where there is room; else None, for one on the disk."""
    folder = "/dev/shm"  # noqa: S108  it is only looked at; what is made in it has a name of chance
    return folder if os.path.ismount(folder) and shutil.disk_usage(folder).free > _ROOM else None


def make_folder(prefix: str) -> Path:
    """Make a folder with a short path, for a socket in it, that other users may enter.

    It is not pytest's: as root the embedded server is another user, and a second run of pytest
    closes the folder above all of its own to others.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=in_memory()))
    folder.chmod(0o755)
    return folder


def run_folder() -> Path:
    """Return the folder that the processes of this run share; the first of them removes it."""
    if _RUN not in os.environ:
        folder = make_folder("run")
        os.environ[_RUN] = str(folder)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(os.environ[_RUN])


def copy_prepared(name: str, make: Callable[[Path], object], target: Path) -> None:
    """Copy into `target` the data folder of a name, which `make` fills and leaves at rest."""
    kept = run_folder() / name
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            making = kept.with_suffix(".making")
            making.mkdir()
            making.chmod(0o755)
            # In a thread of its own, since browser tests run within a loop already.
            with ThreadPoolExecutor(1) as own:
                own.submit(make, making).result()
            making.rename(kept)
    subprocess.run(["cp", "-a", f"{kept}/.", target], check=True)


def fetch_program(folder: Path) -> Path:
    """Return a copy of a folder with what its `package-lock.json` names, fetched once a checkout.

    The test is skipped where npm is missing or cannot fetch it.
    """
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("node and npm are not on this machine; on Debian: apt-get install nodejs npm")
    digest = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()[:16]
    kept = _CACHE / f"{folder.name}-{digest}"
    _CACHE.mkdir(exist_ok=True)
    with kept.with_suffix(".lock").open("w") as lock:
        # Tests of one file run in several processes, and each asks for the program.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            making = kept.with_suffix(".making")
            shutil.copytree(folder, making, dirs_exist_ok=True)
            command = ("npm", "ci", "--prefer-offline", "--no-audit", "--no-fund")
            done = subprocess.run(
                [*command, "--fetch-retries=1", "--fetch-timeout=30000"],
                cwd=making,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                pytest.skip(f"npm cannot fetch {folder.name}: {done.stderr[-300:]}")
            making.rename(kept)
    return kept
