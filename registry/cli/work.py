"""`registry work`: the background runner as a process of its own."""

from __future__ import annotations

import rich_click as click

from registry.cli.runtime import run
from registry.settings import Settings
from registry.worker import runner


@click.command()
@click.pass_obj
def work(settings: Settings) -> None:
    """Do the background work: publish the log and build the site whenever something is new.

    Any number may run; one works, the others wait to take over.

    Example: registry work
    """
    run(settings, lambda context: runner.work(settings, context))
