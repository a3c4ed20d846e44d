"""The finder's files: the page, the labels, and the index beside the pages."""

from __future__ import annotations

import re

import msgspec
import pytest

from registry import resources
from registry.pages.views import static_index
from registry.pages.views.finder import HEADINGS
from registry.pages.views.static_index import SHARDS, shard_of
from registry.record.facets import SINGLE
from registry.search.labels import arabizi_of
from registry.text.tokens import article_variants, stem, words

from .conftest import FOREIGN, Rendered, make_corpus, stored
from .test_html import text_of

LANGUAGES = ("ar", "fr", "zgh", "en")


def read(site, name):
    return msgspec.json.decode((site / "find" / f"{name}.json").read_bytes())


@pytest.fixture(scope="module")
def index(site):
    return read(site, "index")


@pytest.fixture(scope="module")
def cards(site, index):
    return [
        card
        for part in range(-(-len(index["entry"]) // index["chunk"]))
        for card in read(site, f"cards-{part}")
    ]


def in_force(cards):
    """The cards that are there: at the number of a withdrawn record there is none."""
    return [card for card in cards if card is not None]


def found(site, cards, word):
    """The ids that the index has under a word, by tier."""
    postings = read(site, f"words-{shard_of(word)}").get(word, [[], [], []])
    return [{cards[number]["id"] for number in numbers} for numbers in postings]


def test_the_index_has_every_record_in_force_and_no_other(corpus, index, cards):
    shown = {one.id: one for one in corpus.records if one.register.state != "withdrawn"}
    assert {card["id"] for card in in_force(cards)} == shown.keys()
    assert len(cards) == len(corpus.records) == len(index["entry"])
    assert index["entry"] == [card and shown[card["id"]].register.entry for card in cards]
    assert index["left_out"] == 0


def test_records_are_numbered_by_when_they_first_came(corpus, cards):
    first = {one.id: one.versions[0].entry for one in corpus.records}
    entries = [first[card["id"]] for card in in_force(cards)]
    assert entries == sorted(entries)


def test_its_columns_say_what_the_cards_say(index, cards):
    assert index["codes"].keys() == index["columns"].keys() == set(SINGLE)
    for name in ("risk", "sector", "agency", "status"):
        codes, column = index["codes"][name], index["columns"][name]
        assert [at if at is None else codes[at] for at in column] == [
            card and card[name] for card in cards
        ]
    assert index["completeness"] == [card and card["completeness"] for card in cards]
    places = [place for place in index["by_name"] if place is not None]
    assert sorted(places) == list(range(len(in_force(cards))))


def test_a_word_is_found_folded_and_by_its_stem(site, cards):
    as_written, by_stem = (
        found(site, cards, word)[0] for word in ("radiographies", stem("radiographies", "fr"))
    )
    assert "demo-sante/triage-radiographies" in as_written <= by_stem
    summary = set().union(*found(site, cards, "sante"))
    assert "demo-sante/prevision-lits" in summary


def test_every_word_of_a_name_is_in_the_index(site, cards):
    shards = {number: read(site, f"words-{number}") for number in range(SHARDS)}
    checked = 0
    for number, card in enumerate(cards):
        for lang, text in ((card and card["name"]) or {}).items():
            for word in (article_variants(written, lang)[-1] for written in words(text)):
                assert number in shards[shard_of(word)][word][0], (card["id"], word)
                checked += 1
    assert checked > 500


def test_what_is_restricted_or_withdrawn_tells_nothing_by_the_index(site, cards):
    restricted = next(card for card in in_force(cards) if card["id"] == "demo-securite/restricted")
    assert restricted["name"] is restricted["summary"] is None
    everything = "".join(path.read_text("utf-8") for path in site.glob("find/*.json"))
    assert "retire" not in read(site, f"words-{shard_of('retire')}").get("retire", [[]])[0]
    assert "demo-sante/gone" not in everything


def test_past_the_limit_copies_from_other_registers_are_left_out(monkeypatch):
    monkeypatch.setattr(static_index, "MOST", 3)
    more = [stored(FOREIGN | {"id": f"us.demo/n-{n}"}, origin="us-demo") for n in range(5)]
    site = Rendered(make_corpus(*more, demonstrated=False))
    assert msgspec.json.decode(site.text("find/index.json"))["left_out"] == 6
    cards = in_force(msgspec.json.decode(site.text("find/cards-0.json")))
    assert cards
    assert all(card["origin"] is None for card in cards)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_labels_name_every_code_of_every_record(site, index, lang):
    labels = read(site, lang)
    for name in HEADINGS:
        for code in index["codes"].get(name, ()):
            if name != "agency" or code != "us.demo":
                assert labels[name][code][0].strip(), (name, code)


def test_a_label_in_another_language_says_which(site):
    assert read(site, "fr")["risk"]["high"] == ["Risque élevé"]
    assert read(site, "fr")["agency"]["us.demo"] == ["Department of Letters", "en"]
    # Tamazight pages are set in Arabic, which most of their words are in.
    assert len(read(site, "zgh")["status"]["not_stated"]) == 1
    assert read(site, "zgh")["sector"]["health"] == ["ⵜⴰⴷⵓⵙⵉ", "zgh"]


@pytest.mark.parametrize(
    ("tag", "gone", "country"),
    [
        ("ar", "لم تعد في مصدرها", "الولايات المتحدة"),
        ("fr", "N’est plus dans sa source", "États-Unis"),
        ("en", "No longer at its source", "United States"),
    ],
)
def test_the_state_at_the_source_and_the_country_of_a_register_have_words(site, tag, gone, country):
    labels = read(site, tag)
    assert labels["source_state"]["gone"] == [gone]
    assert labels["source_state"].keys() == {"gone", "present"}
    assert labels["origin"]["us-demo"][0] == f"A demo inventory ({country})"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_a_script_the_page_leads_to_every_list(pages, lang):
    page = pages[f"{lang}/search.html"]
    links = {link.get("href") for link in page.findall(".//section[@id='browse']//a")}
    kinds = ("sectors", "risk", "agencies", "regions", "status")
    assert links == {f"/sub/{lang}/{kind}/" for kind in kinds}
    assert text_of(page.find(".//noscript"))
    assert page.find(".//form").get("action") == f"/sub/{lang}/search"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_has_every_template_that_the_script_clones(pages, lang):
    script = (resources.SITE / "scripts" / "finder.js").read_text("utf-8")
    script += (resources.SITE / "scripts" / "hits.js").read_text("utf-8")
    named = set(re.findall(r'\b(?:made|turn)\("([\w-]+)"', script)) | {"found-other"}
    assert len(named) > 5
    page = pages[f"{lang}/search.html"]
    assert named <= {template.get("id") for template in page.iter("template")}
    wanted = set(re.findall(r'\bat\("([\w-]+)"\)', script))
    ids = {element.get("id") for element in page.iter()}
    assert wanted - ids <= {"q"}


def test_scripts_ask_for_each_other_by_their_own_names(site):
    scripts = {path.name: path.read_text("utf-8") for path in site.glob("assets/*.js")}
    assert len(scripts) == len(list(resources.SITE.glob("scripts/*.js")))
    for text in scripts.values():
        for name in re.findall(r'(?:from|import) "\./([^"]+)"', text):
            assert name in scripts


def test_the_lists_of_a_level_in_a_sector(pages):
    table = pages["fr/risk/index.html"].find(".//table[@class='crossed stack']")
    linked = {link.get("href"): text_of(link) for link in table.iter("a")}
    cells = {href: text for href, text in linked.items() if href.startswith("/sub/fr/risk/")}
    assert len(cells) > 10
    for href, count in cells.items():
        page = pages[f"{href.removeprefix('/sub/')}.html"]
        rows = [item for item in page.iter("li") if item.get("class") == "record"]
        # The number, and for a screen reader what it is the number of.
        assert len(rows) == int(count.partition(",")[0]), href


@pytest.mark.parametrize("path", ["fr/index.html", "fr/search.html", "fr/agencies/index.html"])
def test_a_page_fetches_its_scripts_all_at_once(pages, path):
    head = pages[path].find("head")
    (entry,) = [one.get("src") for one in head.findall("script[@type='module']")]
    early = {one.get("href") for one in head.findall("link[@rel='modulepreload']")}
    assert {_script(one) for one in early} == _imported(_script(entry))


def _script(address):
    return re.sub(r".*/(\w+)\.\w+\.js", r"\1.js", address)


def _imported(name):
    """The scripts that one imports at its top, and those that they import."""
    text = (resources.SITE / "scripts" / name).read_text("utf-8")
    found = set(re.findall(r'^import .*"\./([\w-]+\.js)";$', text, re.MULTILINE))
    return found.union(*map(_imported, found))


def test_a_copy_has_the_spellings_that_the_register_reads(site, pack):
    table = read(site, "arabizi")
    known = {written: re.compile(spellings) for written, spellings, *_ in table["words"]}
    index = arabizi_of(pack)
    for typed in ("dariba", "sbitar", "ro5sa"):
        [first, *_] = index.spelt(typed)
        assert known[first].fullmatch(typed)
    assert re.sub(table["particle"], "", "flmadrasa") == "madrasa"
