"""The API tokens of an agency: made, listed and revoked by its admins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Response, get, post

from registry.clock import utc_now
from registry.console.page import ConsoleRequest, NumberPath, console_page, see_other
from registry.console.sessions import FOR_EVER, fields_as, kept_fields, read_fields
from registry.errors import Conflict, InvalidParameter
from registry.pages.labels import message
from registry.services.people import access_tokens
from registry.services.people.access import SCOPES
from registry.store.tokens import StoredToken

SCOPE_NAMES = {
    "file": message("file: drafts, submission, withdrawal, attestations"),
    "review": message("review: approve and return what others submit"),
    "redact": message("redact: ask for parts to be erased, and confirm it"),
    "admin": message("admin: withdraw any record, read the audit trail"),
}
"""What each scope that a role has allows, for those who choose."""

_LIVES = (30, 90, 180, 365)
_FAULTS = {
    "scopes": message("Choose at least one of these"),
    "actor": message(
        "Give the name of a role, of at most 60 characters, that is not another body’s and does "
        "not read like another one"
    ),
    "days": message("Choose one of these"),
}
_TWO = message(
    "This role has two tokens in force already, one to use and one to take over: revoke one of "
    "them, or name another role"
)


class TokenFields(msgspec.Struct, kw_only=True):
    """What was typed into the form of a new token."""

    actor: str = ""
    days: str = str(_LIVES[1])
    scopes: list[str] = []


@get("/{lang:str}/tokens")
async def tokens_page(request: ConsoleRequest) -> Response[bytes]:
    """Show the agency's tokens, never their secrets, and the form that makes one."""
    found = await access_tokens.list_tokens(request.context.database, request.actor)
    typed = fields_as(TokenFields, await kept_fields(request) or [])
    return await _list_page(request, found, typed, ())


@post("/{lang:str}/tokens", status_code=200, opt={FOR_EVER: True})
async def create_token(request: ConsoleRequest) -> Response[bytes]:
    """Make a token, and show it, once."""
    context, actor = request.context, request.actor
    found = await access_tokens.list_tokens(context.database, actor)
    typed = fields_as(TokenFields, await read_fields(request))
    try:
        token = await access_tokens.create_own_token(
            context.database,
            actor,
            scopes=list(dict.fromkeys(typed.scopes)),
            actor=typed.actor,
            days=int(typed.days) if typed.days in {str(days) for days in _LIVES} else 0,
            now=utc_now(),
            random=context.random,
        )
    except InvalidParameter as error:
        wrong = [(error.parameter, _FAULTS[error.parameter])]
        return await _list_page(request, found, typed, wrong)
    except Conflict:
        return await _list_page(request, found, typed, [("actor", _TWO)])
    return await console_page(request, "token.html", lambda _: {"token": token})


@post("/{lang:str}/tokens/{number:int}/revoke", status_code=303, opt={FOR_EVER: True})
async def revoke_token(request: ConsoleRequest, number: NumberPath) -> Response[bytes]:
    """End a token of the agency."""
    await access_tokens.revoke_token(
        request.context.database, number, by=request.actor, now=utc_now()
    )
    wording = message("Token %(number)s is revoked.")
    return await see_other(request, "tokens", wording, number=str(number))


async def _list_page(
    request: ConsoleRequest,
    found: Sequence[StoredToken],
    typed: TokenFields,
    wrong: Sequence[tuple[str, str]],
) -> Response[bytes]:
    now = utc_now()
    view: dict[str, Any] = {
        "tokens": [
            {
                "id": one.id,
                "actor": one.actor,
                "scopes": one.scopes,
                "until": one.expires_at.date().isoformat(),
                "used": one.last_used_on and one.last_used_on.isoformat(),
                "state": _state_of(one, is_over=one.expires_at <= now),
            }
            for one in reversed(found)
        ],
        "typed": typed,
        "errors": wrong,
        "scopes": [
            (scope, SCOPE_NAMES[scope]) for scope in SCOPES if scope in request.actor.scopes
        ],
        "lives": _LIVES,
    }
    return await console_page(request, "tokens.html", lambda _: view, status=422 if wrong else 200)


def _state_of(token: StoredToken, *, is_over: bool) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if is_over else "in_force"
