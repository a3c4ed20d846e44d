from __future__ import annotations

import json
import math
from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import PayloadTooLarge, UnreadableDocument
from registry.record.canonical import canonical
from registry.record.parse import MAX_BYTES, MAX_DEPTH, MAX_ITEMS, parse

HOSTILE = {
    "empty": (b"", "not JSON", (1, 1)),
    "not json": (b"{'a': 1}", "not JSON", (1, 2)),
    "trailing comma": (b'{"a": 1,}', "not JSON", None),
    "two documents": (b"{} {}", "extra data", (1, 4)),
    "cut short": (b'{"a": "b', "not JSON", None),
    "string that ends in a backslash": (b'["a\\', "not JSON", None),
    "raw line feed in a string": (b'["a\nb"]', "control character", None),
    "byte order mark": (b"\xef\xbb\xbf{}", "byte order mark", (1, 1)),
    "utf-16": ("{}".encode("utf-16"), "0xff is not UTF-8", (1, 1)),
    "latin-1": (b'{\n"nom": "\xe9"}', "0xe9 is not UTF-8", (2, 9)),
    "surrogate in utf-8": (b'["\xed\xa0\x80"]', "not UTF-8", (1, 3)),
    "overlong slash": (b'["\xc0\xaf"]', "not UTF-8", (1, 3)),
    "duplicate member": (b'{"a": 1,\n "b": 2,\n "a": 3}', "'a' comes twice", (3, 2)),
    "duplicate by escape": (b'{"a": 1, "\\u0061": 2}', "'a' comes twice", (1, 10)),
    "duplicate deep inside": (b'[{"x": [{"k": 1, "k": 1}]}]', "'k' comes twice", (1, 18)),
    "duplicate empty name": (b'{"": 1, "": 2}', "'' comes twice", (1, 9)),
    "NaN": (b'{"a": NaN}', "NaN is not JSON", (1, 7)),
    "infinity": (b"[Infinity]", "Infinity is not JSON", (1, 2)),
    "minus infinity": (b"[1, -Infinity]", "-Infinity is not JSON", (1, 5)),
    "number too large": (b"[1e400]", "too large", (1, 2)),
    "integer beyond 2^53": (b'{"n":\n9007199254740992}', "whole number", (2, 1)),
    "integer beyond -2^53": (b"[-9007199254740992]", "whole number", (1, 2)),
    "integer of 5,000 digits": (b"[" + b"9" * 5000 + b"]", "too large", (1, 2)),
    "real beyond 2^53": (b"[1e20]", "whole number", (1, 2)),
    "inexact decimal": (b"[0.1000000000000000055511151231257827]", "read as 0.1", (1, 2)),
    "underflow": (b"[1e-400]", "read as 0.0", (1, 2)),
    "underflow of decimals": (b"[1e-99999999999999999999]", "read as 0.0", (1, 2)),
    "exponent beyond decimals": (b"[0e99999999999999999999]", "read as 0.0", (1, 2)),
    "lone high surrogate": (b'["\\ud800"]', "surrogate", (1, 2)),
    "lone low surrogate": (b'["a", "\\uDC00x"]', "surrogate", (1, 7)),
    "lone surrogate in a name": (b'{"\\udbff": 1}', "surrogate", (1, 2)),
    "NUL": (b'{"a": "b\\u0000"}', "U+0000", (1, 7)),
    "10,000 brackets": (b"[" * 10_000, "deeper than 32", (1, 33)),
    "10,000 objects": (b'{"a":' * 10_000, "deeper than 32", None),
    "too many values": (b"[" + b"0," * MAX_ITEMS + b"0]", "50,000 values", None),
    "too many empty objects": (b"[" + b"{}," * MAX_ITEMS + b"{}]", "50,000 values", None),
}


def test_the_hostile_is_refused_with_a_sentence_and_a_place():
    for name, (raw, words, place) in HOSTILE.items():
        with pytest.raises(UnreadableDocument) as refused:
            parse(raw)
        assert words in refused.value.detail, name
        assert refused.value.line is not None, name
        assert place in {None, (refused.value.line, refused.value.column)}, name


def test_brackets_inside_strings_do_not_count():
    text = json.dumps(["[" * 500, "{\\" * 500, '"[[['])
    assert parse(text.encode()) == json.loads(text)


def test_depth_and_number_of_values_at_the_limit_are_read():
    for inner in (b"", b"0", b'"a"'):
        deepest = b"[" * MAX_DEPTH + inner + b"]" * MAX_DEPTH
        assert json.loads(deepest) == parse(deepest)
        with pytest.raises(UnreadableDocument, match="deeper than 32"):
            parse(b"[" + deepest + b"]")
    assert len(parse(b"[" + b"0," * (MAX_ITEMS - 1) + b"0]")) == MAX_ITEMS
    with pytest.raises(UnreadableDocument, match="50,000 values"):
        parse(b"[" + b"0," * MAX_ITEMS + b"0]")


def test_too_large_is_said_before_anything_is_read():
    with pytest.raises(PayloadTooLarge, match="at most 1,048,576"):
        parse(b"\xff" * (MAX_BYTES + 1))
    with pytest.raises(PayloadTooLarge):
        parse(b"[1, 2]", limit=5)


def test_escapes_that_only_look_dangerous_are_read():
    assert parse(b'["\\\\ud800", "\\\\u0000"]') == ["\\ud800", "\\u0000"]
    assert parse(b'["\\ud83d\\ude00"]') == ["\U0001f600"]


def test_whole_reals_become_integers_as_in_the_canonical_form():
    value = parse(b"[1.0, 1e3, -0, 0.5, 9007199254740991]")
    assert value == [1, 1000, 0, 0.5, 9007199254740991]
    assert [type(item) for item in value] == [int, int, int, float, int]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-1e15, 1e15).filter(lambda real: real != 0)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(codec="utf-8", exclude_characters="\x00")), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_what_it_reads_is_what_was_meant(value):
    assert value == parse(json.dumps(value).encode())
    assert value == parse(json.dumps(value, ensure_ascii=False, indent=1).encode())


@given(JSON)
def test_canonical_bytes_are_read_back_unchanged(value):
    raw = canonical(value)
    assert raw == canonical(parse(raw))


class Fault(Exception):
    """What a plain reader saw."""


def refuse(_):
    raise Fault


def members(pairs):
    """Refuse a member that comes twice."""
    if len(dict(pairs)) != len(pairs):
        raise Fault
    return dict(pairs)


def number(digits):
    """Refuse what a double does not hold; whole numbers are integers."""
    value = float(digits)
    if math.isinf(value) or (value.is_integer() and abs(value) > 2**53 - 1):
        raise Fault
    if Decimal(digits) != Decimal(repr(value)):
        raise Fault
    return int(value) if value.is_integer() else value


def plainly(raw):
    """Read a text with the standard library's decoder; None where it is refused."""
    hooks = {"parse_int": number, "parse_float": number, "parse_constant": refuse}
    try:
        text = raw.decode()
        value = json.loads(text, object_pairs_hook=members, **hooks)
        strings = json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, Fault, InvalidOperation):
        return None
    return None if b"\\u0000" in strings.replace(b"\\\\", b"") else repr(value)


def outcome(raw):
    try:
        return repr(parse(raw))
    except UnreadableDocument:
        return None


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\ua0e1.-NI \n\x00é\ud800', max_size=40))
def test_near_json_is_read_as_plainly_or_refused(text):
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    assert outcome(raw) == plainly(raw)


NAMES = st.sampled_from(["a", "b", "é", "\n", '"', "\\", ""])
NUMBERS = (
    "0", "-0", "1.0", "1e3", "0.1", "0.10", "1.50", "9007199254740991", "-9007199254740992",
    "12345678901234567890123", "1e400", "1e-400", "0.1000000000000000055", "NaN",
)  # fmt: skip


def written(chance, value):
    """Write a value as JSON in one of its many ways, duplicate members and odd escapes included."""
    if isinstance(value, tuple):
        members = ((written(chance, name), written(chance, part)) for name, part in value)
        return "{" + " ,".join(f"{name}:{part}" for name, part in members) + "}"
    if isinstance(value, list):
        return "[" + ",\n".join(written(chance, part) for part in value) + "]"
    if isinstance(value, str) and value[:1].isalpha() and chance.random() < 0.1:
        return f'"\\u{ord(value[0]):04x}{json.dumps(value[1:])[1:]}'
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=chance.random() < 0.2)
    return value.decode()


TEXTS = st.text(max_size=4) | NAMES
WRITTEN = st.recursive(
    TEXTS | st.sampled_from(NUMBERS).map(str.encode) | st.sampled_from([b"null", b"true"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.lists(st.tuples(NAMES, inner), max_size=4).map(tuple)
    ),
    max_leaves=12,
)


@settings(max_examples=200)
@given(WRITTEN, st.randoms(use_true_random=False))
def test_whatever_way_a_document_is_written_it_is_read_as_plainly_or_refused(value, chance):
    raw = written(chance, value).encode("utf-8", "surrogatepass")
    assert outcome(raw) == plainly(raw)


def test_no_escape_hides_a_duplicate():
    for raw in (
        b'{"a": 1, "b": "\\"", "b": 2}',
        b'{"a": "\\\\", "a": "\\\\"}',
        b'{"a": "\\\\\\"", "a": 1}',
        b'{"a\\"": 1, "a\\u0022": 2}',
        b'[{"a": {"b": "c"}, "a": 1}, "\\\\", "\\\\"]',
    ):
        with pytest.raises(UnreadableDocument, match="comes twice"):
            parse(raw)
