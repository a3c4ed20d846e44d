"""Redactions: requested and carried out, and the only statements that erase."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from registry.errors import Finding
from registry.log.blob import ErasedMember, KeptSection, KeptVerdict, replaced_items
from registry.log.erasure import REPLACED, Erased
from registry.store.database import Connection, read_row, read_rows, statement

RedactionState: TypeAlias = Literal["requested", "overtaken", "confirmed", "erased"]

_JSON = msgspec.json.Encoder()
_END_OF_NUMBERS = 2**63


class Redaction(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be erased of which versions; `entry` and `hash` are null until it is confirmed.

    `entries` are others than versions: of the record, or of the attestations of an `agency`, and
    then there is no record. `replaced` is what will be shown in the place of members, until it is
    confirmed: a list of `{pointer, versions, value}`. `is_done` means that it was carried out, and
    the content no longer exists. `state` says the same in a word; an `overtaken` request cannot be
    confirmed any more, since another redaction erased a part of the same. The persons are null
    where it came from a peer or from the published log.
    """

    id: int
    record: str | None
    agency: str | None = None
    versions: list[int]
    entries: list[int] = []
    pointers: list[str]
    basis: str
    authority: str
    reference: str | None
    requested_by: str
    requested_at: dt.datetime
    confirmed_by: str | None = None
    confirmed_at: dt.datetime | None = None
    entry: int | None = None
    hash: str | None = None
    is_done: bool = False
    state: RedactionState = "requested"
    requested_person: str | None = None
    confirmed_person: str | None = None
    replaced: list[dict[str, Any]] | None = None

    @property
    def subject(self) -> str:
        """The record, or the agency."""
        return self.record or self.agency or ""


class HeldSection(msgspec.Struct, frozen=True, kw_only=True):
    """A section of what an entry commits to, as stored: JSON text.

    `gone` are the members of it that were erased, `gone_by` the redactions that did it. `version`
    is None where the entry is of no version.
    """

    version: int | None
    entry: int
    change_note: str | None
    key: str
    value: str
    salts: bytes
    gone: list[str]
    gone_by: list[int]


class TextRow(msgspec.Struct, frozen=True, kw_only=True):
    """A section of a version or of another entry, or a draft, which has neither; JSON text."""

    subject: str
    version: int | None
    entry: int | None
    key: str
    value: str


async def search_texts(
    connection: Connection, patterns: Sequence[str], *, agency: str | None, limit: int
) -> list[TextRow]:
    """Return what has a match of each regular expression in it, of an agency or of all."""
    given = [list(patterns), agency, limit]
    return await read_rows(connection, TextRow, "redactions", "search_texts", *given)


class NamedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that is no version, and whose it is: a record's, or an agency's attestation."""

    kind: str
    record: str | None
    agency: str | None


class QuotingVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version with its verdict, of which a finding may quote an erased text."""

    record: str
    version: int
    entry: int
    missing: list[str]
    findings: Sequence[Finding]


class LastEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The last entry of a record in the log, with its 32-byte leaf hash."""

    index: int
    leaf: bytes


async def insert(connection: Connection, redaction: Redaction) -> int:
    """Insert a request and return its number."""
    number: int = await connection.fetchval(
        statement("redactions", "insert"),
        redaction.record,
        redaction.agency,
        redaction.versions,
        redaction.entries,
        redaction.pointers,
        redaction.basis,
        redaction.authority,
        redaction.reference,
        None if redaction.replaced is None else _JSON.encode(redaction.replaced).decode(),
        redaction.requested_by,
        redaction.requested_at,
        redaction.requested_person,
    )
    return number


async def read(connection: Connection, number: int) -> Redaction | None:
    """Return a redaction; None for any number that none has."""
    if not 0 < number < _END_OF_NUMBERS:
        return None
    return await read_row(connection, _redaction, "redactions", "one", number)


async def read_all(connection: Connection, agency: str | None) -> list[Redaction]:
    """Return the redactions of an agency's records, or of all, newest first."""
    return await read_rows(connection, _redaction, "redactions", "all", agency)


async def delete(connection: Connection, number: int) -> None:
    """Delete a request that is not confirmed."""
    await connection.execute(statement("redactions", "delete"), number)


async def read_named(connection: Connection, entry: int) -> NamedEntry | None:
    """Return an entry that is no version, if what it commits to can be erased."""
    return await read_row(connection, NamedEntry, "redactions", "named", entry)


async def read_last(connection: Connection, record: str) -> LastEntry | None:
    """Return the last entry of a record."""
    return await read_row(connection, LastEntry, "redactions", "last_entry", record)


async def read_sections(
    connection: Connection,
    record: str | None,
    versions: Sequence[int] | None = None,
    entries: Sequence[int] = (),
) -> list[HeldSection]:
    """Return the sections of some versions of a record, or of all, and of other entries."""
    named = (record, versions, list(entries))
    return await read_rows(connection, HeldSection, "redactions", "sections", *named)


async def read_replaced(
    connection: Connection, redactions: Collection[int]
) -> dict[int, list[Any] | None]:
    """Return the items of the section `replaced` of redactions, None where there is none.

    With those of the redactions that erased some of them, whose indexes stand in their place.
    """
    found: dict[int, list[Any] | None] = {}
    while missing := set(redactions) - found.keys():
        found |= dict.fromkeys(missing)
        rows = await connection.fetch(statement("redactions", "replaced"), list(missing))
        for row in rows:
            erased = [
                ErasedMember(pointer=pointer, commitment="", redaction=by)
                for pointer, by in zip(row["gone"], row["gone_by"], strict=True)
            ]
            section = KeptSection(key=REPLACED, value=row["value"], salts=b"", erased=tuple(erased))
            found[row["entry"]] = replaced_items(section)
        redactions = {by for row in rows for by in row["gone_by"]}
    return found


async def read_waiting(connection: Connection, *, size: int) -> list[int]:
    """Return the entries, in a log of some size, of redactions that are not carried out yet."""
    rows = await connection.fetch(statement("redactions", "waiting"), size)
    return [row["index"] for row in rows]


async def read_entry(connection: Connection, redaction: int) -> bytes | None:
    """Return the entry of a redaction by its index."""
    content: bytes | None = await connection.fetchval(statement("redactions", "entry"), redaction)
    return content


async def erase(
    connection: Connection,
    redaction: int,
    entry: int,
    sections: dict[str, Erased],
    *,
    change_note: str | None,
) -> None:
    """Delete members of what an entry commits to and their salts, with a version's source row.

    The database refuses what the published entry `redaction` does not name.
    """
    gone = [
        (key, pointer, commitment)
        for key, section in sections.items()
        for pointer, commitment in section.commitments.items()
    ]
    await connection.execute(
        statement("redactions", "erase"),
        redaction,
        entry,
        list(sections),
        [section.value for section in sections.values()],
        [section.salts for section in sections.values()],
        [key for key, _, _ in gone],
        [pointer for _, pointer, _ in gone],
        [commitment for _, _, commitment in gone],
        change_note,
    )


async def forget_decision(
    connection: Connection, redaction: int, *, authority: bool, reference: bool
) -> None:
    """Delete what a redaction's request says of its decision, as was done in its entry."""
    await connection.execute(
        statement("redactions", "forget_decision"), redaction, authority, reference
    )


async def read_quoting(
    connection: Connection, record: str, texts: Sequence[str]
) -> list[QuotingVersion]:
    """Return a record's versions, and others of which a finding may quote one of some texts.

    Their findings are those that redactions leave that are confirmed and not carried out yet.
    """
    quoted = [_JSON.encode(text).decode()[1:-1] for text in texts]
    waiting: dict[str, Any] = {}
    for verdicts in (await read_left(connection)).values():
        waiting |= verdicts
    found = []
    for row in await connection.fetch(statement("redactions", "quoting"), record, quoted):
        left = waiting.get(str(row["entry"]))
        findings = msgspec.json.decode(row["findings"]) if left is None else left["findings"]
        version = QuotingVersion(
            record=row["record"],
            version=row["version"],
            entry=row["entry"],
            missing=row["missing"],
            findings=msgspec.convert(findings, list[Finding]),
        )
        found.append(version)
    return found


async def read_left(
    connection: Connection, entries: Sequence[int] | None = None
) -> dict[int, dict[str, Any]]:
    """Return the verdicts that redactions leave which are not carried out: of some, or of all.

    By the redaction's entry the member `verdicts` of its content file.
    """
    return {
        row["entry"]: msgspec.json.decode(row["verdicts"])
        for row in await connection.fetch(statement("redactions", "left"), entries)
    }


async def erase_findings(
    connection: Connection, redaction: int, left: Mapping[int, KeptVerdict]
) -> None:
    """Replace the verdicts on versions, by their entries, by those that a redaction leaves."""
    await connection.executemany(
        statement("redactions", "erase_findings"),
        [
            (redaction, entry, _JSON.encode(one.findings).decode(), one.salt)
            for entry, one in left.items()
        ],
    )
    await connection.execute(statement("redactions", "forget_left"), redaction)


async def read_records(connection: Connection, entries: Sequence[int]) -> list[str]:
    """Return the records of versions, by their entries."""
    rows = await connection.fetch(statement("redactions", "records"), entries)
    return [row["record"] for row in rows]


async def drop_unpublished(connection: Connection, subject: str, pointers: Sequence[str]) -> None:
    """Delete a record's draft, acts that wait or were returned, kept forms and stored responses.

    Or those of an agency's attestations. And requests to erase words of what the pointers name:
    they hold the texts that would be shown then.
    """
    await connection.execute(statement("redactions", "drop_draft"), subject, pointers)
    await connection.execute(statement("redactions", "drop_answers"))


async def finish(connection: Connection, redaction: int, entries: Sequence[int]) -> None:
    """Mark a redaction as carried out, with the entries whose content it changed."""
    await connection.execute(statement("redactions", "done"), redaction, list(entries))


async def read_unsettled(connection: Connection) -> dict[int, list[int]]:
    """Return, by redaction, the entries whose files were not rewritten since."""
    rows = await connection.fetch(statement("redactions", "unsettled"))
    return {row["redaction"]: row["entries"] for row in rows}


async def settle(connection: Connection, redaction: int) -> None:
    """Mark the files of what a redaction changed as rewritten."""
    await connection.execute(statement("redactions", "settle"), redaction)


async def count(connection: Connection) -> int:
    """Return the number of redactions carried out, with which caches are invalidated."""
    number: int = await connection.fetchval(statement("redactions", "count"))
    return number


async def read_erased(
    connection: Connection, records: Sequence[str], *, but: str | None = None
) -> dict[str, dict[str, Any]]:
    """Return what was erased of records on any basis `but` one: by pointer what is shown instead.

    None where nothing is.
    """
    found: dict[str, dict[str, Any]] = {}
    for row in await connection.fetch(statement("redactions", "erased"), list(records), but):
        shown = None if row["shown"] is None else msgspec.json.decode(row["shown"])
        found.setdefault(row["record"], {})[row["pointer"]] = shown
    return found


def _redaction(*, replaced: str | None, **columns: Any) -> Redaction:
    shown = None if replaced is None else msgspec.json.decode(replaced, type=list[Any])
    state: RedactionState = "requested"
    if columns["entry"] is not None:
        state = "erased" if columns["is_done"] else "confirmed"
    return Redaction(**columns, replaced=shown, state=state)
