"""Keys as text. The expected forms are computed here from the specification's words."""

import base64
import hashlib
import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from registry.tlog.keys import Signer, key_id, parse_signer

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
