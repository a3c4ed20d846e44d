"""Records of other registers: whose they are, on which terms, where they stand at their source."""

import datetime as dt
import json
import re

import msgspec
import pytest

from registry.log.register import SourceEvent, SourceFacts
from registry.record.origin import Origin
from registry.record.pack import Agency

from .conftest import FILED, Rendered, make_corpus, stored

ORIGIN = Origin(
    code="be-demo",
    title="Registre fictif des algorithmes",
    publisher="Bureau fictif",
    licence="Licence fictive 1.0",
    homepage="https://registre.example/",
    country="BE",
    language="fr",
)
GOAL = "Classe le courrier par service."
WHOLE_GOAL = "Classe le courrier par service, puis le distribue. " * 40
SORTING = {
    "id": "be.demo/tri",
    "schema_version": "1.0",
    "name": {"fr": "Tri du courrier", "ar": "فرز البريد"},
    "summary": {"fr": "Trie le courrier.", "ar": "يفرز البريد."},
    "purpose": {"goal": {"fr": GOAL}},
    "languages": {"source": "fr"},
    "source_id": "B-17",
}
OTHER = SORTING | {"id": "be.demo/autre", "name": {"fr": "Autre"}, "summary": {"fr": "Autre."}}
NAMELESS = "be.post"


def source(**facts):
    known = {
        "id": "B-17",
        "state": "present",
        "state_since": None,
        "changed_on": None,
        "undated": False,
        "moved_from": None,
        "run": 3,
        "register": ORIGIN,
    }
    return SourceFacts(**known | facts)


@pytest.fixture(scope="module")
def rendered():
    """Render pages of a corpus with two foreign records: a moved one that is gone, and another."""
    gone = source(state="gone", state_since=dt.date(2026, 11, 1), changed_on="2026-09-15")
    last = stored(SORTING, entry=60, notes=(None, None), origin="be-demo", source=gone)
    before = stored(SORTING, entry=58, origin="be-demo", source=source(), superseded_at=FILED)
    first, second = last.versions
    moved = msgspec.structs.replace(second, moved_from=NAMELESS, undated=True, run=3)
    last = msgspec.structs.replace(
        last,
        versions=[first, moved],
        whole={"/purpose/goal/fr": WHOLE_GOAL, "/name/fr": "Tri du courrier en entier"},
    )
    before = msgspec.structs.replace(before, agency=NAMELESS)
    other = stored(OTHER, entry=62, origin="be-demo", source=source(id="B-18"))
    corpus = make_corpus(last, other)
    events = [
        SourceEvent(
            version=2,
            entry=61 + place,
            state=state,
            day=dt.date(2026, 10, 20 + place),
            at=dt.datetime(2026, 11, 2, tzinfo=dt.UTC),
        )
        for place, state in enumerate(("gone", "present", "gone"))
    ]
    demo = Agency(id="be.demo", name={"fr": "Ville fictive"}, kind="other", origin="be-demo")
    post = Agency(id=NAMELESS, name={"fr": "Poste fictive"}, kind="other", origin="be-demo")
    corpus = msgspec.structs.replace(
        corpus,
        agencies={**corpus.agencies, "be.demo": demo, NAMELESS: post},
        origins={**corpus.origins, "be-demo": ORIGIN},
        earlier={**corpus.earlier, "be.demo/tri": [before]},
        source_events={"be.demo/tri": events},
    )
    return Rendered(corpus).page


def words(element):
    """The text of an element, without marks of direction and double spaces."""
    return " ".join("".join(element.itertext()).split())


def named(page, name):
    return [one for one in page.iter() if name in (one.get("class") or "").split()]


def texts_in_full(page):
    return [one for one in named(page, "in-full") if named(one, "prose")]


def facts(page):
    """The facts on where it comes from, by their heading."""
    [card] = [one for one in page.iter("section") if one.get("id") == "source"]
    rows = [one for one in card.iter() if one.tag in {"dt", "dd"}]
    return {words(head): words(fact) for head, fact in zip(rows[::2], rows[1::2], strict=True)}


@pytest.mark.parametrize(
    ("tag", "country"),
    [("ar", "بلجيكا"), ("fr", "Belgique"), ("zgh", "بلجيكا"), ("en", "Belgium")],
)
def test_a_record_says_of_which_country_it_is(rendered, tag, country):
    page = rendered(f"{tag}/records/be.demo/tri.html")
    [notice] = named(page, "foreign")
    assert country in words(notice)
    assert ORIGIN.title in words(notice)
    assert ORIGIN.homepage in [link.get("href") for link in notice.iter("a")]
    [agency] = named(rendered(f"{tag}/agencies/be.demo.html"), "foreign")
    assert country in words(agency)
    assert country in words(rendered(f"{tag}/agencies/index.html"))
    [card] = named(rendered(f"{tag}/agencies/be.demo.html"), "records")
    assert f"{ORIGIN.title} ({country})" in words(card)


def test_a_record_says_on_which_terms_and_when_it_was_copied(rendered):
    said = facts(rendered("en/records/be.demo/tri.html"))
    assert said == {
        "Country": "Belgium",
        "Register": f"{ORIGIN.title}registre.example/",
        "Published by": ORIGIN.publisher,
        "Licence of its data": ORIGIN.licence,
        "Its number there": "B-17",
        "Last changed there": "September 15, 2026",
        "Copied on": "October 1, 2026",
        "No longer there since": "November 1, 2026",
    }
    head = words(named(rendered("en/records/be.demo/tri.html"), "head")[0])
    assert "copied on October 1, 2026" in head
    assert "published on" not in head
    assert facts(rendered("en/records/be.demo/autre.html"))["Last changed there"] == (
        "Not stated by the source"
    )


def test_a_gone_record_says_since_when_on_its_page_and_in_lists(rendered):
    [notice] = named(rendered("fr/records/be.demo/tri.html"), "gone")
    assert "depuis le 1 novembre 2026" in words(notice).replace("1er", "1")
    assert "Nous ne savons pas pourquoi" in words(notice)
    assert not named(rendered("fr/records/be.demo/autre.html"), "gone")
    assert not named(rendered("fr/records/be.demo/tri/versions/1.html"), "gone")
    cards = named(rendered("fr/agencies/be.demo.html"), "record")
    marked = {words(card.find("h3")): "N’est plus dans sa source" in words(card) for card in cards}
    assert marked == {"Tri du courrier": True, "Autre": False}


def test_what_the_source_does_not_state_is_no_fault(rendered):
    page = rendered("en/records/be.demo/tri.html")
    [section] = [one for one in page.iter("section") if one.get("id") == "missing"]
    assert words(section.find("h3")) == "What the source does not state"
    assert "missing" not in words(section)
    [about] = [one for one in page.iter("details") if one.get("id") == "about-record"]
    assert "facts that the source does not state" in words(about.find("summary"))
    assert "fact missing" not in words(about)
    assert not [one for one in page.iter("svg") if one.get("class") == "meter"]
    assert "Not stated by the source" in words(page)
    assert "You can ask" not in words(page)
    assert "You can still ask" not in words(page)


def test_a_text_in_part_has_its_whole_beside_it(rendered):
    page = rendered("ar/records/be.demo/tri.html")
    whole, name = texts_in_full(page)
    assert whole.tag == "details"
    [prose] = named(whole, "prose")
    assert (prose.get("lang"), prose.get("dir")) == ("fr", "ltr")
    assert words(prose) == " ".join(WHOLE_GOAL.split())
    [further] = [one for one in page.iter("section") if one.get("id") == "whole-texts"]
    assert "Tri du courrier en entier" in words(further)
    assert name in list(further.iter())
    assert not texts_in_full(rendered("ar/records/be.demo/autre.html"))


def texts(value, place=""):
    """Yield the place of each text by language."""
    if isinstance(value, dict) and value and value.keys() <= {"ar", "fr", "zgh", "en"}:
        yield from (f"{place}/{tag}" for tag in value if tag == "fr")
    else:
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in parts:
            if isinstance(part, dict | list) and name not in {"languages", "publication"}:
                yield from texts(part, f"{place}/{name}")


def test_every_text_in_part_can_be_read_whole():
    # All texts of the demonstration are taken as ones of which there is more.
    whole = {}
    for record in make_corpus().records:
        if record.register.fictitious and record.register.state == "published":
            places = texts(json.loads(record.document))
            whole[record.id] = {place: f"all{n}of it" for n, place in enumerate(places)}
    corpus = make_corpus()
    records = [msgspec.structs.replace(one, whole=whole.get(one.id, {})) for one in corpus.records]
    site = Rendered(msgspec.structs.replace(corpus, records=records))
    lost = [
        (name, place)
        for name, places in whole.items()
        for html in (site.text(f"fr/records/{name}.html"),)
        for place, text in places.items()
        if text not in html
    ]
    assert lost == []
    assert {re.sub(r"/\d+", "", place) for places in whole.values() for place in places} >= {
        "/tags/fr",
        "/purpose/goal/fr",
        "/risks/description/fr",
        "/documents/title/fr",
    }


def test_the_history_tells_of_moves_and_of_the_source(rendered):
    page = rendered("en/records/be.demo/tri.html")
    [section] = [one for one in page.iter("section") if one.get("id") == "versions"]
    rows = [words(row) for row in section.iter("li")]
    assert [re.sub(r" · JSON.*", "", row) for row in rows] == [
        "No longer at its source · October 22, 2026",
        "At its source again · October 21, 2026",
        "No longer at its source · October 20, 2026",
        "Version 2 · copied on October 1, 2026",
        "Version 1 · copied on October 1, 2026",
    ]
    assert "Moved here from Poste fictive" in rows[3]
    assert "Changed without a date at the source" in rows[3]


def test_a_comparison_says_that_the_agency_changed(rendered):
    for file in ("en/records/be.demo/tri/compare.html", "en/records/be.demo/tri/versions/2.html"):
        page = rendered(file)
        [changed] = named(page, "changed")
        assert words(changed) == "Agency Before Poste fictive Now Ville fictive"
        assert "No field changed" not in words(page)


def test_a_comparison_says_whose_record_it_is_and_when_it_was_copied(rendered):
    page = rendered("en/records/be.demo/tri/compare.html")
    [notice] = [one for one in page.iter("div") if one.get("class") == "notice foreign"]
    assert "From a register of another country: Belgium." in words(notice)
    [compared] = [one for one in page.iter("section") if one.get("id") == "v1-2"]
    assert "October 1, 2026" in words(compared.find("h2"))
    assert "Changed without a date at the source" in words(compared)


def test_structured_data_name_publisher_licence_country_and_source(rendered):
    page = rendered("fr/records/be.demo/tri.html")
    [script] = [one for one in page.iter("script") if one.get("type") == "application/ld+json"]
    said = json.loads(script.text)
    assert said["publisher"] == {"@type": "Organization", "name": "Bureau fictif"}
    assert said["license"] == "Licence fictive 1.0"
    assert said["countryOfOrigin"]["name"] == "Belgique"
    assert said["isBasedOn"] == "https://registre.example/"
    own = rendered("fr/records/demo-sante/prevision-lits.html")
    [script] = [one for one in own.iter("script") if one.get("type") == "application/ld+json"]
    said = json.loads(script.text)
    assert not {"publisher", "isBasedOn"} & said.keys()
    assert said["license"].startswith("https://creativecommons.org/")


def test_what_the_readers_language_lacks_is_in_one_language(rendered):
    # Only name and summary are in Arabic, which the fallback would prefer: all is in French.
    page = rendered("en/records/be.demo/tri.html")
    assert words(page.find(".//h1")) == "Tri du courrier"
    assert words(named(page, "lede")[0]) == "Trie le courrier."
    assert not named(page, "lang-note")
    [notice] = named(page, "language")
    assert "French" in words(notice)
    cards = named(rendered("en/agencies/be.demo.html"), "record")
    assert {words(card.find("h3/a")) for card in cards} == {"Tri du courrier", "Autre"}
    assert words(rendered("ar/records/be.demo/tri.html").find(".//h1")) == "فرز البريد"
