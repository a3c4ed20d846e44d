"""The register has an owner, named on every page and told of errors."""

from __future__ import annotations

from email.utils import getaddresses
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from .conftest import LANGUAGES, PACK, SETTINGS, Rendered, make_corpus

MAILBOX = PACK.operator.email
RECORD = "records/demo-sante/triage-radiographies.html"


def text_of(element):
    return " ".join("".join(element.itertext()).split())


def test_every_page_names_who_keeps_it_and_leads_to_the_contact(pages):
    lacking = [
        path
        for path, page in pages.items()
        for foot in [page.find(".//footer")]
        if not path.endswith("/embed.html")  # which stands in another's page
        if foot is None
        or foot.find(f".//a[@href='mailto:{MAILBOX}']") is None
        or not any((link.get("href") or "").endswith("/contact") for link in foot.iter("a"))
    ]
    assert not lacking


def test_help_stands_in_the_same_order_everywhere(pages):
    """WCAG 2.2, success criterion 3.2.6."""
    help_pages = ("contact", "contest", "faq", "accessibility", "privacy", "legal")
    orders = {}
    for path, page in pages.items():
        lang = path.split("/")[0]
        if lang in LANGUAGES and not path.endswith("/embed.html"):
            links = [link.get("href") or "" for link in page.find(".//footer").iter("a")]
            order = tuple(link for link in links if link.endswith(help_pages))
            orders.setdefault(lang, set()).add(order)
    assert {lang: len(found) for lang, found in orders.items()} == dict.fromkeys(LANGUAGES, 1)
    assert all(len(order) == len(help_pages) for found in orders.values() for order in found)


@pytest.mark.parametrize("name", ["contact", "legal", "privacy", "accessibility"])
def test_the_pages_on_the_operator_say_how_to_reach_it(pages, name):
    for lang in ("ar", "fr", "en"):
        box = pages[f"{lang}/{name}.html"].find(".//section[@id='operator']")
        assert PACK.operator.name[lang] in text_of(box)
        assert MAILBOX in text_of(box)


def test_an_error_is_reported_to_the_agency_and_the_operator(pages):
    for lang, words in (
        ("fr", "Erreur dans la fiche"),
        ("ar", "خطأ في البطاقة"),
        ("en", "Error in"),
    ):
        links = [link.get("href") or "" for link in pages[f"{lang}/{RECORD}"].iter("a")]
        (report,) = (link for link in links if link.startswith("mailto:") and "body=" in link)
        link = urlsplit(report)
        assert getaddresses([link.path]) == [("", "algorithmes@demo-sante.example"), ("", MAILBOX)]
        said = {name: values[0] for name, values in parse_qs(link.query).items()}
        assert said["subject"].startswith(words)
        assert "demo-sante/triage-radiographies" in said["subject"]
        assert said["subject"].endswith("3")
        assert said["body"].startswith(
            f"{SETTINGS.base_url}/{lang}/{RECORD.removesuffix('.html')}\r\n"
        )
        assert "+" not in link.query, "a space is %20 in a mailto link (RFC 6068)"
        assert any(link.endswith(f"/{lang}/contact#error") for link in links)


def test_an_error_in_a_copied_record_is_reported_to_the_operator(pages):
    links = [
        link.get("href") or "" for link in pages["fr/records/us.demo/letter-sorting.html"].iter("a")
    ]
    assert [link for link in links if "body=" in link and link.startswith(f"mailto:{MAILBOX}?")]


def test_facts_of_an_operator_are_shown_as_it_states_them():
    operator = msgspec.structs.replace(
        PACK.operator,
        email="registre@numerique.ma",
        phone="+212537000000",
        url="https://registre.ma/",
        post={"fr": "BP 1, Rabat", "ar": "ص.ب 1، الرباط"},
        legal={"fr": "Décret **n° 1**."},
        privacy={"fr": "Le serveur garde son journal dix jours."},
    )
    pack = msgspec.structs.replace(PACK, operator=operator)
    site = Rendered(msgspec.structs.replace(make_corpus(demonstrated=False), pack=pack))
    legal = site.page("fr/legal.html")
    box = legal.find(".//section[@id='operator']")
    for words in ("BP 1, Rabat", "registre@numerique.ma", "+212537000000", "registre.ma", "Décret"):
        assert words in text_of(box)
    assert [strong.text for strong in box.iter("strong")] == ["n°\u00a01"]
    assert "dix jours" in text_of(site.page("fr/privacy.html"))
    security = site.text(".well-known/security.txt")
    assert "Contact: mailto:registre@numerique.ma\n" in security


def test_a_demonstration_says_so_wherever_it_shows_its_records(pages):
    said = "inventés"
    paths = [
        "index",
        "browse",
        "risk/index",
        "risk/high",
        "sectors/index",
        "sectors/health",
        "search",
    ]
    paths += ["changes", "statistics", "agencies/index", "status/index"]
    lacking = [
        path for path in paths if said not in text_of(pages[f"fr/{path}.html"].find(".//main"))
    ]
    assert not lacking
    assert "autres registres sont réelles" in text_of(pages["fr/index.html"].find(".//main"))
    # Not above records of others, nor where a notice of its own says it.
    for path in ("registers/us-demo", "records/us.demo/letter-sorting", "agencies/demo-sante"):
        assert said not in text_of(pages[f"fr/{path}.html"].find(".//main")), path
