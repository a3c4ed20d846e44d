"""Attestations: what one must hold, and what is said of one that does not."""

import datetime as dt
import json

import pytest

from registry.record.attestation import (
    SCHEMA_VERSION,
    attestation_schema_bytes,
    check,
)

TODAY = dt.date(2026, 11, 24)
GOOD = {
    "day": "2026-11-24",
    "systems_total": 12,
    "contact": {"email": "registre@demo.example"},
    "note": {"fr": "Pilotes compris.", "ar": "بما فيها التجارب"},
}


def found(pack, statement, language="en"):
    return check(statement, pack=pack, today=TODAY, language=language)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"systems_total": 0},
        {"systems_total": 1_000_000},
        {"day": "2000-02-29"},
        {"contact": {"url": "https://demo.example/contact"}},
        {"note": ...},
    ],
    ids=str,
)
def test_nothing_is_wrong_with_it(pack, changes):
    statement = {key: value for key, value in (GOOD | changes).items() if value is not ...}
    assert found(pack, statement) == ()


@pytest.mark.parametrize(
    ("changes", "pointer", "rule", "words"),
    [
        ({"day": ...}, "/day", "required", "Day of the count: missing here."),
        ({"systems_total": ...}, "/systems_total", "required", "Number of systems"),
        ({"contact": ...}, "/contact", "required", "Add contact: an object with"),
        ({"day": "24/11/2026"}, "/day", "format", "Write a day that exists as YYYY-MM-DD."),
        ({"day": "2026-02-30"}, "/day", "format", '"2026-02-30" is not of the right form'),
        ({"day": "20261124"}, "/day", "format", "YYYY-MM-DD"),
        ({"day": "2026-11-24\n"}, "/day", "maxLength", "YYYY-MM-DD"),
        ({"day": 20261124}, "/day", "type", "a text in quotes is expected here"),
        ({"day": "2026-11-25"}, "/day", "past", "2026-11-25 is in the future"),
        ({"systems_total": -1}, "/systems_total", "minimum", "State at least 0"),
        ({"systems_total": 1_000_001}, "/systems_total", "maximum", "State at most 1000000"),
        ({"systems_total": 1.5}, "/systems_total", "type", "a whole number is expected here"),
        ({"systems_total": True}, "/systems_total", "type", "a whole number is expected here"),
        ({"systems_total": None}, "/systems_total", "type", "not null"),
        ({"contact": {}}, "/contact", "minProperties", "State one of email, url"),
        ({"contact": {"email": "nobody"}}, "/contact/email", "format", "Write a mailbox"),
        ({"contact": {"url": "ftp://x"}}, "/contact/url", "pattern", "begins with https://"),
        (
            {"contact": {"email": "a@b.example", "phone": "+212600000000"}},
            "/contact/phone",
            "additionalProperties",
            "The fields are: email, url.",
        ),
        ({"uses_none": True}, "/uses_none", "additionalProperties", "There is no field"),
        ({"note": "Pilotes"}, "/note", "type", "Note: an object is expected here"),
        ({"note": {"de": "x"}}, "/note/de", "R00", "de"),
        ({"note": {}}, "/note", "minProperties", "at least one language"),
        ({"note": {"FR": "x"}}, "/note/FR", "propertyNames", "is not a language tag"),
        ({"note": {"fr": "x" * 1001}}, "/note/fr", "maxLength", "1001 characters"),
        ({"note": {"fr": "<b>x</b>"}}, "/note/fr", "format", "Note: this holds HTML"),
        ({"note": {"fr": " x"}}, "/note/fr", "pattern", "Remove the space at its ends"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_at_its_place(pack, changes, pointer, rule, words):
    statement = {key: value for key, value in (GOOD | changes).items() if value is not ...}
    one = found(pack, statement)[0]
    assert (one.pointer, one.rule, one.severity) == (pointer, rule, "error")
    assert words in one.message


def test_everything_is_told_at_once_in_the_order_of_places(pack):
    wrong = found(pack, {"systems_total": -1, "contact": {"email": "x"}, "tags": []})
    assert [one.pointer for one in wrong][:1] == ["/contact/email"]
    assert {one.pointer for one in wrong} == {"/contact/email", "/day", "/systems_total", "/tags"}


@pytest.mark.parametrize("statement", [[], None, "x", 1])
def test_what_is_no_object_is_told_as_a_whole(pack, statement):
    assert [(one.pointer, one.rule) for one in found(pack, statement)] == [("", "type")]


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "Nombre de systèmes"), ("ar", "عدد الأنظمة"), ("en", "Number of systems")],
)
def test_it_is_told_in_the_readers_language(pack, language, words):
    [one] = found(pack, GOOD | {"systems_total": -1}, language)
    assert one.lang == language
    assert words in one.message


def test_its_schema_names_its_version():
    assert json.loads(attestation_schema_bytes())["$id"].endswith(f":attestation:{SCHEMA_VERSION}")


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31"])
def test_a_day_of_long_ago_is_none_on_which_systems_were_counted(pack, day):
    """The database would take the first day of year 1 for the beginning of all time."""
    assert [one.rule for one in found(pack, GOOD | {"day": day})] == ["pattern"]
