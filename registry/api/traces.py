"""Traces by OpenTelemetry, where `OTEL_EXPORTER_OTLP_ENDPOINT` is set; else nothing is imported.

A span a request, and one for each statement within it. As the logs, they hold no address of a
client, no query and no secret of a link: the instrumentation is shown a request without them.
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Mapping
from typing import Any

from litestar.types import ASGIApp, Receive, Send

from registry import __version__
from registry.api.request_context import comes_from, path_for_logs, request_context
from registry.errors import ConfigurationError
from registry.resources import read_revision
from registry.settings import Settings, is_loopback

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_WHOLE = "registry.request"
_PARENTS = {b"traceparent", b"tracestate"}
_LAST_SECONDS = 5.0


def trace(application: ASGIApp, settings: Settings, environment: Mapping[str, str]) -> ASGIApp:
    """Return the application, traced where the environment says where to.

    Raises `ConfigurationError` where what traces need is not installed.
    """
    if not any(environment.get(name) for name in ENDPOINTS):
        return application
    try:
        return _TracedApplication(application, settings, environment)
    except ImportError as error:
        raise ConfigurationError(
            f"{ENDPOINTS[0]} is set, and what traces need is not installed ({error.name}): pip "
            "install 'public-algorithm-register[traces]', or unset it"
        ) from error


class _TracedApplication:
    """An ASGI application with spans, which a thread sends to the endpoint."""

    def __init__(
        self, application: ASGIApp, settings: Settings, environment: Mapping[str, str]
    ) -> None:
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware  # noqa: PLC0415
        from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor  # noqa: PLC0415
        from opentelemetry.trace import get_current_span  # noqa: PLC0415

        self._application = application
        self._proxies = settings.proxies
        self._current_span = get_current_span
        self._provider = _open_provider(settings, environment)
        statements: Any = AsyncPGInstrumentor()  # type: ignore[no-untyped-call]
        statements.instrument(tracer_provider=self._provider)
        self._traced: Any = OpenTelemetryMiddleware(
            self._pass_on,
            tracer_provider=self._provider,
            exclude_spans=["receive", "send"],
        )

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer a request in a span; what is left at the end is sent then."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            if scope["type"] == "lifespan":
                await asyncio.to_thread(self._provider.force_flush, int(_LAST_SECONDS * 1000))
            return
        # A stranger's `traceparent` could have every request of his kept.
        peer = (scope.get("client") or ("",))[0]
        is_trusted = is_loopback(peer) or comes_from(scope, self._proxies)
        shown = {
            "type": "http",
            "asgi": scope.get("asgi", {}),
            "http_version": scope.get("http_version", "1.1"),
            "scheme": scope.get("scheme", "http"),
            "method": scope["method"],
            "path": path_for_logs(scope),
            "query_string": b"",
            "headers": [one for one in scope["headers"] if is_trusted and one[0] in _PARENTS],
            "client": None,
            "server": None,
            _WHOLE: scope,
        }
        await self._traced(shown, receive, send)

    async def _pass_on(self, shown: Any, receive: Receive, send: Send) -> None:
        """Answer the whole request; its span gets what it is called in answer, logs and figures."""
        scope, span = shown[_WHOLE], self._current_span()

        async def noting(message: Any) -> None:
            if message["type"] == "http.response.start" and "request_context" in scope:
                known = request_context(scope)
                span.set_attribute(_WHOLE, known.id)
                span.set_attribute("registry.operation", known.operation)
            await send(message)

        await self._application(scope, receive, noting)


def _open_provider(settings: Settings, environment: Mapping[str, str]) -> Any:
    """Return a provider of tracers, which reads the other `OTEL_…` variables itself."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.trace import SpanKind  # noqa: PLC0415

    class Processor(BatchSpanProcessor):
        """Leaves out the statements of no request, such as those that look for what is new."""

        def on_end(self, span: Any) -> None:
            if span.parent is not None or span.kind is not SpanKind.CLIENT:
                super().on_end(span)

    known = {
        "service.name": environment.get("OTEL_SERVICE_NAME") or "registry",
        "service.version": __version__,
        "service.instance.id": f"{platform.node()}:{settings.port}",
        "vcs.ref.head.revision": read_revision(),
    }
    provider = TracerProvider(resource=Resource.create(known))
    provider.add_span_processor(Processor(OTLPSpanExporter()))
    return provider
