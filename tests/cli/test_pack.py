"""`registry pack check`: faults end it, gaps do not."""

from __future__ import annotations

import json
import shutil

import pytest

from registry.cli.main import main
from registry.errors import ConfigurationError
from registry.record import pack as packs
from registry.record.pack import check_agency, load_pack, pack_codes
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
    for path in ("wo/site/*.po", "wo/format/*.po"):
        assert f"gap: languages/{path} is not there" in out
    pages = sorted(path.name for path in (SCHEMAS / "languages/en/texts").iterdir())
    assert f"gap: languages/wo/texts: 16 of 16 pages lack: {', '.join(pages)}\n" in out


ROW = {"id": "eau", "name_fr": "Eau", "kind": "other", "fictitious": "no"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"id": "Eau"}, "column id: 'Eau' does not match"),
        ({"kind": "club"}, "column kind: 'club' is not one of"),
        ({"parent": "nobody"}, "'nobody' is not another agency"),
        ({"region": "MA-01"}, "'MA-01' is not in regions.csv"),
        ({"website": "eau.example"}, "column website"),
        ({"name_xx": "Wasser"}, "has no column name_xx"),
        ({"id": "finances"}, "comes twice"),
    ],
)
def test_an_agency_that_does_not_fit_is_not_added(changes, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        check_agency("sn", ROW | changes, [])


def test_an_agency_may_belong_to_one_that_was_added_and_not_have_its_code():
    eau = check_agency("sn", ROW | {"website": "https://eau.example/"}, [])
    assert check_agency("sn", ROW | {"id": "forages", "parent": "eau"}, [eau]).parent == "eau"
    with pytest.raises(ConfigurationError, match="comes twice"):
        check_agency("sn", ROW, [eau])


def test_packs_may_lie_in_a_folder_of_ones_own(tmp_path, capsys, monkeypatch):
    shutil.copytree(SCHEMAS / "packs" / "sn", tmp_path / "zz")
    shutil.copytree(SCHEMAS / "packs" / "sn", tmp_path / "sn")
    for code, name in (("zz", "Ailleurs"), ("sn", "Un autre")):
        path = tmp_path / code / "pack.json"
        said = json.loads(path.read_text("utf-8"))
        said["site_name"]["fr"] = name
        path.write_text(json.dumps(said), encoding="utf-8")
    assert load_pack("sn", tmp_path).site_name["fr"] == "Un autre"
    assert load_pack("sn").site_name["fr"] != "Un autre"
    assert pack_codes(tmp_path) == sorted({*pack_codes(), "zz"})
    assert load_pack("ma", tmp_path).code == load_pack("ma").code
    monkeypatch.setenv("REGISTRY_PACKS", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main(["pack", "check", "atlantis"])
    assert ended.value.code == 2
    assert f"the packs are {', '.join(pack_codes(tmp_path))}" in capsys.readouterr().err


def test_what_the_operator_has_still_to_state_is_told(check, trial):
    text = trial.read_text("utf-8")
    assert "no mail arrives at registre@demonstration.example" in check("sn")[1]
    trial.write_text(
        text.replace("registre@demonstration.example", "registre@numerique.sn"), "utf-8"
    )
    load_pack.cache_clear()
    assert "no mail arrives" not in check("sn")[1]
    assert "/operator/post: it is not stated" in check("sn")[1]
