"""The command `registry`: its commands, and how errors end it."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Sequence

import click as plain_click
import rich_click as click
from click.exceptions import Exit

from registry import __version__
from registry.cli.output import UNUSABLE, print_error, print_message
from registry.errors import RegistryError
from registry.resources import read_revision

_COMMANDS = {
    "up": (
        "registry.cli.up:up",
        "Start everything: database, records, site, API. Ctrl-C ends all of it.",
    ),
    "serve": (
        "registry.cli.serve:serve",
        "Serve the API and the built site from the configured database.",
    ),
    "work": (
        "registry.cli.work:work",
        "Do the background work: publish the log and build the site whenever something is new.",
    ),
    "validate": (
        "registry.cli.validate:validate",
        "Check records against the format and the publication rules.",
    ),
    "file": (
        "registry.cli.drafts:file_",
        "Save each FILE, a record, as its agency's draft, over what is there.",
    ),
    "submit": (
        "registry.cli.drafts:submit",
        "Publish the draft of the record ID, or put it into review where that is required.",
    ),
    "drafts": (
        "registry.cli.drafts:drafts",
        "List the drafts: id, state, since when, by whom; of one that was returned, the comment.",
    ),
    "workbook": (
        "registry.cli.workbook:workbook",
        "Make workbooks to fill in, and read what was filled in.",
    ),
    "approve": (
        "registry.cli.review:approve",
        (
            "Publish the draft of the record ID that waits for review, as another than who "
            "submitted it."
        ),
    ),
    "return": (
        "registry.cli.review:return_",
        "Return the draft of the record ID to its agency, with a comment.",
    ),
    "withdraw": (
        "registry.cli.withdraw:withdraw",
        "Take the record ID out of force, lists and search; its history stays readable.",
    ),
    "acts": (
        "registry.cli.acts:acts",
        "Approve or return withdrawals and attestations that wait for a second person.",
    ),
    "redact": (
        "registry.cli.redact:redact",
        "Have parts of a record erased, where law or a court says so. It takes two tokens.",
    ),
    "attest": (
        "registry.cli.attest:attest",
        "Attest how many systems AGENCY runs, whether it has filed records of them or not.",
    ),
    "load": (
        "registry.cli.load:load",
        "File and publish the records of DIRECTORY, laid out as <agency>/<slug>.json.",
    ),
    "import": (
        "registry.cli.import_:import_",
        "Publish the rows of FILE as foreign records, as CROSSWALK says.",
    ),
    "origin": (
        "registry.cli.origin:origin",
        "List the other registers that records come from, and histories that are crossed.",
    ),
    "peer": (
        "registry.cli.peer:peer",
        "Watch other registers of this software, whose records are taken in here.",
    ),
    "harvest": (
        "registry.cli.peer:harvest",
        (
            "Take in what is new at the register CODE, or at all that are watched, each entry "
            "verified."
        ),
    ),
    "demo": (
        "registry.cli.demo:demo",
        "Run several registers on this machine, to see how they work together.",
    ),
    "export": (
        "registry.cli.export:export",
        "Write every record that the filters find, in the order of ids, as one file.",
    ),
    "search": (
        "registry.cli.search:search",
        "Show the state of this host's search index, or make it anew.",
    ),
    "site": ("registry.cli.site:site", "Build the static site."),
    "log": (
        "registry.cli.log:log",
        "Publish the transparency log, prove records by it, and verify it.",
    ),
    "verify": (
        "registry.cli.verify:verify",
        "Check a record that was kept, by its proof, with no trust in the register.",
    ),
    "audit": (
        "registry.cli.audit:audit",
        "Compare all that a register answers with what its log says; anybody can, from anywhere.",
    ),
    "audit-trail": (
        "registry.cli.audit_trail:audit_trail",
        "Ship the audit trail elsewhere, and check that nobody has changed it.",
    ),
    "member": (
        "registry.cli.member:member",
        "Invite, list and end the people who sign in to the console.",
    ),
    "token": ("registry.cli.token:token", "Make, list and revoke access tokens."),
    "agency": ("registry.cli.agency:agency", "List the agencies, and add one."),
    "backup": (
        "registry.cli.backup:backup",
        (
            "Write a backup to the new folder DIR: the database, the log's key, what was signed "
            "with it."
        ),
    ),
    "restore": (
        "registry.cli.backup:restore",
        "Bring the backup in DIR back into an empty database, and check it by its log.",
    ),
    "migrate": (
        "registry.cli.migrate:migrate",
        "Show how the database differs from what this version needs, or migrate it.",
    ),
    "doctor": (
        "registry.cli.doctor:doctor",
        "Examine the whole installation, and say of each fault what to do about it.",
    ),
    "translate": (
        "registry.cli.translate:translate",
        "Write the words of a language as a table for people who know it, and read it back.",
    ),
    "pack": (
        "registry.cli.pack:pack",
        "Check the country packs, the folders of schemas/packs/ and REGISTRY_PACKS.",
    ),
}
"""The place of each command, and the first sentence of its help.

With it the list of commands is printed without importing any.
"""

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


def _print_version(context: plain_click.Context) -> None:
    revision = read_revision()
    built_from = f" (revision {revision[:12]})" if revision else ""
    click.echo(f"registry, version {__version__}{built_from}")
    context.exit()


def load_command(name: str) -> plain_click.Command:
    """Import the module of a command and return the command."""
    module, attribute = _COMMANDS[name][0].split(":")
    command: plain_click.Command = getattr(importlib.import_module(module), attribute)
    return command


class _LazyGroup(click.RichGroup):
    """Lists its commands by their first sentence, and imports one when it is run.

    Of a command that is only listed, `get_command` returns the name and that sentence.
    """

    def list_commands(self, _: plain_click.Context) -> list[str]:
        return list(self.commands)

    def resolve_command(
        self, context: plain_click.Context, arguments: list[str]
    ) -> tuple[str | None, plain_click.Command | None, list[str]]:
        name, listed, rest = super().resolve_command(context, arguments)
        return name, None if listed is None or name is None else load_command(name), rest


@click.command(
    cls=_LazyGroup,
    commands={
        name: click.RichCommand(name=name, help=line) for name, (_, line) in _COMMANDS.items()
    },
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
