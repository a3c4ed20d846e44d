"""Workbooks and HTML pages, files under another kind's name, and what is made to do harm."""

import datetime as dt
import gzip
import io
import zipfile

import msgspec
import pytest

from registry.errors import ImportRefused
from registry.imports import rows
from registry.imports.rows import read_source
from registry.imports.source import ReadOptions, refused_place
from registry.workbooks import process, sheets
from registry.workbooks.sheets import SheetProblem, SheetRequest, column_letters
from tests.imports import awkward_files as awkward

XLSX = ReadOptions(kind="xlsx")
EXAMPLES = {
    "csv": awkward.blank_headers,
    "xlsx": awkward.hidden_sheet_first,
    "ods": lambda: awkward.opendocument([awkward.NAMES, *awkward.ROWS]),
    "xls": awkward.excel_97,
    "json": awkward.nested_json,
    "jsonl": awkward.nested_json_lines,
    "html": awkward.html_page,
}


@pytest.fixture
def read(tmp_path):
    def run(raw, kind="xlsx", **options):
        path = tmp_path / "source"
        path.write_bytes(raw)
        return read_source(ReadOptions(kind=kind, **options), path)

    return run


def cells_of(source):
    return [list(row.cells.values()) for row in source.rows]


def test_cells_of_a_workbook_are_what_people_see(read):
    def write(book, sheet):
        sheet.write_row(0, 0, list("ABCDEFGHIJ"))
        sheet.write_row(1, 0, [12, 12.5, 0.1 + 0.2, 1e15, "a\nb", True])
        sheet.write_formula(1, 6, "=6*7", None, 42)
        sheet.write_formula(1, 7, "=A9", None, "#REF!")
        day = dt.datetime(2025, 6, 1)  # noqa: DTZ001
        sheet.write_datetime(1, 8, day, book.add_format({"num_format": "d/m/yy"}))
        moment = dt.datetime(2025, 6, 1, 12, 30)  # noqa: DTZ001
        sheet.write_datetime(1, 9, moment, book.add_format({"num_format": "d/m/yy hh:mm"}))

    source = read(awkward.workbook(("Data", write)))
    assert cells_of(source) == [
        [
            "12",
            "12.5",
            "0.3",
            "1000000000000000",
            "a\nb",
            True,
            "42",
            "",
            "2025-06-01",
            "2025-06-01T12:30:00",
        ]
    ]
    assert source.notes == ("1 cells with the error of a formula are read as empty: H2",)
    [row] = source.rows
    assert (row.place, row.line) == ("sheet 'Data', row 2", 2)
    assert refused_place(source, row, "C: not understood") == "sheet 'Data', cell C2"
    assert refused_place(source, row, "C is not") == row.place
    assert [column_letters(at) for at in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_a_hidden_sheet_is_passed_over_and_told(read):
    raw = awkward.hidden_sheet_first()
    source = read(raw)
    assert cells_of(source) == awkward.ROWS
    assert source.notes == ("read is the sheet 'Data'; hidden before it: 'Codes'",)
    for sheet in ("Codes", 1):
        assert cells_of(read(raw, sheet=sheet)) == [["Parks"], ["Water"]]
    assert read(raw, sheet=2).notes == ()


@pytest.mark.parametrize("sheet", ["Nowhere", 3, 0])
def test_a_sheet_that_is_not_there_lists_those_that_are(read, sheet):
    with pytest.raises(ImportRefused) as refused:
        read(awkward.hidden_sheet_first(), sheet=sheet)
    assert refused.value.detail.endswith(
        f"There is no sheet {sheet!r}; name in `read` which of 'Codes', 'Data'."
    )


def test_merged_cells_of_a_header_are_filled_to_the_right_of_rows_downwards(read):
    source = read(awkward.merged_heads(), header_row=(2, 3))
    assert list(source.rows[0].cells) == ["Agency", "The system / Name", "The system / Goal"]
    assert cells_of(source) == [["Parks", *awkward.ROWS[0][1:]], ["Parks", *awkward.ROWS[1][1:]]]


def test_a_workbook_may_begin_anywhere(read):
    def write(_, sheet):
        sheet.write_row(4, 2, ["a", "b\n(in\xa0full) "])
        sheet.write_row(6, 2, [1, 2])

    source = read(awkward.workbook(("Data", write)), header_row=5)
    assert [(row.line, row.cells) for row in source.rows] == [(7, {"a": "1", "b (in full)": "2"})]
    assert refused_place(source, source.rows[0], "b (in full): x") == "sheet 'Data', cell D7"
    assert source.notes == ("1 empty rows are left out",)


def test_an_empty_workbook_is_refused(read):
    with pytest.raises(ImportRefused, match="there is no row 1"):
        read(awkward.workbook(("Data", lambda *_: None)))


def test_an_opendocument_spreadsheet(read):
    rows = [[*awkward.NAMES, "Number"], [*awkward.ROWS[0], 12.0]]
    source = read(awkward.opendocument(rows, hidden=[["x"]]), kind="ods")
    assert cells_of(source) == [[*awkward.ROWS[0], "12"]]
    assert source.notes == ("read is the sheet 'Data'; hidden before it: 'Codes'",)


def test_a_workbook_of_an_old_excel(read):
    source = read(awkward.excel_97(), kind="xls")
    assert [list(row.cells.values())[:5] for row in source.rows] == [
        ["Parks", *awkward.ROWS[0][1:], "2025-06-01", "12"],
        ["Parks", *awkward.ROWS[1][1:], "2025-06-02", "12"],
    ]
    assert source.notes == ("read is the sheet 'Data'; hidden before it: 'Codes'",)


def test_an_html_table_by_caption(read):
    source = read(awkward.html_page(), kind="html", caption="AI use cases", header_row=(1, 2))
    assert source.rows[0].cells == {
        "Agency": "Parks",
        "The system / Name": "Tree planner",
        "The system / Goal": "Says where trees are missing.\nYes & no.",
    }
    assert source.rows[1].place == "table row 4"
    with pytest.raises(ImportRefused, match="captions there are: 'Menu', 'AI use cases'"):
        read(awkward.html_page(), kind="html", caption="Other")


def test_spans_of_html_cells_are_filled(read):
    raw = (
        b"<table><tr><th>a<th>b<th>c<th>d"
        b"<tr><td rowspan=2>1<td colspan=2>2<td rowspan=0>3"
        b"<tr><td>4<table><tr><td>inner</table><td><p>x</p><p>y</p><script>no</script> z"
        b"<tr><td>5</table>"
    )
    assert cells_of(read(raw, kind="html")) == [
        ["1", "2", "2", "3"],
        ["1", "4\n\ninner", "x\n\ny\nz", "3"],
        ["5", "", "", "3"],
    ]


def test_an_html_page_declares_its_encoding(read):
    raw = '<meta charset="iso-8859-1"><table><tr><th>a<tr><td>\x80é</table>'.encode("latin-1")
    assert cells_of(read(raw, kind="html")) == [["€é"]]
    with pytest.raises(ImportRefused, match="there is no table in the page"):
        read(b"<html><p>nothing</html>", kind="html")


@pytest.mark.parametrize("said", EXAMPLES)
def test_a_file_of_another_kind_is_recognised(read, said):
    wrong = []
    for kind, example in EXAMPLES.items():
        if kind == said:
            continue
        with pytest.raises(ImportRefused) as refused:
            read(example(), kind=said)
        if not refused.value.detail.endswith(f'; say "read": "{kind}"'):
            wrong.append((kind, refused.value.detail))
    assert wrong == []


def zipped(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


OTHERS = [
    (b"%PDF-1.7\n...", "this is a PDF; ask the source for"),
    (gzip.compress(b"a"), "this is a file packed with gzip; unpack it first"),
    (zipped("list.csv"), "a zip archive, whose first file is 'list.csv'; unpack it first"),
    (zipped("word/document.xml"), "this is a text document or a presentation"),
    (zipped("list.csv")[:-9], "a damaged zip archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", 'an old Excel workbook; say "read": "xls"'),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
        "this is a workbook with a password; save it without",
    ),
    (b'<?xml version="1.0"?><rows/>', "this is XML; save it as"),
]


@pytest.mark.parametrize("said", ["csv", "xlsx", "json", "html"])
def test_a_file_that_no_reader_reads_is_named(read, said):
    for raw, told in OTHERS:
        with pytest.raises(ImportRefused) as refused:
            read(raw, kind=said)
        assert told in refused.value.detail


ONE = awkward.workbook(("Data", awkward.plain([["Name"], ["x"]])))
BOMB = b'<!DOCTYPE x [<!ENTITY a "%s">%s]>' % (
    b"ha" * 50,
    b"".join(b'<!ENTITY %c "%s">' % (98 + at, b"&%c;" % (97 + at) * 10) for at in range(9)),
)


def with_entity(declaration, entity):
    def change(content):
        begin = content.index(b"?>") + 2
        return content[:begin] + declaration + content[begin:].replace(b">Name<", entity)

    return awkward.repacked(ONE, sharedStrings=change)


def with_reference(reference):
    return awkward.repacked(ONE, sheet1=lambda part: part.replace(b'"A2"', reference))


EXTERNAL = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
HARM = {
    # A stray cell makes a sheet of 17,179,869,184 cells, for which the parser reserves memory.
    "far cell": (lambda: with_reference(b'"XFD1048576"'), "The workbook could not be read"),
    "no cell": (lambda: with_reference(b'"ZZZZZZZ9999999999"'), "The workbook could not be read"),
    "long sheet": (
        lambda: with_reference(b'"A1048576"'),
        "The sheet Data has 1048576 rows and 1 columns, empty ones included; at most 1000000",
    ),
    "no string": (
        lambda: awkward.repacked(ONE, sheet1=lambda part: part.replace(b"<v>1</v>", b"<v>9</v>")),
        "The workbook is damaged",
    ),
    "large string": (
        lambda: awkward.repacked(
            ONE, sharedStrings=lambda part: part.replace(b"Name", b"x" * 2**25)
        ),
        "unpacks to more than is read",
    ),
    "entities": (lambda: with_entity(BOMB, b">&j;<"), "The workbook is damaged"),
    "external": (lambda: with_entity(EXTERNAL, b">&a;<"), "The workbook is damaged"),
    "cut": (lambda: ONE[:-30], "this is a damaged zip archive"),
    "garbage": (lambda: b"garbage\0" * 100, "The workbook is damaged"),
}


@pytest.mark.parametrize("name", HARM)
def test_a_workbook_made_to_do_harm_is_refused(read, name):
    make, told = HARM[name]
    with pytest.raises(ImportRefused) as refused:
        read(make())
    assert told in refused.value.detail


def test_bounds_of_a_workbook(read, monkeypatch):
    narrow = msgspec.structs.replace(rows.BOUNDS, inflated=3)
    for module, name, value, told in [
        (sheets, "MAX_PARTS", 3, "unpacks to more than is read"),
        (rows, "BOUNDS", narrow, "unpacks to more than is read"),
        (rows, "MAX_CELL", 3, "a cell of 4 characters; a cell may have 3"),
    ]:
        with monkeypatch.context() as patched:
            patched.setattr(module, name, value)
            with pytest.raises(ImportRefused, match=told):
                read(ONE)


def test_a_workbook_of_too_many_sheets_is_refused():
    request = SheetRequest(bounds=msgspec.structs.replace(rows.BOUNDS, sheets=1))
    [problem] = process._answers(io.BytesIO(awkward.hidden_sheet_first()), request)
    assert isinstance(problem, SheetProblem)
    assert problem.values == {"number": 2, "most": 1}


def test_an_opendocument_spreadsheet_may_begin_anywhere(read):
    rows = [["", ""], ["", ""], ["", "a"], ["", ""], ["", "1"]]
    source = read(awkward.opendocument(rows), kind="ods", header_row=3)
    assert [(row.place, row.cells) for row in source.rows] == [("sheet 'Data', row 5", {"a": "1"})]
    assert refused_place(source, source.rows[0], "a: x") == "sheet 'Data', cell B5"


def test_no_process_is_left_when_reading_is_interrupted(tmp_path, monkeypatch):
    started = []

    class Watched(sheets.subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(sheets.subprocess, "Popen", Watched)
    path = tmp_path / "many.xlsx"
    path.write_bytes(awkward.workbook(("Data", awkward.plain([[1]] * 5_000))))
    with pytest.raises(KeyboardInterrupt):
        read_source(XLSX, path, progress=interrupt)
    [process] = started
    assert process.returncode is not None


def test_html_beyond_its_bound_is_refused(read, monkeypatch):
    monkeypatch.setattr("registry.imports.text_files.MAX_HTML_BYTES", 10)
    with pytest.raises(ImportRefused, match="an HTML page may have 10"):
        read(awkward.html_page(), kind="html")


def test_blanks_and_comments_of_html_are_looked_at_once(read):
    """Not once for each of those before them: this would take minutes, or years."""
    comments = b"<!---->" * 60
    raw = b"<table><tr><th>A</tr><tr><td>%s1</tr></table>" % (b"<b> </b>" * 100_000)
    assert cells_of(read(comments + raw, kind="html")) == [["1"]]
    with pytest.raises(ImportRefused, match="there is no table"):
        read(comments + b"<p>", kind="html")


def test_html_that_its_parser_cuts_is_refused(read):
    deep = b"<table><tr><th>a<tr><td>" + b"<div>" * 5_000 + b"x</table>"
    with pytest.raises(ImportRefused, match="not readable as HTML: Excessive depth"):
        read(deep, kind="html")
