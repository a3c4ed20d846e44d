"""Content files: what an entry commits to, whole or with parts erased, and nothing else."""

import json
import secrets
from functools import partial
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.log.blob import (
    ContentRefused,
    ErasedMember,
    KeptSection,
    check_content,
    check_kept,
    content_file,
)
from registry.log.disclosure_tree import member_commitment, seal
from registry.log.erasure import erase
from registry.record.canonical import canonical

DOCUMENT = {
    "id": "a/b",
    "contact": {"email": "a@b.example", "phone": "0537", "a/b~c": {"é": 1.5}},
    "documents": [{"url": "x"}, "y", 3],
    "empty": {},
    "none": [],
}
SECTIONS = seal(DOCUMENT, secrets.token_bytes)
COMMITMENTS = {section.key: section.commitment for section in SECTIONS}
KEPT = [
    KeptSection(key=section.key, value=section.value, salts=section.salts) for section in SECTIONS
]
CONTENT = content_file(7, KEPT)


def check(content, index=7, commitments=COMMITMENTS):
    return check_content(content, index=index, commitments=commitments)


def erased(*pointers):
    """The sections after something in them was erased by entry 9."""
    kept = []
    for section in KEPT:
        after = erase(
            section.key,
            json.loads(section.value),
            section.salts,
            gone=(),
            pointers=pointers,
        )
        if after is not None:
            section = KeptSection(  # noqa: PLW2901  the loop goes on with what is left
                key=section.key,
                value=after.value,
                salts=after.salts,
                erased=tuple(
                    ErasedMember(pointer=pointer, commitment=commitment, redaction=9)
                    for pointer, commitment in after.commitments.items()
                ),
            )
        kept.append(section)
    return kept


def test_what_is_written_is_what_the_entry_commits_to():
    checked = check(CONTENT)
    assert {section.key: section for section in KEPT} == checked.sections
    assert checked.erased == []
    assert canonical(json.loads(CONTENT)) == CONTENT


@pytest.mark.parametrize(
    "pointers",
    [
        ["/contact/phone"],
        ["/contact"],
        ["/contact/a~1b~0c"],
        ["/documents/0"],
        ["/documents/1", "/documents/2"],
        ["/documents"],
        ["/empty"],
        ["/none", "/id", "/contact/email"],
    ],
)
def test_what_was_erased_leaves_the_rest_provable(pointers):
    kept = erased(*pointers)
    content = content_file(7, kept)
    checked = check(content)
    assert checked.sections == {section.key: section for section in kept}
    assert checked.erased
    assert all(member.redaction == 9 for member in checked.erased)
    if pointers == ["/contact/phone"]:
        assert b"0537" not in content


def test_an_erased_value_cannot_be_guessed_as_it_could_without_a_salt():
    [section] = [one for one in erased("/contact/phone") if one.erased]
    [member] = section.erased
    guesses = [canonical(f"{number:04}") for number in range(10_000)]

    def attack(digest, hashed):
        return [guess for guess in guesses if hashed(guess) == digest]

    def without_salt(guess):
        return sha256(b"/contact/phone" + guess).hexdigest()

    assert attack(without_salt(b'"0537"'), without_salt) == [b'"0537"']
    assert attack(member.commitment, without_salt) == []
    for salt in (b"", bytes(32), section.salts[:32]):
        assert attack(member.commitment, partial(member_commitment, salt, "/contact/phone")) == []


def changed(edit):
    said = json.loads(CONTENT)
    edit(said)
    return canonical(said)


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda said: said.update(index=8), "another entry"),
        (lambda said: said.update(index=True), "another entry"),
        (lambda said: said.update(more=1), "index and sections"),
        (lambda said: said["sections"].pop("id"), "sections that the entry"),
        (lambda said: said["sections"].update(more=[]), "sections that the entry"),
        (lambda said: said["sections"].update(id=[]), "no list of members"),
        (lambda said: said["sections"].update(id={}), "no list of members"),
        (lambda said: said["sections"].update(id=[["/id"]]), "no list of members"),
        (lambda said: said["sections"]["contact"].reverse(), "not in order"),
        (lambda said: said["sections"]["contact"].append(said["sections"]["contact"][-1]), "order"),
        (lambda said: said["sections"]["contact"].pop(), "not what the entry commits to"),
        (lambda said: said["sections"]["id"][0][1].update(value="x"), "not what the entry"),
        (lambda said: said["sections"]["id"][0][1].update(salt="A" * 43), "not what the entry"),
        (lambda said: said["sections"]["id"][0][1].update(salt="A" * 42 + "B"), "neither"),
        (lambda said: said["sections"]["id"][0][1].update(salt=1), "neither"),
        (lambda said: said["sections"]["id"][0][1].update(commitment="A" * 43), "neither"),
        (
            lambda said: said["sections"]["id"][0].__setitem__(
                1, {"commitment": "A" * 43, "redaction": "9"}
            ),
            "which redaction",
        ),
        (
            lambda said: said["sections"]["id"][0].__setitem__(
                1, {"commitment": "A" * 43, "redaction": 9}
            ),
            "not what the entry",
        ),
    ],
)
def test_anything_else_is_refused(edit, why):
    with pytest.raises(ContentRefused, match=why):
        check(changed(edit))


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"\xff", b"[]", b"1", b"[" * 100_000, CONTENT + b" "],
    # Its salts are others in each process of the suite, which must know a test by one name.
    ids=["empty", "word", "no UTF-8", "list", "number", "deep", "space behind"],
)
def test_what_is_no_content_file_is_refused(content):
    with pytest.raises(ContentRefused):
        check(content)


def test_every_bit_counts():
    for bit in range(len(CONTENT) * 8):
        flipped = bytearray(CONTENT)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ContentRefused):
            check(bytes(flipped))


def test_salts_must_be_as_many_as_members():
    broken = msgspec.structs.replace(KEPT[0], salts=KEPT[0].salts + bytes(32))
    with pytest.raises(ContentRefused, match="another number of members"):
        content_file(7, [broken])


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    ).map(lambda value: json.dumps({"index": 7, "sections": {"id": value}}).encode())
)
def test_whatever_is_read_it_is_refused_and_breaks_nothing(content):
    with pytest.raises(ContentRefused):
        check(content, commitments={"id": COMMITMENTS["id"]})


def test_sections_are_checked_as_they_are_kept():
    check_kept(KEPT, COMMITMENTS)
    check_kept(erased("/contact/phone", "/documents", "/id"), COMMITMENTS)
    for at, section in enumerate(KEPT):
        for changes in (
            {"value": section.value + " "},
            {"value": "null"},
            {"value": "{"},
            {"salts": section.salts[:-1] + bytes([section.salts[-1] ^ 1])},
            {"salts": section.salts[:-1]},
            {"key": "other"},
        ):
            others = [*KEPT[:at], msgspec.structs.replace(section, **changes), *KEPT[at + 1 :]]
            with pytest.raises(ContentRefused):
                check_kept(others, COMMITMENTS)
    with pytest.raises(ContentRefused, match="there are not"):
        check_kept(KEPT[1:], COMMITMENTS)
