"""Workbooks to fill in: what is written is read back, what cannot be read is named by its cell."""

from __future__ import annotations

import ast
import datetime as dt
import json
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from registry import workbooks
from registry.record.messages import PlainLanguage
from registry.record.validate import validate
from registry.resources import SCHEMAS
from registry.workbooks.cells import WorkbookWords
from registry.workbooks.filing import check_workbook
from registry.workbooks.reading import read_workbook
from registry.workbooks.sheets import place_named
from registry.workbooks.writing import FormSource, make_workbook, new_source

ROOT = Path(__file__).parents[2]
TODAY = dt.date(2026, 11, 24)
TAG = "0123456789abcdef"


@pytest.fixture(scope="module")
def documents():
    """Every demonstration record, earlier versions included, and the two examples of the format."""
    paths = [*sorted((ROOT / "records").glob("*/*.json")), *SCHEMAS.glob("examples/*.json")]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


HALVES = [("form", "ar", slice(0, None, 2)), ("form", "en", slice(1, None, 2))]


@pytest.mark.parametrize(("layout", "lang", "some"), [*HALVES, ("table", "fr", slice(None))])
def test_every_demonstration_record_is_read_back_as_it_was(documents, pack, layout, lang, some):
    words, documents = WorkbookWords(pack, lang), documents[some]
    sources = [FormSource(document=one, tag=TAG, amends=True) for one in documents]
    sheets = read_workbook(make_workbook(sources, words, layout=layout), words)
    filled = [record for sheet in sheets for record in sheet.records]
    assert [one.document for one in filled] == documents
    assert not any(one.unread or one.missing for one in filled)
    assert {one.tag for one in filled} == {TAG}


@pytest.mark.parametrize("lang", ["ar", "fr", "en"])
def test_a_record_is_judged_as_it_is_elsewhere(documents, pack, lang):
    words = WorkbookWords(pack, lang)
    record = {**next(one for one in documents if one["id"] == "demo-sante/prevision-lits")}
    record["contact"] = {"phone": "+212 500 000 000"}
    sheets = read_workbook(
        make_workbook([FormSource(document=record, tag=TAG)], words, layout="form"), words
    )
    [told] = check_workbook(sheets, words, TODAY)
    verdict = validate(
        record, profile="publication", pack=pack, today=TODAY, language=PlainLanguage(lang)
    )
    assert {(one.pointer, one.rule, one.message) for one in told.findings} == {
        (one.pointer, one.rule, one.message) for one in verdict.findings
    }
    places = [place_named(one.cell) for one in told.findings]
    assert places == sorted(places)
    assert told.publishable is verdict.publishable


def test_a_form_that_nobody_filled_in_is_left_out(pack):
    words = WorkbookWords(pack, "fr")
    source = new_source(words, agency="demo-sante", risk="high")
    sheets = read_workbook(make_workbook([source], words, layout="form"), words)
    [told] = check_workbook(sheets, words, TODAY)
    assert told.outcome == "left_out"
    assert not told.findings


@pytest.mark.parametrize("tag", ["ar", "fr"])
def test_all_that_workbooks_say_is_translated_and_nothing_else(tag):
    said = set()
    for path in Path(workbooks.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                first = node.args[0]
                if name in {"message", "say", "translatable"} and isinstance(first, ast.Constant):
                    said.add(first.value)
    with (SCHEMAS / "languages" / tag / "format/workbook.po").open("rb") as file:
        assert said == {message.id for message in read_po(file) if message.id}
