"""The register as readers reach it, and what it asks of others, each asked now."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import secrets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import urlsplit

import httpx

from registry.clock import utc_now
from registry.errors import Unavailable
from registry.http_client import BoundedClient, exchange
from registry.services.operations import mail
from registry.services.operations.doctor.checks import (
    Check,
    Installation,
    finding,
    good,
    judged,
    unseen,
)
from registry.services.people.identity_provider import IdentityProvider
from registry.settings import PREFIX, Settings, is_loopback
from registry.store import rate_limits

_PATIENCE_SECONDS = 5.0
_LEAST_DAYS = 21
_JSON = "/api/v1/codelists"
_OUR_ID = re.compile(r"[0-9a-f]{16}")
_HEADERS = ("content-security-policy", "x-content-type-options", "referrer-policy")
_HSTS = "strict-transport-security"
_FOR_DOCUMENTATION = int(IPv6Address("2001:db8::"))


def check_proxy(settings: Settings) -> Iterator[Check]:
    """Examine `BASE_URL`, asked as a reader does; what cannot be reached ends it."""
    url, is_public = settings.base_url, _is_public(settings)
    try:
        with _client(settings) as client:
            live = client.get("/health/live")
            yield from _check_certificate(live, now=utc_now())
            if not live.is_success:
                yield finding(
                    "proxy",
                    f"{url}/health/live answers {live.status_code}",
                    "Let the proxy pass every path to registry serve.",
                )
                return
            yield good("proxy", f"{url} leads to a register")
            if is_public:
                yield _check_forwarding(client)
            yield _check_headers(client, is_safe=url.startswith("https:"))
            yield _check_tags(client)
            if is_public and client.get("/metrics").is_success:
                yield finding(
                    "figures",
                    f"{url}/metrics is shown to anybody",
                    "Let the proxy pass on Host and X-Forwarded-For, and refuse /metrics.",
                )
    except httpx.HTTPError as error:
        yield finding(
            "proxy",
            f"{url} cannot be asked from here: {error}",
            "Start registry serve and the proxy; mend name, certificate or REGISTRY_BASE_URL.",
        )


def _is_public(settings: Settings) -> bool:
    return not is_loopback(urlsplit(settings.base_url).hostname or "")


def _client(settings: Settings) -> httpx.Client:
    return BoundedClient(
        seconds=_PATIENCE_SECONDS,
        base_url=settings.base_url,
        headers={"User-Agent": "registry-doctor"},
    )


async def _ask_cache(url: str) -> None:
    async with httpx.AsyncClient(timeout=_PATIENCE_SECONDS) as client:
        await exchange(client, "OPTIONS", url, seconds=_PATIENCE_SECONDS)


def _check_certificate(answer: httpx.Response, *, now: dt.datetime) -> Iterator[Check]:
    line = answer.extensions["network_stream"].get_extra_info("ssl_object")
    if line is None:
        return
    seconds = ssl.cert_time_to_seconds(line.getpeercert()["notAfter"])
    days = (dt.datetime.fromtimestamp(seconds, dt.UTC) - now).days
    seen = f"the certificate ends in {days} days, {line.version()}"
    advice = "See why the certificate is not renewed."
    yield judged("TLS", seen, advice, is_wrong=days < _LEAST_DAYS)


def _check_forwarding(client: httpx.Client) -> Check:
    """Check by the request's id whether the register trusts who asks it."""
    given = f"doctor-{secrets.token_hex(4)}"
    shown = client.get("/health/live", headers={"X-Request-Id": given}).headers.get("x-request-id")
    if shown and _OUR_ID.fullmatch(shown) is None:
        return good("forwarded address", "the register trusts who passes requests on")
    return finding(
        "forwarded address",
        "the register does not trust the proxy, so that all readers are one address to limits",
        "Set REGISTRY_TRUSTED_PROXIES to the proxy's address, and let it set X-Forwarded-For "
        "and X-Request-Id.",
    )


def _check_headers(client: httpx.Client, *, is_safe: bool) -> Check:
    answer = client.get(_JSON)
    wanted = [*_HEADERS, _HSTS] if is_safe else _HEADERS
    missing = [name for name in wanted if name not in answer.headers]
    if missing:
        return finding(
            "headers",
            f"answers arrive without {', '.join(missing)}",
            f"Let the proxy pass on all headers of an answer, and add {_HSTS} to it.",
        )
    return good("headers", "those of the register arrive")


def _check_tags(client: httpx.Client) -> Check:
    for coding in ("identity", "gzip"):
        asked = {"Accept-Encoding": coding}
        tag = client.get(_JSON, headers=asked).headers.get("etag")
        again = client.get(_JSON, headers=asked | {"If-None-Match": tag or "*"})
        if tag is None or again.status_code != httpx.codes.NOT_MODIFIED:
            why = "has no ETag" if tag is None else "is not answered 304 by its own ETag"
            return finding(
                "tags",
                f"{_JSON} ({coding}) {why}",
                "Let the proxy neither compress JSON nor change ETag and If-None-Match.",
            )
    return good("tags", "those of JSON pass through")


async def check_client_address(looked: Installation) -> AsyncIterator[Check]:
    """Check by the limits in the database whether an invented `X-Forwarded-For` is believed."""
    name, settings = "client address", looked.settings
    if not _is_public(settings):
        return
    network = IPv6Address(_FOR_DOCUMENTATION | secrets.randbits(32) << 64)
    try:
        with _client(settings) as client:
            client.headers["X-Forwarded-For"] = str(network)
            ask = partial(client.post, "/api/v1/validate", json={})
            answer = await asyncio.to_thread(ask)
        is_counted = answer.is_success and settings.limit_validations > 0
    except httpx.HTTPError:
        is_counted = False
    if not is_counted:
        yield unseen(name, "no validation was answered, or none is counted")
    elif await rate_limits.has_spent(looked.connection, "validations", f"{network}/64"):
        seen = "an address that clients invent in X-Forwarded-For is believed: they have no limits"
        advice = "Let the proxy replace X-Forwarded-For by the address that asks it."
        yield finding(name, seen, advice)
    else:
        yield good(name, "an X-Forwarded-For of the client's own is not believed")


async def check_others(settings: Settings) -> AsyncIterator[Check]:
    """Check whether mail server, identity provider and cache answer; none is told anything."""
    cache = settings.purge_url or ""
    others: tuple[tuple[str, str, Callable[[], Awaitable[Any]]], ...] = (
        ("mail", "smtp_url", lambda: asyncio.to_thread(mail.send, settings, None)),
        ("identity provider", "oidc_issuer", lambda: IdentityProvider(settings).check()),
        ("cache", "purge_url", lambda: _ask_cache(cache)),
    )
    for name, setting, ask in others:
        if (address := getattr(settings, setting)) is None:
            continue
        # The rest of an address may hold a secret.
        where = urlsplit(address).hostname
        try:
            await asyncio.wait_for(ask(), mail.TIMEOUT_SECONDS)
            yield good(name, f"{where} answers")
        except (OSError, Unavailable, httpx.HTTPError) as error:
            seen = f"{where} does not answer as it should: {error}"
            advice = f"Start it, or mend {PREFIX}{setting.upper()} and the way there."
            yield finding(name, seen, advice)
