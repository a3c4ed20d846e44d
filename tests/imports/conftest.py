from __future__ import annotations

import csv
import datetime as dt
import functools
import io
import json
from pathlib import Path

import pytest

from registry.imports.columns import CellReader
from registry.imports.convert import convert_file, rehearse
from registry.imports.crosswalk import load_crosswalk
from registry.imports.crosswalk_model import columns_read
from registry.imports.draft import make_plan
from registry.imports.report import ForeignRecord, ImportReport
from registry.record.fast_validator import FastValidator
from registry.record.pack import load_pack
from registry.record.validate import validate

TODAY = dt.date(2026, 11, 1)
SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"
FILES = {
    "us-omb-2025": SHARED / "us-omb-2025" / "2025_individually_reported_AI_use_cases.csv",
    "nl-algoritmeregister": SHARED / "nl" / "algoritmes_2026-08-08.json",
    "uk-atrs": SHARED / "uk" / "atrs_records.json",
}


@pytest.fixture(scope="session")
def us():
    return load_crosswalk("us-omb-2025")


@pytest.fixture(scope="session")
def nl():
    return load_crosswalk("nl-algoritmeregister")


@pytest.fixture(scope="session")
def us_columns(us):
    columns = [name for names in columns_read(us) for name in names]
    return [*columns, *(left_out.column for left_out in us.unmapped)]


@pytest.fixture(scope="session")
def us_bytes(us_columns):
    """Write fictitious rows as the American file does; what a row leaves out is empty."""

    def write(*rows, columns=us_columns, encoding="utf-8-sig"):
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        for row in rows:
            writer.writerow({"agency": "DWX", "agency_name": "Department of Weather", **row})
        return out.getvalue().encode(encoding)

    return write


@pytest.fixture(scope="session")
def nl_bytes():
    """Write fictitious rows as the Dutch file does."""
    empty = dict.fromkeys(
        ["doel", "geregistreerd", "id", "impactassessment", "juridische_basis", "organisatie",
         "status", "title", "toegevoegd", "url"], "")  # fmt: skip

    def write(*rows, key="algoritmes"):
        filled = [{**empty, "organisatie": "Gemeente Voorbeeld", **row} for row in rows]
        return json.dumps({key: filled, "count": len(filled)}).encode()

    return write


@pytest.fixture
def convert(tmp_path):
    """Convert bytes by a crosswalk to a list of outcomes; the report comes with them."""

    def run(crosswalk, raw):
        path = tmp_path / "source"
        path.write_bytes(raw)
        report = ImportReport(origin=crosswalk.origin)
        pack = load_pack("ma")
        outcomes = convert_file(
            crosswalk, path, pack=pack, today=TODAY, report=report, fast=FastValidator()
        )
        return list(outcomes), report

    return run


@pytest.fixture
def faults(pack):
    """Return what the format finds in what a crosswalk may write."""

    def of(crosswalk):
        plan = make_plan(crosswalk, CellReader(names={}, nothing=frozenset()))
        check = functools.partial(validate, profile="foreign", pack=pack, today=TODAY)
        return list(rehearse(plan, check))

    return of


@pytest.fixture
def document(convert, us, us_bytes):
    """Convert one fictitious American row to its document."""

    def of(**cells):
        [outcome], _ = convert(us, us_bytes({"id": "DWX-1", "use_case_name": "Rain", **cells}))
        assert isinstance(outcome, ForeignRecord), outcome
        return outcome.document

    return of


@pytest.fixture(scope="session")
def shared():
    """The real files, converted once: crosswalk, path, outcomes, report, by origin."""
    missing = [str(path) for path in FILES.values() if not path.is_file()]
    if missing:
        pytest.skip(f"the shared data is not there: {', '.join(missing)}")
    found = {}
    pack = load_pack("ma")
    for origin, path in FILES.items():
        crosswalk = load_crosswalk(origin)
        report = ImportReport(origin=origin)
        outcomes = list(
            convert_file(
                crosswalk, path, pack=pack, today=TODAY, report=report, fast=FastValidator()
            )
        )
        found[origin] = (crosswalk, path, outcomes, report)
    return found
