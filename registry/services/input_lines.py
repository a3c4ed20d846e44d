"""The lines of a stream of documents, cut as they come."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

import msgspec

from registry.record.parse import MAX_BYTES


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
