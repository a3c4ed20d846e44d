"""Signing in by a link that works once or by the identity provider, and signing out."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from registry.api.request import client_address, request_context
from registry.clock import utc_now
from registry.console.page import (
    ConsoleRequest,
    address_of,
    console_page,
    language_of_page,
    redirect,
)
from registry.console.sessions import (
    ENDED_COOKIE,
    KEPT_COOKIE,
    NEXT_COOKIE,
    SESSION_COOKIE,
    cookie,
    find_session,
    given_cookie,
    own_address,
    read_fields,
)
from registry.errors import InvalidParameter, NotFound, Unauthorized
from registry.pages.labels import message
from registry.services.operations import limits
from registry.services.people import identity_provider, mailed_links, members, sessions
from registry.services.people.identity_provider import IdentityProvider, NoMember
from registry.store.members import Member

NO_EMAIL = message("Write the e-mail address as in name@agency.example")


@get("/")
async def lead_home(request: ConsoleRequest) -> Response[bytes]:
    """Lead to the console in the language that the browser prefers."""
    return redirect(address_of(request.settings, request.language, ""))


@get("/sign-in/link/{secret:str}")
async def lead_to_link(request: ConsoleRequest, secret: FromPath[str]) -> Response[bytes]:
    """Lead to the page of a link in the language that the browser prefers."""
    path = f"sign-in/link/{quote(secret, safe='')}"
    return redirect(address_of(request.settings, request.language, path))


@get("/{lang:str}/sign-in")
async def sign_in_page(
    request: ConsoleRequest,
    next_page: Annotated[str | None, QueryParameter(name="next")] = None,
) -> Response[bytes]:
    """Show the ways to sign in; who is signed in goes on, unless the session is stale."""
    language = language_of_page(request)
    following = own_address(next_page, request.settings)
    session = await find_session(request)
    if session is not None and not session.is_stale:
        return redirect(following or address_of(request.settings, language, ""))
    return await _sign_in_page(
        request,
        has_ended=next_page is not None,
        next_page=next_page if following else None,
    )


@post("/{lang:str}/sign-in", status_code=200)
async def mail_link(
    request: ConsoleRequest,
    next_page: Annotated[str | None, QueryParameter(name="next")] = None,
) -> Response[bytes]:
    """Have a link mailed to an address, if it is a member's: the answer is the same if it is not.

    Not found where an identity provider signs in, or no mail is sent.
    """
    language = language_of_page(request)
    following = next_page if own_address(next_page, request.settings) else None
    if not _mails_links(request):
        raise NotFound("no links are mailed here")
    email = dict(await read_fields(request)).get("email", "")
    try:
        await mailed_links.request_link(
            request.context.database,
            email,
            client=client_address(request.scope, request.settings.proxies),
            language=language,
            per_minute=request.settings.limit_failures,
            now=utc_now(),
        )
    except InvalidParameter:
        return await _sign_in_page(
            request, next_page=following, typed=email, errors=[("email", NO_EMAIL)], status=422
        )
    response = await _sign_in_page(request, typed=email.strip(), is_mailed=True)
    if following is not None:
        response.cookies.append(cookie(request.settings, NEXT_COOKIE, following))
    return response


async def _sign_in_page(
    request: ConsoleRequest, *, next_page: str | None = None, status: int = 200, **shown: Any
) -> Response[bytes]:
    view = {
        "has_provider": _has_provider(request),
        "mails": _mails_links(request),
        "has_ended": False,
        "next_query": f"?{urlencode({'next': next_page})}" if next_page else "",
        "is_mailed": False,
        "typed": "",
        "errors": (),
        **shown,
    }
    return await console_page(request, "sign_in.html", lambda _: view, status=status)


def _mails_links(request: ConsoleRequest) -> bool:
    return request.settings.smtp_url is not None and not _has_provider(request)


@get("/{lang:str}/sign-in/link/{secret:str}")
async def link_page(request: ConsoleRequest, secret: FromPath[str]) -> Response[bytes]:
    """Show the button that uses up a link: programs that look at mails only open addresses."""
    language_of_page(request)
    if not await members.is_usable(request.context.database, secret, now=utc_now()):
        await spend_failure(request)
        return await unusable_page(request)
    view = {"has_provider": _has_provider(request), "secret": secret}
    return await console_page(request, "sign_in_link.html", lambda _: view)


@post("/{lang:str}/sign-in/link/{secret:str}", status_code=303)
async def use_link(request: ConsoleRequest, secret: FromPath[str]) -> Response[bytes]:
    """Sign in by a link, which is used up, under a new session."""
    language = language_of_page(request)
    context = request.context
    try:
        member, session = await sessions.sign_in_by_link(
            context.database,
            secret,
            replaced=given_cookie(request, SESSION_COOKIE),
            now=utc_now(),
            random=context.random,
            request=request_context(request.scope).id,
            whole_day=("whole_day", "1") in await read_fields(request),
        )
    except Unauthorized:
        await spend_failure(request)
        return await unusable_page(request)
    following = given_cookie(request, NEXT_COOKIE)
    response = await signed_in_response(
        request, member, session, language=language, next_page=following
    )
    if following is not None:
        response.cookies.append(cookie(request.settings, NEXT_COOKIE, None))
    return response


@post("/{lang:str}/sign-out", status_code=303)
async def sign_out(request: ConsoleRequest) -> Response[bytes]:
    """End the session; by its secret, good for nothing else, what another tab sends is kept."""
    await sessions.sign_out(request.context.database, request.auth, now=utc_now())
    response = redirect(address_of(request.settings, request.language, "sign-in"))
    ended = given_cookie(request, SESSION_COOKIE)
    response.cookies += [
        cookie(request.settings, SESSION_COOKIE, None),
        cookie(request.settings, ENDED_COOKIE, ended),
    ]
    return response


async def signed_in_response(
    request: ConsoleRequest,
    member: Member,
    session: str,
    *,
    language: str,
    next_page: str | None = None,
) -> Response[bytes]:
    """Set the cookie of a new session, and lead to where the member was, or to her home."""
    database, settings, now = request.context.database, request.settings, utc_now()
    limit = settings.limit_failures
    await limits.spend(database, "sign-ins", f"member {member.id}", per_minute=limit, now=now)
    following = own_address(next_page, settings)
    if kept := given_cookie(request, KEPT_COOKIE):
        waiting = await sessions.kept_address(database, kept, member, now=now)
        following = own_address(waiting, settings) or following
    response = redirect(following or address_of(settings, language, ""))
    response.cookies.append(cookie(settings, SESSION_COOKIE, session))
    return response


async def spend_failure(request: ConsoleRequest) -> None:
    """Take a failed attempt to sign in from what an address may do, as a failed token is."""
    limit = request.settings.limit_failures
    await limits.spend(
        request.context.database,
        "failed authentications",
        client_address(request.scope, request.settings.proxies),
        per_minute=limit,
        now=utc_now(),
    )


async def unusable_page(request: ConsoleRequest) -> Response[bytes]:
    """Return the page of a link that signs in nobody, used, expired or never made alike."""
    return await console_page(request, "sign_in_unusable.html", lambda _: {}, status=410)


def _has_provider(request: ConsoleRequest) -> bool:
    return request.shared.provider is not None and request.shared.provider.has_sign_in


ATTEMPT_COOKIE = "office_attempt"


@get("/{lang:str}/sign-in/oidc")
async def begin_sign_in(
    request: ConsoleRequest,
    next_page: Annotated[str | None, QueryParameter(name="next")] = None,
) -> Response[bytes]:
    """Send the browser to the provider."""
    following = next_page if own_address(next_page, request.settings) else None
    return await _begin(request, following, None)


@get("/{lang:str}/sign-in/link/{secret:str}/oidc")
async def begin_binding(request: ConsoleRequest, secret: FromPath[str]) -> Response[bytes]:
    """Send the browser to the provider, to bind the identity there to the member of a link."""
    language_of_page(request)
    if not await members.is_usable(request.context.database, secret, now=utc_now()):
        await spend_failure(request)
        return await unusable_page(request)
    return await _begin(request, None, secret)


@get("/sign-in/oidc/callback")
async def take_answer(request: ConsoleRequest) -> Response[bytes]:
    """Take the provider's answer, which signs in, under a new session, whoever is a member."""
    context, provider = request.context, _provider(request)
    # The language follows the state in the cookie; the provider knows one address only.
    given, _, language = (given_cookie(request, ATTEMPT_COOKIE) or "").partition(".")
    if language not in context.pack.languages:
        language = request.language
    answer = {name: str(value) for name, value in request.query_params.items()}
    try:
        signed_in = await identity_provider.finish(
            context.database,
            provider,
            answer,
            state=given,
            replaced=given_cookie(request, SESSION_COOKIE),
            now=utc_now(),
            random=context.random,
            request=request_context(request.scope).id,
        )
    except NoMember as error:
        identity = error.identity
        view = {"person": identity.email or identity.name, "subject": identity.subject}
        response = await console_page(request, "no_member.html", lambda _: view, status=403)
    except Unauthorized:
        await spend_failure(request)
        raise
    else:
        response = await signed_in_response(
            request,
            signed_in.member,
            signed_in.session,
            next_page=signed_in.next_page,
            language=language,
        )
    response.cookies.append(cookie(request.settings, ATTEMPT_COOKIE, None))
    return response


async def _begin(
    request: ConsoleRequest, next_page: str | None, link: str | None
) -> Response[bytes]:
    language, context = language_of_page(request), request.context
    secret, address = await identity_provider.begin(
        context.database,
        _provider(request),
        next_page=next_page,
        link=link,
        # Whoever had a session in this browser shows anew who she is.
        again=any(given_cookie(request, name) for name in (SESSION_COOKIE, ENDED_COOKIE)),
        now=utc_now(),
        random=context.random,
    )
    response = redirect(address)
    response.cookies.append(cookie(request.settings, ATTEMPT_COOKIE, f"{secret}.{language}"))
    return response


def _provider(request: ConsoleRequest) -> IdentityProvider:
    provider = request.shared.provider
    if provider is None or not provider.has_sign_in:
        raise NotFound("nobody signs in by an identity provider here")
    return provider
