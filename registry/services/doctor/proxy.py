"""The register as readers reach it: TLS, and what a proxy does to questions and answers."""

from __future__ import annotations

import datetime as dt
import http.client
import re
import secrets
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from registry.services.doctor.checks import Check, finding, good
from registry.settings import Settings, is_loopback

_PATIENCE_SECONDS = 5.0
_LEAST_DAYS = 21
_JSON = "/api/v1/codelists"
_OUR_ID = re.compile(r"[0-9a-f]{16}")
_HEADERS = ("content-security-policy", "x-content-type-options", "referrer-policy")


class ProxyExamination:
    """Asks `BASE_URL` over one connection, as a reader does; requests are blocking."""

    def __init__(self, settings: Settings, *, now: dt.datetime) -> None:
        """Take the settings, whose `base_url` is asked."""
        self._url = settings.base_url
        self._now = now
        parts = urlsplit(settings.base_url)
        self._prefix = parts.path
        self._is_public = not is_loopback(parts.hostname or "")
        host, port = parts.hostname or "", parts.port
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(
                host, port, timeout=_PATIENCE_SECONDS, context=context
            )
        else:
            self._connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_SECONDS)

    def checks(self) -> Iterator[Check]:
        """Examine all of it; what cannot be reached ends it."""
        try:
            self._connection.connect()
            yield from self._certificate()
            live = self._ask("/health/live")
            if live.status != http.client.OK:
                yield finding(
                    "proxy",
                    f"{self._url}/health/live answers {live.status}",
                    "Let the proxy pass every path to registry serve.",
                )
                return
            yield good("proxy", f"{self._url} leads to a register")
            yield from self._forwarding()
            yield from self._headers()
            yield from self._tags()
            yield from self._figures()
        except (OSError, http.client.HTTPException) as error:
            yield finding(
                "proxy",
                f"{self._url} cannot be asked from here: {error}",
                "Start registry serve and the proxy; mend name, certificate or REGISTRY_BASE_URL.",
            )
        finally:
            self._connection.close()

    def _certificate(self) -> Iterator[Check]:
        line = self._connection.sock
        if not isinstance(line, ssl.SSLSocket):
            return
        certificate: Any = line.getpeercert()
        ends = dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), dt.UTC)
        days = (ends - self._now).days
        seen = f"the certificate ends in {days} days, {line.version()}"
        if days < _LEAST_DAYS:
            yield finding("TLS", seen, "See why the certificate is not renewed.")
        else:
            yield good("TLS", seen)

    def _forwarding(self) -> Iterator[Check]:
        """Check by the request's id whether the register trusts who asks it."""
        if not self._is_public:
            return
        given = f"doctor-{secrets.token_hex(4)}"
        answer = self._ask("/health/live", {"X-Request-Id": given})
        shown = answer.headers.get("x-request-id", "")
        if shown and _OUR_ID.fullmatch(shown) is None:
            yield good("forwarded address", "the register trusts who passes requests on")
            return
        yield finding(
            "forwarded address",
            "the register does not trust the proxy, so that all readers are one address to limits",
            "Set REGISTRY_TRUSTED_PROXIES to the proxy's address, and let it set X-Forwarded-For "
            "and X-Request-Id.",
        )

    def _headers(self) -> Iterator[Check]:
        missing = [name for name in _HEADERS if name not in self._ask(_JSON).headers]
        if missing:
            yield finding(
                "headers",
                f"answers arrive without {', '.join(missing)}",
                "Let the proxy pass on all headers of an answer.",
            )
        else:
            yield good("headers", "those of the register arrive")

    def _tags(self) -> Iterator[Check]:
        for coding in ("identity", "gzip"):
            asked = {"Accept-Encoding": coding}
            tag = self._ask(_JSON, asked).headers.get("etag")
            again = self._ask(_JSON, asked | {"If-None-Match": tag or "*"})
            if tag is None or again.status != http.client.NOT_MODIFIED:
                yield finding(
                    "tags",
                    f"{_JSON} ({coding}) "
                    + ("has no ETag" if tag is None else "is not answered 304 by its own ETag"),
                    "Let the proxy neither compress JSON nor change ETag and If-None-Match.",
                )
                return
        yield good("tags", "those of JSON pass through")

    def _figures(self) -> Iterator[Check]:
        if self._is_public and self._ask("/metrics").status == http.client.OK:
            yield finding(
                "figures",
                f"{self._url}/metrics is shown to anybody",
                "Let the proxy pass on Host and X-Forwarded-For, and refuse /metrics.",
            )

    def _ask(self, path: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
        sent = {"User-Agent": "registry-doctor"} | (headers or {})
        self._connection.request("GET", self._prefix + path, headers=sent)
        answer = self._connection.getresponse()
        answer.read()
        return answer
