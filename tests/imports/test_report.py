import json

from registry.imports.report import as_json, as_lines, run_lines
from registry.services.importing.importing import RunReport
from registry.store.imports import ImportCounts


def test_the_report_accounts_for_every_row(convert, us, us_bytes):
    _, report = convert(
        us,
        us_bytes(
            {"use_case_name": "Rain", "is_high_impact": "High-impact"},
            {"use_case_name": "Snow", "benefits": "b " * 2000, "is_high_impact": "Perhaps"},
            {"id": "TBD"},
            {"id": "DWX-4"},
            {"use_case_name": "Fog", "agency": "DRY", "agency_name": "Department of Sun",
             "vendor_name": "A;B;C", "operational_date": "soon"},
        ),
    )  # fmt: skip
    whole = json.loads(json.dumps(as_json(report)))
    assert (whole["rows"], whole["records"], whole["refused"]) == (5, 4, 1)
    assert whole["refused_rows"] == [
        {"line": 4, "place": "line 4", "reason": "use_case_name: the row has no name"}
    ]
    assert whole["refused_by_reason"] == {"use_case_name: the row has no name": 1}
    assert whole["risk"] == {"not_stated": 3, "high": 1}
    assert whole["agencies"] == {"us.dwx": 3, "us.dry": 1}
    assert whole["truncated"] == {"/purpose/public_benefit/en": 1}
    assert whole["not_understood"]["is_high_impact"] == {
        "count": 1,
        "distinct": 1,
        "examples": {"Perhaps": 1},
    }
    assert whole["dates_not_understood"] == 1
    assert (whole["missing_ids"], whole["otherwise"]) == (3, {"id": 1})
    lines = "\n".join(as_lines(report))
    assert lines.startswith("5 rows: 4 records, 1 refused\n")
    assert "operational_date: 1 values not understood, left out: 'soon'" in lines


def test_records_that_moved_and_changed_are_told_so_that_the_numbers_add_up():
    counts = ImportCounts(rows=9, records=9, added=1, changed=3, moved=4, unchanged=3)
    told = next(run_lines(RunReport(counts=counts), complete=False))
    assert told == (
        "1 created, 3 changed, 3 unchanged, 4 moved to another agency (2 of them changed too)"
    )
