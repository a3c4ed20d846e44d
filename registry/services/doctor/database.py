"""The database server, and what is in it that people have to do something about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from registry.clock import utc_now
from registry.errors import RegistryError
from registry.ledger.guard import LONGEST_SKEW, skew
from registry.services.doctor.checks import Check, asks, finding, good
from registry.services.heartbeat import SILENT_AFTER, silence_of_work
from registry.settings import Settings
from registry.store import checkpoints, log, tokens
from registry.store.database import Connection, connect
from registry.store.diagnosis import ServerFacts, read_doubtful_numbers, read_server
from registry.store.heartbeats import Heartbeat
from registry.store.migrate import has_begun, read_status
from registry.store.tokens import StoredToken

_LEAST_NUMBER = 150_000
_POOL = 10
_OTHERS = 10
"""Connections of `work`, of commands and of those who look after the server."""
_WARNED_SKEW = dt.timedelta(seconds=2)
_EXPIRES_SOON = dt.timedelta(days=30)
_LONGEST_SINCE = dt.timedelta(days=2)
_LONGEST_LAG = dt.timedelta(seconds=30)
_PATIENCE_SECONDS = 5.0


async def check_server(connection: Connection, settings: Settings) -> list[Check]:
    """Check what the server is and how it is set."""
    asked_at = utc_now()
    facts = await read_server(connection)
    ahead = skew(facts.clock, asked_at, utc_now())
    is_embedded = settings.database_url is None
    return [*_of_server(facts, settings, is_embedded=is_embedded), _of_clock(ahead)]


def _of_server(facts: ServerFacts, settings: Settings, *, is_embedded: bool) -> Iterator[Check]:
    kind = "embedded PostgreSQL" if is_embedded else "PostgreSQL"
    standby = ", a standby that can only be read" if facts.is_standby else ""
    seen = f"{kind} {facts.version}, {facts.encoding}, role {facts.role}{standby}"
    if facts.number < _LEAST_NUMBER:
        yield finding("database", seen, "Move the register to PostgreSQL 15 or later.")
    elif facts.encoding != "UTF8":
        yield finding(
            "database", seen, "Make another database with encoding 'UTF8' template template0."
        )
    elif facts.is_superuser and not is_embedded:
        yield finding(
            "database",
            f"{seen}, which is a superuser",
            "Let the register log in as a role of its own, as docs/operating.md shows.",
        )
    else:
        yield good("database", seen)
    off = [
        name
        for name, is_off in (
            ("fsync", not facts.fsync),
            ("full_page_writes", not facts.full_page_writes),
            ("synchronous_commit", facts.synchronous_commit == "off"),
        )
        if is_off
    ]
    if off:
        yield finding(
            "durability",
            f"{' and '.join(off)} off: what was acknowledged is lost when the server dies",
            f"Set {', '.join(f'{name} = on' for name in off)} in postgresql.conf.",
        )
    else:
        yield good("durability", f"synchronous_commit = {facts.synchronous_commit}, fsync = on")
    if facts.is_remote and not facts.is_encrypted:
        yield finding(
            "way to the database",
            "it is on another machine, and the connection is not encrypted",
            "Add sslmode=verify-full and sslrootcert to REGISTRY_DATABASE_URL.",
        )
    needed = settings.workers * _POOL + _OTHERS
    if facts.max_connections < needed:
        yield finding(
            "connections",
            f"the server allows {facts.max_connections}, {settings.workers} workers may take "
            f"{settings.workers * _POOL}",
            f"Set max_connections to {needed} or more, for each machine that serves.",
        )


def _of_clock(ahead: dt.timedelta) -> Check:
    seconds = f"{abs(ahead.total_seconds()):.1f} seconds"
    seen = f"the database's clock is {'ahead of' if ahead > dt.timedelta() else 'behind'} ours by "
    if abs(ahead) > _WARNED_SKEW:
        return finding(
            "clock",
            seen + f"{seconds}; from {LONGEST_SKEW.seconds} seconds on nothing is published",
            "Let both machines keep time by NTP.",
        )
    return good("clock", "the database's agrees with ours")


async def check_migrations(connection: Connection) -> Check:
    """Check whether the database is of this version."""
    if not await has_begun(connection):
        return finding(
            "migrations", "there is no register in this database", "Begin one with registry work."
        )
    status = await read_status(connection)
    if status.refused:
        return finding(
            "migrations",
            f"the database has migration {status.refused[-1]}, which this version does not know",
            "Install the version that the others run.",
        )
    if status.missing:
        return finding(
            "migrations",
            f"the database lacks {', '.join(status.missing)}",
            "Start registry work of this version, which migrates it.",
        )
    if status.ahead:
        return good("migrations", f"the database is ahead by {', '.join(status.ahead)}, and works")
    return good("migrations", "the database is of this version")


async def check_replica(connection: Connection, settings: Settings) -> list[Check]:
    """Check whether the replica that reads go to answers, and is not behind."""
    if settings.read_url is None:
        return []
    try:
        replica = await connect(settings.read_url, size=1, patience=_PATIENCE_SECONDS)
        try:
            async with replica.connection() as other:
                has = (await log.read_state(other)).range.size
        finally:
            await replica.close()
    except RegistryError as error:
        advice = "Start it, or mend REGISTRY_READ_URL; all reads go to the primary meanwhile."
        return [finding("replica", error.detail, advice)]
    state = await log.read_guarded(connection)
    missing = await checkpoints.read_entries(connection, has, has + 1)
    seen = f"has {has} of {state.range.size} entries"
    if missing and state.clock - missing[0].at > _LONGEST_LAG:
        return [finding("replica", seen, "See why replication lags or stands still.")]
    return [good("replica", seen)]


def check_processes(told: Iterable[Heartbeat], *, version: str) -> Iterator[Check]:
    """Check what the processes of the register tell of themselves."""
    told = list(told)
    silence = silence_of_work(told)
    if silence is not None:
        seen, _, _ = silence.rpartition("; ")
        yield finding("work", seen, "Start registry work, on one machine or more.")
    alive = [one for one in told if one.age <= SILENT_AFTER]
    for one in alive:
        for task, why in one.figures.faults.items():
            yield finding(
                "work",
                f"on {one.host}: {task}: {why}",
                "Mend what it names; it tries again by itself.",
            )
        if one.figures.version != version:
            yield finding(
                "versions",
                f"registry {one.process} on {one.host} is of version {one.figures.version}, this "
                f"is {version}",
                "Finish the update on every machine.",
            )
    if alive:
        names = ", ".join(f"{one.process} on {one.host}" for one in alive)
        yield good("processes", f"alive: {names}")


def check_runs(told: Iterable[Heartbeat]) -> Iterator[Check]:
    """Check when the last backup was made, and the database checked by its log."""
    newest: dict[str, Heartbeat] = {}
    for one in sorted(told, key=lambda beat: beat.at):
        newest[one.process] = one
    for name, command in (("backup", "backup"), ("last verification", "log verify")):
        run = newest.get(command)
        if run is not None:
            seen = f"registry {command} on {run.host} was done {run.at:%Y-%m-%d %H:%M} UTC"
            if run.age > _LONGEST_SINCE:
                yield finding(name, seen, f"See why the nightly registry {command} fails.")
            else:
                yield good(name, seen)
        elif command == "backup":
            yield asks(
                name,
                "registry backup was never run; is the database backed up by other means, and is "
                "there a copy of the log's key elsewhere?",
                "If not, run registry backup each night.",
            )
        else:
            yield finding(
                name,
                "registry log verify was never run on this database",
                "Run registry log verify each night.",
            )


async def check_tokens(connection: Connection, *, now: dt.datetime) -> Check:
    """Check which tokens end soon."""
    ending = [
        one
        for one in await tokens.read_all(connection)
        if one.revoked_at is None and now < one.expires_at <= now + _EXPIRES_SOON
    ]
    if not ending:
        return good("tokens", "none expires within 30 days")
    return finding(
        "tokens",
        f"{', '.join(map(_described, ending))} within 30 days",
        "Make each holder a new one with registry token create, and revoke the old one after.",
    )


async def check_numbers(connection: Connection) -> list[Check]:
    """Check which published numbers may be a thousandth of what was typed, `450,000` for one."""
    return [
        asks(
            "numbers",
            f"{one.record}, version {one.version}, {one.pointer}: is {one.value} meant, or a "
            "thousand times as much?",
            "Ask its agency, and let it amend the record.",
        )
        for one in await read_doubtful_numbers(connection)
    ] or [good("numbers", "no published number looks like one whose thousands were cut off")]


def _described(token: StoredToken) -> str:
    return f"number {token.id} of {token.actor} expires {token.expires_at:%Y-%m-%d}"
