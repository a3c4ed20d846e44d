"""The connection to PostgreSQL: one pool for a process, transactions from it."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg

from registry.errors import ConfigurationError, Unavailable

Connection: TypeAlias = Any
"""An asyncpg connection; asyncpg ships no types."""

Borrow: TypeAlias = Callable[[], AbstractAsyncContextManager[Connection]]
"""Lends a connection for the time of a block."""

P = ParamSpec("P")
T = TypeVar("T")

_FAULTS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_UNREACHABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
# The driver calls it its own mistake when a connection ends just as a question begins.
_LOST = (TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InternalClientError)
_COLLISIONS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_NO_ANSWER = "the database does not answer; try again in a moment, repeating is harmless"
_BUSY = "the register is busy; try again in a moment"
_TELLING: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (_COLLISIONS, "too many change the same thing at once; try again in a moment"),
    (asyncpg.DiskFullError, "the database has no room left and nothing was written; try later"),
    (asyncpg.InsufficientResourcesError, "the database is overloaded; try again in a moment"),
    (
        asyncpg.ReadOnlySQLTransactionError,
        "the register can only be read for the time being, and nothing was written; try later",
    ),
    (
        (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError),
        "this took too long and was stopped, nothing was written; try again in a moment",
    ),
    ((asyncpg.OperatorInterventionError, asyncpg.PostgresSystemError), _NO_ANSWER),
)
"""What a fault of the database means to the caller; the first that fits."""

_OF_TLS = ("root certificate file", "`sslmode` parameter")
"""How the driver begins to tell of these; other sentences of it may quote the address."""

_ACQUIRE_SECONDS = 5.0
_COMMAND_SECONDS = 120.0
"""How long a statement may take where nobody waits for its answer."""

_SILENCE_SECONDS = 0.5

_SOCKET = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 8_000}
_SESSION = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15s",
    # A process that was stopped in the middle must not hold its locks for ever.
    "idle_in_transaction_session_timeout": "5min",
}
"""So the kernel ends a connection whose other end has vanished without a word (tcp(7)): ours after
8 seconds, the server's session, which may hold locks and a role, after 15."""

_FOR_READERS = 4
"""Connections that are left to those who only read, while writers wait for each other."""

_TRIES = 4
_PAUSE_SECONDS = 0.05


class Database:
    """A pool of connections. Everything read or written goes through one of the methods."""

    def __init__(self, pool: Any) -> None:
        """Take an open asyncpg pool."""
        self._pool = pool
        self._writers = asyncio.Semaphore(max(1, pool.get_max_size() - _FOR_READERS))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection for reading; raises `Unavailable` when none is to be had."""
        try:
            connection = await self._pool.acquire(timeout=_ACQUIRE_SECONDS)
        except TimeoutError as error:
            raise Unavailable(_BUSY) from error
        except _FAULTS as error:
            raise Unavailable(_NO_ANSWER) from error
        try:
            yield connection
        except _FAULTS as error:
            if isinstance(error, TimeoutError):
                await _end_if_silent(connection)
            if (meaning := _meaning(error, connection)) is None:
                raise
            raise Unavailable(meaning) from error
        finally:
            if _is_closed(connection):
                # The idle ones lead to the same server: whoever comes next has a fresh one.
                await self._pool.expire_connections()
            # What was asked is done or refused by now; a connection that cannot be reset is ended.
            with suppress(*_FAULTS):
                await self._pool.release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Borrow a connection with a transaction around it: all of it happens, or nothing."""
        try:
            async with asyncio.timeout(_ACQUIRE_SECONDS):
                await self._writers.acquire()
        except TimeoutError as error:
            raise Unavailable(_BUSY) from error
        try:
            async with self.connection() as connection, transaction(connection):
                yield connection
        finally:
            self._writers.release()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """Borrow a connection that sees one state of the register, however long it reads."""
        async with (
            self.connection() as connection,
            transaction(connection, isolation="repeatable_read", readonly=True),
        ):
            yield connection

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Connection]:
        """Borrow a connection whose session locks and settings end with the block."""
        async with self.connection() as connection:
            try:
                yield connection
            finally:
                with suppress(*_FAULTS):
                    await _reset(connection)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()


@asynccontextmanager
async def transaction(connection: Connection, **options: Any) -> AsyncIterator[None]:
    """Put a transaction around a block, with the `options` of asyncpg's."""
    async with connection.transaction(**options):
        try:
            yield
        except TimeoutError:
            # A rollback would wait as long again.
            await _end_if_silent(connection)
            raise


@asynccontextmanager
async def savepoint(connection: Connection) -> AsyncIterator[None]:
    """Put a savepoint around a block of a transaction: where it fails, it alone is undone.

    Raises `Unavailable` where not the block is at fault, but the server.
    """
    try:
        async with transaction(connection):
            yield
    except _FAULTS as error:
        if (meaning := _meaning(error, connection)) is None:
            raise
        raise Unavailable(meaning) from error


async def connect(url: str, *, size: int = 10, patience: float = _COMMAND_SECONDS) -> Database:
    """Open a pool; a statement is waited for as many seconds as `patience` says.

    Raises `ConfigurationError` when the address or login is wrong.
    """
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            command_timeout=patience,
            init=_watch_line,
            # What a session holds beyond its transactions is for `Database.session` alone.
            reset=_nothing_held,
            server_settings={"application_name": "registry", "timezone": "UTC", **_SESSION},
        )
    except _UNREACHABLE as error:
        raise Unavailable(
            f"no database answers at {place(url)} ({error}); "
            "start it, or mend REGISTRY_DATABASE_URL"
        ) from error
    except (ssl.SSLError, asyncpg.PostgresError) as error:
        raise ConfigurationError(
            f"the database at {place(url)} refuses us: {error}; mend REGISTRY_DATABASE_URL"
        ) from error
    except (ValueError, asyncpg.InterfaceError) as error:
        if str(error).startswith(_OF_TLS):
            raise ConfigurationError(
                f"REGISTRY_DATABASE_URL: {str(error).splitlines()[0]}; mend sslmode or sslrootcert"
            ) from error
        raise _not_an_address() from error
    return Database(pool)


def retried(work: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Make a use case begin anew, a few times, when its transaction collided with another.

    The whole function runs again, so all that it does outside its transactions must be harmless
    to repeat.
    """

    @wraps(work)
    async def again(*args: P.args, **kwargs: P.kwargs) -> T:
        for attempt in range(1, _TRIES):
            try:
                return await work(*args, **kwargs)
            except Unavailable as error:
                if not isinstance(error.__cause__, _COLLISIONS):
                    raise
            await asyncio.sleep(random.uniform(0, _PAUSE_SECONDS * 2**attempt))  # noqa: S311  no secret
        return await work(*args, **kwargs)

    return again


async def _end_if_silent(connection: Connection) -> None:
    """End a connection on which a statement took too long, unless the server still answers.

    By now the driver has asked the server to stop that statement.
    """
    try:
        await connection.execute("select", timeout=_SILENCE_SECONDS)
    except asyncpg.PostgresError:
        # It is an answer, of a transaction that has failed.
        pass
    except _FAULTS:
        with suppress(asyncpg.InterfaceError):
            connection.terminate()


async def _watch_line(connection: Connection) -> None:
    """Have the kernel end a connection over TCP when the other end has vanished."""
    line = connection._transport.get_extra_info("socket")  # noqa: SLF001  it is shown nowhere else
    if line.family == socket.AF_UNIX:
        return
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _SOCKET.items():
        # Not every system has them all.
        if hasattr(socket, name):
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _reset(connection: Connection) -> None:
    try:
        await connection.reset()
    except BaseException:
        # It must not be lent again with what it holds.
        connection.terminate()
        raise


async def _nothing_held(connection: Connection) -> None:
    """Leave a returned connection as it is, which saves a round trip."""


def _meaning(error: Exception, connection: Connection) -> str | None:
    """Return what a fault means to the caller; None where it is the caller's, or a bug of ours."""
    told = next((sentence for kind, sentence in _TELLING if isinstance(error, kind)), None)
    is_lost = isinstance(error, _LOST) or _is_closed(connection)
    return told or (_NO_ANSWER if is_lost else None)


def _is_closed(connection: Connection) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        # The pool has taken the dead connection back from under us.
        return True


def place(url: str) -> str:
    """Return host and database of an address, without user and password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2] or ",".join(parse_qs(parts.query).get("host", []))
    if "@" in parts.path + parts.query:
        # The password holds a sign that has ended the host's part too early.
        raise _not_an_address()
    return host + parts.path


def _not_an_address() -> ConfigurationError:
    # What was given is not shown: a part of it may be the password.
    return ConfigurationError(
        "REGISTRY_DATABASE_URL is not the address of a database: write "
        "postgresql://user:password@host:5432/name, and percent-encode signs such as / and @ "
        "in the password"
    )
