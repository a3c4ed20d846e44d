"""Every crosswalk of docs/importing.md and docs/crosswalks reads the file beside it."""

import csv
import datetime as dt
import io
import json
import re

import pytest

from registry.imports.convert import convert_file
from registry.imports.crosswalk import TEMPLATES, load_crosswalk
from registry.imports.report import ForeignRecord, ImportReport, Refusal, as_lines
from registry.record.schema import fields
from tests.conftest import ROOT
from tests.imports.awkward_files import plain, workbook

PAGE = (ROOT / "docs/importing.md").read_text(encoding="utf-8")
TODAY = dt.date(2026, 11, 24)


FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOLDER = ROOT / "docs/crosswalks"
KINDS = sorted(path.name for path in FOLDER.iterdir())


@pytest.fixture(params=["city", *KINDS])
def example(request, tmp_path):
    """A crosswalk, the file that it reads, the report and the record; the first is on the page."""
    if request.param == "city":
        crosswalk, source = tmp_path / "city.json", tmp_path / "city.csv"
        section = PAGE[PAGE.index("## Write a crosswalk") :]
        shown = [body for kind, body in FENCE.findall(section) if kind != "sh"]
        crosswalk.write_text(shown[0], encoding="utf-8")
        source.write_text(shown[1], encoding="utf-8")
        return crosswalk, source, shown[2], None
    folder = FOLDER / request.param
    [source] = folder.glob("source.*")
    if source.name == "source.xlsx.csv":  # its cells
        rows = list(csv.reader(io.StringIO(source.read_text("utf-8"))))
        source = tmp_path / "source.xlsx"
        notes = ("Notes", plain([["Not this one"]]))
        source.write_bytes(workbook(notes, ("Inventory", plain(rows))))
    report, record = ((folder / name).read_text("utf-8") for name in ("report.txt", "record.json"))
    return folder / "crosswalk.json", source, report, record


def test_a_crosswalk_reads_its_file_as_the_guide_says(example, pack):
    crosswalk, source, said, record = example
    table = load_crosswalk(crosswalk)
    report = ImportReport(origin=table.origin)

    outcomes = list(convert_file(table, source, pack=pack, today=TODAY, report=report))

    assert list(as_lines(report)) == said.splitlines()
    made = [one.document for one in outcomes if isinstance(one, ForeignRecord)]
    assert report.unknown_columns == []
    refused = [one.reason for one in outcomes if isinstance(one, Refusal)]
    assert [reason for reason in refused if reason not in " ".join(PAGE.split())] == []
    assert record is None or made[0] == json.loads(record)


def test_every_kind_of_source_has_its_example_and_each_is_on_the_page():
    kinds = {path.name.split(".")[1] for path in FOLDER.glob("*/source.*")}

    assert kinds == {"csv", "xlsx", "json", "jsonl", "html"}
    assert [kind for kind in KINDS if f"(crosswalks/{kind}/crosswalk.json)" not in PAGE] == []
    assert len(KINDS) == 7


def test_the_template_is_as_the_guide_has_it():
    shown = json.loads((FOLDER / "register/crosswalk.json").read_bytes())
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
