"""`registry agency`: list the agencies, and add one to the register."""

from __future__ import annotations

import msgspec
import rich_click as click

from registry.cli.command_options import Style, style_option, texts
from registry.cli.output import print_message, write_json, write_row
from registry.cli.runtime import in_register, pass_settings, run
from registry.clock import utc_now
from registry.services.context import ServiceContext
from registry.services.people.agencies import add_agency
from registry.settings import Settings
from registry.store import agencies


@click.group()
def agency() -> None:
    """List the agencies, and add one.

    Example: registry agency list
    """


@agency.command()
@click.argument("code")
@click.option(
    "--name", "names", required=True, multiple=True, help="By language, fr=TEXT; repeat it."
)
@click.option("--kind", required=True, help="ministry, department, public_institution, …")
@click.option("--parent", help="The code of the agency that it belongs to.")
@click.option("--region", help="A code of the pack's regions.csv.")
@click.option("--website", help="https://…")
@click.option("--fictitious", is_flag=True, help="It is made up, for demonstration.")
@pass_settings
def add(
    settings: Settings,
    /,
    *,
    code: str,
    names: tuple[str, ...],
    fictitious: bool,
    **given: str | None,
) -> None:
    """Add an agency to the register, beside those of its country pack; the row is checked before.

    It is kept in the database, whatever becomes of the pack. A running register finds it by its
    name at once, and takes records of it within 10 seconds.

    Example: registry agency add eau --name "fr=Agence de l'eau" --kind public_institution
    """
    row = {f"name_{tag}": name for tag, name in texts(names, "--name").items()}
    row |= {"id": code, "fictitious": "yes" if fictitious else "no"}
    row |= {name: value for name, value in given.items() if value}
    run(
        settings,
        lambda context: add_agency(context, settings, row, now=utc_now()),
    )
    print_message(f"{code} is an agency of this register; a running one finds it by its name")


@agency.command(name="list")
@click.option("--foreign", is_flag=True, help="Those that records of other registers brought too.")
@style_option
@in_register
async def list_(context: ServiceContext, *, style: Style, foreign: bool) -> None:
    """List the agencies: code, published records, name.

    Example: registry agency list
    """
    async with context.database.connection() as connection:
        known = await agencies.read_all(connection)
    found = [one for one in known if foreign or one.agency.origin is None]
    if style == "json":
        write_json([msgspec.to_builtins(one.agency) | {"records": one.records} for one in found])
        return
    for one in found:
        name = next(iter(one.agency.name.values()), "")
        write_row((one.agency.id, one.records, name))
