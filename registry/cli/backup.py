"""`registry backup` and `registry restore`: the whole register in a folder, and back."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import rich_click as click
import uvloop

from registry.cli.progress import progress_bar
from registry.cli.runtime import database_of, say
from registry.clock import utc_now
from registry.errors import RegistryError
from registry.ledger.verify_database import check_database
from registry.services.backup import Backup, back_up
from registry.services.backup import restore as bring_back
from registry.services.startup import run_in_register
from registry.settings import Settings
from registry.store.database import Database, connect

T = TypeVar("T")

_FOLDER = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


@click.command()
@_FOLDER
@click.pass_obj
def backup(settings: Settings, folder: Path) -> None:
    """Write a backup to the new folder DIR: the database, the log's key, what was signed with it.

    The register may go on meanwhile. Whoever can read the folder can sign as this register, so only
    its owner may; keep it where only you can get at it.

    Example: registry backup /srv/backups/2026-11-25
    """
    with (
        database_of(settings, begins=False) as ready,
        progress_bar("Backing up") as progress,
    ):
        made = _connected(
            ready,
            lambda database: back_up(database, ready, folder, now=utc_now(), progress=progress),
        )
    say(f"{_told(made)}: {folder}")


@click.command()
@_FOLDER
@click.pass_obj
def restore(settings: Settings, folder: Path) -> None:
    """Bring the backup in DIR back into an empty database, and check it by its log.

    Set REGISTRY_DATA_DIR, or REGISTRY_DATABASE_URL, to a new place before. Of what was published
    since the backup, `registry log heal` brings back what the published log still has.

    Example: registry restore /srv/backups/2026-11-25
    """
    with database_of(settings) as ready:
        with progress_bar("Restoring") as progress:
            made = _connected(
                ready, lambda database: bring_back(database, ready, folder, progress=progress)
            )
        say(f"{_told(made)} of {made.made_at:%Y-%m-%d %H:%M:%S} UTC: restored")
        with progress_bar("Checking") as progress:
            try:
                run_in_register(
                    ready,
                    lambda context: check_database(context.database, ready, progress=progress),
                )
            except RegistryError:
                say(
                    "restored, but not as the log says; where entries are missing that were "
                    "published since, `registry log heal` brings them back from the published log"
                )
                raise
    say("in order, by its log; start the register as ever")


def _connected(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """Do the work with a database as it is: neither set up nor brought up to date."""

    async def connected() -> T:
        database = await connect(settings.database_url or "")
        try:
            return await work(database)
        finally:
            await database.close()

    return uvloop.run(connected())


def _told(made: Backup) -> str:
    return f"{made.entries} entries of {made.origin}"
