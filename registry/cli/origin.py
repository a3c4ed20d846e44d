"""`registry origin`: the other registers that records come from."""

from __future__ import annotations

import rich_click as click

from registry.cli.output import write_json
from registry.cli.runtime import in_register
from registry.services.context import ServiceContext
from registry.store import imports


@click.group()
def origin() -> None:
    """List the other registers that records come from.

    Example: registry origin list
    """


@origin.command(name="list")
@in_register
async def list_(context: ServiceContext) -> None:
    """Write the registers that something was imported of, as JSON.

    Example: registry origin list
    """
    async with context.database.connection() as connection:
        write_json(list((await imports.read_origins(connection)).values()))
