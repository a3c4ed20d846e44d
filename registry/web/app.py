"""The application as it is served: the API, the site's files, and pages rendered when asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import msgspec
from litestar import Litestar
from litestar.types import ASGIApp, Receive, Send

from registry import resources
from registry.api import app as api
from registry.api.request import AccessLogEntry
from registry.console.app import console_pages
from registry.pages.assets import read_assets
from registry.pages.editions import Edition, open_editions
from registry.record.pack import Pack, load_pack
from registry.settings import Settings
from registry.web.comparison import serve_comparisons
from registry.web.copies import copy_handler
from registry.web.feeds import feed_handlers
from registry.web.letters import ShortLinks, contest_handler, letter_handler
from registry.web.receipts import receipt_handler
from registry.web.search import search_handler

_ASKED = re.compile(r"/([a-z]+)/(search|contest|receipt)", re.ASCII)
"""Pages that are made when asked something, and else are files; of receipts there is no file."""

_MADE = re.compile(
    r"/feeds/([a-z]+)/(search|records/[\w.-]+/[\w.-]+)\.(atom|json)|/copies/[\w.-]+", re.ASCII
)
"""Files that are made when asked."""

_LETTER = re.compile(r"/[a-z]+/(records/[^/]+/[^/]+/|agencies/[^/]+/)?letter", re.ASCII)

_TRACKER = re.compile(rb"((utm|mtm|pk)_[^=]*|[a-z]*clid|mc_[ce]id|_gl)(=|$)|$")
"""What others put into links to know who followed them, which is no part of a question."""


def create_app(
    settings: Settings,
    *,
    tell: Callable[[AccessLogEntry], None] | None,
    pack: Pack | None = None,
) -> ASGIApp:
    """Return the ASGI application of one worker; `tell` writes the access log.

    The country pack is that of the settings, or another.
    """
    pack = pack or load_pack(settings.pack, settings.packs)

    @cache
    def opened() -> dict[str, Edition]:
        return open_editions(pack, read_assets(resources.SITE), settings.base_url, bytecode=None)

    @lru_cache(maxsize=1)
    def editions(known: Pack) -> dict[str, Edition]:
        """Return the editions for readers who see the agencies that are known now."""
        return {
            tag: msgspec.structs.replace(
                edition, reader=msgspec.structs.replace(edition.reader, pack=known, kept={})
            )
            for tag, edition in opened().items()
        }

    def render(site: ASGIApp, litestar: Litestar) -> ASGIApp:
        state = litestar.state
        compared = serve_comparisons(pack.languages, editions, site, state)
        others = ShortLinks(pack, settings.base_url, editions, compared, state)

        async def application(scope: Any, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and (
                _MADE.fullmatch(scope["path"])
                or (scope["method"] == "POST" and _LETTER.fullmatch(scope["path"]))
            ):
                await litestar(scope, receive, send)
                return
            found = _ASKED.fullmatch(scope["path"]) if scope["type"] == "http" else None
            if found is None or scope["method"] != "GET" or found[1] not in pack.languages:
                await others(scope, receive, send)
                return
            pairs = scope["query_string"].split(b"&")
            if found[2] == "contest":
                # But for the day it is a file, which passes over what it is asked.
                pairs = [one for one in pairs if one.startswith(b"received=")][-1:]
            scope["query_string"] = b"&".join(one for one in pairs if not _TRACKER.match(one))
            is_asked = scope["query_string"] or found[2] == "receipt"
            await (litestar if is_asked else others)(scope, receive, send)

        return application

    return api.create_app(
        settings,
        tell=tell,
        pack=pack,
        render=render,
        pages=[
            search_handler(editions),
            *feed_handlers(editions, settings.base_url),
            copy_handler(settings),
            letter_handler(editions),
            contest_handler(editions),
            receipt_handler(editions),
        ],
        private=console_pages(settings, editions) if settings.has_console else None,
    )
