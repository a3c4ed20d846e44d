"""What happens to the hosts, and how long it takes until the register is whole again."""

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import msgspec
import psutil

from registry.record.pack import load_pack
from tests.crash.invariants import broken_laws, unkept
from tests.outage.fleet import API, NEW, PORT, WORK, Code, Fleet
from tests.outage.load import Load
from tests.outage.net import Network
from tests.outage.postgres import Pair

WRITES, LOG, LEADER = 10.0, 20.0, 20.0
"""Seconds until filing, the log and leadership are wanted back."""
_SETTLED = 4.0
_WITHOUT = 60.0
"""The documented seconds of an update that contracts."""
_FAULT = 500
_NO_DATABASE = 3


class Row(msgspec.Struct, kw_only=True):
    """A line of the table: seconds until each is back, and what was wrong."""

    scenario: str
    writes: float | None = None
    log: float | None = None
    leader: float | None = None
    acknowledged: int = 0
    note: str = ""
    faults: list[str] = []


class Campaign:
    """The hosts of one campaign, and the rows that it has made."""

    def __init__(self, folder: Path, *, rounds: int, ref: str) -> None:
        self.folder = folder
        self.rounds = rounds
        self.ref = ref
        self.rows: list[Row] = []
        self.tell: Callable[[Row], None] = lambda _: None

    async def run(self, name: str) -> None:
        """Run one scenario on new hosts."""
        # The servers' own user passes through it.
        folder = self.folder / f"{len(self.rows)}-{name}"
        await asyncio.to_thread(folder.mkdir, 0o755)
        network = Network(folder)
        pair = Pair(network["db1"], network["db2"])
        fleet = Fleet(network, pair)
        try:
            await pair.begin()
            async with fleet.keep_running():
                await SCENARIOS[name](self, fleet)
            if fleet.ended:
                self.add(_restarted(name, fleet))
        finally:
            await fleet.end()
            network.vanish()
            pair.leave()

    def add(self, row: Row) -> None:
        for seconds, wanted, what in (
            (row.writes, WRITES, "writes"),
            (row.log, LOG, "the log"),
            (row.leader, LEADER, "leadership"),
        ):
            if seconds is not None and seconds > wanted:
                row.faults.append(f"{what} back after {seconds:.1f} s, wanted {wanted:.0f}")
        self.rows.append(row)
        self.tell(row)


def _restarted(scenario: str, fleet: Fleet) -> Row:
    """Return which processes had to be started again; only with 3 may one end by itself."""
    told = [f"{name} ended with {code}" for name, code in fleet.ended]
    faults = [one for one, (_, code) in zip(told, fleet.ended, strict=True) if code != _NO_DATABASE]
    return Row(scenario=f"{scenario}: started again", note=", ".join(told), faults=faults)


async def _whole(fleet: Fleet, load: Load) -> list[str]:
    """Return what is wrong with the register's rows, and which receipts it does not keep."""
    url = fleet.pair.primary.url()
    faults = await unkept(url, [receipt for _, receipt in load.acknowledged])
    return faults + await broken_laws(url, load_pack("ma"))


async def _until(condition: Callable[[], Awaitable[bool] | bool], since: float) -> float | None:
    """Return after how many seconds a condition held; None where it never did, in 90."""
    while time.monotonic() < since + 90:
        try:
            held = condition()
            if held is True or (held is not False and await held):
                return time.monotonic() - since
        except (OSError, TimeoutError):
            pass
        await asyncio.sleep(0.1)
    return None


async def _seconds_back(fleet: Fleet, load: Load, since: float, row: Row) -> None:
    """Measure until a filing is acknowledged and until the log that has it is published."""
    at = await load.acknowledged_after(since)
    if at is None:
        row.faults.append("nothing was acknowledged within a minute")
        return
    row.writes = at - since
    entry = max(receipt.entry for when, receipt in load.acknowledged if when <= at)
    row.log = await _until(lambda: fleet.published() > entry, since)
    if row.log is None:
        row.faults.append("the log was not published within 90 s")


async def failover(campaign: Campaign, fleet: Fleet) -> None:
    """Cut the primary off and promote the standby, again and again, each way of finding it."""
    token = await fleet.begin()
    load = Load(fleet.base_url, token, NEW.root)
    for number in range(campaign.rounds):
        if number == campaign.rounds // 2:
            await fleet.end()
            fleet.way = "haproxy"
            fleet.proxy()
            for name in (*WORK, *API):
                fleet.start(name)
            await fleet.until_answered()
        row = Row(scenario=f"failover {number + 1}, {fleet.way}")
        before = len(load.acknowledged)
        load.start()
        await asyncio.sleep(_SETTLED)
        promoted = await fleet.pair.fail_over()
        await _seconds_back(fleet, load, promoted, row)

        async def leads() -> bool:
            return await fleet.leader() is not None

        row.leader = await _until(leads, promoted)
        if row.leader is None:
            row.faults.append("nobody leads")
        await asyncio.sleep(_SETTLED)
        await load.stop()
        row.acknowledged = len(load.acknowledged) - before
        row.faults += await _whole(fleet, load)
        await fleet.pair.bring_back()
        campaign.add(row)
    await load.close()


async def partition(campaign: Campaign, fleet: Fleet) -> None:
    """Take the leading background runner off the network, and bring it back."""
    token = await fleet.begin()
    load = Load(fleet.base_url, token, NEW.root)
    for number in range(2):
        row = Row(scenario=f"partition of the leader {number + 1}")
        before = len(load.acknowledged)
        load.start()
        await asyncio.sleep(_SETTLED)
        leader = await fleet.leader()
        assert leader is not None, "nobody leads"
        fleet.network[leader].cut_off()
        since = time.monotonic()
        await _seconds_back(fleet, load, since, row)

        async def another_leads(before: str = leader) -> bool:
            return await fleet.leader() not in {None, before}

        row.leader = await _until(another_leads, since)
        if row.leader is None:
            row.faults.append("no other leads")
        fleet.network[leader].reconnect()
        await asyncio.sleep(_SETTLED)
        await load.stop()
        row.acknowledged = len(load.acknowledged) - before
        row.faults += await _whole(fleet, load)
        campaign.add(row)
    await load.close()


async def clock(campaign: Campaign, fleet: Fleet) -> None:
    """Let one API host's clock go 20 days ahead: it files nothing, and dates nothing."""
    row = Row(scenario="a clock 20 days ahead")
    if shutil.which("faketime") is None:
        row.note = "not tried: faketime is not installed"
        campaign.add(row)
        return
    token = await fleet.begin()
    fleet.network["api2"].end("registry")
    fleet.start("api2", NEW, "faketime", "-f", "+20d")
    load = Load(f"http://{fleet.network['api2'].address}:{PORT}", token, NEW.root)
    async with httpx.AsyncClient(base_url=f"http://{fleet.network['api2'].address}:{PORT}") as http:

        async def answers() -> bool:
            try:
                return (await http.get("/health/live")).is_success
            except httpx.TransportError:
                return False

        await _until(answers, time.monotonic())
    load.start()
    await asyncio.sleep(_SETTLED)
    if load.acknowledged:
        row.faults.append(f"{len(load.acknowledged)} filed by the wrong clock")
    row.note = f"refused: {sum(load.failures().values())}"
    # faketime waits for the server, and passes no signal on.
    waiting = fleet.network["api2"].processes.pop("registry")
    [server] = psutil.Process(waiting.pid).children()
    server.terminate()
    await asyncio.to_thread(waiting.wait, 60)
    fleet.start("api2")
    since = time.monotonic()
    if await load.acknowledged_after(since) is None:
        row.faults.append("nothing filed by the right clock")
    await load.stop()
    row.acknowledged = len(load.acknowledged)
    [[ahead]] = await fleet.ask("select max(at) > now() + interval '1 minute' from log_entry")
    if ahead:
        row.faults.append("entries are dated ahead")
    row.faults += await _whole(fleet, load)
    await load.close()
    campaign.add(row)


async def older(campaign: Campaign, fleet: Fleet) -> None:
    """Restore an older state of the database, and then the right one."""
    row = Row(scenario="an older state restored")
    token = await fleet.begin()
    load = Load(fleet.base_url, token, NEW.root)
    load.forgets = True
    server = fleet.pair.primary
    fleet.pair.wait_for_nobody()
    load.start()
    await asyncio.sleep(_SETTLED)
    await asyncio.to_thread(_swap, server.data, server, "keep")
    await load.acknowledged_after(time.monotonic())
    await asyncio.sleep(_SETTLED)
    await asyncio.to_thread(_swap, server.data, server, "older")
    await server.ready()
    before, since = len(load.acknowledged), time.monotonic()
    await asyncio.sleep(10)
    if len(load.acknowledged) > before + 4:
        row.faults.append(f"{len(load.acknowledged) - before} acknowledged by the older state")
    row.note = f"refused: {sum(load.failures(since).values())}"
    await asyncio.to_thread(_swap, server.data, server, "newer")
    await server.ready()
    await _seconds_back(fleet, load, time.monotonic(), row)
    await load.stop()
    row.note += f", drafts begun anew: {load.begun_anew}"
    row.acknowledged = len(load.acknowledged)
    row.faults += await _whole(fleet, load)
    await load.close()
    campaign.add(row)


def _swap(data: Path, server: object, which: str) -> None:
    """Stop the server, keep or change its state, and start it."""
    server.stop()  # type: ignore[attr-defined]
    kept, newer = data.with_name("older"), data.with_name("newer")
    if which == "keep":
        subprocess.run(["cp", "-a", data, kept], check=True)
    elif which == "older":
        data.replace(newer)
        kept.replace(data)
    else:
        shutil.rmtree(data)
        newer.replace(data)
    server.start()  # type: ignore[attr-defined]


async def full(campaign: Campaign, fleet: Fleet) -> None:
    """Fill the primary's disk, and make room again; a service manager starts PostgreSQL."""
    row = Row(scenario="a full disk")
    token = await fleet.begin()
    load = Load(fleet.base_url, token, NEW.root)
    load.pause = 0
    server = fleet.pair.primary
    fleet.pair.wait_for_nobody()
    load.start()
    await asyncio.sleep(_SETTLED)
    ballast = server.disk / "ballast"
    free = shutil.disk_usage(server.disk).free
    with ballast.open("wb") as file:
        file.write(secrets.token_bytes(1 << 20) * (free >> 20))
    refused = await _until(lambda: bool(load.failures(time.monotonic() - 1)), time.monotonic())
    if refused is None:
        row.faults.append("there was room for everything")
    await asyncio.sleep(_SETTLED)
    row.note = f"PostgreSQL {'went on' if server.is_running() else 'ended'}"
    ballast.unlink()
    if not server.is_running():
        server.kill()
        server.start()
        await server.ready()
    await _seconds_back(fleet, load, time.monotonic(), row)
    await load.stop()
    row.acknowledged = len(load.acknowledged)
    row.faults += await _whole(fleet, load)
    await load.close()
    campaign.add(row)


async def update(campaign: Campaign, fleet: Fleet) -> None:
    """Update from another version to this one, as docs/operating/updating.md says."""
    row = Row(scenario=f"update from {campaign.ref}")
    old = await asyncio.to_thread(_old_code, campaign.folder, campaign.ref)
    token = await fleet.begin(old, health="/health/live")
    load = Load(fleet.base_url, token, old.root)
    load.start()
    await asyncio.sleep(2 * _SETTLED)
    checked = await asyncio.to_thread(fleet.run, "work1", "migrate", "--check", "--format", "json")
    assert checked.returncode in {0, 1}, checked.stderr
    contracts = bool(json.loads(checked.stdout)["contracting"])
    stopped = time.monotonic()
    for name in WORK + (API if contracts else ()):
        await _end(fleet, name, row)
    done = await asyncio.to_thread(fleet.run, "work1", "migrate", "--apply")
    assert done.returncode == 0, done.stderr
    if contracts:
        for name in (*WORK, *API):
            fleet.start(name)
        await fleet.until_answered()
        await asyncio.sleep(2)
    else:
        await _replace_each(fleet, row)
    back = time.monotonic()
    await asyncio.sleep(_SETTLED)
    await _seconds_back(fleet, load, back, row)
    await load.stop()
    row.acknowledged = len(load.acknowledged)
    _count_failed(row, load, (stopped, back) if contracts else (0, 0))
    row.faults += await _whole(fleet, load)
    await load.close()
    campaign.add(row)


def _count_failed(row: Row, load: Load, without: tuple[float, float]) -> None:
    """Count answers that failed: while no API host was meant to serve, and otherwise."""
    stopped, back = without
    failed = [one for one in load.answers if one.status >= _FAULT or not one.status]
    meant = [one for one in failed if stopped <= one.at <= back and one.status != _FAULT]
    if stopped:
        row.note += f"{back - stopped:.1f} s without API hosts, {len(meant)} refused in them; "
        if back - stopped > _WITHOUT:
            row.faults.append(f"{back - stopped:.0f} s without API hosts")
    row.note += f"failed otherwise: {len(failed) - len(meant)}"
    if len(failed) > len(meant):
        row.faults.append(f"failed: {dict(load.failures())}")


async def _end(fleet: Fleet, name: str, row: Row) -> None:
    code = await asyncio.to_thread(fleet.network[name].end, "registry")
    if code:
        row.note += f"{name} ended with {code}; "


async def _replace_each(fleet: Fleet, row: Row) -> None:
    """Replace one host after the other, while the others serve."""
    for name in WORK:
        fleet.start(name)
        await asyncio.sleep(_SETTLED)
    for name in API:
        fleet.drain(name, "drain")
        await asyncio.sleep(1)
        await _end(fleet, name, row)
        fleet.start(name)
        address = f"http://{fleet.network[name].address}:{PORT}/health/ready"
        if await _until(lambda address=address: _is_ready(address), time.monotonic()) is None:
            row.faults.append(f"{name} is not ready")
        fleet.drain(name, "ready")
        await asyncio.sleep(2)


async def _is_ready(address: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=3) as http:
            return (await http.get(address)).is_success
    except httpx.TransportError:
        return False


def _old_code(folder: Path, ref: str) -> Code:
    """Return another version with an environment of its own; OUTAGE_OLD names one that is there."""
    given = os.environ.get("OUTAGE_OLD")
    if given:
        root, python = given.split(":")
        return Code(root=Path(root), python=python)
    root = folder / f"code-{ref}"
    root.mkdir()
    archive = subprocess.run(
        ["git", "archive", ref], cwd=NEW.root, check=True, capture_output=True
    ).stdout
    subprocess.run(["tar", "x", "-C", root], input=archive, check=True)
    python = root / ".venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", root / ".venv"], check=True)
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--require-hashes", "-r", "requirements.lock"],
        cwd=root,
        check=True,
    )
    return Code(root=root, python=str(python))


SCENARIOS: dict[str, Callable[[Campaign, Fleet], Awaitable[None]]] = {
    "failover": failover,
    "partition": partition,
    "clock": clock,
    "older": older,
    "full": full,
    "update": update,
}
