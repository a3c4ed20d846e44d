"""Every country pack alone: what depends on a country holds in each, and one refuses another.

What holds in any pack is asked of those in schemas/packs, and of one that no language of the site
and no example has a word of; what we ask of those that we keep, of them alone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re

import msgspec
import pytest
from lxml import html

from registry.log.register import Register, StoredRecord, VersionLine
from registry.pages.snapshot import RegisterState, Snapshot
from registry.record.examples import example, examples
from registry.record.pack import gaps, load_pack
from registry.record.pointers import parts, put, strings_in, values_at
from registry.record.schema import fields
from registry.record.validate import validate
from registry.resources import SCHEMAS
from registry.settings import Settings
from tests.built import build

TODAY = dt.date(2026, 11, 24)
CODES = sorted(path.parent.name for path in (SCHEMAS / "packs").glob("*/pack.json"))
KEPT = ("ma", "sn")
"""The packs that are kept with the software, whose texts are complete."""

FOREIGN = "zz"
EXAMPLES = ("complete", "minimal")


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """The pack of the page on adopting, in a folder of its own."""
    files = (SCHEMAS.parent / "docs" / "small-pack").iterdir()
    parts = {path.name: path.read_text(encoding="utf-8") for path in files}
    return write_pack(tmp_path_factory.mktemp("example"), parts)


@pytest.fixture(scope="session")
def foreign(tmp_path_factory, small):
    """The same pack in Portuguese and Swahili, which neither the site nor an example speaks."""
    parts = {path.name: path.read_text(encoding="utf-8") for path in (small / FOREIGN).iterdir()}
    tags = {'"fr"': '"pt"', '"en"': '"sw"', "_fr": "_pt", "_en": "_sw"}
    spoken = {
        name: re.sub("|".join(tags), lambda found: tags[found[0]], text)
        for name, text in parts.items()
    }
    spoken["pack.json"] = spoken["pack.json"].replace("{", '{"stop_words": ["ya", "na"],', 1)
    return write_pack(tmp_path_factory.mktemp("foreign"), spoken)


def write_pack(folder, parts):
    (folder / FOREIGN).mkdir()
    for name, text in parts.items():
        (folder / FOREIGN / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module", params=[*CODES, None], ids=[*CODES, "foreign"])
def pack(request):
    if request.param is None:
        return load_pack(FOREIGN, request.getfixturevalue("foreign"))
    return load_pack(request.param)


@pytest.fixture(params=KEPT)
def kept(request):
    return load_pack(request.param)


@pytest.fixture
def stranger(pack):
    """Another country's pack."""
    return load_pack(next(code for code in KEPT if code != pack.code))


def in_words_of(tag, text):
    """Other words for each language: a text is not the same in two."""
    return re.sub(r"\b(?=\w{3})", tag[0], text)


def at_home(name, pack):
    """An example in a country, also in languages that are demanded and that it lacks."""
    document = example(name, pack)
    demanded = {*pack.required_any, *pack.required_at_high}
    for field in fields():
        for place, value in list(values_at(document, field.path)):
            if field.is_text and isinstance(value, dict):
                some = next(iter(value.values()))
                put(document, place, {tag: in_words_of(tag, some) for tag in demanded} | value)
    document["languages"]["translation_status"] |= dict.fromkeys(demanded, "authored")
    return document


def errors(document, pack):
    verdict = validate(document, profile="publication", pack=pack, today=TODAY)
    found = [(each.pointer, each.rule) for each in verdict.findings if each.severity == "error"]
    assert verdict.publishable == (not found)
    return found


def test_there_are_two_countries_at_least():
    assert {"ma", "sn"} <= set(CODES)


def test_a_reader_of_any_language_of_a_pack_that_is_kept_meets_no_other(kept):
    assert list(gaps(kept)) == []


def test_the_parts_of_a_pack_fit(pack):
    assert sorted(pack.fallback) == sorted(pack.languages)
    assert {*pack.required_any, *pack.required_at_high, *pack.recommended} <= set(pack.languages)
    assert {region.split("-")[0] for region in pack.regions} == {pack.country}
    for agency in pack.agencies.values():
        assert agency.parent is None or agency.parent in pack.agencies
        assert agency.region is None or agency.region in pack.regions


def test_a_pack_that_is_kept_has_agencies_to_begin_with(kept):
    made_up = [agency for agency in kept.agencies.values() if agency.fictitious]
    assert len(made_up) >= 3
    assert len(kept.agencies) - len(made_up) >= 10
    for agency in kept.agencies.values():
        assert agency.fictitious == ("emonstration" in agency.name["en"])


def test_fictitious_agencies_say_so_and_real_ones_do_not(pack):
    for agency in pack.agencies.values():
        assert agency.fictitious == agency.id.startswith("demo-")
        assert (agency.kind == "demonstration") == agency.fictitious
        assert not (agency.fictitious and agency.website)


def test_no_two_agencies_or_codes_have_one_name(pack):
    lists = [[agency.name for agency in pack.agencies.values()]]
    lists += [[code.label for code in codes.values()] for codes in pack.lists.values()]
    for names in lists:
        for tag in pack.languages:
            written = [name[tag] for name in names if tag in name]
            assert len(written) == len(set(written))


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_record_of_the_country_is_published(pack, name):
    assert errors(at_home(name, pack), pack) == []


def test_examples_of_the_country_can_be_filed_and_have_no_word_of_another(pack, kept):
    shown = examples(pack)
    assert set(shown) == set(EXAMPLES)
    for document in shown.values():
        assert errors(document, pack) == []
        theirs = {*kept.bodies, *kept.regions} - {*pack.bodies, *pack.regions}
        assert {*strings_in(document)}.isdisjoint(theirs)
        assert document["id"].split("/")[0] in pack.agencies


@pytest.mark.parametrize(
    ("place", "table"),
    [
        ("/territory/0", "regions"),
        ("/rights/contestation/body", "bodies"),
        ("/publication/withheld_fields/0/ground", "grounds"),
        ("/procurement/suppliers/0/identifier/scheme", "supplier_schemes"),
    ],
)
def test_a_code_of_another_country_is_refused(pack, stranger, place, table):
    document = at_home("complete", pack)
    foreign = next(code for code in stranger.lists[table] if code not in pack.lists[table])
    put(document, parts(place), foreign)
    assert errors(document, pack) == [(place, "R00")]
    assert errors(at_home("complete", stranger), stranger) == []


def test_an_agency_of_another_country_is_refused(pack, stranger):
    document = at_home("minimal", pack)
    foreign = next(agency for agency in stranger.agencies if agency not in pack.agencies)
    document["id"] = f"{foreign}/x"
    assert errors(document, pack) == [("/id", "R00")]


def test_a_language_of_another_country_is_refused(pack, stranger):
    foreign = next((tag for tag in stranger.languages if tag not in pack.languages), "wo")
    document = at_home("minimal", pack)
    document["summary"][foreign] = next(iter(document["summary"].values()))
    assert errors(document, pack) == [(f"/summary/{foreign}", "R00")]


def stored(document):
    raw = json.dumps(document, ensure_ascii=False).encode()
    leaf = hashlib.sha256(raw).hexdigest()
    when = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    return StoredRecord(
        id=document["id"],
        agency=document["id"].split("/")[0],
        document=raw,
        register=Register(
            version=1,
            state="published",
            published_at=when,
            superseded_at=None,
            hash=leaf,
            entry=1,
            origin=None,
            fictitious=True,
            completeness=90,
            accountability=90,
            missing=[],
            findings=msgspec.Raw(b"[]"),
            redacted=[],
        ),
        versions=[VersionLine(version=1, published_at=when, hash=leaf, entry=1, change_note=None)],
    )


@pytest.fixture(scope="module", params=["empty", "filed"])
def site(request, pack, tmp_path_factory):
    records = [] if request.param == "empty" else [at_home(name, pack) for name in EXAMPLES]
    snapshot = Snapshot(
        pack=pack,
        register=RegisterState(size=len(records) + 1, root="ab" * 32),
        agencies=pack.agencies,
        records=sorted(map(stored, records), key=lambda record: record.id),
        as_of=dt.datetime(2026, 11, 24, tzinfo=dt.UTC),
    )
    out = tmp_path_factory.mktemp(f"{pack.code}-{request.param}") / "site"
    build(snapshot, out=out, settings=Settings(base_url="https://register.example"))
    return out.resolve()


def test_the_site_speaks_the_languages_of_the_country_and_no_other(pack, site):
    elsewhere = {"api", "copies", "feeds", "openapi.json", "problems"}
    folders = {path.name for path in site.iterdir() if path.is_dir()}
    assert folders == {*pack.languages, "assets", "feeds", "find", "problems", "r"}
    for path in sorted(site.rglob("*.html")):
        page = html.document_fromstring(path.read_bytes())
        inside = [a.get("href") for a in page.iter("a") if a.get("href", "").startswith("/")]
        leads = {href.split("/")[1] for href in inside}
        assert leads <= {*pack.languages, *elsewhere, ""}, path


def test_the_site_has_the_name_that_the_country_gave_it(pack, site):
    for tag, name in pack.site_name.items():
        page = html.document_fromstring((site / tag / "index.html").read_bytes())
        assert page.get("lang") == tag
        assert page.find(".//title").text.endswith(name)
        assert name in (site / "index.html").read_text("utf-8")


def test_a_record_says_whom_to_turn_to_in_the_country(pack, site):
    checked = 0
    for tag, words in pack.redress.items():
        for path in (site / tag / "records").glob("*/*.html"):
            page = html.document_fromstring(path.read_bytes())
            section = page.find(".//section[@id='contest']")
            # French spaces are set where a text is shown.
            assert "".join(words.split()) in "".join("".join(section.itertext()).split()), path
            checked += 1
    assert bool(checked) == ("filed" in str(site))


def test_the_steps_of_the_country_are_said_in_each_of_its_languages(pack, site):
    for tag in pack.languages:
        page = html.document_fromstring((site / tag / "contest.html").read_bytes())
        section = page.find(".//section[@id='bodies']")
        assert len(section.findall("./ol/li")) == len(pack.steps)
        told = " ".join("".join(section.itertext()).split())
        if pack.code == FOREIGN:
            assert "No answer within 7 working days counts as a refusal." in told
            assert "Do this within 1 month of the day on which it was refused." in told
            assert "Confirmed by Legal Service on " in told


def test_morocco_as_the_design_sets_it():
    pack = load_pack("ma")
    assert pack.country == "MA"
    assert pack.languages == ("ar", "fr", "zgh", "en")
    assert pack.fallback == ("ar", "fr", "en", "zgh")
    assert pack.required_any == pack.required_at_high == ("ar", "fr")
    assert pack.recommended == ("zgh",)
    assert pack.review_months == {"unacceptable": 6, "high": 12, "limited": 24, "minimal": 36}
    assert {row.article for row in pack.requirements} >= {"12", "21"}
    assert list(pack.regions) == ["MA", *(f"MA-{number:02}" for number in range(1, 13))]
    assert sum(not agency.fictitious for agency in pack.agencies.values()) >= 25
    assert sum(agency.fictitious for agency in pack.agencies.values()) == 5
    assert {ground.extra["citation"] for ground in pack.grounds.values()} == {
        "loi n° 31-13, article 7"
    }


def test_senegal_french_first():
    pack = load_pack("sn")
    assert pack.country == "SN"
    assert pack.languages == pack.fallback == ("fr", "en")
    assert pack.required_any == pack.required_at_high == ("fr",)
    assert pack.recommended == ()
    assert len(pack.regions) == 15
    assert "SN-DK" in pack.regions
    assert "cdp" in pack.bodies
    assert "2008-12" in pack.laws["personal_data"]["fr"]


def test_the_records_of_a_country_are_its_own():
    pack = load_pack("sn")
    shipped = [
        json.loads(path.read_text("utf-8"))
        for path in sorted((SCHEMAS / "packs" / "sn" / "records").glob("*/*.json"))
    ]
    moroccan = {path.stem for path in (SCHEMAS.parent / "records").glob("*/*.json")}
    for document in shipped:
        verdict = validate(document, profile="publication", pack=pack, today=dt.date(2026, 12, 1))
        assert not verdict.findings, document["id"]
        assert document["id"].split("/")[1] not in moroccan
        assert document["data"].get("hosting", {"country": "SN"})["country"] == "SN"
    assert {one["risk"]["level"] for one in shipped} == {"minimal", "limited", "high"}
    assert {one["data"]["personal_data"] for one in shipped} == {"no", "yes"}


def test_senegal_asks_by_the_articles_of_its_own_law():
    pack = load_pack("sn")
    [high] = (SCHEMAS / "packs" / "sn" / "records").glob("*/doublons-naissances.json")
    document = json.loads(high.read_text("utf-8"))
    document["data"] |= {
        "categories": ["identity", "national_id"],
        "hosting": {"country": "FR", "kind": "foreign_cloud"},
    }
    document["data"]["authorisation"]["regime"] = "declaration"
    del document["rights"]["data_rights_contact"]
    verdict = validate(document, profile="publication", pack=pack, today=dt.date(2026, 12, 1))
    law = {one.rule: one.message for one in verdict.findings if one.rule.startswith("2008-12-")}
    assert law.keys() == {"2008-12-20", "2008-12-22", "2008-12-49"}
    assert "law 2008-12 of 25 January 2008, article 20" in law["2008-12-20"]


def test_the_example_of_the_page_is_a_pack(small):
    loaded = load_pack(FOREIGN, small)
    assert list(gaps(loaded)) == []
    assert errors(at_home("minimal", loaded), loaded) == []
