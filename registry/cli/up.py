"""`registry up`: start a whole register by one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import rich_click as click

from registry import resources
from registry.cli.load import report
from registry.cli.progress import progress_bar
from registry.cli.runtime import pass_settings, print_message, running_database
from registry.cli.server import PORT, announce, check_port, listening_at, serve
from registry.clock import utc_now
from registry.errors import ConfigurationError
from registry.settings import Settings

if TYPE_CHECKING:
    from registry.services.context import ServiceContext

_LOADING = "loading"


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), help="The data folder; default REGISTRY_DATA_DIR."
)
@click.option("--port", type=PORT, help="The port to listen at.")
@pass_settings
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
    from registry.services.startup import run_in_register
    from registry.worker.runner import BackgroundRunner

    with running_database(settings) as ready:
        run_in_register(ready, lambda context: _prepare(ready, context))
        # That may have taken a minute; another process may have taken the port.
        check_port(settings)
        runner = BackgroundRunner(ready)
        runner.start()
        try:
            announce(ready)
            serve(ready)
        finally:
            runner.stop()


async def _prepare(settings: Settings, context: ServiceContext) -> None:
    from registry.services.loading import load
    from registry.services.startup import is_empty
    from registry.worker.runner import build_site

    unfinished = settings.data_dir / _LOADING
    if unfinished.exists() or await is_empty(context.database):
        print_message("Loading the demonstration records …")
        with _to_be_finished(unfinished), progress_bar("Loading") as progress:
            # Records are of one country; a register of another has none of their agencies.
            results = await load(
                context, resources.RECORDS, now=utc_now, known_only=True, progress=progress
            )
        if results:
            report(results)
        else:
            print_message("There are none of this country; the register begins empty.")
    if not (settings.site_dir / "index.html").exists():
        print_message("Building the site …")
        with progress_bar("Building the site") as progress:
            await build_site(settings, context, progress=progress)


@contextmanager
def _to_be_finished(note: Path) -> Iterator[None]:
    """Create a file for the time of the block; it stays when the process dies in it."""
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()
    except OSError as error:
        raise ConfigurationError(f"cannot write {note}: {error.strerror}") from error
    yield
    note.unlink()
