"""`registry serve`: Granian and its workers, which serve the API and the built site."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, TypeAlias

import msgspec
import rich_click as click
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from registry.cli import log_output
from registry.cli.parameter_types import WholeNumber
from registry.cli.runtime import pass_settings, print_doubts, running_database
from registry.errors import ConfigurationError
from registry.services.operations.startup import run_in_register
from registry.settings import Settings

PORT = WholeNumber(1, 65535)

ASGIApp: TypeAlias = Callable[..., Awaitable[Any]]

_WORKERS_GONE_SECONDS = 2.0
_POLL_SECONDS = 0.1
_MEMORY = Path("/dev/shm")  # noqa: S108  only the parent of a folder that nobody else may open
"""Where workers count, if it is there: no full disk ends a process that writes mapped memory."""


def listening_at(
    settings: Settings, *, host: str | None = None, port: int | None = None
) -> Settings:
    """Return the settings with another address to listen at.

    A base address that was not set follows the port.
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
    """Raise `ConfigurationError` when the port cannot be listened at.

    Workers of a killed process need half a second to notice and end, so this waits for up to two.
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
            # Python adds the address, which the sentence has already.
            why = (error.strerror or str(error)).partition(" (while ")[0]
            way = (
                "choose one above 1023 (--port 8001), and put a proxy in front"
                if isinstance(error, PermissionError)
                else "end what uses it, or choose another: --port 8001"
            )
            raise ConfigurationError(
                f"port {settings.port} on {settings.host} cannot be had ({why}); {way}"
            ) from error


class _Interrupt(Event):
    """The event that ends the wait of the server's main process, whose `wait` polls.

    That of `Event` goes on where the kernel gave SIGTERM to another thread: Python runs handlers in
    the main one alone, which nothing wakes. It also holds a lock for a moment, on which a handler
    that sets the event then would wait for ever.
    """

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002  none is ever given
        """Return once the event is set."""
        while not self.is_set():
            time.sleep(_POLL_SECONDS)
        return True


def run_server(
    settings: Settings,
    load: Callable[[Settings], ASGIApp] | None = None,
    *,
    terminated: Event | None = None,
) -> None:
    """Serve until interrupted; `load` returns the application, inside each worker.

    It ends as soon as it has begun where SIGTERM has come before it handles that.
    """
    server = Granian(
        "registry.web.app:create_app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        # Proxies speak it to us. With HTTP/2 granian waits without limit for a client that connects
        # and sends nothing, and takes only some hundred connections.
        http=HTTPModes.http1,
        workers=settings.workers,
        websockets=False,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
    )
    server.main_loop_interrupt = _Interrupt()
    if terminated is not None:

        @server.on_startup
        def end_at_once() -> None:
            if terminated.is_set():
                signal.raise_signal(signal.SIGTERM)

    # A worker that is ended while it starts would have the handler of its parent, and go on.
    os.register_at_fork(after_in_child=partial(signal.signal, signal.SIGTERM, signal.SIG_DFL))
    memory = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with TemporaryDirectory(prefix="registry-metrics-", dir=memory) as metrics:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics
        server.serve(target_loader=partial(load or load_application, settings), wrap_loader=False)


def load_application(settings: Settings) -> ASGIApp:
    """Return the application, inside a worker process."""
    # The parent of the workers holds no application, and stays small.
    from registry.web.app import create_app  # noqa: PLC0415

    application = create_app(settings, tell=log_output.configure())
    # The objects that exist now stay: the collector need not traverse them again.
    gc.collect()
    gc.freeze()
    return application


def announce(settings: Settings) -> None:
    """Print the register's address to stdout, on a terminal and elsewhere alike."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    host = f"[{host}]" if ":" in host else host
    sys.stdout.write(f"The register is at http://{host}:{settings.port}/  (Ctrl-C ends it)\n")
    sys.stdout.flush()


@click.command()
@click.option("--host", help="The address to listen at.")
@click.option("--port", type=PORT, help="The port to listen at.")
@click.option("--workers", type=WholeNumber(min=1), help="How many worker processes.")
@pass_settings
def serve(settings: Settings, host: str | None, port: int | None, workers: int | None) -> None:
    """Serve the API and the built site from the configured database.

    It loads no records; the site is built by `registry work`, or here with REGISTRY_SITE=here.

    Example: registry serve --host 0.0.0.0 --port 8000 --workers 2
    """
    settings = listening_at(settings, host=host, port=port)
    if workers is not None:
        settings = msgspec.structs.replace(settings, workers=workers)
    check_port(settings)

    with running_database(settings, begins=True) as ready:
        # Opening migrates the register, or begins it.
        run_in_register(ready, partial(print_doubts, ready))
        announce(ready)
        with _keeping_site(ready) if ready.site == "here" else nullcontext():
            run_server(ready)


@contextmanager
def _keeping_site(settings: Settings) -> Iterator[None]:
    """Build the site in this host's own data folder, and keep it current for the block."""
    # It is a third of the memory of the workers' parent, and most hosts build no site.
    from registry.worker.runner import BackgroundRunner  # noqa: PLC0415
    from registry.worker.site_keeping import keep_host_site  # noqa: PLC0415

    runner = BackgroundRunner(settings, keep_host_site)
    runner.start()
    try:
        yield
    finally:
        runner.stop()
