"""No text of a record becomes mark-up, whichever field it stands in."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import html5lib
import msgspec
import pytest

from registry import resources
from registry.record.schema import resolved_schema

from .conftest import FILED, Rendered, make_corpus, stored
from .vectors import VECTORS

HTML = {
    "a", "article", "aside", "b", "bdi", "body", "br", "button", "caption", "cite", "code", "dd",
    "del", "details", "dfn", "div", "dl", "dt", "em", "fieldset", "footer", "form", "h1", "h2",
    "h3", "h4", "head", "header", "html", "input", "ins", "kbd", "label", "legend", "li", "link",
    "main", "meta",
    "nav", "ol", "option", "output", "p", "pre", "script", "search", "section", "select", "span",
    "strong", "summary", "table", "tbody", "td", "template", "textarea", "th", "thead", "time",
    "title", "tr", "ul", "noscript",
}  # fmt: skip
SVG = {f"{{http://www.w3.org/2000/svg}}{name}" for name in ("svg", "rect", "circle", "path")}
LISTS = tuple(
    f"{lang}/{place}"
    for lang, places in (
        ("fr", ("index", "risk/", "agencies/demo-sante", "statistics")),
        ("ar", ("sectors/health", "changes", "status/in_use")),
    )
    for place in places
)  # fmt: skip
TAG = re.compile(r"<[/?]?([^\s>/]+)")
ADDRESSES = ("/", "#", "https://", "http://", "mailto:", "tel:")


def poisoned(value, schema, vectors):
    """Put another vector into each text that people write; codes, dates and addresses stay."""
    if schema.get("x-definition") == "LangText":
        return {tag: next(vectors) for tag in value}
    if isinstance(value, dict):
        members = schema.get("properties", {})
        return {
            name: poisoned(part, members.get(name, {}), vectors) for name, part in value.items()
        }
    if isinstance(value, list):
        return [poisoned(part, schema.get("items", {}), vectors) for part in value]
    free = schema.get("x-definition") == "Line" or (
        isinstance(value, str)
        and not {"enum", "const", "pattern", "x-codelist"} & schema.keys()
        and schema.get("x-definition") is None
        and "format" not in schema
    )
    return next(vectors) if free else value


def endless(start):
    while True:
        for at in range(len(VECTORS)):
            yield VECTORS[(start + at) % len(VECTORS)]


@pytest.fixture(scope="module")
def original():
    path = resources.RECORDS / "demo-sante" / "triage-radiographies.json"
    return msgspec.json.decode(path.read_bytes())


@pytest.fixture(scope="module")
def texts(original):
    """How many texts one poisoned document has."""
    number = 0

    def counted():
        nonlocal number
        while True:
            number += 1
            yield "x"

    poisoned(original, resolved_schema(), counted())
    return number


@pytest.fixture(scope="module")
def site(original):
    """A record for each vector: its texts have that vector and, in turn, all that follow it."""
    schema = resolved_schema()
    records, earlier = [], {}
    for number in range(len(VECTORS)):
        name = f"demo-sante/vector-{number}"
        notes = [None, {"fr": VECTORS[number], "ar": VECTORS[number]}]
        before, document = (
            poisoned(original, schema, endless(number + shift)) | {"id": name} for shift in (1, 0)
        )
        records.append(stored(document, notes=notes, fictitious=True, entry=100 + 2 * number))
        earlier[name] = [stored(before, fictitious=True, superseded_at=FILED)]
    corpus = make_corpus(*records)
    corpus = msgspec.structs.replace(corpus, earlier=corpus.earlier | earlier)
    return Rendered(corpus).pages


def check(path, content):
    """Parse a page strictly and refuse all that could run, lead astray or is not ours."""
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(content)
    for element in page.iter():
        assert isinstance(element.tag, str), f"{path}: a comment came out of a record"
        framed = element.tag == "base" and element.attrib == {"target": "_blank"}
        assert framed or element.tag in HTML | SVG, (path, element.tag)
        for name, value in element.attrib.items():
            assert not name.startswith("on"), (path, name)
            assert name not in {"style", "srcdoc", "formaction", "http-equiv"} or (
                element.tag == "meta" and value == "Content-Security-Policy"
            ), (path, name)
            if name in {"href", "src", "action", "{http://www.w3.org/1999/xlink}href"}:
                assert value.lower().startswith(ADDRESSES), (path, value)
        if element.tag == "script":
            is_data = element.get("type") == "application/ld+json"
            assert is_data or (element.get("src").startswith("/sub/assets/") and not element.text)
            if is_data:
                assert json.loads(element.text)["@context"] == "https://schema.org"
    return page


def test_there_are_enough_vectors_of_many_kinds():
    assert len(VECTORS) >= 200
    assert len(set(VECTORS)) == len(VECTORS)


def test_every_text_field_with_every_vector(site, texts):
    """Each by its tags; a sixth, in which each field has many vectors, by a strict parser too."""
    assert texts > 60
    names = {name.rpartition("}")[2] for name in HTML | SVG}
    seen = parsed = 0
    for number, vector in enumerate(VECTORS):
        lang = ("fr", "ar")[number % 2]
        path = f"{lang}/records/demo-sante/vector-{number}.html"
        content = site[path].render().decode()
        assert {name.lower() for name in TAG.findall(content)} <= names | {"!doctype"}, path
        if number // 2 % 6:
            continue
        page = check(path, content)
        parsed += 1
        seen += " ".join(vector.split())[:6] in " ".join("".join(page.itertext()).split())
        assert "49" not in (page.findtext(".//h1") or "")
    # A few vanish: what Markdown makes a link of shows the link's words alone.
    assert seen > 0.8 * parsed


def test_every_text_of_a_version_and_between_two(site):
    for number in range(0, len(VECTORS), 11):
        place = ("versions/2", "versions/1", "compare")[number % 3]
        path = f"fr/records/demo-sante/vector-{number}/{place}.html"
        check(path, site[path].render().decode())


def test_lists_statistics_and_changes(site):
    paths = [path for path in site if path.endswith(".html") and path.startswith(LISTS)]
    assert len(paths) > 30
    for path in paths:
        check(path, site[path].render().decode())


def test_feeds_say_the_vectors_and_nothing_else(site):
    said = ""
    for path, page in site.items():
        if not path.startswith(("feeds/fr/a", "feeds/ar/risk/")):
            continue
        content = page.render()
        if path.endswith(".json"):
            said += json.dumps(json.loads(content), ensure_ascii=False)
            continue
        names = {one.tag.partition("}")[2] for one in ET.fromstring(content).iter()}  # noqa: S314
        assert names <= {
            "feed", "id", "title", "updated", "author", "name", "link", "entry", "published",
            "category", "subtitle", "summary", "div", "a",
        }  # fmt: skip
    assert "alert(1)" in said


def test_files_for_a_spreadsheet_begin_no_formula(site):
    for path, page in site.items():
        if path.endswith(".csv"):
            for line in page.render().decode("utf-8-sig").splitlines():
                assert not re.search(r'(^|,)"?[=+@\t-]', line), (path, line)


def test_only_web_addresses_become_links():
    document = {
        "id": "us.demo/letter-sorting",
        "schema_version": "1.0",
        "name": {"en": "Links", 'x" onclick="y': "Links"},
        "website": "javascript:alert(1)",
        "contact": {"url": "data:text/html,x"},
        "documents": [{"type": "other", "url": "JAVASCRIPT:alert(2)"}],
    }
    corpus = make_corpus(stored(document, origin="us-demo"), demonstrated=False)
    page = Rendered(corpus).page("en/records/us.demo/letter-sorting.html")
    addresses = [element.get("href").lower() for element in page.iter("a")]
    assert not [address for address in addresses if address.startswith(("javascript:", "data:"))]
    assert "javascript:alert(1)" in "".join(page.itertext())


def test_a_foreign_record_s_codes_and_addresses():
    """What comes from elsewhere may be anything where our own schema would refuse it."""
    records = [
        stored(
            {
                "id": f"us.demo/vector-{number}",
                "schema_version": "1.0",
                "name": {"en": vector},
                "summary": {"en": vector},
                "risk": {"level": vector},
                "sector": {"primary": "other", "function": vector},
                "website": f"https://x.example/{vector}",
                "tags": [{"en": vector}],
            },
            origin="us-demo",
        )
        for number, vector in enumerate(VECTORS[::7])
    ]
    site = Rendered(make_corpus(*records, demonstrated=False))
    for number in range(len(records)):
        path = f"en/records/us.demo/vector-{number}.html"
        check(path, site.text(path))
    check("list", site.text("en/agencies/us.demo.html"))
