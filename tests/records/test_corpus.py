"""The demonstration corpus: publishable, openly fictitious, and broad enough to show everything."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import unicodedata
from collections import defaultdict
from urllib.parse import urlsplit

from registry import resources
from registry.record.codelists import codelists, read_rows, texts
from registry.record.facets import FACETS
from registry.record.ids import split_id
from registry.record.pack import load_pack
from registry.record.parse import parse
from registry.record.pointers import dig, parts, pointer, values_at
from registry.record.schema import fields
from registry.record.statements import check_withdrawal
from registry.record.validate import validate
from registry.services.filing.loading import load
from registry.store import withdrawals
from registry.store.records import read_all

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
TODAY = NOW.date()
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
    ("evaluation", "benefits", "*", "measured_on"),
    ("evaluation", "incidents", "*", "date"),
    ("evaluation", "incidents", "*", "reported_on"),
    ("procurement", "amendments", "*", "date"),
    ("documents", "*", "published_on"),
    ("publication", "answers", "*", "date"),
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
RESTRICTED = {
    path for path, document in DOCUMENTS.items() if "restriction" in document["publication"]
}
WITHDRAWALS = read_rows(resources.RECORDS / "withdrawals.csv")
"""Rows of id, reason, note_<language> and after_version: the one that was in force until then."""

OPEN = {record_id: doc for record_id, doc in LATEST.items() if "name" in doc}


def found(document, *, kind):
    """(pointer, value) of every stated field of one kind, such as LangText or Url."""
    for field in fields():
        if field.kind == kind:
            for place, value in values_at(document, field.path):
                yield pointer(place), value


IN_FORCE = {
    record_id: document
    for record_id, document in LATEST.items()
    if (record_id, len(HISTORIES[record_id]))
    not in {(row["id"], int(row["after_version"])) for row in WITHDRAWALS}
}


def spread(*path):
    """The values of one field over the versions in force that state it."""
    return {dig(document, *path) for document in IN_FORCE.values()} - {None}


def stating(*path):
    """How many of the versions in force state something at a path, which may hold a `*`."""
    return sum(any(True for _ in values_at(document, path)) for document in IN_FORCE.values())


def test_there_is_a_corpus():
    assert len(IN_FORCE) >= 42
    strays = set(resources.RECORDS.rglob("*.json")).difference(FILES)
    assert not strays, "records lie in records/<agency>/<slug>.json"


# Records that are there to show a warning, with the rules that give it. Tamazight (R03) is
# missing almost everywhere: the corpus states only what its writers are sure of.
RECOMMENDED_LANGUAGE = "R03"
SHOWN = {
    # A person's name and mailbox where an office is meant; the name is mended, the mailbox not.
    "demo-education/experts-projets.1.json": {"R19", "R20"},
    "demo-education/experts-projets.json": {"R19"},
    # Retired without ever having had what is asked of it today.
    # It was hosted abroad, too.
    "demo-education/surveillance-examens-distance.json": {"required", "05-20-11"},
    # Health data hosted abroad, in a pilot, while it was stopped and since it has resumed.
    "demo-sante/transcription-consultations.1.json": {"09-08-43", "05-20-11"},
    "demo-sante/transcription-consultations.2.json": {"09-08-43", "05-20-11"},
    "demo-sante/transcription-consultations.json": {"09-08-43", "05-20-11"},
    # In development: much is not known yet, nobody has been consulted.
    "demo-securite/appels-urgence.json": {"R15", "required", "09-08-7"},
    # Planned at high risk; the version after it is of limited risk and in order.
    "demo-securite/comptage-foules.1.json": {"R15", "required"},
    # Decides alone, with legal effect, on personal data.
    "demo-services/aide-energie-hivernale.json": {"09-08-11"},
    # Declared below its risk floor, with reasons.
    "demo-services/suggestions-offres-emploi.json": {"below_floor"},
}


def test_each_is_publishable_and_warns_only_where_it_is_there_to_show_it():
    warned = {}
    for path, document in DOCUMENTS.items():
        verdict = validate(document, profile="publication", pack=PACK, today=TODAY)
        assert verdict.publishable, (path, verdict.findings)
        assert {finding.severity for finding in verdict.findings} <= {"warning"}, path
        rules = {finding.rule for finding in verdict.findings} - {RECOMMENDED_LANGUAGE}
        if rules:
            warned[path.relative_to(resources.RECORDS).as_posix()] = rules
    assert warned == SHOWN
    # Some stand with a warning today: files without a version in their name.
    assert sum(name.count(".") == 1 for name in warned) >= 5


def test_none_says_that_use_began_while_an_earlier_version_was_a_pilot():
    begun = 0
    for record_id, versions in HISTORIES.items():
        for before, after in itertools.combinations(versions, 2):
            if dig(before, "lifecycle", "status") == "pilot":
                reviewed = dig(before, "lifecycle", "last_reviewed_on")
                since = dig(after, "lifecycle", "in_use_from")
                assert since is None or since > reviewed, record_id
                begun += since is not None
    assert begun


async def test_a_fresh_register_publishes_them_all_and_withdraws_what_the_table_says(context):
    outcomes = await load(context, resources.RECORDS, now=lambda: NOW)
    assert {outcome.record: outcome.refused for outcome in outcomes if outcome.refused} == {}
    async with context.database.snapshot() as connection:
        stored = [record async for record in read_all(connection, withdrawn=True)]
        withdrawn = await withdrawals.read_every(connection)
    assert {record.id: len(record.versions) for record in stored} == {
        record_id: len(versions) for record_id, versions in HISTORIES.items()
    }
    in_force = {record.id for record in stored if record.register.state == "published"}
    assert in_force == IN_FORCE.keys()
    assert [
        (record_id, one.version, one.reason, one.note)
        for record_id, found in sorted(withdrawn.items())
        for one in found
    ] == [
        (row["id"], int(row["after_version"]), row["reason"], texts(row, "note_"))
        for row in WITHDRAWALS
    ]


def test_one_record_is_withdrawn_and_another_came_back():
    gone = LATEST.keys() - IN_FORCE.keys()
    assert gone == {"demo-services/affluence-musees"}
    assert {row["id"] for row in WITHDRAWALS} - gone == {"demo-securite/comptage-foules"}


def test_a_withdrawal_is_of_a_version_and_says_why_in_every_language():
    for row in WITHDRAWALS:
        assert 1 <= int(row["after_version"]) <= len(HISTORIES[row["id"]]), row
        note = texts(row, "note_")
        assert check_withdrawal({"reason": row["reason"], "note": note}, PACK, "en") == (), row
        assert note.keys() == LANGUAGES, row
        assert not any(letter.isalpha() and letter.isascii() for letter in note["ar"]), row


def test_withdrawals_are_in_order_and_each_of_its_own_version():
    named = [(row["id"], int(row["after_version"])) for row in WITHDRAWALS]
    assert named == sorted(set(named))


def test_none_tells_what_happened_after_its_last_review():
    later = [
        (name_of(path), pointer(place), day)
        for path, document in DOCUMENTS.items()
        for fact in FACTS
        for place, day in values_at(document, fact)
        if day > (dig(document, "lifecycle", "last_reviewed_on") or TODAY.isoformat())
    ]
    assert later == []
    reviews = {dig(document, "lifecycle", "last_reviewed_on") for document in DOCUMENTS.values()}
    assert max(filter(None, reviews)) <= TODAY.isoformat()


def test_each_stands_under_its_own_id_at_a_fictitious_agency():
    for path, document in DOCUMENTS.items():
        record_id, _ = split_version(path)
        assert document["id"] == record_id
        assert PACK.agencies[split_id(record_id)[0]].fictitious, record_id


def test_every_text_is_in_arabic_french_and_english():
    partial = [
        (name_of(path), place)
        for path, document in DOCUMENTS.items()
        if path not in RESTRICTED
        for place, text in [
            ("status", dig(document, "languages", "translation_status")),
            *found(document, kind="LangText"),
        ]
        if not LANGUAGES.issubset(text)
    ]
    assert partial == []


def test_arabic_text_has_no_latin_letter_and_no_other_digits():
    mixed = [
        (name_of(path), place)
        for path, document in DOCUMENTS.items()
        for place, text in found(document, kind="LangText")
        for letter in text["ar"]
        if (letter.isalpha() and not unicodedata.name(letter).startswith("ARABIC"))
        or (letter.isdigit() and not letter.isascii())
    ]
    assert mixed == []


def test_none_names_a_real_address():
    real = [
        (name_of(path), place)
        for path, document in DOCUMENTS.items()
        for place, host in [
            *((place, urlsplit(url).hostname) for place, url in found(document, kind="Url")),
            *((place, mail.partition("@")[2]) for place, mail in found(document, kind="Email")),
        ]
        if not host.endswith((".example", "example.org"))
    ]
    assert real == []


def test_who_is_told_to_write_call_or_come_finds_how():
    """A number begins with +999, which no country has (ITU-T E.164)."""
    for path, document in DOCUMENTS.items():
        if path not in RESTRICTED:
            contact = dig(document, "contact")
            assert {"email", "phone", "postal_address", "opening_hours"} <= contact.keys(), path
            numbers = [contact["phone"], dig(document, "rights", "data_rights_contact", "phone")]
            assert all(number.startswith("+999") for number in filter(None, numbers)), path


def test_each_is_written_the_one_way():
    order = list(dict.fromkeys(field.path[0] for field in fields()))
    for path, document in DOCUMENTS.items():
        text = path.read_text(encoding="utf-8")
        assert text == json.dumps(document, ensure_ascii=False, indent=2) + "\n", path
        assert unicodedata.is_normalized("NFC", text), path
        assert list(document) == sorted(document, key=order.index), path


def test_versions_are_numbered_from_1_and_say_what_changed():
    reviewed = ("lifecycle", "last_reviewed_on")
    for record_id, versions in HISTORIES.items():
        numbers = [split_version(path)[1] for path in FILES if split_version(path)[0] == record_id]
        earlier = sorted(number for number in numbers if number is not None)
        assert earlier == list(range(1, len(numbers))), record_id
        first, *later = versions
        assert "change_note" not in first["publication"], record_id
        assert all("change_note" in document["publication"] for document in later), record_id
        for before, after in itertools.pairwise(versions):
            assert before != after, record_id
            if "restriction" not in after["publication"]:
                assert dig(before, *reviewed) < dig(after, *reviewed), record_id


def transitions(*path):
    """(before, after) of one field wherever it changes; of tuples for a path with `*`."""

    def read(document):
        values = [value for _, value in values_at(document, path)]
        return tuple(values) if "*" in path else next(iter(values), None)

    pairs = itertools.chain.from_iterable(map(itertools.pairwise, HISTORIES.values()))
    values = ((read(before), read(after)) for before, after in pairs)
    return {(before, after) for before, after in values if before != after}


def test_ten_records_have_a_history():
    assert sum(len(versions) > 1 for versions in HISTORIES.values()) >= 10
    assert sum(len(versions) > 2 for versions in HISTORIES.values()) >= 3


def test_histories_show_how_a_record_changes():
    assert transitions("risk", "level") >= {
        ("limited", "high"),
        ("minimal", "limited"),
        ("high", "limited"),
    }
    assert transitions("lifecycle", "status") >= {
        ("planned", "pilot"),
        ("in_development", "pilot"),
        ("pilot", "in_use"),
        ("pilot", "suspended"),
        ("suspended", "pilot"),
        ("in_use", "retired"),
    }
    assert transitions("assessments", "*", "status") >= {
        (("in_progress",), ("completed",)),
        (("planned",), ("completed",)),
    }
    assert any(all(names) for names in transitions("procurement", "suppliers", "*", "name"))
    assert any(all(values) for values in transitions("evaluation", "metrics", "*", "value"))


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


def test_shows_every_code_of_the_main_lists():
    for name in ("risk", "status", "role", "sector", "function"):
        facet = FACETS[name]
        codelist, *_ = facet.lists
        assert spread(*parts(facet.pointer)) == set(codelists()[codelist]), name


def test_is_spread_over_every_fictitious_agency():
    fictitious = {agency for agency, row in PACK.agencies.items() if row.fictitious}
    assert {split_id(record_id)[0] for record_id in LATEST} == fictitious


def test_shows_several_stopped_withheld_and_restricted_records():
    statuses = [dig(document, "lifecycle", "status") for document in LATEST.values()]
    assert statuses.count("retired") >= 3
    assert statuses.count("suspended") >= 3
    assert stating("publication", "withheld_fields") >= 3
    assert len({split_version(path)[0] for path in RESTRICTED}) >= 2
    assert "withheld" in spread("evaluation", "fairness_tested", "answer")


def test_shows_where_systems_come_from_and_what_became_of_them():
    assert {"open_source", "donor_provided", "other_agency", "joint"} <= spread(
        "procurement", "origin"
    )
    assert "open_tender" in spread("procurement", "contract", "procedure")
    assert stating("evaluation", "outcomes", "*", "overturned")
    assert stating("evaluation", "incidents", "*", "severity")
    relations = {
        relation
        for document in LATEST.values()
        for _, relation in values_at(document, ("related_records", "*", "relation"))
    }
    assert {"shares_model_with", "instance_of", "replaces", "replaced_by"} <= relations


def test_one_text_was_translated_by_a_machine_and_says_so():
    assert any(
        "machine" in dig(document, "languages", "translation_status").values()
        for document in OPEN.values()
    )


def test_what_is_unacceptable_has_been_stopped():
    for versions in HISTORIES.values():
        for document in versions:
            if dig(document, "risk", "level") == "unacceptable":
                assert dig(document, "lifecycle", "status") in STOPPED


def test_only_one_record_lets_a_machine_alone_decide_on_a_right_and_it_can_be_contested():
    alone = [
        document
        for document in LATEST.values()
        if dig(document, "decision", "role") == "decides_alone"
        and dig(document, "decision", "legal_effect")
    ]
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
