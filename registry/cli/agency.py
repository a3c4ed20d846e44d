"""`registry agency`: the agencies that there are."""

from __future__ import annotations

import sys

import msgspec
import rich_click as click

from registry.cli.acting import Style, style_option
from registry.cli.opened import in_office, write_json
from registry.office.filing import Office
from registry.store import agencies


@click.group()
def agency() -> None:
    """Look at the agencies. A new one is a row in agencies.csv of the country pack.

    Example: registry agency list
    """


@agency.command(name="list")
@click.option("--foreign", is_flag=True, help="Those that records of other registers brought too.")
@style_option
@in_office
async def list_(office: Office, *, style: Style, foreign: bool) -> None:
    """List the agencies: code, published records, name.

    Example: registry agency list
    """
    async with office.database.connection() as connection:
        known = await agencies.read_all(connection)
    found = [one for one in known if foreign or one.agency.origin is None]
    if style == "json":
        write_json([msgspec.to_builtins(one.agency) | {"records": one.records} for one in found])
        return
    for one in found:
        name = next(iter(one.agency.name.values()), "")
        sys.stdout.write(f"{one.agency.id}\t{one.records}\t{name}\n")
