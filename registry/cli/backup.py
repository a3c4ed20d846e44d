"""`registry backup` and `registry restore`: a backup of the whole register in a folder."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import rich_click as click
import uvloop

from registry.cli.output import print_message, progress_bar
from registry.cli.runtime import pass_settings, running_database
from registry.clock import utc_now
from registry.errors import RegistryError
from registry.ledger.verify_database import check_database
from registry.services.operations import backup as backups
from registry.services.operations.backup import Backup, back_up
from registry.services.operations.heartbeat import note_run
from registry.services.operations.startup import run_in_register
from registry.settings import Settings
from registry.store.database import Database, connect

T = TypeVar("T")

_FOLDER = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


@click.command()
@_FOLDER
@pass_settings
def backup(settings: Settings, folder: Path) -> None:
    """Write a backup to the new folder DIR: the database, the log's key, what was signed with it.

    The register may go on meanwhile. Whoever can read the folder can sign as this register, so only
    its owner may; keep it where only you can get at it.

    Example: registry backup /srv/backups/2026-11-25
    """
    with (
        running_database(settings) as ready,
        progress_bar("Backing up") as progress,
    ):

        async def work(database: Database) -> Backup:
            made = await back_up(database, ready, folder, now=utc_now(), progress=progress)
            await note_run(database, ready, "backup", entries=made.entries)
            return made

        made = _connected(ready, work)
    print_message(f"{_summary(made)}: {folder}")


@click.command()
@_FOLDER
@pass_settings
def restore(settings: Settings, folder: Path) -> None:
    """Bring the backup in DIR back into an empty database, and check it by its log.

    Set REGISTRY_DATA_DIR, or REGISTRY_DATABASE_URL, to a new place before. Of what was published
    since the backup, `registry log heal` brings back what the published log still has.

    Example: registry restore /srv/backups/2026-11-25
    """
    with running_database(settings, begins=True) as ready:
        with progress_bar("Restoring") as progress:
            made = _connected(
                ready, lambda database: backups.restore(database, ready, folder, progress=progress)
            )
        print_message(f"{_summary(made)} of {made.made_at:%Y-%m-%d %H:%M:%S} UTC: restored")
        with progress_bar("Checking") as progress:
            try:
                run_in_register(
                    ready,
                    lambda context: check_database(context.database, ready, progress=progress),
                    derives=False,
                )
            except RegistryError:
                print_message(
                    "restored, but not as the log says; where entries are missing that were "
                    "published since, `registry log heal` brings them back from the published log"
                )
                raise
    print_message("in order, by its log; start the register as ever")


def _connected(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """Return the result of work with a database that is not migrated before."""

    async def connected() -> T:
        database = await connect(settings.database_url or "")
        try:
            return await work(database)
        finally:
            await database.close()

    return uvloop.run(connected())


def _summary(made: Backup) -> str:
    return f"{made.entries} entries of {made.origin}"
