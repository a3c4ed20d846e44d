"""Signing in by a link that works once, and signing out."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlencode

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from registry.api.request_context import ApiRequest, client_address, request_context
from registry.clock import utc_now
from registry.errors import Unauthorized
from registry.services import limits, members, sessions
from registry.store.members import Member
from registry.text.locales import negotiate
from registry.web.console.page import (
    ConsoleState,
    SignedIn,
    address_of,
    console_page,
    language_of_page,
    redirect,
)
from registry.web.console.sessions import (
    KEPT_COOKIE,
    SESSION_COOKIE,
    cookie,
    find_signed_in,
    own_address,
)


@get("/")
async def lead_home(request: ApiRequest, state: ConsoleState) -> Response[bytes]:
    """Lead to the console in the language that the browser prefers."""
    return redirect(address_of(state.settings, preferred_language(request, state), ""))


@get("/sign-in/link/{secret:str}")
async def lead_to_link(
    request: ApiRequest, state: ConsoleState, secret: FromPath[str]
) -> Response[bytes]:
    """Lead to the page of a link in the language that the browser prefers."""
    path = f"sign-in/link/{quote(secret, safe='')}"
    return redirect(address_of(state.settings, preferred_language(request, state), path))


@get("/{lang:str}/sign-in")
async def sign_in_page(
    request: ApiRequest,
    state: ConsoleState,
    next_page: Annotated[str | None, QueryParameter(name="next")] = None,
) -> Response[bytes]:
    """Show the ways to sign in; who is signed in goes on."""
    language = language_of_page(request)
    following = own_address(next_page, state.settings)
    if await find_signed_in(request, state, language) is not None:
        return redirect(following or address_of(state.settings, language, ""))
    return await console_page(
        request,
        "sign_in.html",
        lambda _: {
            "has_ended": next_page is not None,
            "has_provider": _has_provider(state),
            "next_query": f"?{urlencode({'next': next_page})}" if following else "",
        },
    )


@get("/{lang:str}/sign-in/link/{secret:str}")
async def link_page(
    request: ApiRequest, state: ConsoleState, secret: FromPath[str]
) -> Response[bytes]:
    """Show the button that uses up a link: programs that look at mails only open addresses."""
    language_of_page(request)
    if not await members.is_usable(state.context.database, secret, now=utc_now()):
        await spend_failure(request, state)
        return await unusable_page(request)
    view = {"has_provider": _has_provider(state), "secret": secret}
    return await console_page(request, "sign_in_link.html", lambda _: view)


@post("/{lang:str}/sign-in/link/{secret:str}", status_code=303)
async def use_link(
    request: ApiRequest, state: ConsoleState, secret: FromPath[str]
) -> Response[bytes]:
    """Sign in by a link, which is used up, under a new session."""
    language = language_of_page(request)
    context = state.context
    try:
        member, session = await sessions.sign_in_by_link(
            context.database,
            secret,
            replaced=request.cookies.get(SESSION_COOKIE),
            now=utc_now(),
            random=context.random,
            request=request_context(request.scope).id,
        )
    except Unauthorized:
        await spend_failure(request, state)
        return await unusable_page(request)
    return await signed_in_response(request, state, member, session, language=language)


@post("/{lang:str}/sign-out", status_code=303)
async def sign_out(state: ConsoleState, signed_in: NamedDependency[SignedIn]) -> Response[bytes]:
    """End the session."""
    await sessions.sign_out(state.context.database, signed_in.session, now=utc_now())
    response = redirect(address_of(state.settings, signed_in.language, "sign-in"))
    response.cookies.append(cookie(state.settings, SESSION_COOKIE, None))
    return response


async def signed_in_response(
    request: ApiRequest,
    state: ConsoleState,
    member: Member,
    session: str,
    *,
    language: str,
    next_page: str | None = None,
) -> Response[bytes]:
    """Set the cookie of a new session, and lead to where the member was, or to her home."""
    database, settings, now = state.context.database, state.settings, utc_now()
    limit = settings.limit_failures
    await limits.spend(
        database, "sign-ins", f"member {member.id}", per_minute=limit, burst=limit, now=now
    )
    following = own_address(next_page, settings)
    if kept := request.cookies.get(KEPT_COOKIE):
        waiting = await sessions.kept_address(database, kept, member, now=now)
        following = own_address(waiting, settings) or following
    response = redirect(following or address_of(settings, language, ""))
    response.cookies.append(cookie(settings, SESSION_COOKIE, session))
    return response


async def spend_failure(request: ApiRequest, state: ConsoleState) -> None:
    """Take a failed attempt to sign in from what an address may do, as a failed token is."""
    limit = state.settings.limit_failures
    await limits.spend(
        state.context.database,
        "failed authentications",
        client_address(request.scope, state.settings.proxies),
        per_minute=limit,
        burst=limit,
        now=utc_now(),
    )


async def unusable_page(request: ApiRequest) -> Response[bytes]:
    """Return the page of a link that signs in nobody, used, expired or never made alike."""
    return await console_page(request, "sign_in_unusable.html", lambda _: {}, status=410)


def preferred_language(request: ApiRequest, state: ConsoleState) -> str:
    """Return the language of the console that a browser prefers."""
    languages = state.context.pack.languages
    return negotiate(request.headers.get("accept-language", ""), languages) or languages[0]


def _has_provider(state: ConsoleState) -> bool:
    return state.provider is not None and state.provider.has_sign_in
