"""Previews of drafts: for those who may read the draft, and by links for others."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit

from litestar import Response, get, post
from litestar.params import FromPath

from registry import resources
from registry.api.parameters import RecordPath
from registry.clock import utc_now
from registry.console.page import (
    PREFIX,
    ConsoleRequest,
    NumberPath,
    address_of,
    asset_address,
    console_page,
    page_headers,
    redirect,
    see_other,
)
from registry.console.sessions import read_fields
from registry.errors import InvalidParameter, NotFound
from registry.pages.assets import Assets, read_assets
from registry.pages.labels import message
from registry.pages.site import render
from registry.pages.views.review_view import preview_site, preview_view
from registry.services.filing import previews
from registry.services.filing.previews import MOST_DAYS, NewLink, Preview
from registry.work import in_thread

_SECRET = re.compile(r"[\w-]{43}", re.ASCII)


@get("/{lang:str}/records/{agency:str}/{slug:str}/preview/{page_lang:str}")
async def preview_page(
    request: ConsoleRequest, record: RecordPath, page_lang: FromPath[str]
) -> Response[bytes]:
    """Show a draft as the page of the record that it would be."""
    now = utc_now()
    preview = await previews.read_preview(request.context, request.actor, record, now=now)
    path = f"records/{record}"
    return await _page(
        request,
        preview,
        page_lang,
        {
            tag: address_of(request.settings, request.language, f"{path}/preview/{tag}")
            for tag in request.context.pack.languages
        },
        now=now,
        back=address_of(request.settings, request.language, f"{path}/"),
    )


@get("/{lang:str}/records/{agency:str}/{slug:str}/preview-links")
async def preview_links_page(request: ConsoleRequest, record: RecordPath) -> Response[bytes]:
    """Show the links to the preview of a draft, and the form that makes one."""
    return await _links_page(request, record)


@post("/{lang:str}/records/{agency:str}/{slug:str}/preview-links", status_code=200)
async def make_preview_link(request: ConsoleRequest, record: RecordPath) -> Response[bytes]:
    """Make a link, whose address this page shows, and no other ever."""
    given = dict(await read_fields(request)).get("days", "")
    if not given.isdecimal() or len(given) > 1:
        raise InvalidParameter(f"days: a link lasts 1 to {MOST_DAYS} days")
    made = await previews.make_link(
        request.context, request.actor, record, days=int(given), now=utc_now()
    )
    return await _links_page(request, record, made)


@post("/{lang:str}/records/{agency:str}/{slug:str}/preview-links/{number:int}/end", status_code=303)
async def end_preview_link(
    request: ConsoleRequest, record: RecordPath, number: NumberPath
) -> Response[bytes]:
    """End a link before its time."""
    await previews.end_link(request.context, request.actor, record, number, now=utc_now())
    return await see_other(
        request, f"records/{record}/preview-links", message("The link is ended.")
    )


@get("/preview/{secret:str}")
async def lead_to_preview(request: ConsoleRequest, secret: FromPath[str]) -> Response[bytes]:
    """Lead to the preview of a link in the language that the browser prefers."""
    await previews.open_link(request.context, _secret(secret), now=utc_now())
    return redirect(_address(request, secret, request.language))


@get("/preview/{secret:str}/{page_lang:str}")
async def linked_preview_page(
    request: ConsoleRequest, secret: FromPath[str], page_lang: FromPath[str]
) -> Response[bytes]:
    """Show the preview of a link to whoever has it."""
    now = utc_now()
    opened = await previews.open_link(request.context, _secret(secret), now=now)
    return await _page(
        request,
        opened.preview,
        page_lang,
        {tag: _address(request, secret, tag) for tag in request.context.pack.languages},
        now=now,
        until=opened.expires_at.date(),
    )


@cache
def _assets() -> Assets:
    return read_assets(resources.SITE)


def _secret(given: str) -> str:
    """Return what may be a secret, so that nothing else is hashed."""
    return given if _SECRET.fullmatch(given) else ""


def _address(request: ConsoleRequest, secret: str, language: str) -> str:
    return f"{urlsplit(request.settings.base_url).path}{PREFIX}/preview/{secret}/{language}"


async def _page(
    request: ConsoleRequest,
    preview: Preview,
    language: str,
    addresses: dict[str, str],
    *,
    now: dt.datetime,
    **more: Any,
) -> Response[bytes]:
    pack = request.context.pack
    editions = request.shared.editions(pack)
    if language not in editions:
        raise NotFound(f"there is no preview in {language}")
    edition = editions[language]

    def show() -> bytes:
        site = preview_site(
            preview.record,
            preview.related,
            pack=pack,
            editions=editions,
            assets=_assets(),
            base_url=request.settings.base_url,
            now=now,
        )
        return render(
            edition,
            f"records/{preview.record.id}",
            "console/preview.html",
            lambda: {
                **preview_view(
                    edition.reader,
                    preview.record,
                    site,
                    addresses=addresses,
                    errors=preview.errors,
                    **more,
                ),
                "asset": partial(asset_address, request.shared),
            },
        )

    return Response(await in_thread(show), media_type="text/html", headers=page_headers())


async def _links_page(
    request: ConsoleRequest, record: str, made: NewLink | None = None
) -> Response[bytes]:
    links = await previews.list_links(request.context, request.actor, record, now=utc_now())
    origin = request.settings.base_url
    view = {
        "record": record,
        "links": links,
        "most_days": MOST_DAYS,
        "made": made and f"{origin}{PREFIX}/preview/{made.secret}",
    }
    return await console_page(request, "preview_links.html", lambda _: view)
