import json
from pathlib import Path

import pytest

from registry.errors import ImportRefused
from registry.imports import source as bounds
from registry.imports.columns import missing_columns
from registry.imports.rows import read_source
from registry.imports.source import MAX_CELL, MAX_DEPTH, ReadOptions, cell, columns, has_column
from registry.resources import SCHEMAS
from registry.workbooks import sheets

CSV = ReadOptions(kind="csv")
NO_OBJECT = "the row is not an object"
JSON = ReadOptions(kind="json", rows="/algoritmes")


@pytest.fixture
def source_of(tmp_path):
    def run(options, raw, **more):
        path = tmp_path / "source"
        path.write_bytes(raw)
        return read_source(options, path, **more)

    return run


@pytest.fixture
def read(source_of):
    return lambda options, raw: source_of(options, raw).rows


def test_a_row_knows_the_line_where_it_begins(read):
    rows = read(CSV, b'\xef\xbb\xbfa,b\r\n1,"x\r\ny"\r\n2,z\r\n\r\n')
    assert [(row.line, row.cells) for row in rows] == [
        (2, {"a": "1", "b": "x\r\ny"}),
        (4, {"a": "2", "b": "z"}),
    ]


def test_another_encoding_and_delimiter(read):
    latin = ReadOptions(kind="csv", encoding="latin-1", delimiter=";")
    [row] = read(latin, "naam;doel\nSúd;ë\n".encode("latin-1"))
    assert row.cells == {"naam": "Súd", "doel": "ë"}


def test_a_very_long_cell_is_read(read):
    long = "x" * 1_000_000
    [row] = read(CSV, f"a\n{long}\n".encode())
    assert row.cells == {"a": long}


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf \n \n", "the file is empty"),
        (b"a,b\n", "a header and no row"),
        (b"a,b\n1,2\n3\n", "line 3: 1 cells where the header names 2"),
        (b"a,b\n1,2,3\n", "line 2: 3 cells where the header names 2"),
        (b'a,b\n1,2\n3,"open\n', "line 3: not readable as CSV"),
        (b'a,b\n"x"y,2\n', "line 2: not readable as CSV"),
        ("a\nok\ncafé\n".encode("latin-1"), "line 3, byte 8: not utf-8 text (byte 0xe9)"),
        ("a\ncaf\x81é\n".encode("latin-1"), '"encoding": …'),
        ("a\ncafé\n".encode("latin-1"), '"encoding": "cp1252"'),
        ("a\n1\n".encode("utf-16"), 'this is UTF-16 text; say "read": {"encoding": "utf-16"}'),
        ("a\n1\n".encode("utf-16-le"), "line 1: a zero byte"),
        (b"a\n" + b"x" * (MAX_CELL + 1), "field larger than field limit"),
    ],
)
def test_a_csv_file_that_cannot_be_used_says_where(read, raw, told):
    with pytest.raises(ImportRefused) as refused:
        read(CSV, raw)
    assert told in refused.value.detail


def csv_options(**options):
    return ReadOptions(kind="csv", **options)


def test_equal_and_blank_headers_get_names_of_their_own(source_of):
    source = source_of(CSV, b"a,,b,b,\n1,2,3,4,\n")
    assert source.rows[0].cells == {"a": "1", "column 2": "2", "b (1)": "3", "b (2)": "4"}
    assert columns(source) == ["a", "column 2", "b (1)", "b (2)"]
    assert missing_columns(source, ["b"], "x").startswith(
        "the crosswalk x reads the column 'b', which the file does not have; 2 columns are headed "
        "'b': write 'b (1)' or 'b (2)', or name the columns by place in \"read\""
    )


def test_a_made_name_never_meets_one_of_the_file(read):
    [row] = read(CSV, b"b,b,b (1),,column 4\n1,2,3,4,5\n")
    assert list(row.cells) == ["b (1)'", "b (2)", "b (1)", "column 4'", "column 4"]


def test_columns_may_be_named_by_place(read):
    [row] = read(csv_options(columns=("first", None, "third")), b"a,b,b,c\n1,2,3,4\n")
    assert row.cells == {"first": "1", "b": "2", "third": "3", "c": "4"}
    [row] = read(csv_options(columns=("first", "second"), header_row=0), b"1,2\n")
    assert row.cells == {"first": "1", "second": "2"}
    assert row.place == "line 1"


def test_rows_before_the_header_and_rows_that_are_no_data(read):
    raw = b"Register of 2025\n\nname,size\n(text),(kB)\nx,1\ny,2\n,\nTotal,3\n"
    rows = read(csv_options(header_row=3, skip_rows=(4, -1)), raw)
    assert [(row.place, row.cells["name"]) for row in rows] == [("line 5", "x"), ("line 6", "y")]
    assert len(read(csv_options(header_row=3, skip_rows=2), raw)) == 2


def test_two_header_rows_are_joined(read):
    raw = b"id,Contact,,Note\n,Name,Mail,\n1,A,a@b,n\n"
    [row] = read(csv_options(header_row=(1, 2)), raw)
    assert row.cells == {"id": "1", "Contact / Name": "A", "Contact / Mail": "a@b", "Note": "n"}


def test_a_preamble_is_pointed_out(source_of):
    with pytest.raises(ImportRefused) as refused:
        source_of(CSV, b"Register\n\na,b,c\n1,2,3\n")
    assert refused.value.detail.endswith(
        "line 3: 3 cells where the header names 1; a quotation mark or a delimiter is missing or "
        "too many. Row 1 has 1 cell and row 3 has 3: if the names of the columns stand in row 3, "
        'say "read": {"header_row": 3}'
    )
    source = source_of(CSV, b"Register,,\n,,\na,b,c\n1,2,3\n")
    assert (
        'row 3 has it: if the names of the columns stand there, say "read": {"header_row": 3}'
        in (missing_columns(source, ["b"], "x"))
    )


def test_another_delimiter_is_pointed_out(source_of):
    source = source_of(CSV, b"name;goal\nx;y\n")
    told = """';' separates the cells: say "read": {"delimiter": ";"}"""
    assert told in missing_columns(source, ["goal"], "x")
    with pytest.raises(ImportRefused) as refused:
        source_of(CSV, b"name\tgoal\nx\ty, z\n")
    assert refused.value.detail.endswith(r'say "read": {"delimiter": "\t"}')
    for raw in (b"sep=;\na;b\n1;2\n", b"sep=;\r\na;b\r\n1;2\r\n"):
        told = """';' separates the cells: say "read": {"delimiter": ";", "header_row": 2}; its"""
        assert told in missing_columns(source_of(CSV, raw), ["a"], "x")
    below = b"Our systems\n\na;b\n1;2\n"
    told = 'say "read": {"delimiter": ";", "header_row": 3}'
    assert told in missing_columns(source_of(CSV, below), ["a"], "x")


def test_a_misspelt_column_is_pointed_out(source_of):
    source = source_of(JSON, b'{"algoritmes": [{"naam": {"nl": 1}, "doel": 2}]}')
    assert "did you mean '/naam/nl'?" in missing_columns(source, ["/naam/en"], "x")
    assert "did you mean" not in missing_columns(source, ["zzz"], "x")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"encoding": "latin-99"}, "no encoding is named 'latin-99'"),
        ({"encoding": "hex"}, "no encoding is named 'hex'"),
        ({"encoding": "punycode"}, "no encoding is named 'punycode'"),
        ({"encoding": "unicode_escape"}, "no encoding is named 'unicode_escape'"),
        ({"encoding": "utf-7"}, None),
        ({"header_row": 9}, 'there is no row 9, which "read": {"header_row"} names; the last is 3'),
        ({"header_row": 2}, "row 2 is empty, so no column has a name"),
        ({"columns": ("x", "y", "z")}, "names 3 columns; there are 2"),
    ],
)
def test_options_that_do_not_fit_are_named(read, options, told):
    if told is None:
        assert read(csv_options(**options), b"a,b\n\n1,2\n")
        return
    with pytest.raises(ImportRefused) as refused:
        read(csv_options(**options), b"a,b\n\n1,2\n")
    assert told in refused.value.detail


def test_json_lines(source_of):
    raw = b'\xef\xbb\xbf{"a": {"b": ["x"]}, "c/d": 1}\r\n\n{"a": \n[1]\n{"a": {"b": null}}'
    source = source_of(ReadOptions(kind="jsonl"), raw)
    assert [(row.place, row.cells, row.fault) for row in source.rows] == [
        ("line 1", {"a": {"b": ["x"]}, "c/d": 1}, NO_OBJECT),
        ("line 3", None, "column 6: not JSON: Expecting value"),
        ("line 4", None, NO_OBJECT),
        ("line 5", {"a": {"b": None}}, NO_OBJECT),
    ]
    assert columns(source) == ["/a/b", "c/d"]
    first = source.rows[0].cells
    assert [cell(first, name) for name in ("/a/b", "/a/b/0", "c/d", "/a/x", "/c/d", "/a/b/1")] == [
        ["x"], "x", 1, None, None, None]  # fmt: skip
    assert [has_column(source, name) for name in ("a", "/a", "/a/b/0", "/a/x", "x")] == [
        True, True, True, False, False]  # fmt: skip


def test_json_lines_without_any_object(read):
    told = "no line is an object of JSON; line 1: column 2: not JSON"
    with pytest.raises(ImportRefused, match=told):
        read(ReadOptions(kind="jsonl"), b"{oops\n[]\n")


def test_json_lines_of_blanks_alone(read):
    with pytest.raises(ImportRefused, match="there is no line that is not blank"):
        read(ReadOptions(kind="jsonl", encoding="utf-16"), "\n \n".encode("utf-16"))


def test_a_row_nested_beyond_the_bound_is_one_refused_row(read):
    deep = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    first, second = read(ReadOptions(kind="json"), b'[{"a": %s}, {"a": [%s]}]' % (deep[1:-1], deep))
    assert first.cells is not None
    assert (second.cells, second.fault) == (None, "nested too deeply; a row may have 64 levels")


def test_progress_is_told(source_of):
    told = []
    raw = json.dumps([{"a": 1}] * 2_500).encode()
    source_of(ReadOptions(kind="json"), raw, progress=lambda *numbers: told.append(numbers))
    assert told == [(1_000, 2_500), (2_000, 2_500), (2_500, 2_500)]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("MAX_ROWS", 1, "line 2: a source file may have 1 rows"),
        ("MAX_COLUMNS", 1, "line 1: 2 columns; a source file may have 1"),
        ("MAX_CELLS", 3, "line 2: a source file may have 1,000,000 rows and 3 cells"),
        ("MAX_SECONDS", -1, "line 1: not read within -1 seconds"),
    ],
)
def test_a_file_beyond_the_bounds_is_refused(read, monkeypatch, name, value, told):
    monkeypatch.setattr(bounds, name, value)
    monkeypatch.setattr(bounds, "STRIDE", 1)
    with pytest.raises(ImportRefused) as refused:
        read(CSV, b"a,b\n1,2\n")
    assert told in refused.value.detail


def test_a_file_of_too_many_bytes_is_refused(read, monkeypatch):
    monkeypatch.setattr("registry.imports.rows.MAX_BYTES", 7)
    with pytest.raises(ImportRefused, match="a source file may have 7 bytes"):
        read(CSV, b"a,b\n1,2\n")


def test_json_of_too_many_objects_is_refused_before_it_is_parsed(read, monkeypatch):
    monkeypatch.setattr("registry.imports.text_files.MAX_CELLS", 2)
    with pytest.raises(ImportRefused, match="3 objects and lists; a source file may have 2"):
        read(ReadOptions(kind="json"), b"[{},{}")


def test_the_bounds_are_those_that_the_documentation_and_the_schema_state():
    guide = Path(__file__).parents[2].joinpath("docs/importing.md").read_text(encoding="utf-8")
    schema = (SCHEMAS / "crosswalk.schema.json").read_text(encoding="utf-8")
    stated = [
        f"{bounds.MAX_BYTES >> 20} MiB",
        f"{bounds.MAX_HTML_BYTES >> 20} MiB",
        f"{bounds.MAX_INFLATED >> 30} GiB",
        f"{sheets.MAX_RATIO} times its packed size",
        f"{sheets.MAX_PARTS:,}",
        f"{bounds.MAX_SHEETS:,} sheets",
        f"{bounds.MAX_ROWS:,}",
        f"{bounds.MAX_COLUMNS:,}",
        f"{bounds.MAX_CELLS:,}",
        f"{bounds.MAX_CELL:,}",
        f"{bounds.MAX_DEPTH}",
        f"{bounds.MAX_SECONDS:.0f} seconds",
        f"{bounds.MAX_MEMORY >> 30} GiB",
    ]
    assert [text for text in stated if text not in guide or text not in schema] == []


def test_json_rows_are_numbered_from_one(source_of):
    raw = b'\xef\xbb\xbf{"algoritmes": [{"id": 1}, "oops", {"id": null}]}'
    source = source_of(JSON, raw)
    assert [(row.line, row.cells) for row in source.rows] == [
        (1, {"id": 1}),
        (2, None),
        (3, {"id": None}),
    ]
    assert source.rows[2].place == "item 3"
    assert columns(source) == ["id"]


def test_a_json_file_may_be_the_list_itself(read):
    [row] = read(ReadOptions(kind="json"), b'[{"id": "1"}]')
    assert row.cells == {"id": "1"}


@pytest.mark.parametrize("rows", ["/data/a~1b", "plain"])
def test_json_rows_stand_at_a_pointer_or_under_a_key(read, rows):
    raw = b'{"data": {"a/b": [{"id": 1}]}, "plain": [{"id": 1}]}'
    [row] = read(ReadOptions(kind="json", rows=rows), raw)
    assert row.cells == {"id": 1}


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "the file is empty"),
        (b'{"algoritmes": [\n{"id": 1},]}', "line 2, column 11: not JSON"),
        (b'{"rows": [], "count": 0}', "no rows under '/algoritmes'; the keys are 'rows', 'count'"),
        (b"[1]", "an object with the rows under '/algoritmes' is expected"),
        (b'{"algoritmes": {}}', "the value under '/algoritmes' is not a list"),
        (b'{"algoritmes": []}', "the list of rows is empty"),
        (b'{"algoritmes": [{"a": 1, "a": 2}]}', "the key 'a' occurs twice"),
        (b'{"algoritmes": [NaN]}', "NaN is no number of JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"algoritmes": ["\xff"]}', "line 1, byte 17: not utf-8 text"),
    ],
)
def test_a_json_file_that_cannot_be_used_says_where(read, raw, told):
    with pytest.raises(ImportRefused) as refused:
        read(JSON, raw)
    assert told in refused.value.detail


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ImportRefused, match=r"nowhere\.csv: cannot be read: No such file"):
        read_source(CSV, tmp_path / "nowhere.csv")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ImportRefused, match="cannot be read"):
        read_source(CSV, tmp_path)


def test_more_rows_than_one_document_may_have_values(read):
    many = [{"id": str(number), "a": "", "b": ""} for number in range(30_000)]
    assert len(read(JSON, json.dumps({"algoritmes": many}).encode())) == 30_000


def test_json_without_a_list_is_named_by_its_members(read):
    with pytest.raises(ImportRefused) as refused:
        read(ReadOptions(kind="json"), b'{"17": {"name": "x"}, "18": {"name": "y"}}')
    told = "not a list of rows but an object with 17, 18; put its rows into a list, [{…}]"
    assert refused.value.detail.endswith(told)
