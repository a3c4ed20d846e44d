"""Pages for withdrawals and attestations: asked for by one person, and decided on by another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from markupsafe import Markup, escape

from registry.api.parameters import RecordPath
from registry.clock import utc_now
from registry.console.page import ConsoleRequest, console_page, see_other
from registry.console.sessions import FOR_EVER, kept_fields, read_fields
from registry.errors import (
    Conflict,
    Finding,
    InvalidStatement,
    NotFound,
    PreconditionFailed,
)
from registry.log.register import Attestation
from registry.pages.labels import message
from registry.pages.reader import (
    Reader,
    Text,
    in_language,
    label,
    language,
    say,
    translated,
)
from registry.record.codelists import codelists
from registry.record.ids import agency_of
from registry.record.model import Document, LangText
from registry.record.statements import NOTE_LENGTH, check_withdrawal
from registry.record.values import ValueFault, clean_text, read_number
from registry.services import policy
from registry.services.filing.drafts import tag_of
from registry.services.people import notices
from registry.services.statements import act_review, attestation, pending_acts, withdrawal
from registry.services.statements.pending_acts import ActReceipt, ReadAct
from registry.store import attestations, records
from registry.store.pending_acts import ActState, PendingAct
from registry.store.records import CurrentDocument
from registry.text.locales import direction

Fields = Sequence[tuple[str, str]]


def withdrawal_statement(fields: Fields) -> Document:
    """Return the statement that a form of a withdrawal says; what is empty is left out."""
    said: Document = {}
    for name in ("reason", "successor"):
        if text := _typed(fields, name):
            said[name] = text
    return {**said, **_note(fields)}


def attestation_statement(fields: Fields) -> Document:
    """Return the statement that a form of an attestation says; what is empty is left out.

    What is no number stays a text, so that the check names it.
    """
    said: Document = {}
    if day := _typed(fields, "day"):
        said["day"] = day
    if total := _typed(fields, "systems_total"):
        said["systems_total"] = total
        with suppress(ValueFault):
            said["systems_total"] = read_number(total, whole=True)
    if contact := _typed(fields, "contact"):
        said["contact"] = {"url" if "://" in contact else "email": contact}
    return {**said, **_note(fields)}


def withdraw_view(
    reader: Reader,
    current: CurrentDocument,
    *,
    record: str,
    tag: str,
    fields: Fields,
    findings: Iterable[Finding],
    waiting: PendingAct | None,
    review: bool,
    has_changed: bool = False,
) -> dict[str, Any]:
    """Build the page that withdraws a record; `has_changed` since the form was first shown."""
    return {
        "record": record,
        "name": say(reader, msgspec.json.decode(current.document).get("name")),
        "version": current.version,
        "withdrawn": current.state == "withdrawn",
        "tag": tag,
        "reasons": [(code, label(reader, "withdrawal_reason", code).inline) for code in _REASONS],
        "chosen": _typed(fields, "reason"),
        "successor": _typed(fields, "successor"),
        "notes": _notes(reader, fields),
        "errors": _errors(reader, findings),
        "waiting": waiting,
        "review": review,
        "has_changed": has_changed,
    }


def attest_view(
    reader: Reader,
    *,
    agency: str,
    in_use: int,
    last: Attestation | None,
    fields: Fields,
    findings: Iterable[Finding],
    waiting: PendingAct | None,
    review: bool,
) -> dict[str, Any]:
    """Build the page on which an agency attests; `in_use` counts its records in use today."""
    known = reader.pack.agencies.get(agency)
    return {
        "of": None if known is None else say(reader, known.name),
        "in_use": in_use,
        "last": None
        if last is None
        else {"day": last.day.isoformat(), "total": last.systems_total},
        "day": _typed(fields, "day"),
        "systems_total": _typed(fields, "systems_total"),
        "contact": _typed(fields, "contact"),
        "notes": _notes(reader, fields),
        "errors": _errors(reader, findings),
        "waiting": waiting,
        "review": review,
    }


def acts_view(
    reader: Reader,
    found: Sequence[tuple[PendingAct, LangText | None]],
    *,
    attests: bool,
    review: bool,
) -> dict[str, Any]:
    """Build the list of what takes two, by where it stands."""
    lines: dict[str, list[dict[str, Any]]] = {state: [] for state in _STATES}
    for act, name in found:
        agency = reader.pack.agencies[act.agency]
        lines[act.state].append(
            {
                "number": act.id,
                "kind": act.kind,
                "subject": act.subject,
                "name": say(reader, name),
                "agency": say(reader, agency.name),
                "day": act.requested_at.date().isoformat(),
            }
        )
    groups = [(heading, lines[state]) for state, heading in _STATES.items() if lines[state]]
    return {"groups": groups, "attests": attests, "review": review}


def act_view(
    reader: Reader, read: ReadAct, *, findings: Iterable[Finding] = (), typed: str = ""
) -> dict[str, Any]:
    """Build the page of what takes two: what is asked, by whom, and what can be done with it."""
    act = read.act
    said = {} if act.statement is None else msgspec.json.decode(act.statement)
    comment = None if act.comment is None else msgspec.json.decode(act.comment)
    asks = act.requested_agency and reader.pack.agencies.get(act.requested_agency)
    agency = reader.pack.agencies.get(act.agency)
    return {
        "act": act,
        "can": read,
        "name": say(reader, read.name),
        "agency_of": None if agency is None else say(reader, agency.name),
        "asked_by": say(reader, asks.name) if asks else None,
        "asked_on": act.requested_at.date().isoformat(),
        "decided_on": None if act.decided_at is None else act.decided_at.date().isoformat(),
        "reason": label(reader, "withdrawal_reason", said["reason"]) if "reason" in said else None,
        "successor": said.get("successor"),
        "day": said.get("day"),
        "total": said.get("systems_total"),
        "contact": next(iter(said.get("contact", {}).values()), None),
        "note": [(language(reader, tag), _text(tag, text)) for tag, text in _all(said.get("note"))],
        "comment": [_text(tag, text) for tag, text in _all(comment, reader.tag)],
        "typed": typed,
        "errors": _errors(reader, findings),
    }


_STATES: dict[ActState, str] = {
    "in_review": message("Waits for another person"),
    "returned": message("Returned with a comment"),
    "approved": message("Approved"),
}
_REASONS = tuple(codelists()["withdrawal_reason"])
_ASKED = {
    "reason": message("Choose a reason."),
    "day": message("Give the day of the count."),
    "systems_total": message("Give the number of systems, 0 if there are none."),
    "contact": message("Give a mailbox or the address of a page."),
    "note": message("Say in at least one language what the public is told."),
    "comment": message("Say why it goes back."),
    "successor": message("Name a record."),
}
"""What to do where a field is empty, by the member of the statement, in the order of the forms."""


def _errors(reader: Reader, findings: Iterable[Finding]) -> list[tuple[str, Markup | str]]:
    """Return a sentence for each finding, with the id of its field, in the order of the form.

    One that is empty is asked for in the words of the form; the check speaks of members of JSON.
    """
    order = list(_ASKED)
    found: dict[tuple[int, str, Markup], None] = {}
    for finding in findings:
        member, _, tag = finding.pointer.lstrip("/").partition("/")
        field = member if member in _ASKED else "note"
        place = order.index(field)
        if field == "note":
            field = f"note-{tag if tag in reader.pack.languages else reader.pack.languages[0]}"
        if finding.rule == "required":
            words = translated(reader, _ASKED[member])
        else:
            words = in_language(reader, finding.message, finding.lang or reader.tag)
        sentence = escape(words.text)
        if words.differs:
            sentence = Markup("<span{}>{}</span>").format(words.attrs, sentence)
        found[place, field, sentence] = None
    return [(field, sentence) for _, field, sentence in sorted(found, key=lambda one: one[0])]


def _notes(reader: Reader, fields: Fields) -> list[dict[str, Any]]:
    return [
        {
            "tag": tag,
            "dir": direction(tag),
            "name": language(reader, tag),
            "text": _typed(fields, f"note-{tag}"),
            "most": NOTE_LENGTH,
        }
        for tag in reader.pack.languages
    ]


def _note(fields: Fields) -> Document:
    note = {
        name.removeprefix("note-"): text
        for name, _ in fields
        if name.startswith("note-") and (text := _typed(fields, name))
    }
    return {"note": note} if note else {}


def _typed(fields: Fields, name: str) -> str:
    """Return what was typed into a field, trimmed and in normalisation form C."""
    found = next((value for field, value in fields if field == name), "")
    return clean_text(found)


def _all(texts: Any, tag: str = "") -> list[tuple[str, str]]:
    return list(texts.items()) if isinstance(texts, dict) else [(tag, texts)] if texts else []


def _text(tag: str, text: str) -> Text:
    return Text(text=text, lang=tag, dir=direction(tag), differs=True)


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


@post("/{lang:str}/records/{agency:str}/{slug:str}/withdraw", status_code=303, opt={FOR_EVER: True})
async def withdraw_record_by_form(request: ConsoleRequest, record: RecordPath) -> Response[bytes]:
    """Withdraw the record, or ask for it where that takes two."""
    fields = await read_fields(request)
    show = partial(_show_withdrawal, request, record, fields)
    tag = dict(fields).get("tag", "")
    if not policy.allows(request.actor, "withdraw", agency_of(record)):
        raise NotFound(f"there is no record {record}")
    statement = withdrawal_statement(fields)
    found = check_withdrawal(statement, request.context.pack, request.language)
    if not (found or request.context.takes_review or ("sure", "1") in fields):
        return await show(is_asked=True)
    try:
        done = await withdrawal.withdraw(
            request.context,
            request.actor,
            record,
            statement,
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


@post("/{lang:str}/attestation", status_code=303, opt={FOR_EVER: True})
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


@post("/{lang:str}/review/acts/{act:int}", status_code=303, opt={FOR_EVER: True})
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
    is_asked: bool = False,
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
    made = partial(
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
    return await console_page(
        request,
        "withdraw.html",
        lambda reader: {**made(reader), "is_asked": is_asked},
        status=status,
    )


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
