"""`registry up`: start a whole register by one command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import msgspec
import rich_click as click

from registry import resources
from registry.cli.load import report
from registry.cli.member import link_address
from registry.cli.output import print_message, progress_bar
from registry.cli.runtime import (
    note_termination,
    pass_settings,
    print_doubts,
    running_database,
    until_terminated,
)
from registry.cli.serve import PORT, announce, check_port, listening_at, run_server
from registry.clock import utc_now
from registry.demo.demonstration import (
    InventedEvent,
    begins_at,
    invented_until,
    load_demonstration,
    read_histories,
)
from registry.errors import ConfigurationError
from registry.record.pack import load_pack, pack_folder
from registry.services.context import ServiceContext
from registry.services.filing.loading import load
from registry.services.log.witness_policy import configured_policy
from registry.services.operations.startup import is_empty, run_in_register
from registry.services.people import members
from registry.services.people.access import OPERATOR
from registry.settings import Settings
from registry.worker.runner import BackgroundRunner
from registry.worker.site_keeping import build_site

_LOADING = "loading"


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), help="The data folder; default REGISTRY_DATA_DIR."
)
@click.option("--port", type=PORT, help="The port to listen at.")
@pass_settings
def up(settings: Settings, data: Path | None, port: int | None) -> None:
    """Start everything: database, records, site, API. Ctrl-C ends all of it.

    An empty register is filled with the records of the pack, or of records/; a start that was
    interrupted goes on with that.

    Example: registry up --port 8000
    """
    settings = listening_at(settings, port=port)
    settings = msgspec.structs.replace(settings, console=settings.console or "on")
    if data is not None:
        settings = msgspec.structs.replace(settings, data_dir=data)
    check_port(settings)
    terminated = note_termination()

    configured_policy(settings)
    with running_database(settings, begins=True) as ready:
        links = prepare_register(ready, terminated)
        # That may have taken a minute; another process may have taken the port.
        check_port(settings)
        runner = BackgroundRunner(ready)
        runner.start()
        try:
            announce(ready)
            sys.stdout.write("".join(f"{line}\n" for line in links))
            sys.stdout.flush()
            run_server(ready, terminated=terminated)
        finally:
            runner.stop()


def demonstration_records(settings: Settings) -> Path:
    """Return the folder of the records of a pack, `records` in its own, or of those that ship."""
    own = pack_folder(settings.pack, settings.packs) / "records"
    return own if own.is_dir() else resources.RECORDS


def prepare_register(settings: Settings, terminated: Event) -> list[str]:
    """Begin a demonstration's register, fill and build what is not there yet.

    Returns what to say of signing in; SIGTERM ends it, and the command.
    """
    records = demonstration_records(settings)
    events = [
        event
        for event in read_histories(records, load_pack(settings.pack, settings.packs))
        if event.at < utc_now()
    ]
    return run_in_register(
        settings,
        lambda context: until_terminated(prepare(settings, context, records, events), terminated),
        demonstration_from=begins_at(events),
    )


async def prepare(
    settings: Settings, context: ServiceContext, records: Path, events: list[InventedEvent]
) -> list[str]:
    """Fill and build what is not there yet; return what to say of signing in.

    What is in the table of histories is published in its invented order first.
    """
    await print_doubts(settings, context)
    unfinished = settings.data_dir / _LOADING
    if unfinished.exists() or await is_empty(context.database):
        print_message("Loading the demonstration records …")
        with _to_be_finished(unfinished), progress_bar("Loading") as progress:
            results = []
            if (until := await invented_until(context.database)) is not None:
                dated = [event for event in events if event.at < until]
                results = await load_demonstration(
                    context, records, dated, now=utc_now, progress=progress
                )
            done = {one.record for one in results if not one.refused}
            # Records are of one country; a register of another has none of their agencies.
            rest = await load(
                context,
                records,
                now=utc_now,
                known_only=True,
                progress=None if results else progress,
            )
            results += [one for one in rest if one.record not in done]
        if results:
            report(results)
        else:
            print_message("There are none of this country; the register begins empty.")
    if not (settings.site_dir / "index.html").exists():
        print_message("Building the site …")
        with progress_bar("Building the site") as progress:
            await build_site(settings, context, progress=progress)
    return await _sign_in_links(settings, context) if settings.has_console else []


async def _sign_in_links(settings: Settings, context: ServiceContext) -> list[str]:
    """Return lines with links by which a trial signs in, made anew at each start.

    They are of two people: one files for a fictitious agency, one reviews for the authority.
    """
    agency = next((one.id for one in context.pack.agencies.values() if one.fictitious), None)
    if agency is None:
        return ["To sign in to the console: registry member invite --help"]
    known = {one.email: one for one in await members.list_members(context.database, OPERATOR)}
    lines, numbers = [], []
    for who, home, roles in (
        ("editor", agency, ("editor", "agency_admin")),
        ("reviewer", None, ("reviewer",)),
    ):
        email = f"{who}@{home or 'authority'}.example"
        member = known.get(email)
        if member is not None and member.ended_at is not None:
            continue
        now, random = utc_now(), context.random
        if member is None:
            made = await members.invite(
                context.database,
                context.pack,
                OPERATOR,
                name=f"Demonstration {who}",
                agency=home,
                roles=roles,
                email=email,
                language=None,
                now=now,
                random=random,
            )
        else:
            made = await members.make_link(
                context.database, OPERATOR, member.id, now=now, random=random
            )
        numbers.append(str(made.member))
        lines.append(f"Sign in as {who + ':':9} {link_address(settings, made)}")
    if lines:
        usual = Settings()
        given = [
            f"REGISTRY_{name.upper()}={getattr(settings, name)} "
            for name in ("data_dir", "port")
            if getattr(settings, name) != getattr(usual, name)
        ]
        lines.append(
            f"  (one of {agency}, one of the authority; a link works once, for 15 minutes; another "
            f"one: {''.join(given)}registry member link {' or '.join(numbers)})"
        )
        if settings.review == "none":
            lines.append(
                "  (what is filed is public at once; with REGISTRY_REVIEW=authority the reviewer "
                "reads it first)"
            )
    return lines


@contextmanager
def _to_be_finished(note: Path) -> Iterator[None]:
    """Create a file for the time of the block; it stays when the process dies in it."""
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.touch()
    except OSError as error:
        raise ConfigurationError(f"cannot write {note}: {error.strerror}") from error
    yield
    note.unlink()
