"""The console as a part of the application: its handlers, its check of forms, its errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from litestar import Response, Router, get
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.middleware import DefineMiddleware
from litestar.params import FromPath

from registry import resources
from registry.api.app import PrivatePages
from registry.api.request_context import ApiRequest, request_context
from registry.errors import NotFound, RegistryError
from registry.pages.editions import Edition
from registry.record.pack import Pack
from registry.settings import Settings
from registry.web.console import (
    acts,
    form,
    members,
    notices,
    previews,
    provider_sign_in,
    records,
    reviews,
    sign_in,
    tokens,
    workbooks,
)
from registry.web.console.page import (
    PREFIX,
    ConsoleRequest,
    read_console_assets,
)
from registry.web.console.refusals import refuse
from registry.web.console.sessions import (
    ConsoleCsrf,
    NotSignedIn,
    csrf_config,
    lead_to_sign_in,
    require_member,
)

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
    sign_in.link_page,
    sign_in.use_link,
    provider_sign_in.begin_sign_in,
    provider_sign_in.begin_binding,
    provider_sign_in.take_answer,
    previews.lead_to_preview,
    previews.linked_preview_page,
)

_FOR_MEMBERS: tuple[HTTPRouteHandler, ...] = (
    sign_in.sign_out,
    records.home_page,
    records.show_new,
    records.begin_record,
    records.show_record,
    records.submit_record,
    records.take_back_record,
    records.show_deletion,
    records.delete_record,
    form.show_form,
    form.save_form,
    notices.notices_page,
    notices.mark_notices_read,
    previews.preview_page,
    previews.preview_links_page,
    previews.make_preview_link,
    previews.end_preview_link,
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
