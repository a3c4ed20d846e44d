"""Six lines in the gazette, and what becomes of a log whose key was stolen or lost."""

import json
import re
import shutil

import pytest

from registry.ledger.key import read
from registry.record.short_code import candidates
from registry.store import embedded
from registry.tlog.keys import Signer
from registry.verify.gazette import parse_gazette
from tests.cli.conftest import begin
from tests.forked import fork


@pytest.fixture
def other_url(copied):
    """A second database without a register in it."""
    with copied(embedded.DATABASE) as url:
        yield url


@pytest.fixture
def own(registry, empty_url, tmp_path):
    """Run a command against a register whose log has a key of its own."""

    def run(*arguments, code=0, **settings):
        named = {"database_url": empty_url, "data_dir": tmp_path / "old"} | settings
        result = registry(*arguments, **named)
        assert result.returncode == code, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        return result

    begin(empty_url, tmp_path / "old")
    return run


def test_six_lines_on_paper_check_a_log(own, registry, tmp_path, record_file):
    own("file", record_file(), "--submit")
    own("log", "publish")
    lines = own("log", "gazette").stdout
    printed = parse_gazette(lines.encode())
    assert lines.splitlines() == list(printed.lines)
    assert printed.address.endswith("/log")
    for name in ("gazette.txt", "gazette.svg", "gazette.html"):
        own("log", "gazette", "--out", tmp_path / name)
    assert (tmp_path / "gazette.txt").read_text() == lines
    assert (tmp_path / "gazette.svg").read_text().startswith("<svg")
    page = (tmp_path / "gazette.html").read_text()
    for line in printed.lines:
        assert page.count(line) >= 4
    assert re.findall(r'<section lang="(\w+)" dir="(\w+)"', page) == [
        ("ar", "rtl"), ("fr", "ltr"), ("en", "ltr"),
    ]  # fmt: skip
    for words in ("The log of this register, in six lines", "Nombre d’inscriptions", "عدد القيود"):
        assert words in page, "in words of each language"
    own("log", "gazette", "--out", tmp_path / "gazette.doc", code=2)

    own("attest", "demo-sante", "--systems", 3, "--contact", "a@demo-sante.example")
    own("log", "key", "rotate", "--yes")
    own("log", "publish")
    own("log", "export", tmp_path / "log")
    # As somebody typed them from the paper.
    typed = tmp_path / "typed.txt"
    typed.write_text("\ufeff" + lines.replace("\n", "  \r\n") + "\n\n", encoding="utf-8")
    told = registry("log", "verify", tmp_path / "log", "--kept", typed, "--no-memory")
    assert told.returncode == 0, told.stderr
    assert "names itself" not in told.stderr
    own("log", "verify", "--kept", typed)

    signer = read(tmp_path / "old/keys/log.key")
    other = Signer(name=signer.name, seed=bytes(range(32)))
    shutil.rmtree(tmp_path / "log/key")
    forgeries = {
        "rolled back": {"size": printed.checkpoint.size - 1},
        "forked": {"size": printed.checkpoint.size, "changed": {1: {"actor": "another"}}},
        "begun anew": {"size": 2, "signer": other, "changed": {0: {"key": other.verifier_key}}},
    }
    for name, made in forgeries.items():
        forged = {"signer": signer, "changed": {}} | made
        fork(tmp_path / "log", tmp_path / name, forged.pop("signer"), **forged)
        told = registry("log", "verify", tmp_path / name, "--kept", typed, "--no-memory")
        assert told.returncode == 1, name
        assert "two histories" in told.stderr, (name, told.stderr)
        assert "printed on" in told.stderr


def test_a_log_whose_key_was_stolen_goes_on_under_another_name(
    own, registry, other_url, tmp_path, record, record_file
):
    own("file", record_file(), "--submit")
    own("log", "publish")
    old = read(tmp_path / "old/keys/log.key")
    (tmp_path / "last.txt").write_text(own("log", "gazette").stdout)
    own("log", "export", tmp_path / "true")
    shutil.copy(tmp_path / "true/checkpoint", tmp_path / "last")
    # What the thief signs from here on counts no more.
    own("withdraw", record["id"], "--reason", "other", "--note", "fr=Non", "--note", "ar=لا")
    own("log", "publish")
    own("log", "export", tmp_path / "stolen")

    def new(*arguments, code=0, origin="new.example/log"):
        named = {"database_url": other_url, "data_dir": tmp_path / "new", "log_origin": origin}
        result = registry(*arguments, **named)
        assert result.returncode == code, result.stdout + result.stderr
        return result

    new("log", "begin", "--continues", tmp_path / "last", code=2)
    new("log", "begin", "--continues", tmp_path / "last.txt", origin=old.name, code=2)
    begun = new("log", "begin", "--continues", tmp_path / "last", "--key", old.verifier_key)
    assert begun.stdout.startswith("new.example/log+")
    assert new("log", "begin", "--continues", tmp_path / "last.txt").stdout == begun.stdout
    # A register that was begun by itself continues nothing.
    origin = {"log_origin": "late.example/log"}
    told = own("log", "begin", "--continues", tmp_path / "last.txt", code=1, **origin)
    assert "was begun before" in told.stderr
    assert not (tmp_path / "old/keys/continues").exists()
    size = parse_gazette((tmp_path / "last.txt").read_bytes()).checkpoint.size
    told = registry(
        "log", "records", tmp_path / "stolen", tmp_path / "records", "--until", size,
        "--key", old.verifier_key,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    [path] = (tmp_path / "records").rglob("*.json")
    assert json.loads(path.read_text()) == record
    code = next(candidates(record["id"]))
    table = (tmp_path / "records/codes.csv").read_text("utf-8")
    assert table.splitlines() == ["id,code", f"{record['id']},{code}"]
    new("load", tmp_path / "records")
    new("log", "publish")
    new("log", "verify")
    new("log", "export", tmp_path / "out")
    said = json.loads((tmp_path / "out/log.json").read_bytes())["continues"]
    assert (said["origin"], said["size"]) == (old.name, size)
    for folder in ("true", "stolen"):
        told = registry("log", "verify", tmp_path / "out", "--continues", tmp_path / folder)
        assert told.returncode == 0, told.stderr
        assert "as that log shows" in told.stderr
    fork(tmp_path / "true", tmp_path / "forged", old, changed={1: {"actor": "another"}})
    told = registry("log", "verify", tmp_path / "out", "--continues", tmp_path / "forged")
    assert told.returncode == 1
    assert f"has not the {size} entries that it continues" in told.stderr
    told = registry("log", "verify", tmp_path / "true", "--continues", tmp_path / "true")
    assert "continues no other" in told.stderr
    # A record of a log that is somebody else's names a file below the folder, or none.
    fork(tmp_path / "true", tmp_path / "astray", old, size=2, changed={1: {"id": "../astray"}})
    told = registry("log", "records", tmp_path / "astray", tmp_path / "taken/records")
    assert told.returncode == 1
    assert "'../astray', which is no identifier" in told.stderr
    assert not (tmp_path / "taken").exists()
