"""From what happened to somebody to the systems behind it, and to a letter."""

from __future__ import annotations

import msgspec
import pytest

from registry.record.codelists import codelists
from registry.record.life_events import life_events

from .conftest import FOREIGN, Rendered, make_corpus, stored
from .test_html import text_of

CODES = [event.code for event in life_events()]


def test_the_events_name_codes_of_the_format_and_have_words():
    assert list(dict.fromkeys(CODES)) == CODES
    lists = {"sector": "sector", "function": "function", "affected": "affected_group"}
    for event in life_events():
        assert {"en", "fr", "ar"} <= event.name.keys() & event.description.keys()
        assert event.systems
        for kind in event.systems:
            assert kind.sector or kind.function or kind.affected, event.code
            for member, name in lists.items():
                assert set(getattr(kind, member)) <= codelists()[name].keys(), event.code


@pytest.mark.parametrize(
    ("event", "found", "not_found"),
    [
        ("grant", "demo-education/attribution-bourses", "demo-education/emploi-du-temps"),
        ("benefit", "demo-services/aide-energie-hivernale", "demo-services/objets-trouves"),
        ("school", "demo-education/alerte-decrochage", "demo-education/experts-projets"),
        ("health", "demo-sante/triage-radiographies", "demo-services/aide-energie-hivernale"),
        ("tax", "demo-services/ciblage-controles-subventions", "demo-sante/prevision-lits"),
        ("job", "demo-services/suggestions-offres-emploi", "demo-education/assistant-orientation"),
        ("border", "demo-services/verification-identite-consulaire", "demo-securite/systeme-b"),
        ("fine", "demo-securite/comptage-foules", "demo-securite/traduction-alertes"),
        ("permit", "demo-services/instruction-permis", "demo-services/transcription-reunions"),
    ],
)
def test_an_event_leads_to_the_systems_behind_it_and_their_letters(pages, event, found, not_found):
    for lang in ("ar", "fr", "zgh", "en"):
        page = pages[f"{lang}/life/{event}.html"]
        links = [link.get("href") for link in page.findall(".//section[@id='systems']//a")]
        assert f"/sub/{lang}/records/{found}" in links
        assert f"/sub/{lang}/records/{found}/letter" in links
        assert f"/sub/{lang}/records/{not_found}" not in links
        others = [link.get("href") for link in page.findall(".//section[@id='not-found']//a")]
        assert {f"/sub/{lang}/{path}" for path in ("letter", "contest", "search")} <= set(others)


def test_all_events_are_on_the_first_page_and_on_that_of_contesting(pages):
    for lang in ("ar", "fr", "zgh", "en"):
        for path in ("index", "life/index"):
            links = {link.get("href") for link in pages[f"{lang}/{path}.html"].iter("a")}
            assert {f"/sub/{lang}/life/{code}" for code in CODES} <= links, path


def test_what_runs_and_weighs_most_comes_first(pages):
    page = pages["en/life/school.html"]
    rows = page.findall(".//li[@class='record']")
    badges = [row.find(".//span[@class]") for row in rows]
    assert text_of(badges[0]) == "High risk"
    statuses = [text_of(row.findall(".//ul[@class='meta']/li")[1]) for row in rows]
    running = [status in {"In use", "Pilot"} for status in statuses]
    assert running == sorted(running, reverse=True)
    told = text_of(page.find(".//section[@id='systems']"))
    assert "Yes, within 60\u00a0days of receiving it" in told.replace("60 days", "60\u00a0days")


def test_an_event_without_a_system_says_so_and_leads_on():
    other = FOREIGN | {"sector": {"primary": "employment", "function": "recommendation"}}
    snapshot = msgspec.structs.replace(
        make_corpus(),
        records=[stored(other, origin="us-demo")],
        earlier={},
        withdrawals={},
        source_events={},
    )
    page = Rendered(snapshot).text("en/life/job.html")
    assert "No agency has filed a system for this yet" in page
    assert "That takes no right from you" in page
    assert "<bdi>1</bdi> system. Their authorities did not decide about you here." in page.replace(
        "\u00a0", " "
    )
    assert "us.demo/letter-sorting" not in page
    assert 'href="/sub/en/letter"' in page
    assert 'href="/sub/en/agencies/anapec"' in page
