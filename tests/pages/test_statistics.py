"""The statistics: bars, the numbers beside them, and the same numbers as files."""

from __future__ import annotations

import csv
import io

import pytest

from .conftest import LANGUAGES
from .test_html import text_of

SVG = "{http://www.w3.org/2000/svg}"

FIGURES = {
    "levels", "sectors", "status", "personal-data", "growth", "agencies",
    "overdue", "withheld", "restricted", "approvals", "silence", "silence-elsewhere", "silent",
}  # fmt: skip


def rows_of(page, name):
    table = page.find(f".//section[@id='{name}']//table")
    return [] if table is None else table.findall(".//tbody/tr")


def numbers_of(row):
    return [cell for cell in row.findall("td") if "n" in cell.get("class", "").split()]


def read(site, lang, name):
    raw = (site / lang / "statistics" / f"{name}.csv").read_bytes()
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_table_can_be_taken_away_with_the_same_numbers(pages, site, lang):
    page = pages[f"{lang}/statistics.html"]
    sections = [part for part in page.iter("section") if part.get("class") == "figures"]
    assert {part.get("id") for part in sections} == FIGURES
    for name in FIGURES:
        head, *lines = read(site, lang, name)
        shown = rows_of(page, name)
        assert len(lines) == len(shown)
        assert all(len(line) == len(head) for line in lines)
        # What grows begins with what is newest.
        ordered = shown[::-1] if name == "growth" else shown
        for line, row in zip(lines, ordered, strict=True):
            counts = [text_of(cell) for cell in numbers_of(row)]
            assert [value for value in counts if value.isdecimal()] == [
                value for value in line[2:] if value.isdecimal()
            ]


def test_the_counts_are_those_of_the_register(pages, corpus):
    here = [one for one in corpus.records if one.register.origin is None]
    here = [one for one in here if one.register.state != "withdrawn"]
    cells = [
        [int(text_of(cell)) for cell in numbers_of(row)]
        for row in rows_of(pages["en/statistics.html"], "sectors")
    ]
    assert sum(row[5] for row in cells) == len(here)
    assert all(sum(row[:5]) == row[5] for row in cells)


def test_other_registers_stand_after_what_was_filed_here_in_every_table(pages):
    found = 0
    for path, page in pages.items():
        for head in page.findall(".//thead/tr") if path.startswith("en/") else ():
            heads = [text_of(one) for one in head.findall("th")]
            if "Other registers" in heads:
                found += 1
                [here] = [one for one in ("Records", "Filed here") if one in heads]
                assert heads.index(here) < heads.index("Other registers"), (path, heads)
    assert found > 5


def test_an_overdue_review_is_told_by_its_date(pages, site):
    head, *lines = read(site, "fr", "overdue")
    assert head[2] == "Réexamen prévu le"
    assert lines
    assert all(line[2] < "2026-11-24" for line in lines)
    assert [line[2] for line in lines] == sorted(line[2] for line in lines)


def test_an_agency_that_filed_nothing_is_listed_with_what_it_states(site):
    silent = {line[0]: line[2:] for line in read(site, "en", "silent")[1:]}
    assert silent["hcp"] == ["0", "2026-09-30"]
    assert silent["tgr"] == ["", ""]
    assert "demo-sante" not in silent


@pytest.mark.parametrize(("lang", "mirrored"), [("fr", False), ("ar", True)])
def test_bars_begin_where_reading_begins(pages, lang, mirrored):
    rows = rows_of(pages[f"{lang}/statistics.html"], "status")
    bars = [bar for row in rows for bar in row.iter(f"{SVG}rect") if bar.get("width") != "0.00%"]
    assert len({bar.get("width") for bar in bars}) > 2
    for bar in bars:
        start = 100 - float(bar.get("width")[:-1]) if mirrored else 0.0
        assert float(bar.get("x").rstrip("%")) == pytest.approx(start, abs=0.011)


def test_numbers_are_kept_apart_from_the_text_around_them(pages):
    for row in rows_of(pages["ar/statistics.html"], "agencies"):
        for cell in numbers_of(row):
            assert [child.tag for child in cell] in (["bdi"], ["span"])


@pytest.mark.parametrize("lang", ["ar", "fr", "en"])
def test_a_sentence_above_each_table_says_what_it_shows(pages, lang):
    page = pages[f"{lang}/statistics.html"]
    said = {
        part.get("id"): [text_of(one) for one in part.findall("p[@class='finding']")]
        for part in page.iter("section")
        if part.get("class") == "figures" and part.find(".//tbody/tr") is not None
    }
    # A year has to pass before growth can be compared with what was.
    assert {name for name, found in said.items() if len(found) != 1} <= {"growth"}
    running = sum(
        int(text_of(numbers_of(row)[0]))
        for row in rows_of(page, "status")
        if row.find("th/a").get("href").endswith(("/in_use", "/pilot"))
    )
    assert f" {running} " in said["status"][0].replace(":", ": ").replace("\xa0", " ")


def test_a_sentence_in_the_language_that_its_page_is_set_in_is_not_marked(pages):
    found = pages["zgh/statistics.html"].findall(".//p[@class='finding']")
    assert {one.get("lang") for one in found} == {None}


def test_of_a_long_table_ten_rows_are_shown_until_somebody_opens_it(pages):
    page = pages["fr/statistics.html"]
    for section in (one for one in page.iter("section") if one.get("class") == "figures"):
        rows = rows_of(page, section.get("id"))
        opens = section.findall("details[@class='rest']/summary")
        assert len(opens) == (len(rows) > 10), section.get("id")
        assert [row.get("class") for row in rows] == [None] * min(len(rows), 10) + ["more"] * (
            len(rows) - 10
        )
        assert all(str(len(rows)) in text_of(one) for one in opens)
    assert page.find(".//details[@class='rest']") is not None
