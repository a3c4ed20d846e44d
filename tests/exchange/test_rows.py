import json

import pytest

from registry.errors import ImportRefused
from registry.exchange.readers.options import ReadOptions
from registry.exchange.rows import MAX_CELL, columns, read_rows

CSV = ReadOptions(kind="csv")
JSON = ReadOptions(kind="json", rows="/algoritmes")


@pytest.fixture
def read(tmp_path):
    def run(file_format, raw):
        path = tmp_path / "source"
        path.write_bytes(raw)
        return read_rows(file_format, path)

    return run


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
        (b" \n \n", "the file is empty"),
        (b"a,b\n", "a header and no row"),
        (b"a,a\n1,2\n", "the column 'a' occurs twice"),
        (b"a,b\n1,2\n3\n", "line 3: 1 cells where the header names 2"),
        (b"a,b\n1,2,3\n", "line 2: 3 cells where the header names 2"),
        (b'a,b\n1,2\n3,"open\n', "line 3: not readable as CSV"),
        (b'a,b\n"x"y,2\n', "line 2: not readable as CSV"),
        ("a\nok\ncafé\n".encode("latin-1"), "line 3, byte 8: not utf-8 text (byte 0xe9)"),
        ("a\n1\n".encode("utf-16"), "line 1, byte 0: not utf-8 text"),
        ("a\n1\n".encode("utf-16-le"), "line 1: a zero byte"),
        (b"a\n" + b"x" * (MAX_CELL + 1), "field larger than field limit"),
    ],
)
def test_a_csv_file_that_cannot_be_used_says_where(read, raw, told):
    with pytest.raises(ImportRefused) as refused:
        read(CSV, raw)
    assert told in refused.value.detail


def test_json_rows_are_numbered_from_one(read):
    rows = read(JSON, b'\xef\xbb\xbf{"algoritmes": [{"id": 1}, "oops", {"id": null}]}')
    assert [(row.line, row.cells) for row in rows] == [(1, {"id": 1}), (2, None), (3, {"id": None})]
    assert columns(rows) == ["id"]


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
        read_rows(CSV, tmp_path / "nowhere.csv")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ImportRefused, match="cannot be read"):
        read_rows(CSV, tmp_path)


def test_more_rows_than_one_document_may_have_values(read):
    many = [{"id": str(number), "a": "", "b": ""} for number in range(30_000)]
    assert len(read(JSON, json.dumps({"algoritmes": many}).encode())) == 30_000
