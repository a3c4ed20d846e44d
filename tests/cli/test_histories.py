"""Two histories of one log, found by each command that reads notes; both notes are kept."""

import re
import shutil
from pathlib import Path

import pytest

from registry.audit.audit import AuditReport
from registry.cli.audit import print_audit
from registry.ledger.key import read
from registry.tlog.checkpoint import stated
from registry.tlog.keys import Signer
from tests.cli.conftest import begin
from tests.forked import fork


def size(log):
    return stated((log / "checkpoint").read_bytes()).size


@pytest.fixture
def logs(registry, empty_url, tmp_path, record, record_file):
    """A log, an older copy of it, and what the operator could make of it."""

    def own(*arguments):
        done = registry(*arguments, database_url=empty_url, data_dir=tmp_path)
        assert done.returncode == 0, done.stderr
        return done

    begin(empty_url, tmp_path)
    own("file", record_file(), "--submit")
    own("log", "publish")
    folder = tmp_path / "logs"
    folder.mkdir()
    own("log", "export", folder / "older")
    proof = own("log", "prove", record["id"]).stdout
    (folder / "proof-2.json").write_text(proof)
    own("attest", "demo-sante", "--systems", 3, "--contact", "a@demo-sante.example")
    own("log", "publish")
    own("log", "export", folder / "true")
    (folder / "proof-3.json").write_text(own("log", "prove", record["id"]).stdout)
    own("attest", "demo-sante", "--systems", 4, "--contact", "a@demo-sante.example")
    own("log", "publish")
    own("log", "export", folder / "grown")

    signer = read(tmp_path / "keys" / "log.key")
    other = Signer(name=signer.name, seed=bytes(range(32)))
    last = {size(folder / "true") - 1: {"actor": "another"}}
    fork(folder / "true", folder / "forked", signer, changed=last)
    fork(folder / "grown", folder / "forked-grown", signer, changed=last)
    genesis = {"key": other.verifier_key}
    fork(folder / "true", folder / "other-key", other, changed={0: genesis})
    fork(folder / "grown", folder / "begun", signer, size=2, changed={0: {"actor": "another"}})
    return folder


@pytest.fixture
def found(registry, tmp_path):
    """Run a command that must find two histories; return its words. It kept both notes."""

    def run(*arguments, notes):
        for path in tmp_path.glob("evidence-*"):
            shutil.rmtree(path)
        done = registry(*arguments)
        assert done.returncode == 1, (arguments, done.stderr)
        assert "two histories" in done.stderr, (arguments, done.stderr)
        [place] = re.findall(r"^Both notes are kept: (.*)$", done.stderr, re.MULTILINE)
        kept = {(Path(place) / f"note-{number}").read_bytes() for number in (1, 2)}
        assert kept == {path.read_bytes() for path in notes}, arguments
        return done.stderr

    return run


@pytest.fixture
def fine(registry):
    def run(*arguments):
        done = registry(*arguments)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stderr

    return run


def test_every_command_that_reads_notes_finds_two_histories(logs, found, fine, registry, tmp_path):
    def note(name):
        return logs / name / "checkpoint"

    # By the memory: trust on first use, then every other history is found.
    fine("log", "verify", logs / "older")
    fine("log", "verify", logs / "true")
    assert "rolled back, or this is an old copy" in found(
        "log", "verify", logs / "older", notes=[note("older"), note("true")]
    )
    assert f"different roots of its {size(logs / 'true')} entries" in found(
        "log", "verify", logs / "forked", notes=[note("forked"), note("true")]
    )
    assert f"does not go on from what it signed at {size(logs / 'true')}" in found(
        "log", "verify", logs / "forked-grown", notes=[note("forked-grown"), note("true")]
    )
    [evidence] = tmp_path.glob("evidence-*")
    assert (evidence / "proof.json").exists()
    told = found("log", "verify", logs / "other-key", notes=[note("other-key"), note("true")])
    assert "begun anew under its old name" in told
    assert "to forget it, remove" in told
    assert "its first entry is another" in found(
        "log", "verify", logs / "begun", notes=[note("begun"), note("true")]
    )
    # With the key that was known the log is not in order, which does not hide it.
    key = next(one for one in (logs / "true" / "log.json").read_text().split('"') if "+" in one)
    found(
        "log", "verify", logs / "other-key", "--key", key, notes=[note("other-key"), note("true")]
    )
    # A kept proof is compared with it too.
    found("verify", logs / "forked" / "checkpoint", notes=[note("forked"), note("true")])
    assert "--no-memory" in registry("log", "verify", "--help").stdout
    fine("log", "verify", logs / "older", "--no-memory")
    # What was found did not replace what was seen.
    fine("log", "verify", logs / "grown")

    # By what was kept, by somebody who remembers nothing.
    nothing = ("--no-memory", "--kept")
    fine("log", "verify", logs / "grown", *nothing, note("true"), "--kept", logs / "proof-2.json")
    for name, kept in (
        ("forked", note("true")),
        ("forked-grown", logs / "proof-3.json"),
        ("older", note("true")),
        ("other-key", logs / "proof-3.json"),
        ("begun", note("true")),
    ):
        found("log", "verify", logs / name, *nothing, kept, notes=[note(name), note("true")])
    told = registry("log", "verify", logs / "true", *nothing, logs / "true" / "log.json")
    assert told.returncode == 1
    assert "holds no signed note" in told.stderr
    altered = tmp_path / "altered"
    altered.write_text(note("true").read_text().replace(f"\n{size(logs / 'true')}\n", "\n2\n"))
    told = registry("log", "verify", logs / "true", *nothing, altered)
    assert (told.returncode, "two histories" in told.stderr) == (1, False)
    assert "does not hold" in told.stderr

    # By comparing what two have.
    for first, second in (
        (logs / "true", logs / "forked"),
        (logs / "grown", note("forked")),
        (logs / "forked-grown", logs / "proof-3.json"),
        (note("grown"), logs / "forked-grown"),
        (logs / "older", note("true")),
        (logs / "other-key", logs / "true"),
        (logs / "begun", logs / "true"),
    ):
        given = [path / "checkpoint" if path.is_dir() else path for path in (first, second)]
        given = [note("true") if path.name == "proof-3.json" else path for path in given]
        found("log", "compare", first, second, notes=given)
    sizes = f"{size(logs / 'older')} and {size(logs / 'grown')}"
    assert f"one history at {sizes} entries" in fine(
        "log", "compare", logs / "older", logs / "grown"
    )
    assert "one history" in fine("log", "compare", note("true"), logs / "grown")
    told = registry("log", "compare", logs / "proof-3.json", logs / "proof-2.json")
    assert told.returncode == 3
    assert "cannot be told without the log itself" in told.stderr
    told = registry("log", "compare", note("true"), note("older"))
    assert (told.returncode, "--key" in told.stderr) == (2, True)

    # In a folder of what was kept.
    for name in ("forked", "other-key"):
        kept = tmp_path / f"kept-{name}"
        kept.mkdir()
        shutil.copy(logs / "proof-3.json", kept)
        shutil.copy(note(name), kept)
        found("verify", kept, "--no-memory", notes=[note("true"), note(name)])
    shutil.copy(logs / "proof-2.json", logs / "true")
    assert ", version 1, dated 20" in fine("verify", logs / "true", "--no-memory")


def test_notes_without_any_key_are_said_not_to_be_compared(logs, registry, tmp_path):
    for name in ("true", "forked"):
        shutil.copy(logs / name / "checkpoint", tmp_path / name)
    told = registry("verify", tmp_path, "--no-memory")
    assert told.returncode == 1
    assert "to compare its notes: give it with --key" in told.stderr


def test_an_audit_of_a_refused_log_says_on_a_line_of_its_own_what_was_kept(capsys):
    refused = "two histories\nBoth notes are kept: evidence"
    report = AuditReport(verdict="log refused", address="https://a.example", refused=refused)
    print_audit(report, given=False)
    assert capsys.readouterr().err.splitlines() == [
        "https://a.example: its log is refused: two histories",
        "Both notes are kept: evidence",
    ]
