"""`registry work`: the background runner as a process of its own."""

from __future__ import annotations

import rich_click as click

from registry.cli.runtime import (
    note_termination,
    pass_settings,
    print_doubts,
    run,
    until_terminated,
)
from registry.services.context import ServiceContext
from registry.services.log.witness_policy import configured_policy
from registry.settings import Settings
from registry.worker import runner


@click.command()
@pass_settings
def work(settings: Settings) -> None:
    """Do the background work: publish the log and build the site whenever something is new.

    Any number may run; one works, the others wait to take over. SIGTERM or Ctrl-C ends it.

    Example: registry work
    """
    run(settings, lambda context: _work_until_terminated(settings, context), begins=True)


async def _work_until_terminated(settings: Settings, context: ServiceContext) -> None:
    """Do the background work; return on SIGTERM, so that the register is closed in order."""
    configured_policy(settings)
    await print_doubts(settings, context)
    await until_terminated(runner.work(settings, context), note_termination())
