"""What is said beside a record: a withdrawal's reason and note, a reviewer's comment."""

import pytest

from registry.record.codelists import codelists
from registry.record.statements import COMMENT_LENGTH, NOTE_LENGTH, check_comment, check_withdrawal

GOOD = {"reason": "court_order", "note": {"fr": "Jugement du tribunal.", "ar": "حكم"}}


@pytest.mark.parametrize("reason", ["filed_in_error", "merged_into", "agency_closed", "other"])
def test_a_withdrawal_with_reason_and_note_is_sound(pack, reason):
    assert check_withdrawal(GOOD | {"reason": reason}, pack, "en") == ()
    assert check_withdrawal(GOOD | {"note": {"fr": "x" * NOTE_LENGTH}}, pack, "en") == ()


@pytest.mark.parametrize(
    ("statement", "pointer", "rule", "words"),
    [
        ({"note": GOOD["note"]}, "/reason", "required", "Add reason: one of filed_in_error,"),
        ({"reason": "other"}, "/note", "required", "Add note: a text by language"),
        (GOOD | {"reason": "eror"}, "/reason", "enum", "not a code of this list"),
        (GOOD | {"note": "x"}, "/note", "type", "Note: an object is expected here"),
        (GOOD | {"note": {}}, "/note", "minProperties", "at least one language"),
        (GOOD | {"note": {"fr": 3}}, "/note/fr", "type", "a text in quotes"),
        (GOOD | {"note": {"fr": "x" * 1001}}, "/note/fr", "maxLength", "at most 1000 fit"),
        (GOOD | {"note": {"fr": " x"}}, "/note/fr", "pattern", "Remove the space at its ends"),
        (GOOD | {"note": {"fr": "a\u202eb"}}, "/note/fr", "format", "writing direction"),
        (GOOD | {"note": {"f r": "x"}}, "/note/f r", "propertyNames", "not a language tag"),
        (GOOD | {"note": {"de": "x"}}, "/note/de", "R00", "not a language of this register"),
        (GOOD | {"agency": "x"}, "/agency", "additionalProperties", "The fields are: reason, note"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_withdrawal_with_one_fault_is_told_what_and_where(pack, statement, pointer, rule, words):
    [finding] = check_withdrawal(statement, pack, "en")
    assert (finding.pointer, finding.rule, finding.severity) == (pointer, rule, "error")
    assert words in finding.message


def test_every_fault_is_told_once_in_the_order_of_places(pack):
    found = check_withdrawal({"x": 1}, pack, "en")
    assert [finding.pointer for finding in found] == ["/note", "/reason", "/x"]
    [whole] = check_withdrawal([], pack, "en")
    assert (whole.pointer, whole.rule) == ("", "type")


def test_faults_are_told_in_the_language_asked_for(pack):
    for language, word in (("fr", "Motif"), ("ar", "السبب")):
        _, finding = check_withdrawal({}, pack, language)
        assert finding.lang == language
        assert word in finding.message


def test_the_reasons_are_those_of_the_code_list(pack):
    for reason in codelists()["withdrawal_reason"]:
        named = {"successor": "demo-sante/lits"} if reason == "replaced" else {}
        assert check_withdrawal(GOOD | {"reason": reason} | named, pack, "en") == ()


def test_what_is_replaced_names_its_successor(pack):
    [finding] = check_withdrawal(GOOD | {"reason": "replaced"}, pack, "en")
    assert (finding.pointer, finding.rule) == ("/successor", "required")


@pytest.mark.parametrize(
    "comment", ["x", "x" * COMMENT_LENGTH, {"fr": "x", "ar": "س"}, {"zgh": "ⵣ" * COMMENT_LENGTH}]
)
def test_a_comment_is_a_text_or_texts_by_language(pack, comment):
    assert check_comment({"comment": comment}, pack, "en") == ()


def test_comments_by_field_name_fields_of_the_format(pack):
    by_field = {"/purpose/goal": "x", "/technical/models/0/name": {"fr": "x"}, "/decision": "x"}
    assert check_comment({"comments": by_field}, pack, "en") == ()
    assert check_comment({"comment": {"fr": "x"}, "comments": by_field}, pack, "en") == ()


@pytest.mark.parametrize(
    ("comments", "pointer"),
    [
        ({}, "/comment"),
        ("x", "/comment"),
        ({"/purpose/nothing": "x"}, "/comments/~1purpose~1nothing"),
        ({"": "x"}, "/comments/"),
        ({"purpose": "x"}, "/comments/purpose"),
        ({"/purpose/goal": ""}, "/comments/~1purpose~1goal"),
        ({"/purpose/goal": {"de": "x"}}, "/comments/~1purpose~1goal/de"),
        ({"/purpose/goal": {"fr": " x"}}, "/comments/~1purpose~1goal/fr"),
    ],
    ids=str,
)
def test_comments_by_field_with_a_fault_are_refused(pack, comments, pointer):
    found = check_comment({"comments": comments}, pack, "en")
    assert pointer in [finding.pointer for finding in found]


@pytest.mark.parametrize(
    ("statement", "pointer"),
    [
        ({}, "/comment"),
        ({"comment": None}, "/comment"),
        ({"comment": ""}, "/comment"),
        ({"comment": " x"}, "/comment"),
        ({"comment": "x" * (COMMENT_LENGTH + 1)}, "/comment"),
        ({"comment": {"fr": "x" * (COMMENT_LENGTH + 1)}}, "/comment/fr"),
        ({"comment": {"en-x": "x"}}, "/comment/en-x"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_comment_with_one_fault_is_refused(pack, statement, pointer):
    [finding] = check_comment(statement, pack, "en")
    assert finding.pointer == pointer
