"""The ways in: the bar, the overview, regions with their map."""

from __future__ import annotations

import msgspec
import pytest

from registry.pages.views.browse_pages import map_lines
from registry.record.pack import load_pack

from .conftest import PACK, Rendered, make_corpus
from .test_html import PREFIX, text_of

LANGUAGES = ("ar", "fr", "zgh", "en")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_bar_has_five_ways_and_says_within_which_a_page_is(pages, lang):
    within = {
        "search": "search",
        "questions": "search",
        "questions/data": "search",
        "browse": "browse",
        "agencies/index": "browse",
        "regions/MA-06": "browse",
        "risk/high": "browse",
        "contest": "contest",
        "statistics": "statistics",
        "about": "about",
        "glossary": None,
    }
    ways = ["search", "browse", "contest", "statistics", "about"]
    for path, current in within.items():
        links = pages[f"{lang}/{path}.html"].findall(".//nav[@class='sections']//a")
        assert [link.get("href") for link in links] == [f"{PREFIX}/{lang}/{way}" for way in ways]
        marked = [link.get("href").rpartition("/")[2] for link in links if link.get("aria-current")]
        assert marked == ([current] if current else []), path


def test_the_overview_leads_to_every_kind_of_list(pages):
    links = {link.get("href") for link in pages["fr/browse.html"].findall(".//main//a")}
    kinds = (
        "life/",
        "sectors/",
        "agencies/",
        "regions/",
        "risk/",
        "status/",
        "registers/",
        "changes",
    )
    assert {f"{PREFIX}/fr/{kind}" for kind in kinds} <= links


def test_the_map_says_what_its_table_says(pages):
    for lang in LANGUAGES:
        page = pages[f"{lang}/regions/index.html"]
        table = {
            row.find(".//a").get("href"): text_of(row.findall("td")[-1])
            for row in page.findall(".//tbody/tr")
        }
        tiles = {
            link.get("href"): text_of(link.findall("{*}text")[-1])
            for link in page.findall(".//{*}svg//{*}a")
        }
        assert len(tiles) == 12
        assert tiles.items() <= table.items()
        for link in page.findall(".//{*}svg//{*}a"):
            code = link.get("href").rpartition("/")[2]
            label = PACK.regions[code].label
            name = label.get(lang) or label["ar"]
            assert link.get("aria-label").startswith(name), "a tile has its region's name"
    assert tiles[f"{PREFIX}/en/regions/MA-06"] != "0"


def test_a_region_lists_its_records_and_tells_of_those_of_the_whole_country(pages):
    page = pages["fr/regions/MA-06.html"]
    listed = [link.get("href") for link in page.findall(".//li[@class='record']/h3/a")]
    index = pages["fr/regions/index.html"]
    row = next(
        row
        for row in index.findall(".//tbody/tr")
        if row.find(".//a").get("href").endswith("/MA-06")
    )
    assert len(listed) == int(text_of(row.findall("td")[-1]))
    assert any(link.get("href") == f"{PREFIX}/fr/regions/MA" for link in page.findall(".//main//a"))
    whole = {
        link.get("href")
        for link in pages["fr/regions/MA.html"].findall(".//li[@class='record']/h3/a")
    }
    assert len(whole) > 5
    assert whole.isdisjoint(listed)


def test_a_name_stands_in_a_tile_in_few_short_lines():
    for code in ("ma", "sn"):
        for region in load_pack(code).regions.values():
            for name in region.label.values() if "column" in region.extra else ():
                lines = map_lines(name)
                assert len(lines) <= 3, name
                assert max(map(len, lines)) <= 15, name
                assert "".join(lines).replace(" ", "") == name.replace(" ", "")


def test_a_pack_that_places_no_region_has_the_table_alone():
    corpus = make_corpus(demonstrated=False)
    lists = {
        **PACK.lists,
        "regions": {
            code: msgspec.structs.replace(one, extra={}) for code, one in PACK.regions.items()
        },
    }
    corpus = msgspec.structs.replace(corpus, pack=msgspec.structs.replace(PACK, lists=lists))
    page = Rendered(corpus).page("fr/regions/index.html")
    assert page.findall(".//{*}figure") == []
    assert len(page.findall(".//tbody/tr")) >= 12


@pytest.mark.parametrize("lang", LANGUAGES)
def test_agencies_stand_by_kind_and_from_a_to_z_each_with_its_state(pages, lang):
    page = pages[f"{lang}/agencies/index.html"]
    by_kind = [link.get("href") for link in page.findall(".//section[@id='kinds']/details//li/a")]
    by_letter = [link.get("href") for link in page.findall(".//section[@id='here']/ul//li/a")]
    assert sorted(by_kind) == sorted(by_letter)
    own = {f"{PREFIX}/{lang}/agencies/{one}" for one in PACK.agencies}
    assert own == set(by_letter)
    ids = {one.get("id") for one in page.iter() if one.get("id")}
    letters = page.findall(".//section[@id='here']/nav//a")
    assert len(letters) > 3
    assert all(link.get("href").removeprefix("#") in ids for link in letters)
    for row in page.findall(".//section[@id='here']/ul/li"):
        assert text_of(row.find("span[@class='quiet']")), "each agency has its state"


def test_the_first_page_says_in_sentences_what_it_counted_twice(pages):
    page = pages["fr/index.html"]
    short = text_of(page.find(".//section[@id='short']"))
    assert "à risque élevé ou inacceptable" in short
    assert "contestées" in short
    links = {link.get("href") for link in page.findall(".//main//a")}
    assert f"{PREFIX}/fr/life/benefit" in links or any("/fr/life/" in link for link in links)
    assert f"{PREFIX}/fr/sectors/social_protection" in links


def test_a_number_in_the_table_of_levels_says_of_what(pages):
    for lang in LANGUAGES:
        table = pages[f"{lang}/risk/index.html"].find(".//table[@class='crossed stack']")
        links = [text_of(link) for link in table.findall(".//td/a")]
        assert links
        assert not [words for words in links if words.isdecimal()]
        assert len(set(links)) == len(links)


def test_what_is_not_stated_most_often_leads_to_the_records(pages):
    rows = pages["fr/statistics.html"].findall(".//section[@id='silence']//tbody/tr")
    links = [row.find("th/a").get("href") for row in rows]
    assert links
    assert all(link.startswith(f"{PREFIX}/fr/search?lacks=") for link in links)
