"""`registry up`: a whole register by one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import rich_click as click

from registry import resources
from registry.cli import load
from registry.cli.progress import progress_bar
from registry.cli.runtime import database_of, say
from registry.cli.server import PORT, announce, check_port, listening_at, serve
from registry.clock import utc_now
from registry.errors import ConfigurationError
from registry.services.context import ServiceContext
from registry.services.loading import load as load_records
from registry.services.startup import is_empty, run_in_register
from registry.settings import Settings
from registry.worker.runner import BackgroundRunner, build_site

_LOADING = "loading"


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), help="The data folder; default REGISTRY_DATA_DIR."
)
@click.option("--port", type=PORT, help="The port to listen at.")
@click.pass_obj
def up(settings: Settings, data: Path | None, port: int | None) -> None:
    """Start everything: database, records, site, API. Ctrl-C ends all of it.

    An empty register is filled with the demonstration records of records/; a start that was
    interrupted goes on with that.

    Example: registry up --port 8000
    """
    settings = listening_at(settings, port=port)
    if data is not None:
        settings = msgspec.structs.replace(settings, data_dir=data)
    check_port(settings)
    with database_of(settings) as ready:
        run_in_register(ready, lambda context: _prepare(ready, context))
        # That may have taken a minute, and somebody else the port.
        check_port(settings)
        runner = BackgroundRunner(ready)
        runner.start()
        try:
            announce(ready)
            serve(ready)
        finally:
            runner.stop()


async def _prepare(settings: Settings, context: ServiceContext) -> None:
    unfinished = settings.data_dir / _LOADING
    if unfinished.exists() or await is_empty(context.database):
        say("Loading the demonstration records …")
        with _to_be_finished(unfinished), progress_bar("Loading") as progress:
            # Records are of one country; a register of another has none of their agencies.
            results = await load_records(
                context, resources.RECORDS, now=utc_now, known_only=True, progress=progress
            )
        if results:
            load.report(results)
        else:
            say("There are none of this country; the register begins empty.")
    if not (settings.site_dir / "index.html").exists():
        say("Building the site …")
        await build_site(settings, context)


@contextmanager
def _to_be_finished(note: Path) -> Iterator[None]:
    """Keep a file for as long as the block takes; it stays when the process dies in it."""
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()
    except OSError as error:
        raise ConfigurationError(f"cannot write {note}: {error.strerror}") from error
    yield
    note.unlink()
