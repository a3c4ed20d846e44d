"""Personal data: searched in texts, asked to be erased, confirmed by another person, followed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Response, get, post

from registry.clock import utc_now
from registry.console.page import ConsoleRequest, NumberPath, console_page, see_other
from registry.console.sessions import (
    FOR_EVER,
    KEPT_ABOVE,
    UNKEPT,
    fields_as,
    kept_fields,
    read_fields,
)
from registry.errors import Finding, InvalidParameter, InvalidStatement
from registry.log.redaction import WORDS_OF_A_TEXT
from registry.pages.labels import message
from registry.pages.reader import Reader, in_language, label
from registry.pages.views.document_view import field_name
from registry.services import policy
from registry.services.statements import personal_data, redaction
from registry.services.statements.personal_data import FoundText
from registry.store import redactions

_ASKED = message("It is asked for. Another person with this page confirms it.")
_CONFIRMED = message("It is in the log. What it names is destroyed within seconds.")
_TAKEN_BACK = message("Taken back. Nothing is erased.")


class ErasureFields(msgspec.Struct, kw_only=True):
    """What is typed to have something erased; `words` are lines, `basis` one of the reasons."""

    subject: str = ""
    entry: str = ""
    places: list[str] = []
    basis: str = WORDS_OF_A_TEXT
    words: str = ""
    authority: str = ""
    reference: str = ""

    @property
    def statement(self) -> dict[str, Any]:
        """The statement of a redaction; what is empty is left out."""
        words = [word.strip() for word in self.words.split("\n") if word.strip()]
        said = {
            "entry": int(self.entry) if self.entry.isdecimal() else None,
            "record": None if self.entry else self.subject,
            "pointers": self.places,
            "words": words if self.basis == WORDS_OF_A_TEXT else None,
            "basis": self.basis,
            "authority": self.authority.strip(),
            "reference": self.reference.strip(),
        }
        return {name: value for name, value in said.items() if value}


@get("/{lang:str}/privacy")
async def privacy_page(request: ConsoleRequest) -> Response[bytes]:
    """Show what was asked to be erased, and the search for those who may search."""
    kept = await kept_fields(request)
    return await _page(request, typed=fields_as(ErasureFields, kept) if kept else None)


@post("/{lang:str}/privacy", status_code=200, opt={UNKEPT: True})
async def search_privacy(request: ConsoleRequest) -> Response[bytes]:
    """Search texts; the words are in no address, which logs and histories would keep."""
    query = dict(await read_fields(request)).get("query", "")
    try:
        found, is_cut = await personal_data.search_texts(
            request.context, request.actor, query, now=utc_now()
        )
    except InvalidParameter:
        fault = message("Write at least 3 letters or digits of a name or a number")
        return await _page(request, query=query, errors=[("query", fault)], status=422)
    return await _page(request, query=query, found=found, is_cut=is_cut)


@post("/{lang:str}/privacy/ask", status_code=200, opt={FOR_EVER: True, KEPT_ABOVE: True})
async def ask_erasure(request: ConsoleRequest) -> Response[bytes]:
    """Ask for something to be erased, or show why that cannot be asked."""
    typed = fields_as(ErasureFields, await read_fields(request))
    try:
        await redaction.request(request.context, request.actor, typed.statement, **request.options)
    except InvalidStatement as error:
        return await _page(request, typed=typed, findings=error.findings, status=422)
    return await see_other(request, "privacy", _ASKED)


@post("/{lang:str}/privacy/{number:int}/confirm", status_code=303, opt={FOR_EVER: True})
async def confirm_erasure(request: ConsoleRequest, number: NumberPath) -> Response[bytes]:
    """Confirm what another person asked for."""
    await redaction.confirm(request.context, request.actor, number, now=utc_now())
    return await see_other(request, "privacy", _CONFIRMED)


@post("/{lang:str}/privacy/{number:int}/take-back", status_code=303)
async def take_back_erasure(request: ConsoleRequest, number: NumberPath) -> Response[bytes]:
    """Take a request back, or refuse another's."""
    await redaction.delete(request.context, request.actor, number, now=utc_now())
    return await see_other(request, "privacy", _TAKEN_BACK)


async def _page(
    request: ConsoleRequest,
    *,
    query: str = "",
    found: Sequence[FoundText] | None = None,
    is_cut: bool = False,
    typed: ErasureFields | None = None,
    findings: Sequence[Finding] = (),
    errors: Any = (),
    status: int = 200,
) -> Response[bytes]:
    asked = await redaction.list_redactions(request.context, request.actor)
    async with request.context.database.connection() as connection:
        unsettled = await redactions.read_unsettled(connection)
    forms = _forms(found or ()) if typed is None else [(typed, [])]

    def view(reader: Reader) -> dict[str, Any]:
        def named(pointer: str) -> Any:
            return field_name(reader, pointer)

        return {
            "searches": policy.searches_texts(request.actor),
            "query": query,
            "found": found,
            "most": is_cut,
            "forms": [(one, [(hit, named(hit.pointer)) for hit in hits]) for one, hits in forms],
            "drafts": [(hit, named(hit.pointer)) for hit in found or () if hit.is_draft],
            "named": named,
            "typed": typed,
            "findings": [in_language(reader, one.message, one.lang) for one in findings],
            "errors": errors,
            "bases": [
                (code, label(reader, "redaction_reason", code))
                for code in (WORDS_OF_A_TEXT, "data_protection", "court", "security")
            ],
            "asked": [
                {
                    "one": one,
                    "fields": [named(place) for place in one.pointers],
                    "basis": label(reader, "redaction_reason", one.basis),
                    "is_gone": one.is_done and one.entry not in unsettled,
                    "is_own": one.requested_person == request.actor.person,
                }
                for one in asked
            ],
        }

    return await console_page(request, "privacy.html", view, status=status)


def _forms(found: Sequence[FoundText]) -> list[tuple[ErasureFields, list[FoundText]]]:
    """Return a form for each record and entry of which something published was found."""
    grouped: dict[tuple[str, int | None], list[FoundText]] = {}
    for hit in found:
        if not hit.is_draft:
            grouped.setdefault((hit.subject, hit.entry), []).append(hit)
    return [
        (
            ErasureFields(
                subject=subject,
                entry="" if entry is None else str(entry),
                places=[hit.pointer for hit in hits],
                basis=WORDS_OF_A_TEXT if entry is None else "data_protection",
                words="\n".join(sorted({word for hit in hits for word in hit.words})),
            ),
            hits,
        )
        for (subject, entry), hits in grouped.items()
    ]
