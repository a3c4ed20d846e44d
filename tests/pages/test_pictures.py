"""Pictures that others show of a page: their size, their letters, and when they are drawn again."""

from __future__ import annotations

import json
import struct

import html5lib
import msgspec
import pytest

from registry.pages.pictures import draw, set_lines
from registry.pages.reader import Text
from registry.pages.site import open_site
from registry.pages.views.home import week_view

from .conftest import FILED, Rendered, make_corpus
from .test_html import text_of

ONE = "records/demo-sante/triage-radiographies"
OTHER = "records/demo-services/aide-energie-hivernale"
MOST_BYTES = 60_000


@pytest.fixture(scope="module")
def site():
    return Rendered(make_corpus())


def size(png):
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


def meta(page, name):
    (found,) = [one.get("content") for one in page.iter("meta") if one.get("property") == name]
    return found


def letters(text):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="40" viewBox="0 0 90 40">'
    return draw(f'{svg}<text y="28" font-size="24" font-family="Noto Sans">{text}</text></svg>', 90)


def test_each_record_has_a_card_of_its_own_in_the_language_of_the_page(site):
    seen = set()
    for tag in ("ar", "fr", "en"):
        for path in (ONE, OTHER):
            page = site.page(f"{tag}/{path}.html")
            assert meta(page, "og:image") == f"https://register.example/sub/{tag}/{path}/card.png"
            words = meta(page, "og:image:alt")
            assert words.startswith(text_of(page.find(".//h1")).strip())
            assert text_of(page.find(".//header//span[@class='badge risk-high']")).strip() in words
            card = site.pages[f"{tag}/{path}/card.png"].render()
            assert size(card) == (800, 420)
            assert len(card) <= MOST_BYTES
            seen.add(card)
    assert len(seen) == 6
    # Where the site is set in another language and the record has no name in the reader's.
    words = meta(site.page(f"zgh/{ONE}.html"), "og:image")
    assert words == f"https://register.example/sub/ar/{ONE}/card.png"
    copied = site.page("fr/records/us.demo/letter-sorting.html")
    assert "/assets/card." in meta(copied, "og:image")


def test_a_card_is_drawn_again_only_when_what_it_shows_has_changed(site):
    corpus = make_corpus()
    records = list(corpus.records)
    at = next(n for n, one in enumerate(records) if f"records/{one.id}" == ONE)
    document = json.loads(records[at].document)

    def key(**changed):
        raw = json.dumps(document | changed, ensure_ascii=False).encode()
        records[at] = msgspec.structs.replace(records[at], document=raw)
        made = Rendered(msgspec.structs.replace(corpus, records=records))
        return made.pages[f"fr/{ONE}/card.png"].key

    before = site.pages[f"fr/{ONE}/card.png"].key
    assert key(summary={"fr": "Autre résumé."}) == before
    assert key(name={"fr": "Autre nom"}) != before


def test_arabic_letters_join_and_every_letter_of_the_records_is_there(site):
    joined, apart = letters("سلام"), letters("س\u200cل\u200cا\u200cم")
    assert joined != apart
    missing = letters("\ue000")
    names = [
        text
        for one in make_corpus().records
        for text in json.loads(one.document).get("name", {}).values()
    ]
    used = sorted({letter for name in names for letter in name if letter.strip()})
    assert [letter for letter in used if letter not in "&<" and letters(letter) == missing] == []


def test_long_names_stay_on_the_card():
    text = Text(text="Anticonstitutionnellement " * 9, lang="fr", dir="ltr", differs=False)
    lines = set_lines(text, 18, 3)
    assert len(lines) == 3
    assert lines[-1].endswith("…\u2069")
    assert set_lines(msgspec.structs.replace(text, text="كلمة", dir="rtl"), 18) == [
        "\u2067كلمة\u2069"
    ]


def test_what_may_be_framed_has_no_script_and_leads_back(site):
    for path, back in ((ONE, ONE), ("statistics/levels", "statistics#levels")):
        page = site.page(f"fr/{path}/embed.html")
        assert page.findall(".//script") == page.findall(".//form") == []
        links = [one.get("href") for one in page.findall(".//footer//a")]
        assert links == [f"https://register.example/sub/fr/{back}"]
        assert page.find(".//base").get("target") == "_blank"
        shown = text_of(site.page(f"fr/{back.partition('#')[0]}.html"))
        assert f'<iframe src="https://register.example/sub/fr/{path}/embed"' in shown


def changed(path, **members):
    """The corpus with other members in a record, or with a record that is not fictitious."""
    corpus = make_corpus()
    fictitious = members.pop("fictitious", True)
    records = [
        msgspec.structs.replace(
            one,
            document=json.dumps(json.loads(one.document) | members).encode(),
            register=msgspec.structs.replace(one.register, fictitious=fictitious),
        )
        if f"records/{one.id}" == path
        else one
        for one in corpus.records
    ]
    return msgspec.structs.replace(corpus, records=records)


def test_a_name_is_text_in_the_lines_to_copy():
    name = 'Tri "A" <b>&amp;'
    page = Rendered(changed(ONE, name={"fr": name})).page(f"fr/{ONE}.html")
    [lines] = [text_of(one) for one in page.iter("code") if "<iframe" in text_of(one)]
    copied = html5lib.parseFragment(lines, namespaceHTMLElements=False).find("iframe")
    assert copied.get("title").startswith(name)
    assert set(copied.attrib) == {"src", "title", "width", "height", "loading", "style"}


def test_a_demonstration_says_so_in_what_others_show_of_its_figures(site, monkeypatch):
    monkeypatch.setattr("registry.pages.pictures.draw", lambda svg, _: svg.encode())
    real = Rendered(changed(ONE, fictitious=False))
    for shown, says in ((site, True), (real, False)):
        for path in ("statistics/levels.png", "changes/week.png", "statistics/levels/embed.html"):
            content = shown.pages[f"fr/{path}"].render().decode()
            assert ("Démonstration." in content) == says, path


def test_the_week_of_a_register_with_real_records_counts_no_examples():
    corpus = changed(ONE, fictitious=False)
    corpus = msgspec.structs.replace(corpus, as_of=FILED)
    site = open_site(corpus, "https://register.example")
    seen = week_view(site.editions["fr"].reader, site)
    filed = site.records[ONE.removeprefix("records/")]
    assert seen["new"] + seen["changed"] == len(filed.versions) > 0
    assert len(seen["names"]) == 1


def test_the_pictures_of_the_home_page_say_their_day_and_entry(site):
    for tag in ("ar", "fr", "zgh", "en"):
        assert size(site.pages[f"{tag}/statistics/levels.png"].render()) == (1600, 840)
        assert len(site.pages[f"{tag}/changes/week.png"].render()) <= MOST_BYTES
    home = site.page("fr/index.html")
    title = text_of(home.find(".//h2[@id='levels-title']"))
    assert meta(home, "og:image").endswith("/fr/statistics/levels-card.png")
    assert meta(home, "og:image:alt").split() == title.split()
