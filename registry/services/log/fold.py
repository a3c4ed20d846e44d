"""Folding published entries into a database: all rows that follow from them, many at a time.

It restores what a database has lost, from one entry to the whole log, and rebuilds a register from
a copy of its log. Entries and contents are read from the files of a published log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from registry.ledger.append import append_at
from registry.ledger.entries import NewEntry
from registry.ledger.projection import restored
from registry.ledger.publication import Publication
from registry.log.blob import (
    Content,
    KeptSection,
    KeptVerdict,
    check_content,
    check_verdict,
    content_path,
    kept_verdict,
)
from registry.log.configuration import PACK, read_pack_agencies
from registry.log.entry import (
    AgencyEntry,
    ConfigurationEntry,
    GenesisEntry,
    LogEntry,
    OriginEntry,
    RedactionEntry,
    VersionEntry,
    decode_entry,
)
from registry.log.files import LogRefused, read_bundle, tree_of
from registry.log.replay import LogReplay
from registry.record.pack import Agency
from registry.services.people.agencies import store_agencies
from registry.services.statements.erasure import apply_redaction, rewrite_changed
from registry.store import agencies, checkpoints, imports, log, records, redactions
from registry.store.database import Connection
from registry.store.records import CurrentVersion
from registry.tlog.bundle import parse_bundle
from registry.tlog.hashing import leaf_hash
from registry.tlog.tile import WIDTH

_AT_ONCE = 400
"""Entries that one statement appends; each record comes at most once among them."""


class PublishedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as the files of a published log have it: its bytes, what they state, its content.

    `left` are the verdicts that a redaction leaves, as far as no later one has left others.
    """

    index: int
    entry: bytes
    said: LogEntry
    content: Content
    left: Mapping[int, KeptVerdict]

    @property
    def at(self) -> dt.datetime:
        """The entry's time."""
        return dt.datetime.fromisoformat(self.said.at)


class Fold:
    """The fold of entries from `start` to before `end` of the log in a folder.

    `append` comes first, in a transaction that has locked the log, and `erase` once a checkpoint
    that covers the entries is stored there.
    """

    def __init__(self, folder: Path, start: int, end: int) -> None:
        """Take the folder of a published log, whose tiles were checked."""
        self._folder = folder
        self._range = start, end
        self._erased: list[tuple[int, KeptSection]] = []
        self._redactions: list[int] = []

    async def append(self, connection: Connection, progress: Callable[[int, int], None]) -> None:
        """Append the entries; raises `LogRefused` where they do not fit what is there."""
        start, end = self._range
        # Each as the log states it last: search rows have its name as it is now.
        await store_agencies(connection, list(self._stated_agencies().values()))
        walk, last_run = LogReplay(), 0
        for batch in _batches(self._read()):
            await _append(connection, batch)
            for one in batch:
                last_run = max(last_run, getattr(one.said, "run", None) or 0)
                walk.note_content(content_path(one.index), one.index, one.said, one.content)
                self._note(walk, one)
            progress(batch[-1].index + 1 - start, end - start)
        walk.check_erased()
        await imports.go_on_after(connection, last_run)

    async def erase(self, connection: Connection) -> None:
        """Destroy what redactions name of the entries, and of what was there before them."""
        for index, section in self._erased:
            await checkpoints.insert_erased(connection, index, section)
        touched = set[str]()
        for redaction in self._redactions:
            touched |= await apply_redaction(connection, redaction)
            changed = [
                index
                for index, section in self._erased
                if any(member.redaction == redaction for member in section.erased)
            ]
            await redactions.finish(connection, redaction, sorted({*changed}))
        await rewrite_changed(connection, touched)

    def _stated_agencies(self) -> dict[str, Agency]:
        """Return the agencies that the entries state, by id: their own, else the country pack's."""
        configured: dict[str, Agency] = {}
        named: dict[str, Agency] = {}
        for index, _, said in self._entries():
            if isinstance(said, AgencyEntry):
                named[said.agency] = said.facts
            elif isinstance(said, GenesisEntry | ConfigurationEntry):
                sections = self._content(index, said).sections
                configured |= read_pack_agencies(sections[PACK].value) if PACK in sections else {}
        return configured | named

    def _note(self, walk: LogReplay, one: PublishedEntry) -> None:
        if one.content.erased:
            sections = one.content.sections.values()
            self._erased += [(one.index, each) for each in sections if each.erased]
        if isinstance(one.said, RedactionEntry):
            walk.redactions[one.index] = one.said
            self._redactions.append(one.index)

    def _entries(self) -> Iterator[tuple[int, bytes, LogEntry]]:
        """Yield index, bytes and statement of each entry; raises `LogRefused`."""
        start, end = self._range
        nodes = tree_of(self._folder, end)
        for number in range(start // WIDTH, -(-end // WIDTH)):
            first = number * WIDTH
            content, width = read_bundle(self._folder, number, min(end - first, WIDTH))
            entries = parse_bundle(content, width)
            for index in range(max(start, first), min(end, first + WIDTH)):
                entry = entries[index - first]
                if leaf_hash(entry) != nodes(0, index):
                    raise LogRefused(
                        f"the bundle of entry {index} in {self._folder} has another one"
                    )
                yield index, entry, decode_entry(entry)

    def _content(self, index: int, said: LogEntry) -> Content:
        path = self._folder / content_path(index)
        try:
            return check_content(
                path.read_bytes(),
                index=index,
                commitments=said.commitments,
                digest=said.digest,
                left=said.left,
            )
        except (FileNotFoundError, ValueError) as error:
            raise LogRefused(f"{path} is needed, and is missing or damaged: {error}") from error

    def _left(self, index: int, said: LogEntry, content: Content) -> dict[int, KeptVerdict]:
        """Return the verdicts that a redaction leaves, also those that were carried out."""
        left = dict(content.left)
        for number in said.left.keys() - left.keys():
            path = self._folder / content_path(int(number))
            try:
                # The version's own content has what was left of its verdict.
                verdict = msgspec.json.decode(path.read_bytes())["verdict"]
                if verdict.pop("redaction", None) == index:
                    check_verdict(verdict, said.left[number])
                    left[number] = verdict
            except (FileNotFoundError, ValueError, LookupError) as error:
                raise LogRefused(f"{path} is needed, and is missing or damaged: {error}") from error
        return {int(number): kept_verdict(one) for number, one in left.items()}

    def _read(self) -> Iterator[PublishedEntry]:
        for index, entry, said in self._entries():
            content = self._content(index, said)
            left = self._left(index, said, content)
            yield PublishedEntry(index=index, entry=entry, said=said, content=content, left=left)


def _batches(entries: Iterable[PublishedEntry]) -> Iterator[list[PublishedEntry]]:
    batch: list[PublishedEntry] = []
    seen: set[str] = set()
    for one in entries:
        said = one.said
        subject = said.record or f"{said.kind}:{getattr(said, 'origin', '')}"
        if len(batch) == _AT_ONCE or subject in seen:
            yield batch
            batch, seen = [], set()
        batch.append(one)
        if said.record is not None or isinstance(said, OriginEntry):
            seen.add(subject)
    if batch:
        yield batch


async def _append(connection: Connection, batch: Sequence[PublishedEntry]) -> None:
    names = [one.said.record for one in batch if one.said.record is not None]
    current = await records.read_latest(connection, names)
    owners = {
        one.index: one.said.agency(before.agency if (before := current.get(one.said.id)) else None)
        for one in batch
        if isinstance(one.said, VersionEntry)
    }
    known = await agencies.read_named(connection, {*owners.values()})
    made = [
        await _restored(connection, one, current.get(one.said.record or ""), known) for one in batch
    ]
    state = await log.lock_state(connection)
    appended = await append_at(connection, state, made, at=state.clock)
    for one, new, entry in zip(batch, made, appended, strict=True):
        fits = entry.index == one.index and (
            not isinstance(one.said, VersionEntry)
            or (isinstance(new, Publication) and new.version == one.said.version)
        )
        if not fits:
            raise LogRefused(f"entry {one.index} does not fit what the database has of its record")


async def _restored(
    connection: Connection,
    one: PublishedEntry,
    current: CurrentVersion | None,
    known: Mapping[str, Agency],
) -> NewEntry:
    said, agency, verdict, request = one.said, None, None, 0
    if isinstance(said, VersionEntry):
        home = said.agency(None if current is None else current.agency)
        agency, verdict = known.get(home), kept_verdict(one.content.verdict or {})
        if agency is None:
            raise LogRefused(
                f"entry {one.index} is of the agency {home}, which the log does not state"
            )
    elif said.record is not None and current is None:
        raise LogRefused(f"entry {one.index} is of {said.record}, of which nothing was published")
    if isinstance(said, RedactionEntry):
        request = await _request(connection, one, said)
    entry = restored(
        said,
        [*one.content.sections.values()],
        values=one.content.values,
        verdict=verdict,
        agency=agency,
        current=current,
        stored=one.entry,
        request=request,
        left=one.left,
    )
    return msgspec.structs.replace(entry, at=one.at)


async def _request(connection: Connection, one: PublishedEntry, said: RedactionEntry) -> int:
    """Insert the request that a redaction confirms, and return its number."""
    texts = one.content.values
    asked = redactions.Redaction(
        id=0,
        record=said.id,
        agency=said.agency,
        versions=said.versions,
        entries=said.entries,
        pointers=said.pointers,
        basis=said.basis,
        authority=texts.get("authority") or "",
        reference=texts.get("reference"),
        requested_by=said.actor,
        requested_at=one.at,
    )
    return await redactions.insert(connection, asked)
