"""Authentication by bearer token, rate limits, and the note of what was refused."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import structlog
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from registry.api.request import ApiRequest, ApiState, client_address, request_context, worker_of
from registry.clock import utc_now
from registry.errors import (
    Forbidden,
    NotFound,
    RegistryError,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)
from registry.services.operations import audit_trail, limits
from registry.services.operations.audit_trail import Action
from registry.services.people import access_tokens
from registry.services.people.access import Actor
from registry.services.people.access_tokens import EndedToken, MistypedToken

_READS = {"GET", "HEAD", "OPTIONS"}
_SUBJECT = re.compile(r"[a-z0-9.-]+(?:/[a-z0-9-]+)?")
_LONGEST_SUBJECT = 120
_JWT_DOTS = 2

ACTIONS: dict[str, Action] = {
    "save_draft": "save_draft",
    "patch_draft": "save_draft",
    "get_draft": "read_draft",
    "get_draft_changes": "read_draft",
    "publish_record": "submit",
    "delete_draft": "delete_draft",
    "list_drafts": "list_drafts",
    "submit_draft": "submit",
    "approve_draft": "approve",
    "return_draft": "return",
    "withdraw_record": "withdraw",
    "file_many": "file_many",
    "get_draft_workbook": "read_draft",
    "file_workbook_records": "file_many",
    "answer_workbook": "file_many",
    "attest": "attest",
    "request_redaction": "request_redaction",
    "confirm_redaction": "confirm_redaction",
    "delete_redaction": "delete_redaction",
    "list_redactions": "list_redactions",
    "list_pending_acts": "list_acts",
    "get_pending_act": "read_act",
    "delete_pending_act": "delete_act",
    "approve_pending_act": "approve_act",
    "return_pending_act": "return_act",
    "list_acts": "read_audit",
    "list_chained_acts": "read_audit",
    "read_metrics": "read_metrics",
}
"""What each handler that needs a token is called in the audit trail."""

_log = structlog.get_logger()


async def provide_actor(request: ApiRequest, state: ApiState) -> Actor:
    """Recognise the bearer token of a request, and take a write from what it may do."""
    context, settings = state.context, state.settings
    # Of two tokens a proxy may have looked at the other one.
    given = request.headers.getall("authorization", [])
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("send your token: Authorization: Bearer regt_…")
    now = utc_now()
    known = request_context(request.scope)
    try:
        known.actor = await _recognise(state, token.strip(), now, known.id)
    except Unauthorized as error:
        try:
            await limits.spend(
                context.database,
                "failed authentications",
                client_address(request.scope, settings.proxies),
                per_minute=settings.limit_failures,
                now=now,
            )
        except Unavailable:
            # What is no token at all is refused as that even without the database.
            if not isinstance(error, MistypedToken):
                raise
        if isinstance(error, EndedToken):
            known.actor = error.actor
        raise
    state.work.require(worker_of(known.actor, request.scope, settings.proxies))
    if request.method not in _READS:
        await spend_write(state, known.actor)
    return known.actor


async def spend_write(state: ApiState, actor: Actor) -> None:
    """Take a write from what a token may do. Raises `TooManyRequests` when it is used up."""
    await limits.spend(
        state.context.database,
        "writes",
        f"token {actor.token}",
        per_minute=state.settings.limit_writes,
        now=utc_now(),
    )


async def _recognise(state: ApiState, token: str, now: dt.datetime, request: str) -> Actor:
    """Recognise a token of the register's own, or one of the identity provider's, a JWT."""
    database, provider = state.context.database, state.provider
    if provider is not None and provider.has_programs and token.count(".") == _JWT_DOTS:
        return await access_tokens.recognise_program(
            database, provider, token, now=now, request=request
        )
    return await access_tokens.recognise(database, token, now=now, request=request)


async def limit_validations(
    connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler
) -> None:
    """Take a validation from what an address may do; a guard of litestar's."""
    await spend_of_address(
        connection, "validations", connection.app.state.settings.limit_validations
    )


async def limit_exports(
    connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler
) -> None:
    """Take an export from what an address may do; a guard of litestar's."""
    await spend_of_address(connection, "exports", connection.app.state.settings.limit_exports)


async def spend_of_address(
    connection: ASGIConnection[Any, Any, Any, Any], kind: str, limit: int, *, cost: int = 1
) -> None:
    """Take something from what an address may do a minute.

    Raises `TooManyRequests` when it is used up.
    """
    state = connection.app.state
    await limits.spend(
        state.context.database,
        kind,
        client_address(connection.scope, state.settings.proxies),
        per_minute=limit,
        cost=cost,
        now=utc_now(),
    )


async def note_refusal(error: Exception, scope: Any) -> None:
    """Note in the audit trail when somebody's authority did not suffice.

    That somebody keeps being refused is noted once a minute, so that nobody can fill the trail.
    """
    handler = scope.get("route_handler")
    action = ACTIONS.get(getattr(handler, "handler_name", ""))
    if action is None or not isinstance(error, RegistryError):
        return
    known = request_context(scope)
    given = scope.get("path_params", {})
    if not _is_of_authority(error, known.actor, given.get("agency")):
        return
    state = scope["litestar_app"].state
    database, settings = state.context.database, state.settings
    who = client_address(scope, settings.proxies)
    if known.actor is not None:
        who = f"token {known.actor.token}"
    now = utc_now()
    limit = settings.limit_failures
    result = error.slug
    named = [name for name in ("agency", "slug", "redaction", "act") if name in given]
    subject = "/".join(str(given[name]) for name in named)
    try:
        try:
            if isinstance(error, TooManyRequests):
                raise error
            await limits.spend(database, "noted refusals", who, per_minute=limit, now=now)
        except TooManyRequests as over:
            result = over.slug
            await limits.spend(database, "noted floods", who, per_minute=1, now=now)
        await audit_trail.note_refusal(
            database,
            known.actor,
            action,
            subject if _SUBJECT.fullmatch(subject) and len(subject) <= _LONGEST_SUBJECT else None,
            request=known.id,
            result=result,
            now=now,
        )
    except TooManyRequests:
        return
    except RegistryError as fault:
        _log.warning("a refusal could not be noted", action=action, result=result, why=fault.slug)


def _is_of_authority(error: RegistryError, actor: Actor | None, agency: str | None) -> bool:
    """Return whether authority was lacking; a draft under another agency's name counts as well."""
    if actor is None:
        return isinstance(error, TooManyRequests)
    if isinstance(error, NotFound):
        return agency is not None and actor.agency not in {None, agency}
    return isinstance(error, Forbidden | Unauthorized)
