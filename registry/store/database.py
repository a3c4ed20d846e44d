"""The connection to PostgreSQL: one pool a process, with transactions."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg
import msgspec

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
# asyncpg raises an internal error when a connection ends just as a statement begins.
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
"""The errors of faults of the database; the first that matches."""

_OF_TLS = ("root certificate file", "`sslmode` parameter")
"""The beginnings of TLS messages of the driver; its other messages may quote the address."""

_ACQUIRE_SECONDS = 5.0
_COMMAND_SECONDS = 120.0
"""The time limit of a statement outside requests."""

_SILENCE_SECONDS = 0.5

_SOCKET = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 8_000}
_SESSION = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15s",
    # A process that was suspended must not keep its locks.
    "idle_in_transaction_session_timeout": "5min",
}
"""TCP timeouts of a session (tcp(7)).

The kernel closes a connection whose other end has vanished: ours after 8 seconds, the server's
session, which may hold locks and a role, after 15.
"""

_FOR_READERS = 4
"""Connections that are reserved for readers, while writers wait for each other."""

_TRIES = 4
_PAUSE_SECONDS = 0.05


class PoolUsage(msgspec.Struct):
    """How often connections were borrowed, and for how many seconds that was waited for."""

    borrowed: int = 0
    waited: float = 0.0


class Database:
    """A pool of connections, through which everything is read and written."""

    def __init__(self, pool: Any) -> None:
        """Take an open asyncpg pool."""
        self.usage = PoolUsage()
        self._pool = pool
        self._writers = asyncio.Semaphore(max(1, pool.get_max_size() - _FOR_READERS))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection for reading. Raises `Unavailable` if there is none."""
        asked_at = time.perf_counter()
        try:
            connection = await self._pool.acquire(timeout=_ACQUIRE_SECONDS)
        except TimeoutError as error:
            raise Unavailable(_BUSY) from error
        except _FAULTS as error:
            raise Unavailable(_NO_ANSWER) from error
        finally:
            self.usage.borrowed += 1
            self.usage.waited += time.perf_counter() - asked_at
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
                # The idle connections lead to the same server: the next one has to be new.
                await self._pool.expire_connections()
            # The statement is done or refused by now; a connection that cannot be reset is closed.
            with suppress(*_FAULTS):
                await self._pool.release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Borrow a connection with a transaction around the block."""
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
        """Borrow a connection that reads one state of the register for the whole block."""
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

    @property
    def in_use(self) -> int:
        """How many connections are borrowed now."""
        return int(self._pool.get_size() - self._pool.get_idle_size())

    @property
    def size(self) -> int:
        """How many connections there may be."""
        return int(self._pool.get_max_size())

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()


@asynccontextmanager
async def transaction(connection: Connection, **options: Any) -> AsyncIterator[None]:
    """Run a block in a transaction, with asyncpg's `options`."""
    async with connection.transaction(**options):
        try:
            yield
        except TimeoutError:
            # A rollback would wait as long again.
            await _end_if_silent(connection)
            raise


@asynccontextmanager
async def savepoint(connection: Connection, *, first: bool) -> AsyncIterator[None]:
    """Run a block of a transaction of such blocks: if it fails, only it is rolled back.

    The savepoint of a block stays until the next, or the transaction, ends it: a round trip less.
    Raises `Unavailable` if the server, not the block, is the cause.
    """
    try:
        await connection.execute("savepoint block" if first else "release block; savepoint block")
        try:
            yield
        except Exception as error:
            if isinstance(error, TimeoutError):
                await _end_if_silent(connection)
            await connection.execute("rollback to savepoint block")
            raise
    except _FAULTS as error:
        if (meaning := _meaning(error, connection)) is None:
            raise
        raise Unavailable(meaning) from error


async def connect(url: str, *, size: int = 10, patience: float = _COMMAND_SECONDS) -> Database:
    """Open a pool with a time limit of `patience` seconds for a statement.

    Raises `ConfigurationError` if the address or login is wrong.
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
    """Retry a use case, a few times, when its transaction conflicts with another.

    The whole function runs again, so everything outside its transactions has to be idempotent.
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
    """Close a connection after a statement timed out, unless the server still answers.

    The driver has asked the server to cancel the statement before.
    """
    try:
        await connection.execute("select", timeout=_SILENCE_SECONDS)
    except asyncpg.PostgresError:
        # That is an answer: the transaction has failed.
        pass
    except _FAULTS:
        with suppress(asyncpg.InterfaceError):
            connection.terminate()


async def _watch_line(connection: Connection) -> None:
    """Set TCP keepalive, so that the kernel closes a connection whose other end has vanished."""
    line = connection._transport.get_extra_info("socket")  # noqa: SLF001  it is shown nowhere else
    if line.family == socket.AF_UNIX:
        return
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _SOCKET.items():
        # Not every system has all of them.
        if hasattr(socket, name):
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _reset(connection: Connection) -> None:
    try:
        await connection.reset()
    except BaseException:
        # It must not be lent again with its locks.
        connection.terminate()
        raise


async def _nothing_held(connection: Connection) -> None:
    """Leave a returned connection as it is, which saves a round trip."""


def _meaning(error: Exception, connection: Connection) -> str | None:
    """Return the error for a fault of the server; None for one of the caller, or a bug of ours."""
    told = next((sentence for kind, sentence in _TELLING if isinstance(error, kind)), None)
    is_lost = isinstance(error, _LOST) or _is_closed(connection)
    return told or (_NO_ANSWER if is_lost else None)


def _is_closed(connection: Connection) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        # The pool has closed the dead connection already.
        return True


def place(url: str) -> str:
    """Return host and database of an address, without user and password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2] or ",".join(parse_qs(parts.query).get("host", []))
    if "@" in parts.path + parts.query:
        # The password has a character that ends the host's part too early.
        raise _not_an_address()
    return host + parts.path


def _not_an_address() -> ConfigurationError:
    # The address is not shown: a part of it may be the password.
    return ConfigurationError(
        "REGISTRY_DATABASE_URL is not the address of a database: write "
        "postgresql://user:password@host:5432/name, and percent-encode signs such as / and @ "
        "in the password"
    )
