"""A document beside the register: checked by its own rules and by what is published already."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from registry.errors import InvalidRecord
from registry.ledger.publication import SealedDocument
from registry.log.entry import entry_summary
from registry.record.canonical import canonical
from registry.record.fast_validator import FastValidator
from registry.record.ids import agency_of
from registry.record.likeness import BlockingKeys, blocking_keys
from registry.record.messages import PendingFinding
from registry.record.model import Document, Profile
from registry.record.pack import Pack
from registry.record.validate import MAX_FINDINGS, Verdict, validate, with_remarks
from registry.services.context import ServiceContext
from registry.services.filing.register_rules import (
    RULES,
    RegisterRuleContext,
    levels_above,
    lowered_from,
)
from registry.store import record_names, records
from registry.store.database import Connection
from registry.store.drafts import Draft
from registry.store.record_names import HigherRecord, RecordName
from registry.store.records import CurrentDocument
from registry.text.catalogues import SOURCE


class CheckedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document with its canonical bytes and what its own rules say of it.

    One that is about to be published may be `sealed` already.
    """

    document: Document
    content: bytes
    verdict: Verdict
    sealed: SealedDocument | None = None


def check_document(
    document: Document,
    *,
    profile: Profile,
    pack: Pack,
    today: dt.date,
    fast: FastValidator,
    language: str = SOURCE,
) -> CheckedDocument:
    """Check a document by its own rules; raises `InvalidRecord`, told in `language`."""
    verdict = validate(document, profile=profile, pack=pack, today=today, fast=fast)
    if any(finding.severity == "error" for finding in verdict.findings):
        if language != SOURCE:
            verdict = validate(document, profile=profile, pack=pack, today=today, language=language)
        what = (
            "is not of the record format" if profile == "draft" else "cannot be published as it is"
        )
        raise InvalidRecord(
            f"{document.get('id')} {what}", verdict.findings, verdict.findings_total
        )
    return CheckedDocument(document=document, content=canonical(document), verdict=verdict)


async def check_draft(draft: Draft, context: ServiceContext, today: dt.date) -> CheckedDocument:
    """Check a draft for publication; its verdict may have errors."""
    content = draft.document.encode()
    document = msgspec.json.decode(content)
    verdict = await examine_alone(document, content, context, today)
    return CheckedDocument(document=document, content=content, verdict=verdict)


async def examine_alone(
    document: Document,
    content: bytes,
    context: ServiceContext,
    today: dt.date,
    language: str = SOURCE,
    *,
    most: int = MAX_FINDINGS,
) -> Verdict:
    """Return the verdict on publishing a document by its own rules."""
    return await context.examine(
        len(content),
        validate,
        document,
        profile="publication",
        pack=context.pack,
        today=today,
        language=language,
        fast=context.fast,
        most=most,
    )


class RegisterContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the register holds around a document.

    `current` is its record's last version, where there is one; `alike` are other records that it
    could be taken for, found by the blocking `keys` of its names. `lowered_from` is a record of
    the agency at a higher level that a new one may be the same system as.
    """

    current: CurrentDocument | None
    alike: Sequence[RecordName]
    keys: BlockingKeys
    lowered_from: HigherRecord | None = None

    def is_in_force(self, content: bytes) -> bool:
        """Return whether exactly this document, in canonical bytes, is the published version."""
        current = self.current
        return current is not None and current.state == "published" and current.document == content

    def risks(self, document: Document) -> set[str | None]:
        """Return the levels that publishing a document is about: its own, and the one before.

        Of a new record the one before is that of a record at a higher level that it is alike.
        """
        before = [one.risk for one in (self.current, self.lowered_from) if one is not None]
        return {entry_summary(document).risk, *before}

    def remarks(self, document: Document, content: bytes, pack: Pack) -> list[PendingFinding]:
        """Return what the rules of the register notice in the document.

        One that is in force as it stands has nothing to explain.
        """
        if self.is_in_force(content):
            return []
        last = None if self.current is None else msgspec.json.decode(self.current.document)
        rule_context = RegisterRuleContext(
            document=document,
            pack=pack,
            version=1 if self.current is None else self.current.version + 1,
            last=last,
            erased=() if self.current is None else self.current.ever_erased,
            others=self.alike,
            lowered_from=self.lowered_from,
        )
        return [remark for rule in RULES.values() for remark in rule(rule_context)]

    async def examine(
        self,
        document: Document,
        content: bytes,
        context: ServiceContext,
        today: dt.date,
        lang: str,
        *,
        most: int = MAX_FINDINGS,
    ) -> Verdict:
        """Return the verdict on publishing the document now, with `most` findings at most."""
        verdict = await examine_alone(document, content, context, today, lang, most=most)
        remarks = self.remarks(document, content, context.pack)
        return with_remarks(verdict, remarks, context.pack, lang, most=most)

    async def publishable(
        self, checked: CheckedDocument, context: ServiceContext, today: dt.date, language: str
    ) -> Verdict:
        """Return the verdict that is kept with a version, in the source language.

        Raises `InvalidRecord` with every finding, told in `language`.
        """
        document, pack = checked.document, context.pack
        remarks = self.remarks(document, checked.content, pack)
        verdict = with_remarks(checked.verdict, remarks, pack, SOURCE)
        if not verdict.publishable:
            own = await examine_alone(document, checked.content, context, today, language)
            told = with_remarks(own, remarks, pack, language)
            raise InvalidRecord(
                f"{document['id']} cannot be published as it is", told.findings, told.findings_total
            )
        return verdict


async def read_register_context(connection: Connection, document: Document) -> RegisterContext:
    """Read what there is around a document whose identifier is sound."""
    record, name = str(document["id"]), document.get("name") or {}
    agency = agency_of(record)
    keys = blocking_keys(agency, name, document.get("source_id"))
    current = (await records.read_current(connection, [record])).get(record)
    higher = (
        await record_names.read_higher(connection, agency, levels_above(document))
        if current is None
        else ()
    )
    return RegisterContext(
        current=current,
        lowered_from=lowered_from(document, higher),
        alike=await record_names.find_alike(connection, record, keys),
        keys=keys,
    )


async def validate_in_register(
    context: ServiceContext,
    document: Document,
    *,
    now: dt.datetime,
    language: str = SOURCE,
) -> Verdict:
    """Return the verdict on publishing a document now."""
    async with context.database.connection() as connection:
        register_context = await read_register_context(connection, document)
    return await register_context.examine(
        document, canonical(document), context, context.pack.day(now), language
    )
