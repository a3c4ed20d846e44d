"""The check of links: once a week it asks whether what records refer to is still there."""

from __future__ import annotations

import asyncio
import datetime as dt
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

import httpx
import msgspec

from registry import __version__
from registry.clock import utc_now
from registry.http_client import BoundedClient
from registry.record.schema import links_of
from registry.services.context import ServiceContext
from registry.settings import Settings
from registry.store import links, records
from registry.store.links import LinkFault, LinkState, digest_of

_ASK_AGAIN, _ASK_SOON = dt.timedelta(days=7), dt.timedelta(days=1)
_PASS_AGAIN = dt.timedelta(hours=1)
_PAUSE_SECONDS = 1.0
_LONGEST_SECONDS = 8.0
"""The seconds of all that is asked for one address: the process waits for it when it ends."""

_MOST_BYTES = 500_000
_MOST_HOSTS = 1_000
_NAME = "public-algorithm-register"
_NOT_FOR_US = frozenset({401, 402, 403, 407, 429, 451})
_NO_HEAD = frozenset({400, 403, 405, 501})
_GONE = frozenset({404, 410})


class LinkChecks:
    """A round through the records in force, which asks for each address once a week, one at a time.

    What was not there is asked for again the next day.
    """

    def __init__(self, settings: Settings, context: ServiceContext) -> None:
        """Take the register; addresses of the public internet alone are asked, but in a trial."""
        self._context = context
        self._client = BoundedClient(
            seconds=_LONGEST_SECONDS,
            most=_MOST_BYTES,
            only_public=settings.peers_on_loopback == "off",
            headers={"user-agent": f"{_NAME}/{__version__} (+{settings.base_url})"},
        )
        self._robots: dict[str, RobotFileParser] = {}
        self._record = ""
        self._due: dt.datetime | None = None

    async def go_on(self, *, now: dt.datetime) -> None:
        """Ask for the addresses of the next record; after the last one begin anew in an hour."""
        if self._due is not None and now < self._due:
            return
        database = self._context.database
        async with database.connection() as connection:
            record = await links.read_next_record(connection, self._record)
            if record is None:
                self._record, self._due = "", now + _PASS_AGAIN
                self._robots.clear()
                return
            current = (await records.read_current(connection, [record]))[record]
            found = {
                digest_of(url): url for _, url in links_of(msgspec.json.decode(current.document))
            }
            states = await links.read_last_answers(connection, found)
        for digest, url in found.items():
            before = states.get(digest)
            if before is None or now - before.asked_at >= (
                _ASK_SOON if before.failed else _ASK_AGAIN
            ):
                states[digest] = await self._ask(digest, url, before)
        async with database.transaction() as connection:
            await links.keep(connection, record, current.version, states)
        self._record = record

    async def _ask(self, digest: bytes, url: str, before: LinkState | None) -> LinkState:
        why = await asyncio.to_thread(self._fault, url)
        await asyncio.sleep(_PAUSE_SECONDS)
        now = utc_now()
        if why is None:
            return LinkState(digest=digest, asked_at=now)
        failed, since = (0, None) if before is None else (before.failed, before.since)
        return LinkState(
            digest=digest, asked_at=now, failed=failed + 1, since=since or now, why=why
        )

    def _fault(self, url: str) -> LinkFault | None:
        """Return what is wrong with an address; None also where its host wants no robots."""
        self._client.end_within(_LONGEST_SECONDS)
        try:
            if not self._may_ask(url):
                return None
            status = self._client.head(url).status_code
            if status in _NO_HEAD:
                with self._client.stream("GET", url) as answer:
                    status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return "silent"
        if status in _GONE:
            return "gone"
        return "fails" if status >= 400 and status not in _NOT_FOR_US else None  # noqa: PLR2004

    def _may_ask(self, url: str) -> bool:
        """Return whether the robots.txt of the host lets programs ask. Raises `httpx.HTTPError`."""
        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.netloc}"
        if host not in self._robots:
            if len(self._robots) == _MOST_HOSTS:
                self._robots.clear()
            answer = self._client.read(f"{host}/robots.txt")
            text = answer.content.decode(errors="replace") if answer.status == 200 else ""  # noqa: PLR2004
            if answer.status >= 500:  # noqa: PLR2004  RFC 9309 §2.3.1.4
                text = "User-agent: *\nDisallow: /"
            rules = RobotFileParser()
            rules.parse(text.splitlines())
            self._robots[host] = rules
        return self._robots[host].can_fetch(_NAME, url)
