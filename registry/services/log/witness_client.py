"""The protocol of witnesses, c2sp.org/tlog-witness, as a log speaks it, and what answers mean."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Awaitable, Callable, Iterable
from hashlib import sha256
from typing import TypeAlias

import httpx
import msgspec

from registry.http_client import HttpAnswer, exchange
from registry.store.witnesses import Cosignature
from registry.tlog import base64_text
from registry.tlog.checkpoint import stated
from registry.tlog.keys import Verifier
from registry.tlog.note import NoteRefused, open_note, parse_note

Prove: TypeAlias = Callable[[int], Awaitable[list[bytes]]]
"""Makes the proof that the log goes on from an earlier size."""

_SECONDS = 5.0
_LARGEST = 64 << 10
_MOST_LINES = 16
_AHEAD = dt.timedelta(minutes=5)
"""By how much a witness's clock may be ahead of ours."""
_OK, _CONFLICT, _UNPROCESSABLE = 200, 409, 422
_SIZE_TYPE = "text/x.tlog.size"
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n?")
_MEANINGS = {
    _OK: "cosigned",
    400: "finds the request malformed (400)",
    403: "does not know the key of this log (403)",
    404: "does not know this log (404)",
    429: "is asked too often (429)",
}


class WitnessAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a witness has answered: `said` in words, and the lines of a success.

    `old` is the size that it had cosigned, as it says itself where that was another than
    supposed. `alarm` says why the answer is one that a witness gives to a log of two histories;
    `size` is the larger one that it claims to have seen then, if it names one.
    """

    said: str
    content: bytes = b""
    is_success: bool = False
    old: int | None = None
    alarm: str | None = None
    size: int | None = None

    def cosignatures(
        self, note: bytes, verifiers: Iterable[Verifier], *, now: dt.datetime
    ) -> list[Cosignature]:
        """Return the lines that hold for a checkpoint, by any of the keys; others are dropped."""
        if not self.is_success:
            return []
        known, found = list(verifiers), []
        text = parse_note(note).text.encode()
        for line in self.content.split(b"\n")[:_MOST_LINES]:
            try:
                whole = text + b"\n" + line + b"\n"
                [opened] = open_note(whole, known).verified
            except NoteRefused:
                continue
            time = opened.time or 0
            if time <= (now + _AHEAD).timestamp():
                [signature] = parse_note(whole).signatures
                found.append(
                    Cosignature(
                        verifier=opened.verifier.to_text(), time=time, line=signature.to_line()
                    )
                )
        return found


class WitnessClient:
    """Asks witnesses: within 5 seconds, without redirects, and reads no more than 64 KiB."""

    def __init__(self) -> None:
        """Open no connection yet."""
        self._http: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close the connections that are kept open."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def add_checkpoint(
        self, url: str, note: bytes, *, old: int, prove: Prove
    ) -> WitnessAnswer:
        """Ask for cosignatures, from the size that the witness is supposed to have.

        It may say another one, up to the checkpoint's: then it is asked once more, from there.
        """
        size = stated(note).size
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await self._add(url, note, size, old, prove)
                if answer.old is not None and answer.old != old:
                    answer = await self._add(url, note, size, answer.old, prove)
                return answer
        except (TimeoutError, httpx.TimeoutException):
            return WitnessAnswer(said=f"no answer within {_SECONDS:.0f} seconds")
        except (httpx.HTTPError, OSError) as error:
            return WitnessAnswer(said=f"cannot be asked: {type(error).__name__} {error}".strip())

    async def read_checkpoint(self, url: str, origin: str) -> bytes | None:
        """Return the checkpoint of a log that a witness shows; None where it shows none."""
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await self._send("GET", checkpoint_address(url, origin), b"")
        except (TimeoutError, httpx.HTTPError, OSError):
            return None
        return answer.content if answer.status == _OK else None

    async def _add(self, url: str, note: bytes, size: int, old: int, prove: Prove) -> WitnessAnswer:
        proof = [base64_text.encode(one) for one in await prove(old)]
        body = "\n".join([f"old {old}", *proof, "", ""]).encode() + note
        answer = await self._send("POST", f"{url}/add-checkpoint", body)
        status = answer.status
        if status == _CONFLICT:
            return _conflict(size, old, answer)
        if status == _UNPROCESSABLE:
            why = f"finds that the checkpoint does not go on from the {old:,} entries it has seen"
            return WitnessAnswer(said=f"{why} (422)", alarm=f"{why} (422)")
        return WitnessAnswer(
            said=_MEANINGS.get(status, f"answers {status}"),
            is_success=status == _OK,
            content=answer.content if status == _OK else b"",
        )

    async def _send(self, method: str, url: str, body: bytes) -> HttpAnswer:
        if self._http is None:
            self._http = httpx.AsyncClient(
                timeout=_SECONDS,
                follow_redirects=False,
                # Plain http is for this machine alone, whatever proxy the others are behind.
                mounts={"http://": httpx.AsyncHTTPTransport()},
            )
        return await exchange(
            self._http, method, url, seconds=_SECONDS, most=_LARGEST, content=body
        )


def checkpoint_address(url: str, origin: str) -> str:
    """Return where a witness shows the newest checkpoint of a log that it has cosigned."""
    return f"{url.rstrip('/')}/{sha256(origin.encode()).hexdigest()}/checkpoint"


def _conflict(size: int, old: int, answer: HttpAnswer) -> WitnessAnswer:
    """Return what it means that a witness has another size than was supposed."""
    kind = answer.headers.get("content-type", "").split(";")[0].strip().lower()
    match = _SIZE.fullmatch(answer.content) if kind == _SIZE_TYPE else None
    if match is None:
        why = f"has another checkpoint of {old:,} entries, and does not name it (409)"
        return WitnessAnswer(said=why, alarm=why)
    theirs = int(match[1])
    if theirs > size:
        why = f"has seen {theirs:,} entries of this log, which has {size:,} (409)"
        return WitnessAnswer(said=why, alarm=why, size=theirs)
    return WitnessAnswer(said=f"has seen {theirs:,} entries (409)", old=theirs)
