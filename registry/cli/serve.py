"""`registry serve`: serve the API and the built site."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

import msgspec
import rich_click as click

from registry.cli import server
from registry.cli.parameter_types import WholeNumber
from registry.cli.runtime import pass_settings, print_doubts, running_database
from registry.cli.server import PORT
from registry.services.startup import run_in_register
from registry.settings import Settings


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
    settings = server.listening_at(settings, host=host, port=port)
    if workers is not None:
        settings = msgspec.structs.replace(settings, workers=workers)
    server.check_port(settings)

    with running_database(settings, begins=True) as ready:
        # Opening migrates the register, or begins it.
        run_in_register(ready, partial(print_doubts, ready))
        server.announce(ready)
        with _keeping_site(ready) if ready.site == "here" else nullcontext():
            server.serve(ready)


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
