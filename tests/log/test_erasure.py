"""Erasing members of a section: the commitment stays the same, and the places stay true."""

import base64
import json
import secrets
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.log.blob import ErasedMember, KeptSection, check_content, content_file
from registry.log.disclosure_tree import SALT_BYTES, members, seal
from registry.log.erasure import (
    erase,
    readable,
    remaining_members,
    replaced_members,
    without_erased,
    without_words,
)

texts = st.text(alphabet='aé~/"ب0', max_size=4)
names = st.text(alphabet="ab~/", min_size=1, max_size=3)
scalars = texts | st.integers(-5, 5) | st.booleans()
values = scalars | st.lists(scalars, max_size=12) | st.dictionaries(names, scalars, max_size=5)


def sealed(key, value):
    [section] = seal({key: value}, secrets.token_bytes)
    return section


@given(values, st.data())
def test_what_is_erased_in_steps_leaves_the_rest_verifiable(value, data):
    """Whatever is erased of a section, in whatever order, the entry's commitment still holds."""
    section = sealed("data", value)
    pointers = [pointer for pointer, _ in members("data", value)]
    kept, salts, gone = section.value, section.salts, {}
    for pointer in data.draw(st.permutations(pointers)):
        erased = erase("data", json.loads(kept), salts, gone=gone, pointers=[pointer])
        kept, salts = erased.value, erased.salts
        assert list(erased.commitments) == [pointer]
        gone |= erased.commitments
        there = remaining_members("data", json.loads(kept), gone)
        assert [one for one, _ in there] == sorted(set(pointers) - gone.keys())
        assert len(salts) == SALT_BYTES * len(there)
        assert dict(there).items() <= dict(members("data", value)).items()
        file = content_file(
            7,
            [
                KeptSection(
                    key="data",
                    value=kept,
                    salts=salts,
                    erased=tuple(
                        ErasedMember(pointer=one, commitment=commitment, redaction=9)
                        for one, commitment in gone.items()
                    ),
                )
            ],
        )
        check_content(file, index=7, commitments={"data": section.commitment})
    assert erase("data", json.loads(kept), salts, gone=gone, pointers=["/data"]) is None
    assert salts == b""


def test_a_whole_section_is_named_by_itself():
    section = sealed("contact", {"email": "a@example.org", "phone": "+2125"})
    erased = erase(
        "contact", json.loads(section.value), section.salts, gone=(), pointers=["/contact"]
    )
    assert (erased.value, erased.salts) == ("{}", b"")
    assert set(erased.commitments) == {"/contact/email", "/contact/phone"}
    assert sorted(erased.texts) == ["+2125", "a@example.org"]


@pytest.mark.parametrize("pointers", [["/contact/fax"], ["/contact/phone/0"], ["/other"], [""]])
def test_what_a_section_does_not_hold_erases_nothing(pointers):
    section = sealed("contact", {"phone": "+2125"})
    value = json.loads(section.value)
    assert erase("contact", value, section.salts, gone=(), pointers=pointers) is None


def test_readers_are_shown_no_places_of_what_was_erased():
    kept = {"id": "a/b", "name": {}, "summary": {"fr": "x"}, "documents": [None, {"url": "u"}],
            "tags": [None], "website": None, "evaluation": {}}  # fmt: skip
    erased = ["/name/fr", "/summary/ar", "/documents/0", "/tags/0", "/website"]
    assert readable(kept, erased) == {
        "id": "a/b", "summary": {"fr": "x"}, "documents": [{"url": "u"}], "evaluation": {},
    }  # fmt: skip
    assert readable(kept, []) == kept


def test_the_next_version_is_without_what_was_erased():
    document = {"id": "a/b", "contact": {"email": "e", "phone": "p"}, "documents": [1, 2], "n": 1}
    erased = dict.fromkeys(["/contact/phone", "/documents/0", "/n", "/gone/x"])
    assert without_erased(document, erased) == {
        "id": "a/b", "contact": {"email": "e"}, "documents": [2],
    }  # fmt: skip


def test_the_next_version_has_the_marks_of_words_that_were_erased():
    shown = {"fr": "De […], par […].", "ar": "x"}
    document = {"id": "a/b", "purpose": {"goal": {"fr": "De A, par B.", "en": "new"}, "scale": "s"}}
    assert without_erased(document, {"/purpose/goal": shown}) == {
        "id": "a/b", "purpose": {"goal": {"fr": shown["fr"], "en": "new"}, "scale": "s"},
    }  # fmt: skip
    for text in ("Pour C.", "De A, par .", "De A, par B. C", "De , par B.", "De A, par B"):
        other = {"id": "a/b", "purpose": {"goal": {"fr": text}}}
        assert without_erased(other, {"/purpose/goal": shown}) == other
    # However many marks there are, each word is looked for once.
    many = {"id": "a/b", "name": {"fr": "a " * 5000 + "b"}}
    assert without_erased(many, {"/name/fr": "[…] " * 500 + "c"}) == many
    assert without_erased(many, {"/name/fr": "[…] " * 500 + "[…]b"})["name"]["fr"].startswith("[…]")


def test_words_are_replaced_wherever_they_are_and_the_longest_first():
    value = {"fr": "Amine, AMINE TAHIRI et (Amine).", "who": ["x Amine", {"n": 1, "t": "é.*"}]}
    assert without_words(value, ["amine", "Amine Tahiri", ".*"]) == {
        "fr": "[…], […] et ([…]).", "who": ["x […]", {"n": 1, "t": "é[…]"}],
    }  # fmt: skip


def test_any_number_of_redactions_of_one_text_is_followed():
    """And a forged circle of them ends."""
    last = 5000
    items = {at: [at + 1] for at in range(last)}
    items[last] = [{"pointer": "/purpose/goal", "versions": [2], "value": "[…]"}]
    assert replaced_members(0, items.get, version=2) == {"/purpose/goal": "[…]"}
    assert replaced_members(0, items.get, version=1) == {}
    items[last] = [0, *items[last], 0]
    assert replaced_members(0, items.get, version=2) == {"/purpose/goal": "[…]"}


def test_a_digest_without_a_salt_would_be_guessed():
    """Why there are salts: a telephone number has too few possible values to hide in a digest."""
    guesses = [f"+21260000{number:04}" for number in range(10_000)]
    secret = guesses[4321]
    section = sealed("contact", {"phone": secret})
    erased = erase(
        "contact", {"phone": secret}, section.salts, gone=(), pointers=["/contact/phone"]
    )
    [commitment] = erased.commitments.values()

    def digests(salt):
        for guess in guesses:
            whole = ["registry/member/1", salt, "/contact/phone", guess]
            said = json.dumps(whole, separators=(",", ":")).encode()
            yield sha256(said).digest()

    target = base64.urlsafe_b64decode(commitment + "=")
    right = base64.urlsafe_b64encode(section.salts).rstrip(b"=").decode()
    assert target in set(digests(right))
    for salt in ("", right[:-1] + "A", base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()):
        if salt != right:
            assert target not in set(digests(salt))
    assert sha256(secret.encode()).digest() in {sha256(one.encode()).digest() for one in guesses}
