"""The notices of a member."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from registry.clock import utc_now
from registry.console.page import ConsoleRequest, console_page, see_other
from registry.console.sessions import read_fields
from registry.pages.notices import render_notice
from registry.pages.reader import Reader, translated
from registry.services.people import notices


@get("/{lang:str}/notices")
async def notices_page(request: ConsoleRequest) -> Response[bytes]:
    """Show the latest notices."""
    found = await notices.list_notices(request.context, request.actor)
    base = request.settings.base_url

    def view(reader: Reader) -> dict[str, Any]:
        rows = []
        for one in found:
            told = render_notice(
                one, reader.tag, reader.pack, lambda wording: translated(reader, wording).text
            )
            rows.append(
                {
                    "id": one.id,
                    "title": told.title,
                    "sentence": told.sentence,
                    "address": f"{base}/{told.path}",
                    "day": one.made_at.date().isoformat(),
                    "is_new": one.read_at is None,
                }
            )
        return {"notices": rows, "unread": sum(row["is_new"] for row in rows)}

    return await console_page(request, "notices.html", view)


@post("/{lang:str}/notices", status_code=303)
async def mark_notices_read(request: ConsoleRequest) -> Response[bytes]:
    """Mark as read what the page has shown, but not what came since."""
    given = dict(await read_fields(request)).get("until", "")
    until = int(given) if given.isdecimal() and len(given) < 19 else 0  # noqa: PLR2004  bigint
    await notices.mark_read(request.context, request.actor, now=utc_now(), until=until)
    return await see_other(request, "notices")
