"""The compiled validator never accepts what jsonschema refuses."""

import copy
import json
import os
import random
from pathlib import Path

import pytest

from registry.record.acceptance import accepts
from registry.record.profiles import shape
from registry.record.validators import build_validator

ROOT = Path(__file__).parents[2]
RECORDS = sorted((ROOT / "records").glob("*/*.json"))
MUTANTS = int(os.environ.get("MUTANTS", "4000"))
"""How many in an ordinary run; `make fuzz` asks for more than 20,000."""

STRANGE = (
    None, True, False, 0, 1, -1, 1.5, 2**53, "", " ", "x", "x\n", "\u00a0x", "x" * 6000, [], {},
    [[]], "2026-02-30", "2026-13", "http://", "http://a b/", "https://é.example/ü", "a@b", "ar",
    "high", "a/b", "a/b\n", "\ud7ff", "\U0001f600", "e\u0301", ["x", "x"], {"ar": "x"}, {"x": 1},
    1e300,
)  # fmt: skip


def places(node, path=()):
    yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from places(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from places(value, (*path, index))


def mutant(document, chance):
    """One document with one member removed, replaced, doubled or added."""
    copied = copy.deepcopy(document)
    path = chance.choice([path for path in places(copied) if path])
    parent = copied
    for step in path[:-1]:
        parent = parent[step]
    match chance.randrange(5):
        case 0:
            del parent[path[-1]]
        case 1 if isinstance(parent, list):
            parent += copy.deepcopy(parent) * chance.choice([1, 30])
        case 2 if isinstance(parent, dict):
            parent[chance.choice(["version", "x", "fr", "ar-MA", "note", "url", "", "é"])] = (
                copy.deepcopy(chance.choice(STRANGE))
            )
        case 3 if isinstance(parent[path[-1]], str):
            text = parent[path[-1]]
            at = chance.randrange(len(text) + 1)
            parent[path[-1]] = text[:at] + chance.choice("\n\t \x00\x85\u2028A0_-/.") + text[at:]
        case _:
            parent[path[-1]] = copy.deepcopy(chance.choice(STRANGE))
    return copied


@pytest.mark.parametrize("profile", ["draft", "publication", "foreign"])
def test_nothing_is_accepted_that_jsonschema_refuses(profile):
    chance = random.Random(f"{profile} 2026")
    authority = build_validator(shape(profile))
    models = [json.loads(path.read_text(encoding="utf-8")) for path in RECORDS]
    if profile == "foreign":
        models = [model | {"id": f"xx.{model['id']}"} for model in models]
    accepted = harmless = 0
    for _ in range(MUTANTS // 3):
        document = mutant(chance.choice(models), chance)
        valid = authority.is_valid(document)
        if accepts(document, profile):
            accepted += 1
            assert valid, document
        else:
            harmless += valid
    assert accepted > 0, "mutants that stay valid must be among them"
    # Refused by the compiled validator though valid: slower for them, and nothing else.
    assert harmless <= MUTANTS // 100


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_what_is_valid_takes_the_short_way(path):
    assert accepts(json.loads(path.read_text(encoding="utf-8")), "publication")


def test_what_json_cannot_write_is_left_to_the_authority():
    assert not accepts({"id": object()}, "draft")
    assert not accepts({1: 2}, "draft")
