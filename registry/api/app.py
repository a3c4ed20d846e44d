"""The application: litestar for the API, the site's files for everything else."""

from __future__ import annotations

import asyncio
import datetime as dt
import multiprocessing
import os
import secrets
import signal
import socket
import stat
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import msgspec
from litestar import Litestar, Response, Router
from litestar.datastructures import MutableScopeHeaders, State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Send

from registry.api import (
    audit_trail,
    authentication,
    bulk,
    changes,
    exports,
    filings,
    health,
    log_files,
    metrics,
    openapi,
    packages,
    parameters,
    peers,
    problems,
    reconciliation,
    records,
    reference,
    search,
    statements,
    statistics,
    workbooks,
    writes,
)
from registry.api.conditional import ConditionalRequests
from registry.api.edge import EdgeMiddleware
from registry.api.problems import allow
from registry.api.receipts import serve_receipts
from registry.api.replica import Reads, note_wanted
from registry.api.request import AccessLogEntry, ApiRequest, WorkLimit
from registry.api.site import StaticSite
from registry.clock import utc_now
from registry.errors import RegistryError
from registry.ledger.guard import LogGuard, LogMemory
from registry.ledger.published_log import LogTree
from registry.ledger.targets import ObjectStore
from registry.record.pack import Pack, load_pack
from registry.search.engine import open_index
from registry.services.context import ServiceContext
from registry.services.operations.heartbeat import figures_of_host, host_of, keep_beating
from registry.services.people.agencies import complete_pack
from registry.services.people.identity_provider import IdentityProvider
from registry.settings import Settings
from registry.store.database import connect
from registry.work import WorkProcess

Clock: TypeAlias = Callable[[], dt.datetime]
UNREAD_MILLISECONDS = 30_000
"""How long a peer may leave unread what was sent to it."""

_WATCH_SECONDS = 0.5
_INTERNET = {socket.AF_INET, socket.AF_INET6}
_TRIES = 600
_PAUSE_SECONDS = 0.1


class PrivatePages(msgspec.Struct, frozen=True, kw_only=True):
    """Pages for those who are signed in: a router for all addresses under a prefix.

    `refuse` answers an address there that no handler has; `shared` is added to the state that
    handlers share.
    """

    prefix: str
    router: Router
    refuse: Callable[[ApiRequest, Exception], Response[bytes]]
    shared: Mapping[str, Any]


_HANDLERS = (
    search.list_records,
    search.suggest,
    records.get_record,
    records.list_versions,
    records.get_version,
    records.list_findings,
    records.compare_versions,
    records.get_proof,
    records.get_source,
    records.get_code,
    exports.export_csv,
    exports.export_jsonl,
    exports.export_xlsx,
    exports.export_jsonld,
    statements.withdraw_record,
    statements.list_redactions,
    statements.request_redaction,
    statements.confirm_redaction,
    statements.delete_redaction,
    statements.list_attestations,
    statements.attest,
    changes.list_changes,
    statistics.count,
    peers.list_origins,
    peers.list_imports,
    peers.get_import,
    peers.list_peers,
    peers.get_peer_evidence,
    reference.list_agencies,
    reference.get_agency,
    reference.list_codelists,
    reference.get_codelist,
    reference.get_schema,
    statements.get_attestation_schema,
    reference.get_catalogue,
    reference.get_context,
    reference.validate_document,
    reconciliation.reconcile,
    reconciliation.reconcile_many,
    reconciliation.suggest_entities,
    reconciliation.view_entity,
    filings.list_drafts,
    bulk.file_many,
    workbooks.make_template,
    workbooks.get_draft_workbook,
    workbooks.file_workbook_records,
    workbooks.answer_workbook,
    filings.save_draft,
    filings.get_draft,
    filings.delete_draft,
    filings.submit_draft,
    filings.approve_draft,
    filings.return_draft,
    filings.patch_draft,
    filings.get_draft_changes,
    filings.publish_record,
    statements.list_pending_acts,
    statements.get_pending_act,
    statements.delete_pending_act,
    statements.approve_pending_act,
    statements.return_pending_act,
    audit_trail.list_acts,
    audit_trail.list_chained_acts,
    health.live,
    health.ready,
    log_files.get_log_file,
    packages.get_package,
    packages.get_package_file,
    metrics.read_metrics,
)
"""In the order in which the description has them."""

_API = ("/api/", "/health/", log_files.PREFIX, packages.PREFIX)
_ASCII = "".join(map(chr, range(128)))
_LARGE_SECONDS, _WORKBOOK_SECONDS = 30.0, 150.0
"""How long one large document, or workbook, may be worked on."""

_WARM_SECONDS = 2.0
_PATIENCE_SECONDS = 4.5
"""How long a statement is waited for: with what a connection is waited for, no request waits longer
than 10 seconds for a database that does not answer."""


def create_app(
    settings: Settings,
    *,
    tell: Callable[[AccessLogEntry], None] | None,
    pack: Pack | None = None,
    clock: Clock = utc_now,
    render: Callable[[ASGIApp, Litestar], ASGIApp] | None = None,
    pages: Sequence[HTTPRouteHandler] = (),
    private: PrivatePages | None = None,
) -> ASGIApp:
    """Return the ASGI application of one worker; `settings.database_url` must be set.

    `tell` writes the access log; there is none without it. The `pack` is that of the settings, or
    another. `clock` is the time of reads, which
    decides what is still to come and what is overdue. `render` wraps the application of the site's
    files, and is given that of the handlers, of which some may answer with `pages`. What
    lies under the prefix of `private` goes there as it is, past the site and its caches.
    """
    litestar = _litestar(settings, pack, clock, pages, private)
    site: ASGIApp = StaticSite(settings.site_dir, litestar.state.store)
    if render is not None:
        site = render(site, litestar)

    def is_private(path: str) -> bool:
        return private is not None and (path + "/").startswith(private.prefix + "/")

    async def application(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            note_wanted(scope)
        if not (query := scope.get("query_string", b"")).isascii():
            # Typed as it is rather than percent-encoded; the framework would misread it.
            scope["query_string"] = quote(query, safe=_ASCII).encode()
        if scope["type"] == "http" and not _is_api(scope["path"]):
            await site(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "OPTIONS":
            await litestar(scope, receive, _allowing_all(scope, send))
        else:
            await litestar(scope, receive, send)

    conditional = ConditionalRequests(serve_receipts(application, litestar))

    async def all_pages(scope: Any, receive: Receive, send: Send) -> None:
        is_open = scope["type"] != "http" or not is_private(scope["path"])
        await (conditional if is_open else litestar)(scope, receive, send)

    return EdgeMiddleware(
        all_pages, settings, litestar.state, tell, is_api=_is_api, is_private=is_private
    )


def describe_api(settings: Settings, pack: Pack | None = None) -> dict[str, Any]:
    """Return the description that `/openapi.json` serves, without serving."""
    pack = pack or load_pack(settings.pack, settings.packs)
    return openapi.describe(_litestar(settings, pack), pack)


def _is_api(path: str) -> bool:
    return path.startswith(_API) or path in {openapi.PATH, metrics.PATH}


def _litestar(
    settings: Settings,
    pack: Pack | None = None,
    clock: Clock = utc_now,
    pages: Sequence[HTTPRouteHandler] = (),
    private: PrivatePages | None = None,
) -> Litestar:
    pack = pack or load_pack(settings.pack, settings.packs)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        database = await connect(settings.database_url or "", patience=_PATIENCE_SECONDS)
        known = pack
        with suppress(Exception):
            known = await complete_pack(database, pack)
        app.state.context = ServiceContext(
            database=database,
            pack=known,
            random=secrets.token_bytes,
            review=settings.review,
            fast=metrics.CountedValidator(enabled=settings.accept_path == "on"),
            guard=LogGuard(LogMemory(settings.seen_file)),
            publications_a_day=settings.limit_publications,
            draft_bytes=settings.limit_drafts * 2**20,
            large=WorkProcess("large documents", seconds=_LARGE_SECONDS),
        )
        app.state.workbooks = WorkProcess("workbooks", seconds=_WORKBOOK_SECONDS)

        def take_pack(pack: Pack) -> None:
            app.state.context = msgspec.structs.replace(app.state.context, pack=pack)

        metrics.process_metrics().count_connections(database)
        reads = app.state.reads = Reads(database, settings.read_url)
        index = app.state.index = open_index(
            database.connection, settings.search_dir, known, take_pack
        )
        # Only a process that granian has started listens.
        listening = (
            [] if multiprocessing.parent_process() is None else [limit_unread(settings.port)]
        )
        beside = [
            asyncio.create_task(work)
            for work in (
                end_with_parent(),
                reads.keep_connected(),
                keep_beating(
                    database,
                    "serve",
                    host_of("serve", settings),
                    partial(figures_of_host, settings),
                ),
                index.keep_current(),
                *listening,
            )
        ]
        try:
            # The first questions are as fast as those that follow; what is wrong, they meet too.
            with suppress(Exception):
                async with asyncio.timeout(_WARM_SECONDS):
                    await index.warm_up()
            yield
        finally:
            for task in beside:
                task.cancel()
            app.state.context.large.close()
            app.state.workbooks.close()
            await reads.close()
            await database.close()

    def refuse_http_exception(request: ApiRequest, error: HTTPException) -> Any:
        """Answer what no handler has: in the private part by one of its pages."""
        if private is not None and (request.url.path + "/").startswith(private.prefix + "/"):
            return private.refuse(request, error)
        return problems.handle_http_exception(request, error)

    for handler in (*_HANDLERS, *pages):
        # Each application has copies of them: their signatures are read once a process.
        _ = handler.parsed_fn_signature
    return Litestar(
        route_handlers=[*_HANDLERS, *pages, *([] if private is None else [private.router])],
        dependencies={
            "actor": Provide(authentication.provide_actor),
            "call": Provide(writes.provide_call, sync_to_thread=False),
            "record": Provide(parameters.provide_record, sync_to_thread=False),
        },
        before_request=parameters.QueryCheck(),
        after_exception=[authentication.note_refusal],
        state=State(
            {
                "settings": settings,
                "clock": clock,
                "metrics_readers": metrics.MetricsReaders(),
                "provider": None if settings.oidc_issuer is None else IdentityProvider(settings),
                "work": WorkLimit(settings.limit_work),
                "exporting": Counter(),
                "statistics": statistics.StatisticsCache(),
                "tree": LogTree(),
                "store": None if settings.publish_to is None else ObjectStore(settings.publish_to),
                "operations": [handler.handler_name for handler in _HANDLERS],
                **({} if private is None else private.shared),
            }
        ),
        exception_handlers={
            RegistryError: problems.handle_registry_error,
            HTTPException: refuse_http_exception,
            Exception: problems.handle_any,
        },
        lifespan=[lifespan],
        openapi_config=openapi.configuration(settings, pack),
        logging_config=None,
    )


def _allowing_all(scope: Any, send: Send) -> Send:
    """Set `Allow` to every method of an address; litestar's knows those of its first handler."""

    async def allowing(message: Any) -> None:
        if message["type"] == "http.response.start" and message["status"] == HTTPStatus.NO_CONTENT:
            template = scope.get("path_template")
            for route in scope["litestar_app"].routes:
                if route.path_format == template:
                    MutableScopeHeaders.from_message(message)["allow"] = allow(route.methods)
        await send(message)

    return allowing


async def end_with_parent() -> None:
    """End this worker when the process that started it is gone, even by `kill -9`."""
    # It may have died before this worker had begun, and then another is the parent by now.
    started_by = multiprocessing.parent_process()
    parent = os.getppid() if started_by is None or started_by.pid is None else started_by.pid
    while os.getppid() == parent:  # noqa: ASYNC110  nobody could set an event for us
        await asyncio.sleep(_WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


async def limit_unread(port: int) -> None:
    """Set the time limit on this process's listening socket, once granian has opened it.

    Connections inherit it (tcp(7), TCP_USER_TIMEOUT). Systems without it keep such connections.
    """
    if sys.platform == "linux":
        for _ in range(_TRIES):
            if _limit(port):
                return
            await asyncio.sleep(_PAUSE_SECONDS)


def _limit(port: int) -> bool:
    """Return whether this process has a socket that listens at the port; each is limited."""
    found = [_limited(int(path.name), port) for path in Path("/proc/self/fd").iterdir()]
    return any(found)


def _limited(descriptor: int, port: int) -> bool:
    """Return whether a descriptor is a socket that listens at the port, which is then limited."""
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return False
        line = socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        # It was closed meanwhile.
        return False
    with line:
        if line.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) not in _INTERNET:
            return False
        listens = line.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if not listens or line.getsockname()[1] != port:
            return False
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MILLISECONDS)
        return True
