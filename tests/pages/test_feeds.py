"""Feeds: every list has one in two formats that readers of feeds understand."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from .conftest import LANGUAGES, SETTINGS
from .test_html import PREFIX

ATOM = "{http://www.w3.org/2005/Atom}"
XHTML = "{http://www.w3.org/1999/xhtml}"


def feeds(site, ending):
    return sorted((site / "feeds").rglob(f"*.{ending}"))


def test_every_atom_feed_is_valid(site):
    found = feeds(site, "atom")
    assert len(found) > 4 * 50
    for path in found:
        feed = ET.fromstring(path.read_bytes())  # noqa: S314  our own
        place = path.relative_to(site).as_posix()
        assert feed.tag == f"{ATOM}feed"
        for name in ("id", "title", "updated", "author"):
            assert len(feed.findall(f"{ATOM}{name}")) == 1, place
        links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
        assert links["self"] == f"{SETTINGS.base_url}/{place}"
        entries = feed.findall(f"{ATOM}entry")
        numbers = [int(entry.findtext(f"{ATOM}id").split("/")[1]) for entry in entries]
        assert numbers == sorted(numbers, reverse=True), place
        for entry in entries:
            for name in ("id", "title", "updated", "link", "summary"):
                assert len(entry.findall(f"{ATOM}{name}")) == 1, place
            address = entry.find(f"{ATOM}link").get("href")
            assert [one.get("href") for one in entry.findall(f"{XHTML}a")] == [address], place
            assert entry.findtext(f"{ATOM}title")


def test_both_formats_say_the_same(site):
    for path in feeds(site, "json"):
        feed = json.loads(path.read_bytes())
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert feed["feed_url"].endswith(path.relative_to(site).as_posix())
        atom = ET.fromstring(path.with_suffix(".atom").read_bytes())  # noqa: S314  our own
        entries = atom.findall(f"{ATOM}entry")
        assert [item["id"] for item in feed["items"]] == [
            one.findtext(f"{ATOM}id") for one in entries
        ]
        titles = [one.findtext(f"{ATOM}title") for one in entries]
        assert [item["title"] for item in feed["items"]] == titles
        for item in feed["items"]:
            assert {"id", "url", "title", "content_text", "date_published"} <= item.keys()


def test_what_a_feed_leads_to_is_there(site):
    for path in feeds(site, "json"):
        for item in json.loads(path.read_bytes())["items"]:
            local = item["url"].removeprefix(f"{SETTINGS.base_url}/")
            assert (site / f"{local}.html").is_file(), item["url"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_feed_has_what_its_list_has(site, lang):
    feed = json.loads((site / f"feeds/{lang}/risk/high.json").read_bytes())
    assert any("triage-radiographies" in item["url"] for item in feed["items"])
    assert feed["language"] == lang
    health = json.loads((site / f"feeds/{lang}/agencies/demo-sante.json").read_bytes())
    assert all("/demo-sante" in item["url"] for item in health["items"])
    assert json.loads((site / f"feeds/{lang}/agencies/tgr.json").read_bytes())["items"] == []


def test_a_withdrawal_is_in_the_feed_with_its_reason(site):
    items = json.loads((site / "feeds/fr/all.json").read_bytes())["items"]
    [gone] = [item for item in items if item["url"].endswith("/fr/records/demo-sante/gone")]
    assert gone["title"] == "Système retiré – Fiche retirée"
    assert gone["content_text"] == "Fusionné avec une autre fiche\nFusionné avec les lits."


def test_pages_tell_where_their_feed_is(pages, site):
    for path, scopes in {
        "fr/index.html": {"all"},
        "fr/risk/high.html": {"all", "risk/high"},
        "fr/agencies/demo-sante.html": {"all", "agencies/demo-sante"},
        "fr/sectors/health.html": {"all", "sectors/health"},
    }.items():
        links = [
            link
            for link in pages[path].findall(".//link[@rel='alternate']")
            if link.get("type") in {"application/atom+xml", "application/feed+json"}
        ]
        expected = {
            f"{PREFIX}/feeds/fr/{scope}.{end}" for scope in scopes for end in ("atom", "json")
        }
        assert {link.get("href") for link in links} == expected
        for link in links:
            assert (site / link.get("href").removeprefix(f"{PREFIX}/")).is_file()
            assert link.get("title")
