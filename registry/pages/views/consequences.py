"""The sentences of “What this changes for you”: what a record says, put to the person it concerns.

A pure function of a few facts. A sentence is in the tense of the record's status, and two facts
that do not fit make one sentence that says so, never two that contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from registry.pages.views import consequence_wordings as wording
from registry.record.model import NOT_STATED
from registry.record.statuses import COMING, ENDED

ROLE = "/decision/role"
LEGAL_EFFECT = "/decision/legal_effect"
OVERSIGHT = "/decision/oversight_type"
OVERRIDE = "/decision/override_possible"
PERSONAL_DATA = "/data/personal_data"
CONTESTATION = "/rights/contestation"

TENSES: Mapping[str, wording.Tense] = {
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
    if facts.status in wording.STATUS:
        yield Consequence(text=wording.STATUS[facts.status])
    elif facts.status == NOT_STATED:
        yield Consequence(text=wording.STATUS_UNKNOWN)
    if facts.is_restricted:
        yield Consequence(text=wording.RESTRICTED)
        yield Consequence(text=wording.RESTRICTED_CONTEST, anchor="contest")
        return
    yield from _part_in_decisions(facts)
    if facts.role != "no_decision" and facts.legal_effect and not _is_denied(facts):
        yield _said(wording.OFFICIAL, facts)
    elif facts.legal_effect is False:
        yield _said(wording.NO_EFFECT, facts)
    if facts.personal_data is not None and facts.personal_data in wording.PERSONAL:
        yield _said(wording.PERSONAL[facts.personal_data], facts)
    else:
        yield Consequence(text=wording.DATA_UNKNOWN, absent=PERSONAL_DATA)
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
        yield Consequence(text=wording.PART_UNKNOWN, absent=ROLE)
    is_said = facts.oversight == "before_each" and facts.role in wording.CHECKED_EACH
    if facts.oversight is not None and facts.oversight in wording.CHECKS and not is_said:
        yield _said(wording.CHECKS[facts.oversight], facts)
    is_bound = facts.role == "decides_with_review" and _is_each(facts)
    possible, impossible = wording.OVERRIDES.get(
        facts.role or "", (wording.OTHERWISE, wording.NEVER_OTHERWISE)
    )
    if facts.override == "yes" and possible:
        yield _said(possible, facts)
    elif facts.override == "no" and not is_bound:
        yield _said(impossible, facts)


def _conflict(facts: SystemFacts) -> tuple[str, str] | None:
    """Return the two answers on who decides that cannot both be true."""
    if facts.role in {"informs", "recommends"} and facts.override == "no":
        return ROLE, OVERRIDE
    if (facts.role, facts.oversight) in wording.CONFLICTS:
        return ROLE, OVERSIGHT
    if facts.role == "no_decision" and facts.legal_effect:
        return ROLE, LEGAL_EFFECT
    return None


def _role(facts: SystemFacts) -> wording.Tenses | None:
    """Return the sentence of a role that is stated.

    That a person decides is said only where they see each case.
    """
    if facts.role == "recommends" and not _is_each(facts):
        return wording.RECOMMENDS_ONLY
    if facts.role == "decides_with_review" and not _is_each(facts):
        return wording.DECIDES
    if facts.role == "decides_with_review" and facts.override == "no":
        return wording.PREPARES_BOUND
    return wording.ROLES.get(facts.role or "")


def _is_each(facts: SystemFacts) -> bool:
    return facts.oversight in {"before_each", None}


def _is_denied(facts: SystemFacts) -> bool:
    """Return whether contesting is excluded for the lack of a legal effect that there is."""
    return bool(facts.legal_effect) and facts.contestation == "no_legal_effect"


def _contesting(facts: SystemFacts) -> Iterator[Consequence]:
    available, days = facts.contestation, facts.deadline_days
    tense = wording.ORDER.index(TENSES.get(facts.status, "present"))
    is_suspended = facts.status == "suspended"
    if available == "yes" and days is not None:
        one, many = wording.CONTEST_IN_STILL if is_suspended else wording.CONTEST_IN[tense]
        yield Consequence(text=one, many=many, n=days, anchor="contest")
    elif available == "yes":
        yield Consequence(
            text=wording.CONTEST_STILL if is_suspended else wording.CONTEST[tense], anchor="contest"
        )
    elif _is_denied(facts):
        yield Consequence(conflict=(LEGAL_EFFECT, CONTESTATION))
    elif available == "no_legal_effect":
        yield _said(wording.NOTHING_TO_CONTEST, facts)
    elif available == "precluded_by_law":
        yield _said(wording.PRECLUDED, facts)
    elif available == "in_progress":
        yield _said(wording.SET_UP, facts)
    else:
        yield Consequence(text=wording.CONTEST_UNKNOWN, absent=CONTESTATION)
    if available != "yes" and not facts.is_foreign:
        yield Consequence(text=wording.WRITE, anchor="contest")


def _said(wordings: wording.Tenses, facts: SystemFacts) -> Consequence:
    return Consequence(text=wordings[wording.ORDER.index(TENSES.get(facts.status, "present"))])
