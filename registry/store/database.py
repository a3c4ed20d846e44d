"""The connection to PostgreSQL: one pool for a process, transactions from it."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import asyncpg

from registry.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Connection: TypeAlias = Any
"""An asyncpg connection; asyncpg ships no types."""

_UNREACHABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
_LOST = (
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
_ACQUIRE_SECONDS = 10.0


class Database:
    """A pool of connections. Everything read or written goes through one of the two methods."""

    def __init__(self, pool: Any) -> None:
        """Take an open asyncpg pool."""
        self._pool = pool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection for reading; raises `Unavailable` when none is to be had."""
        try:
            connection = await self._pool.acquire(timeout=_ACQUIRE_SECONDS)
        except _UNREACHABLE as error:
            raise Unavailable("the database does not answer; try again in a moment") from error
        try:
            yield connection
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if not (isinstance(error, _LOST) or _is_lost(connection)):
                raise
            raise Unavailable("the database does not answer; try again in a moment") from error
        finally:
            await self._pool.release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Borrow a connection with a transaction around it: all of it happens, or nothing."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """Borrow a connection that sees one state of the register, however long it reads."""
        async with (
            self.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection

    async def close(self) -> None:
        """Give all connections back."""
        await self._pool.close()


async def connect(url: str, *, size: int = 10) -> Database:
    """Open a pool; raises `ConfigurationError` when the address or login is wrong."""
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            command_timeout=120,
            server_settings={"application_name": "registry", "timezone": "UTC"},
        )
    except _UNREACHABLE as error:
        raise Unavailable(
            f"no database answers at {_place(url)} ({error}); "
            "start it, or mend REGISTRY_DATABASE_URL"
        ) from error
    except (ssl.SSLError, asyncpg.PostgresError) as error:
        raise ConfigurationError(
            f"the database at {_place(url)} refuses us: {error}; mend REGISTRY_DATABASE_URL"
        ) from error
    except (ValueError, asyncpg.InterfaceError) as error:
        raise _not_an_address() from error
    return Database(pool)


def _is_lost(connection: Connection) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        # The pool has taken the dead connection back from under us.
        return True


def _place(url: str) -> str:
    """Say where an address leads, without user and password."""
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
