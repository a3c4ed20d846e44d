"""`registry doctor`: what is not in order, and what to do about it."""

from __future__ import annotations

import os
import sys
from collections import Counter

import msgspec
import rich_click as click
import uvloop

from registry.cli import log_output
from registry.cli.command_options import Style, style_option
from registry.cli.output import write_json
from registry.cli.runtime import running_database
from registry.clock import utc_now
from registry.errors import RegistryError, Unavailable
from registry.services.operations.doctor.checks import Check, finding
from registry.services.operations.doctor.examination import examine
from registry.settings import Settings, from_environment
from registry.text.text_safety import visible

_WIDTH = 10


@click.command()
@style_option
def doctor(style: Style) -> None:
    """Examine the whole installation, and say of each fault what to do about it.

    It changes nothing, and works while the database is down. Exit code 0: all is in order. 1: there
    are findings. 3: the database does not answer.

    Example: registry doctor --format json
    """
    log_output.configure()
    code = 0
    try:
        settings = from_environment(os.environ)
    except RegistryError as error:
        checks = [finding("settings", error.detail, "Mend this variable.")]
    else:
        checks, code = _examined(settings)
    if not code and any(one.state == "finding" for one in checks):
        code = 1
    _show(checks, style)
    sys.exit(code)


def _examined(settings: Settings) -> tuple[list[Check], int]:
    """Return what was found, and the exit code where the database does not answer, else 0."""
    try:
        with running_database(settings) as ready:
            found = uvloop.run(examine(settings, ready))
    except RegistryError as error:
        found = uvloop.run(examine(settings, error))
    return found.checks, 0 if found.has_database else Unavailable.exit_code


def _show(checks: list[Check], style: Style) -> None:
    counted = Counter(one.state for one in checks)
    if style == "json":
        write_json(
            {
                "at": utc_now(),
                "findings": counted["finding"],
                "checks": [msgspec.to_builtins(one) for one in checks],
            }
        )
        return
    for one in checks:
        state = one.state.upper() if one.state == "finding" else one.state
        sys.stdout.write(visible(f"{state:{_WIDTH}}{one.name}: {one.seen}") + "\n")
        if one.advice is not None:
            sys.stdout.write(visible(" " * _WIDTH + one.advice) + "\n")
    number = counted["finding"]
    sys.stdout.write(f"{number} findings\n" if number != 1 else "1 finding\n")
