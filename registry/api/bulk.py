"""Filing many at once: a document a line in, filed as it comes, and an answer a line out."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any

import msgspec
from litestar import Response, post
from litestar.types import Receive, Send

from registry.api.authentication import spend_write
from registry.api.operations import NDJSON, answers, describes, json_of, token
from registry.api.parameters import CodeParameter
from registry.api.problems import problem, report_fault
from registry.api.request import BODY_SECONDS, request_context, require_type
from registry.api.writes import SAVED, ActorRequest, Call, ReceiptAnswer, with_links
from registry.clock import utc_now
from registry.errors import InvalidParameter, RegistryError, RequestTimeout
from registry.services import policy
from registry.services.filing import bulk
from registry.services.filing.bulk import BulkPurpose, FiledLine, split_lines
from registry.services.filing.receipts import DraftReceipt

_IN_MEMORY = 4 * 2**20


class LineReceipt(ReceiptAnswer, frozen=True, kw_only=True, omit_defaults=True):
    """The proof of what became of a line; for a draft, whether it could be published."""

    saved_at: dt.datetime | None = None
    publishable: bool | None = None
    completeness: int | None = None


class LineAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one line, blank ones counted: its receipt, or the problem with it."""

    line: int
    id: str | None
    outcome: str
    receipt: LineReceipt | msgspec.UnsetType = msgspec.UNSET
    problem: Annotated[msgspec.Raw, json_of("Problem")] | msgspec.UnsetType = msgspec.UNSET


@post(
    "/api/v1/filings",
    status_code=200,
    summary="File many records",
    tags=["filings"],
    security=token("file"),
    responses=answers(LineAnswer, media_type=NDJSON),
    opt=describes(body="lines"),
)
async def file_many(
    *,
    action: Annotated[
        BulkPurpose | None,
        CodeParameter(
            description="What to do with each: submit or draft",
            codes=lambda _: ("submit", "draft"),
            required=True,
        ),
    ] = None,
    call: Call,
) -> Response[bytes]:
    """File one record a line, and read one answer a line, in the same order.

    Each stands for itself: a line that is refused stops nothing, and sending all of them again
    changes nothing. Documents are saved over what is there, without a precondition.
    """
    if action is None:
        raise InvalidParameter("action: say what to do; send action=submit or action=draft")
    require_type(call.request, NDJSON, "one document a line")
    policy.require_scope(call.actor, "file")
    return _LinesResponse(call, purpose=action)


class _ClientDisconnected(Exception):
    """The client closed the connection."""


class _ResponseSpool:
    """Answers that the client has not read yet, in order: up to 4 MB in memory, more on disk.

    A line of a hundred bytes may have an answer of twenty thousand, with fifty findings.
    """

    def __init__(self) -> None:
        self._kept = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  closed by who takes
        self._written = self._taken = 0
        self._ended = False
        self._more = asyncio.Event()

    def put(self, line: bytes) -> None:
        self._kept.seek(self._written)
        self._written += self._kept.write(line)
        self._more.set()

    def end(self) -> None:
        self._ended = True
        self._more.set()

    async def take(self) -> bytes:
        """Return the next line as soon as there is one; nothing after the end."""
        while self._taken == self._written and not self._ended:
            self._more.clear()
            await self._more.wait()
        self._kept.seek(self._taken)
        line = self._kept.readline()
        self._taken += len(line)
        return line

    def close(self) -> None:
        self._kept.close()


class _LinesResponse(Response[bytes]):
    """An answer that begins when the request is whole, or the work has ended before.

    Most clients send everything before they read anything, and whoever leaves unread what was sent
    to it is ended (`worker_process`); nginx sends no more of a request whose answer has begun.
    """

    def __init__(self, call: ActorRequest, *, purpose: BulkPurpose) -> None:
        super().__init__(content=b"")
        self._call = call
        self._purpose = purpose

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        """Return the ASGI application that answers."""
        return self._answer

    async def _answer(self, scope: Any, receive: Receive, send: Send) -> None:
        spool = _ResponseSpool()
        whole = asyncio.Event()
        working = asyncio.create_task(self._work(scope, _chunks(receive, whole), spool))
        watching = asyncio.create_task(_end_when_gone(receive, whole, working))
        headers = [(b"content-type", NDJSON.encode()), (b"cache-control", b"no-store")]
        reading = asyncio.create_task(whole.wait())
        try:
            await asyncio.wait([reading, working], return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            while part := await spool.take():
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.wait([working])
            if not working.cancelled():
                working.result()
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except _ClientDisconnected:
            return
        finally:
            for task in (reading, watching, working):
                task.cancel()
            await asyncio.gather(reading, watching, working, return_exceptions=True)
            spool.close()

    async def _work(self, scope: Any, chunks: AsyncIterator[bytes], spool: _ResponseSpool) -> None:
        """File the lines; every answer goes to the spool at once."""
        call = self._call
        filed = bulk.file_lines(
            call.context,
            call.actor,
            split_lines(chunks),
            purpose=self._purpose,
            now=utc_now,
            language=call.language,
            pay=partial(spend_write, call.state, call.actor),
        )
        try:
            async with aclosing(filed):
                async for line in filed:
                    spool.put(msgspec.json.encode(self._line_answer(line, scope)) + b"\n")
        finally:
            spool.end()

    def _line_answer(self, line: FiledLine, scope: Any) -> LineAnswer:
        result = line.result
        if isinstance(result, Exception):
            error = result if isinstance(result, RegistryError) else report_fault(result, scope)
            _, _, body = problem(error, request_context(scope).id)
            return LineAnswer(
                line=line.number, id=line.record, outcome="refused", problem=msgspec.Raw(body)
            )
        if isinstance(result, DraftReceipt):
            links = {"draft": self._call.address(f"filings/{result.id}")}
            receipt = self._call.proof(LineReceipt, result, links, SAVED)
        else:
            receipt = LineReceipt(**msgspec.structs.asdict(with_links(result, self._call)))
        return LineAnswer(
            line=line.number, id=line.record, outcome=receipt.outcome, receipt=receipt
        )


async def _chunks(receive: Receive, whole: asyncio.Event) -> AsyncIterator[bytes]:
    """Read the body piece by piece; raises `_ClientDisconnected` when the client goes away.

    Each line may be waited for as long as a whole body elsewhere.
    """
    clock = asyncio.get_running_loop().time
    left = BODY_SECONDS
    while True:
        began = clock()
        try:
            async with asyncio.timeout(left):
                message: Any = await receive()
        except TimeoutError as error:
            raise RequestTimeout(
                f"this line did not come whole within {BODY_SECONDS:.0f} seconds; send it and "
                "those after it again"
            ) from error
        if message["type"] == "http.disconnect":
            raise _ClientDisconnected
        body = message.get("body", b"")
        left = BODY_SECONDS if b"\n" in body else left - (clock() - began)
        yield body
        if not message.get("more_body", False):
            whole.set()
            return


async def _end_when_gone(
    receive: Receive, whole: asyncio.Event, working: asyncio.Task[None]
) -> None:
    """Stop the work when the body is whole and nobody waits for the answer any more."""
    await whole.wait()
    message: Any = await receive()
    if message["type"] == "http.disconnect":
        working.cancel()
