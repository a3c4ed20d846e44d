from __future__ import annotations

import pytest

from registry.record.requirements import requirement_status, units
from registry.record.validate import score

ANSWER = "/rights/human_alternative"


def test_a_record_that_states_everything(edited):
    document = edited("complete", {ANSWER: {"answer": "yes"}})
    scored = score(requirement_status(document))
    assert (scored.completeness, scored.accountability, scored.missing) == (100, 100, ())


def test_the_minimal_example_by_hand(examples):
    """All 27 units of weight 3 are met, of the 19 of weight 1 none: 81 of 100."""
    scored = score(requirement_status(examples["minimal"]))
    assert scored.completeness == 81
    assert scored.accountability == 100
    assert set(scored.missing) == {
        "/source_id",
        "/system_version",
        "/organisation/unit",
        "/contact/url",
        "/contact/phone",
        "/contact/postal_address",
        "/contact/opening_hours",
        "/website",
        "/tags",
        "/related_records",
        "/purpose/previous_process",
        "/purpose/out_of_scope_uses",
        "/risk/aia",
        "/sector/secondary",
        "/data/sharing",
        "/consultations",
        "/evaluation/incidents",
        "/evaluation/outcomes",
        "/documents",
    }


# Of the complete example: how many units of weight 3, and of weight 1, apply.
APPLY = (75, 16)


@pytest.mark.parametrize(
    ("answer", "missing", "lost"),
    [
        ({"answer": "yes"}, False, 0),
        ({"answer": "no", "note": {"fr": "x"}}, False, 0),
        ({"answer": "not_applicable", "note": {"fr": "x"}}, False, 0),
        ({"answer": "in_progress"}, False, 1.5),
        ({"answer": "withheld"}, False, 3),
        ({"answer": "not_applicable"}, True, 3),
        (..., True, 3),
    ],
)
def test_answers_count_whole_half_or_not(edited, answer, missing, lost):
    scored = score(requirement_status(edited("complete", {ANSWER: answer})))
    weight = 3 * APPLY[0] + APPLY[1]
    assert scored.completeness == int(100 * (weight - lost) / weight + 0.5)
    assert ((ANSWER,) if missing else ()) == scored.missing


def test_how_many_units_apply_to_the_complete_example(examples):
    asked = requirement_status(examples["complete"]).requirements
    assert (len(asked.required), len(asked.optional)) == APPLY


def test_what_is_voluntary_weighs_nothing(edited, examples):
    voluntary = [unit.pointer for unit in units() if unit.voluntary]
    without = edited("complete", dict.fromkeys(voluntary, ...))
    assert without.keys() < examples["complete"].keys()
    assert score(requirement_status(without)) == score(requirement_status(examples["complete"]))


def test_withheld_is_not_met_and_not_missing(edited):
    edits = {
        ANSWER: {"answer": "yes"},
        "/technical/explainability": ...,
        "/publication/withheld_fields/0/pointer": "/technical/explainability",
    }
    scored = score(requirement_status(edited("complete", edits)))
    assert scored.missing == ()
    assert scored.completeness < 100
    assert scored.accountability < scored.completeness


def test_what_is_unknown_is_not_asked_for():
    scored = score(
        requirement_status({"id": "us.hhs/x", "schema_version": "1.0", "name": {"en": "X"}})
    )
    assert "/risk/level" in scored.missing
    assert "/decision/fallback" not in scored.missing
    assert scored.accountability == 0


def test_an_empty_document_scores_nothing():
    assert (
        score(requirement_status({})).completeness,
        score(requirement_status({})).accountability,
    ) == (0, 0)


def test_a_foreign_record_that_states_nothing_it_could_account_for_has_no_accountability():
    minimal = requirement_status({"risk": {"level": "minimal"}})
    high = requirement_status({"risk": {"level": "high"}, "decision": {"fallback": {"en": "x"}}})

    assert (score(minimal).accountability, score(minimal, foreign=True).accountability) == (
        100,
        None,
    )
    assert 0 < score(high).accountability == score(high, foreign=True).accountability
