"""Serving: granian's workers around the application, for `up` and `serve`."""

from __future__ import annotations

import gc
import shutil
import socket
import sys
import time
from collections.abc import Callable
from functools import partial

import msgspec
import rich_click as click
from litestar.types import ASGIApp

from registry.cli import log_output
from registry.errors import ConfigurationError
from registry.settings import Settings

PORT = click.IntRange(1, 65535)

_WORKERS_GONE_SECONDS = 2.0


def listening_at(
    settings: Settings, *, host: str | None = None, port: int | None = None
) -> Settings:
    """Give the settings with another address to listen at.

    A base address that nobody set follows the port, so that links lead here.
    """
    port = settings.port if port is None else port
    unset = settings.base_url == f"http://127.0.0.1:{settings.port}"
    return msgspec.structs.replace(
        settings,
        host=settings.host if host is None else host,
        port=port,
        base_url=f"http://127.0.0.1:{port}" if unset else settings.base_url,
    )


def check_port(settings: Settings) -> None:
    """Raise `ConfigurationError` when the port cannot be had.

    Workers of a killed process need half a second to notice and go, so it is tried for a while.
    """
    until = time.monotonic() + _WORKERS_GONE_SECONDS
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    while True:
        try:
            with socket.create_server((settings.host, settings.port), family=family):
                return
        except OSError as error:
            if time.monotonic() < until:
                time.sleep(0.1)
                continue
            # Python adds the address, which is said already.
            why = (error.strerror or str(error)).partition(" (while ")[0]
            way = (
                "choose one above 1023 (--port 8001), and put a proxy in front"
                if isinstance(error, PermissionError)
                else "end what uses it, or choose another: --port 8001"
            )
            raise ConfigurationError(
                f"port {settings.port} on {settings.host} cannot be had ({why}); {way}"
            ) from error


def serve(settings: Settings, load: Callable[[Settings], ASGIApp] | None = None) -> None:
    """Serve until interrupted; `load` makes the application inside each worker."""
    from granian import Granian  # noqa: PLC0415  it starts threads
    from granian.constants import HTTPModes, Interfaces  # noqa: PLC0415
    from granian.log import LogLevels  # noqa: PLC0415

    # The workers count together, from nothing.
    shutil.rmtree(settings.figures_dir, ignore_errors=True)
    server = Granian(
        "registry.api.app:create_app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        # Proxies speak it to us. Where HTTP/2 might come, whoever connects and says nothing, or
        # begins that and stops, is waited for without end, and some hundred lines are all we have.
        http=HTTPModes.http1,
        workers=settings.workers,
        websockets=False,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
    )
    server.serve(target_loader=partial(load or load_application, settings), wrap_loader=False)


def load_application(settings: Settings) -> ASGIApp:
    """Make the application inside a worker process."""
    from registry.api.app import create_app  # noqa: PLC0415  only workers need the web

    application = create_app(settings, tell=log_output.configure())
    # What is there by now stays: the collector need not look at it over and over again.
    gc.collect()
    gc.freeze()
    return application


def announce(settings: Settings) -> None:
    """Say where the register is to be found, on a terminal and in a log alike."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    host = f"[{host}]" if ":" in host else host
    sys.stdout.write(f"The register is at http://{host}:{settings.port}/  (Ctrl-C ends it)\n")
    sys.stdout.flush()
