"""Redactions: asking for parts of a record to be erased, and confirming it as somebody else."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from registry.api.operations import answers, describes, token
from registry.api.request import ApiState
from registry.api.writes import ActorRequest, Call, key_of, private
from registry.clock import utc_now
from registry.errors import Conflict, InvalidStatement, NotFound
from registry.record.messages import message
from registry.services.people.access import Actor
from registry.services.statements import redaction as redaction_service
from registry.services.statements.redaction import RedactionReceipt
from registry.store.redactions import Redaction

RedactionPath: TypeAlias = Annotated[
    int, PathParameter(schema_extra={"minimum": 1, "maximum": 2**63 - 1})
]

_STATUS = {"requested": 202, "confirmed": 201}

_REQUESTED = message(
    "Nothing is erased yet: somebody else confirms it, with a token of another actor and the scope "
    "redact. To take it back, delete it."
)
_CONFIRMED = message(
    "It is in the log now. As soon as the log's next checkpoint is published, what it names is "
    "destroyed with its salts; the record says what was erased and why. Whoever has a copy, or a "
    "backup, has to be told."
)


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
    return private(answer, status=_STATUS.get(receipt.outcome, 200))
