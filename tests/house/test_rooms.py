"""The house keeps its order: what no linter sees."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from registry import errors
from registry.pages import digests
from registry.pages.views.prose_pages import error_types

ROOT = Path(__file__).parents[2]
CODE = sorted((ROOT / "registry").rglob("*.py"))
LONGEST = 600

_SQL = re.compile(
    r"\s*(?:select\s.+\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s"
    r"|(?:create|alter|drop|truncate|lock)\s+(?:table|index|database|trigger|function)\b"
    r"|select\s+pg_\w+)",
    re.IGNORECASE | re.DOTALL,
)


def strings(path):
    """Every text in a module that is not a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    sentences = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in sentences
        ):
            yield node.value


def test_there_is_no_code_among_the_data():
    for folder in ("site", "schemas", "records"):
        assert sorted((ROOT / folder).rglob("*.py")) == []


def test_sql_is_in_the_store_only():
    found = [
        f"{path.relative_to(ROOT)}: {text[:60]}"
        for path in CODE
        if path.relative_to(ROOT).parts[1] != "store"
        for text in strings(path)
        if _SQL.match(text)
    ]
    assert found == []


def test_the_search_for_sql_finds_what_the_store_has():
    texts = [text for path in (ROOT / "registry/store").rglob("*.py") for text in strings(path)]
    assert sum(_SQL.match(text) is not None for text in texts) > 5


def test_no_module_has_two_subjects_worth_of_lines():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in CODE
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert long == {}


def test_every_named_statement_is_used_and_every_used_one_is_there():
    named = {
        (path.stem, name)
        for path in (ROOT / "registry/store/queries").glob("*.sql")
        for name in re.findall(r"^-- name: (\w+)$", path.read_text("utf-8"), re.MULTILINE)
    }
    used = {
        pair
        for path in CODE
        for pair in re.findall(
            r'(?:statement\(|read_rows?\(\s*connection,\s*\w+,)\s*"(\w+)",\s*"(\w+)"',
            path.read_text("utf-8"),
        )
    }
    assert used == named


def kinds(kind=errors.RegistryError):
    """Every kind of error that has a slug of its own; one without is of the kind above it."""
    if "slug" in vars(kind):
        yield kind
    for child in kind.__subclasses__():
        yield from kinds(child)


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
def test_every_error_has_its_own_slug_and_page(kind):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.slug)
    assert [other for other in kinds() if other.slug == kind.slug] == [kind]
    assert kind.exit_code in {1, 2, 3}
    assert kind in error_types()


@pytest.mark.parametrize(
    ("lock", "groups"),
    [("requirements.lock", ["build"]), ("requirements-dev.lock", ["build", "dev"])],
)
def test_the_lock_holds_every_dependency_with_a_hash_and_no_address(lock, groups):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = list(project["project"]["dependencies"])
    for group in groups:
        wanted += [one for one in project["dependency-groups"][group] if isinstance(one, str)]
    text = (ROOT / lock).read_text("utf-8")
    locked = set(re.findall(r"^([a-z0-9.-]+)==[^\s]+ .*\\\n    --hash=sha256:", text, re.MULTILINE))
    assert {re.match(r"[\w.-]+", one)[0].lower() for one in wanted} <= locked
    assert "://" not in text


def test_pages_are_made_again_where_a_room_changed_that_they_import():
    listed = (
        "import sys, registry.pages.build.plan; "
        "print(*{name.split('.')[1] for name in sys.modules if name.count('.') > 1 "
        "and name.startswith('registry.')})"
    )
    done = subprocess.run(
        [sys.executable, "-c", listed], capture_output=True, text=True, check=True
    )
    assert {*done.stdout.split()} <= {*digests._ROOMS}
    assert [
        room for room in digests._ROOMS if not any((ROOT / "registry" / room).glob("*.py"))
    ] == []


def test_a_message_names_files_that_there_are():
    folders = ("", "registry", "site", "site/templates", "site/console", "site/scripts")
    named = {
        reference
        for catalogue in ROOT.glob("schemas/languages/**/*.po")
        for line in re.findall(r"^#: (.+)$", catalogue.read_text("utf-8"), re.MULTILINE)
        for reference in re.findall(r"[\w/]+\.(?:py|html|js)\b", line)
    }
    assert len(named) > 10
    missing = {name for name in named if not any((ROOT / at / name).exists() for at in folders)}
    assert missing == set()


# What is left is the demonstration, which is of two countries.
NATIONAL_STILL = {"demo.py"}
NATIONAL = re.compile(
    r"\b(?:maroc|morocc|rabat\b|cndp|dirham|mad\b|menara|ar-ma\b|caid\b|pacha\b|wali\b|amazigh"
    r"|tamazight|s[eé]n[eé]gal|dakar|المغرب|الرباط|درهم|السنغال)",
    re.IGNORECASE,
)


def test_no_country_stands_in_the_code_or_the_site():
    folders = {
        "registry": "*.py *.sql *.csv",
        "site": "*.html *.js *.css",
        "docs/record-format": "*.md",
        **{f"schemas/languages/{tag}": "*.po *.md" for tag in ("ar", "en", "fr")},
    }
    files = [
        path
        for folder, names in folders.items()
        for pattern in names.split()
        for path in (ROOT / folder).rglob(pattern)
    ]
    assert len(files) > 500
    found = {path.name for path in files if NATIONAL.search(path.read_text("utf-8"))}
    assert found == NATIONAL_STILL
