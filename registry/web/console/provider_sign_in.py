"""Signing in by the government's identity provider (OpenID Connect)."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from registry.api.request_context import request_context
from registry.clock import utc_now
from registry.errors import NotFound, Unauthorized
from registry.services import members, provider_sign_in
from registry.services.identity_provider import IdentityProvider
from registry.services.provider_sign_in import NoMember
from registry.web.console.page import ConsoleRequest, console_page, language_of_page, redirect
from registry.web.console.sessions import SESSION_COOKIE, cookie, given_cookie, own_address
from registry.web.console.sign_in import (
    signed_in_response,
    spend_failure,
    unusable_page,
)

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
        signed_in = await provider_sign_in.finish(
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
    secret, address = await provider_sign_in.begin(
        context.database,
        _provider(request),
        next_page=next_page,
        link=link,
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
