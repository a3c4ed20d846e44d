"""The servers that an address of a database names, and connections to them."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from registry.errors import ConfigurationError

UNREACHABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.TargetServerAttributeNotMatched,
)
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
