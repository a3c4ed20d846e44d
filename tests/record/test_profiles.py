"""The computed profiles, for any validator, say what `validate` says."""

from __future__ import annotations

import copy

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from registry.record.formats import FORMATS
from registry.record.requirement_status import requirement_status
from registry.record.requirements import units
from registry.record.rules import RULES
from registry.record.schema import SCHEMA_VERSION, record_schema
from registry.record.validate import validate
from tests.record.profile_schema import profile_schema

PROFILES = ("draft", "publication", "foreign")


@pytest.fixture(scope="module")
def plain():
    return {
        profile: Draft202012Validator(profile_schema(profile), format_checker=FORMATS)
        for profile in PROFILES
    }


@pytest.mark.parametrize("profile", PROFILES)
def test_each_is_a_schema_with_nothing_to_fetch(profile):
    schema = profile_schema(profile)
    Draft202012Validator.check_schema(schema)
    assert "$ref" not in str(schema)
    assert (
        schema["$id"] == f"urn:public-algorithm-register:schema:record:{SCHEMA_VERSION}:{profile}"
    )


def test_the_released_document_is_the_draft_profile(examples):
    released = Draft202012Validator(record_schema(), format_checker=FORMATS)
    for document in ({}, *examples.values()):
        assert released.is_valid(document)


CODES = {
    ("risk", "level"): ["minimal", "limited", "high", "unacceptable"],
    ("lifecycle", "status"): [
        "planned",
        "in_development",
        "pilot",
        "in_use",
        "suspended",
        "retired",
    ],
    ("data", "personal_data"): ["yes", "no", "pseudonymised", "anonymised"],
    ("procurement", "origin"): ["in_house", "purchased", "joint", "open_source"],
    ("decision", "role"): ["no_decision", "informs", "recommends", "decides_alone"],
    ("decision", "legal_effect"): [True, False],
    ("sector", "function"): ["chatbot_information", "scoring_ranking"],
    ("publication", "visibility"): ["public", "restricted"],
}
PATHS = [unit.path for unit in units()]


EDITS = st.fixed_dictionaries(
    {
        "example": st.sampled_from(["minimal", "complete"]),
        "codes": st.fixed_dictionaries(
            {}, optional={path: st.sampled_from(codes) for path, codes in CODES.items()}
        ),
        "removed": st.lists(st.sampled_from(PATHS), max_size=5),
        "emptied": st.lists(st.sampled_from(PATHS), max_size=1),
    }
)


@settings(max_examples=200)
@example(
    edits={
        "example": "minimal",
        "codes": {("procurement", "origin"): "in_house"},
        "removed": [],
        "emptied": [("procurement", "suppliers")],
    }
)
@given(edits=EDITS)
def test_they_agree_with_validate(pristine, plain, pack, today, edits):
    document = copy.deepcopy(pristine[edits["example"]])
    document["publication"].pop("withheld_fields", None)
    for (section, name), code in edits["codes"].items():
        document[section][name] = code
    for path in edits["removed"]:
        section = document.get(path[0], {}) if len(path) > 1 else document
        section.pop(path[-1], None)
    for path in edits["emptied"]:
        document.setdefault(path[0], {} if len(path) > 1 else [])
        if len(path) > 1:
            document[path[0]][path[1]] = []
    for profile in PROFILES:
        verdict = validate(document, profile=profile, pack=pack, today=today)
        # What a rule tells of a missing field, the requirements ask for as well.
        errors = [
            finding
            for finding in verdict.findings
            if finding.severity == "error" and finding.rule not in RULES
        ]
        if profile == "publication" and not errors:
            status = requirement_status(document)
            errors += status.requirements.errors.intersection(status.absent)
        assert plain[profile].is_valid(document) == (errors == []), (profile, errors)
