"""Redacting: destroying what published redactions name, wherever the register keeps it.

Nothing is destroyed before the entry that says so stands in a published checkpoint. What is left
verifies as before: the commitments of what was erased stay. It repeats harmlessly.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
import structlog

from registry.errors import Finding, NotFound
from registry.log.erasure import Erased, covers, erase, replaced_members
from registry.record.codelists import codelists
from registry.record.model import NOT_STATED
from registry.record.pointers import parts, pointer
from registry.record.risk_floor import LEVELS
from registry.store import log, record_names, records, redactions, search_rows, server_files
from registry.store.database import Connection, Database
from registry.store.redactions import HeldSection

_NOTE = "/publication/change_note"
_LEAST = 6
"""A finding on another record that has a shorter text in it need not quote it."""

_UNENDED = (
    "the role may not end the server's write-ahead log, which still has what redactions have "
    "destroyed: see docs/operating.md, Redactions and backups"
)

_log = structlog.get_logger()


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """What the entry of a redaction names: versions and entries of a record, or of an agency."""

    id: str | None = None
    agency: str | None = None
    versions: list[int] = []
    entries: list[int] = []
    pointers: list[str]

    @property
    def subject(self) -> str:
        """The record, or the agency."""
        return self.id or self.agency or ""


async def erase_published(
    database: Database,
    *,
    size: int,
    write_contents: Callable[[Sequence[int]], Awaitable[None]],
) -> int:
    """Destroy what redactions name that stand in the published log of a size; gives how many.

    `write_contents` writes the files of entries' content anew. Then the database's own files are
    written anew without what was deleted, and its write-ahead log so far is ended. Raises
    `Unavailable` where others read for too long to let that be done now; it is done the next time.
    """
    async with database.connection() as connection:
        waiting = await redactions.read_waiting(connection, size=size)
    for redaction in waiting:
        async with database.transaction() as connection:
            await apply_redaction(connection, redaction)
    async with database.connection() as connection:
        unsettled = await redactions.read_unsettled(connection)
    if unsettled:
        await write_contents(sorted({entry for some in unsettled.values() for entry in some}))
        async with database.connection() as connection:
            await server_files.rewrite_tables(connection)
            if not await server_files.end_write_ahead_log(connection):
                _log.warning(_UNENDED, redactions=sorted(unsettled))
        async with database.transaction() as connection:
            for redaction in unsettled:
                await redactions.settle(connection, redaction)
    return len(waiting)


async def apply_redaction(connection: Connection, redaction: int) -> list[int]:
    """Destroy all that the redaction at an index of the log names, in the caller's transaction.

    Gives the entries whose content has changed.
    """
    content = await redactions.read_entry(connection, redaction)
    if content is None:
        raise NotFound(f"entry {redaction} is no redaction")
    said = msgspec.json.decode(content, type=_Said)
    await records.lock_record(connection, said.subject)
    await search_rows.lock_state(connection)
    await redactions.drop_unpublished(connection, said.subject, said.pointers)
    await log.note_erasure(connection)
    texts, entries = await _erase_members(connection, redaction, said)
    if said.id is not None:
        shown, changed = await _erase_findings(connection, redaction, said, texts)
        await redactions.recount(connection, said.id, levels=LEVELS, unstated=NOT_STATED)
        await search_rows.rewrite(connection, shown)
        await search_rows.begin_epoch(connection)
        await record_names.index(connection, said.id)
        entries = sorted({*entries, *changed})
    await redactions.finish(connection, redaction, entries)
    return entries


async def _erase_members(
    connection: Connection, redaction: int, said: _Said
) -> tuple[list[str], list[int]]:
    """Destroy the members named, and put in their place what the redaction commits to.

    Return the texts that are gone, and the entries whose content has changed.
    """
    held: dict[int, list[HeldSection]] = {}
    # Entries first: what one of them had to be shown in the place of a version's member may go.
    for section in await redactions.read_sections(connection, None, entries=said.entries):
        held.setdefault(section.entry, []).append(section)
    for section in await redactions.read_sections(connection, said.id, said.versions):
        held.setdefault(section.entry, []).append(section)
    texts: list[str] = []
    changed: list[int] = []
    for entry, sections in held.items():
        version = sections[0].version
        erasers = {redaction, *(by for section in sections for by in section.gone_by)}
        items = await redactions.read_replaced(connection, erasers)
        instead = {
            by: {} if version is None else replaced_members(by, items.get, version=version)
            for by in erasers
        }
        found = {section.key: _erased(section, said, redaction, instead) for section in sections}
        erased = {key: one for key, one in found.items() if one is not None}
        if not erased:
            continue
        note = None if covers(said.pointers, _NOTE) else sections[0].change_note
        await redactions.erase(connection, redaction, entry, erased, change_note=note)
        if version is None:
            await redactions.forget_decision(
                connection,
                entry,
                authority="authority" in erased,
                reference="reference" in erased,
            )
        texts += [text for section in erased.values() for text in section.texts]
        changed.append(entry)
    return texts, changed


def _erased(
    section: HeldSection,
    said: _Said,
    redaction: int,
    instead: Mapping[int, Mapping[str, Any]],
) -> Erased | None:
    """Return a section without what is erased of it, None where that changes nothing.

    `instead` is what is shown in the place of members, by redaction and pointer.
    """
    earlier = {
        pointer: instead[by][pointer]
        for pointer, by in zip(section.gone, section.gone_by, strict=True)
        if pointer in instead[by]
    }
    gone = set(section.gone)
    fresh = {at: value for at, value in instead[redaction].items() if at not in gone}
    return erase(
        section.key,
        msgspec.json.decode(section.value),
        section.salts,
        gone=gone,
        pointers=said.pointers,
        shown=fresh | earlier,
    )


async def _erase_findings(
    connection: Connection, redaction: int, said: _Said, texts: Sequence[str]
) -> tuple[list[int], list[int]]:
    """Drop the findings that are about what was erased, or quote it.

    Return the versions whose search rows change by it, all of the record among them, and those
    whose findings changed: of these the salt of the verdict is destroyed.
    """
    record = said.subject
    quoted = sorted({text for text in texts if len(text) >= _LEAST})
    codes = {code for listed in codelists().values() for code in listed}
    short = {*texts} - {*quoted} - codes
    words = [re.compile(rf"(?<!\w){re.escape(text)}(?!\w)") for text in short]
    shown: list[int] = []
    changed: list[int] = []
    for version in await redactions.read_quoting(connection, record, quoted):
        is_named = version.record == record and version.version in said.versions
        pointers = said.pointers if is_named else ()
        left = [
            finding
            for finding in version.findings
            if not _is_about(finding, pointers)
            and not any(text in finding.message for text in quoted)
            and not (version.record == record and any(w.search(finding.message) for w in words))
        ]
        if len(left) < len(version.findings):
            await redactions.erase_findings(connection, redaction, version, left)
            changed.append(version.entry)
        if len(left) < len(version.findings) or version.record == record:
            shown.append(version.entry)
    return shown, changed


def _is_about(finding: Finding, pointers: Collection[str]) -> bool:
    member = pointer(parts(finding.pointer)[:2])
    return member != "" and covers(pointers, member)
