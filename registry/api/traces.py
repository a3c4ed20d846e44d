"""Traces by OpenTelemetry, where `OTEL_EXPORTER_OTLP_ENDPOINT` is set; else nothing is imported.

A span a request, and one for each statement within it. As the logs, they hold no address of a
client, no query and no secret of a link: the instrumentation is shown a request without them.
"""

from __future__ import annotations

import asyncio
import platform
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
_SHORTEST_NANOSECONDS = 50_000_000
_MOST_OF_A_ROUND = 1000
"""The last statements of a round, which have spans; a build of a whole site has more."""


def trace_work(settings: Settings, environment: Mapping[str, str]) -> WorkTracer | None:
    """Return what traces the background runner, None where the environment does not say where to.

    Raises `ConfigurationError` where what traces need is not installed.
    """
    if not any(environment.get(name) for name in ENDPOINTS):
        return None
    try:
        return WorkTracer(settings, environment)
    except ImportError as error:
        raise _not_installed(error) from error


def trace(application: ASGIApp, settings: Settings, environment: Mapping[str, str]) -> ASGIApp:
    """Return the application, traced where the environment says where to.

    Raises `ConfigurationError` where what traces need is not installed.
    """
    if not any(environment.get(name) for name in ENDPOINTS):
        return application
    try:
        return _TracedApplication(application, settings, environment)
    except ImportError as error:
        raise _not_installed(error) from error


def _not_installed(error: ImportError) -> ConfigurationError:
    return ConfigurationError(
        f"{ENDPOINTS[0]} is set, and what traces need is not installed ({error.name}): pip "
        "install 'public-algorithm-register[traces]', or unset it"
    )


class WorkTracer:
    """Spans of the rounds of the background runner's tasks, and of their statements.

    Most rounds find nothing to do: those are left out that take less than 50 ms and do not fail.
    """

    def __init__(self, settings: Settings, environment: Mapping[str, str]) -> None:
        """Take where to send them."""
        from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

        self._provider = _open_provider(settings, environment)
        self._tracer = self._provider.get_tracer("registry.work")
        make_status: Any = Status
        self._make_status = make_status
        self._error = StatusCode.ERROR

    @contextmanager
    def span(self, task: str) -> Iterator[None]:
        """Open the span of a round; of an error it has the kind alone, as logs do."""
        with self._tracer.start_as_current_span(
            "registry.work",
            attributes={"registry.task": task},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except Exception as error:
                span.set_status(self._make_status(self._error, type(error).__name__))
                raise

    def close(self) -> None:
        """Send what is left."""
        self._provider.force_flush(int(_LAST_SECONDS * 1000))
        self._provider.shutdown()


class _TracedApplication:
    """An ASGI application with spans, which a thread sends to the endpoint."""

    def __init__(
        self, application: ASGIApp, settings: Settings, environment: Mapping[str, str]
    ) -> None:
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware  # noqa: PLC0415
        from opentelemetry.trace import get_current_span  # noqa: PLC0415

        self._application = application
        self._proxies = settings.proxies
        self._current_span = get_current_span
        self._provider = _open_provider(settings, environment)
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
    """Return a provider of tracers, which reads the other `OTEL_…` variables itself.

    Statements have spans from then on.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

    known = {
        "service.name": environment.get("OTEL_SERVICE_NAME") or "registry",
        "service.version": __version__,
        "service.instance.id": f"{platform.node()}:{settings.port}",
        "vcs.ref.head.revision": read_revision(),
    }
    provider = TracerProvider(resource=Resource.create(known))
    provider.add_span_processor(_open_processor(OTLPSpanExporter()))
    statements: Any = AsyncPGInstrumentor()  # type: ignore[no-untyped-call]
    statements.instrument(tracer_provider=provider)
    return provider


def _open_processor(exporter: Any) -> Any:
    """Return what hands spans to an exporter."""
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415

    class Processor(BatchSpanProcessor):
        """Leaves out statements of no request and no round, and rounds that found nothing to do."""

        def __init__(self, exporter: Any) -> None:
            super().__init__(exporter)
            self._rounds: dict[int, deque[Any]] = {}

        def on_start(self, span: Any, parent_context: Any = None) -> None:
            if span.parent is None and span.kind is SpanKind.INTERNAL:
                self._rounds[span.context.trace_id] = deque(maxlen=_MOST_OF_A_ROUND)
            super().on_start(span, parent_context)

        def on_end(self, span: Any) -> None:
            held = self._rounds.get(span.context.trace_id)
            if held is None:
                if span.parent is not None or span.kind is not SpanKind.CLIENT:
                    super().on_end(span)
            elif span.parent is not None:
                held.append(span)
            else:
                del self._rounds[span.context.trace_id]
                took = span.end_time - span.start_time
                if took >= _SHORTEST_NANOSECONDS or span.status.status_code is StatusCode.ERROR:
                    for one in (*held, span):
                        super().on_end(one)

    return Processor(exporter)
