"""Examining: a document by its own rules and beside what is published already."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from registry.record.canonical import canonical
from registry.record.fast_validator import FastValidator
from registry.record.ids import split_id
from registry.record.messages import PendingFinding
from registry.record.model import Document
from registry.record.pack import Pack
from registry.record.validate import Verdict, validate, with_remarks
from registry.services.context import ServiceContext
from registry.services.duplicate_names import AgencyNames, has_confusable_name
from registry.services.register_rules import RULES, RegisterRuleContext
from registry.store import records
from registry.store.database import Connection
from registry.store.drafts import Draft
from registry.store.log import LogState
from registry.store.record_names import NameChange, RecordName
from registry.store.records import CurrentDocument


class RegisterContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the register holds around some documents.

    `standings` are their own records' last versions, in a `state` of the log, and `drafts` their
    drafts. `names` are those of the agencies' records, by agency, and `planned` what records are
    about to be called; None of one to be withdrawn.
    """

    state: LogState
    standings: dict[str, CurrentDocument]
    drafts: dict[str, Draft]
    names: Mapping[str, AgencyNames]
    planned: dict[str, RecordName | None] = {}

    def is_in_force(self, record: str, content: bytes) -> bool:
        """Tell whether exactly this document, in canonical bytes, is the published version."""
        standing = self.standings.get(record)
        return (
            standing is not None and standing.state == "published" and standing.document == content
        )

    def remarks(self, document: Document, content: bytes, pack: Pack) -> list[PendingFinding]:
        """Say what is noticed in a document that would be published next.

        One that is in force as it stands has nothing to explain.
        """
        record = str(document["id"])
        if self.is_in_force(record, content):
            return []
        standing = self.standings.get(record)
        entrance = RegisterRuleContext(
            document=document,
            pack=pack,
            version=1 if standing is None else standing.version + 1,
            others=self._others(document),
        )
        return [remark for rule in RULES.values() for remark in rule(entrance)]

    def examine(
        self,
        document: Document,
        content: bytes,
        pack: Pack,
        fast: FastValidator,
        *,
        now: dt.datetime,
        language: str = "en",
    ) -> Verdict:
        """Say whether a document could be published now, and everything that is noticed."""
        verdict = validate(
            document,
            profile="publication",
            pack=pack,
            today=now.date(),
            language=language,
            fast=fast,
        )
        return with_remarks(verdict, self.remarks(document, content, pack), pack, language)

    def publish(self, document: Document, content: bytes, *, at: dt.datetime) -> None:
        """Count on a document's being published, at a place in the log that is not known yet."""
        record = str(document["id"])
        before = self.standings.get(record)
        self.standings[record] = CurrentDocument(
            version=1 if before is None else before.version + 1,
            state="published",
            entry=-1,
            leaf=b"",
            risk="",
            risk_changes=(),
            published_at=at,
            document=content,
        )
        self.planned[record] = _namesake_of(document)

    def withdraw(self, record: str) -> None:
        """Count on a record's being withdrawn."""
        before = self.standings[record]
        self.standings[record] = msgspec.structs.replace(before, state="withdrawn")
        self.planned[record] = None

    def put_back(self, record: str, standing: CurrentDocument | None) -> None:
        """Count on nothing: a record stands as it did."""
        self.standings.pop(record, None)
        if standing is not None:
            self.standings[record] = standing
        self.planned.pop(record, None)

    def called(self, record: str, entry: int) -> NameChange:
        """Say what a planned record came to be called when it was published by an entry."""
        return NameChange(
            entry=entry,
            agency=split_id(record)[0],
            record=record,
            namesake=self.planned[record],
        )

    def _others(self, document: Document) -> list[RecordName]:
        """List the other records that a document could be taken for, and some more."""
        record = str(document["id"])
        agencies = self.names if has_confusable_name(document) else [split_id(record)[0]]
        known = [one for agency in agencies for one in self.names[agency].like(document)]
        others = [one for one in known if one.record not in self.planned]
        others += [one for one in self.planned.values() if one and one.agency in agencies]
        return sorted((one for one in others if one.record != record), key=lambda one: one.record)


async def read_register_context(
    connection: Connection, context: ServiceContext, documents: Sequence[Document]
) -> RegisterContext:
    """Read what there is around documents whose identifiers are sound.

    In a transaction that has not published anything, or in none: names may then be newer than the
    rest, but whoever publishes after the state is refused then.
    """
    ids = [str(document["id"]) for document in documents]
    agencies = {split_id(record)[0] for record in ids}
    if any(map(has_confusable_name, documents)):
        agencies |= context.pack.agencies.keys()
    around = await records.read_filing_state(connection, ids)
    return RegisterContext(
        state=around.state,
        standings=around.standings,
        drafts=around.drafts,
        names=await context.names.read(connection, agencies, around.state),
    )


async def validate_in_register(
    connection: Connection,
    context: ServiceContext,
    document: Document,
    *,
    now: dt.datetime,
    language: str = "en",
) -> Verdict:
    """Say whether a document could be published now, and everything that is noticed."""
    around = await read_register_context(connection, context, [document])
    return around.examine(
        document, canonical(document), context.pack, context.fast, now=now, language=language
    )


def _namesake_of(document: Document) -> RecordName | None:
    """Make what others are compared with once a document is published."""
    if "name" not in document:
        return None
    record = str(document["id"])
    return RecordName(
        record=record,
        agency=split_id(record)[0],
        name=document["name"],
        source_id=document.get("source_id"),
    )
