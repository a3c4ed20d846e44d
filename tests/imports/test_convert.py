import datetime as dt
import json
import tracemalloc

import msgspec
import pytest

from registry.errors import ImportRefused
from registry.imports.convert import convert_file
from registry.imports.crosswalk_model import Reading
from registry.imports.report import ForeignRecord, Refusal


def test_a_full_row_becomes_a_document(document):
    assert document(
        agency_bureau=" North\u00a0Office ",
        contact_email="weather@dwx.example.gov",
        is_withheld="No",
        development_stage="Deployed",
        is_high_impact="Presumed High-Impact, but Not High-impact",
        HI_justification="Only rain.",
        topic_area="Emergency Mgmt",
        classification="Classical ML",
        problem_solved="Floods come\r\nwithout warning.",
        operational_date="Jul-25",
        contracting_usage="Contracting and In House",
        vendor_name="Example Rain, Inc.; Sample Radar Ltd",
        has_pii="No",
        demographic_features="['c) Age', 'l) Other', 'b) Sex', 'c) Age']",
        pia_url="https://dwx.example.gov/a, https://dwx.example.gov/b",
        hi_assessment_completed="In-progress",
        hi_ongoing_monitoring="In-progress",
        hi_appeal_process="Appeal Process Established",
        hi_public_consultation="['Usability Testing', 'Other']",
    ) == {
        "id": "us.dwx/dwx-1",
        "schema_version": "1.0",
        "languages": {"source": "en"},
        "source_id": "DWX-1",
        "name": {"en": "Rain"},
        "organisation": {"unit": {"en": "North Office"}},
        "contact": {"email": "weather@dwx.example.gov"},
        "publication": {"visibility": "public"},
        "lifecycle": {"status": "in_use", "deployed_on": "2025-07"},
        "risk": {
            "rationale": {"en": "Source: Presumed High-Impact, but Not High-impact\n\nOnly rain."}
        },
        "sector": {"primary": "public_safety"},
        "technical": {"techniques": ["classical_ml"]},
        "purpose": {"goal": {"en": "Floods come\nwithout warning."}},
        "procurement": {
            "origin": "joint",
            "suppliers": [{"name": "Example Rain, Inc."}, {"name": "Sample Radar Ltd"}],
        },
        "data": {"personal_data": "no", "protected_attributes_used": ["age", "sex"]},
        "assessments": [
            {"type": "dpia", "status": "completed", "url": "https://dwx.example.gov/a"},
            {"type": "dpia", "status": "completed", "url": "https://dwx.example.gov/b"},
            {"type": "algorithmic_impact", "status": "in_progress"},
        ],
        "evaluation": {"monitoring": {"en": "Development of monitoring protocols is in-progress."}},
        "rights": {"contestation": {"available": "yes"}},
        "consultations": [{"kind": "usability"}],
    }


def test_what_the_source_does_not_say_is_absent(document):
    assert document(development_stage="", is_high_impact=" ", problem_solved="N/A") == {
        "id": "us.dwx/dwx-1",
        "schema_version": "1.0",
        "languages": {"source": "en"},
        "source_id": "DWX-1",
        "name": {"en": "Rain"},
    }


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("High-impact", "high"),
        ("high\u2013impact", "high"),
        ("Not High-impact", None),
        ("Perhaps high", None),
    ],
)
def test_a_code_is_understood_in_its_variants_and_never_guessed(document, value, level):
    assert document(is_high_impact=value).get("risk", {}).get("level") == level


@pytest.mark.parametrize("topic", ["Law Enforcement", "Service Delivery", "Energy and Environment"])
def test_a_topic_of_several_sectors_is_no_sector(document, topic):
    assert "sector" not in document(topic_area=topic)


@pytest.mark.parametrize(
    ("value", "contact"),
    [
        ("ai@dwx.example.gov", {"email": "ai@dwx.example.gov"}),
        (" ai@dwx.example.gov,", {"email": "ai@dwx.example.gov"}),
        ("https://dwx.example.gov/contact", {"url": "https://dwx.example.gov/contact"}),
        ("a@dwx.example.gov, b@dwx.example.gov", None),
        ("Jo Rain", None),
        ("jo/rain@dwx", None),
    ],
)
def test_contact(document, value, contact):
    assert document(contact_email=value).get("contact") == contact


@pytest.mark.parametrize(
    ("value", "source_code"),
    [
        (
            "https://code.example/rain",
            {"availability": "public", "url": "https://code.example/rain"},
        ),
        ("Not open source.", {"availability": "not_public"}),
        ("Not Available", None),
        ("see https://code.example/rain", None),
        ("www.example.org/rain", None),
        ("https://code.example/a b", None),
        ("https:///rain", None),
        ("https://code.example:99999/", None),
        ("ftp://code.example/rain", None),
        ("https://code.example/" + "r" * 2000, None),
    ],
)
def test_source_code(document, value, source_code):
    assert document(code_url=value).get("technical", {}).get("source_code") == source_code


def test_a_link_may_hold_other_scripts(document):
    url = "https://dwx.example.gov/طقس?q=a%20b#rain"
    assert document(code_url=url)["technical"]["source_code"]["url"] == url


def test_values_that_are_not_understood_are_reported_once(convert, us, us_bytes):
    [outcome], report = convert(
        us,
        us_bytes(
            {"use_case_name": "Rain", "contact_email": "Jo", "operational_date": "soon",
             "demographic_features": "['Shoe size', 'b) Sex']", "is_high_impact": "Perhaps"}
        ),
    )  # fmt: skip
    assert {unclear.column: unclear.value for unclear in outcome.unclear} == {
        "contact_email": "Jo",
        "operational_date": "soon",
        "demographic_features": "Shoe size",
        "is_high_impact": "Perhaps",
    }
    assert report.dates_not_understood == 1
    assert report.not_understood["contact_email"] == {"Jo": 1}


def test_a_text_over_its_limit_is_cut_and_marked_and_the_row_is_kept(convert, us, us_bytes):
    goal = "rain " * 1000
    [outcome], report = convert(us, us_bytes({"use_case_name": "Rain", "problem_solved": goal}))
    text = outcome.document["purpose"]["goal"]["en"]
    assert len(text) <= 4000
    assert text.endswith("rain…")
    assert outcome.whole == {"/purpose/goal/en": goal.strip()}
    assert outcome.source_row["problem_solved"] == goal
    assert report.truncated == {"/purpose/goal/en": 1}


def test_a_crosswalk_may_refuse_a_text_over_its_limit(convert, us, us_bytes):
    strict = msgspec.structs.replace(us, over_long="refuse")
    [outcome], report = convert(
        strict, us_bytes({"use_case_name": "Rain", "problem_solved": "r" * 4001})
    )
    assert outcome == Refusal(
        line=2,
        place="line 2",
        reason="problem_solved: 4,001 characters; /purpose/goal/en may have 4,000",
    )
    assert (report.rows, report.records, len(report.refusals)) == (1, 0, 1)


def test_a_strict_mapping_refuses_what_it_does_not_understand(convert, us, us_bytes):
    strict = msgspec.structs.replace(
        us,
        mappings=tuple(
            msgspec.structs.replace(mapping, strict=mapping.to == "/risk/level")
            for mapping in us.mappings
        ),
    )
    good, bad = convert(
        strict,
        us_bytes(
            {"use_case_name": "Rain", "is_high_impact": "High-impact"},
            {"use_case_name": "Snow", "is_high_impact": "Perhaps"},
        ),
    )[0]
    assert isinstance(good, ForeignRecord)
    assert bad == Refusal(
        line=3, place="line 3", reason="is_high_impact: 'Perhaps' is not understood"
    )


def test_a_nameless_row_is_named_by_its_id_and_refused_without_one(convert, us, us_bytes):
    (named, refused), report = convert(us, us_bytes({"id": "DWX-9"}, {"id": "TBD"}))
    assert named.document["name"] == {"en": "DWX-9"}
    assert named.otherwise == ("id",)
    assert refused == Refusal(line=3, place="line 3", reason="use_case_name: the row has no name")
    assert report.otherwise == {"id": 1}


def test_a_row_without_an_agency_is_refused(convert, us, us_bytes):
    [outcome], _ = convert(us, us_bytes({"use_case_name": "Rain", "agency_name": ""}))
    assert outcome == Refusal(line=2, place="line 2", reason="agency_name: the row names no agency")


def test_a_document_that_the_format_refuses_is_a_refusal_with_its_findings(convert, us, us_bytes):
    many = ";".join(f"Vendor {number}" for number in range(60))
    [outcome], _ = convert(us, us_bytes({"use_case_name": "Rain", "vendor_name": many}))
    assert isinstance(outcome, Refusal)
    assert outcome.reason.startswith("/procurement/suppliers: ")


def test_a_missing_column_is_named(convert, us, us_bytes, us_columns):
    columns = [name for name in us_columns if name not in {"is_high_impact", "topic_area"}]
    raw = us_bytes({"use_case_name": "Rain"}, columns=columns)
    with pytest.raises(ImportRefused) as refused:
        convert(us, raw)
    assert "reads the column 'is_high_impact'" in refused.value.detail
    assert "(nor topic_area)" in refused.value.detail


def test_a_column_that_the_crosswalk_does_not_know_is_reported(convert, us, us_bytes, us_columns):
    raw = us_bytes({"use_case_name": "Rain", "new": "x"}, columns=[*us_columns, "new"])
    [outcome], report = convert(us, raw)
    assert report.unknown_columns == ["new"]
    assert outcome.source_row["new"] == "x"


def test_a_dutch_row(convert, nl, nl_bytes):
    [outcome], _ = convert(
        nl,
        nl_bytes(
            {"id": "12345678", "title": "Regenradar", "doel": "Waarschuwen\u200b voor regen.",
             "status": "buiten_gebruik", "impactassessment": "Ja", "juridische_basis": "Regenwet",
             "url": "https://register.example.nl/12345678", "geregistreerd": "2025-01-01"}
        ),
    )  # fmt: skip
    assert outcome.document == {
        "id": "nl.gemeente-voorbeeld/12345678",
        "schema_version": "1.0",
        "languages": {"source": "nl"},
        "source_id": "12345678",
        "name": {"nl": "Regenradar"},
        "purpose": {"goal": {"nl": "Waarschuwen voor regen."}},
        "lifecycle": {"status": "retired"},
        "data": {"legal_basis": [{"title": {"nl": "Regenwet"}}]},
        "assessments": [
            {"type": "other", "status": "completed", "title": {"nl": "Impactassessment"}}
        ],
        "website": "https://register.example.nl/12345678",
    }
    assert outcome.agency.name == {"nl": "Gemeente Voorbeeld"}


@pytest.mark.parametrize("answer", ["Nee", "Onbekend", ""])
def test_no_dutch_assessment_is_made_of_no_answer(convert, nl, nl_bytes, answer):
    [outcome], _ = convert(nl, nl_bytes({"id": "1", "title": "Regen", "impactassessment": answer}))
    assert "assessments" not in outcome.document


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a text", "the row is not an object"),
        ({"title": "nul \u0000"}, "the row holds a zero character, which no database keeps"),
        ({"title": "half \ud800"}, "the row holds half a character, or a number beyond JSON"),
        ({"title": "ok", "id": 1e999}, None),
    ],
)
def test_a_json_row_that_cannot_be_kept(convert, nl, nl_bytes, row, reason):
    whole = json.loads(nl_bytes({"id": "1", "title": "Regen"}))
    whole["algoritmes"].append(row)
    raw = json.dumps(whole).replace("Infinity", "1e999").encode()
    (good, bad), _ = convert(nl, raw)
    assert isinstance(good, ForeignRecord)
    assert isinstance(bad, Refusal)
    why = reason or "the row holds half a character, or a number beyond JSON"
    assert (bad.line, bad.reason) == (2, why)


def test_a_written_out_escape_is_not_a_zero_character(convert, nl, nl_bytes):
    [outcome], _ = convert(nl, nl_bytes({"id": "1", "title": r"C:\u0000"}))
    assert isinstance(outcome, ForeignRecord)


def test_order_makes_no_difference(convert, us, us_bytes):
    rows = [
        {"id": "DWX-1", "use_case_name": "Rain", "benefits": "Dry"},
        {"id": "DWX-1", "use_case_name": "Rain", "benefits": "Wet"},
        {"use_case_name": "Snow"},
        {"use_case_name": "Snow"},
        {"use_case_name": "Snow", "problem_solved": "Cold"},
        {"use_case_name": "Hail", "agency_bureau": "North"},
        {"use_case_name": "Hail", "agency_bureau": "South"},
    ]
    expected, report = convert(us, us_bytes(*rows))
    by_id = {outcome.document["id"]: outcome.document for outcome in expected}
    assert len(by_id) == len(rows)
    assert report.missing_ids == 5
    mixed = [{"id": "DWX-2", "use_case_name": "Fog"}, *rows[1::2], *rows[::2][::-1]]
    shuffled, _ = convert(us, us_bytes(*mixed))
    found = {outcome.document["id"]: outcome.document for outcome in shuffled}
    assert found.pop("us.dwx/dwx-2")
    assert found == by_id


def test_a_changed_row_keeps_its_id(convert, us, us_bytes):
    ids = [
        convert(us, us_bytes({"use_case_name": "Snow", "development_stage": stage}))[0][0]
        for stage in ("Pilot", "Deployed")
    ]
    assert ids[0].document["id"] == ids[1].document["id"]
    assert ids[0].document != ids[1].document


def test_an_outcome_says_what_identifies_its_row(convert, us, us_bytes):
    own, without = convert(
        us,
        us_bytes(
            {"id": "DWX-1", "use_case_name": "Rain", "problem_solved": "Wet\nfeet"},
            {"use_case_name": "Snow", "agency_bureau": "North"},
        ),
    )[0]

    assert (own.source_id, without.source_id) == ("DWX-1", "")
    assert own.of == ("us.dwx", "Rain", "")
    assert without.of == ("us.dwx", "Snow", "North")
    assert own.telling_apart == ("Rain", "", "Wet feet", "")


def test_the_sources_own_date_of_a_change_is_read(convert, nl, nl_bytes):
    dated = msgspec.structs.replace(nl, changed_on=Reading(column=("geregistreerd",)))
    days = ["2025-06-26T07:39:09Z", "6/2025", "soon", ""]
    outcomes, _ = convert(
        dated, nl_bytes(*({"id": day, "title": "Regen", "geregistreerd": day} for day in days))
    )

    assert [one.changed_on for one in outcomes] == ["2025-06-26", "2025-06", None, None]


def test_the_own_id_is_kept_in_the_document_even_if_no_mapping_fills_it(convert, nl, nl_bytes):
    mappings = tuple(mapping for mapping in nl.mappings if mapping.to != "/source_id")
    [outcome], _ = convert(
        msgspec.structs.replace(nl, mappings=mappings), nl_bytes({"id": "7", "title": "Regen"})
    )

    assert outcome.document["source_id"] == "7"


def test_the_date_of_the_file_is_the_latest_day_of_its_column(convert, nl, nl_bytes):
    dated = msgspec.structs.replace(nl, as_of=Reading(column=("toegevoegd",)))
    rows = [
        {"id": str(number), "title": "Regen", "toegevoegd": day}
        for number, day in enumerate(["2026-05-13", "", "2026-06", "2026-06-02", "soon"])
    ]
    _, report = convert(dated, nl_bytes(*rows))
    assert report.as_of == "2026-06-02"


def test_documents_wait_for_the_ids_of_all_rows_outside_of_memory(us, us_bytes, pack, tmp_path):
    """Cells are kept, first slugs and digests: 2 kB a row here; the documents would be 4 more."""
    path = tmp_path / "source"
    text = "Counts the drops of every cloud. " * 20
    rows = [{"id": f"D-{n}", "use_case_name": "Rain", "problem_solved": text} for n in range(1000)]
    path.write_bytes(us_bytes(*rows))

    def first_outcome():
        tracemalloc.start()
        outcomes = convert_file(us, path, pack=pack, today=dt.date(2026, 11, 24))
        assert isinstance(next(outcomes), ForeignRecord)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return kept

    first_outcome()  # what is cached once a process
    assert first_outcome() < 1000 * 3000
