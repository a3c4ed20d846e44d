"""One fault at a time: each edit of a valid record gives exactly the findings beside it."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.record.validate import MAX_FINDINGS, validate

AR = {"ar": "نص"}
LONG = "x" * 10_000

# (example, edits, [(pointer, rule)]); every finding here is an error.
FAULTS = {
    # types
    "text where an object belongs": ("complete", {"/name": "Nom"}, [("/name", "type")]),
    "object where a text belongs": ("complete", {"/source_id": {}}, [("/source_id", "type")]),
    "null": ("complete", {"/website": None}, [("/website", "type")]),
    "number as text": (
        "complete",
        {"/evaluation/metrics/0/value": "0.9"},
        [("/evaluation/metrics/0/value", "type")],
    ),
    "fraction where a whole number belongs": (
        "complete",
        {"/risks/0/likelihood": 1.5},
        [("/risks/0/likelihood", "type")],
    ),
    "boolean where a number belongs": (
        "complete",
        {"/risks/0/severity": True},
        [("/risks/0/severity", "type")],
    ),
    "text where true or false belongs": (
        "complete",
        {"/decision/legal_effect": "no"},
        [("/decision/legal_effect", "type")],
    ),
    "single code where a list belongs": (
        "complete",
        {"/data/categories": "health"},
        [("/data/categories", "type")],
    ),
    "a section that is a list": ("complete", {"/purpose": []}, [("/purpose", "type")]),
    # codes
    "unknown risk level": ("complete", {"/risk/level": "hihg"}, [("/risk/level", "enum")]),
    "code in capitals": ("complete", {"/sector/primary": "Health"}, [("/sector/primary", "enum")]),
    "unknown code in a list": (
        "complete",
        {"/technical/techniques/0": "magic"},
        [("/technical/techniques/0", "enum")],
    ),
    "unknown answer": (
        "complete",
        {"/rights/notice/answer": "maybe"},
        [("/rights/notice/answer", "enum")],
    ),
    "unknown state of a language": (
        "complete",
        {"/languages/translation_status/fr": "perfect"},
        [("/languages/translation_status/fr", "enum")],
    ),
    "other version of the format": (
        "complete",
        {"/schema_version": "2.0"},
        [("/schema_version", "const")],
    ),
    # identifiers
    "identifier without agency": ("complete", {"/id": "system"}, [("/id", "pattern")]),
    "identifier in capitals": ("complete", {"/id": "demo-sante/Systeme"}, [("/id", "pattern")]),
    "identifier with a final line feed": (
        "complete",
        {"/id": "demo-sante/systeme\n"},
        [("/id", "pattern")],
    ),
    "dot in a slug": ("complete", {"/id": "demo-sante/a.b"}, [("/id", "pattern")]),
    "reserved slug": ("complete", {"/id": "demo-sante/index"}, [("/id", "pattern")]),
    "reserved agency": ("complete", {"/id": "index/systeme"}, [("/id", "pattern")]),
    "identifier of 121 characters": (
        "complete",
        {"/id": "demo-sante/" + "a" * 110},
        [("/id", "maxLength")],
    ),
    # texts
    "no language": (
        "complete",
        {"/purpose/previous_process": {}},
        [("/purpose/previous_process", "minProperties")],
    ),
    "nine languages": (
        "complete",
        {"/name": {f"a{letter}": "x" for letter in "abcdefghi"}},
        [("/name", "maxProperties")],
    ),
    "language by its English name": (
        "complete",
        {"/name/French": "Nom"},
        [("/name/French", "propertyNames")],
    ),
    "language with a final line feed": (
        "complete",
        {"/name/fr\n": "Nom"},
        [("/name/fr\n", "propertyNames")],
    ),
    "empty text": (
        "complete",
        {"/name/en": ""},
        [("/name/en", "minLength")],
    ),
    "text of spaces": ("complete", {"/name/en": "   "}, [("/name/en", "pattern")]),
    "space before a text": ("complete", {"/name/en": " Name"}, [("/name/en", "pattern")]),
    "line feed after a text": ("complete", {"/name/en": "Name\n"}, [("/name/en", "pattern")]),
    "no-break space after a text": (
        "complete",
        {"/name/en": "Name\u00a0"},
        [("/name/en", "pattern")],
    ),
    "control character": ("complete", {"/name/en": "Na\u0007me"}, [("/name/en", "pattern")]),
    "C1 control character": ("complete", {"/name/en": "Na\u009bme"}, [("/name/en", "pattern")]),
    "carriage return": ("complete", {"/summary/en": "a\r\nb"}, [("/summary/en", "pattern")]),
    "line feed in one line of text": (
        "complete",
        {"/source_id": "a\nb"},
        [("/source_id", "pattern")],
    ),
    "text too long": ("complete", {"/name/en": "x" * 251}, [("/name/en", "maxLength")]),
    "line too long": (
        "complete",
        {"/system_version": "x" * 51},
        [("/system_version", "maxLength")],
    ),
    # forms
    "mailbox without domain": (
        "complete",
        {"/contact/email": "a@b"},
        [("/contact/email", "pattern")],
    ),
    "mailbox with a line feed": (
        "complete",
        {"/contact/email": "a@example.org\n"},
        [("/contact/email", "pattern")],
    ),
    "telephone without country": (
        "complete",
        {"/contact/phone": "0522"},
        [("/contact/phone", "pattern")],
    ),
    "script as a link": (
        "complete",
        {"/website": "javascript:alert(1)"},
        [("/website", "format"), ("/website", "pattern")],
    ),
    "link without scheme": (
        "complete",
        {"/contact/url": "www.example.org"},
        [("/contact/url", "format"), ("/contact/url", "pattern")],
    ),
    "link with a space": (
        "complete",
        {"/website": "https://example.org/a b"},
        [("/website", "format")],
    ),
    "link that hides its direction": (
        "complete",
        {"/website": "https://example.org/\u202egpj"},
        [("/website", "pattern")],
    ),
    "link too long": (
        "complete",
        {"/website": "https://example.org/" + "a" * 2000},
        [("/website", "maxLength")],
    ),
    "day that does not exist": (
        "complete",
        {"/risk/assessed_on": "2025-02-30"},
        [("/risk/assessed_on", "format")],
    ),
    "date in another order": (
        "complete",
        {"/risk/assessed_on": "12/11/2025"},
        [("/risk/assessed_on", "format")],
    ),
    "date and time": (
        "complete",
        {"/risk/assessed_on": "2025-11-12T10:00:00Z"},
        [("/risk/assessed_on", "maxLength")],
    ),
    "month where a day is needed": (
        "complete",
        {"/risk/assessed_on": "2025-11"},
        [("/risk/assessed_on", "format")],
    ),
    "fuzzy day that does not exist": (
        "complete",
        {"/lifecycle/deployed_on": "2025-02-30"},
        [("/lifecycle/deployed_on", "format")],
    ),
    "thirteenth month": (
        "complete",
        {"/lifecycle/deployed_on": "2025-13"},
        [("/lifecycle/deployed_on", "pattern")],
    ),
    "country by name": (
        "complete",
        {"/data/hosting/country": "Maroc"},
        [("/data/hosting/country", "maxLength")],
    ),
    "duration in words": (
        "complete",
        {"/data/retention/period": "5 years"},
        [("/data/retention/period", "pattern")],
    ),
    "empty duration": (
        "complete",
        {"/data/retention/period": "P"},
        [("/data/retention/period", "pattern")],
    ),
    "digest cut short": (
        "complete",
        {"/documents/0/sha256": "abc"},
        [("/documents/0/sha256", "pattern")],
    ),
    "pointer without slash": (
        "complete",
        {"/publication/withheld_fields/0/pointer": "data/hosting"},
        [("/publication/withheld_fields/0/pointer", "pattern")],
    ),
    # bounds
    "twice the same code": (
        "complete",
        {"/data/categories": ["health", "health"]},
        [("/data/categories", "uniqueItems")],
    ),
    "five further sectors": (
        "complete",
        {"/sector/secondary": ["justice", "employment", "transport", "governance", "other"]},
        [("/sector/secondary", "maxItems")],
    ),
    "21 tags": ("complete", {"/tags": [AR] * 21}, [("/tags", "maxItems")]),
    "no territory": ("complete", {"/territory": []}, [("/territory", "minItems")]),
    "likelihood of 0": (
        "complete",
        {"/risks/0/likelihood": 0},
        [("/risks/0/likelihood", "minimum")],
    ),
    "severity of 5": ("complete", {"/risks/0/severity": 5}, [("/risks/0/severity", "maximum")]),
    "both number and range": (
        "complete",
        {"/purpose/scale/decisions_range": "10k_100k"},
        [("/purpose/scale", "maxProperties")],
    ),
    "neither number nor range": (
        "complete",
        {"/purpose/scale": {}},
        [("/purpose/scale", "minProperties")],
    ),
    # members
    "unknown member": ("complete", {"/names": "x"}, [("/names", "additionalProperties")]),
    "unknown member with odd signs": (
        "complete",
        {"/a~1b": "x"},
        [("/a~01b", "additionalProperties")],
    ),
    "unknown member in a section": (
        "complete",
        {"/risk/colour": "red"},
        [("/risk/colour", "additionalProperties")],
    ),
    "unknown member of an entry": (
        "complete",
        {"/risks/0/owner": "x"},
        [("/risks/0/owner", "additionalProperties")],
    ),
    "what the register adds": ("complete", {"/version": 3}, [("/version", "additionalProperties")]),
    "what the register adds, hash": (
        "complete",
        {"/hash": "0"},
        [("/hash", "additionalProperties")],
    ),
    "entry without its code": (
        "complete",
        {"/risks/0/category": ...},
        [("/risks/0/category", "required")],
    ),
    "answer without answer": (
        "complete",
        {"/evaluation/fairness_tested/answer": ...},
        [("/evaluation/fairness_tested/answer", "required")],
    ),
    "no without a note": (
        "complete",
        {"/rights/explanation": {"answer": "no"}},
        [("/rights/explanation/note", "required")],
    ),
    "not applicable without a note": (
        "complete",
        {"/data/transfers_abroad": {"answer": "not_applicable"}},
        [("/data/transfers_abroad/note", "required")],
    ),
    "public code without a link": (
        "complete",
        {"/technical/source_code/url": ...},
        [("/technical/source_code/url", "required")],
    ),
    "assessment not required, and no reason": (
        "complete",
        {"/assessments/1/not_required_reason": ...},
        [("/assessments/1/not_required_reason", "required")],
    ),
    # what is asked for
    "no name": ("minimal", {"/name": ...}, [("/name", "required")]),
    "no purpose": (
        "minimal",
        {"/purpose": ...},
        [
            ("/purpose/affected_groups", "required"),
            ("/purpose/goal", "required"),
            ("/purpose/public_benefit", "required"),
        ],
    ),
    "no contact": ("minimal", {"/contact": ...}, [("/contact/email", "required")]),
    "telephone alone": (
        "minimal",
        {"/contact": {"phone": "+212500000000"}},
        [("/contact/email", "required")],
    ),
    "nobody affected": (
        "minimal",
        {"/purpose/affected_groups": []},
        [("/purpose/affected_groups", "minItems")],
    ),
    "no assessments at high risk": (
        "complete",
        {"/assessments": ...},
        [("/assessments", "required")],
    ),
    "empty assessments at high risk": (
        "complete",
        {"/assessments": []},
        [("/assessments", "minItems")],
    ),
    "no way to contest at high risk": (
        "complete",
        {"/rights/contestation": ...},
        [("/rights/contestation", "required")],
    ),
    "no human oversight at high risk": (
        "complete",
        {"/decision/human_oversight": ...},
        [("/decision/human_oversight", "required")],
    ),
    "no retention with personal data": (
        "complete",
        {"/data/retention": ...},
        [("/data/retention", "required")],
    ),
    "no date of deployment in use": (
        "minimal",
        {"/lifecycle/deployed_on": ...},
        [("/lifecycle/deployed_on", "required")],
    ),
    "no contract although purchased": (
        "complete",
        {"/procurement/contract": ...},
        [("/procurement/contract", "required")],
    ),
    "recommends, and nobody oversees": (
        "minimal",
        {"/decision/role": "recommends"},
        [("/decision/human_oversight", "required")],
    ),
    "legal effect, and no way to contest": (
        "minimal",
        {"/decision/legal_effect": True},
        [("/rights/contestation", "required")],
    ),
    "an assistant for the public, and no notice": (
        "minimal",
        {"/sector/function": "chatbot_information"},
        [("/rights/notice", "required")],
    ),
    "suspended without a reason": (
        "minimal",
        {"/lifecycle/status": "suspended"},
        [("/lifecycle/status_reason", "required")],
    ),
    "retired without a date": (
        "minimal",
        {"/lifecycle/status": "retired", "/lifecycle/status_reason": AR},
        [("/lifecycle/retired_on", "required")],
    ),
    "purchased from nobody": (
        "minimal",
        {"/procurement/origin": "purchased"},
        [("/procurement/suppliers", "required")],
    ),
    "an answer is withheld, and nothing listed": (
        "minimal",
        {"/rights": {"notice": {"answer": "withheld"}}},
        [("/publication/withheld_fields", "required")],
    ),
    # what is excluded
    "reason of a status in use": (
        "minimal",
        {"/lifecycle/status_reason": AR},
        [("/lifecycle/status_reason", "not")],
    ),
    "supplier of an own development": (
        "minimal",
        {"/procurement/suppliers": [{"name": "A"}]},
        [("/procurement/suppliers", "not")],
    ),
    "restriction of a public record": (
        "minimal",
        {
            "/publication/restriction": {
                "ground": "state_security",
                "authority": "A",
                "review_on": "2027-01-01",
            }
        },
        [("/publication/restriction", "not")],
    ),
    # withholding does not excuse what the public is always told
    "name withheld": (
        "minimal",
        {
            "/name": ...,
            "/publication/withheld_fields": [{"pointer": "/name", "ground": "state_security"}],
        },
        [("/name", "required")],
    ),
    "everything about rights withheld": (
        "complete",
        {
            "/rights/contestation": ...,
            "/publication/withheld_fields/0/pointer": "/rights",
        },
        [("/rights/contestation", "required")],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_gives_exactly_its_findings(edited, found, name):
    example, edits, expected = FAULTS[name]
    findings = found(edited(example, edits))
    assert [(pointer, rule, "error") for pointer, rule in expected] == findings


def test_there_are_enough_faults():
    assert len(FAULTS) >= 90


@pytest.mark.parametrize("example", ["minimal", "complete"])
@pytest.mark.parametrize("profile", ["draft", "publication"])
def test_the_examples_are_valid(examples, found, example, profile):
    assert found(examples[example], profile) == []


LEVELS = {
    "minimal": {},
    "limited": {"/risk/level": "limited", "/lifecycle/next_review_on": "2027-06-30"},
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
            "authority": "Autorité de démonstration",
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
    assert verdict.accountability == 0


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


def test_a_flood_of_unknown_members_is_told_once_it_is_clear(examples, found):
    """Looking for the nearest field is dear: it is done for fifty, not for 40,000."""
    document = examples["complete"] | {"risk": {f"key{number}": 1 for number in range(40_000)}}
    assert len(found(document)) == MAX_FINDINGS


def test_bounds_come_before_costly_checks(examples, found):
    """Uniqueness is quadratic for what cannot be sorted: 50,000 entries must not reach it."""
    document = examples["complete"] | {"territory": [{"a": [1]} for _ in range(40_000)]}
    assert found(document) == [("/territory", "maxItems", "error")]
    document = examples["complete"] | {"related_records": [LONG] * 40_000}
    assert found(document) == [("/related_records", "maxItems", "error")]


def test_messages_say_how_to_mend(edited, pack, today):
    def message(example, edits):
        document = edited(example, edits)
        (finding,) = validate(document, profile="publication", pack=pack, today=today).findings
        return finding.message

    assert message("complete", {"/risk/level": "hihg"}) == (
        '"hihg" is not a code of this list. Did you mean high? '
        "Use one of: unacceptable, high, limited, minimal."
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
        "Fallback is missing: it is mandatory at the risk levels high and unacceptable. "
        'Add /decision/fallback, a text by language, such as {"ar": "…", "fr": "…"}.'
    )
    assert message("complete", {"/name/en": "x" * 300}) == (
        "Name has 300 characters; at most 250 fit. Shorten it."
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


@settings(max_examples=150, deadline=None)
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
        assert keys == sorted(set(keys))
        assert len(keys) <= MAX_FINDINGS
        assert 0 <= verdict.completeness <= 100
        assert all(each.message[-1] in ".?" for each in verdict.findings)
    assert before == json.dumps(document)
