"""Checking that the rows of tables follow from the entries of the log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import msgspec

from registry.errors import Finding
from registry.ledger.entries import StatedEntry
from registry.ledger.publication import Publication, SealedDocument
from registry.log.blob import (
    ContentRefused,
    KeptSection,
    KeptVerdict,
    check_verdict,
    verdict_digest,
)
from registry.log.disclosure_tree import members
from registry.log.entry import (
    LogEntry,
    RedactionEntry,
    VersionEntry,
    WithdrawalEntry,
    decode_entry,
    entry_summary,
)
from registry.log.erasure import readable, replaced_members
from registry.log.replay import LogInconsistent
from registry.record.codelists import codelists
from registry.record.model import Document
from registry.record.pack import Agency, Pack
from registry.record.rules import LOWERED_ANEW
from registry.record.search_document import tokenize
from registry.record.validate import MAX_FINDINGS, Verdict
from registry.store.bound_rows import EntryContext, StoredRows
from registry.store.log import Entry, TableRow
from registry.store.records import CurrentVersion

DATABASE = "the database"

_JSON_COLUMNS = {"findings", "change_note", "codes", "card", "name", "summary", "rest", "document"}
_UNBOUND = {"verdict_salt", "verdict_redaction"}
"""What follows from no entry, or is compared before."""
_LONGEST = 120
_UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, LookupError, AttributeError)


def compare(
    table: str, entry: Entry, stored: Mapping[str, Any] | None, derived: Mapping[str, Any] | None
) -> None:
    """Compare an entry's row of a table with the derived one, None where there is none.

    Raises `LogInconsistent` with the first column that differs.
    """
    key = _key(entry, stored or derived or {})
    if derived is None:
        if stored is not None:
            raise differs(table, entry, key, "is stored, and no such row follows from the log")
        return
    if stored is None:
        raise differs(table, entry, key, "is missing, and follows from the log")
    for column, value in derived.items():
        if column in _UNBOUND:
            continue
        with reading(f"{DATABASE}, table {table}, {key}, column {column}", entry.index):
            here = plain(column, stored[column])
        there = plain(column, value)
        if here != there:
            raise differs(table, entry, key, unlike(column, here, there))


@contextmanager
def reading(where: str, index: int | None) -> Iterator[None]:
    """Take a stored value that cannot be read for a fault of an entry: no JSON, or of other types.

    Raises `LogInconsistent`.
    """
    try:
        yield
    except _UNREADABLE as error:
        why = f"cannot be read ({type(error).__name__}: {str(error)[:_LONGEST]})"
        raise LogInconsistent(where, index, why) from error


def check_agency(index: int, *, stored: Agency | None, logged: Agency) -> None:
    """Compare an agency with its last entry, which has an index.

    Raises `LogInconsistent` with the first fact that differs.
    """
    where = f"{DATABASE}, table agency, {logged.id}"
    if stored is None:
        raise LogInconsistent(where, index, "is missing, and follows from the log")
    if stored != logged:
        now, then = msgspec.to_builtins(stored), msgspec.to_builtins(logged)
        raise LogInconsistent(where, index, unlike("document", now, then))


def _key(entry: Entry, row: Mapping[str, Any]) -> str:
    named = row.get("record") or row.get("id") or row.get("agency") or entry.record or ""
    return f"{named} {row['version']}" if "version" in row and "id" not in row else str(named)


def plain(column: str, value: Any) -> Any:
    """Return a value as it is compared: JSON by what it says, codes in any order."""
    if column in _JSON_COLUMNS and isinstance(value, str):
        value = msgspec.json.decode(value)
    if column == "codes":
        return {kind: sorted(codes) for kind, codes in value.items()}
    if column == "pointers":
        return sorted(value)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def unlike(column: str, stored: Any, derived: Any) -> str:
    """Return in what a column differs, of objects their first member that does."""
    if isinstance(stored, dict) and isinstance(derived, dict):
        names = sorted({*stored, *derived})
        name = next(one for one in names if stored.get(one) != derived.get(one))
        return unlike(f"{column}, {name}", stored.get(name), derived.get(name))
    return f"{column} is {_shown(stored)}, and {_shown(derived)} follows from the log"


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def differs(table: str, entry: Entry, key: str, why: str) -> LogInconsistent:
    """Return the error that names a row by table, key and entry."""
    return LogInconsistent(f"{DATABASE}, table {table}, {key}", entry.index, why)


def check_replaced(
    entry: Entry,
    said: LogEntry,
    sections: Sequence[KeptSection],
    replaced: Mapping[int, Sequence[Any] | None],
) -> None:
    """Check that what stands in the place of erased members is what redactions committed to.

    `replaced` are the items of their sections `replaced`. Raises `LogInconsistent`.
    """
    version = said.version if isinstance(said, VersionEntry) else 0
    for section in sections:
        if not section.erased:
            continue
        value = msgspec.json.decode(section.value)
        left = dict(members(section.key, value)) if value else {}
        for member in section.erased:
            instead = replaced_members(member.redaction, replaced.get, version=version)
            stored, expected = left.get(member.pointer), instead.get(member.pointer)
            if stored != expected:
                table = "section" if version else "entry_section"
                why = unlike(member.pointer, stored, expected)
                raise differs(table, entry, said.record or said.subject or "", why)


def redaction_row(
    entry: Entry, said: RedactionEntry, sections: Sequence[KeptSection]
) -> dict[str, Any]:
    """Return the row of a redaction as it follows from its entry."""
    kept = {each.key: msgspec.json.decode(each.value) for each in sections}
    return {
        "entry": entry.index,
        "record": said.id,
        "agency": said.agency,
        "versions": said.versions,
        "entries": said.entries,
        "pointers": said.pointers,
        "basis": said.basis,
        "authority": kept.get("authority") or "",
        "reference": kept.get("reference"),
        "replaced": None,
        "requested_by": said.actor,
        "confirmed_by": said.confirmed_by,
    }


_Derived: TypeAlias = dict[str, dict[str, Any] | None]
"""The row of an entry by table, None where there must be none."""

_OF_RECORD = {"foreign_record", "blocking_key"}
_REWRITTEN = ("record", "figure", "search_version")
_COMPARED = {
    "version", "figure", "search_version", "withdrawal", "attestation", "source_event", "redaction",
    "record", "agency_entry", "short_code",
}  # fmt: skip


class RowCoverage(msgspec.Struct, kw_only=True):
    """Which names of agencies and search rows the log does not bind.

    `unnamed` are agencies whose names are in no entry yet. `outdated` are versions whose search
    rows are of another analysis.
    """

    unnamed: int = 0
    outdated: int = 0


class RowCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What rows are compared by: the agencies as stored, the country pack, and what is covered."""

    agencies: Mapping[str, Agency]
    pack: Pack
    coverage: RowCoverage = msgspec.field(default_factory=RowCoverage)


def check_rows(
    check: RowCheck,
    entries: Sequence[Entry],
    contents: Mapping[int, Sequence[KeptSection]],
    rows: StoredRows,
) -> None:
    """Compare the rows of consecutive entries with what follows from these.

    Raises `LogInconsistent` with the first row that differs: table, key, stored, derived.
    """
    for entry in entries:
        with reading(f"{DATABASE}, the rows of {entry.record}", entry.index):
            _check_entry(_of_entry(check, entry, contents, rows))


def derive_rows(
    check: RowCheck, entry: Entry, contents: Mapping[int, Sequence[KeptSection]], rows: StoredRows
) -> dict[str, list[TableRow]]:
    """Return the rows of an entry that can be written anew, by table, as they follow from the log.

    Raises `LogInconsistent` where something else is stored from which they would follow.
    """
    with reading(f"{DATABASE}, the rows of {entry.record}", entry.index):
        expected = _derive(_of_entry(check, entry, contents, rows))
    made = {table: [row] for table in _REWRITTEN if (row := expected.get(table)) is not None}
    keys = (expected.get("blocking_key") or {"keys": ()})["keys"]
    return made | {"blocking_key": [{"key": key, "record": entry.record} for key in keys]}


def _of_entry(
    check: RowCheck, entry: Entry, contents: Mapping[int, Sequence[KeptSection]], rows: StoredRows
) -> _EntryRows:
    return _EntryRows(
        check=check,
        entry=entry,
        said=decode_entry(entry.content),
        sections=contents[entry.index],
        rows=rows,
        register_context=rows.register_context.get(entry.index),
    )


def _check_entry(one: _EntryRows) -> None:
    entry, rows = one.entry, one.rows
    check_replaced(entry, one.said, one.sections, rows.replaced)
    expected = _derive(one)
    for table in sorted(_COMPARED):
        stored, derived = rows.by_entry[table].get(entry.index), expected.get(table)
        if derived and stored and derived.get("analysis") != stored.get("analysis"):
            one.check.coverage.outdated += 1
        else:
            compare(table, entry, stored, derived)
    for table in sorted(_OF_RECORD & expected.keys()):
        compare(table, entry, rows.by_record[table].get(entry.record or ""), expected[table])


class _EntryRows(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with what it says and all that its rows follow from, or are compared with."""

    check: RowCheck
    entry: Entry
    said: LogEntry
    sections: Sequence[KeptSection]
    rows: StoredRows
    register_context: EntryContext | None

    def stored(self, table: str) -> Mapping[str, Any]:
        """Return the entry's row of a table; raises `LogInconsistent` where there is none."""
        row = self.rows.by_entry[table].get(self.entry.index)
        if row is None:
            raise differs(table, self.entry, self.entry.record or "", "is missing")
        return row

    @property
    def erased(self) -> list[str]:
        """The pointers of members that were erased."""
        return [member.pointer for section in self.sections for member in section.erased]

    @property
    def document(self) -> Document:
        """The version's document as readers are shown it."""
        whole = {one.key: msgspec.json.decode(one.value) for one in self.sections}
        return readable(whole, self.erased)


def _derive(one: _EntryRows) -> _Derived:
    """Return the rows that follow from an entry, by table."""
    said, register_context = one.said, one.register_context
    if isinstance(said, VersionEntry) and register_context is not None:
        return _of_version(one, said, register_context)
    if isinstance(said, RedactionEntry):
        return {"redaction": redaction_row(one.entry, said, one.sections)}
    current = None
    if register_context is not None:
        if register_context.agency is None:
            raise differs(
                "figure", one.entry, one.entry.record or "", "of the version before is missing"
            )
        current = _current(register_context, version=getattr(said, "version", 0))
    projected = StatedEntry(entry=said, current=current).project(one.entry)
    expected: _Derived = {table: dict(rows[0]) for table, rows in projected.items() if rows}
    if isinstance(said, WithdrawalEntry) and register_context is not None:
        if register_context.until_entry is None:
            expected["record"] = (expected["record"] or {}) | {"origin": register_context.origin}
            expected["blocking_key"] = None
        else:
            del expected["record"]
    return expected


def _of_version(one: _EntryRows, said: VersionEntry, register_context: EntryContext) -> _Derived:
    record = said.id
    publication = _publication(one, said, register_context, _agency(one, said, register_context))
    publication = msgspec.structs.replace(publication, lowered_from=_lowered_from(one, publication))
    _check_stated(one, said, publication)
    _check_agency(one, publication)
    projected = publication.project(one.entry)
    expected: _Derived = {table: dict(rows[0]) for table, rows in projected.items() if rows}
    unstated = {"moved_from": None, "changed_on": None, "run": None, "source_log": None}
    version, counted = projected["version"][0], projected["figure"][0]
    expected["version"] = unstated | version | {"schema_version": said.schema}
    ended = {"until_entry": register_context.until_entry, "until_at": register_context.until_at}
    expected["figure"] = counted | ended
    if register_context.until_entry is not None:
        for table in ("record", *_OF_RECORD):
            expected.pop(table, None)
        return expected
    keys = sorted(key["key"] for key in projected["blocking_key"])
    expected["blocking_key"] = {"record": record, "keys": keys} if keys else None
    origin = said.origin
    expected["foreign_record"] = None if origin is None else {"record": record, "origin": origin}
    return expected


def _agency(one: _EntryRows, said: VersionEntry, register_context: EntryContext) -> Agency:
    """Return the agency whose version it is, as its entry and the version before say."""
    home = said.agency(register_context.agency)
    agency = one.check.agencies.get(home)
    if agency is None:
        raise differs("agency", one.entry, home, "is missing")
    if agency.origin != said.origin:
        why = unlike("origin", agency.origin, said.origin)
        raise differs("agency", one.entry, home, why)
    return agency


def _publication(
    one: _EntryRows, said: VersionEntry, register_context: EntryContext, agency: Agency
) -> Publication:
    """Return what was published, again; its verdict is the stored one, which is checked."""
    document = one.document
    return Publication(
        document=document,
        agency=agency,
        actor=said.actor,
        verdict=_verdict(one, said, register_context),
        imported=said.imported,
        sealed=SealedDocument(sections=(), words=tokenize(document, agency)),
        current=None
        if register_context.agency is None
        else _current(register_context, version=said.version - 1),
        rules=said.verdict.rules,
        code=said.code,
        approved_by=said.approved_by,
    )


def _check_stated(one: _EntryRows, said: VersionEntry, publication: Publication) -> None:
    """Check that the entry says in clear what the document says, unless part of it is erased."""
    if one.erased:
        return
    for name, value in msgspec.structs.asdict(entry_summary(publication.document)).items():
        if getattr(said, name) != value:
            why = unlike(name, value, getattr(said, name))
            raise differs("section", one.entry, publication.record, why)


def _check_agency(one: _EntryRows, publication: Publication) -> None:
    """Name the agency where the search row is that of the agency as the country pack has it."""
    here = publication.agency
    packed, stored = one.check.pack.agencies.get(here.id), one.rows.by_entry["search_version"]
    if packed is None or packed == here:
        return
    sealed = SealedDocument(sections=(), words=tokenize(publication.document, packed))
    other = msgspec.structs.replace(publication, agency=packed, sealed=sealed)
    [row], kept = other.project(one.entry)["search_version"], stored.get(one.entry.index, {})
    if all(plain(name, value) == plain(name, kept.get(name)) for name, value in row.items()):
        now, then = msgspec.structs.asdict(here), msgspec.structs.asdict(packed)
        why = unlike("document", now, then)
        raise differs("agency", one.entry, here.id, why)


def _verdict(one: _EntryRows, said: VersionEntry, register_context: EntryContext) -> Verdict:
    """Return the stored verdict on a version, as its entry states it, or the last redaction's."""
    row = one.stored("version")
    findings = msgspec.json.decode(row["findings"], type=tuple[Finding, ...])
    verdict = Verdict(
        publishable=True,
        completeness=row["completeness"],
        accountability=row["accountability"],
        missing=tuple(row["missing"]),
        findings=findings,
        findings_total=len(findings),
    )
    stated, record, by = said.verdict, said.id, row["verdict_redaction"]
    for name in ("completeness", "accountability"):
        if row[name] != getattr(stated, name):
            raise differs(
                "version", one.entry, record, unlike(name, row[name], getattr(stated, name))
            )
    digest = stated.digest if by is None else register_context.left_digest
    if digest is None or register_context.is_overtaken:
        why = f"verdict_redaction is {by}, and another entry states the verdict"
        raise differs("version", one.entry, record, why)
    kept = KeptVerdict(missing=verdict.missing, findings=findings, salt=row["verdict_salt"])
    try:
        check_verdict(kept.to_json(), digest)
    except ContentRefused as error:
        found = f"{len(findings)} and {len(verdict.missing)} of the digest "
        why = unlike("findings and missing", found + verdict_digest(kept.to_json()), digest)
        raise differs("version", one.entry, record, why) from error
    return verdict


def _lowered_from(one: _EntryRows, publication: Publication) -> str | None:
    """Return the withdrawn record's level that a first version follows: as a finding names it."""
    if publication.current is not None:
        return None
    findings = publication.verdict.findings
    stored = (one.rows.by_entry["figure"].get(one.entry.index) or {}).get("risk_before")
    if one.erased or len(findings) >= MAX_FINDINGS:
        return stored
    said = next((each.message for each in findings if each.rule == LOWERED_ANEW), "")
    levels = codelists()["risk_level"].items()
    named = [code for code, level in levels if any(text in said for text in level.label.values())]
    return stored if stored in named else next(iter(named), None)


def _current(register_context: EntryContext, *, version: int) -> CurrentVersion:
    return CurrentVersion(
        agency=register_context.agency or "",
        version=version,
        state="published",
        entry=-1,
        leaf=b"",
        risk=register_context.risk or "",
        risk_changes=register_context.risk_changes,
    )
