"""What the handlers of writes share: preconditions, options, and receipts as they are answered."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import TypedDict

import msgspec
from litestar import MediaType, Response

from registry.api.parameters import language_of
from registry.api.request_context import ApiRequest, ApiState
from registry.clock import utc_now
from registry.errors import PreconditionFailed
from registry.record.messages import message, render
from registry.record.pack import Pack
from registry.services.drafts import Precondition
from registry.services.receipts import Receipt
from registry.settings import Settings

_TAG = re.compile(r'"([0-9a-f]{16})(?:-[a-z]+[0-9]*)*"')
_STATUS = {"published": 201, "withdrawn": 201, "in_review": 202}

_PUBLISHED = message(
    "The record is public now and in search; the site shows it within seconds. To change it, save "
    "an amendment with If-Match and the tag in the ETag header."
)
_IN_REVIEW = message(
    "Nothing is public yet: somebody at the authority reads the draft and approves it, or returns "
    "it with a comment. Read the draft to see where it stands; once it is approved it is gone from "
    "there, and the record is public. To take it back, delete the draft."
)
_RETURNED = message(
    "The agency finds your comment with its draft, mends it and submits it again. Nothing was made "
    "public."
)
BLOCKED = message(
    "It is in the register, but not published yet: the log is stopped, because a check of it has "
    "found a fault. The signed log and the site show it once that is mended; keep this receipt."
)
WITHDRAWN = message(
    "The record is out of force, lists and search; its address answers 410 with the reason, and "
    "every version stays readable. To file it again under the same id, save it with "
    "If-None-Match: * and submit it."
)


SAVED = message(
    "Nothing is public yet. Submit the draft when it is ready; read it to see what publication "
    "still asks of it."
)


def precondition_of(request: ApiRequest) -> Precondition | None:
    """Read which state a request means to change; refuses weak tags, several tags and `*`."""
    match, none_match = _field(request, "if-match"), _field(request, "if-none-match")
    if match is not None and none_match is not None:
        raise PreconditionFailed(
            "If-Match and If-None-Match cannot both hold; send If-Match to change what is there, "
            "or If-None-Match: * to begin a new record"
        )
    if match is not None:
        tag = _TAG.fullmatch(match.strip())
        if tag is None:
            raise PreconditionFailed(
                f"If-Match: {match} is not one strong tag of ours; send the ETag that the draft "
                "or the record was answered with, quotes included"
            )
        return Precondition(tag=tag[1])
    if none_match is None:
        return None
    if none_match.strip() != "*":
        raise PreconditionFailed("to begin a new record send If-None-Match: *, nothing else")
    return Precondition(new=True)


class WriteOptions(TypedDict):
    """The arguments that every service that writes takes beside the actor and what is written."""

    precondition: Precondition | None
    now: dt.datetime
    language: str
    idempotency_key: str | None


def write_options(request: ApiRequest, lang: str | None, pack: Pack) -> WriteOptions:
    """Read the options of a write from the headers of its request, and its `lang`."""
    return WriteOptions(
        precondition=precondition_of(request),
        now=utc_now(),
        language=language_of(request, lang, pack),
        idempotency_key=key_of(request),
    )


def key_of(request: ApiRequest) -> str | None:
    """Read the key by which a request may be repeated."""
    return _field(request, "idempotency-key")


def _field(request: ApiRequest, name: str) -> str | None:
    """Read a header as one text, in however many lines it came (RFC 9110 §5.3).

    Of two lines a proxy may have looked at the other one.
    """
    lines: list[str] = request.headers.getall(name, [])
    return ", ".join(lines) if lines else None


def private(
    answer: msgspec.Struct, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    """Return an answer that no cache keeps."""
    return Response(
        content=msgspec.json.encode(answer),
        status_code=status,
        media_type=MediaType.JSON,
        headers={"cache-control": "no-store", **(headers or {})},
    )


class ReceiptAnswer(Receipt, frozen=True, kw_only=True, omit_defaults=True):
    """The proof of what the office has done, where to look, and what happens next. Keep it."""

    links: dict[str, str]
    next: str


def answer_receipt(receipt: Receipt, state: ApiState, *, language: str) -> Response[bytes]:
    """Return a receipt as an answer, with the tag of what it leaves."""
    tag = receipt.tag
    if receipt.published_at is not None and receipt.hash is not None:
        tag = receipt.hash[:16]
    return private(
        with_links(
            receipt,
            state.settings,
            state.context.pack,
            language=language,
            is_blocked=state.context.guard.is_blocked,
        ),
        status=_STATUS.get(receipt.outcome, 200),
        headers={} if tag is None else {"etag": f'"{tag}"'},
    )


def with_links(
    receipt: Receipt, settings: Settings, pack: Pack, *, language: str, is_blocked: bool = False
) -> ReceiptAnswer:
    """Add where to look and what happens next; the page is in the country's first language."""
    drafts = f"{settings.base_url}/api/v1/filings"
    record = f"{settings.base_url}/api/v1/records/{receipt.id}"
    if receipt.returned_at is not None:
        links, following = {"waiting": f"{drafts}?state=in_review"}, _RETURNED
    elif receipt.version is None or receipt.entry is None:
        links, following = {"draft": f"{drafts}/{receipt.id}"}, _IN_REVIEW
    else:
        following = WITHDRAWN if receipt.published_at is None else _PUBLISHED
        following = BLOCKED if is_blocked else following
        links = {
            "record": record,
            "page": f"{settings.base_url}/{pack.languages[0]}/records/{receipt.id}",
            "version": f"{record}/versions/{receipt.version}",
            "history": f"{record}/versions",
            "changes": f"{settings.base_url}/api/v1/changes?since={receipt.entry - 1}&limit=1",
        }
        if receipt.code is not None:
            links["notice"] = f"{links['page']}/notice"
    return ReceiptAnswer(
        **msgspec.structs.asdict(receipt),
        links=links,
        next=render(following, language, pack.fallback),
    )
