"""What search engines read in a page: true to the record, and harmless in HTML."""

import datetime as dt
import json

import html5lib
import msgspec
import pytest

from registry.exchange.catalogue import Extent
from registry.exchange.export_columns import Row, Wording
from registry.exchange.schema_org import record_markup, register_markup
from registry.store.records import Register

AT = dt.datetime(2026, 11, 24, 12, 30, tzinfo=dt.UTC)
SITE = "https://register.example"
HOSTILE = "</script><script>alert(1)</script><!-- <script> & ]]> \u2028\u2029 \" ' \\u003c/script>"


@pytest.fixture
def wording(pack):
    def make(lang, pack=pack):
        return Wording(lang=lang, pack=pack, agencies=pack.agencies, site=SITE)

    return make


def row(document):
    register = Register(
        version=2,
        state="published",
        published_at=AT,
        superseded_at=None,
        hash="0" * 64,
        entry=7,
        origin=None,
        fictitious=True,
        completeness=7,
        accountability=8,
        missing=[],
        findings=[],
        redacted=[],
    )
    return Row(
        id="demo-sante/prevision-lits", agency="demo-sante", document=document, register=register
    )


def embedded(markup):
    """Put it into a page, and give what a browser finds there."""
    page = f'<!doctype html><body><script type="application/ld+json">{markup}</script><p>after</p>'
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    [script] = tree.iter("script")
    [after] = tree.iter("p")
    assert after.text == "after"
    return json.loads(script.text)


def test_a_record_in_the_language_of_its_page(record, wording, pack):
    told = {lang: embedded(record_markup(row(record), wording(lang))) for lang in ("ar", "fr")}
    for lang, node in told.items():
        assert (node["@type"], node["inLanguage"]) == ("SoftwareApplication", lang)
        assert node["name"] == record["name"][lang]
        assert node["description"] == record["summary"][lang]
        assert node["url"] == f"{SITE}/{lang}/records/demo-sante/prevision-lits"
        assert node["publisher"]["name"] == pack.agencies["demo-sante"].name[lang]
        assert (node["version"], node["dateModified"]) == (2, "2026-11-24T12:30:00Z")
        assert set(node["alternateName"]) == set(record["name"].values()) - {node["name"]}
    assert told["fr"]["applicationCategory"] == "Santé"
    assert told["ar"]["applicationCategory"] == "الصحة"
    assert told["ar"]["@id"] == told["fr"]["@id"] == (
        f"{SITE}/api/v1/records/demo-sante/prevision-lits"
    )  # fmt: skip


def test_a_text_ends_no_element(record, wording):
    for member in ("name", "summary"):
        record[member] = dict.fromkeys(("ar", "fr", "en"), HOSTILE)
    record["system_version"] = HOSTILE
    markup = record_markup(row(record), wording("fr"))
    assert not set(markup) & set("<>&\u2028\u2029")
    node = embedded(markup)
    assert node["name"] == node["description"] == node["softwareVersion"] == HOSTILE


def test_a_record_that_says_nothing(wording):
    node = embedded(record_markup(row({"id": "demo-sante/x"}), wording("en")))
    assert node["name"] == "demo-sante/prevision-lits"
    assert not {"description", "inLanguage", "keywords", "applicationCategory"} & set(node)


def test_the_register_on_its_home_page(wording, pack):
    extent = Extent(began=AT - dt.timedelta(days=3), at=AT, size=60, records=47)
    named = msgspec.structs.replace(pack, publisher="add", licence="https://terms.example/?a&b")
    site, dataset = embedded(register_markup(extent, wording("ar", named)))["@graph"]
    assert (site["@type"], site["name"]) == ("WebSite", pack.site_name["ar"])
    assert (dataset["@type"], dataset["name"]) == ("Dataset", pack.site_name["ar"])
    assert dataset["temporalCoverage"] == "2026-11-21/2026-11-24"
    assert dataset["license"] == "https://terms.example/?a&b"
    assert dataset["publisher"]["@id"] == f"{SITE}/api/v1/agencies/add"
    assert {one["encodingFormat"] for one in dataset["distribution"]} >= {
        "text/csv", "application/ld+json",
    }  # fmt: skip
    unnamed = embedded(register_markup(extent, wording("fr")))["@graph"][1]
    assert not {"publisher", "license"} & set(unnamed)
