from __future__ import annotations

import csv
import datetime as dt
import json
import re
import shutil

import pytest

from registry.errors import ConfigurationError
from registry.record import pack as packs
from registry.record.pack import gaps, load_pack, steps_on
from registry.resources import SCHEMAS
from registry.text.tokens import article_variants, words

TODAY = dt.date(2026, 12, 1)
LABELS = {"label_en": "X", "label_fr": "X", "label_ar": "X"}


def test_an_unknown_pack_lists_those_there_are():
    with pytest.raises(ConfigurationError, match=r"no country pack 'atlantis'; the packs are .*ma"):
        load_pack("atlantis")


@pytest.mark.parametrize("name", ["../../etc", "", "ma/", "MA"])
def test_a_name_that_is_no_pack(name):
    with pytest.raises(ConfigurationError):
        load_pack(name)


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """Copy the pack under another name, where it can be spoilt."""
    shutil.copytree(SCHEMAS / "packs" / "ma", tmp_path / "zz")
    monkeypatch.setattr(packs, "_PACKS", tmp_path)
    folder = tmp_path / "zz"
    settings = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
    (folder / "pack.json").write_text(json.dumps(settings | {"code": "zz"}), encoding="utf-8")
    load_pack.cache_clear()
    yield folder
    load_pack.cache_clear()


def rewrite(path, **edits):
    settings = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(settings | edits), encoding="utf-8")


def append(path, **cells):
    with path.open(encoding="utf-8") as file:
        columns = next(csv.reader(file))
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, columns).writerow(cells)


def test_another_country_is_data_alone(trial):
    append(
        trial / "agencies.csv", id="zz-1", name_en="Z", name_fr="Z", kind="other", fictitious="no"
    )
    loaded = load_pack("zz")
    assert (loaded.code, loaded.agencies["zz-1"].name) == ("zz", {"en": "Z", "fr": "Z"})


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({"code": "yy"}, "pack.json, /code: 'yy'"),
        ({"country": "Morocco"}, "pack.json, /country: 'Morocco'"),
        ({"country": "SN"}, "regions.csv: a row 'SN' is missing"),
        ({"country": "SN"}, "regions.csv, line 3, column code: 'MA-01' is not a part of SN"),
        ({"languages": []}, "pack.json, /languages"),
        ({"languages": ["ar", "fr", "zgh", "en", "wo"]}, "/fallback: the language 'wo'"),
        ({"recommended": ["nl"]}, "/recommended: 'nl' is not among /languages"),
        ({"review_months": {"high": 12}}, "/review_months"),
        ({"laws": {}}, "/laws: 'personal_data' is a required"),
        ({"time_zone": "Africa/Cassablanca"}, "/time_zone: there is no time zone 'Africa/Cassa"),
        ({"redress": {}}, "/redress"),
        ({"attestation": {"fr": ""}}, "/attestation/fr"),
        ({"ask_more_url": "javascript:alert(1)"}, "/ask_more_url"),
        ({"report_error_url": "https://a.example/{record}"}, "/report_error_url"),
        ({"publisher": "nobody"}, "pack.json, /publisher: 'nobody' is not in agencies.csv"),
        ({"licence": "https://a.example/<b>"}, "/licence"),
        ({"motto": "x"}, "motto"),
        ({"operator": {"email": "a@b.ma"}}, "/operator: 'name' is a required property"),
        ({"operator": {"name": {"fr": "N"}, "email": "a@b.ma?cc=x"}}, "/operator/email"),
        ({"operator": {"name": {"fr": "N"}, "email": "a@b.ma", "url": "x"}}, "/operator/url"),
        ({"operator": {"name": {"de": "N"}, "email": "a@b.ma"}}, "/operator/name: it is in none"),
    ],
)
def test_a_fault_of_the_settings_names_the_place(trial, edits, words):
    rewrite(trial / "pack.json", **edits)
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        load_pack("zz")


@pytest.mark.parametrize(
    ("table", "cells", "words"),
    [
        ("agencies", {"id": "dgi"}, "LAST, column id: 'dgi' comes twice"),
        ("agencies", {"id": "us.hhs"}, "LAST, column id: 'us.hhs' does not match"),
        ("agencies", {"kind": "shop"}, "LAST, column kind: 'shop' is not one of"),
        ("agencies", {"fictitious": "maybe"}, "LAST, column fictitious"),
        ("agencies", {"parent": "atlantis"}, "LAST, column parent: 'atlantis'"),
        ("agencies", {"parent": "zz-1"}, "LAST, column parent: 'zz-1' is not another agency"),
        ("agencies", {"region": "MA-99"}, "LAST, column region: 'MA-99'"),
        ("agencies", {"name_en": "", "name_fr": ""}, "LAST: it has no name"),
        ("agencies", {"website": "ftp://a"}, "LAST, column website"),
        ("regions", {"code": "SN-DK"}, "LAST, column code: 'SN-DK' is not a part of MA"),
        (
            "bodies",
            {"code": "x", "label_en": "", "label_fr": "", "label_ar": ""},
            "LAST: it has no name",
        ),
        ("bodies", {"code": "x", "label_fr": " X"}, "LAST, column label_fr"),
        ("bodies", {"code": "x y"}, "LAST, column code"),
        ("bodies", {"code": "court"}, "it is one of contestation_body.csv"),
        ("bodies", {"code": "cndp"}, "'cndp' is empty or comes twice"),
        ("bodies", {"code": "x", "phone": "call us"}, "LAST, column phone: 'call us'"),
        ("rights", {"code": "x", "confirmed": "perhaps"}, "LAST, column confirmed: 'perhaps'"),
        ("rights", {"code": "x", "confirmed": "no"}, "LAST: it lacks source; fill it in"),
        ("rights", {"code": "x"}, "LAST: 'confirmed' is a required property"),
        ("grounds", {"code": ""}, "LAST: 'code' is a required property"),
        ("supplier_schemes", {"code": "lei"}, "it is one of supplier_identifier_scheme.csv"),
    ],
)
def test_a_fault_of_a_table_names_the_line(trial, table, cells, words):
    row = {"name_en": "Z", "name_fr": "Z", "kind": "other", "fictitious": "no", "id": "zz-1"}
    append(trial / f"{table}.csv", **(row if table == "agencies" else LABELS) | cells)
    last = len((trial / f"{table}.csv").read_text(encoding="utf-8").splitlines())
    with pytest.raises(ConfigurationError, match=re.escape(words.replace("LAST", f"line {last}"))):
        load_pack("zz")


def test_all_faults_are_told_at_once(trial):
    rewrite(trial / "pack.json", country="Morocco", motto="x")
    append(trial / "bodies.csv", code="x y", **LABELS)
    with pytest.raises(ConfigurationError) as caught:
        load_pack("zz")
    assert len(caught.value.detail.splitlines()) == 4


@pytest.mark.parametrize(("text", "words"), [("{", "is not JSON"), ("[]", "is not a JSON object")])
def test_settings_that_cannot_be_read(trial, text, words):
    (trial / "pack.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=rf"pack\.json {words}"):
        load_pack("zz")


def test_a_missing_table(trial):
    (trial / "grounds.csv").unlink()
    with pytest.raises(ConfigurationError, match=r"grounds\.csv is missing"):
        load_pack("zz")


def test_a_text_that_a_language_lacks_is_a_gap_and_no_fault(trial):
    append(
        trial / "agencies.csv", id="zz-1", name_en="Z", name_fr="Z", kind="other", fictitious="no"
    )
    rewrite(trial / "pack.json", attestation={"fr": "L'organisme déclare ce qu'il utilise."})
    assert list(gaps(load_pack("zz"))) == [
        "pack.json: 1 of 13 not in ar: attestation",
        "pack.json: 1 of 13 not in en: attestation",
        f"agencies.csv: 1 of {len(load_pack('zz').agencies)} not in ar: zz-1",
    ]


@pytest.mark.parametrize("code", ["ma", "sn"])
def test_steps_say_what_for_in_every_language_and_nobody_has_confirmed_them_yet(code):
    pack = load_pack(code)
    steps = [step for _, step in steps_on(pack, TODAY)]
    assert len(steps) == len(pack.steps)
    for step in steps:
        assert not step.confirmed_by, step.code
        assert set(pack.languages) - set(pack.recommended) <= step.purpose.keys(), step.code
    helpers = {step.body for step in steps}
    assert not helpers & {"dgssi", "cour_des_comptes", "ofnac"}
    if code == "ma":
        # A link or a number leads there, or words say where it is.
        bodies = [body.extra for name, body in pack.bodies.items() if name in helpers]
        assert all("website" in one or "phone" in one or "post_fr" in one for one in bodies)


def test_steps_are_numbered_by_how_many_come_before():
    numbers = {step.code: number for number, step in steps_on(load_pack("ma"), TODAY)}
    assert numbers["complaint"] == numbers["chikaya"] == numbers["information_request"] == 1
    assert numbers["mediateur"] == numbers["court"] == numbers["information_complaint"] == 2
    assert (numbers["cdai"], numbers["information_court"]) == (3, 4)


def test_a_step_is_the_one_of_the_day(trial):
    today, then = TODAY.isoformat(), "2027-03-01"
    append(
        trial / "steps.csv",
        code="cdai",
        body="cdai",
        after="information_complaint",
        on="answered|silence",
        within="45",
        unit="days",
        law="access_to_information",
        known=today,
        since=then,
        purpose_fr="Z",
    )
    pack = load_pack("zz")
    within = {
        day: [step.within for _, step in steps_on(pack, day) if step.code == "cdai"]
        for day in (TODAY - dt.timedelta(1), TODAY, dt.date.fromisoformat(then))
    }
    # What had begun holds until what is known from today on begins.
    assert [*within.values()] == [[30], [30], [45]]


def test_a_pack_without_steps_has_a_gap(trial):
    (trial / "steps.csv").unlink()
    (trial / "rights.csv").unlink()
    pack = load_pack("zz")
    assert (pack.steps, pack.rights) == ((), ())
    assert any("steps.csv: it says no step" in gap for gap in gaps(pack))


def test_synonyms_are_sets_of_spellings(trial):
    append(
        trial / "synonyms.csv",
        code="zz_1",
        label_fr="ZZ | zone des zèbres|Z.Z.",
        label_ar="منطقة",
    )
    assert load_pack("zz").synonyms[-1] == ("ZZ", "zone des zèbres", "Z.Z.", "منطقة")


@pytest.mark.parametrize("code", ["ma", "sn"])
def test_no_spelling_stands_in_two_sets_of_synonyms(code):
    # A query would be widened by the first of them only.
    sets: dict[tuple[str, ...], set[int]] = {}
    for number, spellings in enumerate(load_pack(code).synonyms):
        for spelling in spellings:
            bare = tuple(article_variants(word, "ar")[-1] for word in words(spelling))
            sets.setdefault(bare, set()).add(number)
    assert () not in sets
    assert [spelling for spelling, numbers in sets.items() if len(numbers) > 1] == []


def test_a_pack_need_not_have_synonyms(trial):
    (trial / "synonyms.csv").unlink()
    assert load_pack("zz").synonyms == ()


def test_services_have_wordings_by_language_and_lead_to_codes(trial):
    append(
        trial / "services.csv",
        code="zz_1",
        agency="cnss",
        sector="health",
        label_fr="carte de soins | soins",
        label_ar="علاج",
    )
    last = load_pack("zz").services[-1]
    assert (last.agency, last.sector) == ("cnss", "health")
    assert last.wordings == {"fr": ("carte de soins", "soins"), "ar": ("علاج",)}


def test_a_pack_need_not_have_services(trial):
    (trial / "services.csv").unlink()
    assert load_pack("zz").services == ()


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"agency": "zz"}, r", column agency: 'zz' is not in agencies\.csv"),
        ({"sector": "zz"}, r", column sector: 'zz' is not a code of sector"),
        ({}, ": it leads nowhere; fill in agency or sector"),
        ({"agency": "cnss", "label_fr": ""}, ": it has no words; fill in a label"),
        ({"agency": "cnss", "code": "ZZ zz"}, ", column code"),
    ],
)
def test_a_fault_in_the_services_is_named(trial, cells, fault):
    append(trial / "services.csv", **{"code": "zz", "label_fr": "Z", **cells})
    with pytest.raises(ConfigurationError, match=rf"services\.csv, line \d+{fault}"):
        load_pack("zz")


def test_a_fault_in_the_synonyms_is_named(trial):
    append(trial / "synonyms.csv", code="ZZ zz", label_fr="Z")
    with pytest.raises(ConfigurationError, match=r"synonyms\.csv, line \d+, column code"):
        load_pack("zz")
