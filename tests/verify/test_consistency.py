"""Two histories of one log: found by their notes, shown by a proof, kept; the memory of logs."""

import datetime as dt
import json
from hashlib import sha256

import pytest

from registry.errors import ConfigurationError
from registry.log.replay import LogInconsistent
from registry.tlog import base64_text
from registry.tlog.checkpoint import Checkpoint, stated
from registry.tlog.compact import CompactRange
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import Signer
from registry.tlog.note import NoteRefused, sign_note
from registry.tlog.proof import check_consistency
from registry.tlog.tile import grow
from registry.verify.consistency import TwoHistories, compare_notes, keep_evidence
from registry.verify.trusted_checkpoint import TrustedCheckpoints, TrustedLog, memory_folder

ORIGIN = "algorithms.example/log"
NOW = dt.datetime(2026, 11, 28, 6, 0, tzinfo=dt.UTC)
SIGNER = Signer(name=ORIGIN, seed=bytes(32))
VERIFIERS = [SIGNER.verifier]


def leaves(count, *, other_from=None):
    """Leaves of a log; from an index on they are those of another history."""
    named = ["a" if other_from is None or at < other_from else "b" for at in range(count)]
    return [leaf_hash(f"{which}{at}".encode()) for at, which in enumerate(named)]


def note_of(found, signer=SIGNER):
    tree = CompactRange()
    for leaf in found:
        tree = tree.append(leaf)
    text = Checkpoint(origin=signer.name, size=len(found), root=tree.root()).to_text()
    return sign_note(text, [signer]).to_bytes()


def files_of(found):
    files = {tile.path: content for tile, content in grow(0, lambda _: b"", found)}

    def read(path):
        try:
            return files[path]
        except KeyError:
            raise FileNotFoundError(path) from None

    return read


@pytest.mark.parametrize(("old", "new"), [(1, 2), (70, 71), (256, 700), (300, 70_000 // 100)])
def test_a_log_that_only_grew_has_one_history(old, new):
    grown = leaves(new)
    notes = note_of(grown[:old]), note_of(grown)
    assert compare_notes(*notes, VERIFIERS, files_of(grown))
    assert compare_notes(*reversed(notes), VERIFIERS, files_of(grown))
    assert compare_notes(notes[0], notes[0], VERIFIERS, None)
    # Without the files nobody can tell.
    assert not compare_notes(*notes, VERIFIERS, None)


def test_notes_of_one_size_with_different_roots_are_two_histories():
    first, second = note_of(leaves(70)), note_of(leaves(70, other_from=69))
    with pytest.raises(TwoHistories, match=r"two histories: two notes .* 70 entries") as found:
        compare_notes(first, second, VERIFIERS, None)
    assert set(found.value.notes) == {first, second}
    assert found.value.proof is None


def test_a_fork_is_shown_by_a_proof_that_needs_no_log():
    forked = leaves(700, other_from=69)
    older, newer = note_of(leaves(300)), note_of(forked)
    with pytest.raises(TwoHistories, match="does not go on from what it signed at 300") as found:
        compare_notes(older, newer, VERIFIERS, files_of(forked))
    assert found.value.notes == (older, newer)
    proof = json.loads(found.value.proof)
    check_consistency(
        [base64_text.decode(one) for one in proof["path"]],
        old=300,
        new=700,
        old_root=base64_text.decode(proof["old_root"]),
        new_root=stated(newer).root,
    )
    assert base64_text.decode(proof["old_root"]) != stated(older).root


def test_what_the_log_has_not_signed_or_does_not_have_accuses_nobody():
    grown = leaves(700)
    stranger = note_of(leaves(70), Signer(name=ORIGIN, seed=bytes([1] * 32)))
    with pytest.raises(NoteRefused):
        compare_notes(stranger, note_of(grown), VERIFIERS, files_of(grown))
    with pytest.raises(LogInconsistent, match="not that of the tiles") as found:
        compare_notes(
            note_of(grown[:9]), note_of(grown), VERIFIERS, files_of(leaves(700, other_from=9))
        )
    assert not isinstance(found.value, TwoHistories)
    with pytest.raises(LogInconsistent, match="missing"):
        compare_notes(note_of(grown[:9]), note_of(grown), VERIFIERS, files_of(leaves(9)))


def test_a_partial_tile_that_was_pruned_is_read_from_the_full_one():
    grown, read = leaves(300), files_of(leaves(512))
    notes = note_of(grown[:70]), note_of(grown)

    def without_partial(path):
        if ".p/" in path and not path.startswith("tile/1/"):
            raise FileNotFoundError(path)
        return files_of(grown)(path) if path.startswith("tile/1/") else read(path)

    assert compare_notes(*notes, VERIFIERS, without_partial)


def test_evidence_is_kept_in_a_folder_of_its_own(tmp_path):
    notes = [note_of(leaves(70)), note_of(leaves(70, other_from=3))]
    told = {"origin": ORIGIN, "kind": "fork", "notes": notes, "why": "they differ", "now": NOW}
    first = keep_evidence(tmp_path, proof=None, **told)
    assert keep_evidence(tmp_path, proof=None, **told) == first
    notes.reverse()
    second = keep_evidence(tmp_path, proof=b'{"old":1}', **told)
    assert first.name == "evidence-20261128T060000Z-fork"
    assert second.name == "evidence-20261128T060000Z-fork-2"
    assert sorted(one.name for one in first.iterdir()) == [
        "README.txt",
        "note-1",
        "note-2",
        "why.json",
    ]
    assert (second / "proof.json").read_bytes() == b'{"old":1}'
    assert [(second / f"note-{number}").read_bytes() for number in (1, 2)] == notes
    said = json.loads((first / "why.json").read_bytes())
    assert (said["origin"], said["why"], said["proof"]) == (ORIGIN, "they differ", None)
    assert [one["size"] for one in said["notes"]] == [70, 70]
    assert "they differ" in (first / "README.txt").read_text()
    # What is no note is kept as it is.
    odd = keep_evidence(tmp_path, proof=None, **(told | {"kind": "alarm", "notes": [b"\xff"]}))
    assert (odd / "note-1").read_bytes() == b"\xff"


def test_a_log_is_remembered_by_its_notes(tmp_path):
    memory = TrustedCheckpoints(tmp_path / "logs")
    assert memory.recall(ORIGIN) is None
    key = SIGNER.verifier_key
    small, large, last = (note_of(leaves(size)) for size in (9, 70, 100))
    memory.add(TrustedLog(origin=ORIGIN, key=key, notes=[large]))
    memory.add(TrustedLog(origin=ORIGIN, key="another", notes=[small, large]))
    known = memory.recall(ORIGIN)
    assert (known.key, known.genesis, known.notes) == (key, None, [small, large])
    memory.settle(TrustedLog(origin=ORIGIN, key=key, genesis="ab", notes=[last]))
    known = memory.recall(ORIGIN)
    assert (known.genesis, known.notes) == ("ab", [last])
    assert memory.place(ORIGIN) == tmp_path / "logs" / sha256(ORIGIN.encode()).hexdigest()
    (memory.place(ORIGIN) / "log.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="to forget the log"):
        memory.recall(ORIGIN)


def test_the_memory_is_in_the_users_state_folder():
    there = memory_folder({"XDG_STATE_HOME": "/state"})
    assert there.as_posix() == "/state/public-algorithm-register/logs"
    assert memory_folder({"XDG_STATE_HOME": "relative"}).is_relative_to(
        memory_folder({}).parents[1]
    )
