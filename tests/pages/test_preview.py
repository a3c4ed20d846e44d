"""A preview: the page of the record, made from a draft, whatever that lacks."""

import json

import html5lib
import pytest

from registry import resources
from registry.pages.assets import read_assets
from registry.pages.editions import open_editions
from registry.pages.site import render
from registry.pages.views.review_view import preview_site, preview_view
from registry.record.requirements import units
from registry.record.validate import draft_findings
from tests.built import TEMPLATES

from .conftest import FILED, LANGUAGES, PACK, stored

COMPLETE = json.loads((resources.SCHEMAS / "examples/complete.json").read_text("utf-8"))
TODAY = FILED.date()
ADDRESSES = {tag: f"/office/preview/x/{tag}" for tag in LANGUAGES}
UNTRUE = {"versions", "similar", "cite", "proof"}
"""The sections of a record's page that only the log can fill."""


@pytest.fixture(scope="module")
def assets():
    return read_assets(resources.SITE)


@pytest.fixture(scope="module")
def editions(assets):
    return open_editions(PACK, assets, "https://register.example/sub", bytecode=TEMPLATES)


@pytest.fixture
def rendered(assets, editions):
    def make(document, tag, *related, **more):
        record = stored(document, entry=-1, hash="")
        site = preview_site(
            record,
            related,
            pack=PACK,
            editions=editions,
            assets=assets,
            base_url="https://register.example/sub",
            now=FILED,
        )

        def view():
            facts = {"addresses": ADDRESSES, "errors": 2} | more
            view = preview_view(editions[tag].reader, record, site, **facts)
            return view | {"asset": lambda name: f"/office/assets/{name}"}

        page = render(editions[tag], f"records/{record.id}", "console/preview.html", view)
        return page.decode()

    return make


@pytest.fixture
def preview(rendered):
    def make(*given, **more):
        text = rendered(*given, **more)
        return text, html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)

    return make


@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_preview_says_that_it_is_not_published_and_nothing_that_is_untrue(preview, tag):
    text, page = preview(COMPLETE, tag)
    assert page.get("lang") == ("ar" if tag == "zgh" else tag)
    assert page.find(".//meta[@name='robots']").get("content") == "noindex"
    [banner] = page.findall(".//aside[@class='unpublished']")
    assert banner.find(".//strong") is not None
    shown = {one.get("id") for one in page.iter("section")}
    assert {"you", "purpose", "risk", "data"} <= shown
    assert not shown & UNTRUE
    linked = {link.get("href") for link in page.iter("a")}
    assert not linked & {f"#{one}" for one in UNTRUE}
    assert {ADDRESSES[other] for other in LANGUAGES if other != tag} <= linked
    for untrue in ("/api/v1/records/", "<script", "canonical", f"records/{COMPLETE['id']}"):
        assert untrue not in text


def without(document):
    """Every document that lacks one member of another, at any depth; of lists, their items."""
    if isinstance(document, dict):
        for name, member in document.items():
            rest = {other: value for other, value in document.items() if other != name}
            yield rest
            for less in without(member):
                yield rest | {name: less}
    elif isinstance(document, list):
        for number, item in enumerate(document):
            yield [*document[:number], *document[number + 1 :]]
            for less in without(item):
                yield [*document[:number], less, *document[number + 1 :]]


def only(document):
    """Every document of which one member, or one item, is all there is, all the way down."""
    if isinstance(document, dict):
        for name, member in document.items():
            for one in only(member):
                yield {name: one}
    elif isinstance(document, list) and document:
        for item in document:
            for one in only(item):
                yield [one]
    else:
        yield document


def test_a_draft_is_shown_whatever_it_lacks(rendered, preview, pack):
    """Each is rendered, and every eleventh, in each language by turns, parsed strictly too."""
    faults = {}
    drafts = [
        less
        for less in (*without(COMPLETE), *({"id": COMPLETE["id"]} | one for one in only(COMPLETE)))
        if less.get("id") and not draft_findings(less, pack=pack)[0]
    ]
    for number, draft in enumerate(drafts):
        tag = list(LANGUAGES)[number % len(LANGUAGES)]
        try:
            (rendered if number % 11 else preview)(draft, tag)
        except Exception as error:  # noqa: BLE001  named below
            faults[repr(error)] = (tag, json.dumps(draft, ensure_ascii=False)[:500])
    assert len(drafts) > 300
    assert faults == {}


def test_a_preview_links_the_records_that_the_draft_names(preview):
    named = {"id": "demo-sante/other", "name": {"fr": "Autre système"}}
    draft = {
        "id": "demo-sante/one",
        "related_records": [
            {"relation": "part_of", "record": named["id"]},
            {"relation": "part_of", "record": "demo-sante/nothing"},
        ],
    }
    _, page = preview(draft, "fr", stored(named))
    [link] = [one for one in page.iter("a") if named["id"] in one.get("href")]
    assert "".join(link.itertext()) == "Autre système"


def test_a_link_for_others_says_until_when(preview):
    text, _ = preview(COMPLETE, "fr", until=FILED.date())
    assert "jusqu’au" in text
    assert "Retour au brouillon" not in text
    text, _ = preview(COMPLETE, "fr", back="/office/fr/records/x")
    assert 'href="/office/fr/records/x"' in text


def test_what_no_template_places_is_shown_by_rule(preview):
    _, page = preview(COMPLETE, "en")
    shown = " ".join(" ".join(page.itertext()).split())
    hidden = [one.pointer for one in units() if one.voluntary and one.field.title not in shown]
    assert not hidden
    assert "MAD 310,000" in shown.replace("\xa0", " ")
    table = page.find(".//div[@aria-label='Outcomes']/table")
    heads = [" ".join(head.itertext()) for head in table.iter("th")]
    assert [heads[0], heads[-1]] == ["Period", "Overturned"]
    rows = [
        [" ".join(cell.itertext()).strip() for cell in row.iter("td")] for row in table.iter("tr")
    ]
    assert rows[-1][1:] == ["20,450", "19,870", "580", "20,450", "31", "9"]


def test_a_voluntary_field_that_is_withheld_says_so(preview):
    document = json.loads(json.dumps(COMPLETE))
    del document["procurement"]["running_cost"]
    entry = {
        "pointer": "/procurement/running_cost",
        "ground": "state_security",
        "until": "2027-01-31",
    }
    document["publication"]["withheld_fields"].append(entry)
    _, page = preview(document, "en")
    [said] = [
        one
        for one in page.find(".//section[@id='supplier']").iter("div")
        if (one.find("dt") is not None) and "Running cost" in "".join(one.find("dt").itertext())
    ]
    assert "Withheld" in "".join(said.itertext())
    assert "Withheld until" in "".join(page.find(".//section[@id='withheld']").itertext())


def answer(observation, said):
    return {"observation": observation, "text": {"ar": "جواب", "fr": said}, "date": "2026-09-30"}


def test_an_answer_stands_beside_its_observation_and_after_what_holds_where_it_does_not(preview):
    document = json.loads(json.dumps(COMPLETE))
    document["evaluation"]["outcomes"] = [{"period": "2025", "contested": 3, "overturned": 2}]
    document["publication"]["answers"] = [
        answer("contract_over", "Un contrat nouveau est signé."),
        answer("mostly_overturned", "Les seuils ont été revus."),
        None,  # erased
    ]
    _, page = preview(document, "fr")
    box = page.find(".//section[@id='observations']")
    shown, others = [
        [" ".join(" ".join(item.itertext()).split()) for item in part.iter("li")]
        for part in box.iter("ul")
    ]
    [beside] = [one for one in shown if "Les seuils ont été revus." in one]
    assert "Plus de la moitié des décisions contestées" in beside
    assert "Ce que répond l’organisme, 30 septembre 2026" in beside
    assert len(shown) > 1
    [after] = others
    assert "le contrat indiqué est arrivé à son terme" in after
    assert "Un contrat nouveau est signé." in after
    assert "Un contrat nouveau" not in " ".join(shown)


def test_an_answer_is_shown_where_no_observation_holds(preview):
    document = json.loads(json.dumps(COMPLETE))
    document["risk"]["level"] = "limited"
    del document["assessments"], document["risk"]["annex_iii_area"]
    document["publication"]["answers"] = [answer("contract_over", "Un contrat nouveau est signé.")]
    _, page = preview(document, "fr")
    box = page.find(".//section[@id='observations']")
    assert ["".join(head.itertext()) for head in box.iter("h2")] == ["Ce que répond l’organisme"]
    assert "Un contrat nouveau est signé." in "".join(box.itertext())
