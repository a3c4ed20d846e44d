"""The real files, counted a second time straight from the source, by none of our code."""

import csv
import datetime as dt
import functools
import hashlib
import json
import re
import unicodedata
from collections import Counter

import msgspec
import pytest

from registry.imports.convert import convert_file
from registry.imports.crosswalk_model import unknown_columns
from registry.imports.identity import record_key
from registry.imports.report import ForeignRecord
from registry.imports.rows import read_source
from registry.imports.source import columns
from registry.record.fast_validator import FastValidator
from registry.record.pack import load_pack
from registry.record.pointers import dig
from registry.record.validate import validate
from registry.services.importing import importing
from registry.services.importing.matching import match
from registry.text.company_names import folded_name
from tests.imported import import_filings

ORIGINS = ["us-omb-2025", "nl-algoritmeregister", "uk-atrs"]
ROWS_UNDER = {"nl-algoritmeregister": "algoritmes", "uk-atrs": "records"}
DUTCH_STATUS = {
    "ontwikkeling": "in_development",
    "in_gebruik": "in_use",
    "buiten_gebruik": "retired",
}
AMERICAN_STATUS = {
    "Pre-deployment": "in_development", "Pilot": "pilot", "Deployed": "in_use",
    "Retired": "retired", "": None,
}  # fmt: skip


def source_rows(path):
    if path.suffix == ".json":
        whole = json.loads(path.read_text(encoding="utf-8"))
        return next(whole[key] for key in ROWS_UNDER.values() if key in whole)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("origin", "rows"), [(ORIGINS[0], 3611), (ORIGINS[1], 1530), (ORIGINS[2], 136)]
)
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


def agency_words(prefix, name):
    """The id of an agency by the rule that docs/importing.md states."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")
    room = 60 - len(prefix) - 1
    if len(words) <= room:
        return f"{prefix}.{words}"
    mark = hashlib.sha256(json.dumps([name.casefold()], ensure_ascii=False).encode()).hexdigest()[
        :8
    ]
    kept = words[: words.rfind("-", 0, room - 9 + 1)]
    return f"{prefix}.{kept}-{mark}"


def counted(documents, *path):
    def at(document):
        for name in path:
            document = document.get(name, {})
        return document or None

    return Counter(at(document) for document in documents)


def test_american_figures_equal_a_count_of_the_source(shared):
    _, path, outcomes, report = shared["us-omb-2025"]
    rows = source_rows(path)
    documents = [outcome.document for outcome in outcomes]
    high = sum(row["is_high_impact"] == "High-impact" for row in rows)

    assert counted(documents, "risk", "level") == {"high": high, None: len(rows) - high}
    assert (high, report.risk) == (445, {"high": 445, "not_stated": 3166})
    assert counted(documents, "lifecycle", "status") == Counter(
        AMERICAN_STATUS[row["development_stage"]] for row in rows
    )
    agencies = Counter("us." + row["agency"].lower() for row in rows)
    assert agencies == Counter(document["id"].split("/")[0] for document in documents)
    assert agencies == report.agencies
    assert {tag for document in documents for tag in document["name"]} == {"en"}


def test_the_american_word_for_a_lower_level_is_kept(shared):
    _, path, outcomes, _ = shared["us-omb-2025"]
    kept = Counter(
        outcome.document.get("risk", {}).get("rationale", {}).get("en", "").split("\n")[0]
        for outcome in outcomes
    )

    for word, number in Counter(row["is_high_impact"] for row in source_rows(path)).items():
        if word not in {"", "High-impact"}:
            assert kept[f"Source: {word}"] == number


def test_dutch_figures_equal_a_count_of_the_source(shared):
    _, path, outcomes, report = shared["nl-algoritmeregister"]
    rows = source_rows(path)
    documents = [outcome.document for outcome in outcomes]
    agencies = Counter(agency_words("nl", row["organisatie"]) for row in rows)

    assert agencies == Counter(document["id"].split("/")[0] for document in documents)
    assert len(agencies) == 336
    assert report.risk == {"not_stated": 1530}
    assert not any("risk" in document or "sector" in document for document in documents)
    assert counted(documents, "lifecycle", "status") == Counter(
        DUTCH_STATUS[row["status"]] for row in rows
    )
    assert {tag for document in documents for tag in document["name"]} == {"nl"}


def test_british_figures_equal_a_count_of_the_source(shared):
    _, path, outcomes, report = shared["uk-atrs"]
    rows = source_rows(path)
    documents = [outcome.document for outcome in outcomes]
    bodies = Counter(
        agency_words("uk", row["publishing_body"])
        if row["publishing_body"]
        else ("uk.dsit" if row["title"].startswith("DSIT - ") else "uk.not-named")
        for row in rows
    )

    assert bodies == Counter(document["id"].split("/")[0] for document in documents)
    assert (bodies["uk.not-named"], bodies["uk.dsit"]) == (4, 8)
    assert report.risk == {"not_stated": 136}
    assert [outcome.source_id for outcome in outcomes] == [
        row["url"].rsplit("/", 1)[1] for row in rows
    ]
    assert [outcome.changed_on for outcome in outcomes] == [row["published"][:10] for row in rows]
    assert {document["languages"]["source"] for document in documents} == {"en"}
    assert not any("lifecycle" in document for document in documents)


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
    assert shared["uk-atrs"][3].not_understood == {}


@pytest.mark.parametrize("origin", ORIGINS)
def test_documents_hold_under_any_day_and_are_the_same_on_every_run(shared, origin, tmp_path):
    crosswalk, path, outcomes, _ = shared[origin]
    rows = source_rows(path)
    rows = rows[1::2] + rows[::2][::-1]  # every row once, few of them where they were
    assert len(rows) == len(outcomes)
    shuffled = tmp_path / path.name
    if path.suffix == ".json":
        shuffled.write_text(json.dumps({ROWS_UNDER[origin]: rows}), encoding="utf-8")
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


@pytest.mark.parametrize("origin", ORIGINS)
def test_every_row_is_recognised_among_all(shared, origin):
    crosswalk, _, outcomes, _ = shared[origin]
    keys = [record_key(crosswalk, one.document, one.agency.id, one.source_id) for one in outcomes]
    found = match(keys[::-1], keys)
    assert sorted(found) == list(range(len(keys)))
    assert [keys[place] for place in found] == keys[::-1]


async def test_a_second_import_publishes_nothing(shared, database, context):
    """Whatever the order of the rows: no version, no entry, and every record is met again."""

    async def state():
        async with database.connection() as connection:
            size = await connection.fetchval(
                "select count(*) from log_entry where kind <> 'import'"
            )
            rows = await connection.fetch("select id, version, entry from record order by id")
        return size, [tuple(row) for row in rows]

    async def bring(origin, outcomes):
        report = await import_filings(
            context,
            outcomes,
            origin=shared[origin][0].as_origin(),
            complete=True,
            key_of=functools.partial(record_key, shared[origin][0]),
        )
        said = msgspec.structs.asdict(report.counts)
        return {name: number for name, number in said.items() if number}

    some = {origin: shared[origin][2][::12] for origin in ORIGINS}
    numbers = {origin: len(outcomes) for origin, outcomes in some.items()}
    assert numbers["us-omb-2025"] > importing._BATCH
    for origin, number in numbers.items():
        counts = await bring(origin, some[origin])
        assert counts == {"rows": number, "records": number, "added": number}
    before = await state()
    assert len(before[1]) == sum(numbers.values())
    for origin, number in numbers.items():
        counts = await bring(origin, some[origin][::-1])
        assert counts == {"rows": number, "records": number, "unchanged": number}
    assert await state() == before


def test_suppliers_are_found_under_their_name_and_cells_of_several_are_parted(shared):
    """As many rows as name them, counted in the file by eye: 116 and 26.

    Microsoft has one fewer, which names it as an owner, and four whose contract is of its Azure.
    """
    _, _, outcomes, _ = shared["us-omb-2025"]
    found = Counter(
        name
        for one in outcomes
        for name in {
            folded_name(supplier["name"])
            for supplier in dig(one.document, "procurement", "suppliers") or ()
        }
    )
    assert (found["microsoft"], found["palantir"]) == (119, 26)
    assert "onereach" not in found
    named = {
        supplier["name"]
        for one in outcomes
        for supplier in dig(one.document, "procurement", "suppliers") or ()
    }
    assert not [name for name in named if ";" in name or "\n" in name]
