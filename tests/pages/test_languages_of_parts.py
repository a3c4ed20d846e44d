"""What is in another language than its page says so (WCAG 2.2, SC 3.1.2), on every page.

Two scripts cannot be taken for each other; of languages with one script the commonest words tell.
"""

from __future__ import annotations

import re

import html5lib
import msgspec
import pytest

from registry import resources

from .conftest import Rendered, make_corpus, stored

LATIN = re.compile(r"[^\W\d_]{2,}", re.ASCII)
OTHER_SCRIPT = {
    # Single words of Latin letters are names of formats and of products.
    "ar": re.compile(r"[A-Za-zÀ-ÿ]{2,}(?:[\s’'–]+[A-Za-zÀ-ÿ]{2,}){2}"),
    "fr": re.compile(r"[\u0600-\u06ff\u2d30-\u2d7f]{2,}"),
    "en": re.compile(r"[\u0600-\u06ff\u2d30-\u2d7f]{2,}"),
}
COMMON = {
    "en": {"the", "of", "and", "with", "are", "by", "from", "this", "that", "was", "its", "which"},
    "fr": {"le", "la", "les", "des", "du", "et", "une", "par", "pour", "dans", "avec", "est"},
}
OTHER = {"en": "fr", "fr": "en"}
UNREAD = {"script", "style", "code", "pre", "title"}
NO_WORDS = {"code", "address"}
PLAIN = {
    "provider": "Centre de calcul de la démonstration",
    "reference": "loi n° 09-08, articles 4, 12 et 21",
    "conducted_by": "Cabinet de conseil de la démonstration",
    "dataset": "Jeu de données de la démonstration",
    "recipient": "Office de la démonstration",
    "architecture": "réseau de neurones à convolution",
    "task": "classement des images de la démonstration",
    "unit": "dossiers traités chaque jour",
    "name": "Société de la démonstration",
}
"""Lines as format 1.0 had them: in no language by name."""


def texts(element, lang=None):
    """The texts of an element, each with the language that it is said to be in."""
    lang = element.get("lang") or lang
    if element.tag in UNREAD or not NO_WORDS.isdisjoint((element.get("class") or "").split()):
        return
    for name in ("aria-label", "alt", "title"):
        if element.get(name):
            yield lang, element.get(name)
    yield lang, element.text or ""
    for child in element:
        yield from texts(child, lang)
        yield lang, child.tail or ""


def unmarked(page):
    """The texts of a page that are in another language than they are said to be in."""
    for lang, text in texts(page.find("body"), page.get("lang")):
        if lang in OTHER_SCRIPT and OTHER_SCRIPT[lang].search(text):
            yield " ".join(text.split())
        elif lang in OTHER:
            said = [word.lower() for word in LATIN.findall(text)]
            here, there = (sum(word in COMMON[one] for word in said) for one in (lang, OTHER[lang]))
            if there >= 2 and not here:
                yield " ".join(text.split())


def read(content):
    return html5lib.HTMLParser(namespaceHTMLElements=False).parse(content)


def with_plain_lines(value):
    """A document with lines of format 1.0 in the place of texts by language."""
    if isinstance(value, list):
        return [with_plain_lines(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: PLAIN[name]
        if name in PLAIN and (isinstance(part, str) or name not in {"name", "unit"})
        else with_plain_lines(part)
        for name, part in value.items()
    }


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("ar", PLAIN["provider"]),
        ("fr", "The rest of it"),
        ("fr", "بطاقة"),
        ("en", "Le reste et la fin"),
    ],
)
def test_what_is_unmarked_is_seen(lang, text):
    page = '<html lang="{}"><body><p>{}<p><bdi lang="{}">{}</bdi>'
    assert [*unmarked(read(page.format(lang, text, "nl", text)))] == [text]


def test_what_is_in_another_language_than_its_page_says_so(pages):
    found = {path: said for path, page in pages.items() if (said := [*unmarked(page)])}
    assert found == {}


def test_lines_of_records_in_the_first_format_are_in_the_record_s_language():
    path = resources.RECORDS / "demo-sante" / "triage-radiographies.json"
    document = with_plain_lines(msgspec.json.decode(path.read_bytes()))
    document |= {"schema_version": "1.0", "languages": {"source": "fr"}}
    site = Rendered(make_corpus(stored(document, fictitious=True), demonstrated=False))
    for lang in ("ar", "fr", "en"):
        page = read(site.text(f"{lang}/records/{document['id']}.html"))
        assert [*unmarked(page)] == [], lang
        if lang != "fr":
            shown = texts(page.find("body"))
            marked = {text.replace("\u00a0", " ") for tag, text in shown if tag == "fr"}
            assert marked >= {line for line in PLAIN.values() if line in str(document)}, lang
