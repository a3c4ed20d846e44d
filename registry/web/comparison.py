"""Any two versions of a record, compared on the page that the site has for the latest two."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

from litestar.datastructures import State
from litestar.types import ASGIApp, Receive, Send

from registry.api.request import client_address
from registry.api.site import send_page
from registry.log.register import StoredRecord
from registry.pages.editions import Edition
from registry.pages.reader import reader_of_origin
from registry.pages.site import render
from registry.pages.views.lists import origin_facts
from registry.pages.views.record_pages import compare_view
from registry.record.pack import Pack
from registry.store import agencies, imports, records
from registry.store.database import Database
from registry.work import in_thread

_PATH = re.compile(r"/([a-z]+)/(records/([\w.-]+/[\w.-]+)/compare)", re.ASCII)
_VERSION = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_LONGEST = 20
"""Characters of what is no version that are repeated."""


def serve_comparisons(
    languages: Collection[str],
    editions: Callable[[Pack], Mapping[str, Edition]],
    site: ASGIApp,
    state: State,
) -> ASGIApp:
    """Wrap the application of the site: it answers where `from` or `to` is not given."""

    async def application(scope: Any, receive: Receive, send: Send) -> None:
        asked = _read_question(scope) if scope["type"] == "http" else None
        if asked is None or asked[0] not in languages:
            await site(scope, receive, send)
            return
        tag, path, record, given = asked
        state.work.require(client_address(scope, state.settings.proxies))
        database: Database = state.context.database
        async with database.connection() as connection:
            latest = await records.read(connection, record)
            found = {
                number: await records.read(connection, record, int(number))
                for number in given
                if _VERSION.fullmatch(number)
            }
            # Last, so that they have each version that was read.
            lines = await records.read_versions(connection, record)
            homes = {one.agency for one in found.values() if one is not None}
            named = await agencies.read_named(connection, homes)
            origins = await imports.read_origins(connection)
        if latest is None:
            await site(scope, receive, send)
            return
        missing = [number for number in dict.fromkeys(given) if found.get(number) is None]
        known = sorted(filter(None, (found.get(number) for number in given)), key=_number)
        pair = None if missing else (known[0], known[1])

        def compare() -> bytes:
            edition = editions(state.context.pack)[tag]
            code = latest.register.origin
            whose = origins.get(code or "")
            reader = reader_of_origin(edition.reader, whose)
            numbers = given if pair is None else [str(_number(one)) for one in pair]
            here = f"{path}?{urlencode({'from': numbers[0], 'to': numbers[1]})}"
            return render(
                edition,
                here,
                "compare.html",
                lambda: compare_view(
                    reader,
                    latest,
                    lines,
                    pair,
                    [one[:_LONGEST] for one in missing],
                    agencies=named,
                    source=origin_facts(reader, code, whose),
                ),
            )

        await send_page(send, await in_thread(compare), 404 if missing else 200)

    return application


def _read_question(scope: Any) -> tuple[str, str, str, list[str]] | None:
    """Return the language, the path in it, the record and the versions, if two are given."""
    found = _PATH.fullmatch(scope["path"])
    if found is None or scope["method"] != "GET":
        return None
    query = parse_qs(scope["query_string"].decode("ascii", "replace"))
    numbers = [query.get(name, [""])[-1] for name in ("from", "to")]
    if not all(numbers):
        return None
    tag, path, record = found.groups()
    return tag, path, record, numbers


def _number(version: StoredRecord) -> int:
    return version.register.version
