"""The schema of attestations: of one piece with the record format, closed, and translated."""

from __future__ import annotations

import json

import pytest
from babel.messages.pofile import read_po
from jsonschema import Draft202012Validator

from registry.record.attestation import attestation_schema_bytes
from registry.record.schema import Field, fields_of, record_schema, resolved
from registry.resources import SCHEMAS

SCHEMA = json.loads(attestation_schema_bytes())
FIELDS = list(fields_of(Field(path=(), schema=resolved(SCHEMA))))


def catalogue(tag, name):
    with (SCHEMAS / "languages" / tag / "format" / f"{name}.po").open("rb") as file:
        return {message.id for message in read_po(file, abort_invalid=True) if message.id}


def test_it_is_a_schema_and_all_of_it_is_used():
    Draft202012Validator.check_schema(SCHEMA)
    text = attestation_schema_bytes().decode()
    for name in SCHEMA["$defs"]:
        assert f'"#/$defs/{name}"' in text


def test_what_it_shares_with_the_record_format_is_the_same():
    for name, definition in SCHEMA["$defs"].items():
        assert definition == record_schema()["$defs"][name], name


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: "/".join(field.path))
def test_every_field_is_named_explained_and_bounded(field):
    schema = field.schema
    assert schema["title"][0].isupper()
    assert schema["description"].endswith(".")
    match schema["type"]:
        case "object":
            assert schema.get("additionalProperties") is False or "propertyNames" in schema
            assert {"minProperties"} <= set(schema)
        case "string":
            assert "maxLength" in schema
        case "integer":
            assert {"minimum", "maximum"} <= set(schema)
        case other:
            raise AssertionError(other)


@pytest.mark.parametrize("tag", ["ar", "fr"])
def test_every_title_and_description_is_translated_and_nothing_else(tag):
    words = {
        text
        for schema in (SCHEMA, *(field.schema for field in FIELDS))
        for text in (schema["title"], schema["description"])
    }
    assert words - catalogue(tag, "schema") == catalogue(tag, "attestation")
