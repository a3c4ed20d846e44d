"""Receipts of answers: an answer with its question, the log that it follows from, and a digest.

Whoever keeps one can show later, without this register, that it answered so: `registry verify`
rebuilds the register of that entry from a copy of its log, and asks the same.
"""

from __future__ import annotations

import asyncio
import re
from hashlib import sha256
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urlencode

import msgspec
from litestar import Litestar
from litestar.types import ASGIApp, Receive, Send

from registry import __version__
from registry.api.conditional import IS_HEAD, is_unread
from registry.errors import InvalidParameter, PayloadTooLarge, Unavailable
from registry.record.canonical import canonical
from registry.record.short_code import ALPHABET
from registry.store import agencies, imports, redactions
from registry.store.as_of import AsOf, read_as_of
from registry.store.published_files import PublishedLog, read_published
from registry.tlog import base64_text
from registry.tlog.checkpoint import stated
from registry.work import in_thread

MEDIA_TYPE = "application/vnd.registry.receipt+json"
PARAMETER = "receipt"
"""What a link asks by, which cannot set `Accept`: `receipt=1`."""

KEPT = re.compile(
    r"/api/v1/(?:records|statistics|changes|exports/records\.(?:csv|jsonl|jsonld|xlsx))"
)
"""The addresses whose answers are kept: those that count and find, as of an entry."""

_Pairs: TypeAlias = list[tuple[str, str]]

LARGEST = 32 * 2**20
"""Bytes of an answer that is kept."""

_CODE_LENGTH = 12
_GROUP = 4
_UNCODED = {"code", "size", "checkpoint", "answer"}
"""What is signed later, or follows from the digest: the same question keeps its code."""

_OK = 200
_AS_OF = "as_of"
_OF_REQUEST = (
    "type", "asgi", "http_version", "method", "scheme", "root_path", "client", "server",
    "request_context",
)  # fmt: skip
_TEXT = re.compile(r"text/|application/x-ndjson")
_REFUSED = re.compile(r"(^|;)\s*q=0(\.0*)?\s*(;|$)", re.IGNORECASE)
"""The weight in `Accept` of what is not wanted."""
_JSON = re.compile(r"application/([a-z.]+\+)?json\b")


class AnswerReceipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer as it was given, and all that it takes to compute it again.

    `question` is an address below that of the `register`, its parameters in order, `as_of` among
    them. It is answered as of the `entry`, of the time `at`; `root` is that of the log with this
    entry as its last one. The `checkpoint` is signed, of the first `size` entries, which are these
    and maybe later ones. `digest` is the SHA-256 of the answer in its canonical form, `code` a
    short name of all that does not change with a later checkpoint. The answer is JSON, text, or
    base64. `mended` are the words that an export looked for, where nothing has those asked.
    """

    code: str = ""
    register: str
    release: str
    origin: str
    question: str
    entry: int
    at: str
    root: str
    size: int
    checkpoint: str
    media_type: str
    digest: str
    mended: str | msgspec.UnsetType = msgspec.UNSET
    answer: Any

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"answer-{self.code}.json"

    def members(self) -> dict[str, Any]:
        """Return its members by name, but those that it does not have."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    def own_code(self) -> str:
        """Return the code that follows from the other members."""
        members = self.members()
        named = canonical({name: members[name] for name in members.keys() - _UNCODED})
        bits = int.from_bytes(sha256(named).digest(), "big")
        code = "".join(ALPHABET[bits >> 5 * at & 31] for at in range(_CODE_LENGTH))
        return "-".join(code[at : at + _GROUP] for at in range(0, _CODE_LENGTH, _GROUP))


class KeptQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question in the form that it is kept in, of a moment of the published log.

    `root` is that of the log with the moment's entry as its last one; `tag` follows from all that
    determines the receipt.
    """

    text: str
    moment: AsOf
    published: PublishedLog
    root: bytes
    tag: str


def encode_answer(media_type: str, content: bytes) -> Any:
    """Return the answer of a receipt, as JSON holds it."""
    if _JSON.match(media_type):
        return msgspec.json.decode(content)
    return content.decode() if _TEXT.match(media_type) else base64_text.encode(content)


def canonical_answer(media_type: str, answer: Any) -> bytes:
    """Return the canonical form of an answer: of JSON by RFC 8785, else its bytes.

    Raises `ValueError` for what no answer of that type is.
    """
    if _JSON.match(media_type):
        return canonical(answer)
    if not isinstance(answer, str):
        raise ValueError("an answer that is not JSON is a text")  # noqa: TRY004  bad input
    return answer.encode() if _TEXT.match(media_type) else base64_text.decode(answer)


def serve_receipts(application: ASGIApp, litestar: Litestar) -> ASGIApp:
    """Wrap the API: what asks for a receipt of an answer gets one, anything else the answer."""

    async def kept(scope: Any, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" and scope["method"] == "GET" else ""
        if not KEPT.fullmatch(path):
            await application(scope, receive, send)
            return

        async def send_varying(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [(b"vary", b"accept"), *message["headers"]]
            await send(message)

        if not _is_wanted(scope):
            await application(scope, receive, send_varying)
            return
        for message in await _answer(litestar, scope, path):
            await send_varying(message)

    return kept


async def _answer(litestar: Litestar, scope: Any, path: str) -> list[Any]:
    """Return the messages of a receipt, or of a refusal; nothing is kept that nobody reads."""
    question = await read_question(litestar, path, _pairs(scope))
    headers = {"content-type": MEDIA_TYPE, "cache-control": "no-cache", "etag": question.tag}
    parts = [b"", b""]
    if is_unread(scope, question.tag):
        start, _, messages = await _ask(litestar, scope, question.text, is_head=True)
        if start["status"] != _OK:
            return messages
        # The whole of it is long enough to be compressed.
        headers["vary"] = "accept,accept-encoding"
    else:
        found = await keep(litestar, scope, question)
        if not isinstance(found, AnswerReceipt):
            return found
        headers["content-disposition"] = f'attachment; filename="{found.file}"'
        parts = [msgspec.json.format(msgspec.json.encode(found), indent=1)]
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return [
        {"type": "http.response.start", "status": _OK, "headers": pairs},
        *(
            {"type": "http.response.body", "body": part, "more_body": number < len(parts)}
            for number, part in enumerate(parts, 1)
        ),
    ]


async def read_question(litestar: Litestar, path: str, asked: _Pairs) -> KeptQuestion:
    """Return the question at a path, as of the newest entry that is signed, or of its own moment.

    Raises `Unavailable` for a moment that is not signed yet, and `InvalidParameter` for one that
    is none, or for another receipt than the one that there is.
    """
    state: Any = litestar.state
    if [value for name, value in asked if name == PARAMETER] not in ([], ["1"]):
        raise InvalidParameter(f"{PARAMETER}: say 1 for a receipt of the answer, or leave it out")
    pairs = [pair for pair in asked if pair[0] != PARAMETER]
    moments = [value for name, value in pairs if name == _AS_OF]
    async with state.context.database.snapshot() as connection:
        published = await read_published(connection)
        if published.checkpoint is None:
            raise Unavailable("the log has signed nothing yet; try again in a moment")
        moment = await read_as_of(connection, moments[0] if moments else None, now=state.clock())
        if moment.entry >= published.size:
            if moments:
                raise Unavailable(f"entry {moment.entry} is not signed yet; try again in a moment")
            last = f"entry:{published.size - 1}"
            moment = await read_as_of(connection, last, now=state.clock())
        root = await state.tree.root(connection, published, moment.entry + 1)
        erasures = await redactions.count(connection)
        known = await agencies.fingerprint(connection)
        origins = msgspec.json.encode(await imports.read_origins(connection))
    question = canonical_question(path, pairs, moment)
    said = (__version__, state.settings.base_url, question, root, published.checkpoint)
    tag = sha256(msgspec.json.encode((*said, erasures, known, origins))).hexdigest()[:16]
    return KeptQuestion(
        text=question, moment=moment, published=published, root=root, tag=f'W/"{tag}"'
    )


async def keep(litestar: Litestar, scope: Any, question: KeptQuestion) -> AnswerReceipt | list[Any]:
    """Return the receipt of the answer to a question, or the messages of a refusal.

    Raises `PayloadTooLarge` for an answer that is too long to be kept.
    """
    state: Any = litestar.state
    moment, checkpoint = question.moment, question.published.checkpoint or b""
    start, content, messages = await _ask(litestar, scope, question.text)
    if start["status"] != _OK:
        return messages
    headers = {name.lower(): value for name, value in start["headers"]}
    media_type = headers[b"content-type"].decode("latin-1")
    mended = headers.get(b"x-register-mended")
    signed = stated(checkpoint)

    def made() -> AnswerReceipt:
        answer = encode_answer(media_type, content)
        digest = sha256(canonical_answer(media_type, answer)).hexdigest()
        receipt = AnswerReceipt(
            register=state.settings.base_url,
            release=__version__,
            origin=signed.origin,
            question=question.text,
            entry=moment.entry,
            at=moment.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            root=base64_text.encode(question.root),
            size=signed.size,
            checkpoint=checkpoint.decode(),
            media_type=media_type,
            digest=digest,
            mended=msgspec.UNSET if mended is None else unquote(mended.decode()),
            answer=answer,
        )
        return msgspec.structs.replace(receipt, code=receipt.own_code())

    return await in_thread(made)


def canonical_question(path: str, pairs: _Pairs, moment: AsOf) -> str:
    """Return a question in the one form that it is kept in: parameters in order, the moment one."""
    asked = [pair for pair in pairs if pair[0] != _AS_OF]
    # Of a moment that is named twice both stay, to be refused.
    moments = [pair for pair in pairs if pair[0] == _AS_OF][1:]
    asked += [(_AS_OF, moment.text), *moments]
    return f"{path}?{urlencode(sorted(asked), safe=':,/', quote_via=quote)}"


async def _ask(
    litestar: Litestar, scope: Any, question: str, *, is_head: bool = False
) -> tuple[Any, bytes, list[Any]]:
    """Ask the API; return head and body of its answer, and the messages that they came in."""
    path, _, asked = question.partition("?")
    messages: list[Any] = []
    size = 0
    asked_with = asyncio.Queue[Any]()
    asked_with.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    async def note(message: Any) -> None:
        nonlocal size
        if message["type"] == "http.response.body" and not message.get("more_body"):
            # What streams waits for whoever reads to leave.
            asked_with.put_nowait({"type": "http.disconnect"})
        size += len(message.get("body", b""))
        # What is too long is read to its end, and not kept.
        if size <= LARGEST:
            messages.append(message)

    headers = [one for one in scope["headers"] if one[0] not in {b"accept", b"if-none-match"}]
    inner: Any = {name: scope[name] for name in _OF_REQUEST if name in scope}
    inner |= {"path": path, "raw_path": path.encode(), "query_string": asked.encode()}
    inner |= {"headers": headers, "state": {}, IS_HEAD: is_head}
    await litestar(inner, asked_with.get, note)
    if size > LARGEST:
        raise PayloadTooLarge(
            f"the answer has more than {LARGEST:,} bytes, and cannot be kept; ask for less at once"
        )
    start = next(one for one in messages if one["type"] == "http.response.start")
    return start, b"".join(one.get("body", b"") for one in messages), messages


def _is_wanted(scope: Any) -> bool:
    """Return whether a request asks for a receipt."""
    accepted = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
    return any(name == PARAMETER for name, _ in _pairs(scope)) or any(
        kind.strip().lower() == MEDIA_TYPE and not _REFUSED.search(weight)
        for kind, _, weight in (one.partition(";") for one in accepted.split(","))
    )


def _pairs(scope: Any) -> _Pairs:
    return parse_qsl(scope["query_string"].decode("utf-8", "replace"), keep_blank_values=True)
