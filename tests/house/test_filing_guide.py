"""The filing guide, followed to the letter: its commands are run, its answers compared."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import pytest

from registry.api.problems import STATUS
from registry.record.pack import load_pack
from registry.record.rules import RULES
from registry.record.validate import validate
from registry.services.filing.register_rules import RULES as REGISTER_RULES
from tests.guides import alike, fences, needs, outputs
from tests.served import served

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/filing-guide"
INVALID = ROOT / "tests/data/invalid"
TODAY = dt.date(2026, 11, 24)

# Chapters by the review policy that they are written for.
CHAPTERS = {
    "index.md": "none",
    "review.md": "required",
    "redaction.md": "none",
    "workbook.md": "none",
    "problems.md": "none",
}


@pytest.fixture
def folder(tmp_path):
    """Where the reader stands: beside `schemas/`, free to write files."""
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    return tmp_path


@pytest.fixture
def run_register(warm):
    """Start a register with a review policy; gives its address and the environment of commands."""
    with ExitStack() as started:

        def run(review):
            served_one = started.enter_context(served(review=review, workers=1)).register
            path = f"{warm.folder}:{os.environ['PATH']}"
            return served_one.base_url, served_one.environment | {"PATH": path}

        yield run


@pytest.mark.parametrize(("chapter", "review"), CHAPTERS.items())
def test_a_chapter_can_be_followed(chapter, review, run_register, folder):
    needs("bash", "curl", "jq")
    address, environment = run_register(review)
    told = [
        (kind, body) for kind, body in fences(GUIDE / chapter) if kind in {"sh", "json", "http"}
    ]
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
    script = ROOT / "docs/scripts/file_record.py"
    token = subprocess.run(
        ["registry", "token", "create", "--agency", "demo-agriculture", "--scope", "file"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert token.returncode == 0, token.stderr
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env=environment | {"REGISTRY": address, "FILING_TOKEN": token.stdout.strip()},
        capture_output=True,
        text=True,
        check=False,
    )
    [said] = [body for kind, body in fences(GUIDE / "python.md") if kind == "text"]

    assert done.returncode == 0, done.stderr
    assert [
        alike(one, two)
        for one, two in zip(said.splitlines(), done.stdout.splitlines(), strict=True)
    ]


def test_every_problem_has_its_row_and_no_other():
    page = (GUIDE / "problems.md").read_text(encoding="utf-8")
    told = {
        slug: int(status)
        for slug, status in re.findall(r"^\| `(\S+)` \| (\d+) \| \S", page, re.MULTILINE)
    }

    assert told == STATUS


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
    # A finding of a law has the code of its row in the country's pack, with a hyphen.
    known = {row["rule"] for rows in faults().values() for row in rows if "-" not in row["rule"]}

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
