"""Facts and the five kinds of an answer: exactly one holds, and silence is told as it is."""

import copy
import json

import pytest

from registry.exports.columns import table_columns
from registry.record.facts import KINDS, answer_kinds, facts, silence
from registry.record.pointers import values_at
from registry.record.requirements import requirement_status, units
from registry.resources import SCHEMAS
from tests.served import records

COMPLETE = json.loads((SCHEMAS / "examples" / "complete.json").read_bytes())


def kind(document, fact, erased=()):
    return answer_kinds(document, erased).get(fact, "not_asked")


def without(document, *path):
    document = copy.deepcopy(document)
    here = document
    for name in path[:-1]:
        here = here[name]
    del here[path[-1]]
    return document


def at_level(document, level):
    return document | {"risk": document["risk"] | {"level": level}}


def test_every_column_and_every_unit_is_a_fact_by_its_name():
    columns = {".".join(column.field.path) for column in table_columns(()).values()}
    assert columns <= facts().keys()
    assert {unit.pointer[1:].replace("/", ".") for unit in units()} == {
        name for name, fact in facts().items() if fact.is_unit
    }
    assert "evaluation.incidents.severity" in facts()
    assert not {"rights", "evaluation.incidents.*", "data"} & facts().keys()


def test_what_has_a_value_is_stated_and_nothing_else():
    for document in records("demo-sante", "demo-securite", "demo-services", "demo-agriculture"):
        kinds = answer_kinds(document)
        for name, fact in facts().items():
            values = [value for _, value in values_at(document, fact.field.path)]
            has_value = any(value not in ([], {}) for value in values)
            is_none = fact.unit.empty_answers and fact.is_unit and [] in values
            is_refused = kinds.get(name) == "withheld"
            assert (kinds.get(name) == "stated") == ((has_value or is_none) and not is_refused)


def test_the_level_of_risk_says_whether_what_is_not_there_was_asked_for():
    silent = without(COMPLETE, "rights", "human_alternative")
    fact = "rights.human_alternative"
    assert kind(COMPLETE, fact) == "stated"
    assert kind(at_level(silent, "high"), fact) == "asked_not_stated"
    assert kind(at_level(silent, "high"), f"{fact}.answer") == "asked_not_stated"
    assert kind(at_level(silent, "high"), f"{fact}.note") == "not_asked"
    assert kind(at_level(silent, "minimal"), fact) == "not_asked"
    assert kind(without(silent, "risk", "level"), fact) == "not_asked"
    assert kind(without(silent, "risk", "level"), "risk.level") == "asked_not_stated"


def test_no_and_none_are_stated_and_an_empty_list_is_not_always_none():
    document = copy.deepcopy(COMPLETE)
    document["rights"]["notice"] = {"answer": "no", "note": {"fr": "Non."}}
    document["decision"]["legal_effect"] = False
    document["evaluation"]["incidents"] = []
    document["consultations"] = []
    found = ("rights.notice", "decision.legal_effect", "evaluation.incidents")
    assert {kind(document, fact) for fact in found} == {"stated"}
    # There are none: nobody asks how severe they were.
    assert kind(document, "evaluation.incidents.severity") == "not_asked"
    assert kind(document, "consultations") != "stated"


def test_what_another_fact_stands_for_is_not_asked():
    document = copy.deepcopy(COMPLETE)
    del document["contact"]["email"]
    assert document["contact"].keys() & {"url", "phone"}
    assert kind(document, "contact.email") == "not_asked"


@pytest.mark.parametrize(
    "pointer", ["/technical/models", "/technical/models/0/version", "/technical"]
)
def test_what_is_withheld_on_a_ground_is_withheld_with_all_that_is_in_it(pointer):
    document = without(COMPLETE, "technical", "models")
    document["publication"]["withheld_fields"] = [{"pointer": pointer, "ground": "state_security"}]
    assert kind(document, "technical.models.version") == "withheld"
    is_whole = not pointer.endswith("version")
    assert (kind(document, "technical.models") == "withheld") == is_whole


def test_an_answer_that_is_withheld_is_no_answer():
    document = copy.deepcopy(COMPLETE)
    document["data"]["transfers_abroad"] = {"answer": "withheld"}
    document["publication"]["withheld_fields"] = [
        {"pointer": "/data/transfers_abroad", "ground": "state_security"}
    ]
    for fact in ("data.transfers_abroad", "data.transfers_abroad.answer"):
        assert kind(document, fact) == "withheld"


def test_what_a_redaction_erased_was_stated_and_is_withheld():
    document = without(COMPLETE, "contact", "email")
    assert kind(document, "contact.email", ["/contact/email"]) == "withheld"


def test_of_a_restricted_record_it_is_told_what_it_says_all_the_same():
    restricted = [
        one for one in records("demo-securite") if one["publication"]["visibility"] == "restricted"
    ]
    assert restricted
    for document in restricted:
        stated = {fact for fact, kind in answer_kinds(document).items() if kind == "stated"}
        assert "sector.primary" in stated
        assert "rights.contestation" in silence(document)["restricted"]
        assert "rights.contestation.available" not in stated


def test_what_is_asked_for_and_not_stated_is_what_the_rules_demand():
    for document in records("demo-sante", "demo-securite", "demo-services", "demo-agriculture"):
        status = requirement_status(document)
        demanded = {*status.absent} & status.requirements.demanded - status.empty
        found = silence(document)
        assert {*found.get("asked_not_stated", ())} == {
            pointer[1:].replace("/", ".") for pointer in demanded
        }
        assert sum(map(len, found.values())) + sum(
            answer_kinds(document).get(name) == "stated"
            for name, fact in facts().items()
            if fact.is_unit
        ) == len(units())
        assert found.keys() <= {*KINDS}
