"""What the finder says: facts whose absence tells most, kinds of answers, findings, orders."""

from __future__ import annotations

from collections.abc import Mapping

from registry.pages.labels import message

TELLING = (
    "rights.contestation",
    "rights.human_alternative",
    "rights.explanation",
    "rights.notice",
    "decision.human_oversight",
    "risk.rationale",
    "data.legal_basis",
    "assessments",
    "evaluation.metrics",
    "evaluation.fairness_tested",
    "contact.email",
)
"""The facts whose absence tells most, of the many that `lacks` knows."""

ANSWERS: Mapping[str, str] = {
    "stated": message("Stated"),
    "asked_not_stated": message("Asked for and not stated"),
    "not_asked": message("Neither stated nor asked for"),
    "withheld": message("Withheld"),
    "restricted": message("Only the existence of the record is public"),
}
"""What is said of the kinds of an answer, in their order."""

NOTICED = {
    "below_floor": message("A level of risk lower than follows from the record"),
    "no_redress": message("In operation, with no way yet to contest a decision, or none by law"),
    "R15": message("High risk, with an assessment or a mitigation still to come"),
    "R24": message("A lower level of risk, and contestation not stated yet"),
    "required": message("Something asked for is not stated"),
    "R22": message("A name close to that of another system"),
    "R25": message("A system filed anew at a lower level"),
    "R26": message("Something where an earlier text was erased"),
    "R20": message("An accountable role that looks like a person’s name"),
    "R19": message("A mailbox that looks like a person’s own"),
    "R03": message("Not yet in a language that is recommended"),
}
"""What may be noticed in a published record, by rule, with what tells most first."""

SORTS = {
    "relevance": message("Best match first"),
    "newest": message("Newest first"),
    "name": message("By name"),
    "completeness": message("Most complete first"),
    "review_due": message("Next review first"),
}
"""The orders of results, by the parameter of the API."""
