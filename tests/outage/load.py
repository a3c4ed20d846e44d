"""Clients that file through the balancer, and remember when they were answered what."""

import asyncio
import copy
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import msgspec

from tests.crash.invariants import Receipt

CLIENTS = 4
_TIMEOUT = 12.0
_PAUSE = 0.1
_UNKNOWN, _THERE, _BUSY, _FAULTS = 404, 412, 429, 500


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, or none: `status` is 0 where the connection failed."""

    at: float
    what: str
    status: int


class ForgottenError(Exception):
    """The register does not know a draft that it had taken."""


class Load:
    """Files records one after the other, each until it is acknowledged, and reads beside it."""

    def __init__(self, base_url: str, token: str, root: Path) -> None:
        text = (root / "records/demo-sante/prevision-lits.json").read_text(encoding="utf-8")
        self._document = json.loads(text)
        self._http = httpx.AsyncClient(
            base_url=f"{base_url}/api/v1",
            timeout=_TIMEOUT,
            headers={"authorization": f"Bearer {token}"},
        )
        self.answers: list[Answer] = []
        self.acknowledged: list[tuple[float, Receipt]] = []
        self._stop = asyncio.Event()
        self._number = 0
        self.forgets = False
        """Whether drafts may be missing, as in an older state: they are begun anew."""
        self.begun_anew = 0
        self._tasks: list[asyncio.Task[None]] = []
        self.pause = _PAUSE

    def start(self) -> None:
        self._stop.clear()
        self._tasks = [asyncio.create_task(self._file()) for _ in range(CLIENTS)]
        self._tasks.append(asyncio.create_task(self._read()))

    async def stop(self) -> None:
        """Stop; what was begun is brought to its end, within a minute."""
        self._stop.set()
        done, late = await asyncio.wait(self._tasks, timeout=60)
        for task in late:
            task.cancel()
        for task in done:
            task.result()

    async def close(self) -> None:
        await self._http.aclose()

    async def acknowledged_after(self, moment: float, *, seconds: float = 60) -> float | None:
        """Return when the first filing was acknowledged after a moment; None where none was."""
        while time.monotonic() < moment + seconds:
            later = [at for at, _ in self.acknowledged if at > moment]
            if later:
                return min(later)
            await asyncio.sleep(0.05)
        return None

    def failures(self, since: float = 0.0) -> Counter[tuple[str, int]]:
        """Count what was answered by 5xx or not at all."""
        return Counter(
            (one.what, one.status)
            for one in self.answers
            if one.at >= since and (one.status >= _FAULTS or not one.status)
        )

    async def _file(self) -> None:
        while not self._stop.is_set():
            self._number += 1
            record = f"demo-sante/outage-{self._number}"
            document = copy.deepcopy(self._document)
            document |= {"id": record, "source_id": record}
            document["name"] = {tag: f"{name} {record}" for tag, name in document["name"].items()}
            while not (answer := await self._file_one(record, document)):
                if self._stop.is_set():
                    return
            receipt = msgspec.convert(answer, Receipt, strict=False)
            self.acknowledged.append((time.monotonic(), receipt))
            await asyncio.sleep(self.pause)

    async def _file_one(self, record: str, document: Any) -> dict[str, Any] | None:
        """Save a draft and submit it; None where that has to be begun anew."""
        path, key = f"/filings/{record}/submit", {"idempotency-key": record.replace("/", "-")}
        if await self._ask("PUT", f"/filings/{record}", document, {"if-none-match": "*"}) is None:
            return None
        try:
            # Until it is answered, also after the stop: it may have been done.
            while (answer := await self._ask("POST", path, None, key)) is None:
                continue
        except ForgottenError:
            self.begun_anew += 1
            return None
        return answer

    async def _read(self) -> None:
        while not self._stop.is_set():
            await self._ask("GET", "/records?limit=5", None)
            await asyncio.sleep(0.2)

    async def _ask(
        self, method: str, path: str, body: Any, headers: dict[str, str] | None = None
    ) -> dict[str, Any] | None:
        """Return what was answered; None, after a pause, where it has to be asked again."""
        status, answer = 0, None
        try:
            answer = await self._http.request(method, path, json=body, headers=headers)
            status = answer.status_code
        except httpx.TransportError:
            pass
        what = {"PUT": "save", "POST": "submit"}.get(method, "read")
        self.answers.append(Answer(at=time.monotonic(), what=what, status=status))
        if answer is not None and answer.is_success:
            return dict(answer.json()) if method == "POST" else {}
        if status == _THERE and method == "PUT":
            # It was saved, and the answer was lost.
            return {}
        await asyncio.sleep(0.2)
        if self.forgets and status == _UNKNOWN:
            raise ForgottenError
        if status and status < _FAULTS and status != _BUSY:
            raise AssertionError(f"{method} {path}: {status} {answer.text if answer else ''}")
        return None
