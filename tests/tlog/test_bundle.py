"""Entry bundles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.tlog.bundle import (
    bundle_path,
    bundles_of,
    parse_bundle,
    parse_bundle_path,
    write_bundle,
)


def test_the_form_of_the_specification():
    assert write_bundle([b"a", b"", b"bcd"]) == b"\x00\x01a\x00\x00\x00\x03bcd"
    assert bundle_path(1234067) == "tile/entries/x001/x234/067"
    assert bundle_path(0, 5) == "tile/entries/000.p/5"
    assert list(bundles_of(513)) == [(0, 256), (1, 256), (2, 1)]
    assert list(bundles_of(512)) == [(0, 256), (1, 256)]


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_what_is_written_is_read(entries):
    assert parse_bundle(write_bundle(entries), len(entries)) == entries


@given(st.binary(max_size=200), st.integers(0, 10))
def test_what_is_read_is_written_the_same(content, width):
    try:
        entries = parse_bundle(content, width)
    except ValueError:
        return
    assert write_bundle(entries) == content
    assert len(entries) == width


def test_the_longest_entry():
    longest = bytes(0xFFFF)
    assert parse_bundle(write_bundle([longest]), 1) == [longest]
    with pytest.raises(ValueError, match="65,535"):
        write_bundle([longest + b"x"])


@pytest.mark.parametrize(
    ("content", "width", "sentence"),
    [
        (b"\x00", 1, "cut off"),
        (b"\x00\x02a", 1, "cut off"),
        (b"\x00\x01a", 2, "has 1 entries, not 2"),
        (b"\x00\x01a\x00\x00", 1, "has 2 entries, not 1"),
        (b"", 1, "has 0 entries"),
    ],
)
def test_a_bundle_must_come_out(content, width, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_bundle(content, width)


@pytest.mark.parametrize("place", [(0, 256), (0, 1), (1234067, 255), (1000, 256)])
def test_a_path_is_read_as_it_is_written(place):
    assert parse_bundle_path(bundle_path(*place)) == place


@pytest.mark.parametrize(
    "path", ["", "tile/0/000", "tile/entries/", "tile/entries/0", "x/tile/entries/000", "000"]
)
def test_any_other_path_is_refused(path):
    with pytest.raises(ValueError, match="path"):
        parse_bundle_path(path)
