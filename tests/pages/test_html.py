from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from registry.errors import RegistryError
from registry.pages.page import page_file

LANGUAGES = {"ar": "rtl", "fr": "ltr", "zgh": "ltr", "en": "ltr"}
PREFIX = "/sub"


def text_of(element):
    return " ".join("".join(element.itertext()).split())


def test_every_page_parses_strictly_and_has_its_language(pages):
    assert len(pages) > 250
    for path, page in pages.items():
        first = path.split("/")[0]
        expected = first if first in LANGUAGES else "en" if first == "problems" else "ar"
        assert (expected, LANGUAGES[expected]) == (page.get("lang"), page.get("dir")), path


def test_every_page_has_one_title_one_main_heading_and_a_description(pages):
    for path, page in pages.items():
        assert len(page.findall(".//h1")) == 1, path
        assert text_of(page.find(".//title")), path
        assert len(page.findall(".//main")) == 1, path
        assert page.find(".//meta[@name='description']") is not None, path


def test_every_internal_link_and_anchor_leads_somewhere(pages, site):
    anchors = {
        path: {element.get("id") for element in page.iter() if element.get("id")}
        for path, page in pages.items()
    }
    checked = 0
    for path, page in pages.items():
        for element in page.iter():
            address = element.get("href") or element.get("src")
            if address is None or urlsplit(address).scheme in {"https", "http", "mailto", "tel"}:
                continue
            parts = urlsplit(address)
            target = parts.path
            if target.startswith(f"{PREFIX}/api/"):
                continue
            if target:
                assert target.startswith(f"{PREFIX}/"), (path, address)
                local = target.removeprefix(PREFIX)
                file = local[1:] if local.startswith("/assets/") else page_file(local)
                assert (site / file).is_file(), (path, address)
            else:
                file = path
            if parts.fragment:
                assert parts.fragment in anchors[file], (path, address)
            checked += 1
    assert checked > 5000


def test_ids_are_unique_and_labels_refer_to_them(pages):
    for path, page in pages.items():
        ids = [element.get("id") for element in page.iter() if element.get("id")]
        assert len(ids) == len(set(ids)), path
        for element in page.iter():
            label = element.get("aria-labelledby")
            assert label is None or label in ids, path


def test_the_language_switch_stays_on_the_page(pages):
    for path, page in pages.items():
        lang, _, rest = path.partition("/")
        if lang not in LANGUAGES:
            continue
        switches = page.findall(".//nav[@class='languages']//a")
        assert {link.get("hreflang") for link in switches} == LANGUAGES.keys() - {lang}, path
        for link in switches:
            target = page_file(link.get("href").removeprefix(PREFIX))
            assert target == f"{link.get('hreflang')}/{rest}", path
        alternates = {
            link.get("hreflang")
            for link in page.findall(".//link[@rel='alternate']")
            if link.get("hreflang")
        }
        assert {*LANGUAGES, "x-default"} == alternates, path


def test_nothing_needs_a_script_a_style_attribute_or_another_host(pages, site):
    for path, page in pages.items():
        for element in page.iter():
            assert element.tag not in {"script", "style", "iframe", "form", "object"}, path
            names = set(element.attrib)
            assert not any(name == "style" or name.startswith("on") for name in names), path
            if element.tag in {"img", "source"} or element.get("rel") in {"stylesheet", "icon"}:
                assert (element.get("href") or element.get("src")).startswith("/"), path
    for file in site.rglob("*.css"):
        for address in re.findall(r'url\("?([^")]+)', file.read_text("utf-8")):
            assert (file.parent / address).is_file(), address


@pytest.mark.parametrize("lang", LANGUAGES)
def test_risk_is_said_in_words_and_with_a_shape(pages, lang):
    badges = [
        element
        for path, page in pages.items()
        if path.startswith(f"{lang}/")
        for element in page.iter("span")
        if "badge" in (element.get("class") or "").split()
    ]
    assert badges
    for badge in badges:
        assert text_of(badge)
        assert any(child.get("class") == "shape" for child in badge)


def test_a_fictitious_record_says_so(pages):
    for lang, words in (("fr", "Exemple fictif"), ("ar", "مثال خيالي"), ("en", "Fictitious")):
        page = pages[f"{lang}/records/demo-sante/triage-radiographies.html"]
        assert words in text_of(page.find(".//*[@class='notice fictitious']"))


def test_a_foreign_record_says_where_it_is_from_and_keeps_its_language(pages):
    page = pages["ar/records/us.demo/letter-sorting.html"]
    notice = page.find(".//*[@class='notice foreign']")
    assert "A demo inventory" in text_of(notice)
    assert [link.get("href") for link in notice.iter("a")] == ["https://inventory.example/"]
    heading = page.find(".//h1")
    assert (heading.get("lang"), heading.get("dir")) == ("en", "ltr")
    assert "الإنجليزية" in text_of(page.find(".//*[@class='notice language']"))


def test_what_is_not_stated_is_shown(pages):
    page = pages["fr/records/us.demo/letter-sorting.html"]
    facts = {
        text_of(row.find("dt")): text_of(row.find("dd"))
        for row in page.iter("div")
        if row.find("dt") is not None
    }
    assert facts["Peut-on contester ?"].startswith("Non indiqué")
    assert facts["Rôle dans la décision"] == "Non indiqué"
    assert "Risque non indiqué" in text_of(page.find(".//ul[@class='meta']"))
    assert "us.demo/letter-sorting" in "".join(
        link.get("href") for link in pages["fr/risk/not_stated.html"].iter("a")
    )


def test_a_restricted_record_shows_its_existence_alone(pages):
    page = pages["fr/records/demo-securite/restricted.html"]
    assert "Seule l’existence" in text_of(page.find(".//*[@class='notice restricted']"))
    assert "Sécurité intérieure" in text_of(page.find(".//*[@class='notice restricted']"))
    assert not page.findall(".//section[@id='purpose']")


def test_a_withdrawn_record_is_a_tombstone_and_in_no_list(pages):
    page = pages["fr/records/demo-sante/gone.html"]
    assert "2 novembre 2026" in text_of(page.find(".//*[@class='notice withdrawn']"))
    assert [section.get("id") for section in page.findall(".//article//section")] == ["versions"]
    lists = [path for path in pages if path.startswith("fr/") and "/records/" not in path]
    for path in lists:
        assert not any("demo-sante/gone" in link.get("href") for link in pages[path].iter("a"))


def test_the_versions_of_a_record_lead_to_their_data(pages):
    page = pages["fr/records/demo-sante/triage-radiographies.html"]
    links = [link.get("href") for link in page.findall(".//section[@id='versions']//a")]
    base = "/sub/api/v1/records/demo-sante/triage-radiographies/versions"
    assert [f"{base}/3", f"{base}/2", f"{base}/1"] == links


def test_the_tamazight_pages_say_that_they_are_not_translated(pages):
    notice = pages["zgh/index.html"].find(".//*[@class='notice translation']")
    assert [part.get("lang") for part in notice.iter("p")] == ["ar", "fr"]
    heading = pages["zgh/index.html"].find(".//h1/span")
    assert (heading.get("lang"), heading.get("dir")) == ("ar", "rtl")


def test_every_error_has_its_page(pages):
    for error in (RegistryError, *RegistryError.__subclasses__()):
        page = pages[f"problems/{error.slug}.html"]
        assert error.title == text_of(page.find(".//h1"))
        assert "How to mend it" in text_of(page), f"site/text/problems/{error.slug}.md is missing"


def test_the_site_map_lists_the_pages(pages, site):
    found = re.findall(r"<loc>(.*?)</loc>", (site / "sitemap.xml").read_text("utf-8"))
    assert len(pages) - 1 == len(found) == len(set(found))
    assert "https://register.example/sub/fr/" in found
    assert "https://register.example/sub/ar/records/us.demo/letter-sorting" in found
