"""The command `registry`: its commands, and how errors end it."""

from __future__ import annotations

import ast
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import click as plain_click
import rich_click as click
from click.exceptions import Exit

from registry import __version__
from registry.cli.output import UNUSABLE, print_error, print_message
from registry.errors import RegistryError
from registry.resources import read_revision

_FOLDER = Path(__file__).parent

_ELSEWHERE = {
    "approve": "drafts",
    "attest": "acts",
    "file": "drafts",
    "harvest": "peer",
    "origin": "import_",
    "restore": "backup",
    "return": "drafts",
    "submit": "drafts",
    "withdraw": "acts",
}
"""The module of each command that does not lie in the module of its name, which needs no line."""

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


def _print_version(context: plain_click.Context) -> None:
    revision = read_revision()
    built_from = f" (revision {revision[:12]})" if revision else ""
    click.echo(f"registry, version {__version__}{built_from}")
    context.exit()


def _find(name: str) -> tuple[str, str, str] | None:
    """Return the module, the function and the first sentence of the help of a command.

    They are read from its source, and nothing is imported; `None` if there is no such command.
    """
    own = name.replace("-", "_")
    for module in (_ELSEWHERE.get(name, own), f"{own}_"):
        path = _FOLDER / f"{module}.py"
        for node in ast.parse(path.read_text("utf-8")).body if path.is_file() else ():
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            decorators = {ast.unparse(one).partition("(")[0] for one in node.decorator_list}
            is_command = decorators & {"click.command", "click.group"}
            if is_command and node.name.rstrip("_").replace("_", "-") == name:
                sentence = (ast.get_docstring(node) or "").partition("\n\n")[0]
                return module, node.name, " ".join(sentence.split())
    return None


@cache
def listed_commands() -> dict[str, plain_click.Command]:
    """Return every command with the first sentence of its help alone, by name."""
    names = {path.stem.rstrip("_").replace("_", "-") for path in _FOLDER.glob("*.py")}
    found = {name: _find(name) for name in sorted({*names, *_ELSEWHERE})}
    return {name: click.RichCommand(name=name, help=one[2]) for name, one in found.items() if one}


def load_command(name: str) -> plain_click.Command | None:
    """Import the module of a command and return the command; `None` if there is no such one."""
    found = _find(name)
    if found is None:
        return None
    module, function, _ = found
    command: plain_click.Command = getattr(
        importlib.import_module(f"registry.cli.{module}"), function
    )
    return command


class _LazyGroup(click.RichGroup):
    """Lists its commands by their first sentence, and imports one when it is run.

    Of a command that is only listed, `get_command` returns the name and that sentence.
    """

    def list_commands(self, _: plain_click.Context) -> list[str]:
        return list(listed_commands())

    def get_command(self, _: plain_click.Context, name: str) -> plain_click.Command | None:
        return listed_commands().get(name)

    def resolve_command(
        self, context: plain_click.Context, arguments: list[str]
    ) -> tuple[str | None, plain_click.Command | None, list[str]]:
        command = load_command(arguments[0])
        if command is None:
            self.commands = listed_commands()  # of which the nearest is named
            return super().resolve_command(context, arguments)
        return arguments[0], command, arguments[1:]


@click.command(
    cls=_LazyGroup,
    epilog="Settings are environment variables that begin with REGISTRY_; see docs/operating.md. "
    "Exit codes: 0 done, 1 refused or not found, 2 used or set up wrongly, 3 not available now.",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=lambda context, _, wanted: _print_version(context) if wanted else None,
    help="Show the version and exit.",
)
def cli() -> None:
    """Run a register of the algorithms that public bodies use.

    Example: registry up
    """


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
        print_error("registry", error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output has closed it.
        _discard_stdout()
        sys.exit(0)
    except OSError as error:
        if error.filename is None and error.errno not in _DISK_FULL:
            raise
        _discard_stdout()
        print_message(f"registry: {error.filename or 'what is written'}: {error.strerror}")
        sys.exit(UNUSABLE)


def _discard_stdout() -> None:
    """Send what is still buffered for stdout to /dev/null, rather than fail once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
