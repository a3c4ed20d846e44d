from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pytest

from registry.exchange.convert import convert_file
from registry.exchange.crosswalk import load_crosswalk
from registry.exchange.outcome import ForeignRecord
from registry.exchange.report import ImportReport
from registry.record.fast_validator import FastValidator
from registry.record.pack import load_pack

TODAY = dt.date(2026, 11, 1)
SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"
US_FILE = SHARED / "us-omb-2025" / "2025_individually_reported_AI_use_cases.csv"
NL_FILE = SHARED / "nl" / "algoritmes_2026-08-08.json"


@pytest.fixture(scope="session")
def us():
    return load_crosswalk("us-omb-2025")


@pytest.fixture(scope="session")
def nl():
    return load_crosswalk("nl-algoritmeregister")


@pytest.fixture(scope="session")
def us_columns(us):
    columns = [mapping.column for mapping in us.mappings]
    columns += [us.agency.code, us.agency.name, *(left_out.column for left_out in us.unmapped)]
    return list(dict.fromkeys(column for column in columns if column))


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
def document(convert, us, us_bytes):
    """Convert one fictitious American row to its document."""

    def of(**cells):
        [outcome], _ = convert(us, us_bytes({"id": "DWX-1", "use_case_name": "Rain", **cells}))
        assert isinstance(outcome, ForeignRecord), outcome
        return outcome.document

    return of


@pytest.fixture(scope="session")
def shared(us, nl):
    """Both real files, converted once: crosswalk, path, outcomes, report, by origin."""
    if not US_FILE.is_file() or not NL_FILE.is_file():
        pytest.skip(f"the shared data is not there: {SHARED}")
    found = {}
    for crosswalk, path in ((us, US_FILE), (nl, NL_FILE)):
        report = ImportReport(origin=crosswalk.origin)
        pack = load_pack("ma")
        outcomes = list(
            convert_file(
                crosswalk, path, pack=pack, today=TODAY, report=report, fast=FastValidator()
            )
        )
        found[crosswalk.origin] = (crosswalk, path, outcomes, report)
    return found
