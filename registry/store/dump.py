"""The whole database as one file, by PostgreSQL's own tools: `pg_dump` and `pg_restore`."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from registry.errors import ConfigurationError, Unavailable
from registry.store.database import Connection
from registry.store.embedded import tools
from registry.store.sql import statement

Progress = Callable[[int, int], None]

_DUMPED = "dumping contents of table"
_RESTORED = "processing data for table"
_LAST_LINES = 3


async def read_server(connection: Connection) -> int:
    """Read the server's version, as its first number."""
    return int(await connection.fetchval(statement("dump", "server")))


async def count_tables(connection: Connection) -> int:
    """Count the tables of the register's schema: none where nothing was ever set up."""
    return int(await connection.fetchval(statement("dump", "tables")))


async def export_snapshot(connection: Connection) -> str:
    """Name what a transaction sees, for `dump` to see the same while it lasts."""
    return str(await connection.fetchval(statement("dump", "export_snapshot")))


def dump(
    url: str, file: Path, *, server: int, snapshot: str, tables: int, progress: Progress
) -> None:
    """Write the database as of a snapshot to a file that only its owner reads."""
    command = [
        *(_tool("pg_dump", server), "--format=custom", "--no-owner", "--no-privileges"),
        *(f"--snapshot={snapshot}", f"--file={file}"),
    ]
    file.touch(mode=0o600)
    _run(command, url, said=_DUMPED, of=tables, progress=progress)


def restore(url: str, file: Path, *, server: int, tables: int, progress: Progress) -> None:
    """Bring a dump back into an empty database: all of it, or nothing."""
    command = [
        *(_tool("pg_restore", server), "--no-owner", "--no-privileges"),
        *("--single-transaction", "--exit-on-error", str(file)),
    ]
    _run(command, url, said=_RESTORED, of=tables, progress=progress)


def _tool(name: str, server: int) -> str:
    """Find a tool that is not older than the server: ours, or the machine's."""
    for path in (shutil.which(name, path=tools()), shutil.which(name)):
        if path is not None and _version(path) >= server:
            return path
    raise ConfigurationError(
        f"{name} of PostgreSQL {server} or later is needed; install the client programs of your "
        "PostgreSQL, such as postgresql-client"
    )


def _version(path: str) -> int:
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    *_, number = told.stdout.partition(")")[2].split() or ["0"]
    return int(number.split(".")[0]) if number[0].isdecimal() else 0


def _run(command: Sequence[str], url: str, *, said: str, of: int, progress: Progress) -> None:
    address, password = _without_password(url)
    environment = {**os.environ, "LC_ALL": "C"}
    if password is not None:
        # Other than what a process is called with, its environment is nobody else's to read.
        environment["PGPASSWORD"] = password
    last: list[str] = []
    done = 0
    with subprocess.Popen(  # noqa: S603  a command of ours, without a shell
        [*command, "--verbose", "--no-password", f"--dbname={address}"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        for line in process.stderr or ():
            last = [*last, line.strip()][-_LAST_LINES:]
            if said in line:
                done += 1
                progress(done, of)
    if process.returncode:
        raise Unavailable(f"{Path(command[0]).name} has stopped: {' '.join(last)}")


def _without_password(url: str) -> tuple[str, str | None]:
    parts = urlsplit(url)
    who, at, where = parts.netloc.rpartition("@")
    user, _, password = who.partition(":")
    if not password:
        return url, None
    return parts._replace(netloc=user + at + where).geturl(), unquote(password)
