"""The console in the application: its handlers, its check of forms, its errors as pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from litestar import Response, Router, get
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.middleware import DefineMiddleware
from litestar.params import FromPath

from registry import resources
from registry.api.app import PrivatePages
from registry.api.problems import STATUS, allow, problem, report_fault
from registry.api.request import ApiRequest, request_context
from registry.console import (
    acts,
    form,
    members,
    notices,
    own_settings,
    previews,
    privacy,
    records,
    reviews,
    sign_in,
    tokens,
    workbooks,
)
from registry.console.page import (
    PREFIX,
    ConsoleRequest,
    address_of,
    page_headers,
    read_console_assets,
    redirect,
    render_page,
)
from registry.console.sessions import (
    ConsoleCsrf,
    NotSignedIn,
    csrf_config,
    lead_to_sign_in,
    require_member,
)
from registry.errors import Forbidden, InvalidParameter, NotFound, RegistryError
from registry.pages.editions import Edition
from registry.pages.labels import message
from registry.record.pack import Pack
from registry.services.filing.working_records import DraftRenamed
from registry.settings import Settings

_CLASSES = {
    "not-found": (
        message("There is no such page"),
        message("It does not exist, or it is not one that you may see."),
    ),
    "unauthorized": (
        message("You are not signed in"),
        message("This way to sign in does not work any more. Begin again."),
    ),
    "forbidden": (
        message("You may not do this"),
        message("Your roles do not allow it. The admin of your agency can say who may."),
    ),
    "old-form": (
        message("This form is too old to be sent"),
        message(
            "Go back, copy what you have typed, load the page again, and send it once more. "
            "Nothing was changed."
        ),
    ),
    "conflict": (
        message("This cannot be done as things stand"),
        message("Go back, load the page again, and look at what has changed."),
    ),
    "too-many-requests": (
        message("Too many attempts"),
        message("Wait a minute, then try again."),
    ),
    "payload-too-large": (
        message("This file is too large"),
        message("Divide it, or delete pictures in it, and send it again. Nothing was changed."),
    ),
    "unavailable": (
        message("The register cannot be reached at the moment"),
        message("Nothing is lost: go back and try again in a moment."),
    ),
    "internal-error": (
        message("Something went wrong on our side"),
        message("It was noted. Try again in a moment."),
    ),
    "": (
        message("This could not be taken"),
        message("Go back, mend it, and send it again."),
    ),
}
"""The heading of an error and what to do, by slug; the last is for all others."""

_EXPLAINED = {
    "conflict",
    "precondition-failed",
    "forbidden",
    "invalid-parameter",
}
"""Errors whose own sentence, which is English, says more than the page."""

_CHANGED = {
    "precondition-failed": "conflict",
    "precondition-required": "conflict",
    "register-behind": "unavailable",
    "clock-differs": "unavailable",
}


def refuse(request: ApiRequest, error: Exception) -> Response[bytes]:
    """Answer an error by a page in the reader's language, with the error's status."""
    headers: dict[str, str] = {}
    slug, known = "", error
    if isinstance(error, HTTPException):
        slug, known = _of_framework(request, error)
        if error.status_code == STATUS["method-not-allowed"]:
            headers["allow"] = allow((error.headers or {}).get("allow", "").split(", "))
    if not isinstance(known, RegistryError):
        known = report_fault(error, request.scope)
    status, given, _ = problem(known, request_context(request.scope).id)
    headers |= {name: value for name, value in given.items() if name == "retry-after"}
    slug = slug or _CHANGED.get(known.slug, known.slug)
    heading, to_do = _CLASSES.get(slug, _CLASSES[""])
    detail = known.detail if known.slug in _EXPLAINED and slug != "old-form" else None
    view = {
        "heading": heading,
        "to_do": to_do,
        "detail": detail,
        "request_id": request_context(request.scope).id,
    }
    content = render_page(request, "error.html", lambda _: view)
    headers = {**page_headers(), **headers}
    return Response(content, status_code=status, media_type="text/html", headers=headers)


def lead_to_renamed(request: ApiRequest, error: DraftRenamed) -> Response[bytes]:
    """Lead who goes back to the address that a draft had to the one that it has."""
    if request.method not in {"GET", "HEAD"}:
        return refuse(request, error)
    state: Any = request.app.state
    page = request.scope["path"].partition(f"/{error.record}")[2].strip("/")
    path = f"records/{error.renamed}/{page}"
    return redirect(address_of(state.settings, request.path_params["lang"], path))


def _of_framework(request: ApiRequest, error: HTTPException) -> tuple[str, Exception]:
    """Return the slug and the error of what the framework refuses; itself where that is a fault."""
    if error.status_code == STATUS["forbidden"]:
        return "old-form", Forbidden("the form has no valid token")
    if error.status_code in {STATUS["not-found"], STATUS["method-not-allowed"]}:
        return "not-found", NotFound(f"there is nothing at {request.scope['path']}")
    if error.status_code < 500:  # noqa: PLR2004  what the caller can mend
        return "", InvalidParameter(error.detail)
    return "", error


_TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "woff2": "font/woff2",
    "svg": "image/svg+xml",
    "png": "image/png",
    "txt": "text/plain",
}
_YEAR = "public, max-age=31536000, immutable"


@get("/assets/{name:str}")
async def get_asset(request: ConsoleRequest, name: FromPath[str]) -> Response[bytes]:
    """Return a style sheet or a script, which never changes under its name."""
    for asset in request.shared.console_assets.values():
        if asset.name == name:
            kind = _TYPES[name.rpartition(".")[2]]
            headers = {"cache-control": _YEAR, "content-security-policy": "default-src 'none'"}
            return Response(asset.content, media_type=kind, headers=headers)
    raise NotFound(f"there is no file {name}")


_FOR_ANYBODY: tuple[HTTPRouteHandler, ...] = (
    get_asset,
    sign_in.lead_home,
    sign_in.lead_to_link,
    sign_in.sign_in_page,
    sign_in.mail_link,
    sign_in.link_page,
    sign_in.use_link,
    sign_in.begin_sign_in,
    sign_in.begin_binding,
    sign_in.take_answer,
    previews.lead_to_preview,
    previews.linked_preview_page,
)

_FOR_MEMBERS: tuple[HTTPRouteHandler, ...] = (
    sign_in.sign_out,
    records.home_page,
    records.show_new,
    records.begin_record,
    records.show_record,
    records.show_submission,
    records.submit_record,
    records.take_back_record,
    records.show_deletion,
    records.delete_record,
    form.show_form,
    form.save_form,
    notices.notices_page,
    notices.mark_notices_read,
    own_settings.settings_page,
    own_settings.save_settings,
    own_settings.address_page,
    own_settings.confirm_address,
    previews.preview_page,
    previews.preview_links_page,
    previews.make_preview_link,
    previews.end_preview_link,
    privacy.privacy_page,
    privacy.search_privacy,
    privacy.ask_erasure,
    privacy.confirm_erasure,
    privacy.take_back_erasure,
    reviews.queue_page,
    reviews.review_page,
    reviews.decide,
    members.members_page,
    members.invite_member,
    members.member_page,
    members.change_roles,
    members.link_member,
    members.confirm_member,
    members.end_member,
    tokens.tokens_page,
    tokens.create_token,
    tokens.revoke_token,
    acts.withdraw_page,
    acts.withdraw_record_by_form,
    acts.attestation_page,
    acts.attest_by_form,
    acts.acts_page,
    acts.act_page,
    acts.decide_act,
    workbooks.workbooks_page,
    workbooks.take_new_workbook,
    workbooks.take_record_workbook,
    workbooks.take_all_workbook,
    workbooks.send_workbook,
    workbooks.send_and_take_workbook,
)


def console_pages(
    settings: Settings, editions: Callable[[Pack], Mapping[str, Edition]]
) -> PrivatePages:
    """Return the pages of the console, in the editions of the site."""
    for_members = Router(
        path="/",
        route_handlers=list(_FOR_MEMBERS),
        before_request=_admit_member,
    )
    router = Router(
        path=PREFIX,
        route_handlers=[*_FOR_ANYBODY, for_members],
        request_class=ConsoleRequest,
        middleware=[DefineMiddleware(ConsoleCsrf, config=csrf_config(settings))],
        before_request=_note_operation,
        exception_handlers={
            NotSignedIn: lead_to_sign_in,
            DraftRenamed: lead_to_renamed,
            RegistryError: refuse,
            HTTPException: refuse,
            Exception: refuse,
        },
        include_in_schema=False,
    )
    return PrivatePages(
        prefix=PREFIX,
        router=router,
        refuse=refuse,
        shared={
            "editions": editions,
            "console_assets": read_console_assets(resources.SITE / "console"),
        },
    )


async def _note_operation(request: ApiRequest) -> None:
    """Note the operation for the metrics; unknown parameters are passed over, as trackers' are."""
    request_context(request.scope).operation = request.route_handler.handler_name
    if "\x00" in request.scope["path"]:
        raise NotFound("there is nothing at an address with a NUL character")


async def _admit_member(request: ApiRequest) -> None:
    await _note_operation(request)
    if request.method != "OPTIONS":
        await require_member(request)
