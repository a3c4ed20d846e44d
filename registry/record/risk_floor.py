"""The risk floor: the level that follows from what a record states (record format, risk floor).

An agency may declare a higher level; a lower one only with reasons, under rule R24.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from registry.record.messages import Message, message, translatable
from registry.record.requirements import cited
from registry.record.rule_context import STRONG_ROLES, RuleContext
from registry.record.rules_law import is_met
from registry.record.schema import broader

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


def floor_of(context: RuleContext) -> tuple[str, tuple[Message, ...]]:
    """Return the floor and its reasons; minimal has none."""
    met = [(one.level, message(one.reason)) for one in RISK_CRITERIA if one.holds(context)]
    met += [
        (one.level, cited(one)) for one in context.demands if one.level and not is_met(one, context)
    ]
    for level in ("high", "limited"):
        reasons = tuple(reason for of, reason in met if of == level)
        if reasons:
            return level, reasons
    return "minimal", ()


def below_floor(context: RuleContext) -> tuple[str, tuple[Message, ...]] | None:
    """Return the floor and its reasons where the declared level is lower."""
    if context.level is None or "H" in context.held:
        # No floor is above high.
        return None
    floor, reasons = floor_of(context)
    return (floor, reasons) if LEVELS.index(context.level) < LEVELS.index(floor) else None


def on_natural_persons(context: RuleContext) -> bool:
    """Return whether persons are affected: by their data, or as a group that is named."""
    return "P" in context.held or not _NOT_NATURAL.issuperset(_groups(context))


def _groups(context: RuleContext) -> set[str]:
    return set(map(broader, context.dig("purpose", "affected_groups") or ()))


def _in_high_risk_area(context: RuleContext) -> bool:
    return context.dig("risk", "annex_iii_area") not in {None, "none"}


def _decides_with_legal_effect(context: RuleContext) -> bool:
    return "legal_effect" in context.held and context.role in {
        "decides_with_review",
        "decides_alone",
    }


def _weighs_sensitive_data(context: RuleContext) -> bool:
    return bool(context.dig("data", "sensitive")) and context.role in STRONG_ROLES


def _weighs_on_the_vulnerable(context: RuleContext) -> bool:
    return not _VULNERABLE.isdisjoint(_groups(context)) and context.role in STRONG_ROLES


def _recognises_bodies(context: RuleContext) -> bool:
    categories = context.dig("data", "categories") or ()
    return "biometric" in categories and context.function in _WATCHING


def _sorts_people(context: RuleContext) -> bool:
    return context.function in _GATEKEEPING and on_natural_persons(context)


def _talks(context: RuleContext) -> bool:
    return context.function == "chatbot_information"


def _generates(context: RuleContext) -> bool:
    return "generative_llm" in (context.dig("technical", "techniques") or ())


def _processes_personal_data(context: RuleContext) -> bool:
    return "P" in context.held


def _informs_with_legal_effect(context: RuleContext) -> bool:
    return "legal_effect" in context.held and context.role in STRONG_ROLES | {"informs"}


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
