"""The pages that answer: what charts, tables, files and statements of SQL say is the same."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from urllib.parse import unquote

import duckdb
import msgspec
import pytest

from registry.pages.views.answer_pages import ANSWER_PAGES
from registry.record.facts import KINDS
from registry.record.observations import OBSERVATIONS, observe, observed
from registry.record.pointers import dig
from registry.text.company_names import folded_name
from registry.text.folding import fold

from .conftest import FOREIGN, LANGUAGES, Rendered, make_corpus, stored
from .test_html import text_of

SVG = "{http://www.w3.org/2000/svg}"
RISKS = 5


def figures_of(page):
    return [one for one in page.iter("section") if "figures" in one.get("class", "").split()]


def read(site, lang, path, name):
    raw = (site / lang / path / f"{name}.csv").read_bytes()
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def rendered(*documents):
    return Rendered(make_corpus(*(stored(FOREIGN | one, origin="us-demo") for one in documents)))


def csv_of(site, path):
    _, *lines = csv.reader(io.StringIO(site.text(path), newline=""))
    return lines


def finding_of(site, path, name):
    return text_of(site.page(path).find(f".//figure[@id='{name}-chart']//b[@class='finding']"))


@pytest.fixture(scope="module")
def here(corpus):
    """The documents in force that were filed here, with what was erased of each."""
    return [
        (json.loads(one.document), [gone.pointer for gone in one.register.redacted])
        for one in corpus.records
        if one.register.origin is None and one.register.state != "withdrawn"
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", ANSWER_PAGES)
def test_a_chart_stands_by_itself_and_its_table_can_be_taken_away(pages, site, lang, path):
    page = pages[f"{lang}/{path}.html"]
    figures = figures_of(page)
    assert figures
    assert any(one.get("id").endswith("-elsewhere") for one in figures)
    for one in figures:
        _, *lines = read(site, lang, path, one.get("id"))
        chart = one.find(".//figure[@class='chart']")
        assert (chart is not None) == bool(lines)
        links = [link.get("href") for link in one.iter("a")]
        assert any(link.startswith("/sub/api/v1/records?origin=") for link in links)
        if chart is None:
            continue
        assert text_of(chart.find("figcaption"))
        said = text_of(chart.find("p[@class='source']"))
        entry = str(json.loads((site / "build.json").read_bytes())["log"]["size"] - 1)
        assert entry in re.sub(r"\D+", " ", said).split(), said
        kept = [unquote(link) for link in links if "/receipt?question=" in link]
        assert [link.endswith(f"&as_of=entry:{entry}") for link in kept] == [True], kept
        assert "2026" in said
        assert chart.find("p[@class='source']/strong") is not None, "a demonstration says so"
        shown = one.findall(".//tbody/tr")
        heads = [" ".join(text_of(row.find("th")).split()) for row in shown]
        assert heads == [" ".join(line[1].split()) for line in lines]
        bars = chart.findall("ul/li")
        # Outcomes are of a record each, so that silence about them is drawn, and is no row.
        apart = (
            chart.findall("ul/li//*[@class='part-silent']") if "outcomes" in one.get("id") else []
        )
        assert 0 < len(bars) - len(apart) <= len(lines)
        for bar in bars:
            assert text_of(bar.find("span[@class='n']"))
            rects = list(bar.iter(f"{SVG}rect"))
            assert sum(float(rect.get("width")[:-1]) for rect in rects) <= 100.05


def test_what_is_silent_is_a_bar_of_its_own_and_adds_up_to_all_records(site, here):
    stated = {
        ("suppliers", "suppliers"): "suppliers",
        ("suppliers", "hosting"): None,
        ("money", "procedures"): None,
        ("money", "running"): None,
        ("tests", "fairness"): None,
    }
    for (path, name), several in stated.items():
        _, *lines = read(site, "en", path, name)
        records = {line[0]: int(line[2 + RISKS]) for line in lines}
        silent = sum(records.get(f"kind.{kind}", 0) for kind in KINDS)
        of_values = sum(n for code, n in records.items() if not code.startswith("kind."))
        assert silent > 0
        if several is None:
            assert silent + of_values == len(here), (name, records)
        for line in lines:
            assert sum(map(int, line[2 : 2 + RISKS])) == int(line[2 + RISKS])


def test_sums_are_those_of_the_records_and_each_currency_is_by_itself(site, here):
    sums, stating, whole = Counter(), Counter(), Counter()
    for document, _ in here:
        sector = document.get("sector", {}).get("primary", "not_stated")
        whole[sector] += 1
        amount = document.get("procurement", {}).get("contract", {}).get("amount")
        for one in document.get("procurement", {}).get("amendments", ()):
            assert amount["currency"] == one["amount"]["currency"]
            amount = one["amount"]
        if amount:
            sums[amount["currency"], sector] += amount["value"]
            stating[amount["currency"], sector] += 1
    assert sums
    for currency in {code for code, _ in sums}:
        head, *lines = read(site, "fr", "money", f"sectors-{currency}")
        assert head[2] == currency
        found = {(currency, line[0]): [float(value) for value in line[2:]] for line in lines}
        assert found == {
            key: [float(sums[key]), stating[key], whole[key[1]]]
            for key in sums
            if key[0] == currency
        }


def test_running_cost_and_benefits_are_those_of_the_records(site, here):
    costs, named, told = Counter(), Counter(), Counter()
    for document, _ in here:
        amount = document.get("procurement", {}).get("running_cost", {}).get("amount")
        if amount:
            costs[amount["currency"]] += amount["value"]
        benefits = document.get("evaluation", {}).get("benefits", ())
        named.update({one["measure"] for one in benefits})
        for part in ("expected", "measured"):
            told.update({(one["measure"], part) for one in benefits if part in one})
    _, *running = read(site, "fr", "money", "running")
    stated = {line[0]: re.sub(r"\D", "", line[3 + RISKS]) for line in running if line[0] in costs}
    assert stated == {code: str(sum_) for code, sum_ in costs.items()}
    _, *benefits = read(site, "en", "money", "benefits")
    for line in benefits:
        if not line[0].startswith("kind."):
            assert int(line[2 + RISKS]) == named.pop(line[0])
            numbers = tuple(told[line[0], part] for part in ("expected", "measured"))
            assert line[3 + RISKS] == ("expected in {}, measured in {}".format(*numbers))
    assert costs
    assert not named


def test_laws_and_outcomes_are_those_of_the_records(site, here):
    _, *laws = read(site, "fr", "laws", "laws")
    titles = Counter(
        title
        for document, _ in here
        for title in {law["title"]["fr"] for law in document.get("data", {}).get("legal_basis", ())}
    )
    said = {line[1].replace("\N{NO-BREAK SPACE}", " "): int(line[2 + RISKS]) for line in laws}
    assert titles
    assert sum(n for name, n in said.items()) >= len(here)
    assert max(titles.values()) in said.values()
    _, *outcomes = read(site, "en", "tests", "outcomes")
    for line in outcomes:
        assert float(line[4]) == pytest.approx(100 * int(line[2]) / int(line[3]), abs=0.06)


def test_each_observation_is_counted_as_its_statement_on_the_page_lists_it(
    pages, site, here, corpus, tmp_path
):
    today = corpus.as_of.date()
    plain = Counter(
        code for document, erased in here for code in observed(observe(document, erased), today)
    )
    _, *lines = read(site, "en", "observations", "observations")
    assert {line[0]: int(line[2 + RISKS]) for line in lines} == {
        code: plain[code] for code in OBSERVATIONS
    }
    assert {int(line[3 + RISKS]) for line in lines} == {len(here)}
    file = tmp_path / "records.jsonl"
    with file.open("wb") as out:
        for document, erased in here:
            register = {"redacted": [{"pointer": one} for one in erased]}
            out.write(msgspec.json.encode({"record": document, "register": register}) + b"\n")
    page = pages["ar/observations.html"]
    for code in OBSERVATIONS:
        statement = text_of(page.find(f".//section[@id='{code}']//code"))
        assert re.search(r"/exports/records\.jsonl\?as_of=entry:\d+&origin=local'", statement)
        local = re.sub(r"'https?://[^']*'", f"'{file}'", statement)
        assert len(duckdb.sql(local).fetchall()) == plain[code], code


def test_a_record_says_what_it_shows_itself(pages, here, corpus):
    today = corpus.as_of.date()
    shown = {document["id"]: observed(observe(document, gone), today) for document, gone in here}
    assert len({bool(codes) for codes in shown.values()}) == 2
    for record, codes in shown.items():
        box = pages[f"fr/records/{record}.html"].find(".//section[@id='observations']")
        assert len([] if box is None else box.findall("ul/li")) == len(codes), record


def test_the_page_of_observations_says_how_many_were_answered(pages, here):
    answered = [one for one, _ in here if dig(one, "publication", "answers")]
    assert answered
    page = pages["en/observations.html"]
    said = text_of(page.find(".//figure[@id='observations-chart']//b[@class='finding']"))
    assert said.endswith(f"Records with an answer of the agency: {len(answered)}.")


def test_what_is_abroad_is_so_for_the_register_that_a_record_was_filed_in():
    made = {
        "procurement": {"suppliers": [{"name": "Letters Ltd", "country": "US"}]},
        "data": {"hosting": {"country": "US"}},
    }
    site = rendered(made, {"id": "us.demo/second", "data": {"hosting": {"country": "MA"}}})
    said = {
        name: finding_of(site, "en/suppliers.html", f"{name}-elsewhere")
        for name in ("countries", "hosting")
    }
    assert said["countries"].endswith("in 0 of these it is another country.")
    assert said["hosting"].endswith("in 1 of these abroad.")
    corpus = make_corpus(stored(FOREIGN | made, origin="us-demo"))
    origins = {
        code: msgspec.structs.replace(one, country="") for code, one in corpus.origins.items()
    }
    unknown = Rendered(msgspec.structs.replace(corpus, origins=origins))
    said = finding_of(unknown, "en/suppliers.html", "countries-elsewhere")
    assert said == "The country of a supplier is stated in 1 of 1 records."


def test_outcomes_are_shown_as_stated_of_none_contested_and_of_more_overturned_too():
    site = rendered(
        {"evaluation": {"outcomes": [{"period": "2025", "contested": 0, "overturned": 0}]}},
        {
            "id": "us.demo/second",
            "evaluation": {"outcomes": [{"period": "2025", "contested": 4, "overturned": 6}]},
        },
    )
    assert [line[0:1] + line[2:] for line in csv_of(site, "en/tests/outcomes-elsewhere.csv")] == [
        ["us.demo/second", "6", "4", "150.0"],
        ["us.demo/letter-sorting", "0", "0", ""],
    ]
    assert "stated in 2 of 2 records" in finding_of(site, "en/tests.html", "outcomes-elsewhere")
    section = site.page("en/tests.html").find(".//section[@id='outcomes-elsewhere']")
    # The API counts records, and has none of these numbers.
    assert "The same numbers" not in text_of(section)
    assert "The records behind these numbers" in text_of(section)


def test_silence_about_outcomes_is_drawn_beside_them():
    site = rendered(
        {"evaluation": {"outcomes": [{"period": "2025", "contested": 4, "overturned": 1}]}},
        {"id": "us.demo/second"},
        {"id": "us.demo/third"},
    )
    chart = site.page("en/tests.html").find(".//figure[@id='outcomes-elsewhere-chart']")
    silent, told = chart.findall("ul/li")
    assert text_of(silent.find("span[@class='n']")) == "2 of 3"
    assert text_of(told.find("span[@class='n']")) == "1 of 4"


def test_spellings_of_a_law_that_a_search_takes_for_one_are_one_row():
    titles = ("Loi n° 09-08", "Loi n\N{DEGREE SIGN} 09.08,", "LOI N° 09-08")
    assert len({folded_name(title) for title in titles}) == 1
    assert len({fold(title) for title in titles}) > 1
    site = rendered(
        *(
            {"id": f"us.demo/law-{at}", "data": {"legal_basis": [{"title": {"fr": title}}]}}
            for at, title in enumerate(titles)
        )
    )
    rows = csv_of(site, "en/laws/laws-elsewhere.csv")
    assert [int(line[2 + RISKS]) for line in rows if not line[0].startswith("kind.")] == [3]
