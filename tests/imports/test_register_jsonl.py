"""The JSON Lines export of another register of this software, taken over whole."""

import json

import pytest

from registry.errors import ImportRefused
from registry.imports.crosswalk import TEMPLATES, load_crosswalk
from registry.imports.report import ForeignRecord, Refusal
from tests.conftest import ROOT

SOURCE = {
    "origin": "example-state",
    "title": "Register of Example State",
    "publisher": "Example State",
    "homepage": "https://state.example/",
    "licence": "CC-BY-4.0",
    "country": "XS",
    "language": "fr",
    "agency": {
        "prefix": "xs",
        "known": {"demo-sante": {"fr": "Santé", "ar": "الصحة"}},
    },
}


@pytest.fixture
def state(tmp_path):
    """A filled-in copy of the template."""
    template = json.loads((TEMPLATES / "register-jsonl.json").read_bytes())
    path = tmp_path / "state.json"
    path.write_text(json.dumps(template | SOURCE), encoding="utf-8")
    return load_crosswalk(path)


def line(document, **register):
    facts = {"version": 2, "origin": None, "published_at": "2026-11-24T08:00:00.123456Z"}
    return json.dumps({"record": document, "register": facts | register}, ensure_ascii=False)


def demonstration():
    paths = sorted((ROOT / "records").glob("demo-*/*.json"))
    documents = [json.loads(path.read_bytes()) for path in paths if path.stem.count(".") == 0]
    return [one for one in documents if "id" in one]


def test_every_member_and_language_of_a_record_is_kept(state, convert):
    documents = demonstration()
    outcomes, report = convert(state, "\n".join(map(line, documents)).encode())

    assert sum("name" in one for one in documents) > 20
    assert {tag for one in documents for tag in one.get("name", ())} == {"ar", "fr", "en"}
    kept = {one.source_id: one.document for one in outcomes if isinstance(one, ForeignRecord)}
    # Restricted records too, of which little but the existence is told.
    assert any("name" not in one for one in kept.values())
    assert kept.keys() == {one["id"] for one in documents}
    for document in documents:
        expected = document | {"id": f"xs.{document['id']}"}
        if "related_records" in document:
            expected["related_records"] = [
                one | {"record": f"xs.{one['record']}"} for one in document["related_records"]
            ]
        assert kept[document["id"]] == expected
    assert report.unknown_columns == []
    assert {one.changed_on for one in outcomes if isinstance(one, ForeignRecord)} == {"2026-11-24"}


def test_a_record_that_is_not_restricted_and_has_no_name_is_refused_with_its_line(state, convert):
    document = {"id": "demo-securite/x", "schema_version": "1.0", "risk": {"level": "high"}}
    [outcome], _ = convert(state, line(document).encode())

    assert outcome.reason == "/name: the row has no name"
    assert outcome.source_id == "demo-securite/x"


def test_agencies_have_the_names_that_the_crosswalk_knows_else_their_code(state, convert):
    (known, other), _ = convert(
        state,
        "\n".join(
            line({"id": f"{agency}/x", "schema_version": "1.0", "name": {"ar": "اسم"}})
            for agency in ("demo-sante", "demo-eau")
        ).encode(),
    )

    assert (known.agency.id, known.agency.name) == ("xs.demo-sante", {"fr": "Santé", "ar": "الصحة"})
    assert (other.agency.id, other.agency.name) == ("xs.demo-eau", {"fr": "demo-eau"})


def test_what_that_register_has_from_others_is_skipped(state, convert):
    document = {"id": "nl.utrecht/x", "schema_version": "1.0", "name": {"nl": "Regen"}}
    lines = [line(document, origin="nl-algoritmeregister"), line(demonstration()[0])]
    outcomes, report = convert(state, "\n".join(lines).encode())

    assert len(outcomes) == 1
    assert (report.rows, report.records, report.skipped) == (2, 1, 1)


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (None, "/record: there is no record, an object with an id such as agency/name"),
        ({"id": 3}, "/record: there is no record"),
        ({"id": "a/b", "name": {"fr": "x"}, "languages": "fr"}, "/languages: "),
        ({"id": "a/b", "name": "x"}, "/name: "),
        ({"id": "a/b", "name": {"fr": "x"}, "register": {}}, "/register: "),
    ],
)
def test_what_is_no_record_is_refused_in_words(state, convert, record, told):
    if record is not None:
        record = {"schema_version": "1.0"} | record
    [outcome], _ = convert(state, line(record).encode())

    assert isinstance(outcome, Refusal)
    assert outcome.reason.startswith(told)


def test_the_template_is_refused_with_what_to_fill_in(tmp_path):
    with pytest.raises(ImportRefused, match="register-jsonl is a template: copy "):
        load_crosswalk("register-jsonl")
    with pytest.raises(ImportRefused) as refused:
        load_crosswalk(TEMPLATES / "register-jsonl.json")
    for name in SOURCE:
        assert f"{name!r} is missing. " in refused.value.detail
