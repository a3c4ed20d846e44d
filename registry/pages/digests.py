"""Digests that the keys of pages depend on: of records, and of what decides how pages look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from registry import resources
from registry.log.register import SourceEvent, StoredRecord, VersionLine, Withdrawal
from registry.pages.cards import Card, read_card, read_related
from registry.pages.labels import read_lists
from registry.pages.page import digest
from registry.record.facets import COMPLETENESS, REVIEW_DUE, SINGLE, PublishedState
from registry.record.facts import NOT_ASKED, facts
from registry.record.law import in_force
from registry.record.model import Document, LangText
from registry.record.observations import contested_and_overturned, observe
from registry.record.pack import Agency, Pack, dated_law, steps_on
from registry.record.pointers import dig
from registry.record.requirements import covers
from registry.record.rules_law import unmet_by
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


class DigestFacts(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a record states of what the pages that answer questions count.

    `observations` are by code the first day on which they hold, None for every day. `kinds` is how
    it answers on each of `ANSWERED`, by the first letters of the kinds. `laws` are the titles, or
    the references, of its legal basis; `suppliers` are name and country, named in the `language`
    that it was written in. `running` is what a year costs; `benefits` are a measure, whether a
    value that was expected is stated, and whether one that was measured.
    """

    observations: dict[str, dt.date | None] = {}
    kinds: str = ""
    suppliers: list[tuple[str, str | None]] = []
    hosting: str | None = None
    laws: list[LangText] = []
    amount: tuple[int | float, str] | None = None
    procedure: str | None = None
    metrics: list[str] = []
    fairness: str | None = None
    contested: int | None = None
    overturned: int | None = None
    language: str | None = None
    running: tuple[int | float, str] | None = None
    benefits: list[tuple[str, bool, bool]] = []


ANSWERED = (
    "procurement.suppliers",
    "procurement.suppliers.country",
    "data.hosting.country",
    "data.legal_basis",
    "procurement.contract.amount.value",
    "procurement.contract.procedure",
    "procurement.running_cost.amount.value",
    "evaluation.benefits.measure",
    "evaluation.metrics",
    "evaluation.fairness_tested",
    "evaluation.outcomes.contested",
    "publication.answers",
)
"""The facts of which the pages that answer questions count how records answer."""


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
    stated: DigestFacts
    seen: str


def digest_record(
    versions: Sequence[StoredRecord],
    withdrawals: Sequence[Withdrawal],
    source_events: Sequence[SourceEvent],
    agency: Agency | None,
    pack: Pack,
) -> RecordDigest:
    """Return the digest of a record of a country from all its versions, oldest first."""
    record = versions[-1]
    register = record.register
    state = copy_as(PublishedState, register, findings=register.noticed(), risk_changes=())
    document = msgspec.json.decode(record.document)
    erased = [one.pointer for one in register.redacted]
    row = build(document, listing_agency(record, agency), {}, state, erased)
    return RecordDigest(
        card=read_card(
            record,
            agency,
            readable_languages(document),
            _letters(row, (name for name, fact in facts().items() if fact.is_unit)),
            () if register.origin else _unmet(document, pack, erased),
        ),
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
        stated=_stated(document, row, erased),
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


def _unmet(document: Document, pack: Pack, erased: Sequence[str]) -> list[int]:
    """Return the places of the rows of the law with a first day that a document does not meet."""
    lacking = unmet_by(document, pack, dated_law(pack), dt.date.max)
    rows = {one.row for one in lacking if not any(covers(given, one.pointer) for given in erased)}
    return [place for place, row in enumerate(pack.requirements) if row in rows]


def _letters(row: SearchDocument, wanted: Iterable[str]) -> str:
    """Return how a version answers on facts, by the first letters of the kinds."""
    kinds = {fact: kind for kind, own in ANSWERS.items() for fact in row.codes.get(own, ())}
    return "".join(kinds.get(name, NOT_ASKED)[0] for name in wanted)


def _stated(document: Document, row: SearchDocument, erased: Sequence[str]) -> DigestFacts:
    def items(*path: str) -> list[dict[str, Any]]:
        # An item that was erased is None.
        return [one for one in dig(document, *path) or () if one]

    contested, overturned = contested_and_overturned(document)
    return DigestFacts(
        observations=observe(document, erased),
        kinds=_letters(row, ANSWERED),
        suppliers=[
            (name, one.get("country"))
            for one in items("procurement", "suppliers")
            if (name := one.get("name"))
        ],
        hosting=dig(document, "data", "hosting", "country"),
        laws=[
            wording if isinstance(wording, dict) else {"": wording}
            for one in items("data", "legal_basis")
            if (wording := one.get("title") or one.get("reference"))
        ],
        amount=_amount(document, items("procurement", "amendments")),
        procedure=dig(document, "procurement", "contract", "procedure"),
        metrics=[name for one in items("evaluation", "metrics") if (name := one.get("name"))],
        fairness=dig(document, "evaluation", "fairness_tested", "answer"),
        contested=contested,
        overturned=overturned,
        language=dig(document, "languages", "source"),
        running=_money(dig(document, "procurement", "running_cost", "amount") or {}),
        benefits=[
            (measure, "expected" in one, "measured" in one)
            for one in items("evaluation", "benefits")
            if (measure := one.get("measure"))
        ],
    )


def _money(amount: Mapping[str, Any]) -> tuple[int | float, str] | None:
    """Return an amount with its currency, if both are stated."""
    return (amount["value"], amount["currency"]) if {"value", "currency"} <= set(amount) else None


def _amount(
    document: Document, amendments: Sequence[dict[str, Any]]
) -> tuple[int | float, str] | None:
    """Return what the contract costs: as it was amended last in its currency, or as awarded."""
    awarded = dig(document, "procurement", "contract", "amount") or {}
    if "currency" not in awarded:
        return None
    dated = sorted(amendments, key=lambda one: one.get("date") or "")
    stated = [awarded, *(amount for one in dated if (amount := one.get("amount")))]
    values = [
        amount["value"]
        for amount in stated
        if amount.get("currency") == awarded["currency"] and "value" in amount
    ]
    return (values[-1], awarded["currency"]) if values else None


def listing_agency(record: StoredRecord, agency: Agency | None) -> Agency:
    """Return a record's agency, or, for an unknown one, an agency of its id alone."""
    return agency or Agency(id=record.agency, name={}, kind="other", origin=record.register.origin)


_ROOMS = (
    *("pages", "hub", "imports", "workbooks", "exports", "services", "ledger", "search", "store"),
    *("verify", "log", "record", "text", "tlog"),
)
"""Every room that pages may import: together they decide how a page looks."""


def site_fingerprint(
    pack: Pack,
    base_url: str,
    origins: Mapping[str, object],
    troubles: Mapping[str, str],
    day: dt.date,
) -> str:
    """Return the digest of the program, the pack on a day, the code lists and the site's address.

    `origins` are the other registers by code, and `troubles` what every page of one says.
    """
    law = [in_force(pack.requirements, day, ahead=ahead) for ahead in (False, True)]
    shared = [pack, steps_on(pack, day), law, read_lists(pack), origins, troubles]
    return digest(program_digest(), base_url, msgspec.json.encode(shared))


@cache
def program_digest() -> str:
    """Return the digest of the program as it was first read: code, templates, words, format."""
    package = Path(__file__).resolve().parent.parent
    data = (resources.SITE, resources.SCHEMAS, *resources.language_bases()[1:])
    files = [
        path
        for folder in (*data, *(package / room for room in _ROOMS))
        for path in folder.rglob("*")
        if path.suffix != ".pyc" and path.is_file()
    ]
    parts = [
        part
        for path in sorted([package / "errors.py", *files])
        for part in (path.name.encode(), path.read_bytes())
    ]
    return digest(version("jinja2"), *parts)
