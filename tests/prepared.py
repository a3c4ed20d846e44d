"""Data folders that take seconds to make: each is made once a run, and copied."""

import atexit
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_RUN = "TESTS_RUN_FOLDER"
_ROOM = 2 * 1024**3


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
