"""Every crosswalk of docs/importing.md reads the file beside it, as the page says."""

import csv
import datetime as dt
import io
import json
import re

import pytest

from registry.exchange.convert import convert_file
from registry.exchange.crosswalk import TEMPLATES, load_crosswalk
from registry.exchange.outcome import ForeignRecord, Refusal
from registry.exchange.report import ImportReport, as_lines
from registry.record.schema import fields
from tests.conftest import ROOT
from tests.exchange.awkward_files import plain, workbook

PAGE = (ROOT / "docs/importing.md").read_text(encoding="utf-8")
_HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TODAY = dt.date(2026, 11, 24)


def examples():
    """The fenced blocks of each section that shows a crosswalk and the report of its file."""
    titles = list(_HEADING.finditer(PAGE))
    ends = [*(title.start() for title in titles[1:]), len(PAGE)]
    found = {}
    for title, end in zip(titles, ends, strict=True):
        blocks = [block for block in _FENCE.findall(PAGE[title.end() : end]) if block[0] != "sh"]
        if any(language == "text" for language, _ in blocks):
            found[title[1]] = blocks
    return found


EXAMPLES = examples()
FRAME = json.loads(EXAMPLES["Write a crosswalk"][0][1])


def source_file(folder, language, text):
    """Write a block as a file; a workbook is shown by its cells."""
    path = folder / f"source.{language}"
    if language == "xlsx":
        rows = list(csv.reader(io.StringIO(text)))
        path.write_bytes(workbook(("Notes", plain([["Not this one"]])), ("Inventory", plain(rows))))
    else:
        path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("title", EXAMPLES)
def test_the_crosswalk_reads_its_file_as_the_page_says(title, tmp_path, pack):
    (_, crosswalk), (language, source), (_, said), *record = EXAMPLES[title]
    path = tmp_path / "crosswalk.json"
    path.write_text(json.dumps(FRAME | json.loads(crosswalk)), encoding="utf-8")
    table = load_crosswalk(path)
    report = ImportReport(origin=table.origin)
    file = source_file(tmp_path, language, source)

    outcomes = list(convert_file(table, file, pack=pack, today=TODAY, report=report))

    assert list(as_lines(report)) == said.splitlines()
    made = [one.document for one in outcomes if isinstance(one, ForeignRecord)]
    assert report.unknown_columns == []
    refused = [one.reason for one in outcomes if isinstance(one, Refusal)]
    assert [reason for reason in refused if reason not in " ".join(PAGE.split())] == []
    for _, shown in record:
        assert made[0] == json.loads(shown)


def test_every_kind_of_source_has_its_example():
    kinds = {language for blocks in EXAMPLES.values() for language, _ in blocks[1:2]}

    assert kinds >= {"csv", "xlsx", "json", "jsonl", "html"}
    assert len(EXAMPLES) == 8


def test_the_template_is_as_the_page_shows_it():
    shown = json.loads(EXAMPLES["Another register of this software"][0][1])
    template = json.loads((TEMPLATES / "register-jsonl.json").read_bytes())

    assert {key: shown[key] for key in template if key != "unmapped"} == {
        key: value for key, value in template.items() if key != "unmapped"
    }


def test_the_page_says_what_an_item_of_each_list_needs():
    needed = {
        "/" + "/".join(field.path[:-1]): field.schema["required"]
        for field in fields()
        if field.path[-1] == "*" and field.schema.get("required")
    }
    said = {
        place: re.findall(r"`(\w+)`", names)
        for place, names in re.findall(r"^\| `(/\S+)` \| (`.*`) \|$", PAGE, re.MULTILINE)
    }

    assert said == needed
