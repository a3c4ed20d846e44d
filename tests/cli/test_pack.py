"""`registry pack check`: faults end it, gaps do not."""

from __future__ import annotations

import shutil

import pytest

from registry.cli.main import main
from registry.record import pack as packs
from registry.record.pack import load_pack
from registry.resources import SCHEMAS


@pytest.fixture
def check(capsys):
    def run(code):
        ending = 0
        try:
            main(["pack", "check", code])
        except SystemExit as stopped:
            ending = stopped.code
        told = capsys.readouterr()
        return ending, told.out, told.err

    return run


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """A pack whose `pack.json` a test may write."""
    shutil.copytree(SCHEMAS / "packs" / "sn", tmp_path / "sn")
    monkeypatch.setattr(packs, "_PACKS", tmp_path)
    load_pack.cache_clear()
    yield tmp_path / "sn" / "pack.json"
    load_pack.cache_clear()


@pytest.mark.parametrize("code", ["ma", "sn"])
def test_a_pack_that_is_complete(check, code):
    ending, out, err = check(code)
    assert (ending, err) == (0, "")
    assert out.startswith(f"{code}: can be used.")


def test_an_unknown_pack(check):
    ending, out, err = check("atlantis")
    assert (ending, out) == (2, "")
    assert "there is no country pack 'atlantis'; the packs are ma, sn" in err


def test_a_fault_is_named(check, trial):
    trial.write_text(trial.read_text("utf-8").replace('"SN"', '"ML"'), encoding="utf-8")
    ending, out, err = check("sn")
    assert (ending, out) == (2, "")
    assert "regions.csv: a row 'ML' is missing, for the whole country" in err


def test_a_language_without_words_is_a_gap(check, trial):
    text = trial.read_text("utf-8").replace('["fr", "en"]', '["fr", "en", "wo"]')
    trial.write_text(text, encoding="utf-8")
    ending, out, _ = check("sn")
    assert ending == 0
    assert "gap: agencies.csv: 15 of 15 not in wo: finances, education" in out
    assert "gap: risk_level.csv: 4 of 4 not in wo" in out
    for path in ("site/locale/wo", "schemas/locale/wo", "site/text/about.wo.md"):
        assert f"gap: {path} is not there" in out


@pytest.fixture
def add(monkeypatch, capsys):
    monkeypatch.setenv("REGISTRY_PACK", "sn")

    def run(*arguments):
        ending = 0
        try:
            main(["agency", "add", *arguments])
        except SystemExit as stopped:
            ending = stopped.code
        return ending, capsys.readouterr().err

    return run


def test_an_agency_is_added(trial, add):
    path = trial.with_name("agencies.csv")
    before = path.read_text(encoding="utf-8")
    ending, told = add(
        *("eau", "--name", 'fr=Agence de l\'eau, dite "Eau"', "--name", "en=Water agency"),
        *("--kind", "public_institution", "--website", "https://eau.example/"),
    )
    assert ending == 0, told
    assert "start the register again" in told
    after = path.read_text(encoding="utf-8")
    assert after.startswith(before)
    assert len(after.splitlines()) == len(before.splitlines()) + 1
    added = load_pack("sn").agencies["eau"]
    assert added.name == {"fr": 'Agence de l\'eau, dite "Eau"', "en": "Water agency"}
    assert (added.kind, added.website, added.fictitious) == (
        *("public_institution", "https://eau.example/", False),
    )


@pytest.mark.parametrize(
    ("code", "more", "sentence"),
    [
        ("Eau", (), "column id: 'Eau' does not match"),
        ("eau", ("--kind", "club"), "column kind: 'club' is not one of"),
        ("eau", ("--parent", "nobody"), "'nobody' is not another agency"),
        ("eau", ("--region", "MA-01"), "'MA-01' is not in regions.csv"),
        ("eau", ("--website", "eau.example"), "column website"),
        ("eau", ("--name", "xx=Wasser"), "has no column name_xx"),
        ("eau", ("--name", "Wasser"), "write LANG=TEXT"),
    ],
)
def test_an_agency_that_does_not_fit_is_not_added(trial, add, code, more, sentence):
    path = trial.with_name("agencies.csv")
    before = path.read_bytes()
    ending, told = add(code, "--name", "fr=Eau", "--kind", "other", *more)
    assert ending == 2
    assert sentence in " ".join(told.replace("│", " ").split())
    assert path.read_bytes() == before
    assert not list(trial.parent.glob(".*"))


def test_an_agency_that_is_there_is_not_added_twice(trial, add):
    known = next(iter(load_pack("sn").agencies))
    ending, told = add(known, "--name", "fr=Eau", "--kind", "other")
    assert ending == 2
    assert "comes twice" in told


def test_what_the_operator_has_still_to_state_is_told(check, trial):
    text = trial.read_text("utf-8")
    assert "no mail arrives at registre@demonstration.example" in check("sn")[1]
    trial.write_text(
        text.replace("registre@demonstration.example", "registre@numerique.sn"), "utf-8"
    )
    load_pack.cache_clear()
    assert "no mail arrives" not in check("sn")[1]
    assert "/operator/post: it is not stated" in check("sn")[1]
