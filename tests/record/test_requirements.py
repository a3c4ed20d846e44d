"""The table of RECORD-FORMAT §2, written out again by hand: the schema must say the same."""

from __future__ import annotations

import pytest

from registry.record.requirements import (
    NEVER_WITHHELD,
    conditions,
    requirement_status,
    requirements_under,
    restricted_units,
    units,
)
from registry.record.schema import field_at, fields

TABLE = """
/id M
/schema_version M
/source_id o
/name M
/summary M
/system_version o | H
/organisation/unit o
/organisation/accountable_role L
/contact/email M
/contact/url o
/contact/phone o
/contact/postal_address o
/contact/opening_hours o
/website o
/territory M
/tags o
/related_records o
/purpose/goal M
/purpose/public_benefit M
/purpose/proportionality L
/purpose/alternatives_considered H
/purpose/previous_process o
/purpose/out_of_scope_uses o | H
/purpose/affected_groups M
/purpose/scale D+L
/purpose/adoption v
/purpose/services L
/risk/level M
/risk/rationale M
/risk/annex_iii_area M
/risk/assessed_on L
/risk/assessed_by L
/risk/method L
/risk/aia o
/risk/reversibility L
/risk/duration L
/risk/rights_impact H
/sector/primary M
/sector/secondary o
/sector/function M
/lifecycle/status M
/lifecycle/pilot_from v
/lifecycle/deployed_on D
/lifecycle/in_use_from v
/lifecycle/suspended_from v
/lifecycle/retired_on retired
/lifecycle/status_reason iff stopped
/lifecycle/last_reviewed_on not_retired
/lifecycle/next_review_on not_retired
/decision/role M
/decision/legal_effect M
/decision/description L
/decision/human_oversight L | recommends
/decision/oversight_type L
/decision/override_possible L
/decision/operator_training H+D
/decision/staff_trained v
/decision/posts_affected v
/decision/fallback H
/data/description M
/data/personal_data M
/data/categories P
/data/sensitive P
/data/protected_attributes_used H
/data/variables v
/data/sources L
/data/retention P
/data/legal_basis L | P
/data/authorisation law
/data/hosting L
/data/transfers_abroad P
/data/sharing o
/data/representativeness H
/data/access_log v
/technical/techniques M
/technical/learning L
/technical/description L
/technical/inputs L
/technical/outputs L
/technical/models H
/technical/explainability H
/technical/energy_per_year v
/technical/source_code H
/procurement/origin M
/procurement/suppliers iff supplied
/procurement/contract H+purchased
/procurement/amendments v
/procurement/running_cost v
/procurement/own_staff v
/procurement/funding v
/procurement/data_access_terms P+purchased
/procurement/portability v
/procurement/exit_plan v
/assessments L
/risks L
/consultations o
/rights/notice L | public_interacts
/rights/explanation H
/rights/contestation H | legal_effect
/rights/human_alternative H
/rights/data_rights_contact law
/evaluation/metrics H+D
/evaluation/fairness_tested H
/evaluation/benefits v
/evaluation/monitoring H+D
/evaluation/incidents o | H
/evaluation/outcomes o
/documents o
/registrations v
/waivers v
/languages/source M
/languages/translation_status M
/publication/visibility M
/publication/withheld_fields withholds
/publication/restriction iff restricted
/publication/answers v
/publication/change_note amended
/publication/changed_on o+amended
"""

EXPECTED = dict(line.split(" ", 1) for line in TABLE.strip().splitlines())


def test_the_schema_asks_for_what_the_table_says():
    assert {unit.pointer: unit.field.schema["x-requirement"] for unit in units()} == EXPECTED


def test_every_field_belongs_to_one_unit():
    """Each leaf is a unit, or lies in one; no unit lies in another."""
    paths = [unit.path for unit in units()]
    sections = {path[:depth] for path in paths for depth in range(1, len(path))}
    for field in fields():
        owners = [path for path in paths if field.path[: len(path)] == path]
        assert len(owners) == (0 if field.path in sections else 1), field.path


def test_every_condition_is_used_and_explained():
    used = {name for unit in units() for names in unit.alternatives for name in names}
    assert used - {"M"} == set(conditions())
    values = {value for condition in conditions().values() for value in condition.values} - {True}
    codes = {code for field in fields() for code in field.schema.get("enum", ())}
    assert values <= codes


def test_requirements_are_kept_for_few_of_all_combinations_of_conditions():
    """There are thousands, of 16 KB each, and whoever validates chooses which are computed."""
    assert requirements_under.cache_parameters()["maxsize"] <= 500


def test_what_is_never_withheld_exists():
    for path in NEVER_WITHHELD:
        assert field_at(path) is not None


def test_a_restricted_record_states_nine_units():
    assert [unit.pointer for unit in restricted_units()] == [
        "/id",
        "/schema_version",
        "/risk/level",
        "/sector/primary",
        "/lifecycle/status",
        "/publication/visibility",
        "/publication/restriction",
        "/publication/change_note",
        "/publication/changed_on",
    ]


@pytest.mark.parametrize(
    ("edits", "held"),
    [
        ({}, {"M", "not_retired", "D"}),
        ({"/risk/level": "limited"}, {"M", "not_retired", "D", "L"}),
        ({"/risk/level": "high"}, {"M", "not_retired", "D", "L", "H"}),
        ({"/risk/level": "unacceptable"}, {"M", "not_retired", "D", "L", "H"}),
        ({"/risk": ...}, {"M", "not_retired", "D"}),
        ({"/data/personal_data": "yes"}, {"M", "not_retired", "D", "P"}),
        ({"/data/personal_data": "pseudonymised"}, {"M", "not_retired", "D", "P"}),
        ({"/data/personal_data": "anonymised"}, {"M", "not_retired", "D"}),
        ({"/lifecycle/status": "planned"}, {"M", "not_retired"}),
        ({"/lifecycle/status": "in_development"}, {"M", "not_retired"}),
        ({"/lifecycle/status": "pilot"}, {"M", "not_retired", "D"}),
        ({"/lifecycle/status": "suspended"}, {"M", "not_retired", "D", "stopped"}),
        ({"/lifecycle/status": "retired"}, {"M", "retired", "stopped"}),
        ({"/procurement/origin": "purchased"}, {"M", "not_retired", "D", "purchased", "supplied"}),
        ({"/procurement/origin": "joint"}, {"M", "not_retired", "D", "supplied"}),
        ({"/decision/role": "decides_alone"}, {"M", "not_retired", "D", "recommends"}),
        ({"/decision/legal_effect": True}, {"M", "not_retired", "D", "legal_effect"}),
        (
            {"/sector/function": "chatbot_information"},
            {"M", "not_retired", "D", "public_interacts"},
        ),
        ({"/rights": {"notice": {"answer": "withheld"}}}, {"M", "not_retired", "D", "withholds"}),
        ({"/publication/visibility": "restricted"}, {"M", "not_retired", "D", "restricted"}),
    ],
)
def test_conditions(edited, edits, held):
    assert held == requirement_status(edited("minimal", edits)).requirements.held
