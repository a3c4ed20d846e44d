"""Any two versions of a record, compared on the page that the site has for the latest two."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import parse_qs

from litestar.datastructures import State
from litestar.types import ASGIApp, Receive, Send

from registry.api.site import send_page
from registry.pages.editions import Edition
from registry.pages.site import render
from registry.pages.views.version_view import compare_view
from registry.store import records
from registry.store.database import Database

_PATH = re.compile(r"/([a-z]+)/(records/([\w.-]+/[\w.-]+)/compare)", re.ASCII)
_VERSION = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


def serve_comparisons(
    languages: Collection[str],
    editions: Callable[[], Mapping[str, Edition]],
    site: ASGIApp,
    state: State,
) -> ASGIApp:
    """Wrap the application of the site: it answers where `from` and `to` name no two versions."""

    async def application(scope: Any, receive: Receive, send: Send) -> None:
        asked = _read_question(scope) if scope["type"] == "http" else None
        if asked is None or asked[0] not in languages:
            await site(scope, receive, send)
            return
        tag, path, record, numbers = asked
        database: Database = state.context.database
        async with database.connection() as connection:
            lines = await records.read_versions(connection, record)
            latest = await records.read(connection, record)
            pair = [await records.read(connection, record, number) for number in numbers]
        before, after = pair
        if latest is None or before is None or after is None:
            await site(scope, receive, send)
            return

        def compare() -> bytes:
            edition = editions()[tag]
            here = f"{path}?from={numbers[0]}&to={numbers[1]}"
            return render(
                edition,
                here,
                "compare.html",
                lambda: compare_view(edition.reader, latest, lines, (before, after)),
            )

        await send_page(send, await asyncio.to_thread(compare))

    return application


def _read_question(scope: Any) -> tuple[str, str, str, list[int]] | None:
    """Return the language, the path in it, the record and the versions in order, if named so."""
    found = _PATH.fullmatch(scope["path"])
    if found is None or scope["method"] != "GET":
        return None
    query = parse_qs(scope["query_string"].decode("ascii", "replace"))
    numbers = [query.get(name, [""])[-1] for name in ("from", "to")]
    if not all(_VERSION.fullmatch(number) for number in numbers):
        return None
    tag, path, record = found.groups()
    return tag, path, record, sorted(map(int, numbers))
