import json

import msgspec
import pytest

from registry.imports.crosswalk_model import IdWords, Reading
from registry.imports.identity import Identity, SlugAssignment, keys_of, words


def row(*, own="", name="Rain radar", unit="North", goal="Warn", rest="", agency="us.dwx"):
    return Identity(
        agency=agency,
        own=own,
        name=name,
        of=(agency, name, unit),
        within_agency=(name, unit),
        telling_apart=(name, unit, goal),
        whole=json.dumps([own, name, unit, goal, rest]),
    )


def assign_slugs(rows):
    slugs = SlugAssignment()
    for one in rows:
        slugs.add(one)
    slugs.decide()
    return [slugs.take({"goal": one.whole})[0] for one in rows]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Gemeente 's-Hertogenbosch", ("gemeente-s-hertogenbosch", True)),
        ("Súdwest-Fryslân", ("sudwest-fryslan", True)),
        ("FDIC – 03", ("fdic-03", True)),
        ("Søren Łódź", ("soren-lodz", True)),
        ("ABC 東京", ("abc", False)),
        ("الصحة", ("", False)),
        ("", ("", False)),
    ],
)
def test_words(text, expected):
    assert expected == words(text, 60)


def test_words_are_cut_between_words():
    assert words("alpha beta gamma", 12) == ("alpha-beta", False)
    assert words("alpha beta gamma", 10) == ("alpha-beta", False)
    assert words("alphabetagamma", 5) == ("alpha", False)


def test_the_slug_is_the_sources_own_id():
    assert assign_slugs([row(own="DWX-0012"), row(own="35")]) == ["dwx-0012", "35"]


def test_without_an_id_it_is_the_name_with_a_mark_of_what_identifies_the_row():
    north, south = assign_slugs([row(unit="North"), row(unit="South")])
    assert north.startswith("rain-radar-")
    assert len(north) == len("rain-radar-") + 8
    assert north != south


def test_an_edit_elsewhere_keeps_the_slug():
    assert assign_slugs([row(goal="Warn")]) == assign_slugs([row(goal="Warn early", rest="edited")])


def test_duplicates_are_told_apart_whatever_their_order():
    rows = [row(own="7", goal="A"), row(own="7", goal="B"), row(own="8"), row(own="7", goal="C")]
    slugs = assign_slugs(rows)
    assert len(set(slugs)) == 4
    assert slugs[2] == "8"
    assert "7" not in slugs
    assert assign_slugs(rows[::-1]) == slugs[::-1]


def test_a_row_repeated_exactly_does_not_move_the_first():
    once = assign_slugs([row()])
    twice = assign_slugs([row(), row(name="Other"), row()])
    assert twice[0] == once[0]
    assert len(set(twice)) == 3


def test_rows_that_differ_only_outside_the_named_columns_are_told_apart_by_all():
    rows = [row(rest="1"), row(rest="2")]
    slugs = assign_slugs(rows)
    assert len(set(slugs)) == 2
    assert assign_slugs(rows[::-1]) == slugs[::-1]


def test_added_rows_change_no_slug():
    before = [row(own="1"), row(name="Snow"), row(name="Hail")]
    after = [row(own="9"), *before, row(name="Fog"), row(own="2")]
    assert assign_slugs(after)[1:4] == assign_slugs(before)


def test_agencies_do_not_share():
    rows = [row(own="1"), row(own="1", agency="us.dry", goal="Other")]
    assert assign_slugs(rows) == ["1", "1"]


def test_a_reserved_slug_is_not_given():
    assert assign_slugs([row(own="Index")])[0].startswith("index-")


@pytest.mark.parametrize("name", ["الصحة", "", "!!!"])
def test_a_name_without_latin_letters_still_has_a_slug(name):
    [slug] = assign_slugs([row(name=name)])
    assert slug.isalnum()
    assert slug.isascii()


def test_an_id_stays_within_the_formats_length():
    agency = "nl." + "a" * 80
    rows = [row(own="x" * 90, agency=agency, goal=str(n)) for n in range(2)]
    assert all(len(f"{agency}/{slug}") <= 120 for slug in assign_slugs(rows))


def test_keys_are_texts_of_the_document_whatever_words_name_them(us):
    document = {
        "name": {"fr": "Pluie", "en": "Rain\nradar"},
        "organisation": {"unit": {"fr": "Nord"}},
        "technical": {"techniques": ["nlp"]},
    }
    id_ = IdWords(
        own=Reading(column=("id",)),
        of=("agency", "name", "agency_bureau"),
        telling_apart=("/technical/techniques", "/purpose/goal", "use_case_name"),
    )
    crosswalk = msgspec.structs.replace(us, id=id_)

    assert keys_of(crosswalk, document, "us.dwx") == (
        ("us.dwx", "Rain radar", '{"fr": "Nord"}'),
        ('["nlp"]', "", "Rain radar"),
    )
