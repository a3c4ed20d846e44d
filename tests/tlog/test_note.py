"""Signed notes: what is taken, what is refused, and whose signatures count."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.tlog import base64_text
from registry.tlog.cosignature import cosign
from registry.tlog.keys import COSIGNATURE, ED25519, ML_DSA_44, Signer, Verifier, parse_verifier
from registry.tlog.note import (
    MAX_BYTES,
    Note,
    NoteRefused,
    Signature,
    open_note,
    parse_note,
    sign_note,
)
from tests.witnesses import ml_dsa_line

TEXT = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n"
SIGNER = Signer(name="quasimodo.example/salvatore", seed=bytes(range(32)))
OTHER = Signer(name="other.example", seed=bytes(32))
WITNESS = Signer(name="witness.example/w1", seed=bytes(range(1, 33)), kind=COSIGNATURE)
NOTE = sign_note(TEXT, [SIGNER])
CONTENT = NOTE.to_bytes()

# Of the tests of Go's golang.org/x/mod/sumdb/note.
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngo"
    "tpRZb6KE6RyyBwJnAM=\n"
)


def test_a_note_of_gos_own_tests():
    opened = open_note(GO_NOTE.encode(), [parse_verifier(GO_VERIFIER)])
    assert opened.text.startswith("If you think")


def test_the_text_goes_to_the_last_blank_line():
    opened = open_note(CONTENT, [SIGNER.verifier])
    assert opened.text == TEXT
    assert parse_note(CONTENT) == NOTE
    assert [one.verifier for one in opened.verified] == [SIGNER.verifier]


def test_unknown_keys_are_passed_over_even_with_a_known_name_or_id():
    signature = NOTE.signatures[0]
    strangers = [
        Signature(name=signature.name, key=b"\x00\x00\x00\x01", raw=b"anything"),
        Signature(name="stranger.example", key=signature.key, raw=b"anything"),
        Signature(name="ملاحظة", key=b"abcd", raw=b"x"),
    ]
    content = Note(text=TEXT, signatures=(*strangers, signature)).to_bytes()
    assert len(open_note(content, [SIGNER.verifier]).verified) == 1
    with pytest.raises(NoteRefused, match="none of the known keys"):
        open_note(Note(text=TEXT, signatures=tuple(strangers)).to_bytes(), [SIGNER.verifier])


def test_a_known_key_that_fails_spoils_the_note():
    good, other = sign_note(TEXT, [SIGNER, OTHER]).signatures
    bad = Signature(name=other.name, key=other.key, raw=other.raw[:-1] + b"\x00")
    content = Note(text=TEXT, signatures=(good, bad)).to_bytes()
    with pytest.raises(NoteRefused, match=r"other\.example does not hold"):
        open_note(content, [SIGNER.verifier, OTHER.verifier])
    assert open_note(content, [SIGNER.verifier])
    # Even beside one of the same key that holds.
    twice = Note(text=TEXT, signatures=(other, bad)).to_bytes()
    with pytest.raises(NoteRefused, match="does not hold"):
        open_note(twice, [OTHER.verifier])


def test_a_key_counts_once_whatever_its_names():
    names = [Signer(name=name, seed=SIGNER.seed) for name in ("a.example", "b.example")]
    opened = open_note(
        sign_note(TEXT, [*names, OTHER]).to_bytes(),
        [one.verifier for one in (*names, OTHER)],
    )
    assert len(opened.verified) == 3
    assert opened.keys(ED25519) == {SIGNER.verifier.public, OTHER.verifier.public}
    assert opened.keys(COSIGNATURE) == frozenset()


def cosigned(time, raw=None):
    timed = cosign(TEXT, WITNESS, time=time).to_bytes() if raw is None else raw
    line = Signature(name=WITNESS.name, key=WITNESS.verifier.id, raw=timed)
    return Note(text=TEXT, signatures=(*NOTE.signatures, line)).to_bytes()


def test_a_cosignature_brings_its_time():
    opened = open_note(cosigned(1_679_315_147), [SIGNER.verifier, WITNESS.verifier])
    assert [one.time for one in opened.verified] == [None, 1_679_315_147]
    assert opened.keys(COSIGNATURE) == {WITNESS.verifier.public}


@pytest.mark.parametrize(
    "raw",
    [
        b"x",
        bytes(71),
        bytes(72),
        cosign(TEXT, WITNESS, time=5).to_bytes() + b"x",
        (6).to_bytes(8, "big") + cosign(TEXT, WITNESS, time=5).signature,
        (2**63).to_bytes(8, "big") + cosign(TEXT, WITNESS, time=2**63).signature,
    ],
)
def test_a_cosignature_that_does_not_hold(raw):
    with pytest.raises(NoteRefused, match=r"witness\.example/w1 does not hold"):
        open_note(cosigned(5, raw), [SIGNER.verifier, WITNESS.verifier])


CHECKPOINT = f"log.example\n5\n{base64_text.encode(bytes(32))}\n"


def test_a_cosignature_of_ml_dsa_44_is_verified():
    mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    secret = mldsa.MLDSA44PrivateKey.generate()
    name = "witness.example/pq"
    witness = Verifier(name=name, kind=ML_DSA_44, public=secret.public_key().public_bytes_raw())
    assert parse_verifier(witness.to_text()) == witness
    log = Signer(name="log.example", seed=bytes(range(32)))

    def noted(line):
        own = sign_note(CHECKPOINT, [log]).signatures
        return Note(text=CHECKPOINT, signatures=(*own, line)).to_bytes()

    good = noted(ml_dsa_line(secret, name, 1_679_315_147))
    opened = open_note(good, [log.verifier, witness])
    assert [one.time for one in opened.verified] == [None, 1_679_315_147]
    # To whoever does not know the key it is a stranger's.
    assert len(open_note(good, [log.verifier]).verified) == 1

    line = ml_dsa_line(secret, name, 5)
    later = msgspec.structs.replace(line, raw=(6).to_bytes(8, "big") + line.raw[8:])
    short = msgspec.structs.replace(line, raw=line.raw[:-1])
    other_tree = ml_dsa_line(secret, name, 5, end=6)
    other_log = ml_dsa_line(secret, name, 5, origin=b"log.examplf")
    for bad in (later, short, other_tree, other_log):
        with pytest.raises(NoteRefused, match=r"witness\.example/pq does not hold"):
            open_note(noted(bad), [log.verifier, witness])
    # A text that is no checkpoint cannot be cosigned like this.
    with pytest.raises(NoteRefused, match="no checkpoint"):
        open_note(Note(text=TEXT, signatures=(line,)).to_bytes(), [witness])


def test_a_key_of_ml_dsa_44_that_cannot_be_verified_is_refused(monkeypatch):
    monkeypatch.setattr("registry.tlog.keys.mldsa", None)
    with pytest.raises(ValueError, match=r"0x06.*does not verify it"):
        Verifier(name="w.example", kind=ML_DSA_44, public=bytes(1312))
    with pytest.raises(ValueError, match="1,312 bytes"):
        Verifier(name="w.example", kind=ML_DSA_44, public=bytes(1311))


def test_a_log_does_not_cosign():
    with pytest.raises(ValueError, match="witness"):
        cosign(TEXT, SIGNER, time=1)


LINE = NOTE.signatures[0].to_line()
BASE64 = LINE.split(" ")[2][:-1]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no blank line"),
        (TEXT.encode(), "no signature"),
        (TEXT.encode() + b"\n", "no blank line with signatures"),
        (b"text\n\n", "no blank line with signatures"),
        (CONTENT[:-1], "no blank line with signatures"),
        (CONTENT + b"\n", "no blank line with signatures"),
        (CONTENT + b"more\n", "no signature"),
        (CONTENT.replace(b"\n", b"\r\n"), "control"),
        (CONTENT.replace(b"sole", b"so\x00e"), "control"),
        (CONTENT.replace(b"sole", b"so\te"), "control"),
        (CONTENT.replace(b"sole", b"so\xffe"), "UTF-8"),
        (CONTENT.replace("—".encode(), b"-"), "no signature"),
        (CONTENT.replace("— ".encode(), "—  ".encode()), "no signature"),
        (CONTENT.replace(b"quasimodo", b"quasi+modo"), "no signature"),
        (CONTENT.replace(b"quasimodo", "quasi\u00a0modo".encode()), "no signature"),
        (CONTENT.replace(b"quasimodo", "quasi\u3000modo".encode()), "no signature"),
        (CONTENT.replace(BASE64.encode(), b"AAAA"), "too short"),
        (CONTENT.replace(BASE64.encode(), b"AAAAAA"), "cannot be read"),
        (CONTENT.replace(BASE64.encode(), BASE64[:-1].encode()), "cannot be read"),
        (CONTENT.replace(BASE64.encode(), BASE64[:-2].encode() + b"B="), "canonical"),
        (CONTENT.replace(BASE64.encode(), b"A" * 4 + b"\n"), "no signature|no blank"),
        (TEXT.encode() + b"\n" + LINE.encode() * 101, "more than 100"),
        (b"x" * MAX_BYTES + CONTENT, "at most"),
    ],
)
def test_what_is_not_a_note_is_refused(content, sentence):
    with pytest.raises(NoteRefused, match=sentence):
        open_note(content, [SIGNER.verifier])


def test_a_hundred_signatures_are_taken():
    content = (TEXT + "\n" + LINE * 100).encode()
    assert len(open_note(content, [SIGNER.verifier]).verified) == 100


def test_every_bit_of_a_note_counts():
    for bit in range(len(CONTENT) * 8):
        changed = bytearray(CONTENT)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(NoteRefused):
            open_note(bytes(changed), [SIGNER.verifier])


@given(st.binary(max_size=300) | st.text(alphabet="a\n— +=AB/", max_size=60).map(str.encode))
def test_what_is_read_is_written_the_same(content):
    try:
        note = parse_note(content)
    except NoteRefused:
        return
    assert note.to_bytes() == content


@given(st.binary(max_size=80) | st.text(alphabet="AB+/=", max_size=12).map(str.encode))
def test_base64_has_one_form(content):
    text = content.decode("latin-1")
    try:
        raw = base64_text.decode(text)
    except ValueError:
        return
    assert base64_text.encode(raw) == text


def test_base64_may_have_to_have_a_length():
    assert base64_text.decode("AAAA", 3) == bytes(3)
    with pytest.raises(ValueError, match="of 3 bytes, not of 4"):
        base64_text.decode("AAAA", 4)


def test_a_verifier_is_told_by_its_kind_too():
    log = Verifier(name="a.example", kind=ED25519, public=SIGNER.verifier.public)
    witness = Verifier(name="a.example", kind=COSIGNATURE, public=SIGNER.verifier.public)
    assert log.id != witness.id
