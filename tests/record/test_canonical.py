"""RFC 8785 against its author's vectors."""

import json
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from registry.record.canonical import canonical

VECTORS = Path(__file__).parents[3] / "shared/vectors/rfc8785-jcs/testdata"
NAMES = ["arrays", "french", "structures", "unicode", "values", "weird"]


@pytest.mark.parametrize("name", NAMES)
def test_the_vectors_come_out_to_the_byte(name):
    if not VECTORS.is_dir():
        pytest.skip(f"the RFC 8785 vectors are not at {VECTORS}")
    source = json.loads((VECTORS / "input" / f"{name}.json").read_text(encoding="utf-8"))
    expected = bytes.fromhex((VECTORS / "outhex" / f"{name}.txt").read_text(encoding="ascii"))
    assert canonical(source) == expected
    assert canonical(json.loads(expected)) == expected


def test_names_are_sorted_by_utf_16_and_nothing_is_escaped_without_need():
    # U+FB33 comes after U+1F600 in UTF-16, before it by code point.
    value = {"\ufb33": 1, "\U0001f600": 2, "é": "ⵣ/\u2028\x1f", "a": [True, None, 1e21, 0.1]}
    assert canonical(value).decode() == (
        '{"a":[true,null,1e+21,0.1],"é":"ⵣ/\u2028\\u001f","\U0001f600":2,"\ufb33":1}'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, {1: "a"}, "\ud800", {1, 2}])
def test_what_json_cannot_say_exactly_is_refused(value):
    with pytest.raises(ValueError):  # noqa: PT011  the sentence is the library's
        canonical(value)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_the_fast_way_writes_the_same_bytes(value):
    assert canonical(value) == rfc8785.dumps(value)


@given(
    st.floats(1e-5, 1e16) | st.floats(-1e16, -1e-5) | st.decimals(-1000, 1000, places=3).map(float)
)
def test_fractions_are_written_alike(real):
    assert canonical([real]) == rfc8785.dumps([real])


@given(st.text(st.characters(max_codepoint=0x2100)))
def test_every_character_is_escaped_as_the_standard_says(text):
    assert canonical({"a": text, "B": [text]}) == rfc8785.dumps({"a": text, "B": [text]})
