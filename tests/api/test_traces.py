"""Traces: sent to who is named, with nothing in them that the logs leave out."""

import subprocess
import sys
from http.server import BaseHTTPRequestHandler

import httpx
import pytest
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from registry import __version__
from registry.api import traces
from registry.api.app import create_app
from registry.errors import ConfigurationError
from registry.store.database import connect
from tests.api.conftest import lifespan
from tests.listening import listening

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is sent to it in the protocol OTLP/HTTP."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        assert self.headers.get("content-encoding") is None
        self.server.received.append((self.path, ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    with listening(Receiver, received=[]) as server:
        yield server


def attributes(of):
    return {one.key: one.value.string_value or one.value.int_value for one in of.attributes}


async def test_a_request_and_its_statements_are_one_trace(settings, receiver, monkeypatch):
    endpoint = f"http://127.0.0.1:{receiver.server_address[1]}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    application = traces.trace(
        create_app(settings, tell=None), settings, {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    )
    try:
        await ask(application)
    finally:
        AsyncPGInstrumentor().uninstrument()
        application._provider.shutdown()
    [path] = {path for path, _ in receiver.received}
    assert path == "/v1/traces"
    parts = [part for _, body in receiver.received for part in body.resource_spans]
    resource = attributes(parts[0].resource)
    assert (resource["service.name"], resource["service.version"]) == ("registry", __version__)
    spans = [span for part in parts for scoped in part.scope_spans for span in scoped.spans]
    asked, strange = [span for span in spans if span.kind == span.SPAN_KIND_SERVER]
    assert asked.trace_id.hex() == PARENT.split("-")[1]
    assert asked.parent_span_id.hex() == PARENT.split("-")[2]
    # From elsewhere it is no parent.
    assert strange.trace_id != asked.trace_id
    assert not strange.parent_span_id
    said = attributes(asked)
    assert said["registry.operation"] == "list_records"
    assert len(said["registry.request"]) == 16
    statements = [span for span in spans if span.kind == span.SPAN_KIND_CLIENT]
    assert {span.parent_span_id for span in statements} >= {asked.span_id}
    assert all(span.parent_span_id for span in statements)
    assert any("select" in attributes(span)["db.statement"] for span in statements)
    everything = str(spans)
    for secret in ("secret-question", "203.0.113.7", "regt_", "hunter", "10.9.8.7"):
        assert secret not in everything


async def ask(application):
    started = application._application

    async def once(client, **headers):
        transport = httpx.ASGITransport(application, client=(client, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://register") as opened:
            return await opened.get(
                "/api/v1/records?q=secret-question",
                headers={
                    "traceparent": PARENT, "authorization": "Bearer regt_hunter",
                    "user-agent": "10.9.8.7", "x-forwarded-for": "203.0.113.7", **headers,
                },
            )  # fmt: skip

    async with lifespan(application):
        assert started is not application
        assert (await once("127.0.0.1")).status_code == 200
        assert (await once("203.0.113.7")).status_code == 200


async def test_rounds_of_the_background_runner_that_did_something_have_a_trace(
    settings, receiver, monkeypatch
):
    endpoint = f"http://127.0.0.1:{receiver.server_address[1]}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    tracer = traces.trace_work(settings, {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
    try:
        database = await connect(settings.database_url)

        async def ask():
            async with database.connection() as connection:
                await connection.fetchval("select 1")

        monkeypatch.setattr(traces, "_SHORTEST_NANOSECONDS", 3_600 * 10**9)
        with tracer.span("nothing to do"):
            await ask()
        with pytest.raises(ValueError, match="secret"), tracer.span("failed"):
            raise ValueError("a secret")
        monkeypatch.setattr(traces, "_SHORTEST_NANOSECONDS", 0)
        with tracer.span("published"):
            await ask()
        await ask()
        await database.close()
    finally:
        AsyncPGInstrumentor().uninstrument()
        tracer.close()
    parts = [part for _, body in receiver.received for part in body.resource_spans]
    spans = [span for part in parts for scoped in part.scope_spans for span in scoped.spans]
    rounds = {attributes(one)["registry.task"]: one for one in spans if not one.parent_span_id}
    assert rounds.keys() == {"failed", "published"}
    [statement] = [one for one in spans if one.parent_span_id]
    assert statement.parent_span_id == rounds["published"].span_id
    assert rounds["failed"].status.message == "ValueError"
    assert "secret" not in str(spans)


def test_nothing_of_it_is_imported_where_it_is_not_set():
    program = """
import sys
from registry.api.traces import trace
from registry.cli import server
from registry.settings import Settings
from registry.web.app import create_app
settings = Settings(database_url="postgresql://127.0.0.1/none")
application = create_app(settings, tell=None)
assert trace(application, settings, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}) is application
# litestar itself looks whether its own plug-in for it can be had.
ours = ("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.instrumentation.asyncpg")
assert not [name for name in sys.modules if name.startswith(ours)]
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_without_the_packages_it_is_said_which(settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.instrumentation.asgi", None)
    with pytest.raises(ConfigurationError, match=r"public-algorithm-register\[traces\]"):
        traces.trace(None, settings, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
