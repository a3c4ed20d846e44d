"""Recognising records in a new file: a system stays its record, and none takes another's."""

import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from registry.services.importing.matching import RecordKey, match


def key(source_id="", agency="a", of=("name",), telling_apart=()):
    return RecordKey(agency=agency, source_id=source_id, of=of, telling_apart=telling_apart)


def test_an_id_is_the_same_record_whatever_else_changed():
    known = [key("1", of=("Sieve",)), key("2", of=("Counter",))]
    rows = [key("2", "b", of=("Count",)), key("1", "c", of=("Counter",))]
    assert match(rows, known) == [1, 0]


def test_ids_that_agencies_share_are_their_own():
    known = [key("1", "a"), key("1", "b")]
    assert match([key("1", "b")], known) == [1]
    # Agency c has its own record 1: it is none of those of the others, unless it is called alike.
    assert match([key("1", "b"), key("1", "c", of=("other",))], known) == [1, None]
    assert match([key("1", "b"), key("1", "c")], known) == [1, 0]


def test_without_ids_a_record_is_what_identifies_it():
    known = [key(of=("a", "Sieve")), key(of=("a", "Counter"))]
    assert match([key(of=("a", "Counter")), key(of=("a", "New"))], known) == [1, None]


def test_a_source_that_begins_to_give_ids_keeps_its_records():
    assert match([key("7", of=("a", "Sieve"))], [key(of=("a", "Sieve"))]) == [0]
    assert match([key(of=("a", "Sieve"))], [key("7", of=("a", "Sieve"))]) == [0]


def test_another_id_is_another_record_even_of_the_same_name():
    assert match([key("8", of=("a", "Sieve"))], [key("7", of=("a", "Sieve"))]) == [None]


def test_equal_ones_are_told_apart_by_what_is_there_for_that():
    known = [key("1", telling_apart=("goal a",)), key("1", telling_apart=("goal b",))]
    rows = [key("1", telling_apart=("goal b",)), key("1", telling_apart=("goal c",))]
    # One is recognised, and then the other can only be the one that is left.
    assert match(rows, known) == [1, 0]
    neither = [key("1", telling_apart=("goal c",)), key("1", telling_apart=("goal d",))]
    assert match(neither, known) == [None, None]


def test_what_differs_in_nothing_is_paired_in_order():
    assert match([key(), key(), key()], [key(), key()]) == [0, 1, None]


KEYS = st.builds(
    key,
    source_id=st.sampled_from(["", "1", "2", "3"]),
    agency=st.sampled_from("ab"),
    of=st.sampled_from([("x",), ("y",), ("x", "y")]),
    telling_apart=st.sampled_from([(), ("s",), ("t",)]),
)


@given(rows=st.lists(KEYS, max_size=12), known=st.lists(KEYS, max_size=12))
def test_no_record_is_two_rows_and_none_with_another_id(rows, known):
    found = match(rows, known)
    taken = [place for place in found if place is not None]
    assert len(taken) == len(set(taken))
    for row, place in zip(rows, found, strict=True):
        if place is not None:
            assert "" in {row.source_id, known[place].source_id} or (
                row.source_id == known[place].source_id
            )


@given(known=st.lists(KEYS, max_size=12), seed=st.integers())
def test_the_same_file_in_another_order_is_recognised_whole(known, seed):
    places = list(range(len(known)))
    random.Random(seed).shuffle(places)
    found = match([known[place] for place in places], known)
    assert [known[place] for place in found] == [known[place] for place in places]


@given(known=st.lists(KEYS, max_size=8, unique_by=lambda one: one.source_id), edits=st.data())
def test_records_with_ids_of_the_whole_register_follow_them_to_any_agency(known, edits):
    known = [one for one in known if one.source_id]
    rows = [
        msgspec.structs.replace(
            one,
            agency=edits.draw(st.sampled_from("abcd")),
            of=edits.draw(st.sampled_from([("x",), ("z",)])),
        )
        for one in known
    ]
    assert match(rows, known) == list(range(len(known)))
