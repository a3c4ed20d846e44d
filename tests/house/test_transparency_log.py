"""The page on checking the log by hand, followed to the letter: nothing of ours runs in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from registry.cli.log import log
from registry.cli.main import cli
from registry.cli.peer import peer
from tests.ledger.test_verify_rows import FORGERIES as ROW_FORGERIES
from tests.served import served
from tests.services.test_erasure import FORGED as REDACTION_FORGERIES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/transparency-log.md"
HERE = "http://127.0.0.1:8000"
TOOLS = ("bash", "curl", "jq", "openssl", "sha256sum", "python3")

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "---- end of block ----"


def fences():
    return _FENCE.findall(PAGE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def register(tmp_path_factory, warm):
    """A register with three records, one of them in two versions, and its log published."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing and "CI" not in os.environ:
        pytest.skip(f"{', '.join(missing)} not installed")
    assert missing == []
    folder = tmp_path_factory.mktemp("records")
    for name in (
        "demo-services/objets-trouves",
        "demo-sante/prevision-lits",
        "demo-securite/systeme-b.1",
        "demo-securite/systeme-b",
    ):
        target = folder / f"{name}.json"
        target.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "records" / f"{name}.json", target)
    with served(workers=1) as running:
        for arguments in (("load", folder), ("log", "publish")):
            run(warm, running.register, *arguments)
        yield running.register


def run(warm, register, *arguments):
    done = warm.run([*map(str, arguments)], cwd=register.data, environment=register.environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def follow(register, tmp_path):
    """Run shell blocks of the page in an empty folder with its scripts; give what each wrote."""
    for name in ("check_log.py", "check_proof.py"):
        shutil.copy(ROOT / "docs/scripts" / name, tmp_path)

    def run(blocks, *, fails=False):
        lines = "\n".join(f"{block}\necho '{_MARK}'" for block in blocks)
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", lines.replace(HERE, register.base_url)],
            cwd=tmp_path,
            # Without this project's own Python: its packages are not there.
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) is fails, done.stderr
        return done.stdout.split(f"{_MARK}\n"), done.stderr

    return run


def test_the_page_can_be_followed(follow):
    told = [(kind, body) for kind, body in fences() if kind in {"sh", "text"}]
    wrote, _ = follow([body for kind, body in told if kind == "sh"])
    outputs = iter(wrote)
    compared = 0
    output = ""
    for kind, body in told:
        if kind == "sh":
            output = next(outputs)
        else:
            expected = re.escape(body).replace("…", ".+")
            assert re.fullmatch(expected, output), output
            compared += 1
    assert compared == len([kind for kind, _ in told if kind == "sh"])


@pytest.mark.parametrize(
    ("forgery", "command", "why"),
    [
        (
            "sed -i 's/minimal/limited/' proof.json",
            "python3 check_proof.py proof.json key",
            "the entry is not in the tree",
        ),
        (
            "jq '.version_entry.content |= sub(\"pilot\"; \"in_use\")' proof.json > o.json",
            "python3 check_proof.py o.json key",
            "is another",
        ),
        ("sed -i '3{s/^A/B/;t;s/^./A/}' checkpoint",
         'python3 check_log.py "$REGISTRY/log" key checkpoint',
         "keep it, and show it"),
    ],
)  # fmt: skip
def test_what_was_forged_is_found(follow, forgery, command, why):
    keep = next(body for kind, body in fences() if kind == "sh")
    _, errors = follow([keep, forgery, command], fails=True)
    assert why in errors


def test_what_was_erased_is_told_with_its_basis(follow, register, warm, tmp_path):
    record = "demo-sante/prevision-lits"
    files = []
    for name in ("legal office", "data office"):
        made = run(warm, register, "token", "create", "--scope", "redact", "--actor", name)
        files.append(tmp_path / f"{name}.token")
        files[-1].write_text(made)
    for arguments in (
        ("redact", "request", record, "--pointer", "/contact", "--basis", "data_protection",
         "--authority", "CNDP", "--token-file", files[0]),
        ("redact", "confirm", "1", "--token-file", files[1]),
        ("log", "publish"),
        ("redact", "list"),
    ):  # fmt: skip
        told = run(warm, register, *arguments)
    assert f"\t{record}\t/contact\tdata_protection\t" in told
    keep = next(body for kind, body in fences() if kind == "sh")
    keep = keep.replace("demo-services/objets-trouves", record)
    wrote, _ = follow([keep, "python3 check_proof.py proof.json key"])
    assert re.search(
        r"^/contact/email was erased by entry \d+, basis: data_protection$", wrote[1], re.MULTILINE
    )
    assert wrote[1].endswith(f"{record}, version 1: in order\n")


def protected(heading):
    """Return the rows of a table of the page: what is protected, and what shows it."""
    page = PAGE.read_text(encoding="utf-8")
    section = page.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [
        line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")
    ]
    return [(re.findall(r"`([^`]+)`", row[0]), row[-1].strip("| ")) for row in rows]


async def test_each_table_of_the_database_is_listed_once(database):
    async with database.connection() as connection:
        there = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public' order by 1"
        )
    listed = sorted(name for names, _ in protected("What protects each table") for name in names)
    assert listed == [row["tablename"] for row in there]


def test_each_row_says_what_protects_and_which_command_shows_it():
    """Where no command does, it says `nothing`."""
    rows = 0
    for heading in ("What protects each table", "What protects each file"):
        for names, shown in protected(heading):
            rows += 1
            assert re.match("nothing|`registry |the same|`/health/ready`", shown), names
    assert rows > 30


def test_what_is_said_to_be_shown_is_forged_in_a_test():
    """Each table whose rows `registry log verify` shows to be forged is forged, and found."""
    said = " ".join(
        [*(statement for statement, _ in ROW_FORGERIES.values())]
        + [statement for statement, _ in REDACTION_FORGERIES.values()]
    )
    forged = set(re.findall(r"(?:update|delete from|insert into) (\w+)", said))
    claimed = {
        name
        for names, shown in protected("What protects each table")
        for name in names
        if shown.startswith("`registry log verify`") and not re.search(r", (in part|for)", shown)
    }
    assert claimed - forged == set()


def test_each_file_of_a_register_is_listed(register):
    listed = [name for names, _ in protected("What protects each file") for name in names]
    folder = register.data
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    begins = tuple(name.rstrip("…") for name in listed if name.endswith(("/", "…")))
    # What the server that the test has started says is none of the register's files.
    unlisted = {path for path in there if not path.startswith(begins)} - {"serve.log", *listed}
    assert unlisted == set()


@pytest.mark.parametrize("page", ["transparency-log.md", "threats.md"])
def test_each_command_that_shows_something_is_there(page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`registry ((?:log |peer )?[a-z]+)", text))
    assert len(named) > 3
    groups = {"log": log.commands, "peer": peer.commands}
    for words in named:
        first, *rest = words.split()
        assert cli.get_command(click.Context(cli), first) is not None, words
        assert set(rest) <= groups.get(first, {}).keys(), words
