"""Metrics of all worker processes of a server, in the text format of Prometheus.

Each worker counts in plain numbers, which it writes to a file of its own, so that any of them
answers for all: of itself to the request, of the others to the half second.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import platform
import secrets
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec
from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, Info, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from registry import __version__
from registry.api.authentication import provide_actor
from registry.api.request_context import ApiRequest, ApiState, is_passed_on
from registry.ledger.files import published_size, read_witnessed
from registry.ledger.guard import skew
from registry.ledger.proofs import site_made_from
from registry.record.fast_validator import FastValidator
from registry.resources import read_revision
from registry.settings import is_loopback
from registry.store import bound_rows, checkpoints, witnesses
from registry.tlog.checkpoint import stated
from registry.work import in_thread

PATH = "/metrics"

_WRITE_SECONDS = 0.5
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


class Counts(msgspec.Struct):
    """Answers of one operation with one status: in all seconds, and how many within each bound."""

    operation: str
    status: int
    seconds: float = 0.0
    within: list[int] = msgspec.field(default_factory=lambda: [0] * (len(_BOUNDS) + 1))


class _Written(msgspec.Struct):
    """What one process has counted; of the accept path: accepted, checked again, refused then."""

    answers: list[Counts]
    accept_path: tuple[int, int, int]


class Metrics:
    """The counts of one process, and the folder with those of the others of its server.

    Ours, because litestar's have other names and labels, and those of `prometheus_client` for
    several processes hang on a variable of the environment that is read when it is imported.
    """

    def __init__(self, folder: Path, fast: FastValidator) -> None:
        """Take the folder that the processes share, which need not be there yet."""
        self.fast = fast
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

    def _here(self) -> _Written:
        fast = (self.fast.accepted, self.fast.checked, self.fast.disagreements)
        return _Written(answers=list(self._counts.values()), accept_path=fast)


@get(PATH, include_in_schema=False)
async def read_metrics(request: ApiRequest, state: ApiState) -> Response[bytes]:
    """Return the figures, to this machine itself or to a token with the scope `admin`."""
    if not _is_local(request.scope):
        actor = await provide_actor(request, state)
        actor.require("admin")
    here = CollectorRegistry()
    here.register(state.figures)
    Info("registry_build", "The software", registry=here).info(
        {
            "version": __version__,
            "revision": read_revision(),
            "python": platform.python_version(),
        }
    )
    for name, help_text, number in await _read_progress(state):
        Gauge(f"registry_{name}", help_text, registry=here).set(number)
    async with state.context.database.connection() as connection:
        here.register(_Alarms((await witnesses.read_alarms(connection))[0]))
    return Response(
        content=generate_latest(here),
        headers={"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"},
    )


class _Alarms(Collector):
    """The counter of witnesses' alarms, which the database has."""

    def __init__(self, count: int) -> None:
        self._count = count

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "registry_log_witness_alarms",
            "Answers of witnesses that refuse the log as one of two histories",
            value=self._count,
        )


async def _read_progress(state: ApiState) -> list[tuple[str, str, float]]:
    """Return how far the background runner has come with what is in the log.

    Without it filings go on, and nothing else shows that it has died.
    """
    published = await in_thread(published_size, state.settings.log_dir)
    witnessed = await in_thread(read_witnessed, state.settings.log_dir)
    site = await in_thread(site_made_from, state.settings.site_dir)
    async with state.context.database.connection() as connection:
        asked_at = dt.datetime.now(dt.UTC)
        log_state, is_stopped = await state.context.guard.look(connection)
        now = dt.datetime.now(dt.UTC)
        waiting = await checkpoints.read_entries(connection, published, published + 1)
        fault = await bound_rows.read_fault(connection)
    lag = max(0.0, (now - waiting[0].at).total_seconds()) if waiting else 0.0
    off = skew(log_state.clock, asked_at, now).total_seconds()
    ahead = (log_state.last_at - log_state.clock).total_seconds() if log_state.last_at else 0.0
    return [
        ("log_entries", "Entries of the log", log_state.range.size),
        ("log_published_entries", "Entries under the published checkpoint", published),
        (
            "log_witnessed_entries",
            "Entries under the newest checkpoint that satisfies the policy of witnesses",
            stated(witnessed).size if witnessed else 0,
        ),
        ("log_lag_seconds", "For how long the first entry after those has waited", lag),
        (
            "log_fault",
            "1 while a check of the database by its log has found something",
            bool(fault),
        ),
        (
            "log_stopped",
            "1 while the database is not known to have all that was signed",
            is_stopped,
        ),
        ("log_ahead_seconds", "By how much its last entry is dated ahead", max(0.0, ahead)),
        ("clock_skew_seconds", "By how much the database's clock is ahead of this server's", off),
        ("site_entries", "Entries that the site was built from", site["size"] if site else 0),
    ]


def _is_local(scope: Any) -> bool:
    """Return whether this machine asks for itself, and no proxy on it for somebody else."""
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"").decode("latin-1").rpartition(":")[0]
    return (
        is_loopback((scope.get("client") or ("",))[0])
        and is_loopback(host.strip("[]"))
        and not is_passed_on(scope)
    )
