"""Feeds of a question and of a record, made when asked."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

ATOM = "{http://www.w3.org/2005/Atom}"
XHTML = "{http://www.w3.org/1999/xhtml}"
BASE = "https://algorithms.example"


@pytest.fixture
def client(reader):
    return reader


def links_of(feed):
    return {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}


async def test_every_question_has_a_feed_of_what_was_filed_here(client):
    asked = "risk=high&sector=public_safety&kind.rights.contestation=restricted"
    answer = await client.get(f"/feeds/fr/search.atom?{asked}")
    assert answer.headers["content-type"].startswith("application/xml")
    feed = ET.fromstring(answer.content)  # noqa: S314  our own
    title = feed.findtext(f"{ATOM}title")
    assert "Niveau de risque : Risque élevé" in re.sub(r"\s", " ", title)
    assert "“" not in title
    assert answer.text.startswith("<?xml")
    guide = feed.find(f"{ATOM}subtitle/{XHTML}div/{XHTML}a")
    assert guide.get("href") == f"{BASE}/fr/feeds", "words for who clicks it"
    styles = re.search(r'<\?xml-stylesheet type="text/css" href="(/assets/[^"]+)"\?>', answer.text)
    assert styles, "a browser shows it as a page"
    assert "style-src 'self'" in answer.headers["content-security-policy"]
    assert links_of(feed)["alternate"].startswith(f"{BASE}/fr/search?risk=high")
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.find(f"{ATOM}link").get("href") == f"{BASE}/fr/records/demo-securite/systeme-a"
    same = (await client.get(f"/feeds/fr/search.json?{asked}")).json()
    assert [item["id"] for item in same["items"]] == [entry.findtext(f"{ATOM}id")]
    assert same["feed_url"].endswith("kind.rights.contestation=restricted")
    shown = (await client.get("/feeds/fr/search.json?observation=high_risk_unassessed")).json()
    assert "aucune évaluation achevée" in re.sub(r"\s", " ", shown["title"])
    # Other registers only where they are asked for.
    here = (await client.get("/feeds/en/search.json?q=radiographies")).json()
    there = (await client.get("/feeds/en/search.json?q=radiographies&origin=us-omb-2025")).json()
    urls = [[item["url"] for item in feed["items"]] for feed in (here, there)]
    assert urls[0]
    assert not any("/us.demo/" in url for url in urls[0])
    assert urls[1] == [f"{BASE}/en/records/us.demo/radio"]


async def test_a_feed_is_asked_for_anew_and_refuses_what_search_refuses(client):
    first = await client.get("/feeds/ar/search.atom?risk=high&as_of=2030-01-01")
    assert first.status_code == 400
    first = await client.get("/feeds/ar/search.atom?risk=high")
    tag = first.headers["etag"]
    again = await client.get("/feeds/ar/search.atom?risk=high", headers={"if-none-match": tag})
    assert again.status_code == 304
    assert (await client.get("/feeds/ar/search.atom?risk=hgh")).status_code == 400
    assert (await client.get("/feeds/ar/search.atom?teritory=MA-06")).status_code == 400
    nothing = await client.get("/feeds/ar/search.atom?q=qqqqqq")
    assert ET.fromstring(nothing.content).findall(f"{ATOM}entry") == []  # noqa: S314  our own
    assert (await client.get("/feeds/xx/search.atom?risk=high")).status_code == 404


async def test_every_record_has_a_feed_of_its_history(client):
    versions = (await client.get("/api/v1/records/demo-sante/triage-radiographies/versions")).json()
    path = "/feeds/fr/records/demo-sante/triage-radiographies"
    feed = (await client.get(f"{path}.json")).json()
    numbers = [item["url"].rpartition("/")[2] for item in feed["items"]]
    assert numbers == [str(one["version"]) for one in reversed(versions["items"])]
    assert feed["items"][0]["content_text"]
    atom = ET.fromstring((await client.get(f"{path}.atom")).content)  # noqa: S314  our own
    assert len(atom.findall(f"{ATOM}entry")) == len(numbers)
    assert (await client.get("/feeds/fr/records/us.demo/radio.atom")).status_code == 200
    for missing in ("demo-sante/none.atom", "demo-sante/triage-radiographies.rss"):
        assert (await client.get(f"/feeds/fr/records/{missing}")).status_code == 404
