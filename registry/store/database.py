"""The connection to PostgreSQL: one pool a process, with transactions."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar

import asyncpg

from registry.errors import ConfigurationError, Unavailable
from registry.store.hosts import UNREACHABLE, Hosts, not_an_address, place, watch_line

Connection: TypeAlias = Any
"""An asyncpg connection; asyncpg ships no types."""

Borrow: TypeAlias = Callable[[], AbstractAsyncContextManager[Connection]]
"""Lends a connection for the time of a block."""

P = ParamSpec("P")
T = TypeVar("T")

_FAULTS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
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

_FOR_READERS = 4
"""Connections that are reserved for readers, while writers wait for each other."""

_STANDBY_SECONDS = 5.0
_TRIES = 4
_PAUSE_SECONDS = 0.05


class Database:
    """A pool of connections, through which everything is read and written."""

    def __init__(self, pool: Any, hosts: Hosts) -> None:
        """Take an open asyncpg pool, and what connects it."""
        self.observe: Callable[[float | None], None] = lambda _: None
        """Called with the seconds that a connection was waited for, with None on its return."""
        self.local_buckets: dict[tuple[str, str], tuple[float, float]] = {}
        """Levels of rate limits, and when they were, where a standby cannot store them."""
        self._pool = pool
        self._ending: set[asyncio.Task[None]] = set()
        self._standby: tuple[bool, float] | None = None
        self._hosts = hosts
        self._writers = asyncio.Semaphore(max(1, pool.get_max_size() - _FOR_READERS))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection for reading. Raises `Unavailable` if there is none."""
        asked_at = time.perf_counter()
        try:
            # The pool's own time limit is a task for each time.
            async with asyncio.timeout(_ACQUIRE_SECONDS):
                connection = await self._pool.acquire()
        except TimeoutError as error:
            raise Unavailable(_BUSY) from error
        except _FAULTS as error:
            raise Unavailable(_NO_ANSWER) from error
        finally:
            self.observe(time.perf_counter() - asked_at)
        is_stopped = False
        try:
            yield connection
        except asyncio.CancelledError:
            is_stopped = True
            ending = asyncio.create_task(_end_stopped(connection))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            raise
        except _FAULTS as error:
            if isinstance(error, TimeoutError):
                await _end_if_silent(connection)
            if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                # It is no primary any more, so there may be another.
                await self._pool.expire_connections()
            if (meaning := _meaning(error, connection)) is None:
                raise
            raise Unavailable(meaning) from error
        finally:
            if not is_stopped:
                if _is_closed(connection):
                    # The idle connections lead to the same server: the next one has to be new.
                    self._hosts.pass_over()
                    await self._pool.expire_connections()
                # The statement is done or refused; a connection that cannot be reset is closed.
                with suppress(*_FAULTS):
                    await self._pool.release(connection, timeout=_ACQUIRE_SECONDS)
            self.observe(None)

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
    async def held(self) -> AsyncIterator[Connection]:
        """Borrow a connection with a transaction that holds locks, and is rolled back at the end.

        It stays on one server connection, also through a pooler, and may be idle for long.
        """
        async with self.connection() as connection:
            await connection.execute("begin; set local idle_in_transaction_session_timeout = 0")
            try:
                yield connection
            finally:
                with suppress(*_FAULTS):
                    await _roll_back(connection)

    async def is_standby(self) -> bool:
        """Return whether the server takes no writes, as of a few seconds ago."""
        if self._standby is None or time.monotonic() > self._standby[1]:
            async with self.connection() as connection:
                found = await connection.fetchval("select pg_is_in_recovery()")
            self._standby = bool(found), time.monotonic() + _STANDBY_SECONDS
        return self._standby[0]

    @property
    def in_use(self) -> int:
        """How many connections are borrowed now."""
        return int(self._pool.get_size() - self._pool.get_idle_size())

    @property
    def size(self) -> int:
        """How many connections there may be."""
        return int(self._pool.get_max_size())

    async def close(self) -> None:
        """Close all connections, also those whose other end is silent."""
        try:
            await self._pool.close()
        except _FAULTS:
            self._pool.terminate()


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
        hosts = Hosts(url)
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            command_timeout=patience,
            init=watch_line,
            # No session holds anything beyond its transactions.
            reset=_nothing_held,
            connect=hosts.connect,
        )
    except UNREACHABLE as error:
        raise Unavailable(
            f"no database answers at {place(url)} ({str(error) or 'no answer'}); "
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
        raise not_an_address() from error
    return Database(pool, hosts)


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


async def _end_stopped(connection: Connection) -> None:
    """Close the connection of a block that was cancelled, once its statement is, or in 5 seconds.

    A statement that has not ended by then is ended by the server, which sees that nobody waits.

    asyncpg 0.32 may lose count of the answers to a statement that is cancelled while it is
    prepared, and take the last one for that to the next statement, of whoever is lent it then.
    """
    with suppress(*_FAULTS):
        await connection.close(timeout=_ACQUIRE_SECONDS)


async def _roll_back(connection: Connection) -> None:
    try:
        await connection.execute("rollback")
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
