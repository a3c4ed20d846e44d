"""What every write shares: the state that it means, its key, and an answer for nobody else."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import TypedDict

from litestar import MediaType, Response

from registry.api.parameters import language_of
from registry.api.request_context import ApiRequest
from registry.clock import utc_now
from registry.errors import PreconditionFailed
from registry.record.pack import Pack
from registry.services.drafts import Precondition

_TAG = re.compile(r'"([0-9a-f]{16})(?:-[a-z]+[0-9]*)*"')


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
    """How a write is meant, beside who writes what: by the arguments of the office's functions."""

    precondition: Precondition | None
    now: dt.datetime
    language: str
    idempotency_key: str | None


def write_options(request: ApiRequest, lang: str | None, pack: Pack) -> WriteOptions:
    """Read how a write is meant from the headers of its request, and its `lang`."""
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
    body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    """Answer JSON that nobody keeps."""
    return Response(
        content=body,
        status_code=status,
        media_type=MediaType.JSON,
        headers={"cache-control": "no-store", **(headers or {})},
    )
