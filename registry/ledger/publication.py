"""Publications: documents that become versions in the log, with the rows that follow from them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from registry.ledger.entries import NewEntry, after, section_row
from registry.log.blob import KeptVerdict, verdict_digest
from registry.log.disclosure_tree import SALT_BYTES, Section, commitments, seal
from registry.log.entry import (
    AgencyMove,
    ApprovedBy,
    Imported,
    StatedVerdict,
    VersionEntry,
    entry_bytes,
    entry_summary,
    timestamp,
)
from registry.log.register import risk_change
from registry.record.facets import PublishedState
from registry.record.likeness import BlockingKeys, blocking_keys
from registry.record.model import NOT_STATED, Document
from registry.record.pack import Agency
from registry.record.pointers import dig
from registry.record.rules import RULE_SET
from registry.record.schema import SCHEMA_VERSION, broader
from registry.record.search_document import TokensByLanguage, build, tokenize
from registry.record.validate import Verdict
from registry.store import search_rows
from registry.store.log import Entry, TableRow, bytea
from registry.store.records import CurrentVersion


class SealedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a document becomes wherever in the log it will stand: sections with salts, tokens.

    `salt` is that of its verdict. Of a version which is brought back, `redaction` is the one that
    left that of it, and `erased` are the pointers of what the document is without.
    """

    sections: Sequence[Section]
    words: TokensByLanguage
    salt: bytes = b""
    redaction: int | None = None
    erased: Sequence[str] = ()


class Publication(NewEntry, frozen=True, kw_only=True):
    """A validated document that becomes a version; `current` is where its record stands before.

    A foreign one carries the row it was made from (`source_row`, JSON text), the whole of texts
    that were cut to fit (`whole`, by pointer) and what is said of its source. `publish` fills in
    `sealed` and `current`; `keys` save work. `lowered_from` is the level at which what seems the
    same system was published under another id. `rules` is the rule set of the verdict, `schema` the
    version of the record format. `code` is the short code that the record gets, with its first
    version.
    """

    document: Document
    agency: Agency
    actor: str
    verdict: Verdict
    source_row: str | None = None
    whole: Mapping[str, str] = {}
    imported: Imported | None = None
    approved_by: ApprovedBy | None = None
    sealed: SealedDocument | None = None
    current: CurrentVersion | None = None
    keys: BlockingKeys | None = None
    lowered_from: str | None = None
    rules: str = RULE_SET
    schema: str = SCHEMA_VERSION
    code: str | None = None

    @property
    def kind(self) -> str:
        """The kind of the entry."""
        return "version"

    @property
    def record(self) -> str:
        """The record's id."""
        return str(self.document["id"])

    @property
    def version(self) -> int:
        """The number of the version."""
        return 1 if self.current is None else self.current.version + 1

    def write(self, at: dt.datetime) -> bytes:
        """Return the bytes of the entry at a time."""
        stated, source = entry_summary(self.document), self._imported
        moved = None
        if source is not None and source.moved_from is not None:
            moved = AgencyMove(before=source.moved_from, to=self.agency.id)
        return entry_bytes(
            VersionEntry(
                actor=self.actor,
                at=timestamp(at),
                id=self.record,
                version=self.version,
                schema=self.schema,
                risk=stated.risk,
                sector=stated.sector,
                status=stated.status,
                prev=None if self.current is None else after(self.current),
                sections=commitments(self._sealed().sections),
                verdict=self._stated_verdict(),
                approved_by=self.approved_by,
                code=self.code,
                lowered_from=None if self.current is not None else self.lowered_from,
                origin=None if source is None else source.origin,
                run=None if source is None else source.run,
                moved=moved,
                changed_on=None if source is None else source.changed_on,
                undated=source is not None and source.undated,
                source=None if source is None else source.source,
            )
        )

    def project(self, entry: Entry, /) -> Mapping[str, Sequence[TableRow]]:
        """Return the version and its sections, facts, search row and keys."""
        sealed, verdict, agency = self._sealed(), self.verdict, self.agency
        figure = self._figure(entry)
        moved = {figure["risk_change"], *(self.current.risk_changes if self.current else ())}
        search_row = build(
            self.document,
            agency,
            sealed.words,
            PublishedState(
                version=self.version,
                entry=entry.index,
                published_at=entry.at,
                completeness=verdict.completeness,
                findings=verdict.findings,
                risk_changes=sorted(moved - {None}),
            ),
            sealed.erased,
        )
        name, note = self.document.get("name"), dig(self.document, "publication", "change_note")
        keys: Collection[int] = ()
        # Nobody publishes twice what is of another register.
        if name and agency.origin is None:
            found = self.keys or blocking_keys(agency.id, name, self.document.get("source_id"))
            keys = found.all
        at_version = {"record": self.record, "version": self.version}
        return {
            "record": [
                {
                    "id": self.record,
                    "agency": agency.id,
                    "origin": agency.origin,
                    "state": "published",
                    "version": self.version,
                    "entry": entry.index,
                }
            ],
            "version": [
                at_version
                | {
                    "entry": entry.index,
                    "published_at": entry.at,
                    "schema_version": self.schema,
                    "rule_set": self.rules,
                    "actor": self.actor,
                    "approved_by": self.approved_by,
                    "completeness": verdict.completeness,
                    "accountability": verdict.accountability,
                    "missing": verdict.missing,
                    "findings": _json(verdict.findings),
                    "change_note": None if note is None else _json(note),
                    "verdict_salt": bytea(sealed.salt),
                    "verdict_redaction": sealed.redaction,
                    "undated": False,
                    **_imported_columns(self._imported),
                }
            ],
            "section": [at_version | section_row(one) for one in sealed.sections],
            "source_row": []
            if self.source_row is None
            else [at_version | {"content": self.source_row, "whole": _json(self.whole)}],
            "foreign_record": self._foreign_record(entry),
            "short_code": []
            if self.code is None
            else [{"entry": entry.index, "record": self.record, "code": self.code}],
            "figure": [figure],
            "search_version": [search_rows.as_row(search_row)],
            "blocking_key": [{"key": key, "record": self.record} for key in keys],
        }

    def _foreign_record(self, entry: Entry) -> list[TableRow]:
        said = self._imported
        if said is None:
            return []
        return [
            {
                "record": self.record,
                "origin": said.origin,
                "source_id": self.document.get("source_id", ""),
                "changed_on": said.changed_on,
                "seen_at": entry.at,
                "run": said.run,
            }
        ]

    def _stated_verdict(self) -> StatedVerdict:
        verdict, salt = self.verdict, self._sealed().salt
        kept = KeptVerdict(missing=verdict.missing, findings=verdict.findings, salt=salt)
        return StatedVerdict(
            rules=self.rules,
            completeness=verdict.completeness,
            accountability=verdict.accountability,
            digest=verdict_digest(kept.to_json()),
        )

    @property
    def _imported(self) -> Imported | None:
        origin = self.agency.origin
        return self.imported or (None if origin is None else Imported(origin=origin))

    def _sealed(self) -> SealedDocument:
        if self.sealed is None:
            raise RuntimeError(f"{self.record} is not sealed")
        return self.sealed

    def _figure(self, entry: Entry) -> dict[str, Any]:
        """Return what is counted of the version: codes and numbers."""
        document, verdict = self.document, self.verdict
        stated = entry_summary(document)
        risk = stated.risk or NOT_STATED
        risk_before = self.lowered_from if self.current is None else self.current.risk
        withheld = dig(document, "publication", "withheld_fields") or ()
        return {
            "entry": entry.index,
            "record": self.record,
            "agency": self.agency.id,
            "origin": self.agency.origin,
            "at": entry.at,
            "risk": risk,
            "risk_before": risk_before,
            "risk_change": risk_change(risk_before, risk),
            "sector": broader(stated.sector or NOT_STATED),
            "status": stated.status or NOT_STATED,
            "personal_data": dig(document, "data", "personal_data") or NOT_STATED,
            "completeness": verdict.completeness,
            "accountability": verdict.accountability,
            "next_review_on": dig(document, "lifecycle", "next_review_on"),
            "rules": [finding.rule for finding in verdict.findings],
            "withheld": [field["ground"] for field in withheld if "ground" in field],
            "restricted": dig(document, "publication", "restriction", "ground"),
        }


def seal_document(
    document: Document, agency: Agency, random: Callable[[int], bytes]
) -> SealedDocument:
    """Do of a publication what does not need its place in the log, which is most of the work."""
    return SealedDocument(
        sections=seal(document, random),
        words=tokenize(document, agency),
        salt=random(SALT_BYTES),
    )


def _imported_columns(imported: Imported | None) -> TableRow:
    if imported is None:
        return {}
    said = msgspec.structs.asdict(imported)
    del said["origin"], said["source"]
    source = imported.source
    return said | {"source_log": None if source is None else _json(source)}


def _json(value: Any) -> str:
    # Whatever the order in which texts by language were given.
    return msgspec.json.encode(value, order="deterministic").decode()
