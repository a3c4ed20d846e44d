"""Figures that are read when they are asked for: of the register, its processes and this host."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import platform
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import psutil
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)

from registry import __version__
from registry.api.request import ApiState
from registry.clock import utc_now
from registry.ledger.guard import skew
from registry.ledger.proofs import site_made_from
from registry.resources import read_revision
from registry.services.operations.heartbeat import disk_room
from registry.settings import Settings
from registry.store import checkpoints, heartbeats, log_checks, witnesses
from registry.store.heartbeats import Heartbeat, WaitingCounts
from registry.store.published_files import read_published, read_target
from registry.tlog.checkpoint import stated


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
