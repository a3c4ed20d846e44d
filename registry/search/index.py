"""The files of the search index: opened, brought up to the log, and made anew."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO

import msgspec
import tantivy
from tantivy import FieldType

from registry.errors import Unavailable
from registry.search.schema import (
    FORMAT,
    IndexedUpTo,
    LabelWords,
    digest,
    documents,
    schema,
    state_document,
)
from registry.store.database import Connection
from registry.store.search_rows import (
    SearchState,
    VersionRow,
    read_changed,
    read_erasures,
    read_rows,
    read_state,
)


class FileLock:
    """An exclusive lock on a file, which ends with the process at the latest."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises `OSError`."""
        self._file: IO[str] = path.open("a", encoding="utf-8")
        self._is_lent = False

    def take(self) -> bool:
        """Take the lock if nobody has it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def lend(self, work: Callable[[], None]) -> None:
        """Keep the lock until some work, begun in a thread, is done."""

        def until_done() -> None:
            try:
                work()
            finally:
                self._file.close()

        self._is_lent = True
        threading.Thread(target=until_done, name="search-merge").start()

    def release(self) -> None:
        """Release the lock, unless it is lent."""
        if not self._is_lent:
            self._file.close()


Progress = Callable[[int, int], None]
"""Told how many entries of how many are indexed."""

_WAIT_SECONDS = 20.0
"""How long a process waits for another one to bring up the index, or to make it anew."""

_POLL_SECONDS = 0.005
_BLOCK = 500
_COMMITTED = 20_000
"""Entries after which an index that is made anew is committed, so that it can go on from there."""

_STATEMENTS = 1_000
"""More than an index has of what it holds."""

_HEAP = 64_000_000
_MOST_SEGMENTS = 7
"""Segments before tantivy would merge them at each commit, which makes it ten times as slow.

With so many, a writer joins the last ones, by writing their entries anew, or lets all merge.
"""

_REWRITTEN = 128
"""Entries that are written anew at the most, before there is a merge, of up to a second."""


class IndexDamagedError(Exception):
    """The index on disk cannot be read: it has to be made anew."""


class IndexStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the index of a host holds: a log of a size with a root, versions in so many segments.

    `is_current` says whether that is the whole log of the register, which has `log_size` entries,
    and `is_stale` whether the files are made anew beside it: they hold what was erased since.
    """

    folder: str
    is_current: bool
    is_stale: bool
    size: int
    root: str
    log_size: int
    versions: int
    segments: int


class IndexDirectory:
    """The index in a folder, as one process sees it."""

    def __init__(self, folder: Path, languages: Iterable[str], labels: LabelWords) -> None:
        """Take the folder of all indexes, the languages of orders by name, and the labels."""
        self.languages = ("", *languages)
        self._labels = labels
        self._labelled = digest(labels)
        self.schema = schema(self.languages)
        self.path = folder / digest([FORMAT, self.languages])
        self._folder = folder
        self._progress: Progress = lambda *_: None
        self._index: tantivy.Index | None = None
        self.searcher: tantivy.Searcher | None = None
        self.state: IndexedUpTo | None = None
        self.place = 0
        """The number of the folder that is read, another one when the index was replaced."""

    def read(self) -> None:
        """Open the index as it was last committed. Raises `IndexDamagedError`."""
        self.searcher = self.state = None
        self.place = self._inode()
        try:
            if self._index is None:
                if not (self.path / "meta.json").exists():
                    return
                self._index = tantivy.Index.open(str(self.path))
            self._index.reload()
            searcher = self._index.searcher()
            self.state = self._stated(searcher)
            self.searcher = None if self.state is None else searcher
        except (ValueError, OSError, msgspec.MsgspecError) as error:
            self._index = None
            raise IndexDamagedError(str(error)) from error

    def _stated(self, searcher: tantivy.Searcher) -> IndexedUpTo | None:
        """Return what an index says that it holds. Raises `ValueError` where it does not hold that.

        A merge that brought back a version shows in the number of documents. It may bring back an
        earlier statement too, which then is not the last.
        """
        query = tantivy.Query.term_query(self.schema, "kind", "state")
        found = [
            msgspec.json.decode(searcher.doc(address).get_first("state") or b"", type=IndexedUpTo)
            for _, address in searcher.search(query, limit=_STATEMENTS).hits
        ]
        last = max(found, key=lambda state: (state.size, state.epoch), default=None)
        if last is not None and searcher.num_docs != last.documents + len(found):
            raise ValueError(
                f"{searcher.num_docs} documents, not {last.documents} and {len(found)} statements"
            )
        return last

    def holds(self, log: SearchState) -> bool:
        """Return whether the index is of the whole log with all erasures, and of no other."""
        state = self.state
        held = state and (state.size, state.root, state.leaf, state.epoch)
        # Another process may have replaced it by one of the same log.
        return self.place == self._inode() and held == (
            log.range.size,
            log.range.root().hex(),
            log.last_leaf,
            log.epoch,
        )

    def _inode(self) -> int:
        try:
            return self.path.stat().st_ino
        except OSError:
            return 0

    def begins(self, log: SearchState) -> bool:
        """Return whether the index is of the log's beginning; `log.leaf` is that of its end."""
        return (
            self.state is not None
            and 0 < self.state.size <= log.range.size
            and self.state.leaf == log.leaf
        )

    def is_stale(self, log: SearchState) -> bool:
        """Return whether the files are from before an erasure or new rows, or of other labels."""
        state = self.state
        return state is None or (state.made, state.labels) != (log.epoch, self._labelled)

    async def bring_up(self, connection: Connection) -> SearchState:
        """Index what changed since, or everything where the index is of no use; return the log.

        Raises `Unavailable` where another process writes for longer than 20 s, and where the folder
        cannot be written.
        """
        async with self._locked() as lock:
            with suppress(IndexDamagedError):
                self.read()
                log = await self._read_log(connection)
                if self.begins(log):
                    await self._write(connection, log, lock)
                    return log
        return await self.renew(connection)

    async def renew(
        self, connection: Connection, progress: Progress = lambda *_: None, *, always: bool = False
    ) -> SearchState:
        """Make an index beside a stale one, or `always`, and replace it; return the log.

        What was begun in this epoch is gone on with. Raises as `bring_up` does.
        """
        fresh = IndexDirectory(self._folder / "fresh", self.languages[1:], self._labels)
        fresh._progress = progress
        async with fresh._locked():
            await asyncio.to_thread(self._sweep, fresh)
            async with self._locked() as lock:
                with suppress(IndexDamagedError):
                    self.read()
                log = await self._read_log(connection)
                if not always and self.begins(log) and not self.is_stale(log):
                    # Another process has mended it; the log may have grown since.
                    await self._write(connection, log, lock)
                    return log
            with suppress(IndexDamagedError):
                fresh.read()
            log = await fresh._read_log(connection)
            if not fresh.begins(log) or fresh.is_stale(log):
                fresh._index = fresh.searcher = fresh.state = None
                shutil.rmtree(fresh.path, ignore_errors=True)
            await fresh._write(connection, log)
            # What came in these minutes, and what came since.
            await fresh._write(connection, await fresh._read_log(connection))
            async with self._locked():
                await fresh._write(connection, await fresh._read_log(connection))
                with suppress(FileNotFoundError):
                    self.path.rename(fresh._folder / "replaced")
                # Who is killed here has left the new one where the next finds it.
                fresh.path.rename(self.path)
                self.read()
            await asyncio.to_thread(self._sweep, fresh)
            return log

    def _sweep(self, fresh: IndexDirectory) -> None:
        """Delete what another index has replaced, and those of other releases."""
        for other in (*self._folder.iterdir(), *fresh._folder.iterdir()):
            if other.is_dir() and other not in (self.path, fresh.path, fresh._folder):
                shutil.rmtree(other, ignore_errors=True)

    def status(self, log: SearchState) -> IndexStatus:
        """Return what the index holds now, beside a log."""
        with suppress(IndexDamagedError):
            self.read()
        state, searcher = self.state, self.searcher
        versions = tantivy.Query.range_query(self.schema, "since", FieldType.Integer, 0, None)
        return IndexStatus(
            folder=str(self.path),
            is_current=self.holds(log),
            is_stale=self.is_stale(log),
            size=0 if state is None else state.size,
            root="" if state is None else state.root,
            log_size=log.range.size,
            versions=0 if searcher is None else _count(searcher, versions),
            segments=0 if searcher is None else searcher.num_segments,
        )

    async def _read_log(self, connection: Connection) -> SearchState:
        """Return the log's state, with the leaf up to which the index holds."""
        return await read_state(connection, self.state.size - 1 if self.state else -1)

    async def _write(
        self, connection: Connection, log: SearchState, lock: FileLock | None = None
    ) -> None:
        """Index the versions from where the index ends; a merge goes on under a lock, or is over.

        Raises `IndexDamagedError` where the index does not hold then what it should.
        """
        if self.holds(log):
            return
        state = self.state
        since = -1 if state is None else state.size - 1
        self.path.mkdir(parents=True, exist_ok=True)
        # It knows the files that other processes have written since, and collects them too.
        index = tantivy.Index(self.schema, str(self.path))
        writer = index.writer(heap_size=_HEAP, num_threads=1)
        # Files of a writer that was killed amid its commit stand in the way of the next one.
        writer.garbage_collect_files()
        searcher = index.searcher()
        size, segments = log.range.size, searcher.num_segments
        known = [] if state is None else state.tail
        tail = [*known, since + 1]
        is_full = segments >= _MOST_SEGMENTS
        if is_full:
            tail = _joined(tail, size)
        left = segments - len(known) + len(tail)
        merges = is_full and (left > _MOST_SEGMENTS or size - tail[-1] > _REWRITTEN)
        up_to = IndexedUpTo(
            size=size,
            root=log.range.root().hex(),
            leaf=log.last_leaf,
            epoch=log.epoch,
            made=log.epoch if state is None else state.made,
            labels=self._labelled if state is None else state.labels,
            # Read before any row is, so that what is erased later is replaced later.
            erased=await read_erasures(connection),
            tail=[0] if merges else tail,
        )
        added = await self._add(
            writer,
            searcher,
            connection,
            state,
            up_to,
            anew=since if merges else tail[-1] - 1,
            # So many are left by a writer that was killed amid a merge.
            apart=segments > _MOST_SEGMENTS,
        )
        await asyncio.to_thread(_commit, writer, msgspec.structs.replace(up_to, documents=added))
        self._share()
        self.read()
        if merges and lock is not None:
            # What was committed can be found already; who writes next waits for the merge.
            lock.lend(partial(self._merge, writer))
        elif lock is None:
            await asyncio.to_thread(self._merge, writer)
            self.read()

    def _merge(self, writer: tantivy.IndexWriter) -> None:
        writer.wait_merging_threads()
        self._share()

    def _share(self) -> None:
        """Make what tantivy writes for its owner alone readable for the group of the folder.

        The files are read by another user where `registry doctor` is run by one.
        """
        mode = self.path.stat().st_mode & 0o666
        for name in ("meta.json", ".managed.json"):
            # They are another's where another user wrote last; who did has given them away then.
            with suppress(FileNotFoundError, PermissionError):
                (self.path / name).chmod(mode)

    async def _add(
        self,
        writer: tantivy.IndexWriter,
        searcher: tantivy.Searcher,
        connection: Connection,
        state: IndexedUpTo | None,
        up_to: IndexedUpTo,
        *,
        anew: int,
        apart: bool,
    ) -> int:
        """Add the versions after an entry, and those before it that changed since.

        Those after the entry `anew` are written again. `apart` is whether deletions have a commit
        of their own. Return the number of documents that the index has then.
        """
        size, since = up_to.size, -1 if state is None else state.size - 1
        committed, count = since, 0 if state is None else state.documents
        erased = up_to.erased if state is None else state.erased
        known = await read_changed(connection, since=anew, size=size, erased=erased)
        if anew < since:
            rows = await read_rows(connection, since=anew, size=size, limit=_BLOCK)
            known += [row for row in rows if row.ord <= since]
        # In threads, and nobody's meter: what was published is not the work of who asks first.
        count += await asyncio.to_thread(self._replace, writer, searcher, known, apart=apart)
        while rows := await read_rows(connection, since=since, size=size, limit=_BLOCK):
            count += await asyncio.to_thread(self._add_documents, writer, rows)
            since = rows[-1].ord
            self._progress(since + 1, size)
            if since - committed >= _COMMITTED:
                at = await read_state(connection, since)
                so_far = msgspec.structs.replace(
                    up_to, size=since + 1, root="", leaf=at.leaf or "", documents=count, tail=()
                )
                await asyncio.to_thread(_commit, writer, so_far)
                committed = since
        return count

    def _replace(
        self,
        writer: tantivy.IndexWriter,
        searcher: tantivy.Searcher,
        known: Sequence[VersionRow],
        *,
        apart: bool,
    ) -> int:
        """Delete the documents of versions that a searcher has, and add them as they are now.

        Return how many documents there are more.
        """
        query = tantivy.Query.term_set_query(self.schema, "ord", [row.ord for row in known])
        count = -_count(searcher, query)
        for row in known:
            writer.delete_documents_by_term("ord", row.ord)
        if known and apart:
            # Of so many segments adding begins a merge, and a merge amid deletions brings back what
            # they delete. Until the next commit the index has not the documents that it states.
            writer.commit()
        return count + self._add_documents(writer, known)

    def _add_documents(self, writer: tantivy.IndexWriter, rows: Sequence[VersionRow]) -> int:
        """Add the documents of versions; return how many they are."""
        made = [one for row in rows for one in documents(row, self.languages, self._labels)]
        for one in made:
            writer.add_document(one)
        return len(made)

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[FileLock]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._folder / "lock")
            try:
                until = time.monotonic() + _WAIT_SECONDS
                while not lock.take():
                    if time.monotonic() > until:
                        raise Unavailable("the search index is being made; try again in a moment")
                    await asyncio.sleep(_POLL_SECONDS)
                yield lock
            finally:
                lock.release()
        except (IndexDamagedError, ValueError, OSError) as error:
            self._index = None
            raise Unavailable(
                f"the search index in {self._folder} cannot be written: {error}"
            ) from error


def _count(searcher: tantivy.Searcher, query: tantivy.Query) -> int:
    """Return the number of documents that a query finds."""
    found = searcher.aggregate(query, {"total": {"value_count": {"field": "ord"}}})
    return int(found["total"]["value"])


def _commit(writer: tantivy.IndexWriter, state: IndexedUpTo) -> None:
    writer.delete_documents_by_term("kind", "state")
    writer.add_document(state_document(state))
    writer.commit()


def _joined(tail: Sequence[int], size: int) -> list[int]:
    """Return at which sizes of the log segments begin once the last ones are joined.

    A segment is joined with those after it when they have half as many entries or more, or when
    there would be too many.
    """
    left = [*tail]
    while len(left) > 1 and (
        left[-1] - left[-2] <= 2 * (size - left[-1]) or len(left) >= _MOST_SEGMENTS
    ):
        left.pop()
    return left
