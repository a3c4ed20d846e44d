"""The connection to PostgreSQL: hosts, a pool a process, transactions, static SQL."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import cache, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg

from registry.errors import ConfigurationError, Unavailable

T = TypeVar("T")

_QUERIES = Path(__file__).parent / "queries"
_NAME = re.compile(r"^-- (name|part): (\w+)$", re.MULTILINE)
_EACH = re.compile(r"^-- each: (.+)\n((?:.*\n)*?)-- end\n", re.MULTILINE)


@cache
def statement(subject: str, name: str) -> str:
    """Return the statement `name` of the file `queries/<subject>.sql`.

    A `-- part: <name>` of the file stands wherever it has `{name}`. What is between `-- each:
    <words>` and `-- end` is there for each word, in place of `{}`.
    """
    return _EACH.sub(
        lambda found: "".join(found[2].replace("{}", word) for word in found[1].split()),
        _statements(subject)[name],
    )


async def read_rows(
    connection: Any, made: Callable[..., T], subject: str, name: str, *arguments: Any
) -> list[T]:
    """Return the rows of a statement as structs whose fields are named like its columns."""
    return [made(**row) for row in await connection.fetch(statement(subject, name), *arguments)]


async def read_row(
    connection: Any, made: Callable[..., T], subject: str, name: str, *arguments: Any
) -> T | None:
    """Return the one row of a statement, or None."""
    row = await connection.fetchrow(statement(subject, name), *arguments)
    return None if row is None else made(**row)


@cache
def _statements(subject: str) -> dict[str, str]:
    queries = (_QUERIES / f"{subject}.sql").read_text(encoding="utf-8")
    _, *found = _NAME.split(queries)
    bodies: dict[str, dict[str, str]] = {"name": {}, "part": {}}
    for kind, name, body in zip(found[::3], found[1::3], found[2::3], strict=True):
        bodies[kind][name] = body.strip()
    named = bodies["name"]
    for part, body in bodies["part"].items():
        named = {name: text.replace(f"{{{part}}}", body) for name, text in named.items()}
    return named


UNREACHABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.TargetServerAttributeNotMatched,
)
AWAY = (TimeoutError, asyncpg.InterfaceError, *UNREACHABLE)
"""What says nothing of the data that was asked for: no answer, or a fault of the caller."""

_CONNECT_SECONDS = 10.0
_LATE_SECONDS = 10.0
_HOST_SECONDS = 2.0
"""The time limit of one host of several, so that the others are tried too."""
_SOCKET = {"TCP_KEEPIDLE": 3, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 3_000}
_SESSION = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15s",
    # A process that was suspended must not keep its locks.
    "idle_in_transaction_session_timeout": "5min",
    # A request to cancel that comes before the server has begun the statement does nothing.
    "client_connection_check_interval": "1s",
}
"""TCP timeouts of a session (tcp(7)), and how soon it ends a statement that nobody waits for.

The kernel closes a connection whose other end has vanished: ours after 3 to 6 seconds, the server's
session, which may hold locks and a role, after 15.
"""

_REFUSED_SETTING = "unsupported startup parameter"
_PORT = 5432


class Hosts:
    """Connects to the first host of an address that answers, beginning with the last good one.

    The driver tries a list of hosts within one time limit, which a silent host uses up.
    """

    def __init__(self, url: str) -> None:
        """Take the address of a database."""
        self._hosts = _listed_hosts(url)
        self._first = 0
        self._good_since = 0.0
        self._wanted = ["standby", "any"] if "prefer-standby" in urlsplit(url).query else [None]
        self._settings = {"application_name": "registry", "timezone": "UTC", **_SESSION}

    async def connect(self, url: str, **options: Any) -> Any:
        """Return a new connection. Raises `ConnectionError` that says what each host answered."""
        if len(self._hosts) < 2:  # noqa: PLR2004
            return await self._open(url, timeout=_CONNECT_SECONDS, **options)
        told: dict[str, str] = {}
        for wanted in self._wanted:
            given = {} if wanted is None else {"target_session_attrs": wanted}
            for _ in self._hosts:
                at = self._first
                host, port = self._hosts[at]
                try:
                    made = await self._open(
                        url, host=host, port=port, timeout=_HOST_SECONDS, **given, **options
                    )
                except (*UNREACHABLE, asyncio.CancelledError) as error:
                    # Whoever connects next begins with another, also if this is broken off.
                    if self._first == at:
                        self._first = (at + 1) % len(self._hosts)
                    if isinstance(error, asyncio.CancelledError):
                        raise
                    told[f"{host}:{port}"] = _answer(error)
                else:
                    self._good_since = time.monotonic()
                    return made
        raise ConnectionError("; ".join(f"{host}: {answer}" for host, answer in told.items()))

    def pass_over(self) -> None:
        """Begin with another host: a connection to the one that was good has been lost.

        Those that are lost late, when another is good already, change nothing.
        """
        if time.monotonic() - self._good_since > _LATE_SECONDS and self._hosts:
            self._first = (self._first + 1) % len(self._hosts)
            self._good_since = time.monotonic()

    async def _open(self, url: str, **options: Any) -> Any:
        try:
            return await asyncpg.connect(url, server_settings=self._settings, **options)
        except asyncpg.PostgresError as error:
            if _REFUSED_SETTING not in str(error) or not self._settings.keys() & _SESSION.keys():
                raise
            # A pooler (PgBouncer) shares its connections to the server among us and others; these
            # settings have to be the role's there.
            self._settings = {"application_name": "registry", "timezone": "UTC"}
            return await asyncpg.connect(url, server_settings=self._settings, **options)


def _listed_hosts(url: str) -> list[tuple[str, int]]:
    """Return host and port of each server that an address names."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    hosts = (parts.netloc.rpartition("@")[2] or ",".join(query.get("host", []))).split(",")
    ports = ",".join(query.get("port", [])).split(",")
    found = []
    for number, one in enumerate(hosts):
        host, _, port = one.rpartition(":") if re.search(r":\d*$", one) else (one, "", "")
        usual = ports[number if number < len(ports) else -1]
        found.append((host.strip("[]"), int(port or usual or _PORT)))
    return [one for one in found if one[0]]


def _answer(error: Exception) -> str:
    """Return what a host answered that cannot be used."""
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        return "not what target_session_attrs wants"
    return str(error) or f"no answer within {_HOST_SECONDS:g} s"


async def watch_line(connection: Any) -> None:
    """Set TCP keepalive, so that the kernel closes a connection whose other end has vanished."""
    line = connection._transport.get_extra_info("socket")  # noqa: SLF001  it is shown nowhere else
    if line.family == socket.AF_UNIX:
        return
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _SOCKET.items():
        # Not every system has all of them.
        if hasattr(socket, name):
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def place(url: str) -> str:
    """Return host and database of an address, without user and password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2] or ",".join(parse_qs(parts.query).get("host", []))
    if "@" in parts.path + parts.query:
        # The password has a character that ends the host's part too early.
        raise not_an_address()
    return host + parts.path


def not_an_address() -> ConfigurationError:
    """Return the error for what is no address of a database."""
    # The address is not shown: a part of it may be the password.
    return ConfigurationError(
        "REGISTRY_DATABASE_URL is not the address of a database: write "
        "postgresql://user:password@host:5432/name, and percent-encode signs such as / and @ "
        "in the password"
    )


Connection: TypeAlias = Any
"""An asyncpg connection; asyncpg ships no types."""

Borrow: TypeAlias = Callable[[], AbstractAsyncContextManager[Connection]]
"""Lends a connection for the time of a block."""

P = ParamSpec("P")

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
