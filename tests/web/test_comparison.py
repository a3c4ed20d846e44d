"""Any two versions of a record, compared by the register when they are asked for."""

import itertools

import pytest

from registry import work
from registry.record.validate import validate
from registry.services.importing.matching import ForeignFiling
from tests.conftest import NOW
from tests.imported import import_filings
from tests.pages.test_html import text_of
from tests.web.conftest import FOREIGN, parse

FILE = "<!doctype html><p>the page of the latest two</p>"


@pytest.fixture
async def address(publish, record, settings):
    """The comparison of a record of three versions, of which the site has a page."""
    for number in (1, 2, 3):
        texts = {"fr": f"Résumé <{number}>.", "ar": f"ملخص {number}."}
        await publish(record | {"summary": texts})
    path = f"records/{record['id']}/compare"
    for lang in ("fr", "ar"):
        file = settings.site_dir / lang / f"{path}.html"
        file.parent.mkdir(parents=True)
        file.write_text(FILE, encoding="utf-8")
    return path


async def test_two_versions_are_compared_in_the_reader_s_language(client, address):
    for query in ("from=1&to=3", "from=3&to=1", "to=3&from=1&more="):
        page = parse(await client.get(f"/fr/{address}?{query}"))
        section = page.find(".//section[@id='v1-3']")
        assert "De la version 1 à la version 3" in text_of(section.find("h2"))
        line = next(line for line in section.iter("p") if line.get("class") == "diff")
        assert [text_of(part) for part in (line.find("del"), line.find("ins"))] == ["1", "3"]
        assert [
            option.get("value")
            for option in page.iter("option")
            if option.get("selected") is not None
        ] == ["1", "3"]
    page = parse(await client.get(f"/ar/{address}?from=1&to=2"))
    assert (page.get("lang"), page.get("dir")) == ("ar", "rtl")
    languages = page.findall(".//nav[@class='languages']//a")
    assert f"/fr/{address}?from=1&to=2" in [link.get("href") for link in languages]
    assert not list(page.iter("script"))


async def test_one_version_twice_is_no_comparison(client, address):
    page = parse(await client.get(f"/fr/{address}?from=2&to=2"))
    assert text_of(page.find(".//p[@role='alert']")) == "Choisissez deux versions différentes."
    assert not list(page.iter("ins"))


async def test_where_no_two_versions_are_named_the_file_of_the_site_answers(client, address):
    for query in ("", "?from=1", "?from=&to=2"):
        assert (await client.get(f"/fr/{address}{query}")).text == FILE, query
    for path in (f"/de/{address}", "/fr/records/demo-sante/none/compare"):
        assert (await client.get(f"{path}?from=1&to=2")).status_code == 404, path
    assert (await client.post(f"/fr/{address}?from=1&to=2")).status_code == 405


async def test_a_comparison_is_served_as_other_pages_are(client, address):
    answer = await client.get(f"/fr/{address}?from=1&to=2")
    again = await client.get(
        f"/fr/{address}?from=1&to=2", headers={"if-none-match": answer.headers["etag"]}
    )
    assert again.status_code == 304
    head = await client.head(f"/fr/{address}?from=1&to=2")
    assert (head.status_code, head.content) == (200, b"")


async def test_a_version_that_is_not_there_is_said(client, address):
    for query, missing in (
        ("from=1&to=4", ["4"]),
        ("from=99&to=98", ["99", "98"]),
        ("from=7&to=7", ["7"]),
        ("from=0&to=2", ["0"]),
        ("from=<b>&to=9999999999", ["<b>", "9999999999"]),
    ):
        answer = await client.get(f"/fr/{address}?{query}")
        assert answer.status_code == 404
        page = parse(answer)
        alerts = [text_of(one) for one in page.findall(".//p[@role='alert']")]
        assert alerts == [f"Cette fiche n’a pas de version {one}." for one in missing]
        assert not list(page.iter("ins"))
        chosen = [one for one in page.iter("option") if one.get("selected") is not None]
        assert [one.get("value") for one in chosen] == ["2", "3"]
    page = parse(await client.get(f"/ar/{address}?from=1&to=99"))
    assert "ليس لهذه البطاقة إصدار رقمه 99." in text_of(page)


async def test_who_took_too_much_work_waits_for_rendered_pages_too(client, address, monkeypatch):
    steps = itertools.count(step=30)
    monkeypatch.setattr(work.time, "thread_time", lambda: next(steps))
    assert (await client.get(f"/fr/{address}?from=1&to=3")).status_code == 200
    for path in (f"/fr/{address}?from=1&to=2", "/fr/code?code=ET3-P7SV"):
        refused = await client.get(path)
        assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too-many-requests")
        assert int(refused.headers["retry-after"]) >= 1
    assert (await client.get(f"/fr/{address}")).text == FILE


async def test_a_comparison_begins_with_what_matters(client, publish, record):
    before = record | {"risk": {"level": "limited"}, "decision": {"role": "informs"}}
    after = before | {
        "risk": {"level": "high", "rationale": {"fr": "Il trie.", "ar": "يفرز."}},
        "rights": {"contestation": {"available": "yes", "deadline_days": 60}},
        "publication": {"change_note": {"fr": "Il ordonne la liste."}},
    }
    for document in (before, after):
        await publish(document)
    page = parse(await client.get(f"/fr/records/{record['id']}/compare?from=1&to=2"))
    section = page.find(".//section[@id='v1-2']")
    rows = section.findall("./dl/div")
    told = [(text_of(row.find("dt")), text_of(row.find("dd"))) for row in rows]
    assert told[:2] == [
        ("Niveau de risque", "Risque limité →puis Risque élevé"),
        ("Contester une décision", "Non indiqué →puis Oui, 60 jours"),
    ]
    assert len(told) == 6
    assert all(words.endswith("inchangé") for _, words in told[2:])
    links = [link.get("href") for link in section.iter("a") if "#" in link.get("href", "")]
    assert links[:2] == ["#changed-risk", "#changed-rights"]
    ids = {one.get("id") for one in section.iter()}
    assert {link[1:] for link in links} <= ids
    assert "Il ordonne la liste." in text_of(section)
    # A text that came is read in one language; the others are folded.
    texts = [one for one in section.iter("span") if one.get("class") == "wording"]
    folded = [one for one in section.iter("details") if one.get("class") == "others"]
    assert "Il trie." in [text_of(one) for one in texts]
    assert [text_of(one.find("span")) for one in folded] == ["يفرز."]


async def test_a_comparison_of_a_copied_record_says_whose_it_is(client, context, pack):
    for name in ("Sorting", "Sorting anew"):
        document = {
            "id": "us.demo/sorting",
            "schema_version": "1.0",
            "name": {"en": name},
            "lifecycle": {"status": "in_use"},
        }
        verdict = validate(document, profile="foreign", pack=pack, today=NOW.date())
        filing = ForeignFiling(
            document=document, agency=FOREIGN, verdict=verdict, source_row={"name": name}
        )
        await import_filings(context, [filing])
    page = parse(await client.get("/en/records/us.demo/sorting/compare?from=1&to=2"))
    [notice] = [one for one in page.iter("div") if one.get("class") == "notice foreign"]
    assert "It was not filed here" in text_of(notice)
