"""The computed profiles, for any validator, say what `validate` says."""

from __future__ import annotations

import copy
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from registry.record.requirements import units
from registry.record.schema import SCHEMA_VERSION, record_schema, shape
from registry.record.validate import validate
from registry.record.validators import FORMATS

PROFILES = ("draft", "publication", "foreign")


@pytest.mark.parametrize("profile", PROFILES)
def test_each_is_a_schema_with_nothing_to_fetch(profile):
    schema = shape(profile)
    Draft202012Validator.check_schema(schema)
    assert "$ref" not in str(schema)
    assert schema["$id"] == f"urn:public-algorithm-register:schema:record:{SCHEMA_VERSION}"


def test_the_released_document_is_the_draft_profile(examples):
    released = Draft202012Validator(record_schema(), format_checker=FORMATS)
    for document in ({}, *examples.values()):
        assert released.is_valid(document)


PATHS = [unit.path for unit in units()]


@settings(max_examples=50)
@given(
    name=st.sampled_from(["minimal", "complete"]),
    removed=st.lists(st.sampled_from(PATHS), max_size=5),
    stated=st.dictionaries(
        st.sampled_from(PATHS), st.sampled_from([None, 1, "", "x", [], {}]), max_size=2
    ),
)
def test_what_any_validator_says_of_it_validate_says_too(
    pristine, pack, today, name, removed, stated
):
    """Of the two profiles that are wholly schemas: the third has requirements besides."""
    document = copy.deepcopy(pristine[name])
    for *above, last in removed:
        here = document.get(above[0], {}) if above else document
        here.pop(last, None)
    for (*above, last), value in stated.items():
        here = document.setdefault(above[0], {}) if above else document
        if isinstance(here, dict):
            here[last] = value
    for profile in ("draft", "foreign"):
        if profile == "foreign" and isinstance(document.get("id"), str):
            document["id"] = f"us.{document['id']}"
        found = validate(document, profile=profile, pack=pack, today=today).findings
        assert plain(profile).is_valid(document) == (found == ()), (profile, found)


@cache
def plain(profile):
    return Draft202012Validator(shape(profile), format_checker=FORMATS)
