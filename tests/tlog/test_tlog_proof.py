"""Proofs to keep: the format, and that nothing in it can be changed unseen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.tlog import base64_text
from registry.tlog.checkpoint import Checkpoint
from registry.tlog.keys import Signer
from registry.tlog.note import sign_note
from registry.tlog.proof import prove_inclusion, root_of
from registry.tlog.tlog_proof import TlogProof, check_tlog_proof, parse_tlog_proof
from tests.tlog.trees import leaves, nodes

ORIGIN = "example.com/fancylog"
LOG = Signer(name=ORIGIN, seed=bytes(range(32)))
LEAVES = leaves(11)
TREE = nodes(LEAVES)
TEXT = Checkpoint(origin=ORIGIN, size=11, root=root_of(TREE, 11)).to_text()
PROOF = TlogProof(
    index=3,
    path=tuple(prove_inclusion(TREE, 3, 11)),
    checkpoint=sign_note(TEXT, [LOG]).to_bytes(),
)
CONTENT = PROOF.to_bytes()


def check(content, leaf=LEAVES[3], origin=ORIGIN):
    return check_tlog_proof(
        parse_tlog_proof(content), leaf=leaf, origin=origin, verifiers=[LOG.verifier]
    )


def test_the_form_of_the_specification():
    head, _, note = CONTENT.decode().partition("\n\n")
    assert head.split("\n") == [
        "c2sp.org/tlog-proof@v1", "index 3", *map(base64_text.encode, PROOF.path)
    ]  # fmt: skip
    assert note.encode() == PROOF.checkpoint
    assert parse_tlog_proof(CONTENT) == PROOF
    assert check(CONTENT).checkpoint.size == 11


def test_extra_is_carried_and_means_nothing():
    with_extra = TlogProof(
        index=3, path=PROOF.path, checkpoint=PROOF.checkpoint, extra=b"\x00any"
    ).to_bytes()
    assert with_extra.split(b"\n")[1] == b"extra AGFueQ=="
    assert parse_tlog_proof(with_extra).extra == b"\x00any"
    assert check(with_extra).checkpoint.size == 11


def test_the_only_entry_of_a_log_has_an_empty_path():
    tree = nodes(LEAVES[:1])
    text = Checkpoint(origin=ORIGIN, size=1, root=root_of(tree, 1)).to_text()
    proof = TlogProof(index=0, path=(), checkpoint=sign_note(text, [LOG]).to_bytes())
    assert proof.to_bytes().startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\nexample.com")
    assert check(proof.to_bytes(), LEAVES[0]).checkpoint.size == 1


def test_every_bit_of_a_proof_counts():
    for bit in range(len(CONTENT) * 8):
        changed = bytearray(CONTENT)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError):  # noqa: PT011  whatever the reason
            check(bytes(changed))


def test_another_entry_or_log_is_not_proven():
    with pytest.raises(ValueError, match="does not lead"):
        check(CONTENT, LEAVES[4])
    with pytest.raises(ValueError, match=r"is of example\.com/fancylog"):
        check(CONTENT, origin="example.com/other")


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (b"\n\n", b"\n", "index|canonical|base64|blank"),
        (b"@v1", b"@v2", "does not begin"),
        (b"index 3", b"index 03", "index"),
        (b"index 3\n", b"", "index"),
        (b"index 3", b"extra A\nindex 3", "base64"),
        (b"index 3", b"extra AAAA\nextra AAAA\nindex 3", "index"),
        (b"index 3", "index ٣".encode(), "ASCII"),
        (b"index 3\n", b"index 3\nAAAA\n", "of 3 bytes, not of 32"),
        (
            b"index 3\n",
            b"index 3\n" + (base64_text.encode(bytes(32)).encode() + b"\n") * 64,
            "long",
        ),
        (b"index 3\n", b"index 3\r\n", "index"),
    ],
)
def test_what_is_not_a_proof_is_refused(before, after, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_tlog_proof(CONTENT.replace(before, after, 1))


def test_a_proof_that_is_too_large_is_not_even_read():
    with pytest.raises(ValueError, match="too large"):
        parse_tlog_proof(CONTENT + b"x" * (1 << 21))


@given(st.binary(max_size=200) | st.binary(max_size=40).map(lambda more: CONTENT[:-60] + more))
def test_what_is_read_is_written_the_same(content):
    try:
        proof = parse_tlog_proof(content)
    except ValueError:
        return
    assert proof.to_bytes() == content
