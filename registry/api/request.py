"""A request: its id and client, what handlers share, the gate for bodies, the limit of work."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any, TypeAlias
from urllib.parse import quote

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import InternalServerException

from registry.api.replica import Reads
from registry.clock import utc_now
from registry.errors import (
    PayloadTooLarge,
    RequestTimeout,
    TooManyRequests,
    Unavailable,
    UnreadableDocument,
    UnsupportedMediaType,
)
from registry.ledger.published_log import LogTree
from registry.ledger.targets import ObjectStore
from registry.record.model import Document
from registry.record.parse import MAX_BYTES
from registry.search.engine import SearchIndex
from registry.services.context import ServiceContext
from registry.services.operations import limits
from registry.services.people.access import Actor
from registry.services.people.identity_provider import IdentityProvider
from registry.settings import Network, Settings
from registry.store.database import Database
from registry.work import WorkProcess

BODY_SECONDS = 30.0
"""How long a body may take to arrive, so that slow ones cannot hold connections for ever."""


async def read_json(request: Request[Any, Any, Any], media_type: str = "application/json") -> Any:
    """Read a request's body as strict JSON; raises what is wrong with it."""
    require_type(request, media_type, "JSON")
    context: ServiceContext = request.app.state.context
    return await context.parse(await read_body(request))


def require_type(request: Request[Any, Any, Any], media_type: str, called: str) -> None:
    """Refuse a body that is declared as something else, in other letters, or is encoded."""
    given, parameters = request.content_type
    if given != media_type:
        raise UnsupportedMediaType(
            f"the body is declared as {given or 'nothing'}; "
            f"send {called} with Content-Type: {media_type}"
        )
    charset = parameters.get("charset", "utf-8")
    if charset.lower() != "utf-8":
        raise UnsupportedMediaType(
            f"the body is declared to be in {charset}; send it in UTF-8, "
            f"with Content-Type: {media_type}"
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("send the body without a content encoding")


def require_one_of(request: Request[Any, Any, Any], media_types: Mapping[str, str]) -> None:
    """Refuse a body that is declared as none of some types, or is encoded."""
    given, _ = request.content_type
    if given not in media_types:
        known = ", ".join(f"{called}: {media_type}" for media_type, called in media_types.items())
        raise UnsupportedMediaType(
            f"the body is declared as {given or 'nothing'}; send one of these as Content-Type: "
            f"{known}"
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("send the body without a content encoding")


async def read_body(request: Request[Any, Any, Any], most: int = MAX_BYTES) -> bytes:
    """Read a request's body whole, if it is small enough and comes in time."""
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > most:
        raise _too_large(most)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise _too_large(most)
    except TimeoutError as error:
        raise RequestTimeout(
            f"the body did not come whole within {BODY_SECONDS:.0f} seconds; send it again"
        ) from error
    except InternalServerException as error:
        raise UnreadableDocument("the connection ended before the body did") from error
    return bytes(body)


async def read_document(
    request: Request[Any, Any, Any], media_type: str = "application/json"
) -> Document:
    """Read a request's body as one JSON object."""
    value = await read_json(request, media_type)
    if not isinstance(value, dict):
        raise UnreadableDocument("a record is a JSON object: { … }")
    return value


def _too_large(most: int) -> PayloadTooLarge:
    what = "a document" if most == MAX_BYTES else "this body"
    return PayloadTooLarge(f"{what} has at most {most:,} bytes")


_COUNTED_SECONDS = 0.01
"""Requests that take less are not counted: that would cost more than they do."""

_MOST_KEPT = 10_000


class WorkLimit:
    """Charges requests for the time they took, and refuses those who are in debt."""

    def __init__(self, per_minute: int) -> None:
        """Take the milliseconds a minute; 0 is no limit."""
        self._per_minute = per_minute
        self._until: dict[str, float] = {}

    @property
    def has_debtors(self) -> bool:
        """Whether anybody may be in debt."""
        return bool(self._until)

    def counts(self, seconds: float) -> bool:
        """Return whether a request that took so long is charged."""
        return self._per_minute > 0 and seconds >= _COUNTED_SECONDS

    def require(self, who: str) -> None:
        """Raise `TooManyRequests` while an address or a token is in debt."""
        until = self._until.get(who)
        if until is None:
            return
        left = until - time.monotonic()
        if left <= 0:
            self._until.pop(who, None)
            return
        raise TooManyRequests(
            f"what was asked for took more than {self._per_minute:,} ms of work in a minute; try "
            "again later, and ask for less at once",
            retry_after=max(1, math.ceil(left)),
        )

    async def charge(self, database: Database, who: str, seconds: float) -> None:
        """Take the time of a request, one that counts, from what an address or a token may take."""
        # Nobody waits for a database that does not answer, after an answer.
        with suppress(Unavailable):
            debt = await limits.charge(
                database,
                "ms of work",
                who,
                per_minute=self._per_minute,
                cost=seconds * 1000,
                now=utc_now(),
            )
            if debt > 0:
                if len(self._until) >= _MOST_KEPT:
                    self._until.clear()
                self._until[who] = time.monotonic() + debt


_BY_A_PROXY = {
    b"forwarded",
    b"via",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-proto",
    b"x-real-ip",
}
# Some proxies, such as IIS, name the port as well.
_WITH_PORT = re.compile(r"(?:(\d+\.\d+\.\d+\.\d+)|\[([0-9a-fA-F:.]+)\])(?::\d+)?", re.ASCII)
_HOST = re.compile(r"(?:([a-z0-9._-]+)|\[([0-9a-f:.]+)\])(?::[0-9]*)?", re.ASCII | re.IGNORECASE)
_OF_ONE_CLIENT = 64
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TOKEN = re.compile(r"regt_[\w-]+")
_LINK = re.compile(r"(/office/(?:[a-z]+/)?(?:sign-in/link|settings/address|preview)/)[^/]+")


class RequestContext(msgspec.Struct, kw_only=True):
    """A request's id, which answer, log and audit trail name alike; actor and operation once known.

    The operation is named after its handler.
    """

    id: str
    actor: Actor | None = None
    operation: str = "none"


ApiRequest: TypeAlias = Request[Any, Any, Any]


class ApiState(State):
    """What the handlers of one worker share: read directly, a dependency costs a task a request."""

    context: ServiceContext
    index: SearchIndex
    settings: Settings
    clock: Callable[[], dt.datetime]
    workbooks: WorkProcess
    provider: IdentityProvider | None
    work: WorkLimit
    reads: Reads
    tree: LogTree
    store: ObjectStore | None
    exporting: Counter[str]


class AccessLogEntry(msgspec.Struct, tag_field="event", tag="request", gc=False):
    """A line of the access log: an answer of the API, and nothing that was sent with its request.

    `token` is the number of the actor's token.
    """

    method: str
    path: str
    status: int
    ms: float
    actor: str | None
    token: int | None
    request: str
    timestamp: dt.datetime
    level: str = "info"


def request_context(scope: Any) -> RequestContext:
    """Return what the outermost middleware has noted of a request."""
    found: RequestContext = scope["request_context"]
    return found


def request_id(scope: Any, given: str, proxies: Sequence[Network]) -> str:
    """Return the id of a request: that of a trusted proxy, or a new one."""
    known = given and _ID.fullmatch(given) is not None and comes_from(scope, proxies)
    # It tells requests apart and is no secret; the system's randomness takes ten times as long.
    return given if known else f"{random.getrandbits(64):016x}"


def path_for_logs(scope: Any) -> str:
    """Return a request's path percent-encoded, without a token that was put there wrongly.

    Nor does it have the secrets of links, which open a page for whoever holds them.
    """
    path = _LINK.sub(r"\1…", scope["path"])
    return _TOKEN.sub("regt_", quote(path, safe="/…", errors="replace"))


def comes_from(scope: Any, proxies: Sequence[Network]) -> bool:
    """Return whether the other end of the connection lies in one of these networks."""
    peer = _address((scope.get("client") or ("",))[0])
    return peer is not None and any(peer in network for network in proxies)


def is_passed_on(scope: Any) -> bool:
    """Return whether a request came through a proxy, by the headers that one adds."""
    return any(name.lower() in _BY_A_PROXY for name, _ in scope["headers"])


def client_address(scope: Any, proxies: Sequence[Network]) -> str:
    """Return the client, for limits: an IPv4 address, or the IPv6 network /64 of one customer.

    Behind trusted proxies it is the last address of `X-Forwarded-For` that is none of theirs; what
    stands before it may be invented.
    """
    hops = [(scope.get("client") or ("",))[0]]
    if proxies and comes_from(scope, proxies):
        forwarded = b",".join(
            value for name, value in scope["headers"] if name.lower() == b"x-forwarded-for"
        )
        hops += reversed(forwarded.decode("latin-1").split(","))
    found = None
    for hop in hops:
        address = _address(hop.strip())
        if address is None:
            break
        found = address
        if not any(address in network for network in proxies):
            break
    if isinstance(found, IPv6Address):
        network = int(found) >> _OF_ONE_CLIENT << _OF_ONE_CLIENT
        return f"{IPv6Address(network)}/{_OF_ONE_CLIENT}"
    return str(found or "unknown")


def worker_of(actor: Actor | None, scope: Any, proxies: Sequence[Network]) -> str:
    """Return whose work a request is: of a member, a token, or an address without either."""
    if actor is None:
        return client_address(scope, proxies)
    return f"token {actor.token}" if actor.member is None else actor.person


@lru_cache(maxsize=1000)
def _address(text: str) -> Any:
    port = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address(text if port is None else port[1] or port[2])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def host_name(given: bytes) -> str:
    """Return the name in a Host header, in lower case; empty where it is none.

    A name before an `@` or behind a `/` is not passed over: a proxy may have looked at that one.
    """
    match = _HOST.fullmatch(given.decode("latin-1"))
    return (match[1] or match[2]).lower() if match else ""
