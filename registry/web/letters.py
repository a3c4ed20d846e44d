"""A letter that was filled in, given back: as a page to print, as text, or as dates to keep.

What is sent is part of the answer to it and of nothing else: it is neither kept nor logged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler

from registry.api.request_body import read_body, require_one_of
from registry.api.request_context import ApiRequest, ApiState
from registry.api.site import POLICY
from registry.errors import Forbidden, NotFound, UnreadableDocument
from registry.pages.editions import Edition
from registry.pages.site import render
from registry.pages.views.letter_calendar import calendar_file, read_received
from registry.pages.views.letter_pages import (
    Letter,
    LetterSubject,
    agency_subject,
    letter_text,
    letter_view,
    record_subject,
    writing_language,
)
from registry.pages.views.lists import is_of_country
from registry.record.pack import Pack
from registry.store import agencies, imports, records
from registry.work import in_thread

_FORM = {"application/x-www-form-urlencoded": "a form"}
_LARGEST = 64 * 1024
"""Bytes of a form; a letter of the longest fields in Arabic has half of them."""

_BUTTON = "then"
_BUTTONS = ("print", "text", "calendar")
_UNREADABLE = 422


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
        page = partial(_page, known, tag, subject, typed)
        if button == "text":
            return await in_thread(_text, known, tag, subject, typed)
        if button == "print":
            return await in_thread(page, 200, is_filled=True)
        now = state.clock()
        received = read_received(known, typed.received, now.date())
        if received is None:
            return await in_thread(page, _UNREADABLE, fault="received")
        content = calendar_file(known[tag], subject, received, now=now)
        return _response(content, 200, "text/calendar", name="dates.ics")

    return answer_letter


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
    is_filled: bool = False,
    fault: str = "",
) -> Response[bytes]:
    edition = editions[tag]

    def view() -> dict[str, Any]:
        return letter_view(
            edition.reader, editions, subject, typed=typed, is_filled=is_filled, fault=fault
        )

    content = render(edition, subject.path, "letter.html", view)
    return _response(content, status, "text/html")


def _text(
    editions: Mapping[str, Edition], tag: str, subject: LetterSubject, typed: Letter
) -> Response[bytes]:
    content = letter_text(editions, writing_language(editions, tag), subject, typed)
    return _response(content, 200, "text/plain", name="letter.txt")


def _response(content: bytes, status: int, media_type: str, name: str = "") -> Response[bytes]:
    headers = {"cache-control": "no-store", "content-security-policy": POLICY}
    if name:
        kind = "attachment" if name.endswith(".ics") else "inline"
        headers["content-disposition"] = f'{kind}; filename="{name}"'
    return Response(content, status_code=status, media_type=media_type, headers=headers)
