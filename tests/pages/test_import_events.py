"""Imports in lists of changes and feeds: one event where they touch much of a register."""

from __future__ import annotations

import datetime as dt
import json
import xml.etree.ElementTree as ET

import msgspec
import pytest

from registry.log.register import LogLine
from registry.pages.views.changes_pages import gather_imports
from registry.pages.views.events import Event
from tests.built import build

from .conftest import FILED, FOREIGN, SETTINGS, make_corpus, parse, stored
from .test_feeds import ATOM
from .test_html import text_of

NEW, CHANGED = 40, 12


def foreign(index, record, *, kind="new", seconds=0, origin="us-demo", **facts):
    return Event(
        index=index,
        at=FILED + dt.timedelta(seconds=seconds),
        kind=kind,
        record=record,
        agency=record.split("/", maxsplit=1)[0],
        origin=origin,
        scopes=["everything", f"origins/{origin}", f"agencies/{record.split('/')[0]}"],
        **facts,
    )


def local(index):
    return Event(
        index=index, at=FILED, kind="new", record="demo-sante/x", scopes=["all", "everything"]
    )


def shown(events, scope="everything"):
    return [
        (event.kind, event.first, event.index, dict(event.counts))
        for event in gather_imports(events)
        if scope in event.scopes
    ]


def test_an_import_is_one_event_if_it_touches_more_than_a_fifth():
    first = [foreign(n, f"us.a/{n}", run=1) for n in range(20)]
    for touched in (4, 5):
        second = [
            foreign(50 + n, f"us.a/{n}", kind="version", run=2, seconds=9999)
            for n in range(touched)
        ]
        expected = [("gathered", 0, 19, {"new": 20})]
        if touched == 4:
            expected += [("version", None, 50 + n, {}) for n in range(4)]
        else:
            expected += [("gathered", 50, 54, {"version": 5})]
        assert shown([*first, *second]) == expected


def test_what_counts_is_how_large_the_register_was_then():
    begun = [foreign(0, "us.a/0", run=1)]
    doubled = [foreign(n, f"us.a/{n}", run=2) for n in (1, 2)]
    later = [foreign(n, f"us.a/{n}", run=n) for n in range(3, 40)]
    assert shown([*begun, *doubled, *later])[:3] == [
        ("new", None, 0, {}),
        ("gathered", 1, 2, {"new": 2}),
        ("new", None, 3, {}),
    ]


def test_imports_are_told_apart_by_run():
    two_runs = [foreign(n, f"us.a/{n}", run=1 + n // 3) for n in range(6)]
    assert [one[1:3] for one in shown(two_runs)] == [(0, 2), (3, 5)]


def test_what_lies_between_stays_what_it_is():
    events = [
        foreign(0, "us.a/0", run=1),
        local(1),
        foreign(2, "nl.b/0", run=2, origin="nl-demo"),
        foreign(3, "us.a/1", run=1),
        foreign(4, "us.a/1", kind="withdrawal"),
        foreign(5, "nl.b/1", run=2, origin="nl-demo"),
        foreign(6, "us.a/2", kind="gone", run=1),
    ]
    assert shown(events) == [
        ("new", None, 1, {}),
        ("withdrawal", None, 4, {}),
        ("gathered", 2, 5, {"new": 2}),
        ("gathered", 0, 6, {"new": 2, "gone": 1}),
    ]
    assert shown(events, "all") == [("new", None, 1, {})]


def test_an_agency_has_its_part_of_an_import():
    events = [foreign(n, f"us.a/{n}", run=1) for n in range(3)]
    events += [foreign(n, f"us.b/{n}", run=1) for n in range(3, 4)]
    assert shown(events, "agencies/us.a") == [("gathered", 0, 2, {"new": 3})]
    assert shown(events, "agencies/us.b") == [("new", None, 3, {})]
    assert shown(events, "origins/us-demo") == [("gathered", 0, 3, {"new": 4})]


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A site after three imports: of forty records, of eleven changes, and of one, undated."""
    ids = [f"us.demo/case-{n:02}" for n in range(NEW)]
    records, earlier, log = [], {}, []
    for n, name in enumerate(ids):
        entries = [100 + n, 200 + n] if n < CHANGED else [100 + n]
        facts = {"entry": entries[-1], "origin": "us-demo"}
        record = stored(FOREIGN | {"id": name}, notes=[None] * len(entries), **facts)
        lines = [
            msgspec.structs.replace(line, entry=entry)
            for line, entry in zip(record.versions, entries, strict=True)
        ]
        records.append(msgspec.structs.replace(record, versions=lines))
        if len(entries) > 1:
            earlier[name] = [stored(FOREIGN | {"id": name}, origin="us-demo", superseded_at=FILED)]
        log += [
            LogLine(index=entry, at=FILED, kind="version", subject=name, run=entry // 100)
            for entry in entries
        ]
    corpus = make_corpus(*records, demonstrated=False)
    log.sort(key=lambda line: line.index)
    log[-1] = msgspec.structs.replace(log[-1], run=3, moved_from="hcp", undated=True)
    log = [line for line in corpus.log if line.subject not in ids] + log
    out = tmp_path_factory.mktemp("imported") / "site"
    corpus = msgspec.structs.replace(corpus, log=log, earlier=corpus.earlier | earlier)
    build(corpus, out=out, settings=SETTINGS)
    return out.resolve()


def feed(site, scope, lang="fr"):
    return json.loads((site / f"feeds/{lang}/{scope}.json").read_bytes())


def test_feeds_of_this_register_have_nothing_of_others(imported):
    for scope in ("all", "risk/not_stated", "sectors/not_stated"):
        found = feed(imported, scope)
        assert not [one for one in found["items"] if "us.demo" in one["url"]], scope
    assert feed(imported, "all")["items"]


def test_the_feed_of_everything_has_each_import_once(imported):
    everything = feed(imported, "everything")
    assert everything["home_page_url"].endswith("/fr/changes/all")
    assert "avec les autres registres" in everything["title"]
    titles = [one["title"] for one in everything["items"]]
    assert [title for title in titles if title.startswith("Importation")] == [
        "Importation\u202f: A demo inventory – 11 fiches modifiées",
        "Importation\u202f: A demo inventory – 40 nouvelles fiches",
    ]
    for lang, words in {
        "en": "Import of A demo inventory – 40 new records",
        "ar": "استيراد: A demo inventory – 40 بطاقة جديدة",
    }.items():
        assert words in [one["title"] for one in feed(imported, "everything", lang)["items"]]
    places = [one["id"].split(":")[2] for one in everything["items"] if "entries/" in one["id"]]
    assert places == ["entries/200/fr", "entries/100/fr"]
    of_agency = feed(imported, "agencies/us.demo")["items"]
    assert [one["title"] for one in of_agency if one["title"].startswith("Importation")]
    assert len(of_agency) < NEW
    assert [one["title"] for one in feed(imported, "origins/us-demo")["items"]]
    for one in everything["items"]:
        place = one["url"].removeprefix(f"{SETTINGS.base_url}/")
        assert (imported / f"{place}.html").is_file(), one["url"]


def test_a_single_change_says_what_the_source_did(imported):
    [change] = [
        one
        for one in feed(imported, "everything")["items"]
        if one["url"].endswith("/us.demo/case-11/versions/2")
    ]
    assert "Modifiée sans date à la source" in change["content_text"]
    assert "Venue de\u202f: Haut-Commissariat au Plan" in change["content_text"]
    page = text_of(parse(imported / "fr/changes/all.html").find(".//main"))
    assert "Modifiée sans date à la source" in page


def test_the_lists_begin_with_this_register_and_lead_to_the_others(imported):
    def links(path):
        page = parse(imported / f"{path}.html")
        return [link.get("href") for link in page.find(".//main").iter("a")]

    here = links("fr/changes")
    assert not [one for one in here if "us.demo" in one]
    assert "/sub/fr/changes/all" in here
    assert "/sub/fr/changes/all" in links("fr/index")
    everything = links("fr/changes/all")
    assert "/sub/fr/changes" in everything
    # Of 51 entries of other registers one is left, and two are imports with their pages.
    assert len([one for one in everything if "us.demo/case" in one]) == 1
    assert {"/sub/api/v1/imports/1", "/sub/api/v1/imports/2"} <= set(everything)
    text = text_of(parse(imported / "fr/changes/all.html").find(".//main"))
    assert "Importation : A demo inventory" in text
    assert "40 nouvelles fiches" in text


def test_every_entry_stands_on_a_page_of_the_log(imported):
    pages = sorted(imported.glob("fr/changes/[0-9]*.html"))
    found = [
        link.get("href")
        for path in pages
        for link in parse(path).find(".//main").iter("a")
        if "/us.demo/case" in link.get("href")
    ]
    assert len(found) == NEW + CHANGED


def test_the_heads_name_the_feed_of_everything_where_everything_is(imported):
    for path, scopes in {"fr/changes": {"all"}, "fr/changes/all": {"all", "everything"}}.items():
        links = parse(imported / f"{path}.html").findall(".//link[@rel='alternate']")
        hrefs = {link.get("href") for link in links if "/feeds/" in link.get("href")}
        assert hrefs == {
            f"/sub/feeds/fr/{scope}.{end}" for scope in scopes for end in ("atom", "json")
        }
    atom = ET.fromstring((imported / "feeds/fr/everything.atom").read_bytes())  # noqa: S314  our own
    assert len(atom.findall(f"{ATOM}entry")) == len(feed(imported, "everything")["items"])
