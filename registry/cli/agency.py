"""`registry agency`: the agencies that there are."""

from __future__ import annotations

import sys

import msgspec
import rich_click as click

from registry.cli.acting import Style
from registry.cli.opened import run
from registry.office.filing import Office
from registry.settings import Settings
from registry.store import agencies
from registry.store.agencies import CountedAgency


@click.group()
def agency() -> None:
    """Look at the agencies. A new one is a row in agencies.csv of the country pack.

    Example: registry agency list
    """


@agency.command(name="list")
@click.option("--foreign", is_flag=True, help="Those that records of other registers brought too.")
@click.option(
    "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@click.pass_obj
def list_(settings: Settings, style: Style, *, foreign: bool) -> None:
    """List the agencies: code, published records, name.

    Example: registry agency list
    """

    async def read(office: Office) -> list[CountedAgency]:
        async with office.database.connection() as connection:
            return await agencies.read_all(connection)

    found = [one for one in run(settings, read) if foreign or one.agency.origin is None]
    if style == "json":
        plain = [msgspec.to_builtins(one.agency) | {"records": one.records} for one in found]
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n")
        return
    for one in found:
        name = next(iter(one.agency.name.values()), "")
        sys.stdout.write(f"{one.agency.id}\t{one.records}\t{name}\n")
