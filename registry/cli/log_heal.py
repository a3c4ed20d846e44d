"""`registry log heal`: bring back what the database has lost of the log, or has otherwise."""

from __future__ import annotations

import rich_click as click

from registry.cli.output import print_message
from registry.cli.parameter_types import NUMBER
from registry.cli.progress import progress_bar
from registry.cli.runtime import pass_settings, run
from registry.clock import utc_now
from registry.services import discarding
from registry.services.context import ServiceContext
from registry.services.discarding import discard_entries, plan_discard
from registry.services.recovery import heal_log, heal_rows
from registry.settings import Settings


@click.command()
@click.option(
    "--accept-dates",
    is_flag=True,
    help="Accept that the last entry is dated ahead: until then all entries get its time.",
)
@click.option(
    "--discard-from",
    type=NUMBER,
    metavar="N",
    help="First give up what was acknowledged from entry N on and contradicts what was signed.",
)
@click.option("--yes", is_flag=True, help="Do not ask before entries are given up.")
@pass_settings
def heal(settings: Settings, *, accept_dates: bool, discard_from: int | None, yes: bool) -> None:
    """Bring back what the database has lost of the log, and rows that follow from the log.

    What a restored older database has lost comes from our own published files: everything is
    verified first; nothing is taken that was not signed. Then the whole database is checked as by
    registry log verify, and rows that do not follow from the log are written anew from it.

    Example: registry log heal
    """
    if accept_dates:
        until = run(settings, discarding.accept_dates)
        print_message(
            f"entries have the time {until:%Y-%m-%dT%H:%M:%SZ} until then, as incidents.json says"
            if until
            else "the last entry is not dated ahead of the database's clock"
        )
        return

    if discard_from is not None:
        _discard(settings, discard_from, yes=yes)
    with progress_bar("Healing") as progress:

        async def work(context: ServiceContext) -> None:
            now = utc_now()
            count = await heal_log(context, settings, now=now, progress=progress)
            print_message(f"{count} entries were brought back" if count else "nothing is missing")
            count = await heal_rows(context, settings, now=now, progress=progress)
            if count:
                print_message(f"rows of {count} entries were written anew from the log")

        run(settings, work)


def _discard(settings: Settings, start: int, *, yes: bool) -> None:
    """Print which receipts die, ask, and give the entries up."""

    async def give_up(context: ServiceContext) -> None:
        planned = await plan_discard(context, settings, start)
        for one in planned.receipts:
            version = "" if one.version is None else f", version {one.version}"
            print_message(
                f"entry {one.entry}, {one.at:%Y-%m-%dT%H:%M:%SZ}: {one.kind}"
                f"{f' of {one.subject}' if one.subject else ''}{version}, {one.hash.hex()}"
            )
        print_message(f"{len(planned.receipts)} receipts die with their entries")
        if planned.lost is not None:
            first, end = planned.lost
            print_message(
                f"entries {first} to {end} were acknowledged, and are in no database or file: "
                "their receipts die too, and nothing else is known of them"
            )
        if not yes and not click.confirm("Give them up?", err=True):
            raise SystemExit(1)
        kept = await discard_entries(context, settings, planned, now=utc_now())
        print_message(f"given up{f'; kept in {kept}' if kept else ''}, told in incidents.json")

    run(settings, give_up)
