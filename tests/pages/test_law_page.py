"""The page of the law, what it will ask for of each agency, and the feed of both."""

import datetime as dt
import json

import msgspec
import pytest

from registry.pages.build.read_snapshot import day_of
from registry.pages.digests import site_fingerprint
from registry.record.validate import validate
from tests.record.test_laws import with_law

from .conftest import PACK, Rendered, make_corpus, stored
from .test_html import text_of

DAY = dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC)
ROWS = """
code,when,asks,else,law,article,known,since,until,confirmed_by,confirmed_on
one-1,M,/data/retention,warning,third,1,,,,A. Jurist,2026-11-02
one-2,H | at_school,/documents,error,third,2,2026-06-01,2027-01-01
one-3,M,hosted_here,error,third,3,2026-10-01,2027-03-01
one-4,M,/purpose/goal,error,third,4,2026-10-01,2027-03-01
one-5,M,/documents,error,third,5,2026-10-01,2025-03-01,2026-03-01
one-6,at_school,,level:high,third,6,2026-10-01,2027-03-01
"""
LATER = ["one-2-2027-01-01", "one-3-2027-03-01", "one-4-2027-03-01", "one-6-2027-03-01"]
CONDITIONS = """
name,path,test,value
at_school,/sector/primary,is,education|health
hosted_here,/data/hosting/country,is,MA
"""
LACKING = {
    "id": "demo-education/lacking",
    "schema_version": "1.0",
    "name": {"fr": "Système sans documents"},
    "sector": {"primary": "education"},
    "purpose": {"goal": {"fr": "Un but."}},
}
STATING = LACKING | {
    "id": "demo-education/stating",
    "name": {"fr": "Système documenté"},
    "documents": [{"type": "other", "title": {"fr": "Un"}}],
    "data": {"hosting": {"country": "MA"}},
}


@pytest.fixture(scope="module")
def pack():
    return msgspec.structs.replace(with_law(PACK, ROWS, CONDITIONS), steps=())


@pytest.fixture(scope="module")
def site(pack):
    corpus = make_corpus(
        *(stored(one, entry=place) for place, one in enumerate((LACKING, STATING), 300)),
        demonstrated=False,
    )
    return Rendered(msgspec.structs.replace(corpus, pack=pack, as_of=DAY))


@pytest.mark.parametrize("tag", ["ar", "fr", "en", "zgh"])
def test_each_row_stands_with_its_article_and_its_day(site, tag):
    page = site.page(f"{tag}/law.html")
    later, now = (page.find(f".//section[@id='{name}']") for name in ("later", "now"))
    assert [one.get("id") for one in later.iter("h3")] == LATER
    assert [one.get("id") for one in now.iter("h3")] == ["one-1"]
    assert {time.get("datetime") for time in later.iter("time")} == {"2027-01-01", "2027-03-01"}
    # Of what a record lacks its agency is told, of what all state nobody.
    links = [one.get("href") for one in later.iter("a") if "agencies/" in one.get("href")]
    assert links == [f"/sub/{tag}/agencies/demo-education#upcoming"] * 2
    assert len(later.findall(".//*[@class='mark']")) == 4
    assert now.find(".//*[@class='mark']") is None


def test_the_words_say_what_is_asked_of_which_records(site):
    text = text_of(site.page("en/law.html").find(".//main"))
    assert (
        "at the risk levels high and unacceptable or Sector: Education and training, Health" in text
    )
    assert "Hosting · Country: Morocco" in text
    assert "Confirmed by A. Jurist on November 2, 2026" in text
    assert "1 record in force does not state it yet." in text
    # Of a level nothing is missing: its card has no number, and no name of a field.
    level = site.page("en/law.html").find(f".//h3[@id='{LATER[-1]}']/..")
    assert "The level of risk is at least High risk." in text_of(level)
    assert "in force" not in text_of(level)


def test_a_row_that_becomes_stricter_changes_the_keys_of_pages(pack):
    """Its code and first day stay, and a day's pages are not those of the day before."""
    known = "one-1,M,/data/retention,error,third,1,2026-12-02,2027-05-01"
    moved = with_law(
        PACK, f"{ROWS.strip()}\n{known.replace('12-02', '11-01')}\n{known}", CONDITIONS
    )
    keys = [
        site_fingerprint(moved, "https://a.example", {}, {}, dt.date(2026, 12, day))
        for day in (1, 2, 3)
    ]
    assert keys[0] != keys[1] == keys[2]


def test_pages_speak_of_the_day_of_the_country():
    at = dt.datetime(2026, 12, 1, 2, tzinfo=dt.UTC)
    lima = msgspec.structs.replace(PACK, time_zone="America/Lima")
    assert [day_of(one, at).date().day for one in (PACK, lima)] == [1, 30]


def test_an_agency_sees_which_of_its_records_lack_what_will_be_asked(site):
    section = site.page("fr/agencies/demo-education.html").find(".//section[@id='upcoming']")
    links = [one.get("href") for one in section.iter("a") if "/records/" in one.get("href")]
    assert links == ["/sub/fr/records/demo-education/lacking"] * 2
    assert "1er janvier 2027" in text_of(section)
    other = site.page("fr/agencies/cnss.html")
    assert other.find(".//section[@id='upcoming']") is None


def test_a_record_says_what_was_not_asked_for_when_it_was_published(site):
    section = site.page("fr/records/demo-education/lacking.html").find(
        ".//section[@id='asked-since']"
    )
    assert [one.get("datetime") for one in section.iter("time")] == ["2027-01-01", "2027-03-01"]
    stating = site.page("fr/records/demo-education/stating.html")
    assert stating.find(".//section[@id='asked-since']") is None


def test_a_feed_tells_what_became_known_newest_first(site):
    feed = json.loads(site.text("feeds/en/law.json"))
    assert [one["url"].rpartition("#")[2] for one in feed["items"]] == [*LATER[1:][::-1], LATER[0]]
    assert feed["items"][-1]["title"] == "law 3, article 2 – Documents"
    assert feed["items"][-1]["date_published"].startswith("2026-06-01")
    assert "From January 1, 2027 on" in feed["items"][-1]["content_text"]


def test_a_check_tells_what_will_be_asked_without_asking_for_it(pack):
    def check(day):
        return validate(LACKING, profile="publication", pack=pack, today=day, most=500)

    before, after = check(DAY.date()), check(dt.date(2027, 3, 1))
    assert [one.rule for one in before.upcoming] == ["one-3", "one-2"]
    assert not {"one-2", "one-3"} & {one.rule for one in before.findings}
    assert {"one-2", "one-3"} <= {one.rule for one in after.findings}
    assert after.upcoming == ()
    assert "From 2027-01-01 on asked for by law 3, article 2." in before.upcoming[1].message


def test_a_filter_by_a_row_is_named_by_its_article(site):
    words = json.loads(site.text("find/en.json"))["finding"]
    assert words["one-2"] == ["law 3, article 2"]
    own = json.loads(Rendered(make_corpus()).text("find/fr.json"))["finding"]
    assert own["09-08-43"] == ["loi n°\u00a009-08, articles 43–44"]
