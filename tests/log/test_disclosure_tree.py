"""Sections and their commitments, checked by a second implementation from the log's own page."""

import base64
import hashlib
import json
import secrets

import pytest
import rfc8785

from registry.log.disclosure_tree import SALT_BYTES, members, seal
from registry.record.canonical import canonical
from registry.resources import SCHEMAS
from tests.commitments import section_commitment


def b64(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def digest(value):
    return b64(hashlib.sha256(rfc8785.dumps(value)).digest())


def expected_commitment(key, text, salts):
    """LOG §1: members with a salt each, pointers sorted, a scalar its own single member."""
    value = json.loads(text)
    if isinstance(value, dict) and value:
        parts = {
            f"/{key}/" + name.replace("~", "~0").replace("/", "~1"): part
            for name, part in value.items()
        }
    elif isinstance(value, list) and value:
        parts = {f"/{key}/{number}": part for number, part in enumerate(value)}
    else:
        parts = {f"/{key}": value}
    pointers = sorted(parts)
    assert len(salts) == 32 * len(pointers)
    listed = []
    for number, pointer in enumerate(pointers):
        salt = salts[32 * number : 32 * number + 32]
        listed.append([pointer, digest(["registry/member/1", b64(salt), pointer, parts[pointer]])])
    return digest(["registry/section/1", key, listed])


@pytest.fixture(params=["complete", "minimal"])
def document(request):
    return json.loads((SCHEMAS / f"examples/{request.param}.json").read_bytes())


def test_the_sections_put_together_are_the_canonical_document(document):
    sections = seal(document, secrets.token_bytes)
    joined = ",".join(f'"{section.key}":{section.value}' for section in sections)
    assert f"{{{joined}}}".encode() == canonical(document) == rfc8785.dumps(document)


def test_commitments_are_those_of_a_second_implementation(document):
    for section in seal(document, secrets.token_bytes):
        assert section.commitment == expected_commitment(section.key, section.value, section.salts)


def test_commitments_hold_for_values_and_names_of_every_kind():
    document = {
        "scalar": 3,
        "nothing": None,
        "empty_object": {},
        "empty_list": [],
        "long_list": list(range(12)),
        "odd names": {"a/b": 1, "a~b": 2, "~1": 3, "": 4, "é": 0.5, "b": {"deep": ["ⵣ"]}},
    }
    sections = {section.key: section for section in seal(document, secrets.token_bytes)}
    for key, section in sections.items():
        assert section.commitment == expected_commitment(key, section.value, section.salts)
    assert len(sections["long_list"].salts) == 12 * SALT_BYTES
    assert len(sections["scalar"].salts) == SALT_BYTES
    listed = [pointer for pointer, _ in members("odd names", document["odd names"])]
    assert listed == sorted(listed)
    assert "/odd names/~01" in listed


def test_salts_are_fresh_for_every_member_and_every_version(document):
    first, second = seal(document, secrets.token_bytes), seal(document, secrets.token_bytes)
    salts = [
        section.salts[at : at + SALT_BYTES]
        for section in (*first, *second)
        for at in range(0, len(section.salts), SALT_BYTES)
    ]
    assert len(set(salts)) == len(salts)
    assert not {one.commitment for one in first} & {one.commitment for one in second}


def test_a_guess_without_the_salt_proves_nothing():
    [section] = seal({"contact": {"phone": "0537000000"}}, secrets.token_bytes)
    guesses = {
        section_commitment("contact", {"phone": "0537000000"}, secrets.token_bytes(SALT_BYTES))
        for _ in range(100)
    }
    assert section.commitment not in guesses
    assert section.commitment == section_commitment(
        "contact", {"phone": "0537000000"}, section.salts
    )
