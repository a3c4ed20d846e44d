"""The risk floor, ground by ground: each alone sets it, and nothing else does."""

from __future__ import annotations

import pytest

from registry.record import risk_floor
from registry.record.requirements import requirement_status
from registry.record.risk_floor import LEVELS, RISK_CRITERIA, floor_of
from registry.record.rule_context import make_rule_context

FRENCH = (
    "Le système propose un ordre de lecture ; chaque lettre est lue par deux médecins, qui ne "
    "voient la proposition qu'après avoir rendu leur avis, et tout patient peut demander un second "
    "examen sans attendre son rendez-vous."
)
ARABIC = (
    "يقترح النظام ترتيبا للقراءة فقط؛ ويقرأ طبيبان كل رسالة، ولا يطلعان على الاقتراح إلا بعد إبداء "
    "رأيهما، ويحق لكل مريض أن يطلب فحصا ثانيا دون انتظار موعده، كما تراجع لجنة مستقلة عينة من "
    "الرسائل كل شهر وتنشر نتائجها للعموم."
)
LEGAL = {"/decision/legal_effect": True}
HIGH = {
    "_in_high_risk_area": [{"/risk/annex_iii_area": "education"}],
    "_decides_with_legal_effect": [
        LEGAL | {"/decision/role": "decides_with_review"},
        LEGAL | {"/decision/role": "decides_alone"},
    ],
    "_weighs_sensitive_data": [
        {"/data/sensitive": ["biometric"], "/decision/role": "recommends"},
        {"/data/sensitive": ["health"], "/decision/role": "decides_alone"},
    ],
    "_weighs_on_the_vulnerable": [
        {"/purpose/affected_groups": [group], "/decision/role": "recommends"}
        for group in ("minors", "migrants_asylum", "prisoners_or_suspects")
    ],
    "_recognises_bodies": [
        {"/data/categories": ["biometric"], "/sector/function": "identity_verification"},
        {"/data/categories": ["biometric"], "/sector/function": "monitoring_surveillance"},
    ],
    "_sorts_people": [
        {"/sector/function": function}
        for function in ("eligibility", "fraud_control", "inspection_targeting")
    ],
}
LIMITED = {
    "_talks": [{"/sector/function": "chatbot_information"}],
    "_generates": [{"/technical/techniques": ["rules", "generative_llm"]}],
    "_processes_personal_data": [
        {"/data/personal_data": "yes"},
        {"/data/personal_data": "pseudonymised"},
    ],
    "_informs_with_legal_effect": [
        LEGAL | {"/decision/role": "informs"},
        LEGAL | {"/decision/role": "recommends"},
    ],
}
NONE = [
    {},
    {"/decision/role": "decides_alone"},
    LEGAL | {"/decision/role": "no_decision"},
    {"/data/sensitive": ["health"]},
    {"/data/sensitive": [], "/decision/role": "recommends"},
    {"/purpose/affected_groups": ["minors"]},
    {"/data/categories": ["biometric"]},
    {"/data/personal_data": "anonymised"},
    # Inspecting businesses and staff is not sorting people.
    {
        "/sector/function": "inspection_targeting",
        "/purpose/affected_groups": ["businesses", "public_agents"],
    },
]
CASES = [
    (level, name, edits)
    for level, table in (("high", HIGH), ("limited", LIMITED))
    for name, several in table.items()
    for edits in several
]


@pytest.fixture
def floor_for(edited, pack, today):
    def find(edits):
        document = edited("minimal", edits)
        return floor_of(make_rule_context(document, requirement_status(document), pack, today))

    return find


@pytest.mark.parametrize(("level", "name", "edits"), CASES)
def test_each_ground_sets_the_floor_and_says_so(floor_for, level, name, edits, monkeypatch):
    [ground] = [one for one in RISK_CRITERIA if one.holds.__name__ == name]
    found, reasons = floor_for(edits)
    assert found == level == ground.level
    assert ground.reason in [reason.message for reason in reasons]
    monkeypatch.setattr(
        risk_floor, "RISK_CRITERIA", [one for one in RISK_CRITERIA if one is not ground]
    )
    assert ground.reason not in [reason.message for reason in floor_for(edits)[1]]


@pytest.mark.parametrize("edits", NONE)
def test_everything_else_is_minimal(floor_for, edits):
    assert floor_for(edits) == ("minimal", ())


def test_personal_data_makes_inspection_of_businesses_one_of_people(floor_for):
    edits = NONE[-1] | {"/data/personal_data": "yes"}
    assert floor_for(edits)[0] == "high"


def test_every_ground_is_tried_and_high_comes_before_limited():
    assert {ground.holds.__name__ for ground in RISK_CRITERIA} == {*HIGH, *LIMITED}
    levels = [LEVELS.index(ground.level) for ground in RISK_CRITERIA]
    assert levels == sorted(levels, reverse=True)


@pytest.mark.parametrize(("length", "refused"), [(199, True), (200, False)])
def test_a_lower_level_is_explained_in_200_characters(edited, found, length, refused):
    edits = {
        "/risk/level": "limited",
        "/risk/rationale": {"fr": FRENCH[: length - 1] + ".", "ar": ARABIC},
        "/lifecycle/next_review_on": "2027-06-30",
    }
    expected = [("/risk/level", "below_floor", "warning")]
    expected += [("/risk/rationale/fr", "R24", "error")] if refused else []
    assert found(edited("complete", edits)) == expected


@pytest.mark.parametrize("arabic", [{}, {"ar": "نص"}, {"ar": "كلمة " * 59 + "كلمة"}])
def test_the_reasons_are_as_long_in_each_language_of_the_record(edited, found, arabic):
    edits = {
        "/risk/level": "limited",
        "/risk/rationale": {"fr": FRENCH, **arabic},
        "/lifecycle/next_review_on": "2027-06-30",
    }
    assert found(edited("complete", edits)) == [
        ("/risk/level", "below_floor", "warning"),
        ("/risk/rationale/ar", "R24", "error"),
    ]


def test_a_higher_level_needs_no_reasons(edited, found):
    findings = found(edited("complete", {"/risk/annex_iii_area": "none"}))
    assert findings == []


@pytest.mark.parametrize(("status", "severity"), [("in_use", "error"), ("planned", "warning")])
def test_what_the_floor_asks_for_is_as_grave_as_there(edited, found, status, severity):
    edits = {
        "/risk/level": "limited",
        "/risk/rationale": {"fr": FRENCH, "ar": ARABIC},
        "/lifecycle/next_review_on": "2027-06-30",
        "/lifecycle/status": status,
        "/rights/contestation": ...,
    }
    if status == "planned":
        edits["/lifecycle/deployed_on"] = ...
    assert found(edited("complete", edits)) == [
        ("/rights/contestation", "R24", severity),
        ("/risk/level", "below_floor", "warning"),
    ]
