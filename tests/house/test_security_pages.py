"""The pages for a CERT: nothing left out, what they name is there, nothing met unproven."""

import re
import tomllib
from functools import cache
from typing import NamedTuple

import pytest

from tests.conftest import ROOT

SECURITY = ROOT / "docs/security"
ASVS = SECURITY / "asvs.md"
# How many requirements of levels 1 and 2 each section of ASVS 5.0.0 has; those of level 3 are not
# looked at. Numbers that are missing in a section are of level 3.
SECTIONS = {
    "1.1": [1, 2],
    "1.2": range(1, 10),
    "1.3": range(1, 12),
    "1.4": range(1, 4),
    "1.5": [1, 2],
    "2.1": range(1, 4),
    "2.2": range(1, 4),
    "2.3": range(1, 5),
    "2.4": [1],
    "3.2": [1, 2],
    "3.3": range(1, 5),
    "3.4": range(1, 7),
    "3.5": range(1, 6),
    "3.7": [1, 2],
    "4.1": range(1, 4),
    "4.2": [1],
    "4.3": [1, 2],
    "4.4": range(1, 5),
    "5.1": [1],
    "5.2": range(1, 4),
    "5.3": [1, 2],
    "5.4": range(1, 4),
    "6.1": range(1, 4),
    "6.2": range(1, 13),
    "6.3": range(1, 5),
    "6.4": range(1, 5),
    "6.5": range(1, 6),
    "6.6": range(1, 4),
    "6.8": range(1, 5),
    "7.1": range(1, 4),
    "7.2": range(1, 5),
    "7.3": [1, 2],
    "7.4": range(1, 6),
    "7.5": [1, 2],
    "7.6": [1, 2],
    "8.1": [1, 2],
    "8.2": range(1, 4),
    "8.3": [1],
    "8.4": [1],
    "9.1": range(1, 4),
    "9.2": range(1, 5),
    "10.1": [1, 2],
    "10.2": [1, 2],
    "10.3": range(1, 5),
    "10.4": range(1, 12),
    "10.5": range(1, 6),
    "10.6": [1, 2],
    "10.7": range(1, 4),
    "11.1": [1, 2],
    "11.2": range(1, 4),
    "11.3": range(1, 4),
    "11.4": range(1, 5),
    "11.5": [1],
    "11.6": [1],
    "12.1": range(1, 4),
    "12.2": [1, 2],
    "12.3": range(1, 5),
    "13.1": [1],
    "13.2": range(1, 6),
    "13.3": [1, 2],
    "13.4": range(1, 6),
    "14.1": [1, 2],
    "14.2": range(1, 5),
    "14.3": range(1, 4),
    "15.1": range(1, 4),
    "15.2": range(1, 4),
    "15.3": range(1, 8),
    "16.1": [1],
    "16.2": range(1, 6),
    "16.3": range(1, 5),
    "16.4": range(1, 4),
    "16.5": range(1, 4),
}
STATES = {"met", "written", "yours", "**not met**", "n/a"}
BOUNDARIES = 9
RUFF = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]


def rows(path, columns):
    """The rows of all tables of a page that have so many columns, without headers."""
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return [
        row
        for line, row in zip(lines, cells, strict=True)
        if line.startswith("| ") and len(row) == columns
    ]


class Proofs(NamedTuple):
    """What a cell of a table names as its proof, and what of it is wrong."""

    tests: list[str]
    rules: list[str]
    headings: list[str]
    others: list[str]
    wrong: list[str]


@cache
def defined_in(file):
    """The names of the tests of a file; none where there is no such file."""
    path = ROOT / file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return set(re.findall(r"^(?:async )?def (test_\w+)\(", text, re.MULTILINE))


@cache
def is_obeyed(rule):
    """Whether the linter has a rule switched on, and no line of the package is let off."""
    code = (path.read_text(encoding="utf-8") for path in (ROOT / "registry").rglob("*.py"))
    return not any(rule.startswith(off) for off in RUFF["ignore"]) and not any(
        re.search(rf"noqa:.*\b{rule}\b", text) for text in code
    )


def proofs(text):
    """What a cell names: tests as `file::name`, rules as `ruff S000`, parts of pages as links."""
    found = Proofs([], [], [], re.findall(r"`(deploy/[\w./-]+)`|`(REGISTRY_\w+)`", text), [])
    for file, name in re.findall(r"`(tests/[\w./]+)(?:::(\w+))?`", text):
        (found.tests if name in defined_in(file) else found.wrong).append(f"{file}::{name}")
    for rule in re.findall(r"`ruff (\w+)`", text):
        (found.rules if is_obeyed(rule) else found.wrong).append(rule)
    for link in re.findall(r"\]\(([^)]+)\)", text):
        # That the heading is there is proven of every link by test_docs.
        (found.headings if "#" in link else found.wrong).append(link)
    return found


def test_every_requirement_of_level_2_stands_once():
    found = [number for row in rows(ASVS, 4) for number in re.findall(r"\b\d+\.\d+\.\d+", row[0])]
    wanted = [f"{section}.{at}" for section, those in SECTIONS.items() for at in those]
    assert sorted(found) == sorted(wanted)


def test_nothing_is_said_to_be_met_that_nothing_shows():
    wrong = []
    for numbers, what, state, shown in rows(ASVS, 4):
        if numbers == "numbers":
            continue
        named = proofs(f"{what} {shown}")
        enough = {
            "met": named.tests or named.rules,
            "written": named.headings,
            "yours": named.headings or named.others,
            "**not met**": shown,
            "n/a": shown,
        }
        if named.wrong or not enough.get(state):
            wrong.append((numbers, state, named.wrong))
    assert wrong == []
    # Of the API's ten risks each has its row, and a test.
    ten = [row for row in rows(ASVS, 3) if row[0].startswith("API")]
    assert len(ten) == 10
    assert [row for row in ten if not proofs(row[2]).tests or proofs(" ".join(row)).wrong] == []


def test_every_boundary_has_its_six_threats_each_with_what_holds():
    page = (ROOT / "docs/threats.md").read_text(encoding="utf-8")
    part = page.partition("## By boundary")[2]
    found = re.findall(r"^\| \*\*(.+)\*\* \| \| \|\n((?:\| \w.*\n?)+)", part, re.MULTILINE)
    assert len(found) == BOUNDARIES
    for boundary, table in found:
        lines = [line.strip("| ").split(" | ") for line in table.splitlines()]
        assert [line[0][0] for line in lines] == list("STRIDE"), boundary
        for line in lines:
            named = proofs(line[2])
            assert named.wrong == [], (boundary, line[0])
            shown = named.tests or named.headings or re.search(r"\*\*nothing\*\*", line[2])
            assert shown, (boundary, line)


@pytest.mark.parametrize("path", [*SECURITY.glob("*.md"), ROOT / "docs/threats.md"], ids=str)
def test_tests_that_pages_name_exist(path):
    named = re.findall(r"`(tests/[\w./]+)::(\w+)`", path.read_text(encoding="utf-8"))
    assert [(file, name) for file, name in named if name not in defined_in(file)] == []


def test_files_of_the_deployment_that_pages_name_exist():
    missing = [
        (path.name, place)
        for path in [*SECURITY.glob("*.md"), ROOT / "docs/threats.md", ROOT / "SECURITY.md"]
        for place in re.findall(r"`(deploy/[\w./-]+)`", path.read_text(encoding="utf-8"))
        if not (ROOT / place).exists()
    ]
    assert missing == []


def test_scripts_store_what_was_typed_alone_until_its_tab_is_closed():
    stored = {
        (path.name, word)
        for path in (ROOT / "site").rglob("*.js")
        for word in ("localStorage", "sessionStorage", "indexedDB", "document.cookie")
        if word in path.read_text(encoding="utf-8")
    }
    assert stored == {("letter.js", "sessionStorage"), ("keep.js", "sessionStorage")}
