"""`registry work`: the background runner as a process of its own."""

from __future__ import annotations

import rich_click as click

from registry.cli import runner
from registry.cli.opened import run
from registry.settings import Settings


@click.command()
@click.pass_obj
def work(settings: Settings) -> None:
    """Do the background work: publish the log and build the site whenever something is new.

    Any number may run; one works, the others wait to take over.

    Example: registry work
    """
    run(settings, lambda office: runner.work(settings, office))
