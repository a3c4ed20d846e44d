"""The real files, counted a second time straight from the source, by none of our code."""

import csv
import datetime as dt
import json
import re
import unicodedata
from collections import Counter

import pytest

from registry.exchange.convert import convert_file
from registry.exchange.crosswalk import unknown_columns
from registry.exchange.outcome import ForeignRecord
from registry.exchange.readers.source import columns
from registry.exchange.rows import read_source
from registry.record.fast_validator import FastValidator
from registry.record.pack import load_pack
from registry.record.validate import validate

ORIGINS = ["us-omb-2025", "nl-algoritmeregister"]
RISK = {
    "High-impact": "high",
    "Presumed High-Impact, but Not High-impact": "limited",
    "Not High-impact": "minimal",
    "": "not_stated",
}


def source_rows(path):
    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8"))["algoritmes"]
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("origin", "rows"), [(ORIGINS[0], 3611), (ORIGINS[1], 1530)])
def test_every_row_is_accounted_for(shared, origin, rows):
    _, path, outcomes, report = shared[origin]
    assert len(source_rows(path)) == len(outcomes) == report.rows == rows
    assert report.records + len(report.refusals) == rows
    assert report.refusals == []
    assert len({outcome.document["id"] for outcome in outcomes}) == rows


@pytest.mark.parametrize("origin", ORIGINS)
def test_the_untouched_row_is_kept(shared, origin):
    _, path, outcomes, _ = shared[origin]
    assert [outcome.source_row for outcome in outcomes] == source_rows(path)


@pytest.mark.parametrize("origin", ORIGINS)
def test_every_column_is_mapped_or_left_out_with_a_reason(shared, origin):
    crosswalk, path, _, report = shared[origin]
    assert unknown_columns(crosswalk, columns(read_source(crosswalk.read, path))) == []
    assert report.unknown_columns == []


def test_american_risk_and_agencies_equal_a_count_of_the_source(shared):
    _, path, outcomes, report = shared["us-omb-2025"]
    rows = source_rows(path)
    risk = Counter(RISK[row["is_high_impact"]] for row in rows)
    agencies = Counter("us." + row["agency"].lower() for row in rows)
    documents = [outcome.document for outcome in outcomes]
    assert risk == Counter(
        document.get("risk", {}).get("level", "not_stated") for document in documents
    )
    assert agencies == Counter(document["id"].split("/")[0] for document in documents)
    assert (risk, agencies) == (report.risk, report.agencies)
    assert risk["not_stated"] == 426


def test_dutch_risk_and_agencies_equal_a_count_of_the_source(shared):
    _, path, outcomes, report = shared["nl-algoritmeregister"]

    def expected_agency(name):
        plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
        return "nl." + re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")

    agencies = Counter(expected_agency(row["organisatie"]) for row in source_rows(path))
    documents = [outcome.document for outcome in outcomes]
    assert agencies == Counter(document["id"].split("/")[0] for document in documents)
    assert len(agencies) == 336
    assert report.risk == {"not_stated": 1530}
    assert not any("risk" in document or "sector" in document for document in documents)


def test_every_american_date_is_understood(shared):
    _, path, outcomes, report = shared["us-omb-2025"]
    stated = sum(bool(row["operational_date"]) for row in source_rows(path))
    assert report.dates_not_understood == 0
    assert stated == sum(
        "deployed_on" in outcome.document.get("lifecycle", {}) for outcome in outcomes
    )


def test_no_coded_column_is_left_without_understanding(shared):
    understood_in_part = {
        "code_url", "contact_email", "demographic_features", "hi_public_consultation", "pia_url",
    }  # fmt: skip
    assert set(shared["us-omb-2025"][3].not_understood) == understood_in_part
    assert shared["nl-algoritmeregister"][3].not_understood == {}


@pytest.mark.parametrize("origin", ORIGINS)
def test_documents_hold_under_any_day_and_are_the_same_on_every_run(shared, origin, tmp_path):
    crosswalk, path, outcomes, _ = shared[origin]
    rows = source_rows(path)
    rows = rows[1::2] + rows[::2][::-1]  # every row once, few of them where they were
    assert len(rows) == len(outcomes)
    shuffled = tmp_path / path.name
    if path.suffix == ".json":
        shuffled.write_text(json.dumps({"algoritmes": rows}), encoding="utf-8")
    else:
        with shuffled.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    pack = load_pack("ma")
    later = dt.date(2031, 1, 1)
    again = list(convert_file(crosswalk, shuffled, pack=pack, today=later, fast=FastValidator()))
    assert all(isinstance(outcome, ForeignRecord) for outcome in again)
    assert {outcome.document["id"]: outcome.document for outcome in again} == {
        outcome.document["id"]: outcome.document for outcome in outcomes
    }


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_sample_satisfies_the_foreign_profile(shared, origin):
    pack = load_pack("ma")
    today = dt.date(2026, 11, 1)
    for outcome in shared[origin][2][::40]:
        verdict = validate(outcome.document, profile="foreign", pack=pack, today=today)
        assert verdict.findings == ()
        assert verdict == outcome.verdict
