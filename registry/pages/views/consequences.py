"""The sentences of “What this changes for you”: a record, put to the person it concerns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from registry.pages.labels import message, plural_message
from registry.record.model import COMING, ENDED, NOT_STATED

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
    message("The agency states that its result has no legal effect on you."),
    message("The agency states that its result had no legal effect on anybody."),
    message("The agency states that its result will have no legal effect on you."),
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


ROLE = "/decision/role"
LEGAL_EFFECT = "/decision/legal_effect"
OVERSIGHT = "/decision/oversight_type"
OVERRIDE = "/decision/override_possible"
PERSONAL_DATA = "/data/personal_data"
CONTESTATION = "/rights/contestation"

TENSES: Mapping[str, Tense] = {
    **dict.fromkeys(COMING, "future"),
    **dict.fromkeys(ENDED, "past"),
}
"""The tense of what a record says by its status, where that is not the present."""


class SystemFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a record states of a system, by code; None for what it does not state.

    `is_foreign` says that the record was copied, and `is_restricted` that only the existence of the
    system is public.
    """

    status: str = NOT_STATED
    role: str | None = None
    legal_effect: bool | None = None
    oversight: str | None = None
    override: str | None = None
    personal_data: str | None = None
    contestation: str | None = None
    deadline_days: int | None = None
    is_foreign: bool = False
    is_restricted: bool = False


class Consequence(msgspec.Struct, frozen=True, kw_only=True):
    """One point: an English wording, with its plural and number where it counts.

    `anchor` is the part of the page it leads to. `absent` is the JSON Pointer of a fact that is not
    stated, which the wording names, and `conflict` those of two facts that contradict each other.
    """

    text: str = ""
    many: str = ""
    n: int | None = None
    anchor: str = ""
    absent: str = ""
    conflict: tuple[str, str] | None = None


def consequences(facts: SystemFacts) -> Iterator[Consequence]:
    """Yield what a system means for the person it concerns, in the order of the page."""
    if facts.status in STATUS:
        yield Consequence(text=STATUS[facts.status])
    elif facts.status == NOT_STATED:
        yield Consequence(text=STATUS_UNKNOWN)
    if facts.is_restricted:
        yield Consequence(text=RESTRICTED)
        yield Consequence(text=RESTRICTED_CONTEST, anchor="contest")
        return
    yield from _part_in_decisions(facts)
    if facts.role != "no_decision" and facts.legal_effect and not _is_denied(facts):
        yield _said(OFFICIAL, facts)
    elif facts.legal_effect is False:
        yield _said(NO_EFFECT, facts)
    if facts.personal_data is not None and facts.personal_data in PERSONAL:
        yield _said(PERSONAL[facts.personal_data], facts)
    else:
        yield Consequence(text=DATA_UNKNOWN, absent=PERSONAL_DATA)
    yield from _contesting(facts)


def facts_of(document: Mapping[str, Any], *, is_foreign: bool) -> SystemFacts:
    """Read the facts of a document; what is there has the types of the format's draft profile."""
    decision, rights = document.get("decision") or {}, document.get("rights") or {}
    contestation = rights.get("contestation") or {}
    return SystemFacts(
        status=(document.get("lifecycle") or {}).get("status", NOT_STATED),
        role=decision.get("role"),
        legal_effect=decision.get("legal_effect"),
        oversight=decision.get("oversight_type"),
        override=(decision.get("override_possible") or {}).get("answer"),
        personal_data=(document.get("data") or {}).get("personal_data"),
        contestation=contestation.get("available"),
        deadline_days=contestation.get("deadline_days"),
        is_foreign=is_foreign,
        is_restricted=bool((document.get("publication") or {}).get("restriction")),
    )


def _part_in_decisions(facts: SystemFacts) -> Iterator[Consequence]:
    """Yield what the system and people do, or which two answers do not fit."""
    pair = _conflict(facts)
    if pair is not None:
        yield Consequence(conflict=pair)
        if facts.role != "no_decision":
            return
    elif (wordings := _role(facts)) is not None:
        yield _said(wordings, facts)
    else:
        yield Consequence(text=PART_UNKNOWN, absent=ROLE)
    is_said = facts.oversight == "before_each" and facts.role in CHECKED_EACH
    if facts.oversight is not None and facts.oversight in CHECKS and not is_said:
        yield _said(CHECKS[facts.oversight], facts)
    is_bound = facts.role == "decides_with_review" and _is_each(facts)
    possible, impossible = OVERRIDES.get(facts.role or "", (OTHERWISE, NEVER_OTHERWISE))
    if facts.override == "yes" and possible:
        yield _said(possible, facts)
    elif facts.override == "no" and not is_bound:
        yield _said(impossible, facts)


def _conflict(facts: SystemFacts) -> tuple[str, str] | None:
    """Return the two answers on who decides that cannot both be true."""
    if facts.role in {"informs", "recommends"} and facts.override == "no":
        return ROLE, OVERRIDE
    if (facts.role, facts.oversight) in CONFLICTS:
        return ROLE, OVERSIGHT
    if facts.role == "no_decision" and facts.legal_effect:
        return ROLE, LEGAL_EFFECT
    return None


def _role(facts: SystemFacts) -> Tenses | None:
    """Return the sentence of a role that is stated.

    That a person decides is said only where they see each case.
    """
    if facts.role == "recommends" and not _is_each(facts):
        return RECOMMENDS_ONLY
    if facts.role == "decides_with_review" and not _is_each(facts):
        return DECIDES
    if facts.role == "decides_with_review" and facts.override == "no":
        return PREPARES_BOUND
    return ROLES.get(facts.role or "")


def _is_each(facts: SystemFacts) -> bool:
    return facts.oversight in {"before_each", None}


def _is_denied(facts: SystemFacts) -> bool:
    """Return whether contesting is excluded for the lack of a legal effect that there is."""
    return bool(facts.legal_effect) and facts.contestation == "no_legal_effect"


def _contesting(facts: SystemFacts) -> Iterator[Consequence]:
    available, days = facts.contestation, facts.deadline_days
    tense = ORDER.index(TENSES.get(facts.status, "present"))
    is_suspended = facts.status == "suspended"
    if available == "yes" and days is not None:
        one, many = CONTEST_IN_STILL if is_suspended else CONTEST_IN[tense]
        yield Consequence(text=one, many=many, n=days, anchor="contest")
    elif available == "yes":
        yield Consequence(text=CONTEST_STILL if is_suspended else CONTEST[tense], anchor="contest")
    elif _is_denied(facts):
        yield Consequence(conflict=(LEGAL_EFFECT, CONTESTATION))
    elif available == "no_legal_effect":
        yield _said(NOTHING_TO_CONTEST, facts)
    elif available == "precluded_by_law":
        yield _said(PRECLUDED, facts)
    elif available == "in_progress":
        yield _said(SET_UP, facts)
    else:
        yield Consequence(text=CONTEST_UNKNOWN, absent=CONTESTATION)
    if available != "yes" and not facts.is_foreign:
        yield Consequence(text=WRITE, anchor="contest")


def _said(wordings: Tenses, facts: SystemFacts) -> Consequence:
    return Consequence(text=wordings[ORDER.index(TENSES.get(facts.status, "present"))])
