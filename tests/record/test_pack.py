from __future__ import annotations

import csv
import json
import shutil

import pytest

from registry.errors import ConfigurationError
from registry.record import pack as packs
from registry.record.pack import load_pack
from registry.resources import SCHEMAS

REAL = ["add", "cnss", "dgi", "education", "sante"]


def test_an_unknown_pack_lists_those_there_are():
    with pytest.raises(ConfigurationError, match=r"no country pack 'atlantis'; the packs are .*ma"):
        load_pack("atlantis")


@pytest.mark.parametrize("name", ["../../etc", "", "ma/", "MA"])
def test_a_name_that_is_no_pack(name):
    with pytest.raises(ConfigurationError):
        load_pack(name)


def test_five_real_bodies_and_five_openly_fictitious_ones(pack):
    real = [agency.id for agency in pack.agencies.values() if not agency.fictitious]
    made = [agency for agency in pack.agencies.values() if agency.fictitious]
    assert sorted(real) == REAL
    assert len(made) == 5
    for agency in made:
        assert agency.id.startswith("demo-")
        assert agency.kind == "demonstration"
        assert "démonstration" in agency.name["fr"]
        assert "تجريبية" in agency.name["ar"]
        assert "emonstration" in agency.name["en"]
        assert agency.website is None


def test_names_are_in_the_languages_that_the_law_asks_for(pack):
    for agency in pack.agencies.values():
        assert {"ar", "fr", "en"} <= set(agency.name)
    for codes in pack.lists.values():
        for code in codes.values():
            assert {"ar", "fr", "en"} <= set(code.label)


def test_the_twelve_regions(pack):
    assert ["MA", *(f"MA-{number:02}" for number in range(1, 13))] == list(pack.regions)


def test_what_the_design_sets(pack):
    assert pack.country == "MA"
    assert pack.languages == ("ar", "fr", "zgh", "en")
    assert pack.fallback == ("ar", "fr", "en", "zgh")
    assert pack.required_any == ("ar", "fr")
    assert pack.required_at_high == ("ar", "fr")
    assert pack.recommended == ("zgh",)
    assert pack.review_months == {"unacceptable": 6, "high": 12, "limited": 24, "minimal": 36}
    assert len(pack.sensitive_statutory) == 6


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """Copy the pack under another name, where it can be spoilt."""
    shutil.copytree(SCHEMAS / "packs" / "ma", tmp_path / "zz")
    monkeypatch.setattr(packs, "_PACKS", tmp_path)
    folder = tmp_path / "zz"
    settings = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
    (folder / "pack.json").write_text(json.dumps(settings | {"code": "zz"}), encoding="utf-8")
    load_pack.cache_clear()
    yield folder
    load_pack.cache_clear()


def rewrite(path, **edits):
    settings = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(settings | edits), encoding="utf-8")


def append(path, **cells):
    with path.open(encoding="utf-8") as file:
        columns = next(csv.reader(file))
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, columns).writerow(cells)


def test_another_country_is_data_alone(trial):
    append(
        trial / "agencies.csv", id="zz-1", name_en="Z", name_fr="Z", kind="other", fictitious="no"
    )
    loaded = load_pack("zz")
    assert (loaded.code, loaded.agencies["zz-1"].name) == ("zz", {"en": "Z", "fr": "Z"})


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({"code": "yy"}, "/code says 'yy'"),
        ({"country": "Morocco"}, "/country"),
        ({"languages": []}, "/languages"),
        ({"recommended": ["nl"]}, "/recommended names 'nl'"),
        ({"review_months": {"high": 12}}, "/review_months"),
        ({"ask_more_url": "javascript:alert(1)"}, "/ask_more_url"),
        ({"motto": "x"}, "motto"),
    ],
)
def test_a_pack_that_is_wrong_names_the_place(trial, edits, words):
    rewrite(trial / "pack.json", **edits)
    with pytest.raises(ConfigurationError, match=words):
        load_pack("zz")


def test_a_pack_that_is_not_json(trial):
    (trial / "pack.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"pack\.json is not JSON"):
        load_pack("zz")


def test_a_missing_table(trial):
    (trial / "grounds.csv").unlink()
    with pytest.raises(ConfigurationError, match=r"grounds\.csv is missing"):
        load_pack("zz")


def test_an_agency_that_comes_twice(trial):
    append(
        trial / "agencies.csv", id="dgi", name_en="D", name_fr="D", kind="other", fictitious="no"
    )
    with pytest.raises(ConfigurationError, match="'dgi' comes twice"):
        load_pack("zz")


def test_an_agency_with_a_dot_is_foreign_and_refused(trial):
    append(
        trial / "agencies.csv", id="us.hhs", name_en="H", name_fr="H", kind="other", fictitious="no"
    )
    with pytest.raises(ConfigurationError, match="agencies/10/id"):
        load_pack("zz")


def test_a_code_without_a_label(trial):
    append(trial / "bodies.csv", code="nobody", label_en="Nobody")
    with pytest.raises(ConfigurationError, match="bodies/7"):
        load_pack("zz")
