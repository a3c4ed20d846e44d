"""The questions of those who watch: every call of the page is made, its answer compared."""

from __future__ import annotations

import json
import os
import re
from functools import partial
from pathlib import Path

import pytest

from tests.guides import HERE, alike, fences, needs, outputs
from tests.served import served

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/auditing.md"
QUESTIONS = 20
# Of these `tests/questions` asks, with their SQL.
FIFTY = PAGE.read_text("utf-8").partition("## Fifty questions")[2].partition("\n## ")[0]


@pytest.fixture
def register(tmp_path, warm):
    """A register with the demonstration records, a small foreign register and an attestation."""
    with served(load=True, workers=1) as running:
        for kind, body in reversed(list(fences(ROOT / "docs/importing.md"))):
            if kind in {"json", "csv"}:  # the page's first example stays
                (tmp_path / f"city.{kind}").write_text(body, encoding="utf-8")
        place = {"cwd": running.register.data, "environment": running.register.environment}
        run = partial(warm.run, **place)
        imported = run(["import", str(tmp_path / "city.json"), str(tmp_path / "city.csv")])
        assert "2 created" in imported.stderr, imported.stderr
        contact = ["--contact", "registre@demo-sante.example"]
        attested = run(["attest", "demo-sante", "--systems", "7", *contact])
        assert attested.returncode == 0, attested.stderr
        (running.register.data / "site/index.html").unlink()
        (running.register.data / "site").rmdir()
        place["environment"] = running.register.environment | {
            "REGISTRY_BASE_URL": running.register.base_url
        }
        for command in (["log", "publish"], ["site", "build"]):
            done = warm.run(command, **place)
            assert done.returncode == 0, done.stderr
        yield running.register


def answers(address, environment, folder):
    """Each block of the page that shows an answer, with what was answered in truth."""
    told = [
        # A hundred of each kind are compared whatever the share; `tests/audit` asks for all.
        (kind, body.replace("registry audit ", "registry audit --share 0 "))
        for kind, body in fences(PAGE)
        if kind in {"sh", "json", "http"} and body not in FIFTY
    ]
    wrote = iter(
        outputs([body for kind, body in told if kind == "sh"], address, environment, folder)
    )
    output = ""
    for kind, body in told:
        if kind == "sh":
            output = next(wrote)
        else:
            yield kind, body, output


def test_every_question_is_answered_as_the_page_says(register, warm, tmp_path):
    needs("bash", "curl", "jq")
    folder = tmp_path / "reader"
    folder.mkdir()
    path = f"{warm.folder}:{os.environ['PATH']}"
    environment = register.environment | {"PATH": path}
    compared = 0
    for kind, body, output in answers(register.base_url, environment, folder):
        if kind == "json":
            real = json.loads(output)
            assert alike(json.loads(body), real), json.dumps(real, ensure_ascii=False, indent=2)
        else:
            assert alike(sorted(body.splitlines()), sorted(output.strip().splitlines())), output
        compared += 1

    assert compared > QUESTIONS


def test_the_page_has_its_questions_each_with_a_call_and_an_answer():
    questions = re.split(
        r"^### (\d+)\. .*\?$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE
    )

    assert [int(number) for number in questions[1::2]] == list(range(1, QUESTIONS + 1))
    for text in questions[2::2]:
        assert '"$REGISTRY/api/' in text
        assert "```json" in text
    assert HERE in questions[0]
