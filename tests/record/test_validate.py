"""What validation says as a whole; single faults are in test_faults.py."""

from __future__ import annotations

import copy
import json
import re
import tracemalloc

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.record import validate as validation
from registry.record.messages import PendingFinding, message
from registry.record.requirements import units
from registry.record.schema import fields
from registry.record.validate import MAX_FINDINGS, validate, with_remarks
from registry.resources import SCHEMAS

AR = {"ar": "نص"}


@pytest.mark.parametrize("example", ["minimal", "complete"])
@pytest.mark.parametrize("profile", ["draft", "publication"])
def test_the_examples_are_valid(examples, found, example, profile):
    assert found(examples[example], profile) == []


def test_the_examples_as_released_lack_only_a_recommended_language(pack, today):
    for path in (SCHEMAS / "examples").glob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        verdict = validate(document, profile="publication", pack=pack, today=today)
        assert verdict.publishable
        assert {finding.rule for finding in verdict.findings} <= {"R03"}


LEVELS = {
    "minimal": {},
    "limited": {
        "/risk/level": "limited",
        "/risk/annex_iii_area": "none",
        "/decision/role": "informs",
        "/lifecycle/next_review_on": "2027-06-30",
    },
    "high": {},
    "unacceptable": {
        "/risk/level": "unacceptable",
        "/lifecycle/status": "suspended",
        "/lifecycle/status_reason": AR,
        "/lifecycle/next_review_on": "2026-12-30",
    },
}


@pytest.mark.parametrize("level", LEVELS)
def test_a_record_of_each_level_passes(edited, found, level):
    example = "minimal" if level == "minimal" else "complete"
    document = edited(example, LEVELS[level])
    assert level == document["risk"]["level"]
    assert found(document) == []


def test_an_unmet_h_is_a_warning_before_operation_except_where_it_always_counts(edited, found):
    document = edited(
        "complete",
        {
            "/lifecycle/status": "in_development",
            "/lifecycle/deployed_on": ...,
            "/decision/fallback": ...,
            "/technical/explainability": ...,
            "/purpose/alternatives_considered": ...,
            "/risk/rights_impact": ...,
            "/data/legal_basis": ...,
            "/organisation/accountable_role": ...,
            "/evaluation/metrics": ...,
        },
    )
    assert found(document) == [
        ("/data/legal_basis", "required", "error"),
        ("/decision/fallback", "required", "warning"),
        ("/organisation/accountable_role", "required", "error"),
        ("/purpose/alternatives_considered", "required", "error"),
        ("/risk/rights_impact", "required", "error"),
        ("/technical/explainability", "required", "warning"),
    ]


def test_what_is_recommended_is_a_warning(edited, found):
    assert found(edited("complete", {"/consultations": ...})) == [
        ("/consultations", "required", "warning")
    ]


def test_a_deprecated_field_is_a_warning_with_its_reason(edited, pack, today, monkeypatch):
    notice = {"since": "1.1", "reason": "It says what the name says.", "instead": "/name"}
    [tag] = [field for field in fields() if field.path == ("tags", "*")]
    former = msgspec.structs.replace(tag, schema={**tag.schema, "x-deprecated": notice})
    monkeypatch.setattr(validation, "_deprecated_fields", lambda: [former])
    document = edited("minimal", {"/tags": [{"fr": "eau"}, {"fr": "pluie"}]})
    verdict = validate(document, profile="publication", pack=pack, today=today)
    assert verdict.publishable
    assert [one.pointer for one in verdict.findings] == ["/tags/0", "/tags/1"]
    assert {(one.rule, one.severity) for one in verdict.findings} == {("deprecated", "warning")}
    assert verdict.findings[0].message.endswith(
        "and removed in a later one. It says what the name says. State /name instead."
    )


def test_a_page_stands_in_for_a_mailbox(edited, found):
    document = edited("minimal", {"/contact": {"url": "https://demo.example/contact"}})
    assert found(document) == []


def test_a_withheld_field_is_excused(edited, found):
    edits = {"/technical/explainability": ...}
    assert found(edited("complete", edits)) == [("/technical/explainability", "required", "error")]
    edits["/publication/withheld_fields/0/pointer"] = "/technical/explainability"
    assert found(edited("complete", edits)) == []


def test_an_empty_list_is_an_answer_where_the_format_says_so(edited, found):
    edits = {"/data/sensitive": [], "/technical/models": [], "/evaluation/incidents": []}
    assert found(edited("complete", edits)) == []


def test_where_an_empty_list_is_an_answer_the_finding_says_so(edited, pack, today):
    places = ("/data/sensitive", "/technical/models", "/evaluation/incidents")
    answering = {unit.pointer for unit in units() if unit.empty_answers}
    assert answering == set(places)
    document = edited("complete", dict.fromkeys(places, ...))
    wordings = {"en": "empty list says that there is none", "fr": "liste vide", "ar": "الفارغة"}
    for language, wording in wordings.items():
        verdict = validate(
            document, profile="publication", pack=pack, today=today, language=language
        )
        told = {one.pointer: one.message for one in verdict.findings if one.rule == "required"}
        for place in places:
            assert wording in told[place]
            assert "one entry; an" not in told[place]


@pytest.mark.parametrize("given", ["High", "hihg", "high risk", "Risque élevé", "مخاطر عالية"])
def test_an_unknown_level_is_told_with_what_the_nearest_one_asks_for(edited, found, given):
    """Nothing new appears once the level is mended."""
    edits = {"/decision/fallback": ..., "/assessments": ..., "/risk/rights_impact": ...}
    mended = found(edited("complete", edits))
    assert len(mended) == 3
    wrong = found(edited("complete", edits | {"/risk/level": given}))
    assert sorted(wrong) == sorted([*mended, ("/risk/level", "enum", "error")])


def test_a_level_that_is_near_to_none_asks_for_nothing(edited, found):
    edits = {"/decision/fallback": ..., "/risk/level": "extreme"}
    assert found(edited("complete", edits)) == [("/risk/level", "enum", "error")]


def test_a_fault_in_a_field_is_told_once(edited, found):
    """A mandatory field that is wrong is not also reported as missing."""
    document = edited("complete", {"/risk/level": "hihg", "/name": 3, "/assessments/0/type": "x"})
    assert found(document) == [
        ("/assessments/0/type", "enum", "error"),
        ("/name", "type", "error"),
        ("/risk/level", "enum", "error"),
    ]


@pytest.mark.parametrize("document", [None, [], "x", 3, True])
@pytest.mark.parametrize("profile", ["draft", "publication", "foreign"])
def test_what_is_not_an_object(found, document, profile):
    assert found(document, profile) == [("", "type", "error")]


def test_a_draft_may_be_empty_and_is_not_publishable(pack, today):
    verdict = validate({}, profile="draft", pack=pack, today=today)
    assert (
        verdict.publishable,
        verdict.completeness,
        verdict.accountability,
        verdict.findings,
    ) == (False, 0, 0, ())


def test_a_draft_says_whether_it_could_be_published(examples, pack, today):
    assert validate(examples["minimal"], profile="draft", pack=pack, today=today).publishable


RESTRICTED = {
    "id": "demo-securite/reserve",
    "schema_version": "1.0",
    "sector": {"primary": "public_safety"},
    "risk": {"level": "high"},
    "lifecycle": {"status": "in_use"},
    "publication": {
        "visibility": "restricted",
        "restriction": {
            "ground": "state_security",
            "authority": "Commission nationale du secret",
            "reference": "DEMO-1",
            "review_on": "2027-06-01",
        },
        "change_note": AR,
    },
}


@pytest.mark.parametrize("profile", ["draft", "publication"])
def test_a_restricted_record_is_small(found, profile):
    assert found(RESTRICTED, profile) == []


@pytest.mark.parametrize("profile", ["draft", "publication"])
def test_a_restricted_record_holds_nothing_else(found, profile):
    document = copy.deepcopy(RESTRICTED)
    document["name"] = AR
    document["sector"]["function"] = "other"
    document["publication"]["withheld_fields"] = []
    assert found(document, profile) == [
        ("/name", "additionalProperties", "error"),
        ("/publication/withheld_fields", "additionalProperties", "error"),
        ("/sector/function", "additionalProperties", "error"),
    ]


def test_a_restricted_record_states_its_ground(found):
    document = copy.deepcopy(RESTRICTED)
    del document["publication"]["restriction"]
    del document["sector"]
    document["lifecycle"]["status"] = "planned"
    assert found(document) == [
        ("/publication/restriction", "required", "error"),
        ("/sector/primary", "required", "error"),
    ]


FOREIGN = {"id": "us.hhs/triage", "schema_version": "1.0", "name": {"en": "Triage"}}


def test_a_foreign_record_needs_three_members(found, pack, today):
    assert found(FOREIGN, "foreign") == []
    assert found({}, "foreign") == [
        ("/id", "required", "error"),
        ("/name", "required", "error"),
        ("/schema_version", "required", "error"),
    ]
    verdict = validate(FOREIGN, profile="foreign", pack=pack, today=today)
    assert verdict.publishable
    assert 0 < verdict.completeness < 20
    assert verdict.accountability is None


def test_a_foreign_record_keeps_its_languages_territory_and_codes(found):
    document = FOREIGN | {
        "name": {"nl": "Triage", "es": "Triaje"},
        "territory": ["US-CA"],
        "data": {"authorisation": {"regime": "exempt", "authority": "ap"}},
        "lifecycle": {"status": "in_use", "deployed_on": "1999"},
    }
    assert found(document, "foreign") == []


@pytest.mark.parametrize("record_id", ["dgi/triage", "demo-sante/triage"])
def test_a_foreign_record_never_speaks_for_a_local_agency(found, record_id):
    assert found(FOREIGN | {"id": record_id}, "foreign") == [("/id", "pattern", "error")]


def test_a_foreign_record_is_of_the_draft_types(found):
    document = FOREIGN | {"risk": {"level": "High-impact"}, "row": {}}
    assert found(document, "foreign") == [
        ("/risk/level", "enum", "error"),
        ("/row", "additionalProperties", "error"),
    ]


def test_findings_are_ordered_and_at_most_fifty(examples, found):
    document = examples["complete"] | {f"x{number}": 1 for number in range(500)}
    findings = found(document)
    assert len(findings) == MAX_FINDINGS
    assert findings == sorted(findings)


@pytest.mark.parametrize(("unknown", "total"), [(49, 49), (50, 50), (51, 51), (40_000, 1000)])
def test_findings_that_are_cut_are_counted(examples, pack, today, unknown, total):
    """Looking for the nearest field is dear: it is done for fifty, not for 40,000."""
    document = examples["complete"] | {f"x{number}": 1 for number in range(unknown)}
    verdict = validate(document, profile="draft", pack=pack, today=today)
    assert (len(verdict.findings), verdict.findings_total) == (min(total, MAX_FINDINGS), total)


def test_invented_names_of_members_take_no_memory_for_good(pack, today):
    def validate_names(letter):
        document = {f"{number}{letter * 2500}": 1 for number in range(MAX_FINDINGS)}
        validate(document, profile="draft", pack=pack, today=today)

    validate_names("x")
    tracemalloc.start()
    try:
        for letter in "abcdefghij":
            validate_names(letter)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 200_000


def test_what_rules_find_is_counted_too(pack, today):
    document = {"id": "demo-sante/x", "risk": {"level": "high"}}
    verdict = validate(document, profile="publication", pack=pack, today=today)
    assert len(verdict.findings) == MAX_FINDINGS < verdict.findings_total
    added = PendingFinding(pointer="/name", rule="R98", messages=(message("One more."),))
    more = with_remarks(verdict, [added], pack, "en")
    assert (len(more.findings), more.findings_total) == (50, verdict.findings_total + 1)


def test_bounds_come_before_costly_checks(examples, found):
    """Uniqueness is quadratic for what cannot be sorted: 50,000 entries must not reach it."""
    document = examples["complete"] | {"territory": [{"a": [1]} for _ in range(40_000)]}
    assert found(document) == [("/territory", "maxItems", "error")]
    document = examples["complete"] | {"related_records": ["x" * 20] * 40_000}
    assert found(document) == [("/related_records", "maxItems", "error")]


@pytest.mark.parametrize(
    "part",
    [
        {"publication": {"withheld_fields": [1]}},
        {"publication": {"withheld_fields": [{"pointer": 3}]}},
        {"publication": {"withheld_fields": {"a": 1}}},
        {"rights": {"notice": {"answer": []}}},
        {"risk": {"level": []}},
    ],
)
def test_what_lies_behind_fifty_faults_is_not_trusted(examples, pack, today, part):
    """Only faults that were found can be left out of what rules and scores are asked of."""
    document = examples["complete"] | part | {"name": {f"x{number}": "y" for number in range(100)}}
    verdict = validate(document, profile="publication", pack=pack, today=today)
    assert len(verdict.findings) == MAX_FINDINGS
    assert (verdict.publishable, verdict.completeness, verdict.missing) == (False, 0, ())


@pytest.mark.parametrize("language", ["ar", "en", "fr"])
def test_a_length_is_told_without_a_sign_that_some_read_as_decimal(examples, pack, today, language):
    document = examples["complete"] | {"website": f"https://x.example/{'a' * 2000}"}
    [finding] = validate(
        document, profile="publication", pack=pack, today=today, language=language
    ).findings
    assert (finding.rule, finding.lang) == ("maxLength", language)
    assert re.findall("[0-9,.]*[0-9]", finding.message)[:2] == ["2018", "2000"]


def test_messages_say_how_to_mend(edited, pack, today):
    def message(example, edits):
        document = edited(example, edits)
        (finding,) = validate(document, profile="publication", pack=pack, today=today).findings
        return finding.message

    assert message("complete", {"/risk/level": "hihg"}) == (
        '"hihg" is not a code of this list. Did you mean high? '
        "Use one of: unacceptable, high, limited, minimal."
    )
    # What is meant is found by its label; letters alone mislead.
    assert "Did you mean MA-06? " in message("complete", {"/territory/0": "Casablanca"})
    assert "Did you mean MA-03? " in message("complete", {"/territory/0": "فاس - مكناس"})
    groups = "/purpose/affected_groups/0"
    assert "Did you mean pupils_students? " in message("complete", {groups: "Étudiants"})
    assert "Did you mean" not in message("complete", {groups: "families"})
    # One wrong date breaks two keywords.
    for date in ("2017/10/03", "03.10.2017 12:00", "soon"):
        assert message("complete", {"/lifecycle/deployed_on": date}).endswith(
            "Write YYYY, YYYY-MM or YYYY-MM-DD, a day that exists, from 1900 on."
        )
    assert message("complete", {"/data/retention": ...}).endswith(
        "Add /data/retention: an object with period; note may be left out. "
        "Asked for by this register's format."
    )
    assert message("complete", {"/names": {}}) == (
        'There is no field "names" here. Did you mean name?'
    )
    assert message("complete", {"/goal": {}}) == (
        'There is no field "goal" here. It belongs at /purpose/goal.'
    )
    assert message("complete", {"/version": 1}) == (
        '"version" is added by the register, beside the document. Remove it.'
    )
    assert message("complete", {"/decision/fallback": ...}) == (
        "Fallback: missing, and mandatory at the risk levels high and unacceptable. "
        'Add /decision/fallback: a text by language, such as {"ar": "…", "fr": "…"}. '
        "Asked for by this register's format."
    )
    assert message("complete", {"/name/en": "x" * 300}) == (
        "Name: 300 characters; at most 250 fit. Shorten it."
    )
    assert message("complete", {"/id": "demo-sant/x"}).startswith(
        '"demo-sant" is not an agency of this register. Did you mean demo-sante?'
    )


def places(node, path=()):
    yield path
    if isinstance(node, dict):
        for name, value in node.items():
            yield from places(value, (*path, name))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from places(value, (*path, index))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)


@settings(max_examples=75)
@given(data=st.data())
def test_no_document_breaks_it(pristine, pack, today, data):
    document = copy.deepcopy(pristine["complete"])
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from([path for path in places(document) if path]))
        here = document
        for step in path[:-1]:
            here = here[step]
        if data.draw(st.booleans()):
            here[path[-1]] = data.draw(JUNK)
        else:
            del here[path[-1]]
    before = json.dumps(document)
    for profile in ("draft", "publication", "foreign"):
        verdict = validate(document, profile=profile, pack=pack, today=today)
        keys = [(each.pointer, each.rule, each.message) for each in verdict.findings]
        assert len(keys) == len(set(keys))
        assert keys == sorted(keys, key=lambda key: key[:2])
        assert len(keys) <= MAX_FINDINGS
        assert 0 <= verdict.completeness <= 100
        assert all(each.message[-1] in ".?" for each in verdict.findings)
    assert before == json.dumps(document)
