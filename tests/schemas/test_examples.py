from __future__ import annotations

import datetime as dt

import pytest

from registry.record.ids import split_id
from registry.record.pack import load_pack
from registry.record.parse import parse
from registry.record.pointers import values_at
from registry.record.schema import fields
from registry.record.validate import validate
from registry.resources import SCHEMAS

EXAMPLES = {
    path.stem: parse(path.read_bytes()) for path in sorted((SCHEMAS / "examples").glob("*.json"))
}
EXCLUDED = {
    ("purpose", "scale", "decisions_range"),  # decisions_per_year is stated
    ("lifecycle", "retired_on"),
    ("lifecycle", "status_reason"),
    ("data", "hosting", "provider"),  # withheld
    ("data", "transfers_abroad", "countries"),  # there are none
    ("data", "transfers_abroad", "countries", "*"),
    ("data", "transfers_abroad", "authorisation_reference"),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_is_publishable_and_openly_fictitious(name):
    document = EXAMPLES[name]
    pack = load_pack("ma")
    verdict = validate(document, profile="publication", pack=pack, today=dt.date(2026, 11, 24))
    assert {finding.rule for finding in verdict.findings} <= {"R03"}  # they have no Tamazight
    assert verdict.publishable
    assert pack.agencies[split_id(document["id"])[0]].fictitious
    assert "démonstration" in document["name"]["fr"]


def _excused(path):
    """An answer has a note or a date where there is one to give."""
    answer = path[-1] in {"note", "date"} and len(path) == 3
    return path in EXCLUDED or answer


def test_the_complete_one_states_every_field():
    absent = {
        field.path
        for field in fields()
        if next(values_at(EXAMPLES["complete"], field.path), None) is None
    }
    restriction = ("publication", "restriction")
    assert [path for path in absent if path[:2] != restriction and not _excused(path)] == []


def test_the_minimal_one_states_only_what_is_mandatory():
    verdict = validate(
        EXAMPLES["minimal"],
        profile="publication",
        pack=load_pack("ma"),
        today=dt.date(2026, 11, 24),
    )
    assert verdict.accountability == 100
    assert len(EXAMPLES["minimal"]) == 16
