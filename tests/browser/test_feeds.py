"""A feed that is opened in a browser: a page in its language, whose links can be followed."""

from __future__ import annotations

import pytest

from tests.browser.conftest import PHONE

_SHOWN = """() => {
  const lines = [...document.querySelectorAll("title, subtitle, entry > *")];
  return lines.map((one) => [one.localName, one.getBoundingClientRect()])
    .filter(([, { width, height }]) => width && height)
    .map(([name, { left, right }]) => [name, left, right]);
}"""


@pytest.mark.parametrize(("lang", "direction"), [("ar", "rtl"), ("fr", "ltr"), ("zgh", "rtl")])
def test_a_feed_is_a_page_of_its_language(opened, host, lang, direction):
    with opened(viewport=PHONE) as page:
        for file in ("all", "risk/high"):
            assert page.goto(f"{host}/feeds/{lang}/{file}.atom").ok
            assert (
                page.evaluate("getComputedStyle(document.documentElement).direction") == direction
            )
            rows = page.evaluate(_SHOWN)
            assert [name for name, *_ in rows[:2]] == ["title", "subtitle"], file
            assert {name for name, *_ in rows} == {"title", "subtitle", "updated", "summary", "a"}
            assert all(left >= 0 and right <= PHONE["width"] for _, left, right in rows), file
        size = page.evaluate(
            "parseFloat(getComputedStyle(document.querySelector('title')).fontSize)"
        )
        assert size > 24
        page.locator("entry a").first.click()
        page.wait_for_url(f"{host}/{lang}/**")
        page.go_back()
        page.locator("subtitle a").click()
        page.wait_for_url(f"{host}/{lang}/feeds")
