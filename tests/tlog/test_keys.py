"""Keys as text. The expected forms are computed here from the specification's words."""

import base64
import hashlib
import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from registry.tlog.keys import (
    COSIGNATURE,
    ED25519,
    Signer,
    Verifier,
    key_id,
    parse_signer,
    parse_verifier,
)

# Of the tests of Go's golang.org/x/mod/sumdb/note.
GO_SIGNER = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

# RFC 8032 §7.1, test 1.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
NAME = "algorithms.example/log"


def with_plus():
    """A signer whose base64 holds a plus sign, as one in two does."""
    while True:
        signer = Signer(name=NAME, seed=secrets.token_bytes(32))
        if "+" in signer.to_text().split("+", 4)[4] and "+" in signer.verifier_key.split("+", 2)[2]:
            return signer


def test_a_key_of_gos_own_tests_is_read_and_written():
    signer = parse_signer(GO_SIGNER)
    assert signer.name == "PeterNeumann"
    assert signer.to_text() == GO_SIGNER
    assert signer.verifier_key == GO_VERIFIER


def test_a_key_is_written_as_the_specification_says():
    signer = Signer(name=NAME, seed=SEED)
    identity = hashlib.sha256(NAME.encode() + b"\n\x01" + PUBLIC).digest()[:4]
    assert key_id(NAME, PUBLIC) == identity
    public = base64.b64encode(b"\x01" + PUBLIC).decode()
    assert signer.verifier_key == f"{NAME}+{identity.hex()}+{public}"
    private = base64.b64encode(b"\x01" + SEED).decode()
    assert signer.to_text() == f"PRIVATE+KEY+{NAME}+{identity.hex()}+{private}"


def test_plus_signs_in_the_base64_are_no_separators():
    signer = with_plus()
    assert parse_signer(signer.to_text() + "\n") == signer


def test_the_verifier_key_verifies_what_the_seed_signs():
    signer = with_plus()
    public = base64.b64decode(signer.verifier_key.split("+", 2)[2])[1:]
    signature = Ed25519PrivateKey.from_private_bytes(signer.seed).sign(b"note")
    Ed25519PublicKey.from_public_bytes(public).verify(signature, b"note")


GOOD = Signer(name=NAME, seed=SEED).to_text()
BODY = GOOD.rsplit("+", 1)[1]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "does not begin with"),
        (Signer(name=NAME, seed=SEED).verifier_key, "does not begin with"),
        ("PRIVATE+KEY+name", "three parts"),
        (GOOD.replace(BODY, BODY[:-1] + "*"), "not base64"),
        (GOOD.replace(BODY, BODY[:-4]), "not an Ed25519 key"),
        (GOOD.replace(BODY, base64.b64encode(b"\x02" + SEED).decode()), "not an Ed25519 key"),
        (GOOD.replace(key_id(NAME, PUBLIC).hex(), "00000000"), "id is not 00000000"),
        (GOOD.replace(NAME, "other.example/log"), "id is not"),
    ],
)
def test_what_is_not_a_key_is_refused_with_the_reason(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_signer(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "مثال"])
def test_a_name_that_a_note_cannot_carry_is_refused(name):
    with pytest.raises(ValueError, match="name"):
        Signer(name=name, seed=SEED)


# Encodings of the points whose order divides 8, and
# second ways to write some of them.
LOW_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]
NOT_CANONICAL = [
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0200000000000000000000000000000000000000000000000000000000000000",
]


@pytest.mark.parametrize("public", LOW_ORDER)
def test_a_key_of_low_order_is_refused(public):
    with pytest.raises(ValueError, match="low order"):
        Verifier(name=NAME, kind=ED25519, public=bytes.fromhex(public))


@pytest.mark.parametrize("public", NOT_CANONICAL)
def test_a_key_that_is_no_point_or_written_otherwise_is_refused(public):
    with pytest.raises(ValueError, match="no point"):
        Verifier(name=NAME, kind=ED25519, public=bytes.fromhex(public))


def test_every_honest_key_is_sound():
    for _ in range(50):
        assert Signer(name=NAME, seed=secrets.token_bytes(32)).verifier.public


@pytest.mark.parametrize("kind", [ED25519, COSIGNATURE])
def test_a_verifier_key_is_read_as_it_is_written(kind):
    verifier = Signer(name=NAME, seed=SEED, kind=kind).verifier
    assert verifier.public == PUBLIC
    assert parse_verifier(verifier.to_text()) == verifier
    identity = hashlib.sha256(NAME.encode() + b"\n" + bytes([kind]) + PUBLIC).digest()[:4]
    assert verifier.id == identity


VKEY = Signer(name=NAME, seed=SEED).verifier_key


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "three parts"),
        (GOOD, "three parts|name|base64"),
        (VKEY + "\n", "base64"),
        (VKEY.upper(), "id is not|no point|cannot be used"),
        (VKEY[:-1] + "V", "id is not|no point"),
        (f"{NAME}+00000000+{VKEY.split('+', 2)[2]}", "id is not 00000000"),
        (f"{NAME}+00000000+{base64.b64encode(b'').decode()}", "empty"),
        (f"{NAME}+00000000+{base64.b64encode(bytes([6]) + bytes(9)).decode()}", "1,312 bytes"),
        (f"{NAME}+00000000+{base64.b64encode(bytes([5]) + PUBLIC).decode()}", "0x05"),
        (f"{NAME}+00000000+{base64.b64encode(bytes([1]) + PUBLIC[1:]).decode()}", "32 bytes"),
    ],
)
def test_what_is_not_a_verifier_key_is_refused(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_verifier(text)


@given(st.text(alphabet="ab+/=0123456789AQ", max_size=90))
def test_what_is_read_as_a_verifier_key_is_written_the_same(text):
    try:
        verifier = parse_verifier(text)
    except ValueError:
        return
    assert verifier.to_text() == text
