"""The context of a request: its id, its client, and what the handlers of a worker share."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any, TypeAlias
from urllib.parse import quote

import msgspec
from litestar import Request
from litestar.datastructures import State

from registry.api.replica import Reads
from registry.api.work_limit import WorkLimit
from registry.ledger.published_log import LogTree
from registry.ledger.targets import ObjectStore
from registry.search.engine import SearchIndex
from registry.services.access import Actor
from registry.services.context import ServiceContext
from registry.services.identity_provider import IdentityProvider
from registry.settings import Network, Settings
from registry.work import WorkProcess

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
_LINK = re.compile(r"(/office/(?:[a-z]+/)?(?:sign-in/link|preview)/)[^/]+")


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
