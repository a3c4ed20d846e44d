"""Metrics of all worker processes of a server, in the text format of Prometheus.

Each process counts in files of the folder `PROMETHEUS_MULTIPROC_DIR`, which `prometheus_client`
maps into memory, so that any of them answers for all.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
from litestar import Response, get
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from registry.api.authentication import provide_actor
from registry.api.gauges import of_database, of_server
from registry.api.request import ApiRequest, ApiState, host_name, is_passed_on
from registry.errors import Unavailable
from registry.record.fast_validator import FastValidator
from registry.record.model import Profile
from registry.record.pack import Pack
from registry.services import policy
from registry.settings import is_loopback
from registry.store.database import Database
from registry.store.heartbeats import Heartbeat
from registry.work import in_thread

PATH = "/metrics"

_PATIENCE_SECONDS = 4.0
"""How long the database is waited for; Prometheus waits for ten seconds in all."""
_LET_IN_SECONDS = 3600.0
_LET_IN_AT_ONCE = 15


class Metrics:
    """What this process counts, in files beside those of the others of its server."""

    def __init__(self) -> None:
        """Open the files, in a folder of this process alone where its server has none."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            folder = tempfile.mkdtemp(prefix="registry-metrics-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        # Chosen here, since the parent of a worker may have imported the library before.
        values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
        counter = partial(Counter, registry=None)
        gauge = partial(Gauge, multiprocess_mode="livesum", registry=None)
        self.requests = counter("registry_requests", "Requests to the API", ["operation", "status"])
        self.seconds = Histogram(
            "registry_request_seconds", "How long they took", ["operation"], registry=None
        )
        self.accepted = counter(
            "registry_accept_path_accepted", "Documents that the accept path took"
        )
        self.checked = counter(
            "registry_accept_path_checked", "Of those, checked again by jsonschema"
        )
        self.disagreements = counter(
            "registry_accept_path_disagreements", "Of those, refused by jsonschema"
        )
        self.pool_size = gauge(
            "registry_pool_size", "Connections to the database that there may be"
        )
        self.pool_in_use = gauge("registry_pool_in_use", "Connections that are in use")
        self.borrowed = counter("registry_pool_borrowed", "How often one was taken")
        self.waited = counter("registry_pool_wait_seconds", "How long that took")

    def count_request(self, operation: str, status: int, seconds: float) -> None:
        """Count a request of the API that was answered."""
        self.requests.labels(operation, str(status)).inc()
        self.seconds.labels(operation).observe(seconds)

    def count_connections(self, database: Database) -> None:
        """Count what is borrowed of a pool from now on."""
        self.pool_size.set(database.size)

        def count(waited: float | None) -> None:
            self.pool_in_use.set(database.in_use)
            if waited is not None:
                self.borrowed.inc()
                self.waited.inc(waited)

        database.observe = count


@cache
def process_metrics() -> Metrics:
    """Return those of this process, which begin when they are first wanted."""
    return Metrics()


class CountedValidator(FastValidator):
    """The compiled validation of a process, with metrics."""

    def accepts(self, document: object, profile: Profile, pack: Pack) -> bool:
        """Return whether a document certainly has a profile's shape; False means nothing."""
        accepted = super().accepts(document, profile, pack)
        process_metrics().accepted.inc(accepted)
        return accepted

    def is_sampled(self) -> bool:
        """Return whether the document accepted last is in the sample that is checked again."""
        sampled = super().is_sampled()
        process_metrics().checked.inc(sampled)
        return sampled

    def report_disagreement(self, profile: Profile, record: object) -> None:
        """Count and log a document that was accepted and that the authority refuses."""
        super().report_disagreement(profile, record)
        process_metrics().disagreements.inc()


class MetricsReaders:
    """Who may read metrics while no database knows tokens."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._until: dict[bytes, float] = {}

    def let_in(self, digest: bytes) -> None:
        """Remember who was let in, by the digest of what was shown for it."""
        latest = dict(list(self._until.items())[-_LET_IN_AT_ONCE:])
        self._until = latest | {digest: time.monotonic() + _LET_IN_SECONDS}

    def was_let_in(self, digest: bytes) -> bool:
        """Return whether that one was let in within the hour."""
        return time.monotonic() < self._until.get(digest, 0.0)


@get(PATH, include_in_schema=False)
async def read_metrics(request: ApiRequest, state: ApiState) -> Response[bytes]:
    """Return the figures, to this machine itself or to a token with the scope `metrics`.

    Without the database they are those of this server, which are wanted just then.
    """
    await _let_in(request, state)
    found: list[Metric] = []
    told: list[Heartbeat] | None = None
    with suppress(Unavailable, TimeoutError):
        async with asyncio.timeout(_PATIENCE_SECONDS):
            found, told = await of_database(state)
    here = CollectorRegistry()
    _forget_pools_of_ended()
    MultiProcessCollector(here)  # type: ignore[no-untyped-call]
    here.register(_Found(found + await in_thread(lambda: list(of_server(state.settings, told)))))
    return Response(
        content=generate_latest(here),
        headers={"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"},
    )


async def _let_in(request: ApiRequest, state: ApiState) -> None:
    """Refuse who may not see the figures; whoever might of late still may without a database."""
    if _is_local(request.scope):
        return
    readers: MetricsReaders = state.metrics_readers
    digest = sha256(request.headers.get("authorization", "").encode()).digest()
    try:
        actor = await provide_actor(request, state)
    except Unavailable:
        if not readers.was_let_in(digest):
            raise
        return
    policy.require_scope(actor, "read_metrics")
    readers.let_in(digest)


def _forget_pools_of_ended() -> None:
    """Leave out the connections of processes that are gone; what they did counts still."""
    for file in Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).glob("gauge_live*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not psutil.pid_exists(pid):
            mark_process_dead(pid)  # type: ignore[no-untyped-call]


class _Found(Collector):
    """What was read for one answer."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


def _is_local(scope: Any) -> bool:
    """Return whether this machine asks for itself, and no proxy on it for somebody else."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return (
        is_loopback((scope.get("client") or ("",))[0])
        and len(hosts) == 1
        and is_loopback(host_name(hosts[0]))
        and not is_passed_on(scope)
    )
