"""Traces, by the program that `docs/operating.md` names."""

import os
import re
import shlex
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.conftest import ROOT
from tests.crash.register import free_port
from tests.listening import listening


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is sent to it in the protocol OTLP/HTTP."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_the_documented_command_sends_a_span_of_each_statement(copied, tmp_path):
    text = (ROOT / "docs/operating.md").read_text().replace("\\\n", " ")
    [line] = re.findall(r"^OTEL_EXPORTER_OTLP_ENDPOINT=.*$", text, re.MULTILINE)
    words, port = shlex.split(line), free_port()
    settings = dict(word.split("=", 1) for word in words if "=" in word)
    program = [word for word in words if "=" not in word]
    assert program == ["opentelemetry-instrument", "registry", "serve"]
    with listening(Receiver, received=[]) as server, copied() as url:
        settings |= {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_address[1]}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "REGISTRY_DATABASE_URL": url,
            "REGISTRY_DATA_DIR": str(tmp_path),
            "REGISTRY_PORT": str(port),
        }
        here = Path(sys.executable).parent
        process = subprocess.Popen(
            [here / "opentelemetry-instrument", sys.executable, "-m", *program[1:]],
            env=os.environ | settings,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            names = set()
            end = time.monotonic() + 120
            while "SELECT" not in names and time.monotonic() < end:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/api/v1/agencies?q=x", timeout=10)
                except httpx.HTTPError:
                    time.sleep(0.2)
                spans = [
                    span
                    for body in list(server.received)
                    for part in body.resource_spans
                    for scope in part.scope_spans
                    for span in scope.spans
                ]
                names = {span.name.split()[0].upper() for span in spans}
        finally:
            process.terminate()
            process.wait()
    assert "SELECT" in names
    assert "registry" in str([body.resource_spans[0].resource for body in server.received])
