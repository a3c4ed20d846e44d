"""Answers that lie ready to be sent: their headers and bytes, plain and compressed."""

import re
import zlib
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

from registry.api.conditional import CODED
from registry.api.records import tag_of, written
from registry.store.kept import LastVersion

Headers: TypeAlias = list[tuple[bytes, bytes]]

_CODINGS = re.compile(r"([\w*-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d*)?))?", re.ASCII)
_GZIP = 16 + zlib.MAX_WBITS
_COMPRESSED = 1.5
"""What an answer takes with its compressed form, times its body; it is mostly less."""
_OF_A_RECORD = [(b"cache-control", b"no-cache"), (b"vary", b"accept-encoding")]


class Form(msgspec.Struct, frozen=True):
    """An answer in one coding: all its headers but for those of the edge, and its body.

    `tag` is that of the plain form, by which both are known; `head` are the headers that an answer
    has too which says that nothing was changed.
    """

    tag: bytes
    head: Headers
    headers: Headers
    body: Any


class Ready(msgspec.Struct):
    """The answer about a record, and its compressed form once somebody has asked for that."""

    plain: Form
    packed: Form | None = None

    def form(self, accepted: bytes | None) -> Form:
        """Choose the form by what is accepted (`Accept-Encoding`)."""
        if accepted is None or not _takes_gzip(accepted):
            return self.plain
        self.packed = self.packed or _packed(self.plain)
        return self.packed


def ready(stored: LastVersion) -> tuple[Ready, int]:
    """Make the answer about a record, and say how many bytes it takes."""
    body = written(stored.document, stored.register)
    plain = form(tag_of(stored.register).encode(), _OF_A_RECORD, body)
    return Ready(plain), int(len(body) * _COMPRESSED)


def form(tag: bytes, head: Headers, body: bytes, *more: tuple[bytes, bytes]) -> Form:
    """Make the form of an answer in JSON; `more` says how the body is coded."""
    length = (b"content-length", str(len(body)).encode())
    return Form(
        tag=tag,
        head=head,
        headers=[*head, (b"etag", tag), (b"content-type", b"application/json"), *more, length],
        body={"type": "http.response.body", "body": body, "more_body": False},
    )


def _packed(plain: Form) -> Form:
    press = zlib.compressobj(wbits=_GZIP)
    body = press.compress(plain.body["body"]) + press.flush()
    coded = form(plain.tag[:-1] + CODED, plain.head, body, (b"content-encoding", b"gzip"))
    return msgspec.structs.replace(coded, tag=plain.tag)


@lru_cache(maxsize=100)
def _takes_gzip(accepted: bytes) -> bool:
    """Tell whether gzip may be sent, and is liked no less than plain bytes (RFC 9110 §12.5.3)."""
    liked = {
        name.lower(): float(quality or 1)
        for name, quality in _CODINGS.findall(accepted.decode("latin-1"))
    }
    gzip = liked.get("gzip", liked.get("x-gzip", liked.get("*", 0)))
    return gzip > 0 and gzip >= liked.get("identity", 0)
