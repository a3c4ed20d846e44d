from __future__ import annotations

import copy
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from registry.record.pack import load_pack
from registry.record.validate import validate
from registry.resources import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable

TIFINAGH = "ⵜⴰⵎⴰⵣⵉⵖⵜ"
TODAY = dt.date(2026, 11, 24)


@pytest.fixture(scope="session")
def today():
    return TODAY


@pytest.fixture(scope="session")
def pack():
    return load_pack("ma")


@pytest.fixture(scope="session")
def pristine() -> dict[str, Any]:
    """The examples, with the recommended language that they lack: to copy, never to change."""
    found = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in (SCHEMAS / "examples").glob("*.json")
    }
    for document in found.values():
        document["name"]["zgh"] = document["summary"]["zgh"] = TIFINAGH
        document["languages"]["translation_status"]["zgh"] = "machine"
    return found


@pytest.fixture
def examples(pristine) -> dict[str, Any]:
    return copy.deepcopy(pristine)


@pytest.fixture
def edited(examples) -> Callable[..., Any]:
    """Copy an example and set members by pointer; `...` removes one."""

    def edit(name: str, edits: dict[str, Any]) -> Any:
        document = copy.deepcopy(examples[name])
        for pointer, value in edits.items():
            *path, last = pointer.split("/")[1:]
            here = document
            for step in path:
                here = here[int(step)] if isinstance(here, list) else here.setdefault(step, {})
            key: Any = int(last) if isinstance(here, list) else last
            if value is ...:
                del here[key]
            else:
                here[key] = value
        return document

    return edit


@pytest.fixture
def found(pack, today) -> Callable[..., Any]:
    """Validate, and return the findings as (pointer, rule, severity)."""

    def find(document: Any, profile: str = "publication") -> list[tuple[str, str, str]]:
        verdict = validate(document, profile=profile, pack=pack, today=today)
        return [(each.pointer, each.rule, each.severity) for each in verdict.findings]

    return find
