"""The database server, and what is in it that people have to do something about."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncIterator, Collection, Iterator

from registry import __version__
from registry.clock import utc_now
from registry.errors import RegistryError
from registry.ledger.guard import LONGEST_SKEW, skew
from registry.resources import GRANTS
from registry.services.operations.doctor.checks import (
    Check,
    Installation,
    asks,
    finding,
    good,
    judged,
    unseen,
)
from registry.services.operations.heartbeat import SILENT_AFTER, silence_of_work
from registry.settings import Settings
from registry.store import checkpoints, log, tokens
from registry.store.database import connect
from registry.store.heartbeats import Heartbeat
from registry.store.migrate import has_begun, read_status
from registry.store.server import ServerFacts, read_rights, read_server

_LEAST_NUMBER = 150_000
_POOL = 10
_OTHERS = 10
"""Connections of `work`, of commands and of those who look after the server."""
_WARNED_SKEW = dt.timedelta(seconds=2)
_EXPIRES_SOON = dt.timedelta(days=30)
_LONGEST_SINCE = dt.timedelta(days=2)
_LONGEST_LAG = dt.timedelta(seconds=30)
_PATIENCE_SECONDS = 5.0
_COMMENT = re.compile(r"--.*")
_STATEMENT = re.compile(r"^(grant|revoke)\s([^;]+?)\son\s([^;]+?)\s(?:to|from)\s\w+;", re.MULTILINE)
_COLUMN = re.compile(r" \(.*\)")
_SHOWN = 5


async def check_server(looked: Installation) -> AsyncIterator[Check]:
    """Check what the server is and how it is set."""
    asked_at = utc_now()
    facts = await read_server(looked.connection)
    ahead = skew(facts.clock, asked_at, utc_now())
    for check in _of_server(facts, looked.settings):
        yield check
    yield _of_clock(ahead)


def _of_server(facts: ServerFacts, settings: Settings) -> Iterator[Check]:
    is_embedded = settings.database_url is None
    kind = "embedded PostgreSQL" if is_embedded else "PostgreSQL"
    standby = ", a standby that can only be read" if facts.is_standby else ""
    seen = f"{kind} {facts.version}, {facts.encoding}, role {facts.role}{standby}"
    faults = {
        "Move the register to PostgreSQL 15 or later.": facts.number < _LEAST_NUMBER,
        "Make another database with encoding 'UTF8' template template0.": facts.encoding != "UTF8",
        "Let the register log in as a role of its own, no superuser, as docs/operating.md shows.": (
            facts.is_superuser and not is_embedded
        ),
    }
    advice = next((advice for advice, is_wrong in faults.items() if is_wrong), "")
    yield judged("database", seen, advice, is_wrong=bool(advice))
    needed = {
        "fsync": facts.fsync,
        "full_page_writes": facts.full_page_writes,
        "synchronous_commit": facts.synchronous_commit != "off",
    }
    off = [name for name, is_on in needed.items() if not is_on]
    lost = f"{' and '.join(off)} off: what was acknowledged is lost when the server dies"
    yield judged(
        "durability",
        lost if off else f"synchronous_commit = {facts.synchronous_commit}, fsync = on",
        f"Set {', '.join(f'{name} = on' for name in off)} in postgresql.conf.",
        is_wrong=bool(off),
    )
    if facts.is_remote and not facts.is_encrypted:
        yield finding(
            "way to the database",
            "it is on another machine, and the connection is not encrypted",
            "Add sslmode=verify-full and sslrootcert to REGISTRY_DATABASE_URL.",
        )
    least = settings.workers * _POOL + _OTHERS
    if facts.max_connections < least:
        yield finding(
            "connections",
            f"the server allows {facts.max_connections}, {settings.workers} workers may take "
            f"{settings.workers * _POOL}",
            f"Set max_connections to {least} or more, for each machine that serves.",
        )


def _of_clock(ahead: dt.timedelta) -> Check:
    seconds = f"{abs(ahead.total_seconds()):.1f} seconds"
    seen = f"the database's clock is {'ahead of' if ahead > dt.timedelta() else 'behind'} ours by "
    is_wrong = abs(ahead) > _WARNED_SKEW
    seen += f"{seconds}; from {LONGEST_SKEW.seconds} seconds on nothing is published"
    seen = seen if is_wrong else "the database's agrees with ours"
    return judged("clock", seen, "Let both machines keep time by NTP.", is_wrong=is_wrong)


async def check_migrations(looked: Installation) -> AsyncIterator[Check]:
    """Check whether the database is of this version."""
    if not await has_begun(looked.connection):
        seen = "there is no register in this database"
        yield finding("migrations", seen, "Begin one with registry work.")
        return
    status = await read_status(looked.connection)
    if status.refused:
        seen = f"the database has migration {status.refused[-1]}, which this version does not know"
        yield finding("migrations", seen, "Install the version that the others run.")
    elif status.missing:
        seen = f"the database lacks {', '.join(status.missing)}"
        advice = "Start registry work of this version, which migrates it."
        yield finding("migrations", seen, advice)
    elif status.ahead:
        seen = f"the database is ahead by {', '.join(status.ahead)}, and works"
        yield good("migrations", seen)
    else:
        yield good("migrations", "the database is of this version")


async def check_replica(looked: Installation) -> AsyncIterator[Check]:
    """Check whether the replica that reads go to answers, and is not behind."""
    connection, url = looked.connection, looked.settings.read_url
    if url is None:
        return
    try:
        replica = await connect(url, size=1, patience=_PATIENCE_SECONDS)
        try:
            async with replica.connection() as other:
                has = (await log.read_state(other)).range.size
        finally:
            await replica.close()
    except RegistryError as error:
        advice = "Start it, or mend REGISTRY_READ_URL; all reads go to the primary meanwhile."
        yield finding("replica", error.detail, advice)
        return
    state = await log.read_guarded(connection)
    missing = await checkpoints.read_entries(connection, has, has + 1)
    seen = f"has {has} of {state.range.size} entries"
    is_late = bool(missing) and state.clock - missing[0].at > _LONGEST_LAG
    yield judged("replica", seen, "See why replication lags or stands still.", is_wrong=is_late)


def check_processes(looked: Installation) -> Iterator[Check]:
    """Check what the processes of the register tell of themselves."""
    silence = silence_of_work(looked.told)
    if silence is not None:
        seen, _, _ = silence.rpartition("; ")
        yield finding("work", seen, "Start registry work, on one machine or more.")
    alive = [one for one in looked.told if one.age <= SILENT_AFTER]
    for one in alive:
        for task, why in one.figures.faults.items():
            yield finding(
                "work",
                f"on {one.host}: {task}: {why}",
                "Mend what it names; it tries again by itself.",
            )
        if one.figures.version != __version__:
            yield finding(
                "versions",
                f"registry {one.process} on {one.host} is of version {one.figures.version}, this "
                f"is {__version__}",
                "Finish the update on every machine.",
            )
    if alive:
        names = ", ".join(f"{one.process} on {one.host}" for one in alive)
        yield good("processes", f"alive: {names}")


def check_runs(looked: Installation) -> Iterator[Check]:
    """Check when the last backup was made, and the database checked by its log."""
    newest: dict[str, Heartbeat] = {
        one.process: one for one in sorted(looked.told, key=lambda beat: beat.at)
    }
    for name, command in (("backup", "backup"), ("last verification", "log verify")):
        run = newest.get(command)
        if run is not None:
            seen = f"registry {command} on {run.host} was done {run.at:%Y-%m-%d %H:%M} UTC"
            advice = f"See why the nightly registry {command} fails."
            yield judged(name, seen, advice, is_wrong=run.age > _LONGEST_SINCE)
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


async def check_tokens(looked: Installation) -> AsyncIterator[Check]:
    """Check which tokens end soon."""
    now = utc_now()
    ending = [
        f"number {one.id} of {one.actor} expires {one.expires_at:%Y-%m-%d}"
        for one in await tokens.read_all(looked.connection)
        if one.revoked_at is None and now < one.expires_at <= now + _EXPIRES_SOON
    ]
    yield judged(
        "tokens",
        f"{', '.join(ending) or 'none expires'} within 30 days",
        "Make each holder a new one with registry token create, and revoke the old one after.",
        is_wrong=bool(ending),
    )


async def check_rights(looked: Installation) -> AsyncIterator[Check]:
    """Check whether the role that serves may do what the files give, no more and no less."""
    read = await read_rights(looked.connection)
    if not any(rights for _, _, rights in read):
        yield unseen("rights", "no role here serves but the owner of the tables")
        return
    role, tables = read[0][0], [table for _, table, _ in read]
    held = {f"{right} on {table}" for _, table, rights in read for right in rights}
    most = "".join((GRANTS / f"grants{name}.sql").read_text("utf-8") for name in ("", "-console"))
    least = (GRANTS / "grants.sql").read_text("utf-8")
    more = held - granted(most, tables)
    less = {r for r in granted(least, tables) - held if _COLUMN.sub("", r) not in held}
    named = sorted(more or less)
    seen = ", ".join(named[:_SHOWN]) + f" and {len(named) - _SHOWN} more" * (len(named) > _SHOWN)
    wrong = f"{'may do more than it needs' if more else 'lacks'}: {seen}"
    yield judged(
        "rights",
        f"role {role} {wrong if named else 'may do what grants.sql gives it, and no more'}",
        "Run deploy/database/grants.sql again, as the owner of the tables.",
        is_wrong=bool(named),
    )


def granted(script: str, tables: Collection[str]) -> set[str]:
    """Return the rights on tables that a script leaves, `update (size) on log_state` for one."""
    rights: set[str] = set()
    for verb, what, where in _STATEMENT.findall(_COMMENT.sub("", script)):
        if where.startswith("schema"):
            continue
        on = tables if where.startswith("all tables") else re.split(r",\s*", where.strip())
        for privilege in re.split(r",\s*(?![^(]*\))", what):
            kind, _, columns = privilege.partition(" (")
            kinds = [f" ({one})" for one in columns.rstrip(")").split(", ")] if columns else [""]
            named = {f"{kind}{one} on {table}" for one in kinds for table in on}
            rights = rights | named if verb == "grant" else rights - named
    return rights
