"""What the handlers of writes share: preconditions, options, and receipts as they are answered."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import TypeAlias, TypedDict, TypeVar

import msgspec
from litestar import MediaType, Response
from litestar.di import NamedDependency

from registry.api.parameters import Lang, language_of
from registry.api.request import ApiRequest, ApiState, read_document
from registry.clock import utc_now
from registry.errors import PreconditionFailed
from registry.record.messages import Message, message, render
from registry.record.model import Document
from registry.services.context import ServiceContext
from registry.services.filing.drafts import Precondition
from registry.services.filing.receipts import Receipt
from registry.services.people.access import Actor

P = TypeVar("P", bound=msgspec.Struct)

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


class KeyedOptions(TypedDict):
    """The arguments that every service takes that does something once a key."""

    now: dt.datetime
    language: str
    idempotency_key: str | None


class WriteOptions(KeyedOptions):
    """The arguments that every service that writes takes beside the actor and what is written."""

    precondition: Precondition | None


class ActorRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request with a token: who acts, and in which language the sentences of its answer are."""

    request: ApiRequest
    state: ApiState
    context: ServiceContext
    actor: Actor
    language: str

    @property
    def keyed(self) -> KeyedOptions:
        """The time, the language, and the key by which the request may be repeated."""
        return KeyedOptions(
            now=utc_now(), language=self.language, idempotency_key=key_of(self.request)
        )

    @property
    def options(self) -> WriteOptions:
        """These, and the state that the request means to change."""
        return WriteOptions(precondition=precondition_of(self.request), **self.keyed)

    async def document(self, media_type: str = "application/json") -> Document:
        """Read the body as one JSON object."""
        return await read_document(self.request, media_type)

    def address(self, path: str) -> str:
        """Return an address of the API, which the answer links to."""
        return f"{self.state.settings.base_url}/api/v1/{path}"

    def unless_blocked(self, following: Message) -> Message:
        """Return what happens next of what is in the log, also while the log is stopped."""
        return BLOCKED if self.context.guard.is_blocked else following

    def proof(
        self, kind: type[P], receipt: msgspec.Struct, links: Mapping[str, str], following: Message
    ) -> P:
        """Add to a receipt where to look, and what happens next."""
        return kind(
            **msgspec.structs.asdict(receipt),
            links=links,
            next=render(following, self.language, self.context.pack.fallback),
        )


Call: TypeAlias = NamedDependency[ActorRequest]
"""The parameter `call` of a handler."""


def provide_call(
    request: ApiRequest, state: ApiState, actor: NamedDependency[Actor], lang: Lang = None
) -> ActorRequest:
    """Return what the handlers take that act for somebody; a dependency of litestar's."""
    context = state.context
    return ActorRequest(
        request=request,
        state=state,
        context=context,
        actor=actor,
        language=language_of(request, lang, context.pack),
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


def answer_receipt(receipt: Receipt, call: ActorRequest) -> Response[bytes]:
    """Return a receipt as an answer, with the tag of what it leaves."""
    tag = receipt.tag
    if receipt.published_at is not None and receipt.hash is not None:
        tag = receipt.hash[:16]
    return private(
        with_links(receipt, call),
        status=_STATUS.get(receipt.outcome, 200),
        headers={} if tag is None else {"etag": f'"{tag}"'},
    )


def with_links(receipt: Receipt, call: ActorRequest) -> ReceiptAnswer:
    """Add where to look and what happens next; the page is in the country's first language."""
    drafts, record = call.address("filings"), call.address(f"records/{receipt.id}")
    if receipt.returned_at is not None:
        links, following = {"waiting": f"{drafts}?state=in_review"}, _RETURNED
    elif receipt.version is None or receipt.entry is None:
        links, following = {"draft": f"{drafts}/{receipt.id}"}, _IN_REVIEW
    else:
        following = call.unless_blocked(WITHDRAWN if receipt.published_at is None else _PUBLISHED)
        site, language = call.state.settings.base_url, call.context.pack.languages[0]
        links = {
            "record": record,
            "page": f"{site}/{language}/records/{receipt.id}",
            "version": f"{record}/versions/{receipt.version}",
            "history": f"{record}/versions",
            "changes": call.address(f"changes?since={receipt.entry - 1}&limit=1"),
        }
        if receipt.code is not None:
            links["notice"] = f"{links['page']}/notice"
    return call.proof(ReceiptAnswer, receipt, links, following)
