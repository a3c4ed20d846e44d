from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.record.pointers import dig, field_path, parts, pointer, value_at, values_at

DOCUMENT = {"a": {"b": [{"c": 1}, {"d": 2}, {"c": 3}]}, "x": [[1], [2, 3]], "n": None}


def test_pointer_escapes():
    assert pointer(()) == ""
    assert pointer(("a/b", "~", 0, "")) == "/a~1b/~0/0/"


@given(st.lists(st.text(max_size=5), max_size=4))
def test_parts_reads_what_pointer_writes(names):
    assert tuple(names) == parts(pointer(names))


def test_an_index_is_written_in_one_way():
    assert value_at(DOCUMENT, ("x", "1", "0")) == 2
    for part in ("2", "01", "-1", "", "١", "²", "9" * 5000):
        assert value_at(DOCUMENT, ("x", part)) is None
    assert field_path(("a", 0, "7", "07", "١")) == ("a", "*", "*", "07", "١")


def test_dig():
    assert dig(DOCUMENT, "a", "b") == DOCUMENT["a"]["b"]
    assert dig(DOCUMENT, "a", "z") is None
    assert dig(DOCUMENT, "a", "b", "c") is None
    assert dig(None, "a") is None
    assert dig(DOCUMENT) == DOCUMENT


def test_values_at():
    assert list(values_at(DOCUMENT, ("a", "b", "*", "c"))) == [
        (("a", "b", 0, "c"), 1),
        (("a", "b", 2, "c"), 3),
    ]
    assert list(values_at(DOCUMENT, ("x", "*", "*"))) == [
        (("x", 0, 0), 1),
        (("x", 1, 0), 2),
        (("x", 1, 1), 3),
    ]
    assert list(values_at(DOCUMENT, ("n",))) == [(("n",), None)]
    assert list(values_at(DOCUMENT, ("a", "*"))) == []
    assert list(values_at(DOCUMENT, ("n", "b"))) == []
