"""`registry origin`: the other registers that records come from."""

from __future__ import annotations

import msgspec
import rich_click as click

from registry.cli.output import print_message, write_json
from registry.cli.runtime import in_register
from registry.errors import NotFound
from registry.services.context import ServiceContext
from registry.services.importing.run_report import changed_members
from registry.store import imports


@click.group()
def origin() -> None:
    """List the other registers that records come from, and histories that are crossed.

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


@origin.command()
@click.argument("code")
@in_register
async def crossed(context: ServiceContext, code: str) -> None:
    """Write the versions of CODE that have what another record had, as JSON.

    Imports by earlier releases took systems that their source does not tell apart for one another:
    each got the other's fields. Each item names the record, its version and entry, the run, the
    record that had the same until then, and the fields.

    Example: registry origin crossed nl-algoritmeregister
    """
    async with context.database.snapshot() as connection:
        sizes = await imports.read_sizes(connection)
        if code not in sizes:
            raise NotFound(
                f"nothing was imported of a register {code}; known are: "
                f"{', '.join(sorted(sizes)) or 'none'}"
            )
        found = await imports.read_crossed(connection, code)
    items = []
    for one in found:
        item = msgspec.structs.asdict(one)
        before, after = (msgspec.json.decode(item.pop(name)) for name in ("before", "after"))
        fields = changed_members(before, after)
        items.append({**item, "fields": [name for name in fields if name != "/source_id"]})
    write_json(items)
    print_message(f"{len(found):,} versions have what another record had until their import")
