"""Home, life events, overview and statistics say of systems in use what the API's facets count."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from registry.pages.build.read_snapshot import read_snapshot
from registry.search.engine import SearchIndex
from registry.search.query import SearchQuery

from .conftest import Rendered
from .test_html import text_of

STATUSES = ("planned", "in_development", "pilot", "in_use", "suspended", "retired", None)
CONTESTATIONS = ("yes", "no_legal_effect", "precluded_by_law", "in_progress", None)
RUNNING = ["in_use", "pilot"]


def filed(number, status, risk, contestation, role):
    return {
        "id": f"demo-education/s{number}",
        "schema_version": "1.0",
        "name": {"fr": f"Système {number}"},
        "sector": {"primary": "education"},
        "purpose": {"affected_groups": ["minors"]},
        "risk": {"level": risk},
        "decision": {"role": role},
        **({"lifecycle": {"status": status}} if status else {}),
        **({"rights": {"contestation": {"available": contestation}}} if contestation else {}),
    }


def documents(statuses):
    """Of each status as many as its place says, of every risk and answer in turn."""
    number = 0
    for place, status in enumerate(STATUSES):
        for at in range(place + 3 if status in statuses else 0):
            number += 1
            risk = ("high", "unacceptable", "minimal")[at % 3]
            role = ("decides_alone", "informs")[at % 2]
            yield filed(number, status, risk, CONTESTATIONS[at % 5], role)


def numbers(text):
    return [int(found) for found in re.findall(r"\d+", text)]


@pytest.fixture
def register(context, publish, tmp_path):
    """Publish systems of some statuses; return the pages, and a count by filters."""

    async def make(statuses):
        await publish(*documents(statuses))
        async with context.database.snapshot() as connection:
            snapshot = await read_snapshot(
                connection, context.pack, as_of=dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
            )
        index = SearchIndex(context.database.connection, tmp_path / "search")

        async def facets(name, **filters):
            found = await index.answer(SearchQuery(filters=filters, facets=(name,)))
            return {one.code: one.count for one in found.facets[name]}

        return Rendered(snapshot), facets

    return make


@pytest.mark.parametrize("statuses", [*((one,) for one in STATUSES), STATUSES, ()])
async def test_every_page_agrees_with_the_facets_by_status(register, statuses):
    site, facets = await register(statuses)
    by_status = await facets("status")
    running = sum(by_status.get(code, 0) for code in RUNNING)
    unknown = by_status.get("not_stated", 0)
    idle = sum(by_status.values()) - running - unknown
    at_high = {"status": RUNNING, "risk": ["high", "unacceptable"]}
    said = await facets("contestation", **at_high)
    alone = (await facets("role", status=RUNNING)).get("decides_alone", 0)

    home = site.page("en/index.html")
    lede = text_of(home.find(".//p[@class='lede']"))
    assert numbers(lede) == [running, idle, *([unknown] if unknown else [])]
    high, by_itself, _ = home.findall(".//section[@id='short']//li")
    silent = said.get("not_stated", 0)
    yes = said.get("yes", 0)
    no = sum(said.values()) - yes - silent
    assert numbers(text_of(high)) == ([yes + no + silent, yes, no, silent] if said else [0])
    assert numbers(text_of(by_itself)) == [alone]
    # What stands behind each number is asked with the same filters.
    for link in [*high.findall("a"), *by_itself.findall("a")]:
        assert "?status=in_use&status=pilot&" in link.get("href")

    for lang in ("ar", "fr", "zgh", "en"):
        table = site.page(f"{lang}/index.html").find(".//section[@id='levels']//tbody")
        rows = [] if table is None else table.findall("tr")
        told = [[int(text_of(cell)) for cell in row.findall("td")[1:]] for row in rows]
        states = (RUNNING, ["planned", "in_development"], ["suspended", "retired"], ["not_stated"])
        assert [sum(column) for column in zip(*told, strict=True)] == (
            [sum(by_status.get(code, 0) for code in codes) for codes in states]
            + [sum(by_status.values())]
            if by_status
            else []
        ), lang
        assert all(sum(row[:-1]) == row[-1] for row in told), lang

    counts = site.page("en/browse.html")
    words = [text_of(one) for one in counts.findall(".//li[@class='card']/p")]
    assert f"{running} in use or on trial today." in " ".join(words).replace("\u00a0", " ")
    assert any(numbers(one) == [sum(said.values())] for one in words if "high" in one)

    by_part = {
        "may have had a part in it": running,
        "earlier decisions": sum(by_status.get(code, 0) for code in ("suspended", "retired")),
        "being prepared": sum(by_status.get(code, 0) for code in ("planned", "in_development")),
        "not stated": unknown,
    }
    event = site.page("en/life/school.html").find(".//section[@id='systems']")
    headings = [text_of(one) for one in event.findall("h2")]
    for words, count in by_part.items():
        assert [numbers(one) for one in headings if words in one] == ([[count]] if count else [])
    lists = [len(one.findall("li")) for one in event.findall("ul")]
    assert lists == [numbers(one)[0] for one in headings if numbers(one)]
    tile = next(
        one
        for one in site.page("en/life/index.html").findall(".//li[@class='card']")
        if one.find("a").get("href").endswith("/life/school")
    )
    assert numbers(text_of(tile.findall("p")[1])) == [running]

    statistics = site.page("en/statistics.html")
    if by_status:
        told = text_of(statistics.find(".//section[@id='status']/p[@class='finding']"))
        assert numbers(told) == [running, sum(by_status.values())]
        told = text_of(statistics.find(".//section[@id='sectors']/p[@class='finding']"))
        assert numbers(told)[-1] == sum(said.values())


async def test_an_agency_that_filed_nothing_leads_to_what_a_citizen_can_do(register):
    site, _ = await register(["in_use"])
    page = site.page("fr/agencies/cnss.html")
    links = {one.get("href") for one in page.findall(".//section[@id='decision']//a")}
    ways = ("agencies/cnss/letter", "contest#until", "contest#bodies")
    assert links == {f"/sub/fr/{way}" for way in ways}
    assert "ne vous retire aucun droit" in text_of(page.find(".//section[@id='decision']"))
    filed = site.page("fr/agencies/demo-education.html").find(".//section[@id='decision']")
    assert "ne vous retire aucun droit" not in text_of(filed)


@pytest.mark.parametrize("lang", ["ar", "fr", "en", "zgh"])
async def test_nothing_that_never_ran_may_have_had_a_part(register, lang):
    site, _ = await register(["planned", "in_development"])
    page = site.page(f"{lang}/life/school.html")
    (heading,) = [text_of(one) for one in page.findall(".//section[@id='systems']/h2")]
    words = {
        "ar": "7 أنظمة قيد الإعداد: لا يمكن أن يكون أي منها قد ساهم فيه",
        "zgh": "7 أنظمة قيد الإعداد: لا يمكن أن يكون أي منها قد ساهم فيه",
        "fr": "7 systèmes sont en préparation : aucun n’a pu y prendre part",
        "en": "7 systems are being prepared: none can have had a part in it",
    }
    assert re.sub(r"\s", " ", heading) == words[lang]


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("ar", "11 نظاما قيد الاستعمال أو التجريب؛ و22 نظاما مبرمجا أو موقوفا أو خارج الخدمة؛ و9"),
        ("fr", "11 systèmes en service ou à l’essai ; 22 prévus, suspendus ou retirés ; 9 dont"),
        ("en", "11 systems in use or on trial; 22 planned, suspended or retired; 9 of which"),
    ],
)
async def test_the_first_sentence_is_whole_in_every_language(register, lang, words):
    site, _ = await register(STATUSES)
    lede = text_of(site.page(f"{lang}/index.html").find(".//p[@class='lede']"))
    assert re.sub(r"\s", " ", lede).startswith(words), lede
