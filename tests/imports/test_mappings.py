"""What the mappings of a crosswalk can say, on small files of every shape."""

import csv
import io
import json

import pytest

from registry.errors import ImportRefused
from registry.imports.crosswalk import load_crosswalk
from registry.imports.report import ForeignRecord, Refusal, as_lines

NAME = {"column": "title", "to": "/name", "transform": "line"}


@pytest.fixture
def load(tmp_path):
    """Load a crosswalk of a city, with members of the test's own."""

    def of(*mappings, **members):
        path = tmp_path / "city.json"
        whole = {
            "origin": "example-city",
            "title": "Algorithms of Example City",
            "publisher": "Example City",
            "homepage": "https://city.example/algorithms",
            "licence": "CC0-1.0",
            "country": "XC",
            "read": "csv",
            "language": "en",
            "over_long": "truncate_and_mark",
            "nothing": ["n/a"],
            "agency": {"prefix": "xc", "constant": {"name": "Example City"}},
            "id": {"of": ["agency", "/name"]},
            "mappings": [NAME, *mappings],
            "unmapped": [],
        } | members
        path.write_text(json.dumps(whole), encoding="utf-8")
        return load_crosswalk(path)

    return of


@pytest.fixture
def outcomes(load, convert):
    """Convert rows, as CSV or as JSON, by mappings."""

    def of(rows, *mappings, **members):
        if members.get("read") == "json":
            raw = json.dumps(rows).encode()
        else:
            out = io.StringIO(newline="")
            names = list(dict.fromkeys(name for row in rows for name in row))
            writer = csv.DictWriter(out, names, restval="")
            writer.writeheader()
            writer.writerows(rows)
            raw = out.getvalue().encode()
        return convert(load(*mappings, **members), raw)

    return of


@pytest.fixture
def documents(outcomes):
    def of(rows, *mappings, **members):
        found, _ = outcomes(rows, *mappings, **members)
        refused = [one.reason for one in found if isinstance(one, Refusal)]
        assert refused == []
        return [one.document for one in found]

    return of


def refusal(attempt, *args, **members):
    with pytest.raises(ImportRefused) as refused:
        attempt(*args, **members)
    return refused.value.detail


# --- languages


@pytest.mark.parametrize("place", [{"to": "/name", "lang": "fr"}, {"to": "/name/fr"}])
def test_one_file_has_one_text_in_several_languages(documents, place):
    [both, second] = documents(
        [
            {"title": "Chatbot", "titre": "Agent conversationnel"},
            {"title": "", "titre": "Traducteur"},
        ],
        {"column": "titre", "transform": "line", "translation": "machine", **place},
    )

    assert both["name"] == {"en": "Chatbot", "fr": "Agent conversationnel"}
    assert second["name"] == {"fr": "Traducteur"}
    assert both["languages"] == {"source": "en", "translation_status": {"fr": "machine"}}


def test_items_of_a_list_are_given_their_second_language(documents):
    [document, uneven] = documents(
        [
            {"title": "A", "tags_en": "roads; parks", "tags_fr": "routes; parcs"},
            {"title": "B", "tags_en": "roads; parks", "tags_fr": "routes"},
        ],
        {"column": "tags_en", "to": "/tags/-", "transform": "line", "list": "semicolon"},
        {"column": "tags_fr", "to": "/tags/-/fr", "transform": "line", "list": "semicolon"},
        {
            "column": "tags_en",
            "to": "/data/legal_basis/-/title",
            "transform": "line",
        },
        {
            "column": "tags_fr",
            "to": "/data/legal_basis/-/title",
            "lang": "fr",
            "transform": "line",
        },
    )

    assert document["tags"] == [{"en": "roads", "fr": "routes"}, {"en": "parks", "fr": "parcs"}]
    assert document["data"]["legal_basis"] == [
        {"title": {"en": "roads; parks", "fr": "routes; parcs"}}
    ]
    assert uneven["tags"] == [{"en": "roads"}, {"en": "parks"}, {"fr": "routes"}]


def test_the_whole_of_a_cut_text_is_kept_in_each_language(outcomes):
    long = "mot " * 200
    [outcome], _ = outcomes(
        [{"title": "A", "resume": long}],
        {"column": "resume", "to": "/summary", "lang": "fr", "transform": "text"},
    )

    assert outcome.whole == {"/summary/fr": long.strip()}
    assert len(outcome.document["summary"]["fr"]) <= 500


def test_a_language_comes_about_in_one_way(load):
    told = refusal(
        load,
        {"column": "a", "to": "/summary/fr", "transform": "text", "translation": "machine"},
        {"column": "b", "to": "/purpose/goal/fr", "transform": "text", "translation": "authored"},
    )

    assert "at /mappings/2/translation: a record says once how its texts in 'fr' came about" in told


# --- parts, lists, values, conditions


def test_a_part_of_a_cell_is_read(outcomes):
    found, report = outcomes(
        [
            {"title": "2526-ABCD-009: Roads / Routes", "unit": "Roads office (RO)"},
            {"title": "None / Rien", "unit": "n/a"},
        ],
        {"column": "title", "to": "/source_id", "transform": "line", "part": r"^(\d+-\w+-\d+)"},
        {"column": "title", "to": "/name/fr", "transform": "line", "part": r" / (.*)$"},
        {"column": "unit", "to": "/organisation/unit", "transform": "line", "part": r"\((\w+)\)"},
    )

    assert [one.document.get("source_id") for one in found] == ["2526-ABCD-009", None]
    assert [one.document["name"]["fr"] for one in found] == ["Routes", "Rien"]
    assert found[0].document["organisation"] == {"unit": {"en": "RO"}}
    assert report.not_understood == {}


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("a(b", "not a regular expression of RE2: missing )"),
        ("ab", "0 groups; exactly one"),
        ("(a)(b)", "2 groups; exactly one"),
        (r"(a)\1", "not a regular expression of RE2: invalid escape sequence"),
        ("(?=a)(b)", "not a regular expression of RE2: invalid perl operator"),
    ],
)
def test_a_part_that_is_no_pattern_is_told(load, part, told):
    mapping = {"column": "a", "to": "/summary", "transform": "text", "part": part}

    assert f"at /mappings/1/part: {told}" in refusal(load, mapping)


def test_a_pattern_that_would_explode_elsewhere_takes_no_time(outcomes):
    [outcome], _ = outcomes(
        [{"title": "A", "text": "a" * 200_000}],
        {"column": "text", "to": "/source_id", "transform": "line", "part": "((?:a*)*)b"},
    )

    assert "source_id" not in outcome.document


@pytest.mark.parametrize(
    ("separator", "cell"),
    [
        (",", "nlp, speech"),
        ("<br>", "nlp<BR/>speech<br>"),
        ("\n", "nlp\r\nspeech"),
        (" / ", "nlp / speech"),
        ("semicolon", "nlp; speech"),
        ("json", '["nlp", "speech"]'),
    ],
)
def test_a_cell_is_a_list_by_any_separator(documents, separator, cell):
    [document] = documents(
        [{"title": "A", "kinds": cell}],
        {
            "column": "kinds",
            "to": "/technical/techniques/-",
            "transform": "code",
            "list": separator,
            "values": {"nlp": "nlp", "speech": "speech"},
        },
    )

    assert document["technical"]["techniques"] == ["nlp", "speech"]


def test_one_value_may_mean_several_codes(documents):
    mapping = {
        "column": "who",
        "to": "/purpose/affected_groups/-",
        "transform": "code",
        "values": {"Families": ["citizens", "minors"], "Nobody": None},
    }
    families, nobody = documents(
        [{"title": "A", "who": "families"}, {"title": "B", "who": "Nobody"}], mapping
    )

    assert families["purpose"]["affected_groups"] == ["citizens", "minors"]
    assert "purpose" not in nobody


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"is": ["Retired", "Stopped"]}, [None, "2024", None]),
        ({"is_not": ["retired"]}, ["2023", None, "2025"]),
        ({"is": [""]}, [None, None, "2025"]),
    ],
)
def test_a_mapping_may_hold_only_where_another_column_says_so(documents, when, expected):
    rows = [
        {"title": "A", "status": "In use", "year": "2023"},
        {"title": "B", "status": "RETIRED", "year": "2024"},
        {"title": "C", "status": "n/a", "year": "2025"},
    ]
    mapping = {
        "column": "year",
        "to": "/lifecycle/deployed_on",
        "transform": "date",
        "when": {"column": "status", **when},
    }

    found = documents(rows, mapping)

    assert [one.get("lifecycle", {}).get("deployed_on") for one in found] == expected


@pytest.mark.parametrize(
    "agency",
    [
        {"name": "office"},
        {"name": "title", "code": "office"},
        {"name": "other", "otherwise": {"column": "office"}},
    ],
)
def test_an_agency_with_a_new_name_keeps_its_id(outcomes, agency):
    rows = [
        {"title": "A", "office": "Department of State", "other": ""},
        {"title": "A", "office": "State  department", "other": ""},
    ]
    before, _ = outcomes(rows[:1], agency={"prefix": "xc", **agency})
    renamed = {"State Department": "Department of State"}
    after, _ = outcomes(rows[1:], agency={"prefix": "xc", **agency, "renamed": renamed})

    assert before[0].agency.id == after[0].agency.id == "xc.department-of-state"
    assert before[0].document == after[0].document
    if agency == {"name": "office"}:
        assert after[0].agency.name == {"en": "State department"}


def test_only_the_rows_that_are_asked_for_are_imported(outcomes):
    found, report = outcomes(
        [{"title": "A", "kind": "AI"}, {"title": "B", "kind": "Website"}],
        only={"column": "kind", "is": ["AI"]},
    )

    assert [one.document["name"]["en"] for one in found] == ["A"]
    assert (report.rows, report.records, report.skipped) == (2, 1, 1)
    assert report.notes == []


def test_where_no_row_is_asked_for_the_report_has_what_they_say(outcomes):
    rows = [{"title": "A", "kind": "AI"}, {"title": "B", "kind": "Website"}]
    _, report = outcomes([*rows, rows[1]], only={"column": "kind", "is": ["A.I."]})

    assert (report.rows, report.skipped) == (3, 3)
    assert report.notes == ["\"only\" holds for no row: kind says 'Website', 'AI'"]


@pytest.mark.parametrize(
    ("cell", "advice"),
    [
        ("45658", '; for days that a spreadsheet counts, say "pattern": "excel"'),
        ("3/4/2025", '; say "dates": {"order": "day_first"} or "month_first"'),
        ("soon", ""),
        ("31/31/2025", ""),
        ("10000", ""),
    ],
)
def test_dates_that_are_not_understood_come_with_what_to_say(outcomes, cell, advice):
    mapping = {"column": "since", "to": "/lifecycle/deployed_on", "transform": "date"}
    _, report = outcomes([{"title": "A", "since": cell}], mapping)

    assert f"since: 1 values not understood, left out: '{cell}'{advice}" in as_lines(report)


def test_the_prefix_of_a_crosswalk_that_comes_with_the_register_is_noted(outcomes):
    for prefix, notes in (("nl", 1), ("us", 1), ("xc", 0)):
        _, report = outcomes([{"title": "A"}], agency={"prefix": prefix, "name": "title"})
        assert len(report.notes) == notes


def test_texts_of_one_place_follow_each_other(documents):
    [document] = documents(
        [{"title": "A", "why": "Fewer queues.", "class": "Class B"}],
        {"column": "class", "to": "/risk/rationale", "transform": "text", "label": "Source: "},
        {"column": "why", "to": "/risk/rationale", "transform": "text"},
    )

    assert document["risk"]["rationale"] == {"en": "Source: Class B\n\nFewer queues."}


# --- dates


@pytest.mark.parametrize(
    ("pattern", "cell", "expected"),
    [
        (None, "2017/10", "2017-10"),
        (None, "2017/10/5", "2017-10-05"),
        (None, "03/04/2017", None),
        ("DD/MM/YYYY", "03/04/2017", "2017-04-03"),
        ("DD.MM.YYYY hh:mm", "3.4.2017 17:05", "2017-04-03"),
        ("MM/YYYY", "10/2017", "2017-10"),
        ("Mon YYYY", "Oct 2017", "2017-10"),
        ("DD Mon YYYY", "5 février 2017", "2017-02-05"),
        (["MM-YY", "excel"], "10-17", "2017-10"),
        (["MM-YY", "excel"], "43009", "2017-10-01"),
        (None, "43009", None),
        ("Mon YYYY", "Foo 2017", None),
    ],
)
def test_dates_by_pattern(documents, pattern, cell, expected):
    mapping = {"column": "since", "to": "/lifecycle/deployed_on", "transform": "date"}
    if pattern is not None:
        mapping["pattern"] = pattern
    [document] = documents(
        [{"title": "A", "since": cell}], mapping, language="fr", dates={"century_from": 1950}
    )

    assert document.get("lifecycle", {}).get("deployed_on") == expected


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("MM/DD", "has no year"),
        ("YYYY DD", "has a day and not one month"),
        ("YYYY/YYYY", "YYYY stands twice"),
        ("Month YYYY", "'th' in 'Month YYYY' means nothing"),
    ],
)
def test_a_pattern_that_means_no_date_is_told(load, pattern, told):
    mapping = {"column": "a", "to": "/lifecycle/deployed_on", "transform": "date"}

    assert told in refusal(load, mapping | {"pattern": pattern})


# --- columns


def test_a_column_may_have_an_earlier_name(documents):
    mapping = {"column": ["goal (2025)", "goal"], "to": "/purpose/goal", "transform": "text"}
    [before] = documents([{"title": "A", "goal": "Old"}], mapping)
    [after] = documents([{"title": "A", "goal (2025)": "New", "goal": "left"}], mapping)

    assert before["purpose"]["goal"] == {"en": "Old"}
    assert after["purpose"]["goal"] == {"en": "New"}


NESTED = [
    {
        "title": {"en": "Trees", "fr": "Arbres"},
        "org": {"name": "Parks", "abbr": "PK"},
        "vendors": [{"name": "Acme"}, {"name": "Sample"}],
        "tags": ["green", "roads"],
    }
]


def test_nested_json_is_read_by_pointer(documents):
    [document] = documents(
        NESTED,
        {"column": "/title/fr", "to": "/name/fr", "transform": "line"},
        {"column": "/vendors/*/name", "to": "/procurement/suppliers/-/name", "transform": "line"},
        {"column": "tags", "to": "/tags/-", "transform": "line"},
        {"column": "tags", "to": "/purpose/goal", "transform": "line"},
        read="json",
        mappings=[
            {"column": "/title/en", "to": "/name", "transform": "line"},
            {"column": "/title/fr", "to": "/name/fr", "transform": "line"},
            {
                "column": "/vendors/*/name",
                "to": "/procurement/suppliers/-/name",
                "transform": "line",
            },
            {"column": "tags", "to": "/tags/-", "transform": "line"},
            {"column": "tags", "to": "/purpose/goal", "transform": "line"},
        ],
        agency={"prefix": "xc", "name": "/org/name", "code": "/org/abbr"},
    )

    assert document["id"].startswith("xc.pk/")
    assert document["name"] == {"en": "Trees", "fr": "Arbres"}
    assert document["procurement"]["suppliers"] == [{"name": "Acme"}, {"name": "Sample"}]
    assert document["tags"] == [{"en": "green"}, {"en": "roads"}]
    assert document["purpose"]["goal"] == {"en": "green, roads"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"column": "title"}, ('title: an object with en, fr where a text is expected; name in the '
         'crosswalk the member that is meant, such as "column": "/title/en"')),
        ({"column": "vendors"}, '"column": "/vendors/*/name"'),
    ],
)  # fmt: skip
def test_an_object_is_never_published_as_json_text(outcomes, change, told):
    [outcome], _ = outcomes(NESTED, read="json", mappings=[NAME | change])

    assert isinstance(outcome, Refusal)
    assert told in outcome.reason


def test_an_agency_that_is_an_object_is_never_published_as_json_text(outcomes):
    [outcome], _ = outcomes(
        NESTED,
        read="json",
        mappings=[NAME | {"column": "/title/en"}],
        agency={"prefix": "xc", "name": "org"},
    )

    assert outcome.reason.endswith('such as "column": "/org/name"')


def test_a_column_that_is_not_there_is_told_with_the_nearest(outcomes):
    told = refusal(outcomes, [{"title": "A", "purpose": "B"}], {
        "column": ["purposes", "aims"], "to": "/purpose/goal", "transform": "text"
    })  # fmt: skip

    assert "reads the column 'purposes'" in told
    assert "did you mean 'purpose'?" in told


# --- agencies


def test_a_file_of_one_body_needs_no_column_for_it(documents, outcomes):
    [document] = documents([{"title": "A"}])
    [outcome], _ = outcomes(
        [{"title": "A"}],
        agency={
            "prefix": "xc",
            "constant": {"name": {"en": "City", "fr": "Ville"}, "code": "City 01"},
        },
    )

    assert document["id"].startswith("xc.example-city/")
    assert outcome.agency.id == "xc.city-01"
    assert outcome.agency.name == {"en": "City", "fr": "Ville"}


def test_a_row_that_names_no_agency_is_named_otherwise(outcomes):
    found, _ = outcomes(
        [
            {"title": "A", "body": "Parks", "ministere": "Parcs", "parent": "City"},
            {"title": "B", "body": "n/a", "ministere": "", "parent": "City"},
            {"title": "C", "body": "", "ministere": "", "parent": ""},
            {"title": "D", "body": "", "ministere": "Forêts", "parent": ""},
        ],
        agency={
            "prefix": "xc",
            "name": "body",
            "names": {"fr": "ministere"},
            "otherwise": [{"column": "parent"}, {"name": "Not named"}],
        },
    )

    assert [one.agency.id for one in found] == [
        "xc.parks", "xc.city", "xc.not-named", "xc.forets"
    ]  # fmt: skip
    assert found[0].agency.name == {"en": "Parks", "fr": "Parcs"}
    assert found[3].agency.name == {"fr": "Forêts"}


def test_an_agency_is_shortened_before_the_sources_own_id(outcomes):
    own = "2526-" + "abcdefghij-" * 3 + "09"
    [outcome], _ = outcomes(
        [{"title": "A", "body": "Ministry of " + "very long names " * 10, "id": own}],
        agency={"prefix": "xc", "name": "body"},
        id={"own": "id", "of": ["agency", "/name"]},
    )

    assert len(own) == 40
    assert outcome.document["id"].split("/")[1] == own
    assert outcome.document["source_id"] == own


# --- texts


def test_html_becomes_text(documents):
    [document] = documents(
        [{"title": "A", "goal": "<p>Says <b>where</b>\ntrees&nbsp;are:</p><ul><li>here<li>there"
                                "</ul><a href='https://a.example/x'>more</a><script>x()</script>"}],
        {"column": "goal", "to": "/purpose/goal", "transform": "html"},
    )  # fmt: skip

    assert document["purpose"]["goal"]["en"] == (
        "Says where trees are:\n\n- here\n- there\n\nmore (https://a.example/x)"
    )


# --- what is wrong is told before the first row


GOAL = {"column": "title", "to": "/purpose/goal", "transform": "text"}
CODE = {"column": "title", "transform": "code"}


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        (CODE | {"to": "/risk/level", "values": {"zzz": "hihg"}},
         "at /mappings/1/values/zzz: /risk/level: "),
        (CODE | {"to": "/risk/level", "values": {"zzz": "hihg"}}, "Did you mean high?"),
        ({"to": "/sector/primary", "transform": "constant", "value": "healt"},
         "at /mappings/1/value: /sector/primary: "),
        (CODE | {"to": "/procurement/origin", "values": {"x": "open_source_reused"}},
         "Did you mean open_source?"),
        (GOAL | {"to": "/assessments/-/title", "transform": "line"},
         "at /mappings/1/beside: /assessments/-/title needs 'status' as well"),
        (GOAL | {"to": "/assessments/-/title", "transform": "line",
                 "beside": {"type": "dpai", "status": "completed"}},
         "at /mappings/1/beside/type: /assessments/0/type: "),
        (GOAL | {"to": "/risk/level", "transform": "line"}, "at /mappings/1/transform: "),
        (GOAL | {"to": "/technical/source_code", "transform": "text"}, "at /mappings/1/transform"),
    ],
)  # fmt: skip
def test_what_the_format_does_not_have_is_an_error_of_the_crosswalk(outcomes, mapping, told):
    assert told in refusal(outcomes, [{"title": "A"}], mapping)


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        (GOAL | {"to": "/purpose/gaol"}, ("the record has no field /purpose/gaol; did you mean "
         "/purpose/goal?")),
        (GOAL | {"to": "/purposes/fr"}, "the record has no field /purposes/fr"),
        (GOAL | {"vales": {}}, ("at /mappings/1/vales: 'vales' was unexpected; did you mean "
         "'values'?")),
        (GOAL | {"transform": "constant"}, ("at /mappings/1: 'value' is missing. The value of a "
         "constant.")),
        (GOAL | {"transform": "constant", "value": "x"}, "a constant reads no column"),
        ({"to": "/summary", "transform": "text"}, "it is missing; the transform 'text' reads"),
        (CODE | {"to": "/risk/level"}, "at /mappings/1: 'values' is missing."),
        (CODE | {"to": "/risk/level", "values": {"a": ["high", "limited"]}}, "holds one value"),
        (CODE | {"to": "/risk/level", "values": {"A-b": "high", "a–B ": "limited"}},
         "at /mappings/1/values: 'A-b' and 'a–B ' are read as the same; state one of them"),
        (CODE | {"to": "/risk/level", "values": {"a": "high"}, "lang": "fr"},
         "holds no text of a language"),
        (GOAL | {"when": {"colum": "a", "is": ["b"]}}, "did you mean 'column'?"),
        (GOAL | {"transform": "txt"}, "did you mean 'text'?"),
        (GOAL | {"pattern": "YYYY"}, 'only the transform "date" has patterns'),
    ],
)  # fmt: skip
def test_a_mapping_that_is_wrong_says_where_and_what_to_do(load, mapping, told):
    assert told in refusal(load, mapping)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"agency": {"prefix": "xc"}}, 'at /agency: "name" says which column'),
        ({"agency": {"prefix": "xc", "nam": "a"}}, ("at /agency/nam: 'nam' was unexpected; did you "
         "mean 'name'?")),
        ({"id": {"of": ["agency", "/nam"]}}, "at /id/of/1: '/nam' is neither"),
        ({"id": {"own": {"column": "a", "part": "b"}, "of": ["agency"]}},
         "at /id/own/part: 0 groups"),
    ],
)  # fmt: skip
def test_a_crosswalk_that_is_wrong_says_where_and_what_to_do(load, members, told):
    assert told in refusal(load, **members)


def test_all_faults_are_told_at_once(load):
    told = refusal(load, GOAL | {"to": "/a"}, GOAL | {"to": "/b"})

    assert "at /mappings/1/to" in told
    assert "at /mappings/2/to" in told


def test_a_good_file_has_no_refusals(outcomes):
    [outcome], report = outcomes([{"title": "A"}], GOAL)

    assert isinstance(outcome, ForeignRecord)
    assert report.refusals == []
