"""The publication rules: one generator function each, in one ordered table.

A rule takes a rule context (a document whose shape is sound, the country's pack, today's date in
UTC) and yields pending findings. Nothing here uses the network or the register; the rules that need
the register, `REGISTER_RULES`, are in `services/filing/register_rules.py`. The
documentation is generated from the docstrings of rules: the first sentence is the title.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from registry.record import (
    rules_data,
    rules_dates,
    rules_pack,
    rules_persons,
    rules_redress,
    rules_restriction,
    rules_risk,
)
from registry.record.rule_context import Rule

RULE_SET = "1.3.0"
"""The name of this set of rules, stored with each version that it let pass."""

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "R00": rules_pack.belongs_to_pack,
        "R01": rules_pack.named_in_a_national_language,
        "R02": rules_pack.read_in_all_languages_at_high_risk,
        "R03": rules_pack.named_in_recommended_languages,
        "R04": rules_dates.retirement_dated,
        "R05": rules_dates.deployment_dated,
        "R06": rules_dates.review_planned,
        "R07": rules_risk.unacceptable_not_in_use,
        "R08": rules_risk.automated_decision_contestable,
        "R12": rules_data.transfers_named,
        "R14": rules_data.supplier_named,
        "R15": rules_risk.high_risk_in_operation_is_answered_for,
        "R16": rules_data.language_model_named,
        "R17": rules_risk.contribution_told,
        "R18": rules_restriction.lawfully_withheld,
        "R19": rules_persons.mailbox_generic,
        "R20": rules_persons.role_not_person,
        "R24": rules_risk.below_floor_explained,
        "R27": rules_dates.change_dated,
        "R28": rules_restriction.lawfully_restricted,
        "R30": rules_redress.relied_on_says_something,
        "R31": rules_redress.redress_usable,
    }
)

REGISTER_RULES = ("R21", "R22", "R25", "R26", "R29", "change_note")
"""The names of the rules that need the register, of `services/filing/register_rules.py`."""

RESTRICTED_RULES = ("R00", "R07", "R27", "R28")
"""The rules on what a restricted record states; the others ask for what it may not state."""
