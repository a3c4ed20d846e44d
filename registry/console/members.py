"""The members of an agency, or of all: invited, given roles, ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Response, get, post

from registry.clock import utc_now
from registry.console.page import ConsoleRequest, NumberPath, console_page, see_other
from registry.console.sessions import FOR_EVER, fields_as, kept_fields, read_fields
from registry.errors import InvalidParameter
from registry.pages.labels import message
from registry.pages.reader import Reader, say
from registry.services import policy
from registry.services.people import members
from registry.services.people.access import Actor
from registry.services.people.members import Invitation
from registry.store.members import Member
from registry.text.folding import sort_key

ROLE_NAMES = {
    "editor": message("Editor: files for the agency"),
    "reviewer": message("Reviewer: approves and returns what others submit"),
    "agency_admin": message("Agency admin: manages colleagues and tokens"),
    "data_protection": message("Data protection: finds a person’s data in texts, has it erased"),
    "register_admin": message("Register admin: manages everybody, withdraws, has parts erased"),
}
"""What each role is called and may do."""

_OF_EITHER = {"reviewer", "data_protection"}
"""The roles that members of an agency and of the authority may have."""

SHORT_NAMES = {
    "editor": message("Editor"),
    "reviewer": message("Reviewer"),
    "agency_admin": message("Agency admin"),
    "data_protection": message("Data protection"),
    "register_admin": message("Register admin"),
}

_FAULTS = {
    "name": message("Give a name of 1 to 120 characters"),
    "email": message("Write the e-mail address as in name@agency.example, or leave it out"),
    "roles": message("Choose at least one role"),
    "agency": message(
        "Choose the agency: editors and agency admins need one, register admins have none"
    ),
    "language": message("Choose one of these languages"),
}


class InvitationFields(msgspec.Struct, kw_only=True):
    """What was typed into the form of an invitation."""

    name: str = ""
    email: str = ""
    agency: str = ""
    language: str = ""
    roles: list[str] = []


@get("/{lang:str}/members")
async def members_page(request: ConsoleRequest) -> Response[bytes]:
    """Show the members whom an admin manages, and the form that invites one."""
    found = await members.list_members(request.context.database, request.actor)
    typed = fields_as(InvitationFields, await kept_fields(request) or [])
    return await _list_page(request, found, typed, ())


@post("/{lang:str}/members", status_code=200, opt={FOR_EVER: True})
async def invite_member(request: ConsoleRequest) -> Response[bytes]:
    """Invite a member, and show her link, once."""
    context, actor = request.context, request.actor
    found = await members.list_members(context.database, actor)
    typed = fields_as(InvitationFields, await read_fields(request))
    try:
        made = await members.invite(
            context.database,
            context.pack,
            actor,
            name=typed.name,
            agency=actor.agency or typed.agency or None,
            roles=typed.roles,
            email=typed.email,
            language=typed.language or request.language,
            now=utc_now(),
            random=context.random,
            mails=request.settings.smtp_url is not None,
        )
    except InvalidParameter as error:
        return await _list_page(request, found, typed, (error.parameter,))
    if request.settings.smtp_url is not None and (email := typed.email.strip()):
        wording = message("The invitation is on its way to %(email)s. It works within 15 minutes.")
        return await see_other(request, f"members/{made.member}", wording, email=email)
    return await _link_page(request, typed.name, made)


@get("/{lang:str}/members/{number:int}")
async def member_page(request: ConsoleRequest, number: NumberPath) -> Response[bytes]:
    """Show a member with what an admin may do."""
    member = await _managed(request, number)
    return await _member_page(request, member, member.roles, ())


@post("/{lang:str}/members/{number:int}", status_code=200, opt={FOR_EVER: True})
async def change_roles(request: ConsoleRequest, number: NumberPath) -> Response[bytes]:
    """Replace the roles of a member."""
    member = await _managed(request, number)
    roles = [value for name, value in await read_fields(request) if name == "roles"]
    try:
        await members.change_roles(
            request.context.database, request.actor, number, roles, now=utc_now()
        )
    except InvalidParameter:
        return await _member_page(request, member, roles, ("roles",))
    wording = message("%(name)s has other roles now and signs in again.")
    return await see_other(request, "members", wording, name=member.name)


@post("/{lang:str}/members/{number:int}/link", status_code=200, opt={FOR_EVER: True})
async def link_member(request: ConsoleRequest, number: NumberPath) -> Response[bytes]:
    """Make another link for a member, and show it, once."""
    context = request.context
    member = await _managed(request, number)
    made = await members.make_link(
        context.database, request.actor, number, now=utc_now(), random=context.random
    )
    return await _link_page(request, member.name, made)


@post("/{lang:str}/members/{number:int}/confirm", status_code=303, opt={FOR_EVER: True})
async def confirm_member(request: ConsoleRequest, number: NumberPath) -> Response[bytes]:
    """Confirm, for the authority, that a member is a person of her own."""
    member = await _managed(request, number)
    await members.confirm_member(request.context.database, request.actor, number, now=utc_now())
    wording = message("%(name)s is confirmed as a person of their own.")
    return await see_other(request, f"members/{number}", wording, name=member.name)


@post("/{lang:str}/members/{number:int}/end", status_code=303, opt={FOR_EVER: True})
async def end_member(request: ConsoleRequest, number: NumberPath) -> Response[bytes]:
    """End a member."""
    member = await _managed(request, number)
    await members.end_member(request.context.database, request.actor, number, now=utc_now())
    wording = message("%(name)s is no longer a member.")
    return await see_other(request, "members", wording, name=member.name)


async def _managed(request: ConsoleRequest, number: int) -> Member:
    """Return a member in force whom an admin manages; raises `NotFound` for any other."""
    found = await members.list_members(request.context.database, request.actor)
    known = next((one for one in found if one.id == number), None)
    return members.require_member(known, number)


async def _list_page(
    request: ConsoleRequest, found: Sequence[Member], typed: InvitationFields, wrong: Sequence[str]
) -> Response[bytes]:
    def view(reader: Reader) -> dict[str, Any]:
        return {
            "people": [_row(reader, one) for one in found if one.ended_at is None],
            "ended": [_row(reader, one) for one in found if one.ended_at is not None],
            "typed": typed,
            "errors": [(name, _FAULTS[name]) for name in wrong],
            "roles": [(role, ROLE_NAMES[role]) for role in _given_by(request.actor)],
            "agencies": [] if request.actor.agency else _agencies(reader),
            "languages": [(tag, reader.pack.locale(tag).name) for tag in reader.pack.languages],
        }

    return await console_page(request, "members.html", view, status=422 if wrong else 200)


async def _member_page(
    request: ConsoleRequest, member: Member, roles: Sequence[str], wrong: Sequence[str]
) -> Response[bytes]:
    voucher = None
    if member.vouched_by is not None:
        found = await members.list_members(request.context.database, request.actor)
        voucher = next((one for one in found if one.id == member.vouched_by and one.agency), None)

    def view(reader: Reader) -> dict[str, Any]:
        return {
            "person": _row(reader, member),
            "may_link": members.may_link(request.actor, member),
            "is_oneself": member.id == request.user.id,
            # Whom somebody of an agency let in is one with her until the authority confirms it.
            "let_in_by": voucher and voucher.name,
            "may_confirm": voucher is not None and request.actor.agency is None,
            "chosen": roles,
            "errors": [(name, _FAULTS[name]) for name in wrong],
            "roles": [
                (role, ROLE_NAMES[role])
                for role in ROLE_NAMES
                if (role == "register_admin") != bool(member.agency) or role in _OF_EITHER
            ],
        }

    return await console_page(request, "member.html", view, status=422 if wrong else 200)


async def _link_page(request: ConsoleRequest, name: str, made: Invitation) -> Response[bytes]:
    address = f"{request.settings.base_url}/office/sign-in/link/{made.secret}"
    view = {"name_of_member": name, "address": address, "number_of_member": made.member}
    return await console_page(request, "member_link.html", lambda _: view)


def _given_by(actor: Actor) -> list[str]:
    """Return the roles that an admin may give."""
    own = actor.agency is not None
    return [role for role in ROLE_NAMES if not (own and role in policy.GIVEN_BY_AUTHORITY)]


def _agencies(reader: Reader) -> list[tuple[str, str]]:
    found = [(one.id, say(reader, one.name)) for one in reader.pack.agencies.values()]
    named = [(code, code if name is None else name.text) for code, name in found]
    return sorted(named, key=lambda one: sort_key(one[1]))


def _row(reader: Reader, member: Member) -> dict[str, Any]:
    agency = reader.pack.agencies.get(member.agency or "")
    return {
        "id": member.id,
        "name": member.name,
        "email": member.email,
        "agency": None if agency is None else say(reader, agency.name),
        "roles": [SHORT_NAMES[role] for role in member.roles],
        "signed_in": member.signed_in_at and member.signed_in_at.date().isoformat(),
        "ended": member.ended_at and member.ended_at.date().isoformat(),
    }
