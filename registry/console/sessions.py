"""Who is signed in: cookies, the check of forms, and what was typed when a session had ended."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec
from litestar import Response
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import Cookie, UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import PermissionDeniedException
from litestar.middleware.csrf import CSRFMiddleware
from litestar.types import Receive, Scope, Send

from registry.api.request import BODY_SECONDS, ApiRequest, request_context
from registry.clock import utc_now
from registry.console.page import (
    PREFIX,
    address_of,
    known_session,
    language_of_page,
    path_of,
    redirect,
)
from registry.errors import RequestTimeout, Unauthorized, UnreadableDocument
from registry.services.operations import limits
from registry.services.people import sessions
from registry.services.people.sessions import Session
from registry.settings import Settings

S = TypeVar("S", bound=msgspec.Struct)

SESSION_COOKIE = "office_session"
ENDED_COOKIE = "office_ended"
KEPT_COOKIE = "office_kept"
CSRF_COOKIE = "office_csrf"
NEXT_COOKIE = "office_next"
"""Where to go on after signing in by a link that was mailed: it is opened in the same browser."""


FOR_EVER = "for_ever"
"""In the `opt` of a handler: it publishes, or gives rights, so that a stale session does not do."""

UNKEPT = "unkept"
"""In the `opt` of a handler: what is typed there is kept for nobody who is not signed in."""

KEPT_ABOVE = "kept_above"
"""In the `opt` of a handler without a page: what is typed waits at the page above."""

_SAFE = {"GET", "HEAD", "OPTIONS"}
_OWN_SITES = {"same-origin", "none"}
_NEXT = re.compile(rf"{PREFIX}/[a-z]{{2,8}}/[\w.~/%-]*(?:\?[\w.~/%&=+-]*)?", re.ASCII)
_NO_NEXT = re.compile(rf"{PREFIX}/[a-z]+/sign-|//|/\.\.?(/|$)")
_LONGEST_NEXT = 1000


class NotSignedIn(Unauthorized):
    """Nobody is signed in; `next_page` is where to go on after that, `kept` gives fields back."""

    def __init__(self, next_page: str | None, kept: str | None) -> None:
        """Take the page and the secret of the kept fields, if there are any."""
        super().__init__("sign in to see this page")
        self.next_page = next_page
        self.kept = kept


class ConsoleCsrf(CSRFMiddleware):
    """Litestar's check of the token of every form, for the addresses of the console.

    Its secret is the database's, which is open only once the application has started. A form that
    the browser says to come from another site is refused whatever token it has, and a body has to
    arrive in time.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request."""
        context = scope["litestar_app"].state.context
        if not self.config.secret:
            self.config.secret = await sessions.share_secret(context.database, context.random)
        request: ApiRequest = scope["litestar_app"].request_class(scope, receive=receive)
        if request.method not in _SAFE:
            if request.headers.get("sec-fetch-site", "none") not in _OWN_SITES:
                raise PermissionDeniedException("the form comes from another site")
            await read_fields(request)
        try:
            await super().__call__(scope, receive, send)
        finally:
            await _close_files(request)


def csrf_config(settings: Settings) -> CSRFConfig:
    """Return the configuration of the check; the secret comes with the first request."""
    return CSRFConfig(
        secret="",
        cookie_name=_full_name(settings, CSRF_COOKIE),
        cookie_path=cookie_path(settings),
        cookie_secure=is_secure(settings),
        cookie_httponly=True,
        cookie_samesite="lax",
    )


def is_secure(settings: Settings) -> bool:
    """Return whether cookies are for https only: always, but for a trial without it."""
    return urlsplit(settings.base_url).scheme == "https"


def cookie_path(settings: Settings) -> str:
    """Return the path below which browsers send the cookies of the console."""
    return f"{urlsplit(settings.base_url).path}{PREFIX}"


def cookie(settings: Settings, name: str, value: str | None) -> Cookie:
    """Return a cookie that lives as long as the browser; without a value it ends there."""
    return Cookie(
        key=_full_name(settings, name),
        value=value or "",
        max_age=None if value is not None else 0,
        path=cookie_path(settings),
        secure=is_secure(settings),
        httponly=True,
        samesite="lax",
    )


def given_cookie(request: ApiRequest, name: str) -> str | None:
    """Return the value of a cookie of the console that a request brings."""
    return request.cookies.get(_full_name(request.app.state.settings, name))


def _full_name(settings: Settings, name: str) -> str:
    """Return the name of a cookie that browsers take over https alone (RFC 6265bis, section 4.1.3).

    Not `__Host-`: these are for one path, and a host may serve several registers.
    """
    return f"__Secure-{name}" if is_secure(settings) else name


async def require_member(request: ApiRequest) -> None:
    """Note with a request who is signed in; done before every page but those for signing in.

    Raises `NotSignedIn` after having kept the fields of a form, also for what is `FOR_EVER` in a
    session that is stale, and `NotFound` for an address in another language than those there are.
    """
    language_of_page(request)
    session = await find_session(request)
    is_binding = request.method not in _SAFE and FOR_EVER in request.route_handler.opt
    if session is None or (is_binding and session.is_stale):
        raise await _not_signed_in(request)
    if request.method not in _SAFE:
        state = request.app.state
        await limits.spend(
            state.context.database,
            "writes",
            f"member {session.member.id}",
            per_minute=state.settings.limit_writes,
            now=utc_now(),
        )


async def find_session(request: ApiRequest) -> Session | None:
    """Return the session of whoever is signed in, or None, and note it with the request."""
    secret = given_cookie(request, SESSION_COOKIE)
    if not secret:
        return None
    context = request_context(request.scope)
    session = await sessions.recognise(
        request.app.state.context.database, secret, now=utc_now(), request=context.id
    )
    if session is not None:
        context.actor = session.actor
        request.scope["auth"], request.scope["user"] = session, session.member
    return session


async def read_fields(request: ApiRequest) -> list[tuple[str, str]]:
    """Return the fields of a form in their order, each as often as it was sent.

    Of a form with files these are not among them. Raises `RequestTimeout` for a body that does not
    arrive, `UnreadableDocument` for one that is no form.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            if request.content_type[0] == RequestEncodingType.MULTI_PART:
                given = list((await request.form()).multi_items())
            else:
                text = (await request.body()).decode()
                given = parse_qsl(text, keep_blank_values=True, errors="strict")
    except TimeoutError as error:
        raise RequestTimeout(
            f"the form did not come whole within {BODY_SECONDS:.0f} seconds; send it again"
        ) from error
    except UnicodeDecodeError as error:
        raise UnreadableDocument("the form is not in UTF-8") from error
    return [
        (name, value)
        for name, value in given
        if not isinstance(value, UploadFile) and name != "_csrf_token"
    ]


def fields_as(kind: type[S], fields: Sequence[tuple[str, str]]) -> S:
    """Return a struct of texts, and lists of them, from a form; other fields are passed over."""
    found: dict[str, Any] = {}
    for one in msgspec.structs.fields(kind):
        given = [value for name, value in fields if name == one.name]
        if one.type is not str:
            found[one.name] = given
        elif given:
            found[one.name] = given[-1]
    return kind(**found)


async def _close_files(request: ApiRequest) -> None:
    """Close the files of a form, whatever became of it."""
    if request.method not in _SAFE and request.content_type[0] == RequestEncodingType.MULTI_PART:
        for value in (await request.form()).values():
            if isinstance(value, UploadFile):
                await value.close()


async def kept_fields(request: ApiRequest) -> list[tuple[str, str]] | None:
    """Return, once, what its member had typed into this page when her session had ended."""
    session, secret = known_session(request), given_cookie(request, KEPT_COOKIE)
    if session is None or not secret:
        return None
    database = request.app.state.context.database
    address = path_of(request)
    return await sessions.take_form(database, secret, session.member, address, now=utc_now())


def own_address(text: str | None, settings: Settings) -> str | None:
    """Return the address to go on to, if it is a page of the console; an other is passed over.

    It is written without the path of the base address, as the application sees it.
    """
    if not text or len(text) > _LONGEST_NEXT:
        return None
    if _NEXT.fullmatch(text) is None or _NO_NEXT.search(text):
        return None
    return f"{urlsplit(settings.base_url).path}{text}"


def lead_to_sign_in(request: ApiRequest, error: NotSignedIn) -> Response[bytes]:
    """Answer whoever is not signed in: lead to where that can be done."""
    state: Any = request.app.state
    query = f"?{urlencode({'next': error.next_page})}" if error.next_page else ""
    language = request.path_params["lang"]
    response = redirect(address_of(state.settings, language, f"sign-in{query}"))
    if error.kept is not None:
        response.cookies.append(cookie(state.settings, KEPT_COOKIE, error.kept))
    return response


async def _not_signed_in(request: ApiRequest) -> NotSignedIn:
    address = path_of(request)
    path = quote(address)
    query = request.scope["query_string"].decode("ascii", "replace")
    if request.method in _SAFE:
        return NotSignedIn(f"{path}?{query}" if query else path, None)
    template = request.scope.get("path_template") or ""
    if not _is_page(request, template):
        # Something is done without fields, from a page above, such as that of a member.
        is_above = _is_page(request, template.rpartition("/")[0])
        address, path = (one.rpartition("/")[0] for one in (address, path))
        if not is_above or KEPT_ABOVE not in request.route_handler.opt:
            return NotSignedIn(path if is_above else None, None)
    if UNKEPT in request.route_handler.opt:
        return NotSignedIn(path, None)
    kept = None
    context = request.app.state.context
    ended = given_cookie(request, SESSION_COOKIE) or given_cookie(request, ENDED_COOKIE)
    if ended:
        kept = await sessions.keep_form(
            context.database,
            ended,
            address,
            await read_fields(request),
            now=utc_now(),
            random=context.random,
        )
    return NotSignedIn(path, kept)


def _is_page(request: ApiRequest, template: str) -> bool:
    """Return whether there is a page at addresses of a template."""
    return any(
        "GET" in getattr(route, "methods", ())
        for route in request.app.routes
        if route.path_format == template
    )
