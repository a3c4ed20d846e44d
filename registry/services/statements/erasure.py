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
from registry.ledger.rewrite import rewrite_records
from registry.log.blob import KeptVerdict, kept_verdict
from registry.log.disclosure_tree import SALT_BYTES
from registry.log.erasure import REPLACED, Erased, covers, erase, replaced_members
from registry.log.files import LogRefused
from registry.record.codelists import codelists
from registry.record.pointers import parts, pointer
from registry.store import log, records, redactions, search_rows, server
from registry.store.database import Connection, Database
from registry.store.redactions import HeldSection, Redaction
from registry.structs import copy_as

_NOTE = "/publication/change_note"
_UNWRITTEN = -1
"""The index of a redaction that is not in the log yet."""
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


class _Whose(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of which something is erased; `note` is a version's change note."""

    entry: int
    is_version: bool
    note: str | None


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
    Raises `LogRefused` at the end for a redaction of what does not follow from the log.
    """
    async with database.connection() as connection:
        waiting = await redactions.read_waiting(connection, size=size)
    refused: list[LogRefused] = []
    for redaction in waiting:
        try:
            async with database.transaction() as connection:
                await rewrite_changed(connection, await apply_redaction(connection, redaction))
        except LogRefused as error:
            # What is wrong with one record keeps nobody else's data.
            refused.append(error)
    async with database.connection() as connection:
        unsettled = await redactions.read_unsettled(connection)
    if unsettled:
        await write_contents(sorted({entry for some in unsettled.values() for entry in some}))
        async with database.connection() as connection:
            await server.rewrite_tables(connection)
            if not await server.end_write_ahead_log(connection):
                _log.warning(_UNENDED, redactions=sorted(unsettled))
        async with database.transaction() as connection:
            for redaction in unsettled:
                await redactions.settle(connection, redaction)
    if refused:
        raise refused[0]
    return len(waiting)


async def apply_redaction(connection: Connection, redaction: int) -> set[str]:
    """Destroy all that the redaction at an index of the log names, in the caller's transaction.

    Return the records of which the caller rewrites what follows, `rewrite_changed`.
    """
    content = await redactions.read_entry(connection, redaction)
    if content is None:
        raise NotFound(f"entry {redaction} is no redaction")
    said = msgspec.json.decode(content, type=_Said)
    await records.lock_record(connection, said.subject)
    await search_rows.lock_state(connection)
    await redactions.drop_unpublished(connection, said.subject, said.pointers)
    await log.note_erasure(connection)
    entries, changed = await _erase_members(connection, redaction, said), set[str]()
    if said.id is not None:
        waiting = (await redactions.read_left(connection, [redaction])).get(redaction, {})
        left = {int(entry): kept_verdict(one) for entry, one in waiting.items()}
        await redactions.erase_findings(connection, redaction, left)
        if entries:
            changed.add(said.id)
        # The redaction's own content had what it left until now.
        entries = sorted({*entries, *left, *([redaction] if left else ())})
        changed.update(await redactions.read_records(connection, [*left]))
    await redactions.finish(connection, redaction, entries)
    return changed


async def rewrite_changed(connection: Connection, changed: Collection[str]) -> None:
    """Write again what follows of records of which something was erased; raises `LogRefused`."""
    for record in await rewrite_records(connection, changed) if changed else ():
        raise LogRefused(
            f"what is left of {record} does not follow from the log, so that nothing is erased of "
            "it; run: registry log verify"
        )


async def leave_verdicts(
    connection: Connection, asked: Redaction, random: Callable[[int], bytes]
) -> dict[int, KeptVerdict]:
    """Return the verdicts that a redaction will leave of versions, by the index of their entries.

    Those alone of which it will drop findings, that are about what it erases or quote it. Other
    redactions that are confirmed are carried out before it.
    """
    if asked.record is None:
        return {}
    said = copy_as(_Said, asked, id=asked.record)
    found = await _find_erased(connection, _UNWRITTEN, said, {_UNWRITTEN: asked.replaced})
    texts = [text for erased in found.values() for one in erased.values() for text in one.texts]
    quoted = sorted({text for text in texts if len(text) >= _LEAST})
    codes = {code for listed in codelists().values() for code in listed}
    short = {*texts} - {*quoted} - codes
    words = [re.compile(rf"(?<!\w){re.escape(text)}(?!\w)") for text in short]
    left: dict[int, KeptVerdict] = {}
    for version in await redactions.read_quoting(connection, asked.record, quoted):
        is_own = version.record == asked.record
        pointers = said.pointers if is_own and version.version in said.versions else ()
        kept = [
            finding
            for finding in version.findings
            if not _is_about(finding, pointers)
            and not any(text in finding.message for text in quoted)
            and not (is_own and any(word.search(finding.message) for word in words))
        ]
        if len(kept) < len(version.findings):
            left[version.entry] = KeptVerdict(
                missing=version.missing, findings=kept, salt=random(SALT_BYTES)
            )
    return left


async def _find_erased(
    connection: Connection,
    redaction: int,
    said: _Said,
    replaced: Mapping[int, list[Any] | None],
) -> dict[_Whose, dict[str, Erased]]:
    """Return what is left of the sections of which a redaction erases something, by entry.

    `replaced` are the items that it commits to, as `read_replaced` returns them. Entries that are
    no versions come first: what one of them had to be shown in the place of a version's member may
    go.
    """
    held: dict[int, list[HeldSection]] = {}
    for section in await redactions.read_sections(connection, None, entries=said.entries):
        held.setdefault(section.entry, []).append(section)
    for section in await redactions.read_sections(connection, said.id, said.versions):
        held.setdefault(section.entry, []).append(section)
    found: dict[_Whose, dict[str, Erased]] = {}
    for entry, sections in held.items():
        version = sections[0].version
        erasers = {by for section in sections for by in section.gone_by}
        items = await redactions.read_replaced(connection, erasers)
        for earlier in {*items} & {*said.entries}:
            listed = items[earlier] or []
            for at, item in enumerate(listed):
                if isinstance(item, dict) and covers(said.pointers, f"/{REPLACED}/{at}"):
                    listed[at] = redaction
        items |= replaced
        instead = {
            by: {} if version is None else replaced_members(by, items.get, version=version)
            for by in (redaction, *erasers)
        }
        sought = {section.key: _erased(section, said, redaction, instead) for section in sections}
        erased = {key: one for key, one in sought.items() if one is not None}
        if erased:
            whose = _Whose(
                entry=entry, is_version=version is not None, note=sections[0].change_note
            )
            found[whose] = erased
    return found


async def _erase_members(connection: Connection, redaction: int, said: _Said) -> list[int]:
    """Destroy the members named, and put in their place what the redaction commits to.

    Return the entries whose content has changed.
    """
    replaced = await redactions.read_replaced(connection, [redaction])
    found = await _find_erased(connection, redaction, said, replaced)
    for of, erased in found.items():
        note = None if covers(said.pointers, _NOTE) else of.note
        await redactions.erase(connection, redaction, of.entry, erased, change_note=note)
        if not of.is_version:
            await redactions.forget_decision(
                connection,
                of.entry,
                authority="authority" in erased,
                reference="reference" in erased,
            )
    return [of.entry for of in found]


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


def _is_about(finding: Finding, pointers: Collection[str]) -> bool:
    member = pointer(parts(finding.pointer)[:2])
    return member != "" and covers(pointers, member)
