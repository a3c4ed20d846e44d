"""The wordings of “What this changes for you”: each in the present, the past and the future."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from registry.pages.labels import message, plural_message

Tense: TypeAlias = Literal["present", "past", "future"]

Tenses: TypeAlias = tuple[str, str, str]
ORDER: tuple[Tense, ...] = ("present", "past", "future")

STATUS: Mapping[str, str] = {
    "planned": message("This system is planned. It is not used yet."),
    "in_development": message("This system is being developed. It is not used yet."),
    "pilot": message("This system is being tried out."),
    "suspended": message("This system is suspended. It is not used at the moment."),
    "retired": message("This system is out of service. It is not used any more."),
}
STATUS_UNKNOWN = message("Whether this system is used is not stated.")

NO_PART: Tenses = (
    message("The system takes no part in decisions."),
    message("The system took no part in decisions."),
    message("The system will take no part in decisions."),
)
INFORMS: Tenses = (
    message("The system informs a person. That person decides."),
    message("The system informed a person. That person decided."),
    message("The system will inform a person. That person will decide."),
)
RECOMMENDS: Tenses = (
    message("The system recommends a decision. A person decides."),
    message("The system recommended a decision. A person decided."),
    message("The system will recommend a decision. A person will decide."),
)
RECOMMENDS_ONLY: Tenses = (
    message("The system recommends a decision."),
    message("The system recommended a decision."),
    message("The system will recommend a decision."),
)
PREPARES: Tenses = (
    message("The system prepares the decision. A person confirms it."),
    message("The system prepared the decision. A person confirmed it."),
    message("The system will prepare the decision. A person will confirm it."),
)
PREPARES_BOUND: Tenses = (
    message("The system decides. A person confirms it, without a choice to decide otherwise."),
    message("The system decided. A person confirmed it, without a choice to decide otherwise."),
    message(
        "The system will decide. A person will confirm it, without a choice to decide otherwise."
    ),
)
DECIDES: Tenses = (
    message("The system decides."),
    message("The system decided."),
    message("The system will decide."),
)
ALONE: Tenses = (
    message("When the system decides, it does so without a person."),
    message("When the system decided, it did so without a person."),
    message("When the system decides, it will do so without a person."),
)
CHECKS: Mapping[str, Tenses] = {
    "before_each": (
        message("A person checks each result."),
        message("A person checked each result."),
        message("A person will check each result."),
    ),
    "sample_review": (
        message("A person checks a sample of its results."),
        message("A person checked a sample of its results."),
        message("A person will check a sample of its results."),
    ),
    "on_exception": (
        message("A person checks its results in exceptional cases only."),
        message("A person checked its results in exceptional cases only."),
        message("A person will check its results in exceptional cases only."),
    ),
    "after_complaint": (
        message("A person checks its results after a complaint only."),
        message("A person checked its results after a complaint only."),
        message("A person will check its results after a complaint only."),
    ),
    "none": (
        message("No regular check of its results by a person takes place."),
        message("No regular check of its results by a person took place."),
        message("No regular check of its results by a person will take place."),
    ),
}
CORRECTABLE: Tenses = (
    message("A person can correct what it produces."),
    message("A person could correct what it produced."),
    message("A person will be able to correct what it produces."),
)
NOT_CORRECTABLE: Tenses = (
    message("Nobody can correct what it produces."),
    message("Nobody could correct what it produced."),
    message("Nobody will be able to correct what it produces."),
)
CHANGEABLE: Tenses = (
    message("A person can change its decision afterwards."),
    message("A person could change its decision afterwards."),
    message("A person will be able to change its decision afterwards."),
)
OTHERWISE: Tenses = (
    message("A person can decide otherwise than the system."),
    message("A person could decide otherwise than the system."),
    message("A person will be able to decide otherwise than the system."),
)
NEVER_OTHERWISE: Tenses = (
    message("Nobody can decide otherwise than the system."),
    message("Nobody could decide otherwise than the system."),
    message("Nobody will be able to decide otherwise than the system."),
)
OFFICIAL: Tenses = (
    message("Its result counts in an official decision that concerns you."),
    message("Its result counted in official decisions on the persons concerned."),
    message("Its result will count in an official decision that concerns you."),
)
NO_EFFECT: Tenses = (
    message("Its result has no legal effect on you."),
    message("Its result had no legal effect on anybody."),
    message("Its result will have no legal effect on you."),
)
PERSONAL: Mapping[str, Tenses] = {
    "yes": (
        message("It uses personal data."),
        message("It used personal data."),
        message("It will use personal data."),
    ),
    "pseudonymised": (
        message("It uses personal data, with codes in the place of names."),
        message("It used personal data, with codes in the place of names."),
        message("It will use personal data, with codes in the place of names."),
    ),
    "anonymised": (
        message("It uses data by which nobody can be recognised any more."),
        message("It used data by which nobody could be recognised any more."),
        message("It will use data by which nobody can be recognised any more."),
    ),
    "no": (
        message("It uses no personal data."),
        message("It used no personal data."),
        message("It will use no personal data."),
    ),
}
CONTEST: Tenses = (
    message("You can contest its result."),
    message("Its results could be contested."),
    message("Once it is used, you will be able to contest its result."),
)
CONTEST_STILL = message("Its results of before can still be contested.")
Counted: TypeAlias = tuple[str, str]
CONTEST_IN: tuple[Counted, Counted, Counted] = (
    plural_message(
        "You can contest its result within %(n)s day.",
        "You can contest its result within %(n)s days.",
    ),
    plural_message(
        "Its results could be contested within %(n)s day.",
        "Its results could be contested within %(n)s days.",
    ),
    plural_message(
        "Once it is used, you will be able to contest its result within %(n)s day.",
        "Once it is used, you will be able to contest its result within %(n)s days.",
    ),
)
CONTEST_IN_STILL: Counted = plural_message(
    "Its results of before can still be contested, within %(n)s day of each.",
    "Its results of before can still be contested, within %(n)s days of each.",
)
NOTHING_TO_CONTEST: Tenses = (
    message(
        "The agency states that its result has no legal effect. "
        "The decision taken after it can be contested."
    ),
    message(
        "The agency states that its results had no legal effect. "
        "The decisions taken after them can be contested."
    ),
    message(
        "The agency states that its result will have no legal effect. "
        "The decision taken after it can be contested."
    ),
)
PRECLUDED: Tenses = (
    message("The law does not let its result be contested."),
    message("The law did not let its results be contested."),
    message("The law will not let its result be contested."),
)
SET_UP: Tenses = (
    message("A way to contest its result is being set up."),
    message("A way to contest its results was being set up."),
    message("A way to contest its result is being set up."),
)
WRITE = message("You can write to the agency.")
PART_UNKNOWN = message("What part it has in decisions:")
DATA_UNKNOWN = message("Whether it uses personal data:")
CONTEST_UNKNOWN = message("Whether contesting is possible:")
RESTRICTED = message("What the system does, and what part it has in decisions, is not published.")
RESTRICTED_CONTEST = message(
    "Whether its results can be contested is not published. Your rights in every case stand below."
)

ROLES: Mapping[str, Tenses] = {
    "no_decision": NO_PART,
    "informs": INFORMS,
    "recommends": RECOMMENDS,
    "decides_with_review": PREPARES,
    "decides_alone": ALONE,
}
CHECKED_EACH = ("informs", "recommends", "decides_with_review")
"""Roles whose own sentence says that a person sees each case."""

OVERRIDES: Mapping[str, tuple[Tenses | None, Tenses]] = {
    "no_decision": (CORRECTABLE, NOT_CORRECTABLE),
    "informs": (None, NEVER_OTHERWISE),
    "decides_alone": (CHANGEABLE, NEVER_OTHERWISE),
}
CONFLICTS = {
    ("recommends", "none"),
    ("decides_with_review", "none"),
    ("decides_alone", "before_each"),
}
