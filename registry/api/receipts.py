"""Receipts as they are answered: with where to look, and what happens next."""

from __future__ import annotations

import msgspec
from litestar import Response

from registry.api.request_context import ApiState
from registry.api.write_options import private
from registry.record.messages import message, render
from registry.record.pack import Pack
from registry.services.receipts import Receipt
from registry.settings import Settings

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
_WITHDRAWN = message(
    "The record is out of force, lists and search; its address answers 410 with the reason, and "
    "every version stays readable. To file it again under the same id, save it with "
    "If-None-Match: * and submit it."
)


SAVED = message(
    "Nothing is public yet. Submit the draft when it is ready; read it to see what publication "
    "still asks of it."
)


class ReceiptAnswer(Receipt, frozen=True, kw_only=True, omit_defaults=True):
    """The proof of what the office has done, where to look, and what happens next. Keep it."""

    links: dict[str, str]
    next: str


def answer_receipt(receipt: Receipt, state: ApiState, *, language: str) -> Response[bytes]:
    """Answer a receipt, with the tag of what it leaves."""
    tag = receipt.tag
    if receipt.published_at is not None and receipt.hash is not None:
        tag = receipt.hash[:16]
    return private(
        msgspec.json.encode(
            with_links(receipt, state.settings, state.context.pack, language=language)
        ),
        status=_STATUS.get(receipt.outcome, 200),
        headers={} if tag is None else {"etag": f'"{tag}"'},
    )


def with_links(receipt: Receipt, settings: Settings, pack: Pack, *, language: str) -> ReceiptAnswer:
    """Say where to look and what happens next; the page is in the country's first language."""
    drafts = f"{settings.base_url}/api/v1/filings"
    record = f"{settings.base_url}/api/v1/records/{receipt.id}"
    if receipt.returned_at is not None:
        links, following = {"waiting": f"{drafts}?state=in_review"}, _RETURNED
    elif receipt.version is None or receipt.entry is None:
        links, following = {"draft": f"{drafts}/{receipt.id}"}, _IN_REVIEW
    else:
        following = _WITHDRAWN if receipt.published_at is None else _PUBLISHED
        links = {
            "record": record,
            "page": f"{settings.base_url}/{pack.languages[0]}/records/{receipt.id}",
            "version": f"{record}/versions/{receipt.version}",
            "history": f"{record}/versions",
            "changes": f"{settings.base_url}/api/v1/changes?since={receipt.entry - 1}&limit=1",
        }
    return ReceiptAnswer(
        **msgspec.structs.asdict(receipt),
        links=links,
        next=render(following, language, pack.fallback),
    )
