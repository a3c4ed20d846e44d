"""What a member sets for herself: language, address and digest of mails, and her session."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from registry.clock import utc_now
from registry.console.page import ConsoleRequest, console_page, see_other
from registry.console.sessions import FOR_EVER, fields_as, kept_fields, read_fields
from registry.console.sign_in import NO_EMAIL
from registry.errors import InvalidParameter, NotFound
from registry.pages.labels import message
from registry.pages.reader import Reader
from registry.services.people import mailed_links, members, sessions


class SettingsFields(msgspec.Struct, kw_only=True):
    """What was typed into the form of the settings; `digest` is `daily` or `at_once`."""

    language: str = ""
    digest: str = "at_once"
    email: str = ""
    whole_day: str = ""


@get("/{lang:str}/settings")
async def settings_page(request: ConsoleRequest) -> Response[bytes]:
    """Show what the member has set."""
    member, kept = request.user, await kept_fields(request)
    typed = SettingsFields(
        language=member.language,
        digest="daily" if member.daily_digest else "at_once",
        email=member.email or "",
        whole_day="1" if request.auth.whole_day else "",
    )
    return await _page(request, typed if kept is None else fields_as(SettingsFields, kept))


@post("/{lang:str}/settings", status_code=303, opt={FOR_EVER: True})
async def save_settings(request: ConsoleRequest) -> Response[bytes]:
    """Save it; another address is the member's once she opens the link that is mailed there."""
    context, member, now = request.context, request.user, utc_now()
    typed = fields_as(SettingsFields, await read_fields(request))
    email, mails = typed.email.strip(), request.settings.smtp_url is not None
    is_new = mails and email not in {"", member.email}
    if typed.language not in context.pack.languages:
        raise InvalidParameter("language: choose one of the register's")
    try:
        if is_new:
            await mailed_links.request_address(
                context.database, request.actor, email, language=typed.language, now=now
            )
    except InvalidParameter:
        return await _page(request, typed, errors=[("email", NO_EMAIL)], status=422)
    await members.set_preferences(
        context.database,
        context.pack,
        request.actor,
        language=typed.language,
        daily_digest=typed.digest == "daily",
        has_email=bool(email) or not mails,
        now=now,
    )
    is_whole_day = typed.whole_day == "1"
    await sessions.keep_whole_day(context.database, request.auth, whole_day=is_whole_day)
    wording = message("Saved.")
    if is_new:
        wording = message("Saved. Open the link that is on its way to %(email)s to confirm it.")
    return await see_other(request, "settings", wording, email=email)


@get("/{lang:str}/settings/address/{secret:str}")
async def address_page(request: ConsoleRequest, secret: FromPath[str]) -> Response[bytes]:
    """Show the button that confirms an address."""
    email = await mailed_links.read_new_address(
        request.context.database, request.actor, secret, now=utc_now()
    )
    if email is None:
        raise NotFound("this link confirms no address of yours")
    return await console_page(request, "settings_address.html", lambda _: {"new_address": email})


@post("/{lang:str}/settings/address/{secret:str}", status_code=303, opt={FOR_EVER: True})
async def confirm_address(request: ConsoleRequest, secret: FromPath[str]) -> Response[bytes]:
    """Take the address over."""
    email = await mailed_links.confirm_address(
        request.context.database, request.actor, secret, now=utc_now()
    )
    wording = message("Mails go to %(email)s from now on.")
    return await see_other(request, "settings", wording, email=email)


async def _page(
    request: ConsoleRequest, typed: SettingsFields, *, errors: Any = (), status: int = 200
) -> Response[bytes]:
    def view(reader: Reader) -> dict[str, Any]:
        languages = reader.pack.languages
        return {
            "typed": typed,
            "errors": errors,
            "mails": request.settings.smtp_url is not None,
            "email_of_member": request.user.email,
            "languages": [(tag, reader.pack.locale(tag).name) for tag in languages],
        }

    return await console_page(request, "settings.html", view, status=status)
