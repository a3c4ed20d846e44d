"""Redacting: destroying what published redactions name, wherever the register keeps it.

Nothing is destroyed before the entry that says so stands in a published checkpoint. What is left
verifies as before: the commitments of what was erased stay. It repeats harmlessly.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

import msgspec

from registry.errors import Finding, NotFound
from registry.record.entry import NOT_STATED
from registry.record.erasure import Erased, covers, erase
from registry.record.pointers import parts, pointer
from registry.record.risk_floor import LEVELS
from registry.services.reindexing import index_versions
from registry.store import log, record_names, records, redactions, search_rows
from registry.store.database import Connection, Database
from registry.store.redactions import HeldSection

_NOTE = "/publication/change_note"
_LEAST = 6
"""A finding that has a shorter text in it need not quote it."""


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """What the entry of a redaction names."""

    id: str
    versions: list[int]
    pointers: list[str]


async def erase_published(
    database: Database,
    *,
    size: int,
    write_contents: Callable[[Sequence[int]], Awaitable[None]],
) -> int:
    """Destroy what redactions name that stand in the published log of a size; gives how many.

    `write_contents` writes the files of entries' content anew.
    """
    async with database.connection() as connection:
        waiting = await redactions.read_waiting(connection, size=size)
    for redaction in waiting:
        async with database.transaction() as connection:
            await apply_redaction(connection, redaction)
    async with database.connection() as connection:
        unsettled = await redactions.read_unsettled(connection)
        if unsettled:
            await redactions.vacuum(connection)
    for redaction, entries in unsettled.items():
        await write_contents(entries)
        async with database.transaction() as connection:
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
    await records.lock_record(connection, said.id)
    await search_rows.lock_state(connection)
    await redactions.drop_unpublished(connection, said.id)
    await log.note_erasure(connection)
    held: dict[int, list[HeldSection]] = {}
    for section in await redactions.read_sections(connection, said.id, said.versions):
        held.setdefault(section.version, []).append(section)
    texts: list[str] = []
    entries: list[int] = []
    for version, sections in held.items():
        erased = _erased(sections, said.pointers)
        if not erased:
            continue
        note = None if covers(said.pointers, _NOTE) else sections[0].change_note
        await redactions.erase(connection, redaction, said.id, version, erased, change_note=note)
        texts += [text for section in erased.values() for text in section.texts]
        entries.append(sections[0].entry)
    shown, changed = await _erase_findings(connection, redaction, said, texts)
    await redactions.recount(connection, said.id, levels=LEVELS, unstated=NOT_STATED)
    await redactions.drop_search(connection, shown)
    await index_versions(connection, shown)
    await record_names.index(connection, said.id)
    entries = sorted({*entries, *changed})
    await redactions.finish(connection, redaction, entries)
    return entries


def _erased(sections: Sequence[HeldSection], pointers: Collection[str]) -> dict[str, Erased]:
    found = {
        section.key: erase(
            section.key,
            msgspec.json.decode(section.value),
            section.salts,
            gone=section.gone,
            pointers=pointers,
        )
        for section in sections
    }
    return {key: erased for key, erased in found.items() if erased is not None}


async def _erase_findings(
    connection: Connection, redaction: int, said: _Said, texts: Sequence[str]
) -> tuple[list[int], list[int]]:
    """Drop the findings that are about what was erased, or quote it.

    Return the versions whose search rows change by it, all of the record among them, and those
    whose findings changed: of these the salt of the verdict is destroyed.
    """
    quoted = sorted({text for text in texts if len(text) >= _LEAST})
    shown: list[int] = []
    changed: list[int] = []
    for version in await redactions.read_quoting(connection, said.id, quoted):
        pointers = (
            said.pointers if version.record == said.id and version.version in said.versions else ()
        )
        left = [
            finding
            for finding in version.findings
            if not _is_about(finding, pointers)
            and not any(text in finding.message for text in quoted)
        ]
        if len(left) < len(version.findings):
            await redactions.erase_findings(connection, redaction, version, left)
            changed.append(version.entry)
        if len(left) < len(version.findings) or version.record == said.id:
            shown.append(version.entry)
    return shown, changed


def _is_about(finding: Finding, pointers: Collection[str]) -> bool:
    member = pointer(parts(finding.pointer)[:2])
    return member != "" and covers(pointers, member)
