"""`registry search`: the state of the host's search index, and making it anew."""

from __future__ import annotations

import rich_click as click

from registry.cli.output import print_message, progress_bar, write_json
from registry.cli.runtime import pass_settings, run
from registry.search.engine import open_index
from registry.search.index import IndexStatus
from registry.services.context import ServiceContext
from registry.settings import Settings


@click.group()
def search() -> None:
    """Show the state of this host's search index, or make it anew.

    Example: registry search status
    """


@search.command()
@pass_settings
def status(settings: Settings) -> None:
    """Write what the index of this host holds, and what the log has, as JSON.

    It changes nothing. `is_current` says whether the next query finds everything as it is,
    `is_stale` whether the files are yet to be made anew, without what was erased.

    Example: registry search status
    """

    async def read(context: ServiceContext) -> IndexStatus:
        index = open_index(context.database.connection, settings.search_dir, context.pack)
        return await index.status()

    write_json(run(settings, read))


@search.command()
@pass_settings
def rebuild(settings: Settings) -> None:
    """Make the index of this host anew from the database, and replace it.

    It answers until then, if it can be read; nothing is lost.

    Example: registry search rebuild
    """

    async def work(context: ServiceContext) -> IndexStatus:
        index = open_index(context.database.connection, settings.search_dir, context.pack)
        with progress_bar("Indexing") as progress:
            await index.rebuild(progress)
        return await index.status()

    made = run(settings, work)
    print_message(f"indexed: {made.versions} versions, a log of {made.size} entries")
