"""All questions: each fact that can be asked has a form, whose question the search answers."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from registry import resources
from registry.api.parameters import MOST_VALUES
from registry.api.search_filters import MOST_FACTS
from registry.pages.views.answer_pages import sections
from registry.record.dimensions import dimensions, read_values, values_in
from registry.record.facts import answer_kinds, facts
from tests.pages.conftest import Rendered, make_corpus
from tests.pages.test_html import text_of
from tests.web.conftest import parse

MOST_BYTES = 100_000


@pytest.fixture(scope="module")
def site():
    return Rendered(make_corpus(demonstrated=False))


@pytest.fixture(scope="module")
def stated():
    """What the complete example states of each fact: what somebody may type."""
    path = resources.SCHEMAS / "examples" / "complete.json"
    document = json.loads(path.read_text("utf-8"))
    return values_in(read_values(document, answer_kinds(document)))[0]


def typed_into(field, stated):
    """Return a number, the day that the field shows, or what the example states; else a name."""
    if field.get("type") == "number":
        return "250000"
    return field.get("placeholder") or (stated or ["Ministère"])[0]


def asked_by(page, stated):
    """Return the parameters of each form of a page: all that is to choose, what is to be typed."""
    for section in page.findall(".//section[@class='question']"):
        name, form = section.get("id"), section.find("form")
        assert form.get("action").endswith("/search")
        if (choice := form.find("select")) is not None:
            options = [option.get("value") for option in choice.findall("option")]
            assert all(text_of(option) for option in choice.findall("option"))
            yield name, [(choice.get("name"), option) for option in options[:MOST_VALUES]]
        else:
            yield (
                name,
                [
                    (field.get("name"), typed_into(field, stated.get(name)))
                    for field in form.iter("input")
                ],
            )


async def test_the_question_of_every_fact_is_answered(site, stated, reader):
    pages = [site.page(f"fr/questions/{section}.html") for section in sections()]
    forms = dict(form for page in pages for form in asked_by(page, stated))
    assert forms.keys() == dimensions().keys()
    links = [link.get("href") for page in pages for link in page.findall(".//section/p/a")]
    silent = [pair for link in links for pair in parse_qsl(urlsplit(link).query)]
    asked = dimensions().keys() & facts().keys()
    assert sorted(silent) == sorted((kind, name) for kind in ("has", "lacks") for name in asked)
    for questions in ([*forms.values()], [[pair] for pair in silent]):
        for start in range(0, len(questions), MOST_FACTS):
            together = [pair for one in questions[start : start + MOST_FACTS] for pair in one]
            answer = await reader.get(f"/fr/search?{urlencode(together)}")
            assert answer.status_code == 200, text_of(parse(answer).find(".//*[@id='fault']"))


async def test_an_end_of_a_range_that_is_left_empty_is_left_out_of_the_address(reader):
    asked = "lifecycle.deployed_on.from=2024&lifecycle.deployed_on.until="
    answer = await reader.get(f"/fr/search?{asked}")
    assert answer.status_code == 303
    address = urlsplit(answer.headers["location"])
    assert (address.path, address.query) == ("/fr/search", "lifecycle.deployed_on.from=2024")
    nothing = await reader.get("/ar/search?risk.aia.level.from=&risk.aia.level.until=")
    assert nothing.headers["location"] == "/ar/search"
    assert (await reader.get(f"/api/v1/records?{asked}")).status_code == 400


def test_the_list_leads_to_each_form_and_no_page_is_large(site):
    for lang in ("ar", "fr", "en", "zgh"):
        files = [f"{lang}/questions/{section}.html" for section in sections()]
        there = {
            f"/{file.removesuffix('.html')}#{section.get('id')}"
            for file in files
            for section in site.page(file).findall(".//section[@class='question']")
        }
        listed = site.page(f"{lang}/questions.html").findall(".//details//a")
        assert {link.get("href").removeprefix("/sub") for link in listed} == there
        assert all(text_of(link) for link in listed)
        sizes = {
            file: len(site.pages[file].render()) for file in [f"{lang}/questions.html", *files]
        }
        assert {file: size for file, size in sizes.items() if size > MOST_BYTES} == {}


@pytest.mark.parametrize(
    ("lang", "title", "severity"),
    [("ar", "كل الأسئلة", "خطير"), ("fr", "Toutes les questions", "Grave")],
)
def test_a_form_has_the_words_of_the_reader(site, lang, title, severity):
    page = site.page(f"{lang}/questions/evaluation.html")
    assert text_of(page.find(".//main//p[@class='over']/a")) == title
    form = page.find(".//section[@id='evaluation.incidents.severity']/form")
    assert severity in [text_of(option) for option in form.iter("option")]
    for other in ("search", "api"):
        links = site.page(f"{lang}/{other}.html").findall(".//main//a")
        leading = [one for one in links if one.get("href", "").endswith(f"/{lang}/questions")]
        assert title.lower() in [text_of(link).lower() for link in leading]
