"""Examining: a document by its own rules and beside what is published already."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from registry.record.canonical import canonical
from registry.record.duplicate_names import any_confusable, blocking_keys
from registry.record.fast_validator import FastValidator
from registry.record.ids import split_id
from registry.record.messages import PendingFinding
from registry.record.model import Document
from registry.record.pack import Pack
from registry.record.validate import Verdict, validate, with_remarks
from registry.services.context import ServiceContext
from registry.services.register_rules import RULES, RegisterRuleContext
from registry.store import record_names, records
from registry.store.database import Connection
from registry.store.drafts import Draft
from registry.store.log import LogState
from registry.store.record_names import RecordName
from registry.store.records import CurrentDocument


class RegisterContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the register holds around some documents.

    `standings` are their own records' last versions, in a `state` of the log, and `drafts` their
    drafts. `alike` are by record the others that it could be taken for, and `planned` what records
    are about to be called; None of one to be withdrawn.
    """

    state: LogState
    standings: dict[str, CurrentDocument]
    drafts: dict[str, Draft]
    alike: Mapping[str, Sequence[RecordName]]
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

    def _others(self, document: Document) -> list[RecordName]:
        """List the other records that a document could be taken for, and some more."""
        record = str(document["id"])
        anywhere = any_confusable(document.get("name") or {})
        others = [one for one in self.alike[record] if one.record not in self.planned]
        others += [
            one
            for one in self.planned.values()
            if one and (anywhere or one.agency == split_id(record)[0])
        ]
        return sorted((one for one in others if one.record != record), key=lambda one: one.record)


async def read_register_context(
    connection: Connection, documents: Sequence[Document]
) -> RegisterContext:
    """Read what there is around documents whose identifiers are sound.

    Outside a transaction, names may be newer than the rest; whoever publishes after the state is
    refused then.
    """
    around = await records.read_filing_state(connection, [str(one["id"]) for one in documents])
    alike: dict[str, dict[str, RecordName]] = {}
    for document in documents:
        record, name = str(document["id"]), document.get("name") or {}
        keys = blocking_keys(split_id(record)[0], name, document.get("source_id"))
        found = await record_names.find_alike(
            connection, record, keys, anywhere=any_confusable(name)
        )
        alike.setdefault(record, {}).update((one.record, one) for one in found)
    return RegisterContext(
        state=around.state,
        standings=around.standings,
        drafts=around.drafts,
        alike={record: list(found.values()) for record, found in alike.items()},
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
    around = await read_register_context(connection, [document])
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
