"""The released schema as a product: complete, bounded, readable, and safe to run."""

from __future__ import annotations

import json
import re

from jsonschema import Draft202012Validator

from registry.record.codelists import codelists
from registry.record.pack import load_pack
from registry.record.schema import (
    RECORD_FOLDER,
    SCHEMA_VERSION,
    fields,
    record_schema,
    record_schema_bytes,
    resolved_schema,
)
from registry.record.validators import ecma


def nodes(node, path=()):
    """Every schema below a schema, with the keywords that lead to it."""
    yield path, node
    for keyword in ("properties", "$defs"):
        for name, inner in node.get(keyword, {}).items():
            if isinstance(inner, dict):
                yield from nodes(inner, (*path, keyword, name))
    for keyword in ("items", "additionalProperties", "propertyNames", "if", "then"):
        if isinstance(node.get(keyword), dict):
            yield from nodes(node[keyword], (*path, keyword))


RESOLVED = dict(nodes(resolved_schema()))
CONDITIONAL = {"if", "then"}
VALUES = {path: node for path, node in RESOLVED.items() if not CONDITIONAL & set(path)}


def test_it_is_a_schema_of_its_version():
    Draft202012Validator.check_schema(record_schema())
    assert record_schema()["$id"] == f"urn:public-algorithm-register:schema:record:{SCHEMA_VERSION}"
    assert record_schema()["properties"]["schema_version"]["enum"] == [SCHEMA_VERSION]
    assert json.loads(record_schema_bytes()) == record_schema()
    assert record_schema_bytes() == (RECORD_FOLDER / "record.schema.json").read_bytes()


def test_every_definition_is_used():
    text = record_schema_bytes().decode()
    for name in record_schema()["$defs"]:
        assert f'"#/$defs/{name}' in text


def test_everything_is_closed_and_bounded(subtests):
    for path, node in VALUES.items():
        with subtests.test(path=path):
            match node.get("type"):
                case "object":
                    closed = node.get("additionalProperties") is False
                    assert closed or {"maxProperties", "propertyNames"} <= set(node)
                case "array":
                    assert {"maxItems", "items"} <= set(node)
                case "string":
                    assert {"maxLength", "enum"} & set(node)
                    assert {"pattern", "enum", "format"} & set(node)
                case "integer" | "number":
                    assert {"minimum", "maximum"} <= set(node)
                case "boolean":
                    pass
                case ["string", "object"]:
                    assert {"maxLength", "pattern", "maxProperties", "propertyNames"} <= set(node)
                case other:
                    raise AssertionError(other)


def test_every_field_has_a_title_and_a_description():
    for field in fields():
        if field.path[-1] != "*":
            assert field.title[0].isupper(), field.path
            assert field.schema["description"].endswith("."), field.path


def test_patterns_are_anchored_and_cannot_be_made_to_hang():
    patterns = {node["pattern"] for node in RESOLVED.values() if "pattern" in node}
    assert len(patterns) > 10
    for pattern in patterns:
        assert pattern.startswith("^")
        assert pattern.endswith("$")
        for piece in ("a", "a-", "-", "0", "P1", " ", "/", "~0", "a.", "@", "é", "a@a.", "\n"):
            ecma(pattern).search(piece * 3000 + "\x00")


def test_every_enum_is_a_code_list_and_every_list_has_its_use():
    beside_the_document = {"withdrawal_reason", "redaction_reason"}
    national = {f"pack/{name}" for name in load_pack("ma").lists}
    named: set[str] = set()
    for path, node in VALUES.items():
        lists = node.get("x-codelist", [])
        lists = [lists] if isinstance(lists, str) else lists
        named.update(lists)
        if path == ("properties", "schema_version"):
            assert node["enum"] == [SCHEMA_VERSION]
        elif "enum" in node:
            (name,) = lists
            assert list(codelists()[name]) == node["enum"], path
        elif lists:
            assert any(name.startswith("pack/") for name in lists), path
    assert named == set(codelists()) - beside_the_document | national


def test_codes_are_lower_snake_case():
    for name, codes in codelists().items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
        for code in codes:
            assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", code)


LIMITS = """
id 120; source_id 100; name 250; summary 500; system_version 50; organisation/unit 250
organisation/accountable_role 150; contact/email 254; contact/url 2000; website 2000; tags/* 50
purpose/goal 4000; purpose/public_benefit 2500; purpose/proportionality 2500
purpose/alternatives_considered 1500; purpose/previous_process 1500
purpose/out_of_scope_uses 1500; purpose/services/*/name 200; risk/rationale 2000
lifecycle/status_reason 1000; decision/description 2500; decision/human_oversight 2500
decision/operator_training 1000; decision/fallback 1000; data/description 2500
data/sources/*/name 300; data/sources/*/provider 200; data/retention/note 500
data/legal_basis/*/title 300; data/legal_basis/*/reference 100; data/authorisation/reference 60
data/hosting/provider 150; data/transfers_abroad/authorisation_reference 60
data/transfers_abroad/note 1000; data/sharing/*/recipient 200; data/sharing/*/purpose 300
data/representativeness 1500; technical/description 5000; technical/inputs 1500
technical/outputs 1500; technical/models/*/name 150; technical/models/*/version 50
technical/models/*/provider 150; technical/models/*/task 300; technical/models/*/architecture 300
technical/models/*/licence 100; technical/models/*/base_model 150; technical/explainability 1500
procurement/suppliers/*/name 200; procurement/suppliers/*/role 300
procurement/contract/reference 100; procurement/data_access_terms 1000; assessments/*/title 200
assessments/*/summary 2000; risks/*/description 1500; risks/*/mitigation 1500
rights/notice/note 1000
rights/contestation/procedure 2000; evaluation/metrics/*/group 100; evaluation/monitoring 1500
evaluation/incidents/*/summary 1000; documents/*/title 200; publication/change_note 500
publication/withheld_fields/*/reference 150; publication/withheld_fields/*/note 500
"""


def test_limits_are_those_of_the_design():
    places = {"/".join(field.path): field.schema for field in fields()}
    expected = dict(row.split() for row in re.split(r"[;\n]", LIMITS) if row.strip())
    found = {}
    for place in expected:
        schema = places[place]
        text = schema["additionalProperties"] if schema.get("type") == "object" else schema
        found[place] = str(text["maxLength"])
    assert expected == found
