"""The words for observations: a sentence on the record, and one on how it is counted."""

from __future__ import annotations

from collections.abc import Mapping

from registry.pages.labels import message

WORDS: Mapping[str, tuple[str, str]] = {
    "high_risk_unassessed": (
        message("At high or unacceptable risk and in use; no completed assessment is stated"),
        message(
            "Status “in use”, level high or unacceptable, no assessment with the status "
            "“completed”. Not where assessments are withheld or only the existence is public."
        ),
    ),
    "serious_incident_open": (
        message("A serious incident is still open"),
        message("At least one incident with the severity “serious” and the status “open”."),
    ),
    "mostly_overturned": (
        message("More than half of the contested decisions were overturned"),
        message(
            "Overturned decisions, doubled, exceed the contested ones; both numbers are stated. "
            "Not where a part of the outcomes is withheld or erased."
        ),
    ),
    "effect_not_told": (
        message("Its decisions have legal effect, and people are not told that it is used"),
        message("Legal effect is stated as “yes”, and whether people are told as “no”."),
    ),
    "fairness_untested": (
        message("It uses a protected attribute, and fairness is not stated as tested"),
        message(
            "At least one protected attribute is stated; the test of fairness is answered "
            "“no” or “in progress”, or not answered. Not where it is withheld."
        ),
    ),
    "below_area": (
        message("Its area is one of high risk, and a lower level is declared"),
        message(
            "An area of Annex III of the EU AI Act is stated, and the level is limited or minimal."
        ),
    ),
    "assessed_after_deployment": (
        message("First assessed after it was put into operation"),
        message(
            "The earliest completed assessment is dated later than the first day in "
            "operation; of a year or a month its last day counts. Not where a completed "
            "assessment has no date, or one is withheld or erased."
        ),
    ),
    "self_assessed": (
        message("Every completed assessment was made by those who run it"),
        message(
            "At least one assessment is completed, and each completed one states that it was "
            "not independent. Not where one is withheld or erased."
        ),
    ),
    "metric_old": (
        message("In operation, and its newest dated measurement is more than two years old"),
        message(
            "Status “in use” or “pilot”; the latest day of a measurement lies more than two "
            "years before the day asked about. Not where one is withheld or erased."
        ),
    ),
    "pilot_long": (
        message("A pilot for more than two years"),
        message(
            "Status “pilot”, and the day since which it has been a pilot, or in operation where "
            "that is not stated, lies more than two years back; of a year or a month its last "
            "day counts."
        ),
    ),
    "review_overdue": (
        message("The review that was promised is overdue"),
        message("Not retired, and the day of the next review has passed."),
    ),
    "contract_over": (
        message("In use, and the stated contract has ended"),
        message(
            "Status “in use”, and the last day of the contract and of its amendments has passed. "
            "Not where amendments are withheld or erased."
        ),
    ),
    "no_competition": (
        message("Bought by negotiated procedure or by purchase order"),
        message("The procedure of the contract is “negotiated procedure” or “purchase order”."),
    ),
}
"""By code, the sentence and the method, which say what is stated and judge nobody."""
