"""Metrics of all worker processes of a server, in the text format of Prometheus.

Each worker counts in plain numbers, which it writes to a file of its own, so that any of them
answers for all: of itself to the request, of the others to the half second.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec
import psutil
from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from registry.api.authentication import provide_actor
from registry.api.gauges import of_database, of_server
from registry.api.request_context import ApiRequest, ApiState, host_name, is_passed_on
from registry.errors import Unavailable
from registry.record.fast_validator import FastValidator
from registry.settings import is_loopback
from registry.store.database import Database
from registry.store.heartbeats import Heartbeat
from registry.work import in_thread

PATH = "/metrics"

_WRITE_SECONDS = 0.5
_PATIENCE_SECONDS = 4.0
"""How long the database is waited for; Prometheus waits for ten seconds in all."""
_LET_IN_SECONDS = 3600.0
_LET_IN_AT_ONCE = 15
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


class Counts(msgspec.Struct):
    """Answers of one operation with one status: in all seconds, and how many within each bound."""

    operation: str
    status: int
    seconds: float = 0.0
    within: list[int] = msgspec.field(default_factory=lambda: [0] * (len(_BOUNDS) + 1))


class _Pool(msgspec.Struct):
    """The connections of a process: how many it may have and uses, how often it waited how long."""

    pid: int
    size: int = 0
    in_use: int = 0
    borrowed: int = 0
    waited: float = 0.0


class _Written(msgspec.Struct):
    """What one process has counted; of the accept path: accepted, checked again, refused then."""

    answers: list[Counts]
    accept_path: tuple[int, int, int]
    pool: _Pool


class Metrics:
    """The counts of one process, and the folder with those of the others of its server.

    Ours, because litestar's have other names and labels, and those of `prometheus_client` for
    several processes hang on a variable of the environment that is read when it is imported.
    """

    def __init__(self, folder: Path, fast: FastValidator) -> None:
        """Take the folder that the processes share, which need not be there yet."""
        self.fast = fast
        self.database: Database | None = None
        """The database whose connections are counted, once it is open."""
        self._let_in: dict[bytes, float] = {}
        self._folder = folder
        # A process that is gone is counted still, so its file must not become another's.
        self._file = folder / f"{secrets.token_hex(8)}.json"
        self._counts: dict[tuple[str, int], Counts] = {}
        self._written = b""

    def count(self, operation: str, status: int, seconds: float) -> None:
        """Count a request of the API that was answered."""
        counts = self._counts.get((operation, status))
        if counts is None:
            counts = self._counts[operation, status] = Counts(operation, status)
        counts.seconds += seconds
        counts.within[bisect_left(_BOUNDS, seconds)] += 1

    def write(self) -> None:
        """Write the counts for the other processes; without room on the disk they know less."""
        now = msgspec.json.encode(self._here())
        if now == self._written:
            return
        draft = self._file.with_suffix(".new")
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(now)
            draft.replace(self._file)
            self._written = now

    async def keep_written(self) -> None:
        """Write again and again, until cancelled; then a last time."""
        try:
            while True:
                await asyncio.sleep(_WRITE_SECONDS)
                self.write()
        finally:
            self.write()

    def collect(self) -> Iterator[Metric]:
        """Yield what all processes have counted, for `prometheus_client`."""
        every = [self._here()]
        every += [
            msgspec.json.decode(file.read_bytes(), type=_Written)
            for file in self._folder.glob("*.json")
            if file != self._file
        ]
        requests: dict[tuple[str, int], int] = {}
        took: dict[str, Counts] = {}
        for one in (counts for process in every for counts in process.answers):
            key = one.operation, one.status
            requests[key] = requests.get(key, 0) + sum(one.within)
            known = took.setdefault(one.operation, Counts(one.operation, 0))
            known.seconds += one.seconds
            known.within = [sum(pair) for pair in zip(known.within, one.within, strict=True)]
        labels = ["operation", "status"]
        counted = CounterMetricFamily("registry_requests", "Requests to the API", labels=labels)
        for (operation, status), number in requests.items():
            counted.add_metric([operation, str(status)], number)
        yield counted
        seconds = HistogramMetricFamily(
            "registry_request_seconds", "How long they took", labels=["operation"]
        )
        bounds = [*map(str, _BOUNDS), "+Inf"]
        for counts in took.values():
            buckets = list(zip(bounds, accumulate(counts.within), strict=True))
            seconds.add_metric([counts.operation], buckets, counts.seconds)
        yield seconds
        accepted, checked, refused = map(sum, zip(*(one.accept_path for one in every), strict=True))
        for name, help_text, number in (
            ("accepted", "Documents that the accept path took", accepted),
            ("checked", "Of those, checked again by jsonschema", checked),
            ("disagreements", "Of those, refused by jsonschema", refused),
        ):
            yield CounterMetricFamily(f"registry_accept_path_{name}", help_text, value=number)

        # Of a process that is gone only what it did counts, not what it had.
        alive = [one.pool for one in every if psutil.pid_exists(one.pool.pid)]
        for name, help_text, number in (
            ("size", "Connections to the database that there may be", sum(p.size for p in alive)),
            ("in_use", "Connections that are in use", sum(p.in_use for p in alive)),
        ):
            yield GaugeMetricFamily(f"registry_pool_{name}", help_text, value=number)
        for name, help_text, total in (
            ("borrowed", "How often one was taken", sum(one.pool.borrowed for one in every)),
            ("wait_seconds", "How long that took", sum(one.pool.waited for one in every)),
        ):
            yield CounterMetricFamily(f"registry_pool_{name}", help_text, value=total)

    def let_in(self, digest: bytes) -> None:
        """Remember who was let in to see the figures, by the digest of what was shown for it."""
        latest = dict(list(self._let_in.items())[-_LET_IN_AT_ONCE:])
        self._let_in = latest | {digest: time.monotonic() + _LET_IN_SECONDS}

    def was_let_in(self, digest: bytes) -> bool:
        """Return whether that one was let in within the hour."""
        return time.monotonic() < self._let_in.get(digest, 0.0)

    def _here(self) -> _Written:
        fast = (self.fast.accepted, self.fast.checked, self.fast.disagreements)
        pool = _Pool(os.getpid())
        if self.database is not None:
            usage = self.database.usage
            pool = _Pool(
                pool.pid, self.database.size, self.database.in_use, usage.borrowed, usage.waited
            )
        return _Written(answers=list(self._counts.values()), accept_path=fast, pool=pool)


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
    here.register(state.figures)
    here.register(_Found(found + await in_thread(lambda: list(of_server(state.settings, told)))))
    return Response(
        content=generate_latest(here),
        headers={"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"},
    )


async def _let_in(request: ApiRequest, state: ApiState) -> None:
    """Refuse who may not see the figures; whoever might of late still may without a database."""
    if _is_local(request.scope):
        return
    figures: Metrics = state.figures
    digest = sha256(request.headers.get("authorization", "").encode()).digest()
    try:
        actor = await provide_actor(request, state)
    except Unavailable:
        if not figures.was_let_in(digest):
            raise
        return
    actor.require("metrics", "admin")
    figures.let_in(digest)


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
