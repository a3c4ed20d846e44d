"""Observations: each by what it is of, never by silence, and each as its published SQL has it."""

import copy
import datetime as dt
import json

import duckdb
import msgspec
import pytest

from registry.imports.convert import convert_file
from registry.imports.crosswalk import load_crosswalk
from registry.imports.report import ForeignRecord, ImportReport
from registry.record.fast_validator import FastValidator
from registry.record.observations import BY_DAY, OBSERVATIONS, conditions, observe, observed, query
from tests.conftest import NOW, ROOT
from tests.imported import REGISTERS

DAY = dt.date(2026, 11, 24)

HIGH = {"risk": {"level": "high"}, "lifecycle": {"status": "in_use"}}
USES = {"data": {"protected_attributes_used": ["none", "age"]}}
DONE = {"status": "completed", "completed_on": "2025-07-01", "independent": False}
OVER = {"lifecycle": {"status": "in_use"}, "procurement": {"contract": {"ends": "2026-11-23"}}}


def with_(*parts):
    made = {}
    for part in parts:
        for section, value in part.items():
            made[section] = {**made.get(section, {}), **value} if isinstance(value, dict) else value
    return made


def withheld(pointer):
    return {"publication": {"withheld_fields": [{"pointer": pointer, "ground": "security"}]}}


def life(status, **days):
    return {"lifecycle": {"status": status, **days}}


def measured(*days):
    return {"evaluation": {"metrics": [{"name": "accuracy", **day} for day in days]}}


RESTRICTED = {"publication": {"visibility": "restricted"}}
CASES = [
    (HIGH, ["high_risk_unassessed"]),
    (with_(HIGH, {"assessments": [{"status": "planned"}, None]}), ["high_risk_unassessed"]),
    (with_(HIGH, {"assessments": [{"status": "planned"}, {"status": "completed"}]}), []),
    (with_(HIGH, withheld("/assessments/0/status")), []),
    (with_(HIGH, withheld("/assessments")), []),
    (with_(HIGH, withheld("/website")), ["high_risk_unassessed"]),
    (with_(HIGH, RESTRICTED), []),
    (with_(HIGH, life("pilot")), []),
    (USES, ["fairness_untested"]),
    (with_(USES, {"evaluation": {"fairness_tested": {"answer": "no"}}}), ["fairness_untested"]),
    (with_(USES, {"evaluation": {"fairness_tested": {"answer": "yes"}}}), []),
    (with_(USES, {"evaluation": {"fairness_tested": {"answer": "withheld"}}}), []),
    (with_(USES, withheld("/evaluation/fairness_tested")), []),
    ({"data": {"protected_attributes_used": ["none"]}}, []),
    ({"assessments": [DONE, {"status": "planned"}]}, ["self_assessed"]),
    ({"assessments": [DONE, {"status": "completed"}]}, []),
    ({"assessments": [DONE, {**DONE, "independent": True}]}, []),
    (
        with_(life("in_use", deployed_on="2025-06"), {"assessments": [DONE]}),
        ["assessed_after_deployment", "self_assessed"],
    ),
    (with_(life("in_use", deployed_on="2025"), {"assessments": [DONE]}), ["self_assessed"]),
    (with_(life("in_use", deployed_on="2025-07-01"), {"assessments": [DONE]}), ["self_assessed"]),
    (
        with_(life("in_use", deployed_on="2024"), {"assessments": [DONE, {"status": "completed"}]}),
        [],
    ),
    ({"risk": {"annex_iii_area": "education", "level": "limited"}}, ["below_area"]),
    ({"risk": {"annex_iii_area": "education"}}, []),
    ({"risk": {"annex_iii_area": "none", "level": "limited"}}, []),
    (
        {"decision": {"legal_effect": True}, "rights": {"notice": {"answer": "no"}}},
        ["effect_not_told"],
    ),
    ({"decision": {"legal_effect": True}}, []),
    (
        {"evaluation": {"outcomes": [{"period": "2025", "contested": 3, "overturned": 2}]}},
        ["mostly_overturned"],
    ),
    ({"evaluation": {"outcomes": [{"period": "2025", "contested": 4, "overturned": 2}]}}, []),
    ({"evaluation": {"outcomes": [{"period": "2025", "overturned": 2}]}}, []),
    (
        {
            "evaluation": {
                "outcomes": [
                    {"period": "2024", "contested": 9, "overturned": 5},
                    {"period": "2025", "contested": 9, "overturned": 4},
                    {"period": "2026", "overturned": 8},
                    None,
                ]
            }
        },
        [],
    ),
    (
        {"evaluation": {"incidents": [{"severity": "serious", "status": "open"}]}},
        ["serious_incident_open"],
    ),
    (
        {"evaluation": {"incidents": [{"severity": "serious"}, {"status": "open"}]}},
        [],
    ),
    ({"procurement": {"contract": {"procedure": "purchase_order"}}}, ["no_competition"]),
    ({"procurement": {"contract": {"procedure": "none"}}}, []),
    # By the day: the last on which it does not hold, and the first on which it does.
    (with_(life("in_use"), {"procurement": {"contract": {"ends": "2026-11-24"}}}), []),
    (
        with_(life("in_use"), {"procurement": {"contract": {"ends": "2026-11-23"}}}),
        ["contract_over"],
    ),
    (with_(life("retired"), {"procurement": {"contract": {"ends": "2026-11-23"}}}), []),
    (
        with_(
            life("in_use"),
            {
                "procurement": {
                    "contract": {"ends": "2026-01-01"},
                    "amendments": [{"ends": "2026-12-31"}, {"date": "2026-02-02"}, None],
                }
            },
        ),
        [],
    ),
    (
        with_(
            life("in_use"),
            {"procurement": {"amendments": [{"ends": "2026-11-23"}]}},
        ),
        ["contract_over"],
    ),
    (with_(OVER, withheld("/procurement/amendments")), []),
    (with_({"assessments": [DONE]}, withheld("/assessments/1")), []),
    # As it is written where there is no end.
    (with_(life("in_use"), {"procurement": {"contract": {"ends": "9999-12-31"}}}), []),
    (with_(life("in_use"), measured({"measured_on": "9999-12-31"})), []),
    (with_(life("in_use"), measured({"measured_on": "9997-12-31"})), []),
    (life("in_use", next_review_on="9999-12-31"), []),
    (life("in_use", next_review_on="2026-11-24"), []),
    (life("suspended", next_review_on="2026-11-23"), ["review_overdue"]),
    (life("retired", next_review_on="2026-11-23"), []),
    (with_(life("in_use"), measured({"measured_on": "2024-11-24"}, {})), []),
    (with_(life("in_use"), measured({"measured_on": "2024-11-23"}, {})), ["metric_old"]),
    (
        with_(
            life("pilot"), measured({"measured_on": "2022-01-01"}, {"measured_on": "2025-01-01"})
        ),
        [],
    ),
    (with_(life("in_use"), measured({})), []),
    (life("pilot", deployed_on="2024"), []),
    (life("pilot", deployed_on="2024-10"), ["pilot_long"]),
    (life("pilot", deployed_on="2024-11"), []),
    (life("pilot", deployed_on="2024-12", pilot_from="2023"), ["pilot_long"]),
    (life("pilot", deployed_on="2020", pilot_from="2025-01-01"), []),
    (life("pilot", deployed_on="2024-11-23"), ["pilot_long"]),
    (life("pilot", deployed_on="2024-02-29"), ["pilot_long"]),
    (life("in_use", deployed_on="2020"), []),
    ({}, []),
]

LEFT_OVER = [
    (with_(life("in_use", deployed_on="2025-06"), {"assessments": [None, DONE]}), "/assessments/0"),
    (OVER, "/procurement/amendments/0/ends"),
    (with_(life("in_use"), measured({"measured_on": "2024-11-23"})), "/evaluation/metrics/1"),
    (
        {"evaluation": {"outcomes": [{"period": "2025", "contested": 3, "overturned": 2}, None]}},
        "/evaluation/outcomes/1",
    ),
]


@pytest.mark.parametrize(("document", "codes"), CASES)
def test_an_observation_is_made_of_what_is_stated_and_never_of_silence_about_it(document, codes):
    assert sorted(observed(observe(document), DAY)) == codes


def test_what_a_redaction_took_away_is_not_missing():
    for erased in (["/assessments"], ["/assessments/0/status"]):
        assert observed(observe(HIGH, erased), DAY) == []
    assert observed(observe(with_(HIGH, USES), ["/evaluation"]), DAY) == ["high_risk_unassessed"]


def test_nothing_is_observed_of_what_a_redaction_left_over():
    for document, erased in LEFT_OVER:
        assert observed(observe(document, ["/website"]), DAY)
        assert observed(observe(document, [erased]), DAY) == []


def test_the_days_of_an_observation_begin_once():
    """Two years after 29 February it is over on the 28th."""
    since = observe(life("pilot", deployed_on="2024-02-29"))["pilot_long"]
    assert since == dt.date(2026, 3, 1)
    assert {code for document, _ in CASES for code, day in observe(document).items() if day} == {
        *BY_DAY
    }


def lines(pack):
    """What SQL and function are compared on: cases, the demonstration and, if there, others."""
    found = [({"id": f"x/{at}", **document}, []) for at, (document, _) in enumerate(CASES)]
    found += [
        ({"id": "x/erased", **HIGH}, ["/assessments"]),
        ({"id": "x/section", **USES}, ["/evaluation"]),
    ]
    for at, (document, gone) in enumerate(LEFT_OVER):
        found += [
            ({"id": f"x/kept-{at}", **document}, []),
            ({"id": f"x/left-{at}", **document}, [gone]),
        ]
    for path in sorted((ROOT / "records").glob("*/*.json")):
        document = json.loads(path.read_bytes())
        found.append((document, []))
        # As it would be later on, or elsewhere.
        later = copy.deepcopy(document)
        later["id"] += "-pilot"
        later["lifecycle"]["status"] = "pilot"
        found.append((later, []))
    for name, path in REGISTERS.items():
        if path.exists():
            outcomes = convert_file(
                load_crosswalk(name),
                path,
                pack=pack,
                today=NOW.date(),
                report=ImportReport(origin=name),
                fast=FastValidator(),
            )
            found += [(one.document, []) for one in outcomes if isinstance(one, ForeignRecord)]
    return found


def test_each_is_one_statement_over_the_export_as_json_lines(tmp_path, pack):
    assert {*conditions()} == {*OBSERVATIONS}
    file = tmp_path / "records.jsonl"
    known = lines(pack)
    with file.open("wb") as out:
        for document, erased in known:
            register = {"redacted": [{"pointer": one} for one in erased]}
            out.write(msgspec.json.encode({"record": document, "register": register}) + b"\n")
    for day in (DAY, dt.date(2027, 3, 1), dt.date(2028, 2, 29)):
        counted = dict.fromkeys(OBSERVATIONS, 0)
        for code in OBSERVATIONS:
            listed = [row[0] for row in duckdb.sql(query(code, str(file), day)).fetchall()]
            expected = sorted(
                document["id"]
                for document, erased in known
                if code in observed(observe(document, erased), day)
            )
            assert listed == expected, code
            counted[code] = len(listed)
        assert all(counted.values()), counted
