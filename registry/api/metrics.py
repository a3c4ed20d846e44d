"""Figures for whoever watches over the processes, in the text form of Prometheus.

Each worker counts into files of its own, so that any of them answers for all.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from registry.api.authority import provide_actor
from registry.office.filing import Office
from registry.record.acceptance import ACCEPT_PATH
from registry.settings import Settings, is_loopback
from registry.store import log

PATH = "/metrics"
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which the workers of one server find their common folder."""

_THROUGH_A_PROXY = {b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"}

_requests = Counter("registry_requests", "Requests to the API", ["operation", "status"])
_seconds = Histogram("registry_request_seconds", "How long they took", ["operation"])
_accepted = Counter("registry_accept_path_accepted", "Documents that the accept path took")
_checked = Counter("registry_accept_path_checked", "Of those, checked again by jsonschema")
_disagreed = Counter("registry_accept_path_disagreements", "Of those, refused by jsonschema")
_told = [0, 0, 0]


def count(operation: str, status: int, seconds: float) -> None:
    """Count a request of the API that was answered, and what the accept path did meanwhile."""
    requests, took = _of(operation, status)
    requests.inc()
    took.observe(seconds)
    now = [ACCEPT_PATH.accepted, ACCEPT_PATH.checked, ACCEPT_PATH.disagreements]
    if now != _told:
        for place, counter in enumerate((_accepted, _checked, _disagreed)):
            counter.inc(now[place] - _told[place])
            _told[place] = now[place]


@cache
def _of(operation: str, status: int) -> tuple[Counter, Histogram]:
    """Give what counts the answers of an operation; to find it takes longer than to count."""
    return _requests.labels(operation, status), _seconds.labels(operation)


@get(PATH, include_in_schema=False)
async def read_metrics(
    request: Request[object, object, State],
    office: NamedDependency[Office],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """Give the figures, to this machine itself or to a token with the scope `admin`."""
    if not _is_local(request.scope):
        actor = await provide_actor(request, office, settings)
        actor.require("admin")
    async with office.database.connection() as connection:
        state = await log.read_state(connection)
    here = CollectorRegistry()
    Gauge("registry_log_entries", "Entries of the log", registry=here).set(state.range.size)
    return Response(
        content=_counted() + generate_latest(here),
        headers={"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"},
    )


def _counted() -> bytes:
    if SHARED not in os.environ:
        return generate_latest(REGISTRY)
    of_all = CollectorRegistry()
    MultiProcessCollector(of_all)  # type: ignore[no-untyped-call]
    return generate_latest(of_all)


def _is_local(scope: Any) -> bool:
    """Tell whether this machine asks for itself, and no proxy on it for somebody else."""
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"").decode("latin-1").rpartition(":")[0]
    return (
        is_loopback((scope.get("client") or ("",))[0])
        and is_loopback(host.strip("[]"))
        and _THROUGH_A_PROXY.isdisjoint(headers)
    )
