"""The recipes of CONTRIBUTING.md, carried out on a copy of the tree as they stand there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.prepared import make_folder

# One copy, one register: it takes a minute to make both.
pytestmark = pytest.mark.xdist_group("recipes")

ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
COPIED = ("docs", "records", "registry", "schemas", "site", "tests/data", "tools")
# By heading, how many files are written by hand, translations and tests of numbers aside.
FILES = {
    "Add an optional field to the format": 4,
    "Add a filter": 2,
    "Add a rule": 6,
    "Add a command": 1,
    "Add a page of the site": 3,
}
# Written by a line of the recipe, and not by the documentation's generator.
BY_SHELL = {
    "checksums.txt": "Add an optional field to the format",
    "learns-unwatched": "Add a rule",
}


def recipes():
    chapter = re.search(r"^## Recipes\n(.*?)^## ", CONTRIBUTING, re.MULTILINE | re.DOTALL)[1]
    parts = re.split(r"^### (.+)\n", chapter, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def blocks(recipe):
    return re.findall(r"^```(diff|sh)\n(.*?)^```$", recipe, re.MULTILINE | re.DOTALL)


def add(tree, block):
    """Add the lines with `+` to the file on the first line, beside the others; return the file."""
    file, *lines = block.splitlines()
    path = tree / file
    added = [line[1:] for line in lines if line.startswith("+")]
    beside = [line[1:] for line in lines if line.startswith(" ")]
    assert len(added) + len(beside) == len(lines), block
    old = path.read_text("utf-8").splitlines() if path.exists() else []
    places = [
        at
        for at in range(len(old) - len(beside) + 1)
        if all(map(str.startswith, old[at : at + len(beside)], beside))
    ]
    assert len(places) == 1, f"{file}: {beside} stands at {len(places)} places"
    at = places[0] + (0 if lines[0].startswith("+") else len(beside))
    path.write_text("\n".join([*old[:at], *added, *old[at:]]) + "\n", "utf-8")
    return file


@pytest.fixture(scope="module")
def tree():
    """A copy of the tree in which all recipes were carried out."""
    folder = make_folder("tree")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for recipe in recipes().values():
        for language, block in blocks(recipe):
            if language == "diff":
                add(folder, block)
            else:
                run(folder, "sh", "-euc", block)
    yield folder
    shutil.rmtree(folder)


def run(tree, *command, refused=False):
    """Run a command with the copy's code and a register of its own; return its output."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(tree),
        "REGISTRY_DATA_DIR": str(tree / "var"),
    }
    done = subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode != 0) is refused, done.stdout + done.stderr
    return done.stdout


def registry(tree, *arguments, refused=False):
    return run(tree, sys.executable, "-m", "registry", *arguments, refused=refused)


@pytest.fixture(scope="module")
def register(tree):
    """A register of the copy, with one record that has the new field and one that has not."""
    folder = tree / "filed"
    for name in ("complete", "minimal"):
        text = (tree / f"schemas/examples/{name}.json").read_text("utf-8")
        path = folder / f"{json.loads(text)['id']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    registry(tree, "load", str(folder))
    registry(tree, "site", "build", "--out", str(tree / "built"))
    return tree


def test_each_recipe_names_as_many_files_as_it_says():
    named = {
        title: {block.splitlines()[0] for language, block in blocks(recipe) if language == "diff"}
        | {part for part, of in BY_SHELL.items() if of == title}
        for title, recipe in recipes().items()
    }
    assert {title: len(files) for title, files in named.items()} == FILES
    words = {1: "One file", 2: "Two files", 3: "Three files", 4: "Four files", 6: "Six files"}
    for title, recipe in recipes().items():
        assert recipe.strip().startswith(words[FILES[title]]), title


def rules_in(tree, file, *, refused=False):
    """Return which rules found something in a file, and where."""
    [told] = json.loads(registry(tree, "validate", "--format", "json", file, refused=refused))
    return {(one["pointer"], one["rule"]) for one in told["findings"]}


def test_a_field_is_validated(tree):
    registry(tree, "validate", "schemas/examples/complete.json")
    document = json.loads((tree / "schemas/examples/complete.json").read_text("utf-8"))
    document["technical"]["water_per_year"] = -1
    (tree / "negative.json").write_text(json.dumps(document), "utf-8")
    assert ("/technical/water_per_year", "minimum") in rules_in(tree, "negative.json", refused=True)


def test_a_field_is_in_the_form_of_the_console(tree):
    program = """
from registry.console.form_layout import units_of
assert "/technical/water_per_year" in {unit.pointer for unit in units_of("technology")}
"""
    run(tree, sys.executable, "-c", program)


def test_a_field_is_in_exports_and_on_the_page(register):
    header, *rows = registry(
        register, "export", "--format", "csv", "--columns", "full"
    ).splitlines()
    assert "water_per_year" in header
    assert sum("1480.5" in row for row in rows) == 1
    document = json.loads((register / "schemas/examples/complete.json").read_text("utf-8"))
    page = (register / f"built/en/records/{document['id']}.html").read_text("utf-8")
    assert "Water a year" in page
    assert "1,480.5" in page
    documented = register / "docs/record-format/en/technical.md"
    assert "Water a year" in documented.read_text("utf-8")


def test_a_filter_filters(register):
    def ids(*options):
        lines = registry(register, "export", "--format", "jsonl", *options).splitlines()
        return {json.loads(line)["record"]["id"] for line in lines}

    complete = json.loads((register / "schemas/examples/complete.json").read_text("utf-8"))
    assert len(ids()) == 2
    assert ids("--learning", complete["technical"]["learning"]) == {complete["id"]}


def test_a_rule_finds(tree):
    found = ("/evaluation/monitoring", "R32")
    assert found in rules_in(tree, "tests/data/invalid/minimal.learns-unwatched.json")
    assert found not in rules_in(tree, "tests/data/valid/minimal.json")
    assert "R32" in (tree / "docs/record-format/en/rules.md").read_text("utf-8")


def test_a_command_answers(register):
    assert sum(json.loads(registry(register, "count")).values()) == 2
    assert "Write how many records are in force, by agency." in registry(register, "--help")


def test_a_page_is_built(register):
    for language in ("ar", "en", "fr"):
        assert (register / f"built/{language}/functions.html").is_file()
    page = (register / "built/en/functions.html").read_text("utf-8")
    assert "What the systems do" in page
