"""The guide to filing on the site, and the page for agencies that leads to it."""

from __future__ import annotations

import msgspec
import pytest

from registry.pages.views.prose_pages import GUIDES

from .conftest import LANGUAGES, SETTINGS, Rendered, make_corpus

WAYS = {"/sub/office/{}/", "/sub/{}/filing/console", "/sub/{}/filing/workbook"}


def links(page):
    return {link.get("href") for link in page.find(".//main").iter("a")}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_agencies_are_led_to_the_console_and_its_guide(pages, lang):
    said_in = "ar" if lang == "zgh" else lang
    ways = {way.format(said_in if "office" in way else lang) for way in WAYS}
    assert ways <= links(pages[f"{lang}/for-agencies.html"])


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", GUIDES)
def test_the_guide_stands_on_the_site_with_its_pictures(pages, site, lang, name):
    said_in = "ar" if lang == "zgh" else lang
    article = pages[f"{lang}/filing/{name}.html"].find(".//article")
    assert (article.get("lang") or said_in) == said_in
    assert article.get("dir", LANGUAGES[lang]) == LANGUAGES[said_in]
    text = "".join(article.itertext())
    assert "<div" not in text
    assert "{#" not in text
    steps = [heading.get("id") for heading in article.iter("h2")]
    assert steps == [f"step-{number}" for number in range(1, len(steps) + 1)]
    pictures = list(article.iter("img"))
    assert len(pictures) > 1
    for picture in pictures:
        assert f".{said_in}." in picture.get("src")
        assert (site / picture.get("src").removeprefix("/sub/")).is_file()
        assert 300 < int(picture.get("width")) < 1000
        assert 200 < int(picture.get("height")) < 1200
        assert len(picture.get("alt")) > 10
    assert not [link for link in links(pages[f"{lang}/filing/{name}.html"]) if ".md" in link]


def test_without_a_console_nothing_leads_to_one(site):
    settings = msgspec.structs.replace(SETTINGS, console=None)
    rendered = Rendered(make_corpus(demonstrated=False), settings=settings)

    def of_the_guide(file):
        return file.startswith("fr/filing/") or file.endswith(".webp")

    assert any(of_the_guide(path.relative_to(site).as_posix()) for path in site.rglob("*"))
    assert not any(map(of_the_guide, rendered.pages))
    page = rendered.page("fr/for-agencies.html")
    assert not [link for link in links(page) if "office" in link or "filing" in link]
    assert page.find(".//h2[@id='ways']") is not None
