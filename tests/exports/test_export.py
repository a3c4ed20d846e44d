"""Tables to take away: harmless in a spreadsheet, true to the records, written as they are read."""

import csv
import datetime as dt
import io
import re
import zipfile
from xml.etree import ElementTree as ET

import msgspec
import pytest

from registry.exports import spreadsheets
from registry.exports.columns import ExportColumn, ExportRow, LabelSource, columns
from registry.exports.spreadsheets import LONGEST_CELL, About, csv_lines, escape_formula, workbook
from registry.log.register import Register
from registry.record.facts import silence
from registry.record.pack import load_pack
from registry.record.schema import fields

AT = dt.datetime(2026, 11, 24, 12, 30, tzinfo=dt.UTC)
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
HOSTILE = [
    '=HYPERLINK("http://evil.example","x")',
    "+1+1",
    "-2+3|cmd!A1",
    "@SUM(A1)",
    "http://evil.example",
    "007",
    "1e5",
    "true",
    'a "quote", a comma',
    "two\nlines",
    "<c><f>1+1</f></c> & ]]>",
    "_x0041_",
    "أسرّة المستشفى",
    "ⴰⵙⴳⵯⵏⴳⵙ",
    "\u202e\u2066abc",
    "😀" * 3,
]


DAY = dt.date(2026, 11, 24)


def row(number=0, **document):
    return ExportRow(
        id=f"demo-sante/r{number}",
        agency="demo-sante",
        document={"id": f"demo-sante/r{number}", **document},
        register=Register(
            version=1,
            state="published",
            published_at=AT,
            superseded_at=None,
            hash="0" * 64,
            entry=number,
            origin=None,
            fictitious=True,
            completeness=7,
            accountability=8,
            missing=["/summary", "/risk/level"],
            findings=msgspec.Raw(b"[]"),
            redacted=[],
        ),
    )


async def whole(parts):
    return b"".join([part async for part in parts])


async def of(*batches):
    for batch in batches:
        yield batch


NAME = [ExportColumn(name="name", cell=lambda one: one.document.get("name"))]


async def written(cells, *, safe):
    rows = [row(name=cell) for cell in cells]
    return await whole(csv_lines(NAME, of(rows), safe=safe))


async def test_raw_csv_has_the_texts_as_they_are():
    raw = (await written(HOSTILE, safe=False)).decode("utf-8")
    assert raw.startswith("name\r\n")
    _, *cells = csv.reader(io.StringIO(raw, newline=""))
    assert [cell for [cell] in cells] == HOSTILE


async def test_safe_csv_has_no_formula_and_says_its_letters():
    safe = await written([*HOSTILE, "\tx", "\rx"], safe=True)
    assert safe.startswith(b"\xef\xbb\xbf")
    _, *cells = csv.reader(io.StringIO(safe.decode("utf-8-sig"), newline=""))
    for [cell], text in zip(cells, [*HOSTILE, "\tx", "\rx"], strict=True):
        assert cell[0] not in "=+-@\t\r"
        assert cell.removeprefix("'") == text


@pytest.mark.parametrize(
    ("text", "disarmed"),
    [
        ("=1", "'=1"),
        ("＝1", "'＝1"),
        ("\t=1", "'\t'=1"),
        ("a;=1;+2", "a;'=1;'+2"),
        ('a;"=1"', 'a;"\'=1"'),
        ("a\n-1|b", "a\n'-1|b"),
    ],
)
def test_what_one_spreadsheet_or_another_takes_for_a_formula_is_disarmed(text, disarmed):
    """Where semicolons separate cells, one begins in the middle of a text."""
    assert escape_formula(text) == disarmed


@pytest.mark.parametrize(
    "text", ["", "a=b", "a; -1", "a;b=c", "1-2", "'=x", " =x", "é", "a@b.example"]
)
def test_what_is_no_formula_stays(text):
    assert escape_formula(text) == text


async def read(table, batches, *, lang="en", records=1, at=AT):
    known = load_pack("ma")
    wording = LabelSource(lang=lang, pack=known, agencies=known.agencies, site="")
    about = About(
        address="https://register.example/x?risk=high&as_of=entry:4",
        records=records,
        size=5,
        last_hash="ab" * 32,
        at=at,
    )
    content = await whole(workbook(table, of(*batches), about, wording))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        parts = {name: archive.read(name) for name in archive.namelist()}
    return content, parts


def cells(part):
    tree = ET.fromstring(part)  # noqa: S314  we have just written it
    found = {}
    for cell in tree.iter(f"{SHEET}c"):
        text = "".join(node.text or "" for node in cell.iter(f"{SHEET}t"))
        number = cell.find(f"{SHEET}v")
        found[cell.get("r")] = (cell.get("t"), text if number is None else number.text)
    return found


def unescaped(text):
    return re.sub("_x([0-9A-F]{4})_", lambda match: chr(int(match[1], 16)), text)


async def test_in_a_workbook_text_is_only_text():
    rows = [row(name=text) for text in [*HOSTILE, "\x01\x0b"]]
    _, parts = await read(NAME, [rows])
    first = parts["xl/worksheets/sheet1.xml"]
    found = cells(first)
    for number, text in enumerate([*HOSTILE, "\x01\x0b"], 2):
        kind, given = found[f"A{number}"]
        assert kind == "inlineStr"
        assert unescaped(given) == text
    assert b"<f>" not in first
    assert b"hyperlink" not in first.lower().replace(b"=hyperlink", b"")
    assert not [name for name in parts if "rels" in name and b"http://evil" in parts[name]]


async def test_a_workbook_has_typed_cells_a_frozen_header_and_filters():
    table = [
        ExportColumn(name="day", cell=lambda _: dt.date(2026, 1, 31)),
        ExportColumn(name="time", cell=lambda _: AT),
        ExportColumn(name="number", cell=lambda _: 42),
        ExportColumn(name="share", cell=lambda _: 0.5),
        ExportColumn(name="yes", cell=lambda _: True),
        ExportColumn(name="nothing", cell=lambda _: None),
    ]
    _, parts = await read(table, [[row()]])
    first = parts["xl/worksheets/sheet1.xml"].decode()
    found = cells(first)
    assert found["A2"] == (None, "46053")
    assert float(found["B2"][1]) == pytest.approx(46350 + 12.5 / 24)
    assert [found[place] for place in ("C2", "D2", "E2")] == [
        (None, "42"),
        (None, "0.5"),
        ("b", "1"),
    ]
    assert "F2" not in found
    assert 'state="frozen"' in first
    assert '<autoFilter ref="A1:F2"/>' in first
    assert 'formatCode="yyyy-mm-dd"' in parts["xl/styles.xml"].decode()


@pytest.mark.parametrize(("lang", "rtl"), [("ar", True), ("fr", False), ("zgh", False)])
async def test_a_sheet_runs_as_its_language_does(lang, rtl):
    _, parts = await read(NAME, [[row(name="x")]], lang=lang)
    for number in (1, 2):
        assert (b'rightToLeft="1"' in parts[f"xl/worksheets/sheet{number}.xml"]) is rtl


async def test_a_workbook_says_of_what_it_is_and_is_the_same_each_time():
    content, parts = await read(NAME, [[row(name="x")]])
    about = cells(parts["xl/worksheets/sheet2.xml"])
    assert about["B1"][1] == "https://register.example/x?risk=high&as_of=entry:4"
    assert [about[place][1] for place in ("B2", "B3", "B4")] == ["1", "5", "ab" * 32]
    assert (await read(NAME, [[row(name="x")]]))[0] == content


async def test_a_cell_is_cut_to_what_it_takes_and_never_inside_a_character():
    long = "a" + "😀" * LONGEST_CELL
    _, parts = await read(NAME, [[row(name=long), row(name="b" * LONGEST_CELL)]])
    found = cells(parts["xl/worksheets/sheet1.xml"])
    cut = found["A2"][1]
    assert len(cut.encode("utf-16-le")) <= LONGEST_CELL * 2
    assert long.startswith(cut[:-1])
    assert cut.endswith("😀…")
    assert found["A3"][1] == "b" * LONGEST_CELL


async def test_what_a_sheet_has_no_room_for_is_on_the_next(monkeypatch):
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 3)
    rows = [row(name=str(number)) for number in range(7)]
    _, parts = await read(NAME, [rows[:2], rows[2:]], records=7)
    sheets = [cells(parts[f"xl/worksheets/sheet{number}.xml"]) for number in (1, 2, 3)]
    assert [text for one in sheets for place, (_, text) in one.items() if place != "A1"] == list(
        "0123456"
    )
    assert all(one["A1"][1] == "name" for one in sheets)
    assert b'ref="A1:A2"' in parts["xl/worksheets/sheet3.xml"]
    assert b'name="About"' in parts["xl/workbook.xml"]


@pytest.fixture
def wording(pack):
    return LabelSource(
        lang="fr", pack=pack, agencies=pack.agencies, site="https://register.example"
    )


def test_every_field_has_a_column_in_the_full_set(wording, record):
    full = columns("full", wording, DAY)
    names = [column.name for column in full]
    assert len(names) == len(set(names))
    for field in fields():
        if "*" not in field.path and "properties" not in field.schema:
            name = ".".join(field.path)
            assert any(known == name or known.startswith(f"{name}.") for known in names), name
    assert names[: len(columns("summary", wording, DAY))] == [
        column.name for column in columns("summary", wording, DAY)
    ]
    one = row(**{key: value for key, value in record.items() if key != "id"})
    said = {column.name: column.cell(one) for column in full}
    assert said["risk.rationale.fr"] == record["risk"]["rationale"]["fr"]
    assert said["decision.legal_effect"] is record["decision"].get("legal_effect")
    for kind, facts in silence(one.document).items():
        assert said[kind].split("; ") == facts
    assert "website" in said["not_asked"].split("; ")
    assert said["agency_label"] == wording.agencies["demo-sante"].name["fr"]
    pilot = row(
        lifecycle={"status": "pilot", "deployed_on": "2024", "next_review_on": "2026-12-31"}
    )
    [shown] = [column.cell for column in full if column.name == "observations"]
    assert shown(pilot) == ""
    [later] = [
        column.cell
        for column in columns("full", wording, dt.date(2027, 1, 1))
        if column.name == "observations"
    ]
    assert later(pilot) == "pilot_long; review_overdue"


def test_a_record_that_says_nothing_has_a_row_all_the_same(wording):
    said = {column.name: column.cell(row()) for column in columns("full", wording, DAY)}
    assert said["risk"] == "not_stated"
    assert {value for name, value in said.items() if "." in name} <= {None}
