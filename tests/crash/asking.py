"""Asking over HTTP until there is an answer, whatever dies meanwhile."""

import asyncio
import random
import time
from collections import Counter
from typing import Any

import httpx

PATIENCE = 90
UNAVAILABLE = 503

_NAMING = ("if-match", "if-none-match", "idempotency-key")


class Violation(Exception):
    """The register broke its word."""


class Asker:
    """Someone with a token, who counts the answers by status, and those that are lost."""

    def __init__(self, name: str, token: str, base_url: str, chance: random.Random) -> None:
        self.name = name
        self.answers: Counter[str] = Counter()
        self._chance = chance
        self._http = httpx.AsyncClient(
            base_url=base_url, headers={"authorization": f"Bearer {token}"}, timeout=30
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: dict[str, str] | None = None,
        cut: bool = False,
    ) -> tuple[httpx.Response, bool]:
        """Send until there is an answer; tell too whether one before may have been lost.

        `cut` does not wait for the first answer.
        """
        lost = False
        deadline = time.monotonic() + PATIENCE
        timeout = httpx.Timeout(30, read=self._chance.uniform(0.001, 0.05)) if cut else 30
        while time.monotonic() < deadline:
            try:
                answer = await self._http.request(
                    method, path, json=body, headers=headers, timeout=timeout
                )
            except httpx.TransportError:
                self.answers["lost"] += 1
                lost = True
                timeout = 30
                await asyncio.sleep(self._chance.uniform(0.02, 0.2))
                continue
            self.answers[str(answer.status_code)] += 1
            if answer.status_code != UNAVAILABLE:
                return answer, lost
            if "retry-after" not in answer.headers:
                raise Violation(f"{method} {path}: a 503 without Retry-After: {answer.text}")
            lost = True
            await asyncio.sleep(self._chance.uniform(0.1, 0.4))
        raise Violation(f"{method} {path} was not answered within {PATIENCE} seconds")

    def require(self, answer: httpx.Response, statuses: set[int]) -> None:
        if answer.status_code not in statuses:
            asked = answer.request
            named = {key: asked.headers[key] for key in _NAMING if key in asked.headers}
            text = answer.text if answer.is_stream_consumed else ""
            raise Violation(
                f"{self.name}: {asked.method} {asked.url.path} {named} "
                f"was answered {answer.status_code} {text}"
            )
