"""Records in the form of another register: what is imported comes out again as it was."""

import csv
import io
import json

import pytest

from registry.imports.backwards import RecordToWrite, read_again, write_file
from registry.imports.convert import convert_file
from registry.imports.crosswalk import load_crosswalk
from registry.record.pack import load_pack
from tests.conftest import ROOT
from tests.imports.conftest import FILES, TODAY


def header_and_rows(name, content):
    """What the file of a register has: the columns of its rows, and these."""
    if name == "us-omb-2025":
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        return set(reader.fieldnames), list(reader)
    [found] = [value for value in json.loads(content).values() if isinstance(value, list)]
    return set().union(*found), found


@pytest.mark.parametrize("name", ["uk-atrs", "nl-algoritmeregister", "us-omb-2025"])
def test_real_rows_come_out_again_as_they_came_in(name):
    if not FILES[name].exists():
        pytest.skip(f"the file of {name} is not there: {FILES[name]}")
    crosswalk, pack = load_crosswalk(name), load_pack("ma")
    outcomes = list(convert_file(crosswalk, FILES[name], pack=pack, today=TODAY))[:400]
    records = [
        RecordToWrite(document=one.document, agency=one.agency, changed_on=one.changed_on)
        for one in outcomes
    ]
    written = write_file(crosswalk, records)
    columns, rows = header_and_rows(name, written)
    source_columns, source = header_and_rows(name, FILES[name].read_bytes())
    assert columns == source_columns
    told = read_again(crosswalk, written, records, pack=pack, today=TODAY)
    assert (told.records, told.lost, told.refused) == (len(records), [], [])
    # What our format has no code for comes out word for word.
    kept = {"nl-algoritmeregister": ["organisatie", "status", "url"], "uk-atrs": ["url"]}
    for column in kept.get(name, ["use_case_name", "agency_name", "is_high_impact"]):
        given = [one.source_row.get(column) or "" for one in outcomes]
        same = sum(one[column] == cell for one, cell in zip(rows, given, strict=True))
        assert same > len(rows) * 0.8, column
    assert len(source) >= len(rows)


def test_the_report_names_what_the_other_register_cannot_hold():
    pack = load_pack("ma")
    document = json.loads((ROOT / "schemas/examples/complete.json").read_text("utf-8"))
    agency = pack.agencies[document["id"].partition("/")[0]]
    record = RecordToWrite(document=document, agency=agency, changed_on="2026-10-01")
    for name in ("uk-atrs", "nl-algoritmeregister", "us-omb-2025"):
        crosswalk = load_crosswalk(name)
        written = write_file(crosswalk, [record])
        _, [row] = header_and_rows(name, written)
        assert document["name"]["en"] in row.values()
        told = read_again(crosswalk, written, [record], pack=pack, today=TODAY)
        lost = {one.pointer: one for one in told.lost}
        assert told.refused == []
        assert {"/name/ar", "/risks"} <= {*lost}
        assert any(place.startswith("/rights") for place in lost)
        assert lost["/risks"].kind == "removed"
        assert lost["/risks"].examples == [document["id"]]
        assert ("/lifecycle/status" in lost or "/lifecycle" in lost) == (name == "uk-atrs")


def test_a_record_that_would_be_refused_is_named():
    crosswalk, pack = load_crosswalk("nl-algoritmeregister"), load_pack("ma")
    agency = pack.agencies["demo-sante"]
    bare = {"id": "demo-sante/x", "schema_version": "1.0"}
    records = [RecordToWrite(document=bare, agency=agency, changed_on=None)]
    nameless = write_file(crosswalk, records).replace(b'"organisatie": "', b'"organisatie": "-')
    told = read_again(crosswalk, nameless, records, pack=pack, today=TODAY)
    assert [one.pointer for one in told.lost] == ["/languages/source", "/name", "/source_id"]
    wrong = json.dumps(
        {"algoritmes": [{**header_and_rows("nl", nameless)[1][0], "organisatie": ""}]}
    )
    told = read_again(crosswalk, wrong.encode(), records, pack=pack, today=TODAY)
    assert [(one.id, "organisatie" in one.reason) for one in told.refused] == [
        ("demo-sante/x", True)
    ]
