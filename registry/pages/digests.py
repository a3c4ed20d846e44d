"""Digests that the keys of pages depend on: of records, and of what decides how pages look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import msgspec

from registry import resources
from registry.log.register import SourceEvent, StoredRecord, VersionLine, Withdrawal
from registry.pages.cards import Card, read_card, read_related
from registry.pages.labels import read_lists
from registry.pages.page import digest
from registry.record.facets import COMPLETENESS, REVIEW_DUE, SINGLE, PublishedState
from registry.record.facts import NOT_ASKED, facts
from registry.record.pack import Agency, Pack
from registry.record.schema import readable_languages
from registry.record.search_document import ANSWERS, SearchDocument, build
from registry.structs import copy_as


class IndexRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A record as the index beside the pages shows it: a code for each of `SINGLE`."""

    codes: list[str]
    name_key: str
    review_due: str | None
    completeness: int | None
    card: str


class RecordDigest(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What is known of a record; `seen` is the digest of all that was read of it and of its agency.

    `versions`, `withdrawals` and `source_events` are all there ever were, oldest first; `related`
    are the records that any version names.
    """

    card: Card
    versions: list[VersionLine]
    withdrawals: list[Withdrawal]
    source_events: list[SourceEvent]
    related: list[str]
    row: IndexRow
    seen: str


def digest_record(
    versions: Sequence[StoredRecord],
    withdrawals: Sequence[Withdrawal],
    source_events: Sequence[SourceEvent],
    agency: Agency | None,
) -> RecordDigest:
    """Return the digest of a record from all its versions, oldest first."""
    record = versions[-1]
    register = record.register
    state = copy_as(PublishedState, register, findings=register.noticed(), risk_changes=())
    document = msgspec.json.decode(record.document)
    erased = [one.pointer for one in register.redacted]
    row = build(document, listing_agency(record, agency), {}, state, erased)
    return RecordDigest(
        card=read_card(record, agency, readable_languages(document), _answers(row)),
        versions=record.versions,
        withdrawals=list(withdrawals),
        source_events=list(source_events),
        related=sorted({name for one in versions for name in read_related(one.document)}),
        row=IndexRow(
            codes=[row.codes[name][0] for name in SINGLE],
            name_key=row.name_key,
            review_due=next(iter(row.codes.get(REVIEW_DUE, ())), None),
            completeness=next(map(int, row.codes.get(COMPLETENESS, ())), None),
            card=row.card,
        ),
        seen=digest(
            msgspec.json.encode(
                [
                    agency,
                    record.versions,
                    withdrawals,
                    source_events,
                    [(one.register, one.whole) for one in versions],
                ]
            ),
            *(one.document for one in versions),
        ),
    )


def _answers(row: SearchDocument) -> str:
    """Return how a version answers on each unit of requirements, a letter a unit."""
    kinds = {fact: kind for kind, own in ANSWERS.items() for fact in row.codes.get(own, ())}
    units = (name for name, fact in facts().items() if fact.is_unit)
    return "".join(kinds.get(name, NOT_ASKED)[0] for name in units)


def listing_agency(record: StoredRecord, agency: Agency | None) -> Agency:
    """Return a record's agency, or, for an unknown one, an agency of its id alone."""
    return agency or Agency(id=record.agency, name={}, kind="other", origin=record.register.origin)


_ROOMS = (
    *("pages", "hub", "imports", "workbooks", "exports", "services", "ledger", "search", "store"),
    *("verify", "log", "record", "text", "tlog"),
)
"""Every room that pages may import: together they decide how a page looks."""


def site_fingerprint(
    pack: Pack, base_url: str, origins: Mapping[str, object], troubles: Mapping[str, str]
) -> str:
    """Return the digest of the program, the pack, the code lists and the site's address.

    `origins` are the other registers by code, and `troubles` what every page of one says.
    """
    return digest(
        program_digest(), base_url, msgspec.json.encode([pack, read_lists(pack), origins, troubles])
    )


@cache
def program_digest() -> str:
    """Return the digest of the program as it was first read: code, templates, words, format."""
    package = Path(__file__).resolve().parent.parent
    files = [
        path
        for folder in (resources.SITE, resources.SCHEMAS, *(package / room for room in _ROOMS))
        for path in folder.rglob("*")
        if path.suffix != ".pyc" and path.is_file()
    ]
    parts = [
        part
        for path in sorted([package / "errors.py", *files])
        for part in (path.name.encode(), path.read_bytes())
    ]
    return digest(version("jinja2"), *parts)
