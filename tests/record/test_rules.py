from __future__ import annotations

import pytest

from registry.record.rules import RESTRICTED_RULES, RULES

AR = {"ar": "نص"}
RETIRED = {
    "/lifecycle/status": "retired",
    "/lifecycle/status_reason": AR,
    "/lifecycle/retired_on": "2026-05",
    "/lifecycle/last_reviewed_on": ...,
    "/lifecycle/next_review_on": ...,
}

# (edits of the minimal example, findings); an empty list is a passing fixture.
CASES = {
    # R00
    "agency unknown": ({"/id": "demo-sant/x"}, [("/id", "R00")]),
    "agency of another register": ({"/id": "us.hhs/x"}, [("/id", "R00")]),
    "real agency": ({"/id": "dgi/x"}, []),
    "language of another country": (
        {"/name/nl": "Neerslag", "/languages/translation_status/nl": "authored"},
        [("/name/nl", "R00")],
    ),
    "language of another country, deep": (
        {"/tags": [{"fr": "eau"}, {"es": "agua"}]},
        [("/tags/1/es", "R00")],
    ),
    "source language of another country": (
        {"/languages/source": "nl"},
        [("/languages/source", "R00")],
    ),
    "state of a language not said": (
        {"/name/en": "Rainfall", "/languages/translation_status/en": ...},
        [("/languages/translation_status/en", "R00")],
    ),
    "state of every language said": (
        {"/name/en": "Rainfall", "/languages/translation_status/en": "machine"},
        [],
    ),
    "region of another country": ({"/territory": ["MA-01", "DZ"]}, [("/territory/1", "R00")]),
    "the whole country": ({"/territory": ["MA"]}, []),
    "body unknown": (
        {"/data/authorisation": {"regime": "exempt", "authority": "cnil"}},
        [("/data/authorisation/authority", "R00")],
    ),
    "body of the pack": ({"/data/authorisation": {"regime": "exempt", "authority": "cndp"}}, []),
    "body everywhere": ({"/rights": {"contestation": {"available": "yes", "body": "court"}}}, []),
    "body of the pack to contest": (
        {"/rights": {"contestation": {"available": "yes", "body": "mediateur"}}},
        [],
    ),
    "body that cannot hear": (
        {"/rights": {"contestation": {"available": "yes", "body": "oracle"}}},
        [("/rights/contestation/body", "R00")],
    ),
    "ground unknown": (
        {"/publication/withheld_fields": [{"pointer": "/website", "ground": "shame"}]},
        [("/publication/withheld_fields/0/ground", "R00")],
    ),
    "scheme unknown": (
        {
            "/procurement/origin": "joint",
            "/procurement/suppliers": [
                {"name": "A", "identifier": {"scheme": "siren", "value": "1"}},
                {"name": "B", "identifier": {"scheme": "ice", "value": "1"}},
                {"name": "C", "identifier": {"scheme": "lei", "value": "1"}},
            ],
        },
        [("/procurement/suppliers/0/identifier/scheme", "R00")],
    ),
    # R04
    "retired": (RETIRED, []),
    "retired in the year of deployment": (RETIRED | {"/lifecycle/retired_on": "2025"}, []),
    "retired before deployment": (
        RETIRED | {"/lifecycle/retired_on": "2025-02"},
        [("/lifecycle/retired_on", "R04")],
    ),
    "retired in the future": (
        RETIRED | {"/lifecycle/retired_on": "2026-12"},
        [("/lifecycle/retired_on", "R04")],
    ),
    "retired this month": (RETIRED | {"/lifecycle/retired_on": "2026-11"}, []),
    "date of retirement in use": (
        {"/lifecycle/retired_on": "2026"},
        [("/lifecycle/retired_on", "R04")],
    ),
    # R05
    "deployed tomorrow": (
        {"/lifecycle/deployed_on": "2026-11-25"},
        [("/lifecycle/deployed_on", "R05")],
    ),
    "deployed today": ({"/lifecycle/deployed_on": "2026-11-24"}, []),
    "deployed this year": ({"/lifecycle/deployed_on": "2026"}, []),
    "deployed next year": (
        {"/lifecycle/deployed_on": "2027"},
        [("/lifecycle/deployed_on", "R05")],
    ),
    # R06
    "next review on the day of the last": (
        {"/lifecycle/next_review_on": "2026-03-02"},
        [("/lifecycle/next_review_on", "R06")],
    ),
    "next review before the last": (
        {"/lifecycle/next_review_on": "2026-03-01"},
        [("/lifecycle/next_review_on", "R06")],
    ),
    "next review at the end of the interval": ({"/lifecycle/next_review_on": "2029-03-02"}, []),
    "next review a day after the interval": (
        {"/lifecycle/next_review_on": "2029-03-03"},
        [("/lifecycle/next_review_on", "R06")],
    ),
    "interval that ends in a shorter month": (
        {
            "/lifecycle/last_reviewed_on": "2024-02-29",
            "/lifecycle/next_review_on": "2027-03-01",
        },
        [("/lifecycle/next_review_on", "R06")],
    ),
    "next review at the end of the calendar": (
        {
            "/lifecycle/last_reviewed_on": "9999-06-01",
            "/lifecycle/next_review_on": "9999-12-31",
        },
        [],
    ),
    # R18
    "withheld item by a number that no pointer has": (
        {"/publication/withheld_fields": [{"pointer": "/documents/٠", "ground": "private_life"}]},
        [("/publication/withheld_fields/0/pointer", "R18")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_rules_on_the_minimal_example(edited, found, name):
    edits, expected = CASES[name]
    findings = found(edited("minimal", edits))
    assert [(pointer, rule, "error") for pointer, rule in expected] == findings


@pytest.mark.parametrize(
    ("level", "last"),
    [("unacceptable", "2026-12-30"), ("high", "2027-06-30"), ("limited", "2028-06-30")],
)
def test_each_level_has_its_interval(edited, found, level, last):
    edits = {"/risk/level": level, "/lifecycle/next_review_on": last}
    if level == "limited":
        edits |= {"/risk/annex_iii_area": "none", "/decision/role": "informs"}
    if level == "unacceptable":
        edits |= {"/lifecycle/status": "suspended", "/lifecycle/status_reason": AR}
    assert found(edited("complete", edits)) == []
    edits["/lifecycle/next_review_on"] = last[:-2] + "31" if last[5:7] == "12" else "2028-07-01"
    assert found(edited("complete", edits)) == [("/lifecycle/next_review_on", "R06", "error")]


@pytest.mark.parametrize(
    ("status", "refused"),
    [("pilot", True), ("in_use", True), ("suspended", False), ("planned", False)],
)
def test_unacceptable_risk_is_not_in_use(edited, found, status, refused):
    edits = {
        "/risk/level": "unacceptable",
        "/lifecycle/status": status,
        "/lifecycle/next_review_on": "2026-12-30",
    }
    if status == "suspended":
        edits["/lifecycle/status_reason"] = AR
    expected = [("/lifecycle/status", "R07", "error")] if refused else []
    assert expected == found(edited("complete", edits))


COMPLETED = {"type": "dpia", "status": "completed", "completed_on": "2025-11-12"}


@pytest.mark.parametrize(
    ("personal", "assessment", "refused"),
    [
        ("yes", COMPLETED, False),
        ("pseudonymised", COMPLETED, False),
        ("yes", COMPLETED | {"status": "in_progress"}, True),
        ("yes", COMPLETED | {"type": "algorithmic_impact"}, False),
        ("yes", COMPLETED | {"type": "security"}, True),
        ("no", COMPLETED, False),
        ("no", COMPLETED | {"type": "algorithmic_impact"}, False),
        ("no", COMPLETED | {"type": "human_rights"}, False),
        ("no", COMPLETED | {"type": "human_rights", "status": "planned"}, True),
    ],
)
def test_high_risk_in_operation_is_assessed(edited, found, personal, assessment, refused):
    edits = {"/data/personal_data": personal, "/assessments": [assessment]}
    expected = [("/assessments", "R15", "error")] if refused else []
    assert expected == found(edited("complete", edits))


@pytest.mark.parametrize("shown", [{"conducted_by": "Bureau"}, {"url": "https://demo.example/"}])
def test_a_completed_assessment_says_when_by_whom_or_where(edited, found, shown):
    bare = {"type": "dpia", "status": "completed"}
    edits = {"/assessments": [{"type": "security", "status": "completed"}, bare]}
    edits["/publication/withheld_fields"] = ...
    document = edited("complete", edits)
    assert ("/assessments/1", "R15", "error") in found(document)
    document["assessments"][1] = bare | shown
    assert "R15" not in {rule for _, rule, _ in found(document)}


def test_high_risk_before_operation_is_warned(edited, found):
    edits = {
        "/lifecycle/status": "planned",
        "/lifecycle/deployed_on": ...,
        "/assessments": [COMPLETED | {"status": "planned"}],
        "/risks/0/mitigation": ...,
    }
    assert found(edited("complete", edits)) == [
        ("/assessments", "R15", "warning"),
        ("/risks", "R15", "warning"),
    ]


def test_high_risk_has_a_mitigation(edited, found):
    edits = {"/risks/0/mitigation": ...}
    assert found(edited("complete", edits)) == [("/risks", "R15", "error")]


@pytest.mark.parametrize(("status", "refused"), [("in_use", True), ("suspended", False)])
def test_a_system_that_nobody_watches_is_suspended(edited, found, status, refused):
    edits = {"/lifecycle/status": status, "/decision/oversight_type": "none"}
    if status == "suspended":
        edits["/lifecycle/status_reason"] = AR
    expected = [("/decision/oversight_type", "R15", "error")] if refused else []
    assert expected == found(edited("complete", edits))


def test_a_private_mailbox_is_one_of_a_provider_and_not_of_an_office_of_its_name(edited, found):
    for host, is_private in (
        ("live.fr", True),
        ("outlook.com", True),
        ("yahoo.co.uk", True),
        ("yahoo.com.ma", True),
        ("orange.fr", True),
        ("live.gov.ma", False),
        ("outlook.sante.gov.ma", False),
        ("proton.example", False),
        ("free.ma", False),
    ):
        told = found(edited("minimal", {"/contact/email": f"contact@{host}"}))
        assert told == [("/contact/email", "R19", "warning")] * is_private, host


def test_the_table_is_in_order():
    assert list(RULES) == sorted(RULES)
    assert set(RESTRICTED_RULES) <= set(RULES)
    for name, rule in RULES.items():
        assert rule.__doc__.startswith(f"{name}: ")
