"""The application: litestar for the API, the site's files for everything else."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from litestar import Litestar, MediaType
from litestar.datastructures import State  # noqa: TC002  read at run time
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Server

from registry import __version__
from registry.api import changes, filings, health, problems, records, reference
from registry.api.conditional import conditional
from registry.api.parameters import refuse_unknown
from registry.api.site import serve_site
from registry.errors import RegistryError
from registry.office.filing import Office
from registry.record.pack import load_pack
from registry.store.database import Database, connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from litestar.types import ASGIApp, Receive, Send

    from registry.settings import Settings

_API = ("/api/", "/health/")
_OPENAPI = "/openapi.json"
_ASCII = "".join(map(chr, range(128)))
_WATCH_SECONDS = 0.5


def create_app(settings: Settings) -> ASGIApp:
    """Make the ASGI application of one worker; `settings.database_url` must be set."""
    litestar = _litestar(settings)
    site = serve_site(settings.site_dir)

    async def application(scope: Any, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if not (query := scope.get("query_string", b"")).isascii():
            # Typed as it is rather than percent-encoded; the framework would misread it.
            scope["query_string"] = quote(query, safe=_ASCII).encode()
        ours = scope["type"] != "http" or path.startswith(_API) or path == _OPENAPI
        await (litestar if ours else site)(scope, receive, send)

    return conditional(application)


def _litestar(settings: Settings) -> Litestar:
    pack = load_pack(settings.pack)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        database = await connect(settings.database_url or "")
        app.state.office = Office(database=database, pack=pack, random=secrets.token_bytes)
        watch = asyncio.create_task(_end_with_parent(os.getppid()))
        try:
            yield
        finally:
            watch.cancel()
            await database.close()

    return Litestar(
        route_handlers=[
            records.list_records,
            records.get_record,
            records.list_versions,
            records.get_version,
            records.list_findings,
            changes.list_changes,
            reference.list_agencies,
            reference.get_agency,
            reference.list_codelists,
            reference.get_codelist,
            reference.get_schema,
            reference.validate_document,
            filings.list_drafts,
            filings.save_draft,
            filings.get_draft,
            filings.delete_draft,
            filings.submit_draft,
            health.live,
            health.ready,
        ],
        dependencies={
            "office": Provide(_office, sync_to_thread=False),
            "database": Provide(_database, sync_to_thread=False),
            "pack": Provide(lambda: pack, sync_to_thread=False),
            "settings": Provide(lambda: settings, sync_to_thread=False),
            "actor": Provide(filings.provide_actor),
        },
        before_request=refuse_unknown,
        exception_handlers={
            RegistryError: problems.handle_registry_error,
            HTTPException: problems.handle_http_exception,
            Exception: problems.handle_any,
        },
        lifespan=[lifespan],
        openapi_config=OpenAPIConfig(
            title="Register of public algorithms",
            version=__version__,
            use_handler_docstrings=True,
            path="/",
            servers=[Server(url=settings.base_url)],
            components=Components(
                security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}
            ),
            render_plugins=[JsonRenderPlugin(path=_OPENAPI, media_type=MediaType.JSON)],
        ),
        logging_config=None,
    )


def _office(state: State) -> Office:
    return state.office  # type: ignore[no-any-return]


def _database(state: State) -> Database:
    return state.office.database  # type: ignore[no-any-return]


async def _end_with_parent(parent: int) -> None:
    """End this worker when the process that started it is gone, even by `kill -9`."""
    while os.getppid() == parent:  # noqa: ASYNC110  nobody could set an event for us
        await asyncio.sleep(_WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
