"""What a record means for a person: every combination of facts, in three languages.

Tense and contradiction are read from the words that people see, not from the code that chose them.
"""

from __future__ import annotations

import itertools
import json
import re

import pytest

from registry import resources
from registry.pages.views.consequences import SystemFacts, consequences, facts_of
from registry.record.codelists import codelists
from registry.record.model import NOT_STATED
from registry.text.catalogues import find, find_plural, load_catalogues

CATALOGUES = load_catalogues("site", ("ar", "fr"))

FUTURE, PRESENT, PAST = "future", "present", "past"
TENSES = {
    "planned": FUTURE,
    "in_development": FUTURE,
    "pilot": PRESENT,
    "in_use": PRESENT,
    "suspended": PAST,
    "retired": PAST,
    NOT_STATED: PRESENT,
}

WORDS_OF = {
    "en": {
        FUTURE: r"\bwill\b|being set up",
        PAST: r"\b(was|were|did|could|had|took|(?<!be )(?<!is )\w+ed)\b|results of before",
    },
    "fr": {
        FUTURE: r"\w+(ra|ront|rez)\b|est en cours de mise en place",
        PAST: r"(?!fait\b)\b\w+(ait|aient)\b|résultats passés peuvent encore",
    },
    "ar": {
        FUTURE: r"(?<!\w)(و?(ست|سي)\w+|لن(?!\w))|قيد الإحداث",
        PAST: r"(?<!\w)(و?كان|لم يكن|ما زال)",
    },
}
"""What marks a sentence on a system that is to come, or that was, in each language."""

TIMELESS = (
    "You can write to the agency.",
    "What part it has in decisions:",
    "Whether it uses personal data:",
    "Whether contesting is possible:",
)

SAYS = {
    "no part": r"takes? no part|took no part",
    "a person decides": r"[Aa] person (will )?decided?s?\.|That person (will )?decided?s?",
    "a person confirms": r"person (will )?confirm(s|ed)? it\.",
    "without a person": r"without a person",
    "each is checked": r"check(s|ed)? each result",
    "never otherwise": r"^Nobody .*decide otherwise",
    "otherwise": r"^A person .*decide otherwise",
    "changed afterwards": r"change its decision afterwards",
    "official": r"official decision",
    "no effect": r"no legal effect (on|for)",
    "without effect": r"(has|had|have) no legal effect\.$",
    "open": r"contest its result|(can still|could) be contested",
    "closed": r"cannot be contested|could not be contested|not be open|law .*contested",
}
AGAINST = [
    {"no part", "a person decides"},
    {"no part", "without a person"},
    {"no part", "official"},
    {"no part", "otherwise"},
    {"no part", "never otherwise"},
    {"a person decides", "without a person"},
    {"a person decides", "never otherwise"},
    {"a person confirms", "without a person"},
    {"a person confirms", "never otherwise"},
    {"without a person", "each is checked"},
    {"without a person", "otherwise"},
    {"otherwise", "never otherwise"},
    {"changed afterwards", "never otherwise"},
    {"official", "no effect"},
    {"official", "without effect"},
    {"open", "closed"},
]


def codes(name):
    return [None, *codelists()[name]]


def every():
    """Yield every combination of what a record can state."""
    for values in itertools.product(
        [*codelists()["status"], NOT_STATED],
        codes("decision_role"),
        (None, True, False),
        codes("oversight_type"),
        codes("answer"),
        codes("contestation_available"),
        (None, 60),
        (False, True),
    ):
        names = ("status", "role", "legal_effect", "oversight", "override", "contestation")
        *first, days, is_foreign = values
        yield SystemFacts(
            **dict(zip(names, first, strict=True)),
            deadline_days=days,
            is_foreign=is_foreign,
            personal_data="yes",
        )


def worded(one, tag):
    """The words of a point in a language, and the language that they are in."""
    if one.many:
        return find_plural(CATALOGUES, (tag, "en"), one.text, one.many, one.n)
    return find(CATALOGUES, (tag, "en"), one.text)


@pytest.fixture(scope="module")
def told():
    """Every different list of points, with one of the combinations that give it."""
    found = {}
    for facts in every():
        found.setdefault((facts.status, *consequences(facts)), facts)
    return found


def test_every_combination_is_in_the_tense_of_its_status(told):
    known = {*TIMELESS}
    sentences = {
        (status, one)
        for status, *points in told
        for one in points
        if not one.conflict and one.text not in known and not _is_status(one)
    }
    assert len(sentences) > 150
    wrong = []
    for status, one in sentences:
        for tag, marks in WORDS_OF.items():
            language, words = worded(one, tag)
            assert language == tag, words
            is_future, is_past = (bool(re.search(marks[tense], words)) for tense in (FUTURE, PAST))
            expected = TENSES[status]
            # What is being set up today is to come and present at once.
            is_both = "being set up" in one.text
            if is_past != (expected is PAST) or (
                is_future != (expected is FUTURE) and not (is_both and expected is not FUTURE)
            ):
                wrong.append((status, tag, words))
    assert wrong == []


def _is_status(one):
    return re.match(r"This system is |Whether this system is used", one.text) is not None


def test_the_first_point_says_what_is_not_in_service(told):
    for status, first, *_ in told:
        assert _is_status(first) == (status != "in_use"), status


def test_no_combination_contradicts_itself(told):
    wrong = {}
    for (_, *points), facts in told.items():
        said = {
            name
            for name, pattern in SAYS.items()
            for one in points
            if re.search(pattern, one.text, re.MULTILINE)
        }
        for pair in AGAINST:
            if pair <= said:
                wrong[tuple(sorted(pair))] = (facts, [one.text for one in points])
    assert wrong == {}


def test_facts_that_do_not_fit_are_said_to_contradict_each_other():
    for facts, pair in (
        ({"role": "recommends", "override": "no"}, ("role", "override_possible")),
        ({"role": "informs", "override": "no"}, ("role", "override_possible")),
        ({"role": "recommends", "oversight": "none"}, ("role", "oversight_type")),
        ({"role": "decides_with_review", "oversight": "none"}, ("role", "oversight_type")),
        ({"role": "decides_alone", "oversight": "before_each"}, ("role", "oversight_type")),
        ({"role": "no_decision", "legal_effect": True}, ("role", "legal_effect")),
    ):
        found = [one.conflict for one in consequences(SystemFacts(**facts)) if one.conflict]
        assert found == [tuple(f"/decision/{name}" for name in pair)], facts
    denied = SystemFacts(legal_effect=True, contestation="no_legal_effect")
    assert ("/decision/legal_effect", "/rights/contestation") in [
        one.conflict for one in consequences(denied)
    ]


def test_each_combination_says_each_thing_once(told):
    for _, *points in told:
        assert len(points) == len({*points})


def test_nothing_is_promised_for_another_register(told):
    for (_, *points), facts in told.items():
        promises = [one.text for one in points if one.text.startswith("You can write")]
        assert len(promises) == (not facts.is_foreign and facts.contestation != "yes")


def test_a_restricted_record_says_its_status_and_that_nothing_else_is_public():
    for status in codelists()["status"]:
        facts = SystemFacts(status=status, is_restricted=True)
        *_, published, contested = [one.text for one in consequences(facts)]
        assert "is not published" in published
        assert "Your rights in every case" in contested


def test_the_facts_are_read_from_a_document():
    complete = json.loads((resources.SCHEMAS / "examples/complete.json").read_text("utf-8"))
    read = facts_of(complete, is_foreign=False)
    assert None not in {read.role, read.legal_effect, read.oversight, read.override}
    assert None not in {read.personal_data, read.contestation}
    assert facts_of({"id": "a.b/c"}, is_foreign=True) == SystemFacts(is_foreign=True)
