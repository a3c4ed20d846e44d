"""Letters that were filled in, as text, page or dates; dates to contest by; short addresses."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import msgspec
from litestar import Response, get, post
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter
from litestar.types import ASGIApp, Receive, Send

from registry.api.request import ApiRequest, ApiState, client_address, read_body, require_one_of
from registry.api.site import CONTENT_POLICY, send_page, send_redirect
from registry.errors import Forbidden, NotFound, UnreadableDocument
from registry.pages.editions import Edition
from registry.pages.site import render
from registry.pages.views.kit_pages import code_view
from registry.pages.views.letter_pages import (
    Letter,
    LetterSubject,
    agency_subject,
    calendar_file,
    contest_view,
    letter_text,
    letter_view,
    read_received,
    record_subject,
    writing_language,
)
from registry.pages.views.lists import is_of_country
from registry.record.pack import Pack
from registry.record.short_code import TypedCode, read_code
from registry.store import agencies, codes, imports, peers, records
from registry.store.database import Database
from registry.text.locales import negotiate
from registry.work import in_thread

_FORM = {"application/x-www-form-urlencoded": "a form"}
_LARGEST = 64 * 1024
"""Bytes of a form; a letter of the longest fields in Arabic has half of them."""

_BUTTON = "then"
_BUTTONS = ("print", "text", "calendar")
_UNREADABLE = 422
_LONGEST_DAY = 40
"""Characters of a day that are read."""


def letter_handler(editions: Callable[[Pack], Mapping[str, Edition]]) -> HTTPRouteHandler:
    """Return the handler of the forms of letters, for the editions of a site."""

    @post(
        [
            "/{tag:str}/letter",
            "/{tag:str}/agencies/{agency:str}/letter",
            "/{tag:str}/records/{agency:str}/{slug:str}/letter",
        ],
        status_code=200,
        include_in_schema=False,
    )
    async def answer_letter(request: ApiRequest, state: ApiState) -> Response[bytes]:
        # What others make somebody send would be their words under this register's address.
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            raise Forbidden("a letter is sent from its own page")
        typed, button = await _read_letter(request)
        tag, known = request.path_params["tag"], editions(state.context.pack)
        if tag not in known:
            raise NotFound(f"there is no language {tag} here")
        parts = request.path_params
        subject = await _subject(state, parts.get("agency", ""), parts.get("slug", ""))
        now = state.clock()
        page = partial(_page, known, tag, subject, typed, today=state.context.pack.day(now))
        if button == "text":
            return await in_thread(_text, known, tag, subject, typed)
        if button == "print":
            return await in_thread(page, 200, is_filled=True)
        received = read_received(known, typed.received, now.date())
        if received is None:
            return await in_thread(page, _UNREADABLE, fault="received")
        content = calendar_file(known[tag], subject, received, now=now)
        return _response(content, 200, "text/calendar", name="dates.ics")

    return answer_letter


def contest_handler(editions: Callable[[Pack], Mapping[str, Edition]]) -> HTTPRouteHandler:
    """Return the handler of how to contest with the day on which a decision was received."""

    @get("/{tag:str}/contest", include_in_schema=False)
    async def answer_contest(
        state: ApiState, tag: FromPath[str], received: Annotated[str, QueryParameter()] = ""
    ) -> Response[bytes]:
        known, today = editions(state.context.pack), state.clock().date()
        typed = received.strip()[:_LONGEST_DAY]
        day = read_received(known, typed, today)

        def page() -> bytes:
            edition = known[tag]
            view = partial(
                contest_view, edition.reader, known, received=day, today=today, typed=typed
            )
            return render(
                edition, f"contest?{urlencode({'received': typed})}", "contest.html", view
            )

        status = _UNREADABLE if typed and day is None else 200
        return _response(await in_thread(page), status, "text/html")

    return answer_contest


async def _read_letter(request: ApiRequest) -> tuple[Letter, str]:
    """Return what was typed and the button that was pressed; refuses what no form of ours sends."""
    require_one_of(request, _FORM)
    body = await read_body(request, _LARGEST)
    try:
        given = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=99)
        sent = {name: "\n".join(value.splitlines()).strip() for name, value in given}
        button = sent.pop(_BUTTON, "")
        typed = msgspec.convert(sent, Letter)
    except ValueError as error:
        raise UnreadableDocument(f"this is no letter: {error}") from error
    if button not in _BUTTONS or len(given) != len(sent) + 1:
        raise UnreadableDocument("this is no letter: each field comes once, and one button")
    return typed, button


async def _subject(state: ApiState, agency: str, slug: str) -> LetterSubject:
    """Return what a letter is about, by the parts of its address, which may be empty."""
    pack = state.context.pack
    if not agency:
        return LetterSubject(path="letter")
    if not slug:
        known = pack.agencies.get(agency)
        if known is None or known.origin is not None:
            raise NotFound(f"there is no agency {agency} here")
        return agency_subject(known)
    async with state.context.database.connection() as connection:
        record = await records.read(connection, f"{agency}/{slug}")
        if record is None:
            raise NotFound(f"there is no record {agency}/{slug}")
        named = await agencies.read_named(connection, [record.agency])
        origins = await imports.read_origins(connection)
    if not is_of_country(record.register.origin, origins, pack):
        raise NotFound(f"there is no letter about {record.id}")
    return record_subject(record, {**pack.agencies, **named})


def _page(
    editions: Mapping[str, Edition],
    tag: str,
    subject: LetterSubject,
    typed: Letter,
    status: int,
    *,
    today: dt.date,
    is_filled: bool = False,
    fault: str = "",
) -> Response[bytes]:
    edition = editions[tag]

    def view() -> dict[str, Any]:
        return letter_view(
            edition.reader,
            editions,
            subject,
            today=today,
            typed=typed,
            is_filled=is_filled,
            fault=fault,
        )

    content = render(edition, subject.path, "letter.html", view)
    return _response(content, status, "text/html")


def _text(
    editions: Mapping[str, Edition], tag: str, subject: LetterSubject, typed: Letter
) -> Response[bytes]:
    content = letter_text(editions, writing_language(editions, tag), subject, typed)
    return _response(content, 200, "text/plain", name="letter.txt")


def _response(content: bytes, status: int, media_type: str, name: str = "") -> Response[bytes]:
    headers = {"cache-control": "no-store", "content-security-policy": CONTENT_POLICY}
    if name:
        kind = "attachment" if name.endswith(".ics") else "inline"
        headers["content-disposition"] = f'{kind}; filename="{name}"'
    return Response(content, status_code=status, media_type=media_type, headers=headers)


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
