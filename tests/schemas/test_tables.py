"""Code lists and packs, row by row against their schemas, and their labels."""

from __future__ import annotations

import re
import unicodedata

import pytest
from jsonschema import Draft202012Validator

from registry.record.codelists import codelists, read_rows
from registry.record.schema import RECORD_FOLDER
from registry.record.validators import validator_of
from registry.resources import SCHEMAS

LISTS = sorted((RECORD_FOLDER / "codelists").glob("*.csv"))
TABLES = sorted((SCHEMAS / "packs").glob("*/*.csv"))
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


def test_rows_of_a_list():
    for path in LISTS:
        rows = read_rows(path)
        assert rows, path.stem
        for row in rows:
            faults = [error.message for error in validator_of("codelist").iter_errors(row)]
            assert faults == [], (path.stem, row)
        names = [row["code"] for row in rows]
        assert len(names) == len(set(names)), path.stem


SOUND = {"code": "a_b", "label_en": "A", "label_fr": "A", "label_ar": "أ"}


@pytest.mark.parametrize(
    ("cells", "keyword"),
    [
        ({"code": "A"}, "pattern"),
        ({"code": "a-b"}, "pattern"),
        ({"code": None}, "required"),
        ({"label_en": None}, "required"),
        ({"label_fr": None}, "required"),
        ({"label_ar": None}, "required"),
        ({"label_fr": " A"}, "pattern"),
        ({"label_fr": "A\n"}, "pattern"),
        ({"label_fr": "A" * 301}, "maxLength"),
        ({"label_French": "A"}, "additionalProperties"),
        ({"description_en": "A "}, "pattern"),
        ({"priority": "0"}, "pattern"),
        ({"colour": "red"}, "additionalProperties"),
    ],
)
def test_a_row_with_one_fault_is_refused(cells, keyword):
    row = {name: cell for name, cell in (SOUND | cells).items() if cell is not None}
    found = list(validator_of("codelist").iter_errors(row))
    assert [error.validator for error in found] == [keyword]
    assert validator_of("codelist").is_valid(SOUND)


def test_cells_are_trimmed_and_composed():
    untidy = [
        (f"{path.parent.name}/{path.name}", cell)
        for path in (*LISTS, *TABLES)
        for row in read_rows(path)
        for cell in row.values()
        if cell != unicodedata.normalize("NFC", cell.strip())
    ]
    assert untidy == []


def test_labels_are_complete_and_distinct():
    for name, codes in codelists().items():
        for language in LANGUAGES:
            labels = [code.label[language] for code in codes.values()]
            assert len(labels) == len(set(labels)), (name, language)
        for code in codes.values():
            assert code.description is None or set(LANGUAGES) <= set(code.description), code


def has_arabic(text):
    return any("ARABIC" in unicodedata.name(sign, "") for sign in text)


def test_labels_are_in_their_script():
    for codes in codelists().values():
        for code in codes.values():
            written = [has_arabic(code.label[language]) for language in ("ar", "en", "fr")]
            assert written == [True, False, False], code


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


def test_no_code_knows_a_country():
    """A pack is data alone: neither module nor template asks which country it is."""
    root = SCHEMAS.parent
    files = [*(root / "registry").rglob("*.py"), *(root / "site" / "templates").rglob("*.html")]
    files.remove(root / "registry" / "settings.py")  # which pack is used when none is set
    for pack in (SCHEMAS / "packs").iterdir():
        code, country = pack.name, pack.name.upper()
        told = re.compile(rf"[\"']({code}|{country})[\"']|_{country}\b|\b{country}-[A-Z0-9]")
        for path in files:
            assert not told.search(path.read_text(encoding="utf-8")), (path, code)
