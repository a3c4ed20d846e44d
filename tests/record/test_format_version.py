"""Two versions of the format: which one a document needs, and that none is judged by the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry.record.format_version import continued, least_version, settled
from registry.record.requirement_status import requirement_status
from registry.record.schema import record_schema
from registry.record.validators import build_validator

VALID = sorted((Path(__file__).parents[1] / "data" / "valid").glob("*.json"))


def read(path):
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_every_document_is_valid_in_the_newest_version_and_names_the_least_it_needs(path):
    document = read(path)
    assert list(build_validator(record_schema("1.1")).iter_errors(document)) == []
    assert least_version(document) == document["schema_version"]
    assert {**continued(document), "schema_version": document["schema_version"]} == document


def test_a_document_is_asked_what_its_own_version_asks():
    document = read(VALID[0].with_name("high.json"))
    place = "/contact/postal_address"
    assert place not in requirement_status(document).requirements.units
    assert place in requirement_status(continued(document)).absent


def test_what_was_typed_names_the_version_that_has_it_and_changes_nothing_else():
    document = read(VALID[0].with_name("high.json"))
    typed = json.loads(json.dumps(document))
    for source in typed["data"]["sources"]:
        if "provider" in source:
            source["provider"] = {document["languages"]["source"]: source["provider"]}
    assert settled(typed, "ar") == document
    typed["contact"]["opening_hours"] = {"fr": "Le matin"}
    assert settled(typed, "ar")["schema_version"] == "1.1"
