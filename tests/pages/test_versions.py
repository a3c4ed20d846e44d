"""Each version's page, and any two beside each other, without a script."""

from __future__ import annotations

import msgspec

from registry.pages.page import page_file

from .conftest import demonstration, earlier_versions
from .test_html import text_of

RECORD = "records/demo-sante/triage-radiographies"


def texts(page, tag):
    return [text_of(element) for element in page.find(".//section[@id='changes']").iter(tag)]


def test_every_version_of_every_record_has_its_page(pages):
    earlier = earlier_versions()
    for record in demonstration():
        number = len(earlier.get(record.id, ())) + 1
        for version in range(1, number + 1):
            page = pages[page_file(f"/fr/records/{record.id}/versions/{version}")]
            assert page.find(".//meta[@name='robots']").get("content") == "noindex"
        assert page_file(f"/fr/records/{record.id}/versions/{number + 1}") not in pages
        assert (page_file(f"/fr/records/{record.id}/compare") in pages) == (number > 1)


def test_a_version_shows_what_it_changed_word_by_word(pages):
    page = pages[f"fr/{RECORD}/versions/3.html"]
    section = page.find(".//section[@id='changes']")
    assert "Niveau de risque relevé de limité à élevé" in text_of(section)
    assert "Date du changement, selon l’organisme : 1er septembre 2026" in text_of(section)
    moved = section.find(".//p[@class='move']")
    badges = [part for part in moved if "badge" in part.get("class")]
    assert [text_of(badge) for badge in badges] == ["Risque limité", "Risque élevé"]
    summary = next(
        item
        for item in section.iter("p")
        if item.get("class") == "diff" and "thorax" in text_of(item)
    )
    assert [text_of(part) for part in summary.iter("del")][:1] == ["Marque"]
    assert [text_of(part) for part in summary.iter("ins")][:1] == ["Classe"]
    before = "".join(part for part in words(summary, "ins"))
    documents = [msgspec.json.decode(one.document) for one in earlier_versions()[RECORD[8:]]]
    assert before == documents[1]["summary"]["fr"]


def words(element, without):
    """The texts of an element in order, but those of a mark."""
    yield element.text or ""
    for part in element:
        if part.tag != without:
            yield part.text or ""
        yield part.tail or ""


def test_other_languages_of_a_text_stand_under_it_with_their_direction(pages):
    page = pages[f"fr/{RECORD}/versions/3.html"]
    folded = page.find(".//section[@id='changes']//details")
    lines = [line for line in folded.iter("p") if line.get("class") == "diff"]
    assert [(line.get("lang"), line.get("dir")) for line in lines] == [("ar", "rtl"), ("en", "ltr")]


def test_a_code_is_shown_by_its_label_and_a_number_whole(pages):
    page = pages[f"fr/{RECORD}/versions/3.html"]
    section = page.find(".//section[@id='changes']")
    told = [
        [text_of(side.find("del" if side.get("class") == "was" else "ins")) for side in change]
        for change in section.iter("div")
        if change.get("class") == "diff"
    ]
    assert ["Informe un agent", "Recommande une décision"] in told
    assert ["2.4.0", "3.1.0"] in told
    assert ["0,926", "0,941"] in told


def test_the_first_version_has_nothing_before_it(pages):
    page = pages[f"en/{RECORD}/versions/1.html"]
    assert texts(page, "ins") == texts(page, "del") == []
    assert "This is the first version" in text_of(page.find(".//section[@id='changes']"))
    # It was followed by others: what it said stands on its own page.
    assert page.find(".//section[@id='purpose']") is not None
    assert "An earlier version." in text_of(page.find(".//*[@class='notice past']"))


def test_the_version_in_force_leads_to_the_record(pages):
    page = pages[f"fr/{RECORD}/versions/3.html"]
    assert page.find(".//section[@id='purpose']") is None
    links = [link.get("href") for link in page.findall(".//section[@id='whole']//a")]
    assert links == [f"/sub/fr/{RECORD}"]


def test_the_versions_of_a_withdrawn_record_stay_and_say_so(pages):
    page = pages["fr/records/demo-sante/gone/versions/1.html"]
    assert page.get("data-status") is None
    assert "Cette fiche a été retirée" in text_of(page.find(".//*[@class='notice withdrawn']"))


def test_the_latest_two_versions_stand_beside_each_other_and_any_two_are_asked_for(pages):
    page = pages[f"ar/{RECORD}/compare.html"]
    [section] = page.findall(".//div[@class='compared text']/section[@id='v2-3']")
    assert list(section.iter("ins"))
    assert list(section.iter("del"))
    form = page.find(".//form[@id='choose']")
    assert form.get("action") == f"/sub/ar/{RECORD}/compare"
    for name, chosen in (("from", "2"), ("to", "3")):
        options = form.findall(f".//select[@name='{name}']/option")
        assert [option.get("value") for option in options] == ["3", "2", "1"]
        assert [o.get("value") for o in options if o.get("selected") is not None] == [chosen]
    steps = [link.get("href") for link in page.findall(".//section[@id='steps']//a")]
    assert steps == [f"/sub/ar/{RECORD}/versions/{number}" for number in (3, 2, 1)]
