"""Publishing log and site to a store of objects, and telling the cache in front of it.

Nothing waits for the store: while it is not reached the register goes on, and catches up later.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import httpx
import msgspec
import structlog

from registry.clock import utc_now
from registry.errors import RegistryError, Unavailable
from registry.file_headers import LOG, address_of
from registry.http_client import exchange
from registry.ledger.export import CopiedLog, copy_log
from registry.ledger.proofs import site_made_from
from registry.ledger.published_log import LogTree
from registry.ledger.targets import ObjectStore
from registry.log.blob import bundle_of_contents, content_path
from registry.log.files import CHECKPOINT
from registry.pages.build.build_directory import read_manifest
from registry.services.context import ServiceContext
from registry.settings import Settings
from registry.store import log, published_files
from registry.store.published_files import PublishedLog, read_published
from registry.tlog.checkpoint import stated
from registry.tlog.tile import WIDTH
from registry.worker.tasks import (
    CLEANUP_INTERVAL,
    PARTIAL_TILE_LIFETIME,
    RETRY_SECONDS,
    ErrorLog,
    WorkReport,
    WorkTask,
)

_LOG_STATE = ".published/log.json"
_SITE_STATE = ".published/site.json.gz"
_FILES_AT_ONCE = 256
_ADDRESSES_AT_ONCE = 1000
_ANSWER_SECONDS = 10.0
_NOT_IN_STORE = "the {} could not be published to the store"

_log = structlog.get_logger()


class _SitePages(msgspec.Struct, frozen=True):
    """The files of the site that a store has, by path with their keys."""

    pages: Mapping[str, str] = {}


async def read_stored(settings: Settings, context: ServiceContext) -> bytes | None:
    """Return the checkpoint in the store; None without one, or from before entries were given up.

    A store that is not reached stops nothing: what is on this host's disk and in the database says
    what was signed, too.
    """
    if settings.publish_to is None:
        return None
    try:
        target = ObjectStore(settings.publish_to)
        note, state = await target.read(LOG + CHECKPOINT), await target.read(_LOG_STATE)
        async with context.database.connection() as connection:
            discards = (await read_published(connection)).discards
        there = CopiedLog() if state is None else msgspec.json.decode(state, type=CopiedLog)
    except (RegistryError, ValueError) as error:
        _log.warning("what the store has of the log is not known", why=str(error))
        return None
    return note if there.discards == discards else None


def store_task(settings: Settings, context: ServiceContext) -> WorkTask:
    """Return the task that publishes the log to the store when more of it is published here."""
    has_cache = settings.purge_url is not None
    stored = StoredLog(ObjectStore(settings.publish_to or ""), context, has_cache=has_cache)

    async def step() -> None:
        try:
            await stored.go_on()
        except Exception as error:
            await _note_fault(settings, context, error)
            raise

    return WorkTask(_NOT_IN_STORE.format("log"), step, role="store", forget=stored.forget)


class StoredLog:
    """The log in a store of objects."""

    def __init__(
        self, target: ObjectStore, context: ServiceContext, *, has_cache: bool = False
    ) -> None:
        """Take the store, of which nothing is known yet, and whether a cache in front is told."""
        self._target = target
        self._has_cache = has_cache
        self._database = context.database
        self._cleans_at = utc_now()
        self.forget()

    def forget(self) -> None:
        """Forget what the store has: another process may have written to it."""
        self._tree = LogTree()
        self._there: CopiedLog | None = None
        self._seen: tuple[PublishedLog, int] | None = None

    async def go_on(self) -> None:
        """Copy what was published, witnessed or erased since."""
        async with self._database.snapshot() as connection:
            served = await read_published(connection)
            erasures = (await log.read_state(connection)).erasures
        if served.checkpoint is None or self._seen == (served, erasures):
            return
        if self._there is None:
            content = await self._target.read(_LOG_STATE)
            decode = msgspec.json.decode
            self._there = CopiedLog() if content is None else decode(content, type=CopiedLog)
        copied = await copy_log(self._database, self._target, self._tree, self._there)
        if self._has_cache and copied.erasures > self._there.erasures:
            await self._note_erased()
        await self._target.write([(_LOG_STATE, msgspec.json.encode(copied))])
        self._there, self._seen = copied, (served, erasures)
        async with self._database.transaction() as connection:
            await published_files.note_target(
                connection, self._target.name, now=utc_now(), log_size=copied.size
            )
        _log.info("log published to the store", size=copied.size)
        if utc_now() >= self._cleans_at:
            await _prune(self._target, before=utc_now() - PARTIAL_TILE_LIFETIME)
            self._cleans_at = utc_now() + CLEANUP_INTERVAL

    async def _note_erased(self) -> None:
        """Note the contents that were put again without what was erased."""
        async with self._database.transaction() as connection:
            erased = await published_files.read_erased(connection)
            paths = {content_path(entry) for entry in erased}
            paths |= {bundle_of_contents(entry // WIDTH) for entry in erased}
            await published_files.note_replaced(
                connection, {LOG + path for path in paths}, now=utc_now()
            )


class StoredSite:
    """The site in a store of objects: of each build what has changed."""

    def __init__(self, settings: Settings, context: ServiceContext, report: WorkReport) -> None:
        """Take where the site lies."""
        self._settings = settings
        self._context = context
        self._errors = ErrorLog(_NOT_IN_STORE.format("site"), report)
        self._seen: Path | None = None
        self._again_at = 0.0

    async def go_on(self) -> None:
        """Publish the build in force where it is another; a store that fails is asked again."""
        build = self._settings.site_dir.resolve()
        now = asyncio.get_running_loop().time()
        if self._settings.publish_to is None or build == self._seen or now < self._again_at:
            return
        try:
            if await self._publish(ObjectStore(self._settings.publish_to), build):
                self._seen = build
            self._errors.reset()
        except Exception as error:  # noqa: BLE001  the site of this host goes on
            self._errors.write(error)
            await _note_fault(self._settings, self._context, error)
            self._again_at = now + RETRY_SECONDS

    async def _publish(self, target: ObjectStore, build: Path) -> bool:
        """Put what differs, remove what is gone; False while the log there is behind the build."""
        manifest = await asyncio.to_thread(read_manifest, build)
        made_from = await asyncio.to_thread(site_made_from, build)
        note = await target.read(LOG + CHECKPOINT)
        if made_from is None or note is None or stated(note).size < made_from["size"]:
            return False
        before = await target.read(_SITE_STATE)
        there, pages = _decode(before), manifest.pages
        changed = [file for file, key in pages.items() if there.get(file) != key]
        # What pages refer to comes before them, and what tells of all of it last.
        changed.sort(key=lambda file: (not file.startswith("assets/"), file == "build.json"))
        for start in range(0, len(changed), _FILES_AT_ONCE):
            some = changed[start : start + _FILES_AT_ONCE]
            await target.write(await asyncio.to_thread(_read_files, build, some))
        await target.write([(LOG + "site.json", msgspec.json.encode(made_from))])
        gone = there.keys() - pages.keys()
        await target.remove(gone)
        if self._settings.purge_url is not None:
            replaced = gone | {file for file in changed if file in there}
            async with self._context.database.transaction() as connection:
                await published_files.note_replaced(connection, replaced, now=utc_now())

        def state(now: bytes | None) -> bytes:
            if now == before:
                return _encode(pages)
            # Another has published at the same time: it puts again what was put here.
            touched = {*changed, *gone}
            left = _decode(now)
            return _encode({file: key for file, key in left.items() if file not in touched})

        await target.update(_SITE_STATE, state)
        async with self._context.database.transaction() as connection:
            await published_files.note_target(
                connection, target.name, now=utc_now(), site_size=made_from["size"]
            )
        _log.info("site published to the store", files=len(pages), changed=len(changed))
        return True


async def purge(settings: Settings, context: ServiceContext) -> None:
    """Send the cache in front of the store what was published over, or removed.

    Two processes may tell it the same, which changes nothing.
    Raises `Unavailable` where it does not answer with success: what waits goes on waiting.
    """
    if settings.purge_url is None:
        return
    while True:
        async with context.database.connection() as connection:
            waiting = await published_files.read_replaced(connection, most=_ADDRESSES_AT_ONCE)
        if not waiting:
            return
        paths = [one.path for one in waiting]
        addresses = [f"{settings.base_url}/{address_of(path)}" for path in paths]
        fault = await _tell_cache(settings.purge_url, {"addresses": addresses, "objects": paths})
        told = waiting if fault is None else []
        async with context.database.transaction() as connection:
            await published_files.note_purge(connection, told, now=utc_now(), fault=fault)
        if fault is not None:
            raise Unavailable(fault)
        _log.info("the cache was told what changed", addresses=len(paths))


async def _tell_cache(url: str, told: dict[str, list[str]]) -> str | None:
    """Return why the cache was not told, None where it was; the address may hold a secret."""
    try:
        async with httpx.AsyncClient(timeout=_ANSWER_SECONDS) as client:
            answer = await exchange(client, "POST", url, seconds=_ANSWER_SECONDS, json=told)
    except httpx.HTTPError as error:
        return f"the address of REGISTRY_PURGE_URL does not answer ({type(error).__name__})"
    if httpx.codes.is_success(answer.status):
        return None
    return f"the address of REGISTRY_PURGE_URL answers {answer.status}"


async def _prune(target: ObjectStore, *, before: dt.datetime) -> None:
    """Remove partial tiles and bundles whose full ones are older (tlog-tiles § Partial Tiles)."""
    written = {path: at async for path, at in target.list(LOG + "tile")}
    full = {path: path.partition(".p/")[0] for path in written if ".p/" in path}
    await target.remove(
        [path for path, whole in full.items() if whole in written and written[whole] < before]
    )


def _read_files(build: Path, files: Iterable[str]) -> list[tuple[str, bytes]]:
    return [(file, (build / file).read_bytes()) for file in files]


def _decode(content: bytes | None) -> Mapping[str, str]:
    if content is None:
        return {}
    return msgspec.json.decode(gzip.decompress(content), type=_SitePages).pages


def _encode(pages: Mapping[str, str]) -> bytes:
    # Without a time, so that the same pages give the same bytes.
    return gzip.compress(msgspec.json.encode(_SitePages(pages)), compresslevel=4, mtime=0)


async def _note_fault(settings: Settings, context: ServiceContext, error: Exception) -> None:
    """Note for figures that the store is not reached; without the database they say that."""
    with suppress(Unavailable):
        async with context.database.transaction() as connection:
            await published_files.note_target(
                connection,
                (settings.publish_to or "").rstrip("/"),
                now=utc_now(),
                fault=str(error) or type(error).__name__,
            )
