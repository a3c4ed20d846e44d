"""The demonstration corpus: publishable, openly fictitious, and broad enough to show everything."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import unicodedata
from collections import defaultdict
from urllib.parse import urlsplit

import pytest

from registry import resources
from registry.record.codelists import codelists
from registry.record.ids import split_id
from registry.record.pack import load_pack
from registry.record.parse import parse
from registry.record.pointers import dig, pointer, values_at
from registry.record.schema import fields
from registry.record.validate import validate

TODAY = dt.date(2026, 11, 24)
PACK = load_pack("ma")
LANGUAGES = {"ar", "fr", "en"}
LAST = 10_000
OVERDUE = "demo-agriculture/tournees-visites"
STOPPED = {"planned", "suspended", "retired"}
FACTS = (
    ("risk", "assessed_on"),
    ("data", "authorisation", "date"),
    ("assessments", "*", "completed_on"),
    ("consultations", "*", "date"),
    ("evaluation", "metrics", "*", "measured_on"),
    ("evaluation", "incidents", "*", "date"),
    ("documents", "*", "published_on"),
)

FILES = sorted(resources.RECORDS.glob("*/*.json"))


def name_of(path):
    return f"{path.parent.name}/{path.stem}"


def split_version(path):
    """`agency/slug` and the version number of an earlier version, None for the latest."""
    slug, _, version = path.stem.partition(".")
    return f"{path.parent.name}/{slug}", int(version) if version else None


DOCUMENTS = {path: parse(path.read_bytes()) for path in FILES}
HISTORIES = defaultdict(list)
for file in sorted(FILES, key=lambda file: split_version(file)[1] or LAST):
    HISTORIES[split_version(file)[0]].append(DOCUMENTS[file])
LATEST = {record_id: versions[-1] for record_id, versions in HISTORIES.items()}

each_file = pytest.mark.parametrize("path", FILES, ids=name_of)
each_history = pytest.mark.parametrize("record_id", sorted(HISTORIES))


def found(document, *, kind):
    """(pointer, value) of every stated field of one kind, such as LangText or Url."""
    for field in fields():
        if field.kind == kind:
            for place, value in values_at(document, field.path):
                yield pointer(place), value


def spread(*path):
    return {dig(document, *path) for document in LATEST.values()}


def test_there_is_a_corpus():
    assert len(LATEST) >= 12
    strays = set(resources.RECORDS.rglob("*.json")).difference(FILES)
    assert not strays, "records lie in records/<agency>/<slug>.json"


# Records that are there to show a warning, with the rules that give it.
SHOWN = {
    # Not in operation yet, with its impact assessment under way.
    "demo-education/alerte-decrochage.1.json": {"R15"},
}


@each_file
def test_is_publishable_and_warns_only_where_it_is_there_to_show_it(path):
    verdict = validate(DOCUMENTS[path], profile="publication", pack=PACK, today=TODAY)
    shown = SHOWN.get(path.relative_to(resources.RECORDS).as_posix(), set())
    assert {finding.rule for finding in verdict.findings} == shown
    assert {finding.severity for finding in verdict.findings} <= {"warning"}
    assert verdict.publishable


@each_file
def test_tells_nothing_that_happened_after_its_last_review(path):
    document = DOCUMENTS[path]
    reviewed = dig(document, "lifecycle", "last_reviewed_on") or TODAY.isoformat()
    assert reviewed <= TODAY.isoformat()
    later = {
        pointer(place): day
        for fact in FACTS
        for place, day in values_at(document, fact)
        if day > reviewed
    }
    assert later == {}


@each_file
def test_stands_under_its_own_id_at_a_fictitious_agency(path):
    record_id, _ = split_version(path)
    assert DOCUMENTS[path]["id"] == record_id
    agency, _ = split_id(record_id)
    assert PACK.agencies[agency].fictitious


@each_file
def test_every_text_is_in_arabic_french_and_english(path):
    document = DOCUMENTS[path]
    assert LANGUAGES.issubset(dig(document, "languages", "translation_status"))
    partial = {
        place: set(text)
        for place, text in found(document, kind="LangText")
        if not LANGUAGES.issubset(text)
    }
    assert partial == {}


@each_file
def test_arabic_text_has_no_latin_letter_and_no_other_digits(path):
    mixed = [
        place
        for place, text in found(DOCUMENTS[path], kind="LangText")
        for letter in text["ar"]
        if (letter.isalpha() and not unicodedata.name(letter).startswith("ARABIC"))
        or (letter.isdigit() and not letter.isascii())
    ]
    assert mixed == []


@each_file
def test_names_no_real_address(path):
    document = DOCUMENTS[path]
    hosts = {urlsplit(url).hostname for _, url in found(document, kind="Url")}
    hosts |= {mailbox.partition("@")[2] for _, mailbox in found(document, kind="Email")}
    real = {host for host in hosts if not host.endswith((".example", "example.org"))}
    assert real == set()


@each_file
def test_is_written_the_one_way(path):
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(DOCUMENTS[path], ensure_ascii=False, indent=2) + "\n"
    assert unicodedata.is_normalized("NFC", text)


@each_file
def test_keys_stand_in_the_order_of_the_format(path):
    document = DOCUMENTS[path]
    order = list(dict.fromkeys(field.path[0] for field in fields()))
    assert list(document) == sorted(document, key=order.index)


@each_history
def test_versions_are_numbered_from_1_and_say_what_changed(record_id):
    numbers = [split_version(path)[1] for path in FILES if split_version(path)[0] == record_id]
    earlier = sorted(number for number in numbers if number is not None)
    assert earlier == list(range(1, len(numbers)))
    first, *later = HISTORIES[record_id]
    assert "change_note" not in first["publication"]
    assert all("change_note" in document["publication"] for document in later)
    for before, after in itertools.pairwise(HISTORIES[record_id]):
        assert before != after
        reviewed = ("lifecycle", "last_reviewed_on")
        assert dig(before, *reviewed) < dig(after, *reviewed)


def test_some_records_have_a_history_and_one_raises_its_risk():
    levels = [
        [dig(version, "risk", "level") for version in versions]
        for versions in HISTORIES.values()
        if len(versions) > 1
    ]
    assert len(levels) >= 2
    assert ["limited", "limited", "high"] in levels


def test_source_ids_are_unique_within_an_agency():
    named = [
        (split_id(record_id)[0], document["source_id"])
        for record_id, document in LATEST.items()
        if "source_id" in document
    ]
    assert len(named) == len(set(named))


def test_related_records_are_there():
    for document in LATEST.values():
        for related in document.get("related_records", []):
            assert related["record"] in LATEST


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("risk", "level"), "risk_level"),
        (("lifecycle", "status"), "status"),
        (("decision", "role"), "decision_role"),
    ],
)
def test_shows_every_code_of_the_main_lists(path, name):
    assert spread(*path) == set(codelists()[name])


def test_shows_the_leading_sectors_and_others():
    leading = {code for code, row in codelists()["sector"].items() if "priority" in row.extra}
    assert leading
    assert spread("sector", "primary") > leading


def test_shows_many_functions_and_every_fictitious_agency():
    assert len(spread("sector", "function")) >= 10
    fictitious = {agency for agency, row in PACK.agencies.items() if row.fictitious}
    assert {split_id(record_id)[0] for record_id in LATEST} == fictitious


def test_what_is_unacceptable_has_been_stopped():
    for versions in HISTORIES.values():
        for document in versions:
            if dig(document, "risk", "level") == "unacceptable":
                assert dig(document, "lifecycle", "status") in STOPPED


def test_only_one_record_lets_a_machine_decide_alone_and_it_can_be_contested():
    alone = [doc for doc in LATEST.values() if dig(doc, "decision", "role") == "decides_alone"]
    assert len(alone) == 1
    assert dig(alone[0], "risk", "level") == "high"
    assert dig(alone[0], "rights", "contestation", "available") == "yes"


def test_one_record_is_overdue_for_review():
    overdue = [
        record_id
        for record_id, document in LATEST.items()
        if (dig(document, "lifecycle", "next_review_on") or "9999") < TODAY.isoformat()
    ]
    assert overdue == [OVERDUE]
