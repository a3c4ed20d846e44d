"""Metrics of all worker processes of a server, in the text format of Prometheus.

Each process counts in files of the folder `PROMETHEUS_MULTIPROC_DIR`, which `prometheus_client`
maps into memory, so that any of them answers for all.
"""

from __future__ import annotations

import asyncio
import atexit
import datetime as dt
import multiprocessing
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
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
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from registry import __version__
from registry.api.authentication import provide_actor
from registry.api.request import ApiRequest, ApiState, host_name, is_passed_on
from registry.clock import utc_now
from registry.errors import Unavailable
from registry.ledger.guard import skew
from registry.ledger.proofs import site_made_from
from registry.record.fast_validator import FastValidator
from registry.record.model import Profile
from registry.record.pack import Pack
from registry.resources import read_revision
from registry.services import policy
from registry.services.operations.heartbeat import disk_room
from registry.settings import Settings, is_loopback
from registry.store import checkpoints, heartbeats, log_checks, witnesses
from registry.store.database import Database
from registry.store.heartbeats import Heartbeat, WaitingCounts
from registry.store.published_files import read_published, read_target
from registry.tlog.checkpoint import stated
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


class _Sample(msgspec.Struct, frozen=True):
    """A value of the gauge `registry_<name>`."""

    name: str
    help_text: str
    value: float
    labels: dict[str, str] = {}


def of_server(settings: Settings, told: Iterable[Heartbeat] | None) -> Iterator[Metric]:
    """Yield what is known without the database, and what others have `told`, None without it."""
    build = {
        "version": __version__,
        "revision": read_revision(),
        "python": platform.python_version(),
    }
    yield InfoMetricFamily("registry_build", "The software", value=build)
    yield from _of_processes()
    yield from _gauges(
        [
            _Sample("database_up", "1 while the database answers", told is not None),
            *_of_heartbeats(told or ()),
            *_of_disks(settings, told or ()),
            *_of_site(settings),
        ]
    )


def _of_site(settings: Settings) -> Iterator[_Sample]:
    """Yield how far the site of this host is, unless it has none because others serve it."""
    site = site_made_from(settings.site_dir)
    if site is not None or not settings.is_site_elsewhere:
        size = 0 if site is None else site["size"]
        yield _Sample("site_entries", "Entries that the site was built from", size)


async def of_database(state: ApiState) -> tuple[list[Metric], list[Heartbeat]]:
    """Return how far the background runner has come, what waits, and what processes have told.

    Raises `Unavailable`.
    Without the runner filings go on, and nothing else shows that it has died.
    """
    async with state.context.database.connection() as connection:
        asked_at = utc_now()
        log_state, is_stopped = await state.context.guard.look(connection)
        now = utc_now()
        served = await read_published(connection)
        target = await read_target(connection)
        waiting = await checkpoints.read_entries(connection, served.size, served.size + 1)
        fault = await log_checks.read_fault(connection)
        alarms, _ = await witnesses.read_alarms(connection)
        standing = await heartbeats.read_standing(connection, now=now)
        told = await heartbeats.read_all(connection)
    lag = max(0.0, (now - waiting[0].at).total_seconds()) if waiting else 0.0
    off = skew(log_state.clock, asked_at, now).total_seconds()
    ahead = (log_state.last_at - log_state.clock).total_seconds() if log_state.last_at else 0.0
    samples = [
        _Sample("log_entries", "Entries of the log", log_state.range.size),
        _Sample("log_published_entries", "Entries under the published checkpoint", served.size),
        _Sample(
            "log_witnessed_entries",
            "Entries under the newest checkpoint that satisfies the policy of witnesses",
            stated(served.witnessed).size if served.witnessed else 0,
        ),
        _Sample("log_lag_seconds", "For how long the first of those after them waits", lag),
        _Sample("log_fault", "1 while a check of the database has found something", bool(fault)),
        _Sample("log_stopped", "1 while the database may lack what was signed", is_stopped),
        _Sample("log_ahead_seconds", "By how much its last entry is dated ahead", max(0.0, ahead)),
        _Sample("clock_skew_seconds", "By how much the database's clock is ahead of ours", off),
    ]
    if target is not None:
        samples += [
            _Sample("store_log_entries", "Entries of the log in the store", target.log_size),
            _Sample("store_site_entries", "Entries that its site is of", target.site_size),
            _Sample("store_fault", "1 while it is not reached", target.fault is not None),
        ]
    counter = CounterMetricFamily(
        "registry_log_witness_alarms",
        "Answers of witnesses that refuse the log as one of two histories",
        value=alarms,
    )
    return [*_gauges([*samples, *_of_standing(standing, now)]), counter], told


def _of_standing(standing: WaitingCounts, now: dt.datetime) -> Iterator[_Sample]:
    oldest = standing.oldest_review_at
    waited = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    yield _Sample("reviews_waiting", "Drafts and acts in review", standing.reviews)
    yield _Sample("reviews_oldest_seconds", "For how long the oldest of them has waited", waited)
    yield _Sample("tokens_expiring", "Tokens that expire within 30 days", standing.tokens_expiring)
    if standing.signed_at is not None:
        yield _Sample(
            "log_signed_timestamp_seconds",
            "When a checkpoint was signed last",
            standing.signed_at.timestamp(),
        )


_RUNS = {"backup": "backup", "log verify": "log_verified"}


def _of_heartbeats(told: Iterable[Heartbeat]) -> Iterator[_Sample]:
    """Yield what processes have told, and when the last backup and check of the log were."""
    for one in told:
        host = {"host": one.host}
        figures = one.figures
        if one.process in _RUNS:
            yield _Sample(
                f"{_RUNS[one.process]}_timestamp_seconds",
                "When `registry backup` or `registry log verify` was done last",
                one.at.timestamp(),
                host,
            )
            continue
        yield _Sample(
            "heartbeat_age_seconds",
            "Since when a process has told nothing of itself",
            one.age.total_seconds(),
            {"process": one.process, "version": figures.version, **host},
        )
        if one.process == "work":
            yield _Sample("work_faults", "Tasks that fail now", len(figures.faults), host)
            yield _Sample(
                "work_has_key", "1 where it can read the log's key", bool(figures.has_key), host
            )
        if figures.site_build_seconds is not None:
            yield _Sample(
                "site_build_seconds",
                "How long its last build of the site took",
                figures.site_build_seconds,
                host,
            )


def _of_disks(settings: Settings, told: Iterable[Heartbeat]) -> Iterator[_Sample]:
    """Yield the room on the disk of this host's data folder, and of those of others."""
    rooms = {
        one.host: msgspec.to_builtins(one.figures) for one in told if one.process == "work"
    } | {platform.node(): disk_room(settings.data_dir)}
    for host, room in rooms.items():
        for name, value in room.items():
            if name.startswith("disk_"):
                yield _Sample(name, "Of the data folder's file system", value, {"host": host})


def _of_processes() -> Iterator[Metric]:
    """Yield what each process of this server takes, by the names that Prometheus gives it."""
    here = psutil.Process()
    server = here if multiprocessing.parent_process() is None else here.parent() or here
    families: tuple[Any, ...] = (
        CounterMetricFamily("process_cpu_seconds", "CPU time, user and system", labels=["pid"]),
        GaugeMetricFamily("process_resident_memory_bytes", "Memory in use", labels=["pid"]),
        GaugeMetricFamily("process_open_fds", "Open files and connections", labels=["pid"]),
        GaugeMetricFamily("process_start_time_seconds", "When it was started", labels=["pid"]),
    )
    for one in (server, *server.children()):
        try:
            times = one.cpu_times()
            values = (
                times.user + times.system,
                one.memory_info().rss,
                one.num_fds(),
                one.create_time(),
            )
        except psutil.Error:
            continue  # It has ended meanwhile, or is another user's.
        for family, value in zip(families, values, strict=True):
            family.add_metric([str(one.pid)], value)
    yield from families


def _gauges(samples: Iterable[_Sample]) -> Iterator[Metric]:
    families: dict[str, GaugeMetricFamily] = {}
    for one in samples:
        if one.name not in families:
            families[one.name] = GaugeMetricFamily(
                f"registry_{one.name}", one.help_text, labels=list(one.labels)
            )
        families[one.name].add_metric(list(one.labels.values()), one.value)
    yield from families.values()
