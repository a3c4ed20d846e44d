"""Nothing is said to be asked for by a law unless the pack has the article that asks for it."""

import json

import msgspec
import pytest

from registry.record.pack import load_pack
from registry.record.rules import RULES
from registry.record.validate import validate
from registry.resources import SCHEMAS

SCHEMA = json.loads((SCHEMAS / "pack.schema.json").read_bytes())
DUTIES = tuple(SCHEMA["properties"]["duties"]["properties"])
SUBJECTS = tuple(SCHEMA["properties"]["laws"]["properties"])
BROKEN = {
    "R08": {
        "/decision/role": "decides_alone",
        "/decision/legal_effect": True,
        "/rights/contestation": ...,
        "/risk/level": "limited",
    },
    "R10": {"/data/authorisation/regime": "not_applicable", "/risk/level": "minimal"},
    "R11": {
        "/data/categories": ...,
        "/data/retention": ...,
        "/data/legal_basis": ...,
        "/data/authorisation": ...,
        "/rights/data_rights_contact": ...,
    },
    "R12": {"/data/transfers_abroad": {"answer": "yes"}},
    "R13": {"/data/hosting/country": "FR"},
    "R15": {"/assessments": []},
    "R16": {"/technical/techniques": ["generative_llm"], "/rights/notice": ...},
    "R18": {"/rights/explanation": {"answer": "withheld"}},
}


@pytest.fixture
def said(edited, pack, today):
    """What the findings of a rule say where the pack has laws on subjects, and some duties."""

    def say(rule, **duties):
        of_another = msgspec.structs.replace(
            pack,
            laws={name: {"en": f"the law on {name}"} for name in SUBJECTS},
            duties={name: {"en": law} for name, law in duties.items()},
        )
        document = edited("complete", BROKEN[rule])
        verdict = validate(document, profile="publication", pack=of_another, today=today)
        found = [one.message for one in verdict.findings if one.rule == rule]
        assert found, rule
        return found

    return say


@pytest.mark.parametrize("rule", BROKEN)
def test_a_law_on_the_subject_asks_for_nothing(said, rule):
    found = said(rule)
    assert not any("Asked for by the law" in one for one in found)
    if rule != "R13":  # It points out, and asks for nothing.
        assert any("Asked for by this register's format." in one for one in found)


def test_each_duty_that_a_pack_may_have_is_asked_of_by_its_article(said):
    laws = {name: f"article {number} on {name}" for number, name in enumerate(DUTIES)}
    cited = "\n".join(one for rule in BROKEN for one in said(rule, **laws))
    assert {name for name, law in laws.items() if f"Asked for by {law}." in cited} == set(DUTIES)


def test_no_rule_names_a_law_of_a_country_to_every_other():
    told = "\n".join(rule.__doc__ or "" for rule in RULES.values())
    assert "law 09-08" not in told
    assert "law 31-13" not in told
    assert "AI Act" not in told


@pytest.mark.parametrize("country", ["ma", "sn"])
def test_a_missing_assessment_is_not_said_to_be_asked_for_by_law(edited, today, country):
    pack = load_pack(country)
    for rule in ("R11", "R15"):
        verdict = validate(
            edited("complete", BROKEN[rule]), profile="publication", pack=pack, today=today
        )
        cited = {
            (one.rule, law["en"])
            for one in verdict.findings
            for law in (*pack.laws.values(), *pack.duties.values())
            if f"Asked for by {law['en']}." in one.message
        }
        assert cited <= {("R11", law["en"]) for law in pack.duties.values()}
