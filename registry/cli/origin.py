"""`registry origin`: the other registers that records come from, and records that stand twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from registry.cli.progress import progress_bar
from registry.cli.runtime import in_register, print_message, write_json
from registry.clock import utc_now
from registry.errors import NotFound

if TYPE_CHECKING:
    from registry.services.context import ServiceContext


@click.group()
def origin() -> None:
    """List the other registers that records come from, and join records that stand twice.

    Example: registry origin list
    """


@origin.command(name="list")
@in_register
async def list_(context: ServiceContext) -> None:
    """Write the registers that something was imported of, as JSON.

    Example: registry origin list
    """
    from registry.store import imports

    async with context.database.connection() as connection:
        write_json(list((await imports.read_origins(connection)).values()))


@origin.command()
@click.argument("code")
@click.option("--apply", is_flag=True, help="Join them; otherwise they are only shown.")
@in_register
async def join(context: ServiceContext, code: str, *, apply: bool) -> None:
    """Join the records of the register CODE that stand twice, such as after an agency's new name.

    The older record goes on with what the newer one says, and the newer one is withdrawn in favour
    of it. Import the register's whole file first: a record is joined where the last import met
    exactly one of the two.

    Example: registry origin join nl-algoritmeregister --apply
    """
    from registry.services.joining import find_doubled
    from registry.services.joining import join as join_records
    from registry.store import imports

    async with context.database.snapshot() as connection:
        if not await imports.read_runs(connection, code, limit=1):
            sizes = await imports.read_sizes(connection)
            raise NotFound(
                f"{code} was last imported by an earlier release: import its whole file once, by "
                "which the records that its source still has are known"
                if code in sizes
                else f"nothing was imported of a register {code}; known are: "
                f"{', '.join(sorted(sizes)) or 'none'}"
            )
        doubled = await find_doubled(connection, code)
    for one in doubled:
        moved = "" if one.kept_agency == one.dropped_agency else f", moves to {one.dropped_agency}"
        print_message(f"{one.kept} goes on for {one.dropped}{moved}: {one.name}")
    if not apply:
        print_message(f"{len(doubled):,} records stand twice; nothing was changed (--apply)")
        return
    with progress_bar("Joining") as progress:
        for number, one in enumerate(doubled, start=1):
            await join_records(context, one, now=utc_now())
            progress(number, len(doubled))
    print_message(f"{len(doubled):,} records joined")
