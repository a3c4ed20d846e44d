"""What the command line imports, and when."""

import pkgutil
import subprocess
import sys
from importlib import import_module

import click

import registry.cli
from registry.cli.main import cli, listed_commands, load_command

PROGRAM = """
import sys
from registry.cli.main import main

known = set()
for line in sys.argv[1:]:
    try:
        main(line.split())
    except SystemExit:
        pass
    print("imports", line, *(set(sys.modules) - known), sep="\\t", file=sys.__stderr__)
    known = set(sys.modules)
"""

# What serves and renders.
SERVING = {"jinja2", "litestar", "registry.api", "registry.web"}


def imported(environment, *lines):
    """What each command line imports that those before it did not."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *lines],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    told = [line.split("\t") for line in done.stderr.splitlines()]
    found = {one[1]: set(one[2:]) for one in told if one[0] == "imports"}
    assert list(found) == list(lines)
    return found


def of_commands(modules):
    """The modules of commands among others."""
    homes = {load_command(name).callback.__module__ for name in listed_commands()}
    return {name for name in modules if name in homes}


def test_the_list_of_commands_imports_none_of_them_and_opens_nothing(environment):
    found = imported(environment, "--help", "--version", "nothing", "--nothing")
    assert {name for name in set().union(*found.values()) if name.startswith("registry.")} == {
        *("registry.cli", "registry.cli.main", "registry.cli.output", "registry.errors"),
        *("registry.resources", "registry.text", "registry.text.text_safety"),
    }


def test_a_command_is_imported_when_it_is_called_and_no_other_is(environment):
    found = imported(environment, "pack --help", "token create", "validate nowhere.json")
    assert {line: of_commands(modules) for line, modules in found.items()} == {
        "pack --help": {"registry.cli.pack"},
        "token create": {"registry.cli.token"},
        "validate nowhere.json": {"registry.cli.validate"},
    }


def test_what_starts_workers_and_what_verifies_a_log_serve_nothing(environment):
    for line in ("serve --workers 0", "log verify nowhere", "verify nowhere.html"):
        found = imported(environment, line)[line]
        assert {
            one for one in SERVING if any(f"{n}.".startswith(f"{one}.") for n in found)
        } == set()


def test_a_command_is_listed_with_the_first_sentence_of_its_help():
    first = {name: load_command(name).help.split("\n\n")[0] for name in listed_commands()}
    listed = {name: one.help for name, one in listed_commands().items()}
    assert listed == {name: " ".join(text.split()) for name, text in first.items()}


def test_every_command_of_the_modules_is_listed():
    """A command is in the list, or in a group that is."""
    defined = [
        one
        for module in pkgutil.iter_modules(registry.cli.__path__, "registry.cli.")
        for one in vars(import_module(module.name)).values()
        if isinstance(one, click.Command)
    ]
    reached, waiting = [], [load_command(name) for name in listed_commands()]
    while waiting:
        command = waiting.pop()
        reached.append(command)
        waiting += command.commands.values() if isinstance(command, click.Group) else ()
    assert {one.name for one in defined if one not in [*reached, cli]} == set()
