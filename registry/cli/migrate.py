"""`registry migrate`: what an update does to the database, and whether it is done."""

from __future__ import annotations

import sys

import msgspec
import rich_click as click
import uvloop

from registry.cli.command_options import Style, style_option
from registry.cli.output import UNUSABLE, print_message, write_json
from registry.cli.runtime import pass_settings, running_database
from registry.settings import Settings
from registry.store import migrate as migrations
from registry.store.database import connect
from registry.store.migrate import MigrationStatus

_LACKING = 1


@click.command()
@click.option("--check", is_flag=True, help="Say what is missing, and change nothing.")
@click.option("--apply", is_flag=True, help="Apply what is missing, each in one transaction.")
@style_option
@pass_settings
def migrate(settings: Settings, *, check: bool, apply: bool, style: Style) -> None:
    """Show how the database differs from what this version needs, or migrate it.

    Exit code 0: this version works with the database as it is now. 1: migrations are missing, which
    `--apply` or a start of `registry work` applies. 2: the database is of a later version that this
    one cannot work with. 3: it does not answer.

    Example: registry migrate --check --format json
    """
    if check == apply:
        raise click.UsageError("give --check or --apply")

    with running_database(settings) as ready:
        applied, status = uvloop.run(_migrated(ready.database_url or "", apply=apply))
    if style == "json":
        write_json({"applied": applied} | msgspec.to_builtins(status))
    else:
        _print(applied, status)
    if status.refused:
        sys.exit(UNUSABLE)
    sys.exit(_LACKING if status.missing else 0)


async def _migrated(url: str, *, apply: bool) -> tuple[list[str], MigrationStatus]:
    """Return what was applied, and how the database is then."""
    database = await connect(url, size=2)
    try:
        done = await migrations.migrate(database) if apply else []
        async with database.connection() as connection:
            status = await migrations.read_status(connection)
    finally:
        await database.close()
    return [one.title for one in done], status


def _print(applied: list[str], status: MigrationStatus) -> None:
    for name in applied:
        sys.stdout.write(f"applied: {name}\n")
    for name in status.missing:
        kind = "contracts" if name in status.contracting else "expands"
        sys.stdout.write(f"missing: {name}, {kind}\n")
    for name in status.ahead:
        can = "cannot work with it" if name in status.refused else "works with it"
        sys.stdout.write(f"ahead: {name}; this version {can}\n")
    if not (applied or status.missing or status.ahead):
        print_message("the database is of this version")
