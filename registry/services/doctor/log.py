"""The log and what is made from it: key, publication, site, search index."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Iterable, Iterator

from registry.errors import ConfigurationError
from registry.ledger import key
from registry.ledger.files import published_size
from registry.ledger.guard import LogGuard, LogMemory, lacks
from registry.ledger.key_chain import read_keys
from registry.ledger.proofs import site_made_from
from registry.ledger.signing import signers_of
from registry.record.pack import load_pack
from registry.search.engine import open_index
from registry.services.doctor.checks import Check, finding, good, unseen
from registry.services.heartbeat import SILENT_AFTER
from registry.settings import Settings
from registry.store import bound_rows, checkpoints
from registry.store.database import Connection, Database
from registry.store.heartbeats import Heartbeat
from registry.store.log import GuardedState
from registry.store.published import read_target

_LOG_BEHIND = dt.timedelta(minutes=1)
_SITE_BEHIND = dt.timedelta(minutes=10)


async def check_log(connection: Connection, settings: Settings) -> list[Check]:
    """Check whether the log takes entries, and publishes and shows them."""
    guard = LogGuard(LogMemory(settings.seen_file))
    state, is_stopped = await guard.look(connection)
    if not state.range.size:
        return [finding("log", "it has no first entry", "Begin the register with registry work.")]
    checks = []
    if is_stopped:
        why = state.stopped or lacks(state, guard.memory.last)
        checks.append(
            finding(
                "log",
                f"nothing is filed or published: {why or 'the database is not confirmed yet'}",
                "Start registry work, and do what its log says.",
            )
        )
    fault = await bound_rows.read_fault(connection)
    if fault is not None:
        checks.append(
            finding(
                "log",
                f"a check of the database by its log found: {fault}",
                "Run registry log verify, and follow docs/operating.md, When something is found.",
            )
        )
    signed = await checkpoints.read_last(connection)
    size = 0 if signed is None else signed.size
    is_late = await _waits(connection, size, state, _LOG_BEHIND)
    if is_late:
        checks.append(
            finding(
                "log",
                f"{state.range.size - size} entries are not signed yet",
                "See the log of registry work, which says why.",
            )
        )
    here = await asyncio.to_thread(published_size, settings.log_dir)
    if here and not is_late and await _waits(connection, here, state, _LOG_BEHIND):
        checks.append(
            finding(
                "log",
                f"{settings.log_dir.absolute()} is at {here} entries, signed are {size}",
                "Let registry work on this host use the same REGISTRY_DATA_DIR.",
            )
        )
    if not checks:
        checks.append(good("log", f"{size} of {state.range.size} entries are signed"))
    checks.append(await _check_site(connection, settings, state))
    if settings.publish_to is not None:
        checks.append(await _check_target(connection, settings.publish_to, size, state))
    return checks


async def _waits(
    connection: Connection, size: int, state: GuardedState, longest: dt.timedelta
) -> bool:
    """Return whether the first entry after so many is older than it should be."""
    waiting = await checkpoints.read_entries(connection, size, size + 1)
    return bool(waiting) and state.clock - waiting[0].at > longest


async def _check_site(connection: Connection, settings: Settings, state: GuardedState) -> Check:
    made_from = await asyncio.to_thread(site_made_from, settings.site_dir)
    if settings.site == "elsewhere":
        return good("site", "served elsewhere, as REGISTRY_SITE says")
    if made_from is None and settings.publish_to is not None:
        return good("site", "none on this host; it is served from the store")
    if made_from is None:
        return finding(
            "site",
            f"there is none in {settings.data_dir.absolute()}",
            "Run registry work or registry site build with this REGISTRY_DATA_DIR.",
        )
    size = made_from["size"]
    if settings.site_build == "auto" and await _waits(connection, size, state, _SITE_BEHIND):
        return finding(
            "site",
            f"it shows {size} of {state.range.size} entries",
            "See the log of registry work, which says why it is not built.",
        )
    return good("site", f"built from {size} of {state.range.size} entries")


async def _check_target(
    connection: Connection, address: str, signed: int, state: GuardedState
) -> Check:
    target = await read_target(connection)
    if target is None:
        return finding(
            "store",
            f"nothing was published to {address}",
            "Set REGISTRY_PUBLISH_TO and the variables AWS_… for registry work, and see its log.",
        )
    if target.fault is not None:
        return finding(
            "store",
            f"nothing more gets to {target.address}: {target.fault}",
            "Mend the way to the store; registry work tries again by itself.",
        )
    if target.purge_fault is not None:
        return finding(
            "store",
            f"the cache in front of {target.address} still has what was changed: "
            f"{target.purge_fault}",
            "Mend what answers at REGISTRY_PURGE_URL; registry work tries again by itself.",
        )
    if target.log_size < signed and await _waits(connection, target.log_size, state, _SITE_BEHIND):
        return finding(
            "store",
            f"{target.address} has {target.log_size} of {signed} entries",
            "See the log of registry work, which says why.",
        )
    seen = f"{target.address} has {target.log_size} entries, its site is of {target.site_size}"
    return good("store", seen)


async def check_key(
    connection: Connection, settings: Settings, told: Iterable[Heartbeat]
) -> list[Check]:
    """Check whether the log's key is here, is the log's, and is nobody else's to read."""
    try:
        files = await asyncio.to_thread(key.files, settings.key_file)
    except PermissionError:
        # The user of registry serve may not look into the folder.
        files = []
    if not files:
        others = [
            one.host
            for one in told
            if one.process == "work" and one.figures.has_key and one.age <= SILENT_AFTER
        ]
        if others:
            seen = f"not this user's to read, or elsewhere; registry work on {', '.join(others)}"
            return [good("key", f"{seen} has it")]
        return [
            finding(
                "key",
                f"{settings.key_file} is not to be seen, and no registry work that is alive has it",
                "Put the log's own key back, from a backup: without it nothing more can be signed.",
            )
        ]
    chain = await read_keys(connection)
    signed = await checkpoints.read_last(connection)
    state, _ = await LogGuard(LogMemory()).look(connection)
    try:
        there = await asyncio.to_thread(key.read_all, settings.key_file)
        signers_of(there, chain, state, signed)
    except ConfigurationError as error:
        return [finding("key", error.detail, _key_advice(settings))]
    return [good("key", f"{settings.key_file} is the log's, and only its owner may read it")]


def _key_advice(settings: Settings) -> str:
    if not os.access(settings.key_file, os.R_OK):
        return "Run this as the user of registry work, who owns the key."
    return f"Put the log's own key to {settings.key_file}, and chmod 600 it."


async def check_search(database: Database, settings: Settings) -> Check:
    """Check the search index of this host."""
    if not settings.search_dir.is_dir():
        return unseen("search index", "none on this host; the first registry serve makes it")
    if not os.access(settings.search_dir, os.R_OK | os.W_OK | os.X_OK):
        return finding(
            "search index",
            f"{settings.search_dir} cannot be written by this user",
            "Run this as the user of registry serve, or give the folder to its group.",
        )
    index = open_index(
        database.connection, settings.search_dir, load_pack(settings.pack, settings.packs)
    )
    status = await index.status()
    if status.is_current:
        return good("search index", f"holds all {status.log_size} entries")
    if not status.size:
        return finding(
            "search index",
            f"{status.folder} is missing, damaged or of another release",
            "Start registry serve, or run registry search rebuild.",
        )
    seen = f"holds {status.size} of {status.log_size} entries; the next question brings it up"
    return good("search index", seen)


def check_disks(told: Iterable[Heartbeat], *, least: float, here: str) -> Iterator[Check]:
    """Check the disks of other hosts, as they tell of them."""
    for one in told:
        free, total = one.figures.disk_free_bytes, one.figures.disk_bytes
        if one.process != "work" or one.host == here or not total or free is None:
            continue
        if free / total < least:
            yield finding(
                "disk",
                f"{free / total:.0%} of the data folder's disk on {one.host} is free",
                "Make room, or move the folder to a larger disk.",
            )
