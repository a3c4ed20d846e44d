"""Dumps of the whole database, by PostgreSQL's own `pg_dump`, `pg_restore` and `psql`."""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from registry.errors import ConfigurationError, Unavailable
from registry.store.database import Connection, statement
from registry.store.embedded import tools, version_of

DumpProgress = Callable[[int, int], None]

_DUMPED = "dumping contents of table"
_RESTORED = "processing data for table"
_LAST_LINES = 3
_UNKNOWN_BEFORE_17 = b"SET transaction_timeout = 0;"


async def read_server(connection: Connection) -> int:
    """Return the server's major version."""
    return int(await connection.fetchval(statement("dump", "server")))


async def count_tables(connection: Connection) -> int:
    """Return the number of tables in the register's schema; 0 if it was never set up."""
    return int(await connection.fetchval(statement("dump", "tables")))


async def export_snapshot(connection: Connection) -> str:
    """Return the id of the snapshot of a transaction, which `dump` can use while it is open."""
    return str(await connection.fetchval(statement("dump", "export_snapshot")))


def dump(
    url: str, file: Path, *, server: int, snapshot: str, tables: int, progress: DumpProgress
) -> None:
    """Write the database as of a snapshot to a file that only its owner can read."""
    command = [
        *(_tool("pg_dump", server), "--format=custom", "--no-owner", "--no-privileges"),
        *("--verbose", f"--snapshot={snapshot}", f"--file={file}"),
    ]
    file.touch(mode=0o600)
    with _started(command, url, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        last = _watch(process, said=_DUMPED, of=tables, progress=progress)
    if process.returncode:
        raise Unavailable(f"pg_dump has stopped: {' '.join(last)}")


def restore(url: str, file: Path, *, server: int, tables: int, progress: DumpProgress) -> None:
    """Restore a dump into an empty database, completely or not at all.

    The transaction is ours, since older servers do not know what `pg_restore` sets first.
    """
    reader = [
        *(_tool("pg_restore", server), "--no-owner", "--no-privileges"),
        *("--verbose", "--file=-", str(file)),
    ]
    psql = [_tool("psql", server), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as refused,
        _started(psql, url, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=refused) as to,
        subprocess.Popen(  # noqa: S603  a command of ours, without a shell
            reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment()
        ) as read,
    ):
        pump = threading.Thread(target=_pass_on, args=(read, to))
        pump.start()
        last = _watch(read, said=_RESTORED, of=tables, progress=progress)
        pump.join()
        if to.wait():
            refused.seek(0)
            last = [line.strip() for line in refused][-_LAST_LINES:]
        if read.wait() or to.returncode:
            raise Unavailable(f"the restore has stopped: {' '.join(last)}")


def statements(script: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of a script without those that a server before PostgreSQL 17 rejects."""
    lines = iter(script)
    for line in lines:
        if line.strip() == _UNKNOWN_BEFORE_17:
            break
        yield line
    # What follows may be the text of a row.
    yield from lines


def _pass_on(read: subprocess.Popen[bytes], to: subprocess.Popen[bytes]) -> None:
    """Pipe one process into the other, and commit only if the first has ended well."""
    # A process that has ended reads no more; its exit code has the reason.
    with suppress(BrokenPipeError), to.stdin as sink, read.stdout as script:  # type: ignore[union-attr]
        sink.write(b"begin;\n")
        sink.writelines(statements(script))
        if read.wait() == 0:
            sink.write(b"commit;\n")


def _tool(name: str, server: int) -> str:
    """Return a tool that is not older than the server: ours, or the machine's."""
    for path in (shutil.which(name, path=tools()), shutil.which(name)):
        if path is not None and version_of(path) >= server:
            return path
    raise ConfigurationError(
        f"{name} of PostgreSQL {server} or later is needed; install the client programs of your "
        "PostgreSQL, such as postgresql-client"
    )


def _started(command: Sequence[str], url: str, **streams: Any) -> subprocess.Popen[bytes]:
    """Start a tool that connects to a database."""
    address, password = _without_password(url)
    environment = _environment()
    if password is not None:
        # Unlike its arguments, the environment of a process cannot be read by other users.
        environment["PGPASSWORD"] = password
    return subprocess.Popen(  # noqa: S603  a command of ours, without a shell
        [*command, "--no-password", f"--dbname={address}"], env=environment, **streams
    )


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}


def _watch(
    process: subprocess.Popen[bytes], *, said: str, of: int, progress: DumpProgress
) -> list[str]:
    """Report the progress of a tool from its output; return the last lines of it."""
    last: list[str] = []
    done = 0
    for line in process.stderr or ():
        last = [*last, line.decode(errors="replace").strip()][-_LAST_LINES:]
        if said in last[-1]:
            done += 1
            progress(done, of)
    return last


def _without_password(url: str) -> tuple[str, str | None]:
    parts = urlsplit(url)
    who, at, where = parts.netloc.rpartition("@")
    user, _, password = who.partition(":")
    given = parse_qs(parts.query).get("password", [])
    if not password and not given:
        return url, None
    query = "&".join(one for one in parts.query.split("&") if not one.startswith("password="))
    address = parts._replace(netloc=user + at + where, query=query).geturl()
    # As the driver does, which is asked first.
    return address, unquote(password) or given[-1]
