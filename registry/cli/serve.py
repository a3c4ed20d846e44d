"""`registry serve`: the API and the built site, and nothing else."""

from __future__ import annotations

import msgspec
import rich_click as click

from registry.cli.runtime import database_of
from registry.cli.server import PORT, announce, check_port, listening_at
from registry.cli.server import serve as serve_workers
from registry.services.context import ServiceContext
from registry.services.startup import run_in_register
from registry.settings import Settings


@click.command()
@click.option("--host", help="The address to listen at.")
@click.option("--port", type=PORT, help="The port to listen at.")
@click.option("--workers", type=click.IntRange(min=1), help="How many worker processes.")
@click.pass_obj
def serve(settings: Settings, host: str | None, port: int | None, workers: int | None) -> None:
    """Serve the API and the built site from the configured database.

    It loads no records and builds no site; `registry work` does the latter.

    Example: registry serve --host 0.0.0.0 --port 8000 --workers 2
    """
    settings = listening_at(settings, host=host, port=port)
    if workers is not None:
        settings = msgspec.structs.replace(settings, workers=workers)
    check_port(settings)
    with database_of(settings) as ready:
        run_in_register(ready, _opened)
        announce(ready)
        serve_workers(ready)


async def _opened(_: ServiceContext) -> None:
    """Do nothing more: opening has migrated and begun what was not."""
