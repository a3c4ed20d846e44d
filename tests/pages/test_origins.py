"""The pages of other registers: whose they are, and what each import of their files found."""

from __future__ import annotations

import msgspec
import pytest

from tests.built import build

from .conftest import LANGUAGES, RUNS, SETTINGS, Rendered, files, make_corpus, parse


def text_of(element):
    return " ".join("".join(element.itertext()).split())


def test_the_page_of_a_register_says_whose_it_is(site):
    page = parse(site / "fr/registers/us-demo.html")
    facts = {
        text_of(row.find("dt")): text_of(row.find("dd"))
        for row in page.iterfind(".//section[@id='facts']//dl/div")
    }
    assert facts == {
        "Pays": "États-Unis",
        "Publié par": "Office of Demonstrations",
        "Licence de ses données": "CC0-1.0",
        "Langue": "anglais",
        "Adresse": "inventory.example/",
        "Copié ici": "1 fiche",
        "Dont": "1 n’est plus dans sa source",
    }
    publisher = page.find(".//section[@id='facts']//dd/bdi[@lang='en']")
    assert text_of(publisher) == "Office of Demonstrations"
    arabic = text_of(parse(site / "ar/registers/us-demo.html").find(".//section[@id='facts']"))
    assert "الولايات المتحدة" in arabic
    assert "الإنجليزية" in arabic


def test_the_page_of_a_register_lists_its_imports_with_their_reports(site):
    page = parse(site / "en/registers/us-demo.html")
    section = page.find(".//section[@id='imports']")
    rows = [[text_of(line) for line in row.iter("p")] for row in section.iter("li")]
    assert rows[0] == [
        "Report of the import of October 4, 2026",
        "Nothing changed",
        "inventory-3.csv · as the source was on September 3, 2026 · the whole source",
        f"SHA-256 {3:064x}",
    ]
    assert rows[1][1:3] == [
        "250 new records · Not finished",
        "inventory-2.csv · perhaps not the whole source",
    ]
    assert rows[2][1] == (
        "3 new records, 2 changed records, 1 of them without a date at the source, "
        "4 moved to another agency, 1 no longer at its source, 2 at their source again, "
        "5 refused rows"
    )
    reports = [link.get("href") for link in section.iter("a")]
    assert reports == [f"/sub/api/v1/imports/{number}" for number in (3, 2, 1)]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_registers_are_found_from_the_pages_that_show_their_records(site, lang):
    for place, address in {
        "index": "registers/",
        "registers/index": "registers/us-demo",
        "agencies/index": "registers/us-demo",
        "agencies/us.demo": "registers/us-demo",
    }.items():
        links = [link.get("href") for link in parse(site / f"{lang}/{place}.html").iter("a")]
        assert f"/sub/{lang}/{address}" in links, place


def test_an_import_that_changed_nothing_renders_the_page_of_its_register_only(tmp_path):
    out = tmp_path / "site"
    build(make_corpus(runs=RUNS[1:], demonstrated=False), out=out, settings=SETTINGS)
    before = files(out)
    build(make_corpus(runs=RUNS, demonstrated=False), out=out, settings=SETTINGS)
    after = files(out)
    different = {name for name in after if before.get(name) != after[name]}
    assert different - {"build.json"} == {f"{lang}/registers/us-demo.html" for lang in LANGUAGES}


def test_an_agency_without_records_of_another_register_is_not_listed():
    """Its records have moved to another one: nothing is said of it but on its own page."""
    corpus = make_corpus(demonstrated=False)
    before = msgspec.structs.replace(corpus.agencies["us.demo"], id="us.before")
    corpus = msgspec.structs.replace(corpus, agencies={**corpus.agencies, before.id: before})
    site = Rendered(corpus)
    links = [one.get("href") for one in site.page("en/agencies/index.html").iter("a")]
    assert "/sub/en/agencies/us.demo" in links
    assert "/sub/en/agencies/us.before" not in links
    head = text_of(site.page("en/agencies/us.before.html").find(".//header[@class='head']"))
    assert "There is no record here yet." in head


def test_without_other_registers_there_is_no_page_of_them():
    alone = msgspec.structs.replace(make_corpus(demonstrated=False), sizes={}, imports={})
    for corpus, has_some in ((make_corpus(demonstrated=False), True), (alone, False)):
        found = [file for file in Rendered(corpus).pages if file.startswith("en/registers/")]
        assert bool(found) == has_some
