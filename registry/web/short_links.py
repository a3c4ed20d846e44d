"""The short addresses that letters carry, and the page on which a code is typed.

`/r/CODE` leads to the record in the language that the browser asks for, to its tombstone after a
withdrawal. What is no code, or no record's, leads to `/<language>/code`, which says what is wrong
with it and takes another one: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from litestar.datastructures import State
from litestar.types import ASGIApp, Receive, Send

from registry.api.request_context import client_address
from registry.api.site import send_page, send_redirect
from registry.pages.editions import Edition
from registry.pages.site import render
from registry.pages.views.kit_pages import code_view
from registry.record.pack import Pack
from registry.record.short_code import TypedCode, read_code
from registry.store import codes, peers
from registry.store.database import Database
from registry.text.locales import negotiate
from registry.work import in_thread

_SHORT = re.compile(r"/r(?:/((?!.*\.svg$)[^/]*)/?)?", re.DOTALL)
_PAGE = re.compile(r"/([a-z]+)/code", re.ASCII)
_NOT_FOUND = 404


class ShortLinks:
    """Wraps the application of the site, which answers all else."""

    def __init__(
        self,
        pack: Pack,
        base_url: str,
        editions: Callable[[Pack], Mapping[str, Edition]],
        site: ASGIApp,
        state: State,
    ) -> None:
        """Take the register's address, its languages, and the state with its database."""
        self._languages = pack.languages
        self._prefix = urlsplit(base_url).path.rstrip("/")
        self._editions = editions
        self._site = site
        self._state = state

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer a request."""
        is_read = scope["type"] == "http" and scope["method"] == "GET"
        path = scope["path"] if is_read else ""
        if short := _SHORT.fullmatch(path):
            await self._follow(scope, send, short[1] or "")
            return
        page = _PAGE.fullmatch(path)
        if page and page[1] in self._languages:
            query = scope["query_string"].decode("ascii", "replace")
            given = parse_qs(query, keep_blank_values=True).get("code")
            if given:
                self._state.work.require(client_address(scope, self._state.settings.proxies))
                await self._take(send, page[1], given[-1])
                return
        await self._site(scope, receive, send)

    async def _follow(self, scope: Any, send: Send, given: str) -> None:
        asked = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
        tag = negotiate(asked, self._languages) or self._languages[0]
        typed = read_code(given)
        record = await self._record(typed)
        where = f"records/{record}" if record else "code"
        if record is None and typed.text:
            where += f"?{urlencode({'code': typed.text})}"
        await send_redirect(send, f"{self._prefix}/{tag}/{where}", vary="Accept-Language")

    async def _take(self, send: Send, tag: str, given: str) -> None:
        typed = read_code(given)
        record = await self._record(typed)
        if record is not None:
            await send_redirect(send, f"{self._prefix}/{tag}/records/{record}")
            return
        watched: list[str] = []
        if typed.code is not None:
            async with self._database.connection() as connection:
                known = await peers.read_all(connection)
            watched = [one.address.rstrip("/") for one in known if one.removed_at is None]
        page = await in_thread(self._refusal, tag, typed, watched)
        await send_page(send, page, _NOT_FOUND)

    def _refusal(self, tag: str, typed: TypedCode, watched: list[str]) -> bytes:
        fault = typed.fault or "unknown"
        view = partial(code_view, typed.text, fault, typed.alike, watched)
        here = f"code?{urlencode({'code': typed.text})}"
        return render(self._editions(self._state.context.pack)[tag], here, "code.html", view)

    async def _record(self, typed: TypedCode) -> str | None:
        if typed.code is None:
            return None
        async with self._database.connection() as connection:
            found = await codes.read(connection, typed.code)
        return None if found is None else found.id

    @property
    def _database(self) -> Database:
        database: Database = self._state.context.database
        return database
