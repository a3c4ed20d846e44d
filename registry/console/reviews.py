"""Review: the queue, and the page on which one draft is read and decided on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Response, get, post

from registry.api.parameters import RecordPath
from registry.clock import utc_now
from registry.console.page import ConsoleRequest, console_page, see_other
from registry.console.sessions import FOR_EVER, fields_as, kept_fields, read_fields
from registry.errors import Finding, InvalidRecord, InvalidStatement, PreconditionFailed
from registry.pages.labels import message
from registry.pages.reader import Reader
from registry.pages.views.document_view import field_name
from registry.pages.views.review_view import (
    QueueFilter,
    arrange_queue,
    comment_field,
    queue_view,
    review_view,
)
from registry.services.filing import review
from registry.services.filing.review import WaitingDraft
from registry.services.people import notices
from registry.services.statements import pending_acts

_SHOWN = 100
"""Drafts on the page of the queue."""

_LONGEST_QUERY = 500

_OF_FIELD = "comment:"
_SAY_WHY = message("Say why it goes back.")


class TypedComments(msgspec.Struct, frozen=True, kw_only=True):
    """What a reviewer has typed: by pointer, on the whole (an empty one), and on a chosen field."""

    tag: str | None = None
    queue: str = ""
    by_field: Mapping[str, str] = {}
    other: tuple[str, str] = ("", "")

    @property
    def is_written(self) -> bool:
        """Whether there is a comment at all, also one whose field is not chosen yet."""
        return bool(self.by_field or self.other[1])

    @property
    def statement(self) -> dict[str, Any]:
        """The statement of the return: a comment, and comments by field, where there are any."""
        by_field = {place: text for place, text in self.by_field.items() if place}
        place, text = self.other
        if place and text:
            by_field[place] = text
        whole = self.by_field.get("", "")
        return ({"comment": whole} if whole else {}) | ({"comments": by_field} if by_field else {})


@get("/{lang:str}/review/")
async def queue_page(request: ConsoleRequest) -> Response[bytes]:
    """Show what waits for the member's review."""
    wanted, today = (
        _filter_of(request.scope["query_string"].decode("ascii", "replace")),
        utc_now().date(),
    )
    waiting, arranged, findings = await _queue(request, wanted)
    acts = await pending_acts.list_acts(request.context, request.actor, state="in_review")
    shown = arranged[:_SHOWN]
    if not findings:
        findings = await review.count_findings(request.context, shown, now=utc_now())

    def view(reader: Reader) -> dict[str, Any]:
        made = queue_view(reader, waiting, shown, wanted, findings, today=today)
        return {**made, "found": len(arranged), "acts": acts}

    return await console_page(request, "review_queue.html", view)


def _filter_of(query: str) -> QueueFilter:
    """Return the filter of a query; what it does not know is passed over."""
    return fields_as(QueueFilter, parse_qsl(query[:_LONGEST_QUERY]))


async def _queue(
    request: ConsoleRequest, wanted: QueueFilter
) -> tuple[list[WaitingDraft], list[WaitingDraft], dict[str, int]]:
    """Return what waits, what a filter wants of it, and, if its order needs them, findings."""
    context, now = request.context, utc_now()
    waiting = await review.read_queue(context, request.actor)
    findings = {}
    if wanted.sort == "findings":
        findings = await review.count_findings(context, waiting, now=now)
    return waiting, arrange_queue(waiting, wanted, findings, today=now.date()), findings


async def _following(request: ConsoleRequest, record: str, wanted: QueueFilter) -> str | None:
    """Return the record that follows in the queue, of those that the member can decide on."""
    _, arranged, _ = await _queue(request, wanted)
    ids = [one.draft.record for one in arranged if not one.is_own or one.draft.record == record]
    at = ids.index(record) if record in ids else -1
    return next((one for one in (*ids[at + 1 :], *ids[: max(at, 0)]) if one != record), None)


@get("/{lang:str}/review/{agency:str}/{slug:str}")
async def review_page(request: ConsoleRequest, record: RecordPath) -> Response[bytes]:
    """Show a draft that waits: what it changes, what was found, and what can be decided."""
    typed = _typed(await kept_fields(request) or ())
    page = await _page(request, record, typed=typed)
    await notices.mark_read(request.context, request.actor, now=utc_now(), subject=record)
    return page


@post("/{lang:str}/review/{agency:str}/{slug:str}", status_code=303, opt={FOR_EVER: True})
async def decide(request: ConsoleRequest, record: RecordPath) -> Response[bytes]:
    """Approve or return the draft that was read; where it is another by now, show that one."""
    given = await read_fields(request)
    typed, is_approval = _typed(given), ("act", "approve") in given
    means = request.tagged(typed.tag or "")
    context, actor = request.context, request.actor
    if is_approval and typed.is_written:
        return await _page(request, record, typed=typed, unsent=True, status=422)
    wanted = _filter_of(typed.queue)
    following = await _following(request, record, wanted)
    path = f"review/{following or ''}{wanted.query and '?'}{wanted.query}"
    try:
        if is_approval:
            receipt = await review.approve(context, actor, record, **means)
            wording = message("%(record)s is published as version %(version)s.")
            version = str(receipt.version)
            return await see_other(request, path, wording, record=record, version=version)
        await review.return_draft(context, actor, record, typed.statement, **means)
    except PreconditionFailed:
        return await _page(request, record, typed=typed, status=412)
    except InvalidStatement as error:
        return await _page(request, record, typed=typed, found=error.findings, status=422)
    except InvalidRecord:
        # Something was published meanwhile; the page says which errors it has now.
        return await _page(request, record, typed=typed, status=422)
    wording = message("%(record)s was returned with your comments.")
    return await see_other(request, path, wording, record=record)


async def _page(
    request: ConsoleRequest,
    record: str,
    *,
    typed: TypedComments,
    found: Sequence[Finding] = (),
    unsent: bool = False,
    status: int = 200,
) -> Response[bytes]:
    reviewed = await review.read_review(request.context, request.actor, record, **request.options)
    wanted = _filter_of(typed.queue or request.scope["query_string"].decode("ascii", "replace"))
    following = await _following(request, record, wanted)

    def view(reader: Reader) -> dict[str, Any]:
        made = review_view(reader, reviewed)
        beside = {change.pointer for section in made["sections"] for change in section.changes}
        beside |= {"", made["note_pointer"] if made["note"] else ""}
        return made | {
            # Comments on fields that no longer change have no box there.
            "kept": [
                (place, field_name(reader, place))
                for place in typed.by_field
                if place not in beside
            ],
            "typed": typed.by_field,
            "typed_other": {"place": typed.other[0], "text": typed.other[1]},
            "errors": [
                (
                    _box_of(finding.pointer, typed),
                    _SAY_WHY if finding.rule == "required" else finding.message,
                )
                for finding in found
            ],
            "stale": typed.tag not in {None, reviewed.draft.tag},
            "unsent": unsent,
            "box": comment_field,
            "queue": wanted.query,
            "following": following,
            "public": f"{request.settings.base_url}/{request.language}/records/{record}",
        }

    return await console_page(request, "review.html", view, status=status)


def _typed(given: Sequence[tuple[str, str]]) -> TypedComments:
    """Return what was typed, without the space around it; browsers send CRLF for a new line."""
    said = {name: value.replace("\r\n", "\n").strip() for name, value in given}
    by_field = {
        name.removeprefix(_OF_FIELD): text
        for name, text in said.items()
        if name.startswith(_OF_FIELD) and text
    }
    if whole := said.get("comment"):
        by_field[""] = whole
    return TypedComments(
        tag=said.get("tag"),
        queue=said.get("queue", ""),
        by_field=by_field,
        other=(said.get("other", ""), said.get("other-comment", "")),
    )


def _box_of(place: str, typed: TypedComments) -> str:
    """Return the id of the box that a finding of a statement is about."""
    _, _, field = place.partition("/comments/")
    if not field:
        return "comment"
    name = field.partition("/")[0].replace("~1", "/").replace("~0", "~")
    return "other-comment" if name == typed.other[0] else comment_field(name)
