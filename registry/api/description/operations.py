"""What each operation answers and asks for, beyond what its function's signature says.

One row an operation. An operation without a row, or a row without an operation, fails a test that
names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from registry import errors
from registry.api import (
    attestations,
    audit,
    bulk,
    changes,
    filings,
    health,
    history,
    linked_data,
    receipts,
    records,
    redactions,
    reference,
    search,
    withdrawals,
)
from registry.errors import RegistryError
from registry.exchange.export import MEDIA_TYPES
from registry.ledger.proofs import RecordProof
from registry.record.search_document import RecordSummary
from registry.search.query import Match
from registry.services.access import Scope
from registry.store import statistics
from registry.store.records import Register
from registry.text.highlighting import Highlight

Body: TypeAlias = Literal["any", "attestation", "lines", "record"]
"""A body that is not written as a struct: any JSON, or something with a released format."""

Condition: TypeAlias = Literal["new or changed", "changed"]
Problems: TypeAlias = tuple[type[RegistryError], ...]


class RecordAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a record: the document as filed, and what the register adds."""

    record: msgspec.Raw
    register: Register


class RecordItem(RecordSummary, frozen=True, kw_only=True):
    """A line of a list: codes are `not_stated` where the record does not say.

    `match` says where the words stood first, null without words; `overdue_days` is there where what
    is overdue was asked for.
    """

    match: Match | None
    highlights: list[Highlight]
    overdue_days: int | msgspec.UnsetType = msgspec.UNSET


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON Schema, draft 2020-12."""


class Table:
    """A table with a line a record."""


class Workbook:
    """A workbook with a row a record, and a sheet that says of what it is."""


class Graph:
    """A document of JSON-LD."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of one operation.

    `answers` has the type of each success's body, None for an empty one, no struct for what is not
    JSON. `problems` are those that
    no rule of `answers.py` gives. `scope` is what the token must have; any one of several does.
    `condition` says which tags a request may state; a `tagged` success brings one, as every reading
    does. A `keyed` request may have an idempotency key. `media_type` is that of a success; `pages`
    link to the next one, a `download` is a file with a name. `follows` names the operations that
    make sense after a success.
    """

    answers: Mapping[int, type | None]
    problems: Problems = ()
    scope: tuple[Scope, ...] = ()
    body: Body | type | None = None
    condition: Condition | None = None
    tagged: bool = False
    keyed: bool = False
    media_type: str = "application/json"
    pages: bool = False
    download: bool = False
    follows: tuple[str, ...] = ()


_RECORD = ("get_record", "list_versions", "list_findings", "save_draft")

OPERATIONS: Mapping[str, Operation] = {
    "GET /api/v1/records": Operation(
        answers={200: search.RecordList}, pages=True, follows=("list_records",)
    ),
    "GET /api/v1/records/{agency}/{slug}": Operation(
        answers={200: RecordAnswer}, problems=(errors.Withdrawn,), follows=("withdraw_record",)
    ),
    "GET /api/v1/records/{agency}/{slug}/versions": Operation(answers={200: records.VersionList}),
    "GET /api/v1/records/{agency}/{slug}/versions/{version}": Operation(
        answers={200: RecordAnswer}
    ),
    "GET /api/v1/records/{agency}/{slug}/findings": Operation(answers={200: records.FindingList}),
    "GET /api/v1/records/{agency}/{slug}/changes": Operation(answers={200: history.Comparison}),
    "GET /api/v1/records/{agency}/{slug}/proof": Operation(answers={200: RecordProof}),
    **{
        f"GET /api/v1/exports/records.{form}": Operation(
            answers={200: kind},
            problems=(errors.TooManyRequests,),
            media_type=media_type,
            download=True,
        )
        for (form, media_type), kind in zip(
            MEDIA_TYPES.items(), (Table, RecordAnswer, Workbook, Graph), strict=True
        )
    },
    "POST /api/v1/records/{agency}/{slug}/withdraw": Operation(
        answers={200: receipts.ReceiptAnswer, 201: receipts.ReceiptAnswer},
        problems=(errors.InvalidStatement, errors.PreconditionRequired, errors.Conflict),
        scope=("file", "admin"),
        body=withdrawals.Withdrawing,
        condition="changed",
        keyed=True,
        follows=("list_versions", "save_draft"),
    ),
    "GET /api/v1/redactions": Operation(answers={200: redactions.RedactionList}, scope=("redact",)),
    "POST /api/v1/redactions": Operation(
        answers={202: redactions.RedactionAnswer},
        problems=(errors.InvalidStatement, errors.NotFound),
        scope=("redact",),
        body=redactions.Redacting,
        keyed=True,
        follows=("confirm_redaction", "list_redactions"),
    ),
    "POST /api/v1/redactions/{redaction}/confirm": Operation(
        answers={200: redactions.RedactionAnswer, 201: redactions.RedactionAnswer},
        problems=(errors.Conflict,),
        scope=("redact",),
        keyed=True,
        follows=("list_redactions",),
    ),
    "GET /api/v1/attestations": Operation(answers={200: attestations.AttestationList}),
    "PUT /api/v1/attestations/{agency}": Operation(
        answers={200: attestations.AttestationReceipt, 201: attestations.AttestationReceipt},
        problems=(errors.InvalidStatement,),
        scope=("file",),
        body="attestation",
        keyed=True,
    ),
    "GET /api/v1/changes": Operation(answers={200: changes.ChangeList}),
    "GET /api/v1/statistics": Operation(answers={200: statistics.Statistics}),
    "GET /api/v1/agencies": Operation(answers={200: reference.AgencyList}),
    "GET /api/v1/agencies/{agency}": Operation(answers={200: reference.AgencyItem}),
    "GET /api/v1/codelists": Operation(answers={200: reference.CodeListNames}),
    "GET /api/v1/codelists/{name}": Operation(answers={200: reference.CodeListItems}),
    "GET /api/v1/codelists/pack/{pack_name}": Operation(answers={200: reference.CodeListItems}),
    "GET /api/v1/schemas/record/{version}": Operation(
        answers={200: Format}, media_type="application/schema+json"
    ),
    "GET /api/v1/schemas/attestation/{version}": Operation(
        answers={200: Format}, media_type="application/schema+json"
    ),
    "GET /api/v1/catalogue": Operation(answers={200: Graph}, media_type=linked_data.MEDIA_TYPE),
    "GET /api/v1/contexts/{version}": Operation(
        answers={200: Graph}, media_type=linked_data.MEDIA_TYPE
    ),
    "POST /api/v1/validate": Operation(answers={200: reference.ValidationAnswer}, body="any"),
    "GET /api/v1/filings": Operation(answers={200: filings.DraftList}, scope=("file", "review")),
    "POST /api/v1/filings": Operation(
        answers={200: bulk.LineAnswer}, scope=("file",), body="lines", media_type=bulk.NDJSON
    ),
    "PUT /api/v1/filings/{agency}/{slug}": Operation(
        answers={200: filings.DraftAnswer, 201: filings.DraftAnswer},
        problems=(errors.InvalidRecord, errors.PreconditionRequired, errors.Conflict),
        scope=("file",),
        body="record",
        condition="new or changed",
        tagged=True,
        keyed=True,
        follows=("get_draft", "delete_draft", "submit_draft"),
    ),
    "GET /api/v1/filings/{agency}/{slug}": Operation(
        answers={200: filings.DraftAnswer},
        scope=("file", "review"),
        follows=("approve_draft", "return_draft"),
    ),
    "DELETE /api/v1/filings/{agency}/{slug}": Operation(
        answers={204: None}, scope=("file",), condition="changed"
    ),
    "POST /api/v1/filings/{agency}/{slug}/submit": Operation(
        answers=dict.fromkeys((200, 201, 202), receipts.ReceiptAnswer),
        problems=(errors.InvalidRecord, errors.Conflict),
        scope=("file",),
        condition="changed",
        tagged=True,
        keyed=True,
        follows=("approve_draft", "return_draft", *_RECORD),
    ),
    "POST /api/v1/filings/{agency}/{slug}/approve": Operation(
        answers={200: receipts.ReceiptAnswer, 201: receipts.ReceiptAnswer},
        problems=(errors.InvalidRecord, errors.Conflict),
        scope=("review",),
        condition="changed",
        tagged=True,
        keyed=True,
        follows=_RECORD,
    ),
    "POST /api/v1/filings/{agency}/{slug}/return": Operation(
        answers={200: receipts.ReceiptAnswer},
        problems=(errors.InvalidStatement, errors.Conflict),
        scope=("review",),
        body=filings.Returning,
        condition="changed",
        tagged=True,
        keyed=True,
        follows=("get_draft", "save_draft"),
    ),
    "GET /api/v1/audit": Operation(answers={200: audit.ActList}, scope=("admin",)),
    "GET /health/live": Operation(answers={200: health.Health}),
    "GET /health/ready": Operation(answers={200: health.Health}),
}
