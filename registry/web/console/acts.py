"""Pages for withdrawals and attestations: asked for by one person, and decided on by another."""

from __future__ import annotations

import datetime as dt
from functools import partial

from litestar import Response, get, post
from litestar.params import FromPath

from registry.api.parameters import RecordPath
from registry.clock import utc_now
from registry.errors import (
    Conflict,
    Finding,
    InvalidStatement,
    NotFound,
    PreconditionFailed,
)
from registry.pages.labels import message
from registry.record.ids import agency_of
from registry.services import act_review, attestation, notices, pending_acts, policy, withdrawal
from registry.services.drafts import tag_of
from registry.services.pending_acts import ActReceipt
from registry.store import attestations, records
from registry.web.console.act_view import (
    Fields,
    act_view,
    acts_view,
    attest_view,
    attestation_statement,
    withdraw_view,
    withdrawal_statement,
)
from registry.web.console.page import ConsoleRequest, console_page, see_other
from registry.web.console.sessions import kept_fields, read_fields

_REFUSED = 422
_CONFLICT = 409

_WAITS = message("It waits for another person now. Nothing changes before it is approved.")
_WITHDRAWN = message("The record is withdrawn. Its history stays readable.")
_ATTESTED = message("The number is public now.")
BLOCKED = message(
    "It is in the register, but not public yet: the log is stopped, because a check of it has "
    "found a fault."
)
_DONE_APPROVED = message("It is done, and in the log.")
_DONE_RETURNED = message("It went back with your comment. Nothing was changed.")
_DONE_TAKEN_BACK = message("It was taken back. Nothing was changed.")


@get("/{lang:str}/records/{agency:str}/{slug:str}/withdraw")
async def withdraw_page(request: ConsoleRequest, record: RecordPath) -> Response[bytes]:
    """Show the form that withdraws a record."""
    typed = await kept_fields(request) or ()
    return await _show_withdrawal(request, record, typed)


@post("/{lang:str}/records/{agency:str}/{slug:str}/withdraw", status_code=303)
async def withdraw_record_by_form(request: ConsoleRequest, record: RecordPath) -> Response[bytes]:
    """Withdraw the record, or ask for it where that takes two."""
    fields = await read_fields(request)
    show = partial(_show_withdrawal, request, record, fields)
    tag = dict(fields).get("tag", "")
    if not policy.allows(request.actor, "withdraw", agency_of(record)):
        raise NotFound(f"there is no record {record}")
    try:
        done = await withdrawal.withdraw(
            request.context,
            request.actor,
            record,
            withdrawal_statement(fields),
            **request.tagged(tag),
        )
    except InvalidStatement as refused:
        return await show(findings=refused.findings, status=_REFUSED)
    except PreconditionFailed:
        return await show(has_changed=True, status=_CONFLICT)
    except Conflict:
        # The page says what waits, or that it was withdrawn already.
        return await show(status=_CONFLICT)
    if isinstance(done, ActReceipt):
        return await see_other(request, f"review/acts/{done.act}", _WAITS)
    said = BLOCKED if request.context.guard.is_blocked else _WITHDRAWN
    return await see_other(request, "", said)


@get("/{lang:str}/attestation")
async def attestation_page(request: ConsoleRequest) -> Response[bytes]:
    """Show the form on which an agency says how many systems it runs."""
    today = utc_now().date()
    typed = await kept_fields(request) or [("day", today.isoformat())]
    return await _show_attestation(request, typed, today=today)


@post("/{lang:str}/attestation", status_code=303)
async def attest_by_form(request: ConsoleRequest) -> Response[bytes]:
    """Attest, or ask for it where that takes two."""
    fields = await read_fields(request)
    show = partial(_show_attestation, request, fields, today=utc_now().date())
    try:
        done = await attestation.attest(
            request.context,
            request.actor,
            _own_agency(request),
            attestation_statement(fields),
            **request.options,
        )
    except InvalidStatement as refused:
        return await show(findings=refused.findings, status=_REFUSED)
    except Conflict:
        return await show(status=_CONFLICT)
    if isinstance(done, ActReceipt):
        return await see_other(request, f"review/acts/{done.act}", _WAITS)
    said = BLOCKED if request.context.guard.is_blocked else _ATTESTED
    return await see_other(request, "attestation", said)


@get("/{lang:str}/review/acts")
async def acts_page(request: ConsoleRequest) -> Response[bytes]:
    """List what waits for another person, and what became of the rest."""
    found = await pending_acts.list_named(request.context, request.actor)
    view = partial(
        acts_view,
        found=found,
        attests=policy.allows(request.actor, "attest", request.actor.agency),
        review=request.context.takes_review,
    )
    return await console_page(request, "acts.html", view)


@get("/{lang:str}/review/acts/{act:int}")
async def act_page(request: ConsoleRequest, act: FromPath[int]) -> Response[bytes]:
    """Show what was asked for, and what whoever is signed in may do with it."""
    typed = dict(await kept_fields(request) or ()).get("comment", "")
    page = await _show_act(request, act, typed=typed)
    read = await pending_acts.read_act(request.context, request.actor, act)
    await notices.mark_read(
        request.context, request.actor, now=utc_now(), subject=read.subject, about=str(act)
    )
    return page


@post("/{lang:str}/review/acts/{act:int}", status_code=303)
async def decide_act(request: ConsoleRequest, act: FromPath[int]) -> Response[bytes]:
    """Approve what waits, return it with a comment, or take it back."""
    fields = dict(await read_fields(request))
    context, actor = request.context, request.actor
    comment = fields.get("comment", "").replace("\r\n", "\n").strip()
    show = partial(_show_act, request, act, typed=comment)
    try:
        match fields.get("do"):
            case "approve":
                await act_review.approve(context, actor, act, **request.options)
                return await see_other(request, f"review/acts/{act}", _DONE_APPROVED)
            case "return":
                said = {"comment": comment}
                await act_review.return_act(context, actor, act, said, **request.options)
                return await see_other(request, f"review/acts/{act}", _DONE_RETURNED)
            case "take_back":
                await act_review.delete_act(context, actor, act, now=utc_now())
                return await see_other(request, "", _DONE_TAKEN_BACK)
            case _:
                return await show(status=_REFUSED)
    except InvalidStatement as refused:
        return await show(findings=refused.findings, status=_REFUSED)
    except Conflict:
        # The page says what has become of it, or what has changed since.
        return await show(status=_CONFLICT)


async def _show_withdrawal(
    request: ConsoleRequest,
    record: str,
    fields: Fields,
    *,
    findings: tuple[Finding, ...] | list[Finding] = (),
    has_changed: bool = False,
    status: int = 200,
) -> Response[bytes]:
    agency = agency_of(record)
    context = request.context
    waiting = await pending_acts.find_waiting(context, request.actor, agency, "withdrawal", record)
    async with context.database.connection() as connection:
        current = (await records.read_current(connection, [record])).get(record)
    if current is None:
        raise NotFound(f"there is no record {record}")
    tag = dict(fields).get("tag", "") if fields and not has_changed else tag_of(current.leaf)
    view = partial(
        withdraw_view,
        current=current,
        record=record,
        tag=tag,
        fields=fields,
        findings=findings,
        waiting=waiting,
        review=context.takes_review,
        has_changed=has_changed,
    )
    return await console_page(request, "withdraw.html", view, status=status)


async def _show_attestation(
    request: ConsoleRequest,
    fields: Fields,
    *,
    today: dt.date,
    findings: tuple[Finding, ...] | list[Finding] = (),
    status: int = 200,
) -> Response[bytes]:
    agency, context = _own_agency(request), request.context
    waiting = await pending_acts.find_waiting(context, request.actor, agency, "attestation", agency)
    async with context.database.connection() as connection:
        in_use = await attestations.count_in_use(connection, agency, today)
        last = next(iter(await attestations.read_history(connection, agency)), None)
    view = partial(
        attest_view,
        agency=agency,
        in_use=in_use,
        last=last,
        fields=fields,
        findings=findings,
        waiting=waiting,
        review=context.takes_review,
    )
    return await console_page(request, "attestation.html", view, status=status)


async def _show_act(
    request: ConsoleRequest,
    act: int,
    *,
    typed: str = "",
    findings: tuple[Finding, ...] | list[Finding] = (),
    status: int = 200,
) -> Response[bytes]:
    read = await pending_acts.read_for_decision(request.context, request.actor, act)
    view = partial(act_view, read=read, findings=findings, typed=typed)
    return await console_page(request, "act.html", view, status=status)


def _own_agency(request: ConsoleRequest) -> str:
    """Return the agency of whoever is signed in; the authority attests nothing."""
    if not policy.allows(request.actor, "attest", request.actor.agency):
        raise NotFound("only an agency says how many systems it runs")
    return request.actor.agency or ""
