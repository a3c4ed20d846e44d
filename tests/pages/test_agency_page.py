"""The page of an agency: who it is, how to write to it, what it declared, what others do."""

from __future__ import annotations

import msgspec
import pytest

from registry.record.origin import Origin
from registry.record.pack import AgencyContact

from .conftest import PACK, Rendered, make_corpus, stored
from .test_html import text_of

LANGUAGES = ("ar", "fr", "en", "zgh")
REGISTER = Origin(code="be-demo", title="Registre", country="BE", language="fr")


def foreign(number, sector, risk):
    document = {
        "id": f"be.demo/s{number}",
        "schema_version": "1.0",
        "name": {"fr": f"Système {number}"},
        "sector": {"primary": sector},
        "risk": {"level": risk},
    }
    return stored(document, entry=100 + number, origin="be-demo")


def own(number, **more):
    document = {
        "id": f"demo-education/s{number}",
        "schema_version": "1.0",
        "name": {"fr": f"Système {number}"},
        "sector": {"primary": "education"},
        "risk": {"level": "high" if number < 3 else "minimal"},
        "lifecycle": {"status": "in_use", "next_review_on": "2026-01-01"},
        "contact": {"email": "a@demo.example", "phone": f"+99900000{number}"},
    }
    return stored(document | more, entry=200 + number, fictitious=True)


@pytest.fixture(scope="module")
def site():
    levels = ("minimal", "limited", "unacceptable", "high", "minimal")
    there = [foreign(n, "social_protection", level) for n, level in enumerate(levels)]
    there += [foreign(9, "education", "high")]
    withheld = {
        "withheld_fields": [{"pointer": "/technical/explainability", "ground": "trade_secrets"}]
    }
    corpus = make_corpus(
        *there,
        *(own(number) for number in (1, 2, 3)),
        own(4, publication=withheld, lifecycle={"status": "planned"}),
        demonstrated=False,
    )
    origins = {**corpus.origins, "be-demo": REGISTER}
    return Rendered(msgspec.structs.replace(corpus, origins=origins))


def links(element):
    return [one.get("href") for one in element.iter("a")]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_agency_has_the_letter_with_its_name_and_who_can_help(site, lang):
    for agency in PACK.agencies:
        page = site.page(f"{lang}/agencies/{agency}.html")
        prefix = f"/sub/{lang}"
        assert links(page.find(".//section[@id='decision']")) == [
            f"{prefix}/agencies/{agency}/letter",
            f"{prefix}/contest#until",
            f"{prefix}/contest#bodies",
        ]
        assert len(page.findall(".//section[@id='contact']/dl/div")) >= 3
        assert page.find(".//section[@id='declared']") is not None


def test_what_a_source_says_stands_with_the_source_and_the_rest_as_not_known(site):
    phone = text_of(site.page("fr/agencies/dgi.html").find(".//section[@id='contact']"))
    assert "Téléphone05 37 27 37 27 Adresse postaleNon connu ici" in phone
    assert "Lu le 30 novembre 2026" in phone
    post = site.page("ar/agencies/cnss.html").find(".//section[@id='contact']")
    assert PACK.contacts["cnss"].post["ar"] in text_of(post)
    assert PACK.contacts["cnss"].source in links(post)
    nothing = text_of(site.page("fr/agencies/interieur.html").find(".//section[@id='contact']"))
    assert nothing.count("Non connu ici") == 3
    assert "Source" not in nothing
    # What an agency itself says in its last record comes before what others say of it.
    said = site.page("fr/agencies/demo-education.html").find(".//section[@id='contact']")
    assert "tel:+999000004" in links(said)
    assert "/sub/fr/records/demo-education/s4" in links(said)
    for known in PACK.contacts.values():
        assert isinstance(known, AgencyContact)
        assert known.source.startswith("https://")


def test_what_an_agency_declared_is_counted_and_its_systems_are_filtered_by_risk(site):
    page = site.page("fr/agencies/demo-education.html")
    told = {text_of(row.find("dt")): text_of(row.find("dd")) for row in page.findall(".//dl/div")}
    assert told["En service ou à l’essai"] == "3"
    assert told["À risque élevé ou inacceptable"] == "2"
    assert told["Réexamen en retard"] == "3"
    assert told["Avec des parties non communiquées"] == "1"
    assert told["Publication restreinte"] == "0"
    filters = page.find(".//section[@id='systems']/nav")
    assert links(filters) == [
        f"/sub/fr/search?agency=demo-education&risk={level}" for level in ("high", "minimal")
    ]
    assert links(page.find(".//section[@id='declared']/dl")) == [
        "/sub/fr/search?agency=demo-education&overdue=true"
    ]
    silent = site.page("fr/agencies/anapec.html")
    assert silent.find(".//section[@id='systems']") is None
    assert silent.find(".//section[@id='declared']/dl") is None


def test_three_systems_of_other_countries_do_the_same_work(site):
    # By what people come to the agency for, or by what it declared; the riskiest first.
    for agency, wanted in (("anss", (2, 3, 1)), ("demo-education", (9,)), ("hcp", ())):
        section = site.page(f"fr/agencies/{agency}.html").find(".//section[@id='abroad']")
        found = [] if section is None else list(section.iter("li"))
        assert [links(row)[0] for row in found] == [
            f"/sub/fr/records/be.demo/s{number}" for number in wanted
        ]
        assert all("Registre (Belgique)" in text_of(row) for row in found)
    # One of another register, and one of which nobody has said the name, get no letter.
    for agency in ("us.demo", "be.demo"):
        copied = site.page(f"fr/agencies/{agency}.html")
        ids = {one.get("id") for one in copied.find(".//main").iter("section")}
        assert ids <= {"systems"}
