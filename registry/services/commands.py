"""Steps: what is to become of one record, before anybody has looked at the register."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from registry.errors import Conflict, InvalidRecord
from registry.ledger.append import SealedDocument
from registry.record.canonical import canonical
from registry.record.fast_validator import FastValidator
from registry.record.model import Document, Profile
from registry.record.pack import Agency, Pack
from registry.record.validate import Verdict, validate
from registry.services.access import Actor
from registry.store.drafts import Draft
from registry.store.records import CurrentDocument
from registry.text.catalogues import SOURCE

FilingPurpose: TypeAlias = Literal["draft", "submit", "approve", "load"]


class StaleDraft(Exception):
    """A draft is not any more as it was read: whoever began with it begins anew."""


class NewVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A document to be filed, with its canonical bytes; its own rules have nothing against it.

    One that is about to be published may be `ready` for the ledger.
    """

    document: Document
    content: bytes
    verdict: Verdict
    ready: SealedDocument | None = None


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """A withdrawal: the `reason` and `note` of the statement."""

    statement: Document


Change: TypeAlias = NewVersion | Withdrawal


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """What one record is to become, step by step: all of it happens, or nothing.

    Loading brings a history; of a record that is there already only its end counts. Otherwise
    there is one step, a version. It is the `draft`, where one is submitted or approved, and then
    `submitter` is who submitted it. The answer to the `request` is kept by its `key`, if it has
    one; what hinders is told in the `language`.
    """

    record: str
    agency: Agency
    actor: Actor
    purpose: FilingPurpose
    steps: Sequence[Change]
    draft: Draft | None = None
    submitter: str | None = None
    key: str | None = None
    request: bytes = b""
    language: str = SOURCE

    def left(self, standing: CurrentDocument | None) -> Sequence[Change]:
        """Give the steps that have not been taken, by where the record stands."""
        if standing is None or self.purpose != "load":
            return self.steps
        last = max(at for at, step in enumerate(self.steps) if isinstance(step, NewVersion))
        version = self.steps[last]
        if isinstance(version, NewVersion) and version.content != standing.document:
            return self.steps[last:]
        return self.steps[last + 1 :] if standing.state == "published" else ()


def checked_version(
    document: Document,
    *,
    profile: Profile,
    pack: Pack,
    today: dt.date,
    fast: FastValidator,
    language: str = SOURCE,
) -> NewVersion:
    """Make a version of a document; raises `InvalidRecord`, told in `language`, if it is none."""
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
    return NewVersion(document=document, content=canonical(document), verdict=verdict)


def require_base(draft: Draft, latest: CurrentDocument | None) -> None:
    """Refuse a draft of a state that has been overtaken, by publication or by withdrawal."""
    if (None if latest is None else latest.leaf) == draft.base:
        return
    if latest is not None and latest.state == "withdrawn":
        raise Conflict(
            "the record was withdrawn since this draft was begun; to file it again, delete this "
            "draft and save it anew with If-None-Match: *"
        )
    raise Conflict(
        "another version was published since this draft was begun; read the record, take "
        "over what changed, delete this draft and save it anew with the record's tag"
    )
