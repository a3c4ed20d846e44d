"""The filing guide, followed to the letter: its commands are run, its answers compared."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import pytest

from registry.api.problems import STATUS
from registry.office.register_rules import RULES as REGISTER_RULES
from registry.record.pack import load_pack
from registry.record.rules import RULES
from registry.record.validate import validate
from tests.served import served

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/filing-guide"
INVALID = ROOT / "tests/data/invalid"
HERE = "http://127.0.0.1:8000"
TODAY = dt.date(2026, 11, 24)

# Chapters by the review policy that they are written for.
CHAPTERS = {"index.md": "none", "review.md": "required", "problems.md": "none"}
# What differs each time: of these only the kind is compared.
VOLATILE = {
    "at", "base", "entry", "filed_at", "hash", "id_of_request", "published_at", "request",
    "returned_at", "saved_at", "submitted_at", "tag", "withdrawn_at",
}  # fmt: skip

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "---- end of block ----"


def fences(chapter):
    return _FENCE.findall((GUIDE / chapter).read_text(encoding="utf-8"))


@pytest.fixture
def folder(tmp_path):
    """Where the reader stands: beside `schemas/`, free to write files."""
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    return tmp_path


@pytest.fixture
def run_register():
    """Start a register with a review policy; gives its address and the environment of commands."""
    with ExitStack() as started:

        def run(review):
            served_one = started.enter_context(served(review=review)).register
            path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            return served_one.base_url, served_one.environment | {"PATH": path}

        yield run


def needs(*commands):
    missing = [command for command in commands if shutil.which(command) is None]
    if missing and "CI" not in os.environ:
        pytest.skip(f"{', '.join(missing)} not installed")
    assert missing == []


def outputs(script, address, environment, folder):
    """Run the shell blocks of a chapter in one shell; gives what each wrote."""
    lines = "\n".join(f"{block}\necho; echo '{_MARK}'" for block in script)
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", lines.replace(HERE, address)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.replace(address, HERE).split(_MARK)


def alike(said, real, name=""):
    """Whether an answer is what the page shows; where the page has `…` anything may stand."""
    if name in VOLATILE:
        return type(said) is type(real)
    if isinstance(said, dict) and isinstance(real, dict):
        return said.keys() == real.keys() and all(alike(said[key], real[key], key) for key in said)
    if isinstance(said, list) and isinstance(real, list):
        return len(said) == len(real) and all(
            alike(one, other) for one, other in zip(said, real, strict=True)
        )
    if isinstance(said, str) and isinstance(real, str) and "…" in said:
        return re.fullmatch(re.escape(said).replace("…", ".*"), real, re.DOTALL) is not None
    return said == real


@pytest.mark.parametrize(("chapter", "review"), CHAPTERS.items())
def test_a_chapter_can_be_followed(chapter, review, run_register, folder):
    needs("bash", "curl", "jq")
    address, environment = run_register(review)
    told = [(kind, body) for kind, body in fences(chapter) if kind in {"sh", "json", "http"}]
    wrote = iter(
        outputs([body for kind, body in told if kind == "sh"], address, environment, folder)
    )
    compared = 0
    output = ""
    for kind, body in told:
        if kind == "sh":
            output = next(wrote)
        elif kind == "http":
            names = {line.split(":")[0].lower() for line in body.splitlines() if ":" in line}
            assert names <= {line.split(":")[0].lower() for line in output.splitlines()}, output
            compared += 1
        else:
            real = json.loads(output[output.index("{") :])
            assert alike(json.loads(body), real), json.dumps(real, ensure_ascii=False, indent=2)
            compared += 1

    assert compared > 0


def test_the_python_chapter_runs(run_register, folder):
    address, environment = run_register("none")
    script = "\n".join(body for kind, body in fences("python.md") if kind == "python")
    token = subprocess.run(
        ["registry", "token", "create", "--agency", "demo-agriculture", "--scope", "file"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert token.returncode == 0, token.stderr
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment | {"REGISTRY": address, "FILING_TOKEN": token.stdout.strip()},
        capture_output=True,
        text=True,
        check=False,
    )
    [said] = [body for kind, body in fences("python.md") if kind == "text"]

    assert done.returncode == 0, done.stderr
    assert [
        alike(one, two)
        for one, two in zip(said.splitlines(), done.stdout.splitlines(), strict=True)
    ]


def test_every_problem_has_its_section_and_no_other():
    page = (GUIDE / "problems.md").read_text(encoding="utf-8")
    sections = {
        slug: int(status)
        for slug, status in re.findall(r"^### (\S+) \((\d+)\)$", page, re.MULTILINE)
    }

    assert sections == STATUS


# --- findings


def finding_rows():
    page = (GUIDE / "findings.md").read_text(encoding="utf-8")
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in page.splitlines()
        if line.startswith(("| [", "| `"))
    ]


def shown_rules():
    return [re.match(r"\[?`?(\w+)", cells[0])[1] for cells in finding_rows()]


def faults():
    found = defaultdict(list)
    with (INVALID / "expected.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["file"]].append(row)
    return found


def test_every_finding_has_its_row_and_no_other():
    known = {row["rule"] for rows in faults().values() for row in rows}

    assert set(shown_rules()) == known | set(RULES) | set(REGISTER_RULES)
    assert len(shown_rules()) == len(set(shown_rules()))


def test_every_example_is_what_the_register_says():
    said = 0
    for cells in finding_rows():
        rule, example = re.match(r"\[?`?(\w+)", cells[0])[1], cells[-1]
        if rule in REGISTER_RULES:
            continue
        messages = set()
        for file, rows in faults().items():
            if rule in {row["rule"] for row in rows}:
                document = json.loads((INVALID / file).read_text(encoding="utf-8"))
                verdict = validate(
                    document,
                    profile=rows[0]["profile"],
                    pack=load_pack(rows[0]["pack"]),
                    today=TODAY,
                )
                messages |= {one.message for one in verdict.findings if one.rule == rule}
        assert example in messages, f"{rule}: {sorted(messages)}"
        said += 1

    assert said > len(RULES)
