"""Code lists and packs, row by row against their schemas, and their labels."""

from __future__ import annotations

import json
import unicodedata

import pytest
from jsonschema import Draft202012Validator

from registry.record.codelists import codelists, read_rows
from registry.record.schema import RECORD_FOLDER
from registry.record.validators import validator_of
from registry.resources import SCHEMAS

LISTS = sorted((RECORD_FOLDER / "codelists").glob("*.csv"))
PACKS = sorted(path.parent for path in (SCHEMAS / "packs").glob("*/pack.json"))
TABLES = [path for folder in PACKS for path in sorted(folder.glob("*.csv"))]
LANGUAGES = ("en", "fr", "ar")
TAMAZIGHT = {
    "health": "ⵜⴰⴷⵓⵙⵉ",
    "education": "ⴰⵙⴳⵎⵉ",
    "agriculture": "ⵜⴰⴼⵍⵍⴰⵃⵜ",
    "justice": "ⵜⴰⵏⵣⵣⴰⵔⴼⵓⵜ",
    "employment": "ⵜⴰⵡⵓⵔⵉ",
    "water_environment": "ⴰⵎⴰⵏ",
    "culture_youth_sport": "ⵜⵓⵙⵙⵏⴰ",
}


@pytest.mark.parametrize("name", ["codelist", "pack"])
def test_the_schemas_of_tables_are_schemas(name):
    Draft202012Validator.check_schema(validator_of(name).schema)


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_rows_of_a_list(path):
    rows = read_rows(path)
    assert rows
    for row in rows:
        assert [error.message for error in validator_of("codelist").iter_errors(row)] == []
    names = [row["code"] for row in rows]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", [*LISTS, *TABLES], ids=lambda path: path.stem)
def test_cells_are_trimmed_and_composed(path):
    for row in read_rows(path):
        for cell in row.values():
            assert cell == cell.strip()
            assert cell == unicodedata.normalize("NFC", cell)


@pytest.mark.parametrize("name", codelists())
def test_labels_are_complete_and_distinct(name):
    codes = codelists()[name].values()
    for language in LANGUAGES:
        labels = [code.label[language] for code in codes]
        assert len(labels) == len(set(labels)), (name, language)
        for code in codes:
            if code.description is not None:
                assert set(LANGUAGES) <= set(code.description)


@pytest.mark.parametrize("name", codelists())
def test_labels_are_in_their_script(name):
    for code in codelists()[name].values():
        assert any("ARABIC" in unicodedata.name(sign, "") for sign in code.label["ar"])
        for language in ("en", "fr"):
            assert not any("ARABIC" in unicodedata.name(sign, "") for sign in code.label[language])


def test_tamazight_is_given_only_where_the_design_marks_it():
    given = {
        code.code: code.label["zgh"]
        for codes in codelists().values()
        for code in codes.values()
        if "zgh" in code.label
    }
    assert given == TAMAZIGHT
    for label in given.values():
        assert all("TIFINAGH" in unicodedata.name(sign) for sign in label)


@pytest.mark.parametrize("folder", PACKS, ids=lambda folder: folder.name)
def test_sensitive_codes_of_a_pack_exist(folder):
    settings = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
    assert set(settings["sensitive_statutory"]) <= set(codelists()["sensitive_category"])


def test_no_code_knows_a_country():
    """A pack is data alone: no module asks which country it is."""
    for path in (SCHEMAS.parent / "registry" / "record").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert '"ma"' not in text
        assert '"MA"' not in text
