"""The command `registry`: its verbs, and how errors end it."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import rich_click as click
from click.exceptions import Exit

from registry import __version__
from registry.cli import log_output
from registry.cli.runtime import UNUSABLE, say, tell
from registry.errors import RegistryError
from registry.settings import from_environment

# Each verb's module is imported when it is used: most need neither the web nor the templates.
_VERBS = {
    "up": "registry.cli.up:up",
    "serve": "registry.cli.serve:serve",
    "work": "registry.cli.work:work",
    "validate": "registry.cli.validate:validate",
    "file": "registry.cli.filing:file_",
    "submit": "registry.cli.filing:submit",
    "drafts": "registry.cli.filing:drafts",
    "approve": "registry.cli.reviewing:approve",
    "return": "registry.cli.reviewing:return_",
    "withdraw": "registry.cli.withdraw:withdraw",
    "redact": "registry.cli.redact:redact",
    "attest": "registry.cli.attest:attest",
    "load": "registry.cli.load:load",
    "import": "registry.cli.import_:import_",
    "export": "registry.cli.export:export",
    "site": "registry.cli.site:site",
    "log": "registry.cli.log:log",
    "verify": "registry.cli.verify:verify",
    "token": "registry.cli.token:token",
    "agency": "registry.cli.agency:agency",
    "backup": "registry.cli.backup:backup",
    "restore": "registry.cli.backup:restore",
    "format": "registry.cli.format_:format_",
    "pack": "registry.cli.pack:pack",
}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


class _Verbs(click.RichGroup):
    def list_commands(self, _: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, _: click.Context, name: str) -> Any:
        if name not in _VERBS:
            return None
        module, attribute = _VERBS[name].split(":")
        return getattr(importlib.import_module(module), attribute)


@click.command(
    cls=_Verbs,
    epilog="Settings are environment variables that begin with REGISTRY_; see docs/operating.md. "
    "Exit codes: 0 done, 1 refused or not found, 2 used or set up wrongly, 3 not available now.",
)
@click.version_option(__version__)
@click.pass_context
def cli(context: click.Context) -> None:
    """Run a register of the algorithms that public bodies use.

    Example: registry up
    """
    log_output.configure()
    context.obj = from_environment(os.environ)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; every error is a sentence on stderr and an exit code."""
    try:
        cli.main(args=arguments, prog_name="registry", standalone_mode=False)
        sys.stdout.flush()
    except Exit as ending:
        sys.exit(ending.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(UNUSABLE)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except RegistryError as error:
        tell("registry", error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        _write_no_more()
        sys.exit(0)
    except OSError as error:
        if error.filename is None and error.errno not in _NO_ROOM:
            raise
        _write_no_more()
        say(f"registry: {error.filename or 'what is written'}: {error.strerror}")
        sys.exit(UNUSABLE)


def _write_no_more() -> None:
    """Let what is still to be written to stdout go nowhere, rather than fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
