"""Changes between versions: complete, at places that a reader knows, and in words."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.record.diff import KEYS, differences
from registry.record.pointers import parts
from registry.record.schema import field_at, fields
from registry.resources import SCHEMAS

COMPLETE = json.loads((SCHEMAS / "examples/complete.json").read_text(encoding="utf-8"))
SECTIONS = {
    "organisation", "contact", "purpose", "risk", "sector", "lifecycle", "decision", "data",
    "technical", "procurement", "rights", "evaluation", "languages", "publication",
}  # fmt: skip


def applied(before: Any, found: Any) -> Any:
    """Make the later document of the earlier one, by what the pointers are said to mean."""
    return _applied(copy.deepcopy(before), [(parts(one.pointer), one) for one in found], top=True)


def _applied(value: Any, found: Any, *, top: bool = False) -> Any:
    for path, one in found:
        if not path and one.kind == "changed":
            return one.after
    if isinstance(value, list):
        return _applied_to_list(value, found)
    gone = [path[0] for path, one in found if len(path) == 1 and one.kind == "removed"]
    come = {path[0]: one.after for path, one in found if len(path) == 1 and one.kind == "added"}
    for name in gone:
        del value[name]
    inner = {path[0] for path, one in found if len(path) > 1 or one.kind == "changed"}
    for name in inner:
        below = [(path[1:], one) for path, one in found if path[0] == name]
        below = [(path, one) for path, one in below if path or one.kind == "changed"]
        value[name] = _applied(value.get(name, {}), below)
        if top and name in SECTIONS and not value[name]:
            del value[name]
    return value | come


def _applied_to_list(value: Any, found: Any) -> Any:
    gone = {int(path[0]) for path, one in found if len(path) == 1 and one.kind == "removed"}
    come = {
        int(path[0]): one.after for path, one in found if len(path) == 1 and one.kind == "added"
    }
    kept = iter([item for at, item in enumerate(value) if at not in gone])
    made = [
        come[at] if at in come else next(kept) for at in range(len(value) - len(gone) + len(come))
    ]
    assert next(kept, None) is None
    for at in {int(path[0]) for path, _ in found if len(path) > 1}:
        below = [(path[1:], one) for path, one in found if len(path) > 1 and path[0] == str(at)]
        made[at] = _applied(made[at], below)
    return made


def told(before: Any, after: Any) -> Any:
    return [(one.pointer, one.kind, one.before, one.after) for one in differences(before, after)]


@pytest.fixture
def document() -> Any:
    return copy.deepcopy(COMPLETE)


# --- every difference, and nothing else


@st.composite
def edited(draw: Any) -> Any:
    """The complete example with some of its parts changed, removed, doubled or in another order."""
    document = copy.deepcopy(COMPLETE)
    for _ in range(draw(st.integers(0, 12))):
        here, key = document, draw(st.sampled_from(sorted(document)))
        while isinstance(here[key], dict | list) and here[key] and draw(st.booleans()):
            here = here[key]
            key = draw(
                st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here)))
            )
        match draw(st.integers(0, 4)):
            case 0:
                del here[key]
            case 1 if isinstance(here[key], list):
                here[key] = draw(st.permutations(here[key]))
            case 2 if isinstance(here, list):
                here.insert(draw(st.integers(0, len(here))), copy.deepcopy(here[key]))
            case 3 if isinstance(here[key], dict | list):
                here[key] = type(here[key])()
            case _ if isinstance(here[key], str):
                here[key] = draw(st.sampled_from(["", here[key] + " et plus", "المزيد"]))
        if not document:
            break
    return document


@given(edited(), edited())
def test_the_differences_make_the_later_document_of_the_earlier(before, after):
    found = differences(before, after)
    assert applied(before, found) == after
    assert (found == []) is (before == after)
    assert len({(one.pointer, one.kind) for one in found}) == len(found)


@given(edited())
def test_the_way_back_is_as_exact(document):
    assert applied(document, differences(document, COMPLETE)) == COMPLETE


def test_they_come_in_the_order_of_pointers_and_numbers_count(document):
    risk = document["risks"][0]
    before = document | {
        "risks": [risk | {"likelihood": 1, "severity": at % 4} for at in range(12)]
    }
    after = document | {"risks": [one | {"likelihood": 2} for one in before["risks"]]}
    assert [one.pointer for one in differences(before, after)] == [
        f"/risks/{at}/likelihood" for at in range(12)
    ]


# --- at places that a reader knows


def test_a_language_of_a_text_is_a_place_of_its_own(document):
    after = copy.deepcopy(document)
    del after["name"]["ar"]
    after["name"]["zgh"] = "ⵜⴰⵡⵓⵔⵉ"
    after["summary"]["fr"] += " Plus."
    kinds = [(pointer, kind) for pointer, kind, _, _ in told(document, after)]
    assert kinds == [("/name/ar", "removed"), ("/name/zgh", "added"), ("/summary/fr", "changed")]


def test_a_field_that_is_new_or_gone_is_whole_and_a_section_is_its_fields(document):
    before = copy.deepcopy(document)
    rights = before.pop("rights")
    contract = before["procurement"].pop("contract", {"procedure": "none"})
    found = told(before, document | {"procurement": before["procurement"] | {"contract": contract}})
    assert found == [
        ("/procurement/contract", "added", None, contract),
        *((f"/rights/{name}", "added", None, rights[name]) for name in sorted(rights)),
    ]
    assert {pointer for pointer, *_ in told(document, before)} >= {
        f"/rights/{name}" for name in rights
    }


def test_sections_are_the_objects_that_hold_fields_and_are_none():
    whole = {name: {"x": 1} for name in (field.path[0] for field in fields())}
    found = {one.pointer for one in differences({}, whole)}
    assert {pointer.split("/")[1] for pointer in found if pointer.count("/") == 2} == SECTIONS


def test_codes_are_a_set_of_which_some_come_and_go():
    before = {"territory": ["MA", "MA-01", "MA-02"]}
    assert told(before, {"territory": ["MA", "MA-02", "MA-03"]}) == [
        ("/territory/1", "removed", "MA-01", None),
        ("/territory/2", "added", None, "MA-03"),
    ]
    turned = ["MA-02", "MA", "MA-01"]
    assert told(before, {"territory": turned}) == [
        ("/territory", "changed", before["territory"], turned)
    ]


def test_an_item_is_known_again_by_its_key_when_others_come_and_go(document):
    one, other = ({"category": code, "likelihood": 1, "severity": 1} for code in ("error", "legal"))
    new = {"category": "privacy", "likelihood": 4, "severity": 4}
    before = {"risks": [one, other]}
    assert told(before, {"risks": [new, one | {"likelihood": 3}, other]}) == [
        ("/risks/0", "added", None, new),
        ("/risks/1/likelihood", "changed", 1, 3),
    ]
    assert told(before, {"risks": [other]}) == [("/risks/0", "removed", one, None)]
    assert told(before, {"risks": [other, one]}) == [
        ("/risks/0", "removed", one, None),
        ("/risks/1", "added", None, one),
    ]


def test_an_item_without_a_key_is_known_again_by_most_of_its_parts():
    water, road = {"fr": "eau", "ar": "ماء"}, {"fr": "route", "ar": "طريق"}
    assert told({"tags": [water, road]}, {"tags": [{"fr": "routes", "ar": "طريق"}]}) == [
        ("/tags/0", "removed", water, None),
        ("/tags/0/fr", "changed", "route", "routes"),
    ]


def test_every_list_of_objects_has_a_key_of_its_members():
    lists = {
        field.path[:-1]: field.schema["properties"]
        for field in fields()
        if field.path[-1] == "*" and "properties" in field.schema and field.kind != "LangText"
    }
    assert dict.fromkeys(lists, True) == {
        path: set(key) <= set(lists[path]) for path, key in KEYS.items()
    }


def test_an_answer_that_says_nothing_happened_is_an_answer():
    incident = {"date": "2026-01-01", "severity": "minor"}
    assert told({}, {"evaluation": {"incidents": []}}) == [
        ("/evaluation/incidents", "added", None, [])
    ]
    assert told({"evaluation": {"incidents": []}}, {"evaluation": {"incidents": [incident]}}) == [
        ("/evaluation/incidents/0", "added", None, incident)
    ]


def test_true_is_not_one():
    assert told({"decision": {"legal_effect": True}}, {"decision": {"legal_effect": 1}}) == [
        ("/decision/legal_effect", "changed", True, 1)
    ]


# --- in words


def test_texts_are_marked_and_codes_dates_and_numbers_are_not(document):
    after = copy.deepcopy(document)
    after["purpose"]["goal"]["fr"] += " Et plus."
    after["system_version"] = "9.9 bis"
    after["lifecycle"]["next_review_on"] = "2030-01-01"
    after["risk"]["level"] = "minimal"
    after["website"] = "https://other.example/"
    marked = {one.pointer for one in differences(document, after) if one.words}
    assert marked == {"/purpose/goal/fr", "/system_version"}
    for one in differences(document, after):
        if one.words:
            assert "".join(mark.text for mark in one.words if mark.op != "insert") == one.before
            assert "".join(mark.text for mark in one.words if mark.op != "delete") == one.after
    assert field_at(("system_version",)).kind == "Line"


# --- what is withheld or restricted


def leaves(value: Any) -> Any:
    if isinstance(value, dict):
        return {leaf for part in value.values() for leaf in leaves(part)}
    if isinstance(value, list):
        return {leaf for part in value for leaf in leaves(part)}
    return {json.dumps(value, ensure_ascii=False)}


def test_nothing_is_shown_that_neither_version_shows(document):
    restricted = {
        "id": document["id"],
        "schema_version": "1.0",
        "risk": {"level": "high"},
        "sector": {"primary": "health"},
        "lifecycle": {"status": "in_use"},
        "publication": {
            "visibility": "restricted",
            "restriction": {"ground": "defence", "authority": "A", "review_on": "2030-01-01"},
        },
    }
    withheld = copy.deepcopy(document)
    del withheld["technical"]["description"]
    withheld["publication"]["withheld_fields"] = [
        {"pointer": "/technical/description", "ground": "security"}
    ]
    for one, other in ((document, restricted), (restricted, document), (document, withheld)):
        found = differences(one, other)
        assert applied(one, found) == other
        for difference in found:
            shown = [difference.before, difference.after]
            assert leaves(shown) - {"null"} <= leaves(one) | leaves(other)
    assert ("/technical/description", "removed") in [
        (pointer, kind) for pointer, kind, _, _ in told(document, withheld)
    ]
