"""`registry work`: the background runner as a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from registry.cli.opened import run
from registry.cli.runner import keep_site_current

if TYPE_CHECKING:
    from registry.settings import Settings


@click.command()
@click.pass_obj
def work(settings: Settings) -> None:
    """Do the background work: build the site whenever something is published.

    Any number may run; one works, the others wait to take over.

    Example: registry work
    """
    run(settings, lambda office: keep_site_current(settings, office))
