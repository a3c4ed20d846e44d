"""The log and what is made from it: key, publication, site, search index."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import platform
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

from registry.errors import ConfigurationError
from registry.ledger import key
from registry.ledger.guard import LogGuard, LogMemory, lacks
from registry.ledger.proofs import site_made_from
from registry.ledger.published_log import read_keys
from registry.ledger.signing import signers_of
from registry.log.files import published_size
from registry.record.pack import load_pack
from registry.search.engine import open_index
from registry.services.operations.doctor.checks import (
    Check,
    Installation,
    finding,
    good,
    judged,
    unseen,
)
from registry.services.operations.doctor.host import LEAST_SHARE
from registry.services.operations.heartbeat import SILENT_AFTER
from registry.settings import Settings
from registry.store import checkpoints, log_checks
from registry.store.database import Connection
from registry.store.log import GuardedState
from registry.store.published_files import read_target

_LOG_BEHIND = dt.timedelta(minutes=1)
_SITE_BEHIND = dt.timedelta(minutes=10)


async def check_log(looked: Installation) -> AsyncIterator[Check]:
    """Check whether the log takes entries, and publishes and shows them."""
    connection, settings = looked.connection, looked.settings
    guard = LogGuard(LogMemory(settings.seen_file))
    state, is_stopped = await guard.look(connection)
    if not state.range.size:
        yield finding("log", "it has no first entry", "Begin the register with registry work.")
        return
    if is_stopped:
        why = state.stopped or lacks(state, guard.memory.last)
        seen = f"nothing is filed or published: {why or 'the database is not confirmed yet'}"
        yield finding("log", seen, "Start registry work, and do what its log says.")
    fault = await log_checks.read_fault(connection)
    if fault is not None:
        yield finding(
            "log",
            f"a check of the database by its log found: {fault}",
            "Run registry log verify, and follow docs/operating.md, When something is found.",
        )
    signed = await checkpoints.read_last(connection)
    size = 0 if signed is None else signed.size
    here = await asyncio.to_thread(published_size, settings.log_dir)
    if await _waits(connection, size, state, _LOG_BEHIND):
        seen = f"{state.range.size - size} entries are not signed yet"
        yield finding("log", seen, "See the log of registry work, which says why.")
    elif here and await _waits(connection, here, state, _LOG_BEHIND):
        seen = f"{settings.log_dir.absolute()} is at {here} entries, signed are {size}"
        yield finding("log", seen, "Let registry work on this host use the same REGISTRY_DATA_DIR.")
    elif not is_stopped and fault is None:
        yield good("log", f"{size} of {state.range.size} entries are signed")
    yield await _check_site(connection, settings, state)
    if settings.publish_to is not None:
        yield await _check_target(connection, settings.publish_to, size, state)


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
    is_late = settings.site_build == "auto" and await _waits(connection, size, state, _SITE_BEHIND)
    seen = f"{'it shows' if is_late else 'built from'} {size} of {state.range.size} entries"
    advice = "See the log of registry work, which says why it is not built."
    return judged("site", seen, advice, is_wrong=is_late)


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
    where, by_itself = target.address, "; registry work tries again by itself."
    kept = f"the cache in front of {where} still has what was changed: {target.purge_fault}"
    is_late = target.log_size < signed and await _waits(
        connection, target.log_size, state, _SITE_BEHIND
    )
    for is_wrong, seen, advice in (
        (target.fault, f"nothing more gets to {where}: {target.fault}", "Mend the way there"),
        (target.purge_fault, kept, "Mend what answers at REGISTRY_PURGE_URL"),
        (is_late, f"{where} has {target.log_size} of {signed} entries", "See its log"),
    ):
        if is_wrong:
            return finding("store", seen, advice + by_itself)
    seen = f"{where} has {target.log_size} entries, its site is of {target.site_size}"
    return good("store", seen)


async def check_key(looked: Installation) -> AsyncIterator[Check]:
    """Check whether the log's key is here, is the log's, and is nobody else's to read."""
    connection, file = looked.connection, looked.settings.key_file
    files: list[Path] = []
    # The user of registry serve may not look into the folder.
    with suppress(PermissionError):
        files = await asyncio.to_thread(key.files, file)
    if not files:
        others = [
            one.host
            for one in looked.told
            if one.process == "work" and one.figures.has_key and one.age <= SILENT_AFTER
        ]
        has = f"not this user's to read, or elsewhere; registry work on {', '.join(others)} has it"
        yield judged(
            "key",
            has
            if others
            else f"{file} is not to be seen, and no registry work that is alive has it",
            "Put the log's own key back, from a backup: without it nothing more can be signed.",
            is_wrong=not others,
        )
        return
    chain = await read_keys(connection)
    signed = await checkpoints.read_last(connection)
    state, _ = await LogGuard(LogMemory()).look(connection)
    try:
        signers_of(await asyncio.to_thread(key.read_all, file), chain, state, signed)
    except ConfigurationError as error:
        advice = "Run this as the user of registry work, who owns the key."
        if os.access(file, os.R_OK):
            advice = f"Put the log's own key to {file}, and chmod 600 it."
        yield finding("key", error.detail, advice)
    else:
        yield good("key", f"{file} is the log's, and only its owner may read it")


async def check_search(looked: Installation) -> AsyncIterator[Check]:
    """Check the search index of this host."""
    folder, settings = looked.settings.search_dir, looked.settings
    if not folder.is_dir():
        yield unseen("search index", "none on this host; the first registry serve makes it")
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        advice = "Run this as the user of registry serve, or give the folder to its group."
        yield finding("search index", f"{folder} cannot be written by this user", advice)
    else:
        pack = load_pack(settings.pack, settings.packs)
        status = await open_index(looked.database.connection, folder, pack).status()
        behind = "" if status.is_current else "; the next question brings it up"
        is_wrong = not status.size and not status.is_current
        seen = f"holds {status.size} of {status.log_size} entries{behind}"
        yield judged(
            "search index",
            f"{status.folder} is missing, damaged or of another release" if is_wrong else seen,
            "Start registry serve, or run registry search rebuild.",
            is_wrong=is_wrong,
        )


def check_disks(looked: Installation) -> Iterator[Check]:
    """Check the disks of other hosts, as they tell of them."""
    for one in looked.told:
        free, total = one.figures.disk_free_bytes, one.figures.disk_bytes
        if one.process != "work" or one.host == platform.node() or not total or free is None:
            continue
        if free / total < LEAST_SHARE:
            yield finding(
                "disk",
                f"{free / total:.0%} of the data folder's disk on {one.host} is free",
                "Make room, or move the folder to a larger disk.",
            )
