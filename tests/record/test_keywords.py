"""Both validators read every keyword of the format as JSON Schema 2020-12 defines it."""

from __future__ import annotations

import jsonschema_rs
import pytest

from registry.record.schema import shape
from registry.record.validators import build_validator

ASTRAL = "\U0001f600"
PART = {"properties": {"a": {"const": 1}}, "required": ["a"]}

# keyword: (schema, instances that are valid, instances that are not)
TABLE = {
    "type": [
        ({"type": "object"}, [{}, {"a": 1}], [[], "{}", None]),
        ({"type": "array"}, [[], [1]], [{}, "[]"]),
        ({"type": "string"}, ["", "1"], [1, None, []]),
        ({"type": "integer"}, [0, -1, 1.0, 2**53 - 1, 1e3], [1.5, "1", True, None]),
        ({"type": "number"}, [0, 1.5, -1e300], ["1", False]),
        ({"type": "boolean"}, [True, False], [0, 1, "true", None]),
        ({"type": "null"}, [None], [0, False, "", {}]),
        ({"type": ["string", "object"]}, ["", {}], [1, None, []]),
    ],
    "const": [
        ({"const": "1.0"}, ["1.0"], ["1", 1.0, "1.0 "]),
        ({"const": 1}, [1, 1.0], [True, "1", 2]),
        ({"const": True}, [True], [1, "true"]),
        ({"const": False}, [False], [0, None]),
    ],
    "enum": [
        ({"enum": ["high", "low"]}, ["high", "low"], ["High", "hig", "high\n", None, ["high"]]),
        ({"enum": [True, 0]}, [True, 0, 0.0], [1, False, "0"]),
        ({"enum": ["e\u0301"]}, ["e\u0301"], ["é"]),
    ],
    "minimum": [({"minimum": 1}, [1, 1.0, 2, "0", None], [0, 0.999, -1])],
    "maximum": [({"maximum": 366}, [366, -1e9, "400"], [367, 366.5, 1e300])],
    "minLength": [
        ({"minLength": 1}, ["a", " ", "\u0301", ASTRAL, 0, []], [""]),
        ({"minLength": 2}, ["ab", ASTRAL * 2, "e\u0301"], ["a", ASTRAL]),
    ],
    "maxLength": [
        ({"maxLength": 2}, ["", "ab", ASTRAL * 2, "شّ", 100, [1, 2, 3]], ["abc", ASTRAL * 3]),
    ],
    "pattern": [
        ({"pattern": "^[a-z]{2}$"}, ["ab", 1, None, []], ["abc", "ab\n", "\nab", "AB"]),
        ({"pattern": "b"}, ["abc", "b\n"], ["", "a"]),
        ({"pattern": "^(?!index$)[a-z]+$"}, ["indexes", "a"], ["index", "index\n"]),
        ({"pattern": "^[^\u0009\u2028]$"}, ["a", "é", ASTRAL, "\n"], ["\t", "\u2028", "aa"]),
        ({"pattern": "^[$]\\$$"}, ["$$"], ["$", "$$\n"]),
        ({"pattern": "^[0-9]$"}, ["5"], ["٥", "५"]),
    ],
    "format": [
        ({"format": "date"}, ["2024-02-29", 5], ["2025-02-29", "2024-2-9", "", "2024-02-29\n"]),
        ({"format": "iri"}, ["https://é.example/ü"], ["", "a b", "https://a.example/\\"]),
        ({"format": "email"}, ["a@b.example"], ["a", ""]),
    ],
    "minItems": [({"minItems": 1}, [[None], "", {}], [[]])],
    "maxItems": [({"maxItems": 2}, [[], [1, 2], "abc", {"a": 1, "b": 2, "c": 3}], [[1, 2, 3]])],
    "uniqueItems": [
        (
            {"uniqueItems": True},
            [[], [1, 2], ["a", "A"], [1, True], [0, False], [[1], [True]], [{"a": 1}, {"a": 2}]],
            [[1, 1], [1, 1.0], ["a", "b", "a"], [{"a": 1, "b": 2}, {"b": 2, "a": 1}], [[], []]],
        ),
        ({"uniqueItems": False}, [[1, 1]], []),
    ],
    "items": [
        ({"items": {"type": "string"}}, [[], ["a"], {"0": 1}, 3], [[1], ["a", None]]),
    ],
    "properties": [
        (
            {"properties": {"a": {"type": "string"}}},
            [{}, {"a": "x"}, {"b": 1}, [], "a"],
            [{"a": 1}, {"a": None}],
        ),
    ],
    "required": [({"required": ["a"]}, [{"a": None}, {"a": 1, "b": 2}, [], 3], [{}, {"A": 1}])],
    "additionalProperties": [
        (
            {"properties": {"a": True}, "additionalProperties": False},
            [{}, {"a": 1}, ["b"]],
            [{"b": 1}, {"a": 1, "": 2}],
        ),
        (
            {"properties": {"a": True}, "additionalProperties": {"type": "string"}},
            [{"a": 1, "b": "x"}],
            [{"b": 1}],
        ),
        (
            {"allOf": [{"properties": {"a": True}}], "additionalProperties": False},
            [{}],
            [{"a": 1}],
        ),
    ],
    "propertyNames": [
        ({"propertyNames": {"maxLength": 2}}, [{}, {"ab": 1}, ["abc"]], [{"abc": 1}]),
        ({"propertyNames": {"pattern": "^[a-z]+$"}}, [{"ar": 1}], [{"ar\n": 1}, {"": 1}]),
    ],
    "minProperties": [({"minProperties": 1}, [{"a": None}, [], ""], [{}])],
    "maxProperties": [({"maxProperties": 1}, [{}, {"a": 1}, [1, 2]], [{"a": 1, "b": 2}])],
    "allOf": [({"allOf": [{"minimum": 1}, {"maximum": 2}]}, [1, 2, "x"], [0, 3])],
    "anyOf": [({"anyOf": [{"type": "string"}, {"minimum": 2}]}, ["", 2, None], [1, 0])],
    "not": [({"not": {"required": ["a"]}}, [{}, {"b": 1}], [{"a": 1}, 3])],
    "if": [
        (
            {"if": PART, "then": {"required": ["b"]}, "else": {"required": ["c"]}},
            [{"a": 1, "b": 0}, {"c": 0}, {"a": 2, "c": 0}],
            [{"a": 1}, {"a": 1, "c": 0}, {"a": 2, "b": 0}],
        ),
        ({"if": PART}, [{"a": 1}, {}, 3], []),
    ],
    "then": [
        ({"then": {"const": 1}}, [2, None], []),
        ({"if": True, "then": {"const": 1}}, [1], [2]),
    ],
    "else": [
        ({"else": {"const": 1}}, [2], []),
        ({"if": False, "else": {"const": 1}}, [1], [2]),
    ],
    "$ref": [
        (
            {"$defs": {"a/b~": {"type": "string"}}, "$ref": "#/$defs/a~1b~0", "maxLength": 2},
            ["ab"],
            ["abc", 1],
        ),
    ],
}  # fmt: skip
SAID = {"$comment", "$id", "$schema", "description", "title"}


def test_both_validators_read_a_keyword_alike():
    wrong = []
    for schema, good, bad in (row for rows in TABLE.values() for row in rows):
        ours = build_validator(schema)
        compiled = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        for valid, instances in ((True, good), (False, bad)):
            wrong += [
                (schema, one, valid)
                for one in instances
                if (ours.is_valid(one), compiled.is_valid(one)) != (valid, valid)
            ]
    assert wrong == []


def keywords(schema):
    if isinstance(schema, list):
        return {key for part in schema for key in keywords(part)}
    if not isinstance(schema, dict):
        return set()
    found = set()
    for key, part in schema.items():
        if key.startswith("x-"):
            continue
        found.add(key)
        if key == "properties":
            found |= {inner for member in part.values() for inner in keywords(member)}
        elif key not in {"enum", "const", "required"}:
            found |= keywords(part)
    return found


@pytest.mark.parametrize("profile", ["draft", "publication", "foreign"])
def test_every_keyword_of_the_format_is_in_the_table(profile):
    assert keywords(shape(profile)) - SAID <= set(TABLE)
