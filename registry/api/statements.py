"""Attestations, withdrawals and redactions, and what of them waits for a second person."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, TypeAlias, get_args

import msgspec
from litestar import Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import PathParameter

from registry.api.filings import COMMENT
from registry.api.operations import Format, answers, describes, limits, token
from registry.api.parameters import AgencyPath, AsOfParameter, CodeParameter, RecordPath
from registry.api.request import ApiState
from registry.api.writes import (
    WITHDRAWN,
    ActorRequest,
    Call,
    ReceiptAnswer,
    answer_receipt,
    key_of,
    private,
)
from registry.clock import utc_now
from registry.errors import Conflict, InvalidStatement, NotFound, PreconditionRequired
from registry.log.register import Attestation
from registry.record.attestation import SCHEMA_VERSION, attestation_schema_bytes
from registry.record.messages import message
from registry.record.model import LangText
from registry.services.people.access import Actor
from registry.services.statements import act_review, attestation, pending_acts, withdrawal
from registry.services.statements import redaction as redaction_service
from registry.services.statements.pending_acts import ActReceipt
from registry.services.statements.redaction import RedactionReceipt
from registry.store import attestations
from registry.store.as_of import read_entry
from registry.store.pending_acts import ActKind, ActState, PendingAct
from registry.store.redactions import Redaction
from registry.structs import copy_as

ActPath: TypeAlias = Annotated[
    int, PathParameter(schema_extra={"minimum": 1, "maximum": 2**63 - 1})
]

_STATUS = {"in_review": 202, "withdrawn": 201, "attested": 201}

_WAITS = message(
    "Nothing has changed yet: another person approves it, or returns it with a comment. Read the "
    "act to see where it stands; to take it back, delete it."
)
ATTESTED = message(
    "It is public now. When the number changes, attest again with the day of the new count; to "
    "correct it, attest the same day again."
)
_ACT_RETURNED = message(
    "Whoever asked for it finds your comment with the act, and asks again if it should still be "
    "done. Nothing was made public."
)
RedactionPath: TypeAlias = Annotated[
    int, PathParameter(schema_extra={"minimum": 1, "maximum": 2**63 - 1})
]

_REDACTION_STATUS = {"requested": 202, "confirmed": 201}

_REQUESTED = message(
    "Nothing is erased yet: somebody else confirms it, with a token of another actor and the scope "
    "redact. To take it back, delete it."
)
_CONFIRMED = message(
    "It is in the log now. As soon as the log's next checkpoint is published, what it names is "
    "destroyed with its salts; the record says what was erased and why. Whoever has a copy, or a "
    "backup, has to be told."
)


class PendingActItem(msgspec.Struct, frozen=True, kw_only=True):
    """A withdrawal or an attestation that takes two, by its number `act`, and what became of it.

    `id` is the record of a withdrawal, null for an attestation. `statement` is what is asked for,
    null once it is published as the `entry` of the log. `comment` is the text or texts of the
    reviewer who returned it.
    """

    act: int
    kind: ActKind
    agency: str
    id: str | None
    state: ActState
    statement: Annotated[
        msgspec.Raw,
        limits(anyOf=[{"type": "object", "additionalProperties": True}, {"type": "null"}]),
    ]
    requested_at: dt.datetime
    requested_by: str
    decided_at: dt.datetime | None
    decided_by: str | None
    comment: str | LangText | None
    entry: int | None


class PendingActList(msgspec.Struct, frozen=True, kw_only=True):
    """Withdrawals and attestations that take two, newest first."""

    items: list[PendingActItem]


class ReturningAct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it is returned: a text, or texts by language, 1 to 2,000 characters."""

    comment: Annotated[msgspec.Raw, limits(**COMMENT)]


class ActAnswer(ActReceipt, frozen=True, kw_only=True, omit_defaults=True):
    """The proof of what was asked for or decided, where to look, and what happens next. Keep it."""

    links: dict[str, str]
    next: str


@get(
    "/api/v1/acts",
    summary="List withdrawals and attestations that take two",
    tags=["acts"],
    security=token("read_act"),
    responses=answers(PendingActList),
)
async def list_pending_acts(
    *,
    state: ApiState,
    actor: NamedDependency[Actor],
    wanted: Annotated[
        ActState | None,
        CodeParameter(
            name="state",
            description="Only those in this state: in_review, returned or approved",
            codes=lambda _: get_args(ActState),
        ),
    ] = None,
) -> Response[bytes]:
    """List those about your agency, or, as a reviewer, what waits for you."""
    found = await pending_acts.list_acts(state.context, actor, state=wanted)
    return private(PendingActList(items=[_item(act) for act in found]))


@get(
    "/api/v1/acts/{act:int}",
    summary="Read a withdrawal or an attestation that takes two",
    tags=["acts"],
    security=token("read_act"),
    responses=answers(PendingActItem),
    opt=describes(follows=("approve_pending_act", "return_pending_act", "delete_pending_act")),
)
async def get_pending_act(
    *, act: ActPath, state: ApiState, actor: NamedDependency[Actor]
) -> Response[bytes]:
    """Read one about your agency, or one that waits for your review or that you decided on."""
    return private(_item(await pending_acts.read_act(state.context, actor, act)))


@delete(
    "/api/v1/acts/{act:int}",
    status_code=204,
    summary="Take a withdrawal or an attestation back",
    tags=["acts"],
    security=token("take_back_act"),
    responses=answers(None, 204),
    opt=describes(problems=(Conflict,)),
)
async def delete_pending_act(
    *, act: ActPath, state: ApiState, actor: NamedDependency[Actor]
) -> None:
    """Take back what you asked for while it waits, or throw away what was returned."""
    await act_review.delete_act(state.context, actor, act, now=utc_now())


@post(
    "/api/v1/acts/{act:int}/approve",
    summary="Approve a withdrawal or an attestation",
    tags=["acts"],
    security=token("review"),
    responses=answers(ActAnswer, 200, 201),
    opt=describes(problems=(InvalidStatement, Conflict), keyed=True, follows=("get_pending_act",)),
)
async def approve_pending_act(act: ActPath, call: Call) -> Response[bytes]:
    """Publish what waits, and was asked for by somebody else than you."""
    receipt = await act_review.approve(call.context, call.actor, act, **call.keyed)
    return answer_act(receipt, call)


@post(
    "/api/v1/acts/{act:int}/return",
    summary="Return a withdrawal or an attestation",
    tags=["acts"],
    security=token("review"),
    responses=answers(ActAnswer),
    opt=describes(
        problems=(InvalidStatement, Conflict),
        body=ReturningAct,
        keyed=True,
        follows=("get_pending_act",),
    ),
)
async def return_pending_act(act: ActPath, call: Call) -> Response[bytes]:
    """Return what waits to whoever asked for it, with a comment that says why."""
    statement = await call.document()
    receipt = await act_review.return_act(call.context, call.actor, act, statement, **call.keyed)
    return answer_act(receipt, call)


def answer_act(receipt: ActReceipt, call: ActorRequest) -> Response[bytes]:
    """Return a receipt as an answer, with where to look and what happens next."""
    history = f"records/{receipt.id}/versions"
    if receipt.id is None:
        history = f"attestations?agency={receipt.agency}"
    links = {"act": call.address(f"acts/{receipt.act}"), "history": call.address(history)}
    if receipt.entry is None:
        following = _WAITS if receipt.returned_at is None else _ACT_RETURNED
    else:
        following = call.unless_blocked(WITHDRAWN if receipt.kind == "withdrawal" else ATTESTED)
        links["changes"] = call.address(f"changes?since={receipt.entry - 1}&limit=1")
    answer = call.proof(ActAnswer, receipt, links, following)
    return private(answer, status=_STATUS.get(receipt.outcome, 200))


def _item(act: PendingAct) -> PendingActItem:
    return copy_as(
        PendingActItem,
        act,
        act=act.id,
        id=act.subject if act.kind == "withdrawal" else None,
        statement=msgspec.Raw(b"null" if act.statement is None else act.statement.encode()),
        comment=None if act.comment is None else msgspec.json.decode(act.comment),
    )


class AttestationList(msgspec.Struct, frozen=True, kw_only=True):
    """What each agency said last, or everything that one has said, newest first."""

    items: list[Attestation]


class AttestationReceipt(attestation.AttestationResult, frozen=True, kw_only=True):
    """The proof of an attestation, and where to look next. Keep it."""

    links: dict[str, str]
    next: str


@get(
    "/api/v1/attestations",
    summary="List attestations",
    tags=["attestations"],
    responses=answers(AttestationList),
)
async def list_attestations(
    *,
    state: ApiState,
    agency: Annotated[
        str | None,
        CodeParameter(
            description="An agency, for everything that it has said",
            codes=lambda pack: pack.agencies,
        ),
    ] = None,
    as_of: AsOfParameter = None,
) -> AttestationList:
    """Read how many systems each agency says that it runs, beside how many records it published.

    An agency that is not here has not said; one with `uses_none` says that it uses none.
    """
    async with state.reads.connection() as connection:
        last = await read_entry(connection, as_of, now=state.clock())
        if agency is None:
            return AttestationList(items=await attestations.read_latest(connection, as_of=last))
        said = await attestations.read_history(connection, agency, as_of=last)
    return AttestationList(items=said)


@put(
    "/api/v1/attestations/{agency:str}",
    summary="Attest",
    tags=["attestations"],
    security=token("attest"),
    responses={**answers(AttestationReceipt, 200, 201), **answers(ActAnswer, 202)},
    opt=describes(problems=(InvalidStatement, Conflict), body="attestation", keyed=True),
)
async def attest(agency: AgencyPath, call: Call) -> Response[bytes]:
    """State how many systems your agency runs, or with 0 that it uses none.

    Stating the same of a day again changes nothing. Where review is required, it waits for another
    person first (202).
    """
    statement = await call.document()
    attested = await attestation.attest(call.context, call.actor, agency, statement, **call.keyed)
    if isinstance(attested, ActReceipt):
        return answer_act(attested, call)
    return private(_receipt(attested, call), status=201 if attested.outcome == "attested" else 200)


@get(
    "/api/v1/schemas/attestation/{version:str}",
    summary="Read the format of attestations",
    tags=["reference"],
    responses=answers(Format, media_type="application/schema+json"),
)
async def get_attestation_schema(
    version: Annotated[str, PathParameter(schema_extra={"enum": [SCHEMA_VERSION]})],
) -> Response[bytes]:
    """Read the JSON Schema of attestations, exactly as it was released."""
    if version != SCHEMA_VERSION:
        raise NotFound(f"there is no attestation format {version}; there is {SCHEMA_VERSION}")
    return Response(content=attestation_schema_bytes(), media_type="application/schema+json")


def _receipt(attested: attestation.AttestationResult, call: ActorRequest) -> AttestationReceipt:
    """Add to the proof of an attestation where to look, and what happens next."""
    links = {
        "attestations": call.address("attestations"),
        "history": call.address(f"attestations?agency={attested.agency}"),
        "changes": call.address(f"changes?since={attested.entry - 1}&limit=1"),
    }
    return call.proof(AttestationReceipt, attested, links, call.unless_blocked(ATTESTED))


@post(
    "/api/v1/records/{agency:str}/{slug:str}/withdraw",
    summary="Withdraw a record",
    tags=["records"],
    security=token("withdraw"),
    responses={**answers(ReceiptAnswer, 200, 201), **answers(ActAnswer, 202)},
    opt=describes(
        problems=(InvalidStatement, PreconditionRequired, Conflict),
        body="Withdrawing",
        condition="changed",
        keyed=True,
        follows=("list_versions", "save_draft"),
    ),
)
async def withdraw_record(record: RecordPath, call: Call) -> Response[bytes]:
    """Take a record out of force; its address says why, and its history stays readable.

    Where review is required, it waits for another person first (202).
    """
    document = await call.document()
    receipt = await withdrawal.withdraw(call.context, call.actor, record, document, **call.options)
    if isinstance(receipt, ActReceipt):
        return answer_act(receipt, call)
    return answer_receipt(receipt, call)


class RedactionAnswer(RedactionReceipt, frozen=True, kw_only=True, omit_defaults=True):
    """The proof of a redaction, where to look, and what happens next. Keep it."""

    links: dict[str, str]
    next: str


class RedactionList(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked to be erased, and what became of it, newest first."""

    items: list[Redaction]


@get(
    "/api/v1/redactions",
    summary="List redactions",
    tags=["redactions"],
    security=token("redact"),
    responses=answers(RedactionList),
)
async def list_redactions(*, state: ApiState, actor: NamedDependency[Actor]) -> Response[bytes]:
    """Read what was asked to be erased and what was confirmed. It takes the scope `redact`."""
    found = await redaction_service.list_redactions(state.context, actor)
    return private(RedactionList(items=found))


@post(
    "/api/v1/redactions",
    summary="Ask for parts to be erased",
    tags=["redactions"],
    security=token("redact"),
    responses=answers(RedactionAnswer, 202),
    opt=describes(
        problems=(InvalidStatement, NotFound, Conflict),
        body="Redacting",
        keyed=True,
        follows=("confirm_redaction", "delete_redaction", "list_redactions"),
    ),
)
async def request_redaction(call: Call) -> Response[bytes]:
    """Ask for parts of a record's versions to be erased; somebody else has to confirm it."""
    statement = await call.document()
    receipt = await redaction_service.request(call.context, call.actor, statement, **call.keyed)
    return _answer(receipt, call)


@post(
    "/api/v1/redactions/{redaction:int}/confirm",
    summary="Confirm a redaction",
    tags=["redactions"],
    security=token("redact"),
    responses=answers(RedactionAnswer, 200, 201),
    opt=describes(problems=(Conflict,), keyed=True, follows=("list_redactions",)),
)
async def confirm_redaction(redaction: RedactionPath, call: Call) -> Response[bytes]:
    """Put a redaction into the log; what it names is destroyed once that is published."""
    receipt = await redaction_service.confirm(
        call.context,
        call.actor,
        redaction,
        now=utc_now(),
        idempotency_key=key_of(call.request),
    )
    return _answer(receipt, call)


@delete(
    "/api/v1/redactions/{redaction:int}",
    status_code=204,
    summary="Take a redaction back",
    tags=["redactions"],
    security=token("redact"),
    responses=answers(None, 204),
    opt=describes(problems=(Conflict,)),
)
async def delete_redaction(
    *, redaction: RedactionPath, state: ApiState, actor: NamedDependency[Actor]
) -> None:
    """Take back what you asked for, or refuse what another asked for, while it is not confirmed."""
    await redaction_service.delete(state.context, actor, redaction, now=utc_now())


def _answer(receipt: RedactionReceipt, call: ActorRequest) -> Response[bytes]:
    links = {"redactions": call.address("redactions")}
    if "/" in receipt.id:
        links["record"] = call.address(f"records/{receipt.id}")
    if receipt.entry is None:
        following = _REQUESTED
        links["confirm"] = call.address(f"redactions/{receipt.redaction}/confirm")
    else:
        following = call.unless_blocked(_CONFIRMED)
        links["changes"] = call.address(f"changes?origin=all&since={receipt.entry - 1}&limit=1")
    answer = call.proof(RedactionAnswer, receipt, links, following)
    return private(answer, status=_REDACTION_STATUS.get(receipt.outcome, 200))
