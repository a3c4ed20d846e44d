"""The fold of the log into rows: from an entry's bytes, its content, and what came before.

Recovery appends what it gives, and the check of the database compares it with what is stored. Both
are rows as publishing has written them, for `NewEntry.project` is the one place that makes them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec

from registry.errors import Finding
from registry.ledger.entries import NewEntry, StatedEntry
from registry.ledger.publication import Publication, SealedDocument
from registry.log.blob import (
    ContentRefused,
    ErasedMember,
    KeptSection,
    KeptVerdict,
    check_kept,
    check_verdict,
    kept_verdict,
)
from registry.log.disclosure_tree import Section, members
from registry.log.entry import (
    ImportEntry,
    LogEntry,
    RedactionEntry,
    VersionEntry,
    WithdrawalEntry,
    decode_entry,
    entry_summary,
)
from registry.log.erasure import covers, readable, remaining_members, replaced_members
from registry.record.model import Document
from registry.record.pack import Agency
from registry.record.search_document import tokenize
from registry.record.validate import Verdict
from registry.store.log import Entry, TableRow, bytea
from registry.store.log_checks import PROJECTED, EntryContent, Following
from registry.store.records import CurrentVersion

_LONGEST = 200
_NOTHING: Mapping[int, KeptVerdict] = MappingProxyType({})


Rows: TypeAlias = dict[str, list[TableRow]]
"""Rows by table."""

_Redactions: TypeAlias = Sequence[tuple[int, RedactionEntry]]


class LogFault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with an entry or its content, in a table: no row follows from it then."""

    table: str
    subject: str | None
    index: int
    why: str


class DerivedRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that follow from a part of the log, by table, and what is wrong with its entries.

    `heads` are the records whose last version or withdrawal is in the part, `latest` those whose
    last version is. From what was `refused` nothing follows.
    """

    rows: Rows
    heads: list[str]
    latest: list[str]
    faults: list[LogFault]
    refused: set[int]


class ComparableRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows that follow from a part of the log as JSON by table, to be compared with the stored.

    `about` names those that are found by records; `erased` are pairs of a redaction and an entry of
    which it has erased something. `names` are the records of entries. What was `refused`, and
    `silent` records, of which something was, are not compared.
    """

    rows: dict[str, bytes]
    about: dict[str, list[list[Any]]]
    erased: list[tuple[int, int]]
    names: dict[int, str | None]
    faults: list[LogFault]
    refused: set[int]
    silent: set[str]


class LogPart(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive entries with their contents, and what of other entries their rows depend on.

    `current` is where records stand before, `following` what comes after, by record. `redactions`
    are those of the whole log in order; `erasures` those that were carried out, with the entries
    whose content they have changed; `replaced` the items of their sections `replaced`.
    """

    entries: Sequence[Entry]
    contents: Mapping[int, EntryContent]
    agencies: Mapping[str, Agency]
    current: Mapping[str, CurrentVersion] = {}
    following: Mapping[str, Following] = {}
    redactions: _Redactions = ()
    erasures: Mapping[int, Sequence[int]] = {}
    replaced: Mapping[int, Sequence[object] | None] = {}


def restored(
    said: LogEntry,
    sections: Sequence[KeptSection],
    *,
    values: Document,
    verdict: KeptVerdict | None = None,
    agency: Agency | None = None,
    current: CurrentVersion | None = None,
    stored: bytes | None = None,
    request: int = 0,
    left: Mapping[int, KeptVerdict] = _NOTHING,
) -> NewEntry:
    """Return what was appended, from an entry and what is left of its content.

    `values` are those of the sections. `agency` is that of a version; `current` is where the record
    stood before; `stored` are the entry's bytes, and `request` is the number of a redaction's
    request, where it is to be appended again. `left` are the verdicts that a redaction leaves,
    until it is carried out.
    """
    sealed = [
        Section(key=one.key, value=one.value, salts=one.salts, commitment=said.commitments[one.key])
        for one in sections
    ]
    if not isinstance(said, VersionEntry):
        return StatedEntry(
            entry=said,
            sections=sealed,
            current=current,
            stored=stored,
            request=request,
            left=left,
        )
    if agency is None or verdict is None:
        raise TypeError("a version has an agency and a verdict")
    erased = [member.pointer for one in sections for member in one.erased]
    document = readable(values, erased)
    return Publication(
        document=document,
        agency=agency,
        actor=said.actor,
        verdict=Verdict(
            publishable=True,
            completeness=said.verdict.completeness,
            accountability=said.verdict.accountability,
            missing=tuple(verdict.missing),
            findings=tuple(verdict.findings),
            findings_total=len(verdict.findings),
        ),
        imported=said.imported,
        approved_by=said.approved_by,
        sealed=SealedDocument(
            sections=sealed,
            words=tokenize(document, agency),
            salt=verdict.salt,
            redaction=verdict.redaction,
            erased=erased,
        ),
        current=current,
        lowered_from=said.lowered_from,
        rules=said.verdict.rules,
        schema=said.schema,
        code=said.code,
        stored=stored,
    )


def derive(part: LogPart) -> DerivedRows:
    """Return all rows that follow from a part of the log, whose leaf hashes were checked.

    What an entry commits to is checked first. Whatever is wrong with one entry, the next follows.
    """
    fold = _Fold(part)
    for entry in part.entries:
        if entry.record in fold.silent:
            fold.refused.add(entry.index)
            continue
        try:
            fold.step(entry, decode_entry(entry.content))
        except ContentRefused as error:
            fold.refuse(entry, str(error))
        except Exception as error:  # noqa: BLE001  whatever somebody has written there
            fold.refuse(entry, f"cannot be read ({type(error).__name__}: {str(error)[:_LONGEST]})")
    return fold.finish()


def comparable_rows(part: LogPart) -> ComparableRows:
    """Return what `derive` does, as it is compared."""
    derived = derive(part)
    versions = derived.rows.get("version", ())
    for table, of_table in PROJECTED.items():
        for row in derived.rows.get(table, ()):
            # What was checked by digests is most of the bytes.
            for column in of_table.unstated & row.keys():
                del row[column]
    return ComparableRows(
        rows={table: msgspec.json.encode(rows) for table, rows in derived.rows.items()},
        about={
            "section": [[row[name] for row in versions] for name in ("record", "version")],
            "record": [derived.heads],
            "blocking_key": [derived.heads],
            "foreign_record": [derived.latest],
        },
        erased=[(row["redaction"], row["entry"]) for row in derived.rows.get("erased_member", ())],
        names={entry.index: entry.record for entry in part.entries},
        faults=derived.faults,
        refused=derived.refused,
        silent={one.subject for one in derived.faults if one.subject is not None},
    )


class _Fold:
    """How far a fold has come: the rows so far, and those that a later entry may overtake."""

    def __init__(self, part: LogPart) -> None:
        self._part = part
        self._current = dict(part.current)
        self._rows: dict[str, list[TableRow]] = {}
        self._figures: dict[str, TableRow] = {}
        """Of versions that nothing has put out of force yet, by record."""
        self._heads: dict[str, Rows] = {}
        self._latest: dict[str, Sequence[TableRow]] = {}
        self._table = ""
        """The one whose rows are read now."""
        self._faults: list[LogFault] = []
        self.refused: set[int] = set()
        self.silent: set[str] = set()
        """Records of which something was refused: what follows on them would be another."""

    def step(self, entry: Entry, said: LogEntry) -> None:
        """Check an entry's content, and add the rows that follow."""
        content, record = self._part.contents[entry.index], said.record or ""
        self._table = "section" if isinstance(said, VersionEntry) else "entry_section"
        if any(section.erased for section in content.sections):
            self._table += " or erased_member"
        values = check_kept(content.sections, said.commitments)
        redactions = [
            (index, redaction)
            for index, redaction in self._part.redactions
            if index > entry.index and redaction.names(entry.index, said)
        ]
        self._check_erased(said, content.sections, redactions)
        self._table = "figure"
        current, agency, verdict = self._before(said), None, None
        if isinstance(said, VersionEntry):
            self._table = "agency"
            agency = self._agency(said, current)
            self._table = "version"
            verdict = self._verdict(entry, said, content)
        self._table = "import_run"
        if isinstance(said, ImportEntry) and content.report not in {None, said.report}:
            raise ContentRefused("its report is not what the entry commits to")
        self._table = "redaction"
        new = restored(
            said,
            content.sections,
            values=values,
            verdict=verdict,
            agency=agency,
            current=current,
            left=self._left(entry, said, content),
        )
        if isinstance(new, Publication):
            self._table = "section"
            _check_stated(said, new.document, content.sections)
        rows = {table: [*of_entry] for table, of_entry in new.project(entry).items()}
        rows["log_entry"] = [_logged(entry, said)]
        rows["erased_member"] = [
            _erased_row(entry, section.key, member, redactions)
            for section in content.sections
            for member in section.erased
        ]
        if "record" in rows:
            self._end(record, entry.index, entry.at)
            self._heads[record] = {
                table: rows.pop(table, []) for table in ("record", "blocking_key")
            }
        if isinstance(new, Publication):
            self._latest[record] = rows.pop("foreign_record")
            [figure] = rows["figure"]
            self._figures[record] = figure
            changes = current.risk_changes if current else ()
            self._current[record] = CurrentVersion(
                agency=new.agency.id,
                origin=new.agency.origin,
                version=new.version,
                state="published",
                entry=entry.index,
                leaf=entry.leaf,
                risk=figure["risk"],
                risk_changes=sorted({*changes, figure["risk_change"]} - {None}),
            )
        for table, of_entry in rows.items():
            self._rows.setdefault(table, []).extend(of_entry)

    def refuse(self, entry: Entry, why: str) -> None:
        """Note what is wrong with an entry, from which nothing follows."""
        fault = LogFault(table=self._table, subject=entry.record, index=entry.index, why=why)
        self._faults.append(fault)
        self.refused.add(entry.index)
        if entry.record is not None:
            self.silent.add(entry.record)

    def finish(self) -> DerivedRows:
        """Return the rows, with those about the present that nothing later has overtaken."""
        following = self._part.following
        for record, after in following.items():
            self._end(record, after.until_entry, after.until_at)
        heads = [record for record in self._heads if record not in following]
        for record in heads:
            for table, rows in self._heads[record].items():
                self._rows.setdefault(table, []).extend(rows)
        latest = [
            record
            for record in self._latest
            if record not in following or not following[record].is_amended
        ]
        self._rows["foreign_record"] = [row for record in latest for row in self._latest[record]]
        return DerivedRows(
            rows=self._rows,
            heads=heads,
            latest=latest,
            faults=self._faults,
            refused=self.refused,
        )

    def _end(self, record: str, index: int, at: dt.datetime) -> None:
        figure = self._figures.pop(record, None)
        if figure is not None:
            figure |= {"until_entry": index, "until_at": at}

    def _before(self, said: LogEntry) -> CurrentVersion | None:
        """Return the version before that of an entry, or the one that a withdrawal ends."""
        if not isinstance(said, VersionEntry | WithdrawalEntry):
            return None
        number = said.version - isinstance(said, VersionEntry)
        if not number:
            return None
        current = self._current.get(said.id)
        if current is None:
            raise ContentRefused(f"what follows from version {number} is missing")
        return msgspec.structs.replace(current, version=number)

    def _agency(self, said: VersionEntry, current: CurrentVersion | None) -> Agency:
        home = said.agency(None if current is None else current.agency)
        agency = self._part.agencies.get(home)
        if agency is None:
            raise ContentRefused(f"its agency {home} is missing")
        if agency.origin != said.origin:
            raise ContentRefused(f"its agency {home} is of {agency.origin}, not of {said.origin}")
        return agency

    def _verdict(self, entry: Entry, said: VersionEntry, content: EntryContent) -> KeptVerdict:
        """Return the verdict on a version, as its entry or the last redaction states it."""
        kept = content.verdict
        if kept is None:
            raise ContentRefused("its version is missing")
        number = str(entry.index)
        digest, by = said.digest, None
        for index, redaction in self._part.redactions:
            if index in self._part.erasures and number in redaction.left:
                digest, by = redaction.left[number], index
        findings = msgspec.json.decode(kept.findings, type=tuple[Finding, ...])
        verdict = KeptVerdict(missing=kept.missing, findings=findings, salt=kept.salt, redaction=by)
        _check_verdict(verdict, digest)
        return verdict

    def _left(self, entry: Entry, said: LogEntry, content: EntryContent) -> dict[int, KeptVerdict]:
        """Return the verdicts that a redaction leaves, which it states, until it is carried out."""
        if not said.left or entry.index in self._part.erasures:
            return {}
        kept = msgspec.json.decode(content.left or "{}", type=dict[str, dict[str, Any]])
        verdicts = {number: kept_verdict(one) for number, one in kept.items()}
        if verdicts.keys() != said.left.keys():
            raise ContentRefused("its verdicts are not of the versions that it states")
        for number, one in verdicts.items():
            _check_verdict(one, said.left[number])
        return {int(number): one for number, one in verdicts.items()}

    def _check_erased(
        self, said: LogEntry, sections: Sequence[KeptSection], redactions: _Redactions
    ) -> None:
        """Check that nothing is there that was erased, and what stands in the place of it."""
        version = said.version if isinstance(said, VersionEntry) else 0
        done = [(index, one) for index, one in redactions if index in self._part.erasures]
        for section in sections:
            if not section.erased and not done:
                continue
            value = msgspec.json.decode(section.value)
            gone = {member.pointer for member in section.erased}
            for pointer, _ in remaining_members(section.key, value, gone):
                for index, redaction in done:
                    if covers(redaction.pointers, pointer):
                        raise ContentRefused(f"{pointer} is there, and entry {index} erased it")
            left = dict(members(section.key, value)) if value else {}
            for member in section.erased:
                shown = replaced_members(member.redaction, self._part.replaced.get, version=version)
                if left.get(member.pointer) != shown.get(member.pointer):
                    raise ContentRefused(
                        f"what stands in the place of {member.pointer} is not what entry "
                        f"{member.redaction} commits to"
                    )


def _check_verdict(verdict: KeptVerdict, digest: str) -> None:
    said = verdict.to_json()
    said.pop("redaction", None)
    check_verdict(said, digest)


def _check_stated(said: LogEntry, document: Document, sections: Sequence[KeptSection]) -> None:
    """Check that an entry says in clear what the document says, unless part of this is erased."""
    if any(section.erased for section in sections):
        return
    for name, value in msgspec.structs.asdict(entry_summary(document)).items():
        if getattr(said, name) != value:
            raise ContentRefused(f"its {name} is {getattr(said, name)}, and the document's {value}")


def _erased_row(entry: Entry, key: str, member: ErasedMember, redactions: _Redactions) -> TableRow:
    """Return the row of an erased member, which the first redaction that names it has erased."""
    erasers = (index for index, said in redactions if covers(said.pointers, member.pointer))
    redaction = next(erasers, None)
    if redaction is None:
        raise ContentRefused(f"{member.pointer} is erased, and no redaction says so")
    return {
        "entry": entry.index,
        "key": key,
        "pointer": member.pointer,
        "commitment": member.commitment,
        "redaction": redaction,
    }


def _logged(entry: Entry, said: LogEntry) -> TableRow:
    return {
        "index": entry.index,
        "kind": said.kind,
        "record": said.record,
        "at": said.at,
        "leaf": bytea(entry.leaf),
    }
