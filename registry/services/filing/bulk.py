"""Filing line by line: each line a document that is answered for itself, in order."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Sequence,
)
from contextlib import suppress
from typing import Any, Literal, TypeAlias

import msgspec

from registry.errors import (
    Forbidden,
    InvalidParameter,
    InvalidRecord,
    PayloadTooLarge,
    RegistryError,
    TooManyRequests,
    Unavailable,
    UnreadableDocument,
)
from registry.ledger.publication import seal_document
from registry.record.ids import split_id
from registry.record.model import Document
from registry.record.pack import Agency, Pack
from registry.record.parse import MAX_BYTES
from registry.services import policy
from registry.services.context import ServiceContext
from registry.services.filing.drafts import id_findings, own_agency
from registry.services.filing.groups import Filing, file_group
from registry.services.filing.pipeline import BATCH_SIZE
from registry.services.filing.receipts import Receipt
from registry.services.filing.register_context import CheckedDocument, check_document
from registry.services.operations import audit_trail
from registry.services.people import access_tokens
from registry.services.people.access import Actor
from registry.services.people.access_tokens import EndedToken
from registry.work import wait_in_line


class InputLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is not blank, by its number from 1; without content it is too long."""

    number: int
    content: bytes | None


async def split_lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[InputLine]:
    """Cut a stream at LF or CRLF. Blank lines are counted and left out."""
    number, held = 1, bytearray()
    async for chunk in chunks:
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            _hold(held, end)
            if line := _line(number, held):
                yield line
            number += 1
            held.clear()
        _hold(held, rest)
    if line := _line(number, held):
        yield line


def _line(number: int, held: bytearray) -> InputLine | None:
    content = bytes(held).removesuffix(b"\r")
    if not content.strip():
        return None
    return InputLine(number=number, content=content if len(content) <= MAX_BYTES else None)


def _hold(held: bytearray, more: bytes) -> None:
    """Keep what was read of a line, but of one that is too long no more than shows it."""
    held += more[: MAX_BYTES + 2 - len(held)]


LINES_A_WRITE = BATCH_SIZE
"""Lines that count as one write: what a transaction files."""

MOST_FINDINGS = 5_000
"""Findings that the answers of a request have in full; then each line has its first alone.

A line of thirty bytes may have fifty findings, which are nine thousand.
"""

MOST_LINES = 10_000
"""Documents that one request may file; what is beyond is refused line by line."""

BulkPurpose: TypeAlias = Literal["draft", "submit"]

_MOST_ANSWERED = 2 * MOST_LINES
_LINGER_SECONDS = 0.01


class FiledLine(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a line: its receipt, or the error that says why it was refused."""

    number: int
    record: str | None
    result: Receipt | Exception


class _PreparedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that has been looked at alone."""

    number: int
    record: str | None = None
    filing: Filing | None = None
    refused: RegistryError | None = None


async def file_lines(
    context: ServiceContext,
    actor: Actor,
    lines: AsyncIterable[InputLine],
    *,
    purpose: BulkPurpose,
    now: Callable[[], dt.datetime],
    language: str = "en",
    pay: Callable[[], Awaitable[None]] | None = None,
) -> AsyncGenerator[FiledLine, None]:
    """File an agency's documents as they come, and say of each what became of it.

    A document is saved over what is there: as a draft, or published as the next version. Nothing
    that is wrong with a line, nor the loss of the database, ends the answer before the last line;
    once the actor's token has ended, or a limit is used up, nothing more is filed. `pay` takes a
    write from what the actor may do, for every `LINES_A_WRITE` lines after the first so many.
    A `RegistryError` that `lines` raises is the answer to the line that it would have given.
    """
    policy.require_scope(actor, "file")
    wait_in_line()
    clerk = _NdjsonFiler(
        context=context,
        actor=actor,
        purpose=purpose,
        now=now,
        language=language,
        pay=pay,
        request=now().isoformat(),
    )
    waiting: asyncio.Queue[_PreparedLine | Exception | None] = asyncio.Queue(2 * BATCH_SIZE)
    preparing = asyncio.create_task(clerk.prepare(lines, waiting))
    try:
        held: _PreparedLine | None = None
        ended = False
        while not ended:
            group, held, ended = await _next_group(waiting, held)
            for line in await clerk.file(group):
                yield line
    finally:
        preparing.cancel()
        with suppress(asyncio.CancelledError):
            await preparing


class _NdjsonFiler(msgspec.Struct, kw_only=True):
    """Does the lines of one request."""

    context: ServiceContext
    actor: Actor
    purpose: BulkPurpose
    now: Callable[[], dt.datetime]
    language: str
    pay: Callable[[], Awaitable[None]] | None
    request: str
    paid: int = 1
    lines: int = 0
    findings: int = 0
    gone: Unavailable | EndedToken | TooManyRequests | None = None
    noted: bool = False

    async def prepare(
        self,
        lines: AsyncIterable[InputLine],
        ready: asyncio.Queue[_PreparedLine | Exception | None],
    ) -> None:
        """Check each line by itself; the queue ends with None, or with a fault of the stream."""
        count = number = 0
        try:
            async for line in lines:
                count, number = count + 1, line.number
                if isinstance(self.gone, TooManyRequests):
                    await ready.put(_PreparedLine(number=line.number, refused=self.gone))
                else:
                    await ready.put(
                        await self._prepared(line) if count <= MOST_LINES else _over(line)
                    )
                if count == _MOST_ANSWERED:
                    await ready.put(_unread(line))
                    break
                # What is in the database goes on between two lines.
                await asyncio.sleep(0)
            await ready.put(None)
        except RegistryError as error:
            await ready.put(_PreparedLine(number=number + 1, refused=error))
            await ready.put(None)
        except Exception as error:  # noqa: BLE001  told where the answer is made
            await ready.put(error)

    async def file(self, group: Sequence[_PreparedLine]) -> list[FiledLine]:
        """File what may be filed of some lines; once database or token are gone, nothing more."""
        self.lines += len(group)
        await self._pay()
        filings = [line.filing for line in group if line.filing is not None]
        results: list[Any] = [self.gone] * len(filings)
        if filings and self.gone is None:
            results = await self._filed(filings)
        of_record = dict(zip((one.record for one in filings), results, strict=True))
        told = []
        for line in group:
            result: Any = line.refused
            if line.filing is not None:
                result = of_record[line.filing.record]
            if isinstance(result, Unavailable | EndedToken | TooManyRequests):
                self.gone = result
            if isinstance(result, Forbidden | EndedToken):
                await self._note(line, result)
            told.append(
                FiledLine(number=line.number, record=line.record, result=self._bounded(result))
            )
        return told

    async def _pay(self) -> None:
        """Take from what the actor may do for the lines so far; where that is over, end."""
        try:
            while (
                self.pay is not None
                and self.gone is None
                and self.lines > self.paid * LINES_A_WRITE
            ):
                await self.pay()
                self.paid += 1
        except (TooManyRequests, Unavailable) as error:
            self.gone = error

    def _bounded(self, result: Any) -> Any:
        """Return a result; of findings, once they are many in this request, the first alone."""
        if not isinstance(result, InvalidRecord):
            return result
        if self.findings < MOST_FINDINGS:
            self.findings += len(result.findings)
            return result
        return InvalidRecord(result.detail, result.findings[:1], result.findings_total)

    async def _filed(self, filings: Sequence[Filing]) -> list[Any]:
        now = self.now()
        try:
            # Lines may come for hours, and who has lost the token must not go on as long.
            await access_tokens.require_in_force(self.context.database, self.actor, now=now)
        except (EndedToken, Unavailable) as error:
            return [error] * len(filings)
        return await file_group(self.context, filings, now=now)

    async def _prepared(self, line: InputLine) -> _PreparedLine:
        record = None
        try:
            if line.content is None:
                raise PayloadTooLarge(f"a line has at most {MAX_BYTES:,} bytes")
            document = await self._parsed(line.number, line.content)
            if not isinstance(document, dict):
                raise UnreadableDocument("each line is a record, a JSON object: { … }")
            record = identifier(
                document, self.context.pack, self.context.pack.day(self.now()), self.language
            )
            agency = own_agency(self.context, self.actor, record)
            filing = Filing(
                agency=agency,
                actor=self.actor,
                purpose=self.purpose,
                made=await self._checked(document, len(line.content), agency),
                language=self.language,
                request=self.request,
            )
        except RegistryError as error:
            return _PreparedLine(number=line.number, record=record, refused=error)
        return _PreparedLine(number=line.number, record=record, filing=filing)

    async def _parsed(self, number: int, content: bytes) -> Any:
        """Read a line; a fault's place is told as it is among the lines."""
        try:
            return await self.context.parse(content)
        except UnreadableDocument as error:
            raise UnreadableDocument(error.fault, line=number, column=error.column) from error

    async def _checked(self, document: Document, size: int, agency: Agency) -> CheckedDocument:
        made = await self.context.examine(
            size,
            check_document,
            document,
            profile="draft" if self.purpose == "draft" else "publication",
            pack=self.context.pack,
            today=self.context.pack.day(self.now()),
            fast=self.context.fast,
            language=self.language,
        )
        if self.purpose == "draft" or self.context.takes_review:
            return made
        # While the group before is in the database.
        sealed = await self.context.by_size(
            size, seal_document, document, agency, self.context.random
        )
        return msgspec.structs.replace(made, sealed=sealed)

    async def _note(self, line: _PreparedLine, refused: Forbidden | EndedToken) -> None:
        """Note the first refusal of authority in a request; the others are the same."""
        if self.noted or isinstance(self.gone, Unavailable):
            return
        self.noted = True
        with suppress(Unavailable):
            await audit_trail.note_refusal(
                self.context.database,
                self.actor,
                "file_many",
                line.record,
                request=self.actor.request,
                result=refused.slug,
                now=self.now(),
            )


async def _next_group(
    ready: asyncio.Queue[_PreparedLine | Exception | None], held: _PreparedLine | None
) -> tuple[list[_PreparedLine], _PreparedLine | None, bool]:
    """Take lines of different records, as many as come without a pause.

    Gives with them the first line of the next group, if it was taken already, and whether these
    are the last.
    """
    group: list[_PreparedLine] = []
    filed: set[str] = set()
    item = held or await ready.get()
    while isinstance(item, _PreparedLine):
        if item.filing is not None:
            if item.filing.record in filed:
                return group, item, False
            filed.add(item.filing.record)
        group.append(item)
        if len(group) == BATCH_SIZE:
            return group, None, False
        try:
            item = await asyncio.wait_for(ready.get(), _LINGER_SECONDS)
        except TimeoutError:
            return group, None, False
    if isinstance(item, Exception):
        raise item
    return group, None, True


def identifier(document: dict[str, Any], pack: Pack, today: dt.date, language: str = "en") -> str:
    """Read the identifier of a document, without which nobody can say whose it is."""
    given = document.get("id")
    try:
        record = given if isinstance(given, str) else ""
        split_id(record)
    except InvalidParameter as error:
        said = error.detail if record else "the document does not say which record it is"
        raise InvalidRecord(said, id_findings(document, pack, today, language)) from error
    return record


def _over(line: InputLine) -> _PreparedLine:
    return _PreparedLine(
        number=line.number,
        refused=PayloadTooLarge(
            f"a request files at most {MOST_LINES:,} documents; send this line and those after it "
            "in another request"
        ),
    )


def _unread(line: InputLine) -> _PreparedLine:
    return _PreparedLine(
        number=line.number + 1,
        refused=PayloadTooLarge("from this line on nothing was read; send it in another request"),
    )
