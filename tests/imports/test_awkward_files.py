"""Files as agencies publish them: each is imported with one crosswalk, and the error before it,
where there is one, names the member of the crosswalk that was missing."""

import json

import pytest

from registry.errors import ImportRefused
from registry.imports.crosswalk import load_crosswalk
from tests.imports import awkward_files as awkward

CSV = {"as": "csv"}
XLSX = {"as": "xlsx"}
TECHNIQUES = {
    "statistics": "statistical_scoring",
    "machine learning": "classical_ml",
    "rules": "rules",
    "speech": "speech",
}


@pytest.fixture(scope="module")
def crosswalk():
    """Write a crosswalk that reads three columns, by other names where that is said."""

    def write(read, *more, agency=None, columns=("Agency", "Name", "Goal")):
        return {
            "origin": "example",
            "title": "Example",
            "publisher": "Example",
            "homepage": "https://example.org",
            "licence": "CC0-1.0",
            "country": "XC",
            "language": "en",
            "over_long": "refuse",
            "unmapped": [],
            "read": read,
            "agency": {"prefix": "xc", **(agency or {"name": columns[0]})},
            "id": {"of": ["agency", "/name"]},
            "mappings": [
                {"column": columns[1], "to": "/name", "transform": "line"},
                {"column": columns[2], "to": "/purpose/goal", "transform": "text"},
                *more,
            ],
        }

    return write


@pytest.fixture
def imported(tmp_path, convert, crosswalk):
    """Import a file, all of it; gives each row's agency, name and goal, and the outcomes."""

    def run(raw, *arguments, **options):
        path = tmp_path / "crosswalk.json"
        path.write_text(json.dumps(crosswalk(*arguments, **options)), encoding="utf-8")
        outcomes, report = convert(load_crosswalk(path), raw)
        assert report.refusals == []
        return [
            (
                one.agency.name["en"],
                one.document["name"]["en"],
                one.document["purpose"]["goal"]["en"],
            )
            for one in outcomes
        ], outcomes

    return run


JOINED = ("Agency", "The system / Name", "The system / Goal")
ALL = [tuple(row) for row in awkward.ROWS]
MERGED = [("Parks", name, goal) for _, name, goal in ALL]
BROKEN = [(agency, name, f"{goal}\nYes & no.") for agency, name, goal in ALL]

# The file; what reads it; names of its columns that differ; the records; what was said before.
FILES = {
    "preamble": (
        awkward.preamble,
        CSV | {"header_row": 4},
        None,
        ALL,
        (
            CSV,
            'row 4 has it: if the names of the columns stand there, say "read": {"header_row": 4',
        ),
    ),
    "two header rows": (
        awkward.two_header_rows,
        CSV | {"header_row": [1, 2]},
        JOINED,
        ALL,
        (CSV, 'if the names of the columns stand there, say "read": {"header_row": [1, 2]}'),
    ),
    "merged heads": (
        awkward.merged_heads,
        XLSX | {"header_row": [2, 3]},
        JOINED,
        MERGED,
        (XLSX, "rows 2 and 3 have it: if the names of the columns stand there"),
    ),
    "hidden sheet first": (
        awkward.hidden_sheet_first,
        "xlsx",
        None,
        ALL,
        (CSV, 'this is an Excel workbook; say "read": "xlsx"'),
    ),
    "blank headers": (
        awkward.blank_headers,
        CSV | {"columns": [None, "Name"]},
        None,
        ALL,
        (CSV, "its columns are Agency, column 2, Goal"),
    ),
    "equal headers": (
        awkward.equal_headers,
        "csv",
        ("Agency", "Please explain (1)", "Please explain (2)"),
        ALL,
        (CSV, "which the file does not have"),
    ),
    "cp1252": (
        awkward.cp1252,
        CSV | {"encoding": "cp1252", "delimiter": ";"},
        None,
        [("Café des Élèves", "Menu – naïf", "Œuvre “juste”")],
        (CSV | {"delimiter": ";"}, '"read": {"encoding": "cp1252"}'),
    ),
    "utf-8 or cp1252": (
        awkward.cp1252,
        CSV | {"encoding": ["utf-8", "cp1252"], "delimiter": ";"},
        None,
        [("Café des Élèves", "Menu – naïf", "Œuvre “juste”")],
        (CSV | {"encoding": ["utf-8", "utf-16"], "delimiter": ";"}, "not utf-8 text"),
    ),
    "cp1252 or utf-8": (
        awkward.utf_8,
        CSV | {"encoding": ["cp1252", "utf-8"], "delimiter": ";"},
        None,
        [("Café des Élèves", "Menu – naïf", "Œuvre “juste”")],
        None,
    ),
    "utf-8": (
        awkward.utf_8,
        CSV | {"delimiter": ";"},
        None,
        [("Café des Élèves", "Menu – naïf", "Œuvre “juste”")],
        (
            CSV | {"encoding": "latin1", "delimiter": ";"},
            'this is UTF-8 text and not latin1; say "read": {"encoding": "utf-8"}',
        ),
    ),
    "utf-16": (
        awkward.utf_16,
        CSV | {"encoding": "utf-16", "delimiter": "\t"},
        None,
        ALL,
        (CSV | {"delimiter": "\t"}, 'this is UTF-16 text; say "read": {"encoding": "utf-16"}'),
    ),
    "page": (
        awkward.html_page,
        {"as": "html", "caption": "AI use cases", "header_row": [1, 2]},
        JOINED,
        BROKEN,
        (CSV, 'this is an HTML page; say "read": "html"'),
    ),
    "nested json": (
        awkward.nested_json,
        {"as": "json", "rows": "/data/systems"},
        ("/org/name", "/title/en", "/goal"),
        ALL,
        ({"as": "json"}, 'lists there are: "rows": "/data/systems"'),
    ),
    "nested json lines": (
        awkward.nested_json_lines,
        "jsonl",
        ("/org/name", "/title/en", "/goal"),
        ALL,
        ({"as": "json"}, 'this is JSON Lines; say "read": "jsonl"'),
    ),
    "excel 97": (
        awkward.excel_97,
        "xls",
        None,
        MERGED,
        (XLSX, 'this is an old Excel workbook; say "read": "xls"'),
    ),
    "opendocument": (
        lambda: awkward.opendocument([awkward.NAMES, *awkward.ROWS]),
        "ods",
        None,
        ALL,
        (XLSX, 'this is an OpenDocument spreadsheet; say "read": "ods"'),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_as_it_is_published_is_imported(imported, name):
    make, read, columns, records, before = FILES[name]
    named = {"columns": columns} if columns else {}
    if before is not None:
        with pytest.raises(ImportRefused) as refused:
            imported(make(), before[0], **({} if name == "equal headers" else named))
        assert before[1] in refused.value.detail
    assert imported(make(), read, **named)[0] == records


def test_equal_headers_are_named_in_the_error(imported):
    with pytest.raises(ImportRefused, match=r"write 'Please explain \(1\)' or 'Please explain"):
        imported(awkward.equal_headers(), "csv", columns=("Agency", "Please explain", "Agency"))


def test_a_file_of_one_body(imported):
    with pytest.raises(ImportRefused, match="reads the column 'Agency'"):
        imported(awkward.single_body(), "csv")
    stated = {"constant": {"name": "Parks"}}
    assert imported(awkward.single_body(), "csv", agency=stated)[0] == MERGED


def test_dates_and_their_numbers_in_a_workbook(imported):
    _, [outcome] = imported(
        awkward.serial_dates(),
        "xlsx",
        {"column": "Since", "to": "/lifecycle/deployed_on", "transform": "date"},
        {"column": "Until", "to": "/lifecycle/retired_on", "transform": "date", "pattern": "excel"},
    )
    assert outcome.document["lifecycle"] == {
        "deployed_on": "2025-06-01",
        "retired_on": "2025-06-01",
    }
    _, [outcome] = imported(
        awkward.serial_dates(),
        "xlsx",
        {"column": "Until", "to": "/lifecycle/retired_on", "transform": "date"},
    )
    assert "lifecycle" not in outcome.document
    assert [unclear.value for unclear in outcome.unclear] == ["45809"]


def test_lists_with_commas_and_with_breaks(imported):
    to = {"to": "/technical/techniques/-", "transform": "code", "values": TECHNIQUES}
    _, [outcome] = imported(
        awkward.lists_in_cells(),
        "csv",
        {"column": "Techniques", "list": ",", **to},
        {"column": "Others", "list": "<br>", **to},
    )
    assert outcome.document["technical"]["techniques"] == [
        "statistical_scoring", "classical_ml", "rules", "speech"]  # fmt: skip
    assert outcome.unclear == ()


def test_a_refusal_names_the_cell(tmp_path, convert, crosswalk):
    strict = {"column": "Goal", "to": "/lifecycle/status", "transform": "code", "strict": True}
    path = tmp_path / "strict.json"
    document = crosswalk("xlsx", strict | {"values": {"Says where pipes leak.": None}})
    path.write_text(json.dumps(document), encoding="utf-8")
    (bad, good), _ = convert(load_crosswalk(path), awkward.hidden_sheet_first())
    assert (bad.place, bad.reason) == (
        "sheet 'Data', cell C2",
        "Goal: 'Says where trees are missing.' is not understood",
    )
    assert good.place == "sheet 'Data', row 3"
