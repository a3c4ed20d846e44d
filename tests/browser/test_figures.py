"""Tables, heads and lists where there is little room: on a phone, on paper, in one line."""

from __future__ import annotations

import pytest

SMALL = {"width": 390, "height": 844}
PAPER = {"width": 720, "height": 1000}
PAGES = ("statistics", "risk/")

# Every number with what stands before it, and whether all of it is within the window.
_NUMBERS = """() => [...document.querySelectorAll(".figures tbody tr")]
  .filter((row) => row.checkVisibility())
  .map((row) => [...row.querySelectorAll("td.n")].filter((cell) => cell.checkVisibility())
    .map((cell) => {
      const { left, right } = cell.getBoundingClientRect();
      const name = getComputedStyle(cell, "::before").content;
      return [name === "none" ? "" : name.replaceAll('"', ""), left >= 0 && right <= innerWidth];
    }))"""
_SCROLLED = """[...document.querySelectorAll(".scroll")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1).length"""
_CUT = """[...document.querySelectorAll(".figures :is(th, td)")]
  .filter((one) => one.checkVisibility())
  .filter((one) => {
    const { left, right } = one.getBoundingClientRect();
    return left < -1 || right > innerWidth + 1 || one.scrollWidth > one.clientWidth + 1;
  }).map((one) => one.textContent.trim())"""
_HEADS = """() => [...document.querySelectorAll(".figures table")].map((table) =>
  [...table.querySelectorAll("thead th")].filter((one) => one.checkVisibility()).map((one) => {
    const range = document.createRange();
    range.selectNodeContents(one);
    const lines = [...range.getClientRects()].filter(({ width }) => width > 1);
    return new Set(lines.map(({ top }) => Math.round(top / 8))).size;
  }))"""
_PILLS = """[...document.querySelectorAll(".crossed thead .badge")].map((one) => {
  const { top, height } = one.getBoundingClientRect();
  return [Math.round(top), Math.round(height)].join();
})"""


@pytest.mark.parametrize("lang", ["ar", "fr"])
def test_on_a_phone_each_number_stands_with_its_name(opened, host, lang):
    with opened(viewport=SMALL) as page:
        for path in PAGES:
            page.goto(f"{host}/{lang}/{path}")
            rows = page.evaluate(_NUMBERS)
            assert len(rows) > 10, path
            assert all(rows), "a row without a number"
            assert all(name and is_within for row in rows for name, is_within in row), path
            assert page.evaluate(_SCROLLED) == 0, path


@pytest.mark.parametrize("lang", ["ar", "fr"])
def test_on_paper_every_column_is_there(opened, host, lang):
    with opened(viewport=PAPER) as page:
        for path in PAGES:
            page.goto(f"{host}/{lang}/{path}")
            page.emulate_media(media="print")
            assert page.locator(".figures td.n").first.is_visible()
            assert page.evaluate(_CUT) == [], path
            # What a screen folds away is on paper.
            assert all(row.is_visible() for row in page.locator(".figures tr.more").all()), path


def test_on_paper_what_a_record_means_has_its_bullets(opened, host):
    with opened(viewport=PAPER) as page:
        page.goto(f"{host}/fr/records/demo-sante/triage-radiographies")
        page.emulate_media(media="print")
        bullets = page.eval_on_selector_all(
            ".points li",
            """points => points.map((one) => {
              const { content, printColorAdjust, width } = getComputedStyle(one, "::before");
              return [content, printColorAdjust, parseFloat(width) > 4];
            })""",
        )
        assert len(bullets) > 2
        assert all(one == ['""', "exact", True] for one in bullets)


@pytest.mark.parametrize("lang", ["ar", "fr"])
def test_heads_of_tables_are_even_and_short(opened, host, lang):
    with opened() as page:
        page.goto(f"{host}/{lang}/risk/")
        assert len(set(page.evaluate(_PILLS))) == 1
        page.goto(f"{host}/{lang}/statistics")
        lines = page.evaluate(_HEADS)
        assert lines
        assert max(max(heads) for heads in lines) <= 3


def test_a_level_as_a_title_is_no_pill_and_lines_below_letters_are_whole(opened, host):
    with opened() as page:
        page.goto(f"{host}/fr/risk/high")
        style = page.eval_on_selector(
            "h1 .badge",
            """one => {
              const { backgroundColor, paddingInlineStart } = getComputedStyle(one);
              return [backgroundColor, paddingInlineStart];
            }""",
        )
        assert style == ["rgba(0, 0, 0, 0)", "0px"]
        ink = "one => getComputedStyle(one).textDecorationSkipInk"
        assert page.eval_on_selector("nav.sections [aria-current]", ink) == "none"
        # What comes from other registers begins at a distance.
        page.goto(f"{host}/fr/status/in_use")
        above = page.eval_on_selector(
            ".records + h2", "one => parseFloat(getComputedStyle(one).marginBlockStart)"
        )
        assert above >= 32
