"""Names and docstrings: each public name once, technical English, no hidden import circles."""

import ast
import re
from collections import Counter
from pathlib import Path

from registry import errors

ROOT = Path(__file__).parents[2]
MODULES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "registry").rglob("*.py"))
}

NO_NAME = {"helper", "helpers", "util", "utils", "manager", "managers", "misc", "common"}
# The verb for a result is Return, for what is written Write or Print, for a check Raise.
NOT_BEGUN_WITH = re.compile(r"(?:Give|Tell|Say|Look|Let)s?\b")


def public_types(tree):
    """The classes and type aliases of a module that have no underscore before them."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            name = node.name
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
            name = ast.unparse(node.target)
        else:
            continue
        if not name.startswith("_"):
            yield name


def test_no_two_public_classes_or_aliases_share_a_name():
    counted = Counter(name for tree in MODULES.values() for name in public_types(tree))
    assert {name for name, count in counted.items() if count > 1} == set()


def test_no_module_is_called_by_a_word_that_says_nothing():
    named = {path for path in MODULES if set(Path(path).stem.split("_")) & NO_NAME}
    assert named == set()


def test_no_import_for_type_checkers_alone_hides_a_circle():
    assert [
        path
        for path, tree in MODULES.items()
        if any(isinstance(one, ast.Name) and one.id == "TYPE_CHECKING" for one in ast.walk(tree))
    ] == []


def docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = getattr(node, "name", "module")
            if text := ast.get_docstring(node):
                yield name, text


def test_a_docstring_begins_with_what_it_is_or_does():
    found = {
        f"{path}: {name}: {text.splitlines()[0]}"
        for path, tree in MODULES.items()
        for name, text in docstrings(tree)
        if NOT_BEGUN_WITH.match(text)
    }
    assert sorted(found) == []


def test_the_tree_of_errors_is_drawn_as_it_is():
    drawn = re.findall(r"^( *)[*+-] (\w+)$", errors.__doc__, re.MULTILINE)

    def tree(kind, depth=0):
        yield "  " * depth, kind.__name__
        for child in kind.__subclasses__():
            if child.__module__ == errors.__name__:
                yield from tree(child, depth + 1)

    assert drawn == list(tree(errors.RegistryError))
