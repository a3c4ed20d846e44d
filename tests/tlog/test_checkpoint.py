"""Checkpoints: exactly three lines, signed by the log itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.tlog.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from registry.tlog.cosignature import cosign
from registry.tlog.hashing import EMPTY_ROOT
from registry.tlog.keys import COSIGNATURE, Signer
from registry.tlog.note import Note, NoteRefused, Signature, sign_note

ORIGIN = "example.com/behind-the-sofa"
LOG = Signer(name=ORIGIN, seed=bytes(range(32)))
WITNESS = Signer(name="witness.example", seed=bytes(32), kind=COSIGNATURE)
KNOWN = (LOG.verifier, WITNESS.verifier)
TEXT = f"{ORIGIN}\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


def test_the_example_of_the_specification():
    checkpoint = parse_checkpoint(TEXT)
    assert checkpoint.origin == ORIGIN
    assert checkpoint.size == 20852163
    assert checkpoint.to_text() == TEXT
    opened = open_checkpoint(sign_note(TEXT, [LOG]).to_bytes(), origin=ORIGIN, verifiers=KNOWN)
    assert opened.checkpoint == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[:-1],
        TEXT + "extension\n",
        TEXT + "\n",
        TEXT.replace(ORIGIN, ""),
        TEXT.replace("20852163", "020852163"),
        TEXT.replace("20852163", "-1"),
        TEXT.replace("20852163", "+1"),
        TEXT.replace("20852163", "1 "),
        TEXT.replace("20852163", "1_0"),
        TEXT.replace("20852163", "١"),
        TEXT.replace("20852163", "9999999999999999999"),
        TEXT.replace("20852163", str(2**63)),
        TEXT.replace("CsUY", "CsU"),
        TEXT.replace("xq2I=", "xq2J="),
        TEXT.replace("CsUYapGG", ""),
        TEXT.replace("\nCs", "\n\nCs"),
    ],
)
def test_what_is_not_a_checkpoint_is_refused(text):
    with pytest.raises(NoteRefused):
        parse_checkpoint(text)


def test_the_log_itself_must_have_signed():
    line = Signature(
        name=WITNESS.name,
        key=WITNESS.verifier.id,
        raw=cosign(TEXT, WITNESS, time=1).to_bytes(),
    )
    with pytest.raises(NoteRefused, match="only others have"):
        open_checkpoint(
            Note(text=TEXT, signatures=(line,)).to_bytes(), origin=ORIGIN, verifiers=KNOWN
        )


def test_another_logs_checkpoint_is_refused():
    content = sign_note(TEXT.replace(ORIGIN, "example.com/other"), [LOG]).to_bytes()
    with pytest.raises(NoteRefused, match=r"is of example\.com/other"):
        open_checkpoint(content, origin=ORIGIN, verifiers=KNOWN)


def test_an_empty_log_proves_nothing():
    text = Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT).to_text()
    assert parse_checkpoint(text).size == 0
    with pytest.raises(NoteRefused, match="empty"):
        open_checkpoint(sign_note(text, [LOG]).to_bytes(), origin=ORIGIN, verifiers=KNOWN)


@given(st.text(max_size=60) | st.text(alphabet="ab\n0123456789+/=", max_size=80))
def test_what_is_read_is_written_the_same(text):
    try:
        checkpoint = parse_checkpoint(text)
    except NoteRefused:
        return
    assert checkpoint.to_text() == text
