"""`registry site`: build the static site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from registry.cli.opened import run, say
from registry.cli.progress import progress_bar
from registry.cli.runner import build_site

if TYPE_CHECKING:
    from registry.settings import Settings


@click.group()
def site() -> None:
    """Build the static site.

    Example: registry site build
    """


@site.command()
@click.option("--out", type=click.Path(path_type=Path), help="Where; default DATA_DIR/site.")
@click.option("--full", is_flag=True, help="Render every page, changed or not.")
@click.pass_obj
def build(settings: Settings, out: Path | None, *, full: bool) -> None:
    """Build the site from the register, beside the one in force, and switch to it at once.

    Example: registry site build
    """
    with progress_bar("Building the site") as progress:
        report = run(
            settings,
            lambda office: build_site(settings, office, out=out, full=full, progress=progress),
        )
    say(f"{report.files} files, {report.rendered} of them new or changed: {report.folder}")
