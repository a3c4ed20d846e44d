"""Pages of words and manuals: their parts in every language, their links, what is made of what."""

from __future__ import annotations

import datetime as dt
import re
from functools import partial

import msgspec
import pytest
from lxml import html

from registry import resources
from registry.api.app import describe_api
from registry.errors import ConfigurationError
from registry.pages.assets import read_assets
from registry.pages.editions import open_editions
from registry.pages.site import render
from registry.pages.views.letter_pages import contest_view
from registry.pages.views.prose_pages import PAGES, read_operations
from registry.record.pack import load_pack, steps_on
from registry.record.schema import fields
from registry.settings import Settings, from_environment
from tools.format_docs.pages import SECTIONS

from .conftest import SETTINGS, Rendered, make_corpus
from .test_html import text_of

LANGUAGES = ("ar", "fr", "zgh", "en")
NAMES = (*PAGES, "contest", "api", "format")


def anchors(name, lang):
    text = (resources.LANGUAGES / lang / "texts" / f"{name}.md").read_text("utf-8")
    assert text.startswith("# ")
    return re.findall(r"\{#([\w-]+)\}", text)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_of_words_has_the_same_parts_in_every_language(name):
    assert anchors(name, "en") == anchors(name, "fr") == anchors(name, "ar")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_of_words_says_in_which_language_it_is(pages, name, lang):
    path = f"{lang}/format/index.html" if name == "format" else f"{lang}/{name}.html"
    article = pages[path].find(".//article")
    assert article.get("lang") is None
    assert pages[path].get("lang") == ("ar" if lang == "zgh" else lang)
    assert len(text_of(article)) > 200


SAID = {
    "en": (
        "Do this within 60 days of the day on which you received the decision.",
        "No answer within 60 days counts as a refusal.",
        "Not compulsory: you may go to court without it.",
        "While you wait for the answer, the time limit of the court does not run out.",
        "You have a right to an answer within 20 working days. If none comes, take the next step.",
        "Compulsory: no court hears this matter before this step.",
    ),
    "fr": (
        "Faites-le dans les 60 jours suivant le jour où vous avez reçu la décision.",
        "L’absence de réponse dans les 60 jours vaut refus.",
        "Facultatif : vous pouvez saisir le juge sans cela.",
        "Pendant que vous attendez la réponse, le délai du tribunal n’expire pas.",
        "Vous avez droit à une réponse dans les 20 jours ouvrables.",
        "Obligatoire : aucun juge n’examine cette question avant cette étape.",
    ),
    "ar": (
        "قم بذلك داخل 60 يوما من يوم توصلك بالقرار.",
        "عدم الجواب داخل 60 يوما يعد رفضا.",
        "غير إلزامي: يمكنك اللجوء إلى المحكمة من دونه. ما دمت تنتظر الجواب، لا ينقضي أجل المحكمة.",
        "من حقك أن تتوصل بجواب داخل 20 يوم عمل.",
        "إلزامي: لا تنظر أي محكمة في هذه المسألة قبل هذه الخطوة.",
    ),
}
"""What the complaint and the request for information say in Morocco."""


def test_who_can_help_with_what_and_by_when_stands_under_how_to_contest(pages, corpus):
    helpers = steps_on(corpus.pack, corpus.as_of.date())
    for lang in LANGUAGES:
        page = pages[f"{lang}/contest.html"]
        section = page.find(".//section[@id='bodies']")
        rows = section.findall("./ol/li")
        assert len(rows) == len(helpers)
        steps = [int(text_of(row.find(".//span[@class='step']"))) for row in rows]
        assert steps == [number for number, _ in helpers] == sorted(steps)
        said_in = "ar" if lang == "zgh" else lang
        for row, (_, step) in zip(rows, helpers, strict=True):
            told = "".join(text_of(row).split())
            for text in (step.purpose, corpus.pack.laws[step.law]):
                assert "".join(text[said_in].split()) in told, step.code
            assert len(row.findall(".//span[@class='mark']")) == 1
        told = "".join(text_of(section).split())
        assert [one for one in SAID[said_in] if "".join(one.split()) not in told] == []
        linked = {link.get("href") for link in section.iter("a")}
        assert {"https://www.mediateur.ma/", "https://www.chikaya.ma/", "tel:3737"} <= linked
        # What secures computers or audits accounts helps nobody with a decision.
        assert "dgssi" not in " ".join(linked)
        assert "courdescomptes" not in " ".join(linked)
        rights = page.findall(".//section[@id='rights']//ul/li")
        assert len(rights) == len(corpus.pack.rights)
        for row, right in zip(rights, corpus.pack.rights, strict=True):
            assert len(row.findall(".//span[@class='mark']")) == (0 if right.confirmed else 1)


def test_the_steps_stand_on_every_record_and_beside_its_letter(pages):
    for lang, said in SAID.items():
        for path, place in (("", "contest"), ("/letter", "then")):
            page = pages[f"{lang}/records/demo-sante/triage-radiographies{path}.html"]
            told = "".join(text_of(page.find(f".//*[@id='{place}']")).split())
            assert [one for one in said if "".join(one.split()) not in told] == []


def contest_of(*steps, day, received=None, lang="en"):
    """Return the section of those who can help, of Morocco with other steps."""
    pack = msgspec.structs.replace(load_pack("ma"), steps=steps)
    editions = open_editions(pack, read_assets(resources.SITE), "http://a.example", bytecode=None)
    edition = editions[lang]
    view = partial(contest_view, edition.reader, editions, today=day, received=received)
    page = html.fromstring(render(edition, "contest", "contest.html", view))
    return page.find(".//section[@id='bodies']")


FIRST, COURT = (step for step in load_pack("ma").steps if step.code in {"complaint", "court"})


def test_of_working_days_a_page_says_only_when_the_last_one_is_not():
    step = msgspec.structs.replace(FIRST, within=7, unit="working_days")
    day = dt.date(2026, 11, 24)
    told = text_of(contest_of(step, day=day, received=day))
    assert "within 7 working days of" in told
    assert "The last day is not before December 1, 2026." in told


def test_a_last_day_that_is_over_is_said_to_be():
    received = dt.date(2026, 9, 1)
    for day, said in (
        (dt.date(2026, 10, 31), "The last day is October 31, 2026."),
        (dt.date(2026, 11, 1), "past The last day was October 31, 2026."),
    ):
        section = contest_of(FIRST, COURT, day=day, received=received)
        assert said in text_of(section)
    assert not [one for one in section.iter("strong") if "last day" in text_of(one)]
    assert "If you took no step before it, the last day was October 31, 2026." in text_of(section)


def test_a_step_without_time_says_what_it_waits_for():
    for on, said in (
        ("received", "You can do this from the first day."),
        ("refused", "Do this when it was refused."),
        ("silence", "Do this when no answer came."),
        ("refused|silence", "Do this when it was refused, or when no answer came."),
        ("answered", "Do this when you received the answer."),
        ("answered|silence", "Do this when you received the answer, or when none came."),
    ):
        # The step that it came after is in force no more.
        step = msgspec.structs.replace(COURT, after="complaint", on=on, within=0)
        assert said in text_of(contest_of(step, day=dt.date(2026, 12, 1)))


def test_a_step_leads_to_those_that_it_comes_after_by_what_they_are_for():
    section = contest_of(FIRST, COURT, day=dt.date(2026, 12, 1))
    (link,) = [one for one in section.iter("a") if one.get("href", "").startswith("#")]
    assert link.get("href") == "#step-complaint"
    assert section.find(".//*[@id='step-complaint']") is not None
    assert FIRST.purpose["en"] in text_of(link.getparent())


@pytest.mark.parametrize(
    ("articles", "said"),
    [
        ("23", "المادة 23"),
        ("74-1", "المادة 74-1"),
        ("14, 16", "المادتان 14، 16"),
        ("43–44", "المادتان 43–44"),
        ("4–6", "المواد 4–6"),
        ("3, 20, 23", "المواد 3، 20، 23"),
        ("7–9, 11", "المواد 7–9، 11"),
    ],
)
def test_articles_are_counted_and_listed_in_arabic(articles, said):
    step = msgspec.structs.replace(FIRST, article=articles)
    section = contest_of(step, day=dt.date(2026, 12, 1), lang="ar")
    assert f"، {said}" in text_of(section.find(".//p[@class='quiet']"))


def test_how_to_contest_is_four_questions_before_anything_else(pages):
    for lang in LANGUAGES:
        page = pages[f"{lang}/contest.html"]
        places = [one.get("id") for one in page.findall(".//main//section") if one.get("id")]
        asked = ["coded", "find", "happened", "none"]
        assert places == [*asked, "until", "bodies", "rights"]
        folded = {one.get("id") for one in page.findall(".//main//details//section")}
        assert folded == set(places) - set(asked)
        links = {link.get("href") for link in page.find(".//main").iter("a")}
        assert {f"/sub/{lang}/life/tax", f"/sub/{lang}/letter"} <= links
        # Plain forms, which the register answers without a script.
        forms = {form.get("action"): form for form in page.find(".//main").iter("form")}
        prefix = f"/sub/{lang}"
        assert [*forms] == [f"{prefix}/code", f"{prefix}/search", f"{prefix}/contest#until"]
        for form in forms.values():
            (field,) = form.iter("input")
            named = field.get("aria-labelledby") or form.find(".//label").get("for")
            assert named == field.get("id") or page.find(f".//*[@id='{named}']") is not None


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_field_of_the_format_has_its_place_on_the_site(pages, lang):
    ids = {
        element.get("id")
        for section in SECTIONS
        for element in pages[f"{lang}/format/{section}.html"].iter()
    }
    wanted = {".".join(part for part in field.path if part != "*") for field in fields()}
    assert len(wanted) > 100
    assert wanted <= ids
    listed = [link.get("href") for link in pages[f"{lang}/format/index.html"].iter("a")]
    assert {f"/sub/{lang}/format/{section}" for section in SECTIONS} <= set(listed)


def test_the_api_s_page_has_every_operation_of_its_description():
    description = describe_api(SETTINGS)
    page = Rendered(make_corpus(demonstrated=False), description=description).page("fr/api.html")
    shown = [text_of(one.find(".//code")) for one in page.iter("summary")]
    told = [
        f"{method.upper()} {path}"
        for path, methods in description["paths"].items()
        for method in methods
    ]
    assert sorted(shown) == sorted(told)
    assert len(told) > 30
    ids = [one.get("id") for one in page.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    search = next(
        one
        for group in read_operations(description)
        for one in group["operations"]
        if one["path"] == "/api/v1/records"
    )
    assert {"q", "risk", "facets"} <= {parameter["name"] for parameter in search["parameters"]}


def test_browsers_are_told_of_the_finder(site, pages):
    for lang in LANGUAGES:
        text = (site / lang / "opensearch.xml").read_text("utf-8")
        assert f"https://register.example/sub/{lang}/search?q={{searchTerms}}" in text
        link = pages[f"{lang}/about.html"].find(".//link[@rel='search']")
        assert link.get("href") == f"/sub/{lang}/opensearch.xml"


def test_assistants_are_told_how_to_ask_cite_and_prove(site):
    text = (site / "llms.txt").read_text("utf-8")
    assert text.startswith("# Public Algorithm Register\n\n> ")
    here = "https://register.example/sub"
    for told in (
        f"({here}/api/v1/openapi-read.json)",
        f"({here}/exports/register/latest)",
        f"registry mcp {here}",
        "as_of=entry:<n>",
        f"registry audit {here}",
        "https://creativecommons.org/",
    ):
        assert told in text
    assert "{" not in text
    assert len(text) < 4000


def test_whom_to_tell_of_a_weakness(site):
    assert not (site / ".well-known").exists()
    settings = msgspec.structs.replace(SETTINGS, security_contact="mailto:security@example.org")
    corpus = make_corpus(demonstrated=False)
    text = Rendered(corpus, settings=settings).text(".well-known/security.txt")
    assert "Contact: mailto:security@example.org\n" in text
    assert "Expires: 2027-05-01T00:00:00Z\n" in text
    assert "Canonical: https://register.example/sub/.well-known/security.txt\n" in text


@pytest.mark.parametrize("contact", ["security@example.org", "http://example.org", "mailto:a\nb"])
def test_a_contact_that_is_no_address_is_refused(contact):
    with pytest.raises(ConfigurationError, match="SECURITY_CONTACT"):
        from_environment({"REGISTRY_SECURITY_CONTACT": contact})
    assert Settings().security_contact is None


def test_a_page_shared_elsewhere_names_itself(pages):
    page = pages["fr/records/demo-sante/triage-radiographies.html"]
    said = {meta.get("property"): meta.get("content") for meta in page.iter("meta")}
    assert said["og:title"] == "Tri des radiographies thoraciques"
    assert said["og:url"].endswith("/sub/fr/records/demo-sante/triage-radiographies")
    assert said["og:description"].startswith("Classe les radiographies")


@pytest.mark.parametrize(
    ("lang", "says"), [("ar", "الفرنسية"), ("zgh", "ⵜⴰⴼⵔⴰⵏⵙⵉⵙⵜ"), ("fr", ""), ("en", "")]
)
def test_a_manual_in_another_language_than_its_page_says_so_first(pages, lang, says):
    notices = pages[f"{lang}/format/risk.html"].findall(".//div[@class='notice language']")
    assert len(notices) == bool(says)
    assert all(says in text_of(notice) for notice in notices)
