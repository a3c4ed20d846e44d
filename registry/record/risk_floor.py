"""The risk floor: the level that follows from what a record states (record format, risk floor).

An agency may declare a higher level; a lower one only with reasons, under rule R24.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from registry.record.messages import Message, message, translatable
from registry.record.rule_context import STRONG_ROLES, RuleContext

LEVELS = ("minimal", "limited", "high", "unacceptable")

_VULNERABLE = frozenset(("minors", "migrants_asylum", "prisoners_or_suspects"))
_NOT_NATURAL = frozenset(("businesses", "public_agents"))
_GATEKEEPING = frozenset(("eligibility", "fraud_control", "inspection_targeting"))
_WATCHING = frozenset(("identity_verification", "monitoring_surveillance"))


class RiskCriterion(msgspec.Struct, frozen=True, kw_only=True):
    """A criterion that sets a floor, and the message that explains it."""

    level: str
    holds: Callable[[RuleContext], bool]
    reason: str


def floor_of(case: RuleContext) -> tuple[str, tuple[Message, ...]]:
    """Return the floor and its reasons; minimal has none."""
    grounds = [ground for ground in RISK_CRITERIA if ground.holds(case)]
    for level in ("high", "limited"):
        reasons = tuple(message(ground.reason) for ground in grounds if ground.level == level)
        if reasons:
            return level, reasons
    return "minimal", ()


def on_natural_persons(case: RuleContext) -> bool:
    """Return whether persons are affected: by their data, or as a group that is named."""
    groups = case.dig("purpose", "affected_groups") or ()
    return "P" in case.held or not _NOT_NATURAL.issuperset(groups)


def _in_high_risk_area(case: RuleContext) -> bool:
    return case.dig("risk", "annex_iii_area") not in {None, "none"}


def _decides_with_legal_effect(case: RuleContext) -> bool:
    return "legal_effect" in case.held and case.role in {"decides_with_review", "decides_alone"}


def _weighs_sensitive_data(case: RuleContext) -> bool:
    return bool(case.dig("data", "sensitive")) and case.role in STRONG_ROLES


def _weighs_on_the_vulnerable(case: RuleContext) -> bool:
    groups = case.dig("purpose", "affected_groups") or ()
    return not _VULNERABLE.isdisjoint(groups) and case.role in STRONG_ROLES


def _recognises_bodies(case: RuleContext) -> bool:
    categories = case.dig("data", "categories") or ()
    return "biometric" in categories and case.function in _WATCHING


def _sorts_people(case: RuleContext) -> bool:
    return case.function in _GATEKEEPING and on_natural_persons(case)


def _talks(case: RuleContext) -> bool:
    return case.function == "chatbot_information"


def _generates(case: RuleContext) -> bool:
    return "generative_llm" in (case.dig("technical", "techniques") or ())


def _processes_personal_data(case: RuleContext) -> bool:
    return "P" in case.held


def _informs_with_legal_effect(case: RuleContext) -> bool:
    return "legal_effect" in case.held and case.role in STRONG_ROLES | {"informs"}


RISK_CRITERIA = (
    RiskCriterion(
        level="high",
        holds=_in_high_risk_area,
        reason=translatable("the use falls under an area of Annex III of the EU AI Act"),
    ),
    RiskCriterion(
        level="high",
        holds=_decides_with_legal_effect,
        reason=translatable("it decides with legal effect"),
    ),
    RiskCriterion(
        level="high",
        holds=_weighs_sensitive_data,
        reason=translatable("it recommends or decides on sensitive data"),
    ),
    RiskCriterion(
        level="high",
        holds=_weighs_on_the_vulnerable,
        reason=translatable(
            "it recommends or decides about minors, migrants, or prisoners and suspects"
        ),
    ),
    RiskCriterion(
        level="high",
        holds=_recognises_bodies,
        reason=translatable("it identifies or watches people by biometric data"),
    ),
    RiskCriterion(
        level="high",
        holds=_sorts_people,
        reason=translatable("it examines people for eligibility, fraud or inspection"),
    ),
    RiskCriterion(level="limited", holds=_talks, reason=translatable("it talks with the public")),
    RiskCriterion(
        level="limited",
        holds=_generates,
        reason=translatable("it generates text by a language model"),
    ),
    RiskCriterion(
        level="limited",
        holds=_processes_personal_data,
        reason=translatable("it processes personal data"),
    ),
    RiskCriterion(
        level="limited",
        holds=_informs_with_legal_effect,
        reason=translatable("it informs decisions with legal effect"),
    ),
)
