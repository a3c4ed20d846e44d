"""Any bytes under any kind are rows or a refusal; `make fuzz` asks more of them."""

import os

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from registry.errors import ImportRefused
from registry.imports.columns import missing_columns
from registry.imports.rows import read_source
from registry.imports.source import ReadOptions, cell, columns, has_column, refused_place
from tests.imports import awkward_files as awkward

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "15"))
TEXTS = ["csv", "json", "jsonl", "html"]
SEEDS = [
    awkward.preamble(),
    awkward.two_header_rows(),
    awkward.equal_headers(),
    awkward.cp1252(),
    awkward.utf_16(),
    awkward.html_page(),
    awkward.nested_json(),
    awkward.nested_json_lines(),
]
WORKBOOKS = {
    "xlsx": [awkward.merged_heads(), awkward.hidden_sheet_first()],
    "ods": [awkward.opendocument([awkward.NAMES, *awkward.ROWS], hidden=[["x"]])],
    "xls": [awkward.excel_97()],
}
PIECES = st.sampled_from(
    [b"\0", b'"', b",", b"\n", b"\r", b"{", b"[", b"]", b"\\", b"\xff\xfe", b"\xef\xbb\xbf", b"<",
     b">", b"<table>", b"<tr>", b"<td rowspan=0 colspan=999>", b"</table>", b"<!--", b"<![CDATA[",
     b"&#0;", b"1e999", b"\\ud800", b'"a":' * 3, b"[" * 3000, b'r="XFD1048576"', b'r="A0"',
     b"<v>-1</v>", b't="e"', b't="s"', b'ref="A1:XFD1048576"', b"9" * 5000]
)  # fmt: skip
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 20), st.one_of(PIECES, st.binary(max_size=8))),
    max_size=6,
)
NUMBERS = st.integers(0, 6)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "encoding": st.sampled_from(["utf-8", "cp1252", "utf-16", "utf-16-le", "utf-7", "cp037"]),
        "delimiter": st.sampled_from([",", ";", "\t", " ", "a"]),
        "header_row": st.one_of(NUMBERS, st.sets(st.integers(1, 6), min_size=2).map(tuple)),
        "skip_rows": st.one_of(NUMBERS, st.lists(st.integers(-9, 9), max_size=4).map(tuple)),
        "columns": st.lists(st.one_of(st.none(), st.text(min_size=1, max_size=3)), max_size=4).map(
            tuple
        ),
        "sheet": st.one_of(NUMBERS, st.sampled_from(["Data", "Codes", ""])),
        "rows": st.sampled_from(["/data/systems", "/data", "data", "/", "/data/systems/0"]),
        "caption": st.sampled_from(["Menu", "AI use cases"]),
    },
)


def edited(raw, edits):
    for place, cut, added in edits:
        at = int(place * len(raw))
        raw = raw[:at] + added + raw[at + cut :]
    return raw


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "source"

    def run(kind, raw, options):
        path.write_bytes(raw)
        try:
            source = read_source(ReadOptions(kind=kind, **options), path)
        except ImportRefused as refused:
            detail = refused.detail
        else:
            detail = ""
        if detail:
            assert detail.startswith(f"{path}: ")
            return
        assert source.rows
        names = columns(source)
        assert len(set(names)) == len(names)
        for row in source.rows[:5]:
            assert (row.cells is not None) or row.fault
            for name in names[:5]:
                cell(row.cells or {}, name)
                assert refused_place(source, row, f"{name}: x")
                assert has_column(source, name)
        assert missing_columns(source, ["no such column"], "x")

    return run


SEEDED = seed(int(os.environ["FUZZ_SEED"])) if "FUZZ_SEED" in os.environ else lambda test: test
FUZZED = settings(
    max_examples=EXAMPLES * 5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@SEEDED
@FUZZED
@given(st.sampled_from(TEXTS), st.binary(max_size=300), OPTIONS)
def test_any_bytes(read, kind, raw, options):
    read(kind, raw, options)


@SEEDED
@FUZZED
@given(st.sampled_from(TEXTS), st.sampled_from(SEEDS), EDITS, OPTIONS)
def test_any_text_that_was_damaged(read, kind, raw, edits, options):
    read(kind, edited(raw, edits), options)


@SEEDED
@settings(FUZZED, max_examples=EXAMPLES)
@given(st.data(), st.sampled_from(sorted(WORKBOOKS)), EDITS, OPTIONS)
def test_any_workbook_that_was_damaged(read, data, kind, edits, options):
    raw = data.draw(st.sampled_from(WORKBOOKS[kind]))
    part = data.draw(
        st.sampled_from(["", "sheet1", "sheet2", "workbook", "sharedStrings", "styles", "content"])
    )
    if part and kind != "xls":
        raw = awkward.repacked(raw, **{part: lambda content: edited(content, edits)})
    else:
        raw = edited(raw, edits)
    read(kind, raw, options)
