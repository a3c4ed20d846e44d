"""The contents beside a record: they mark the part that is being read, in every browser."""

from __future__ import annotations

import pytest

_MARKED = """() => [...document.querySelectorAll(".toc [aria-current]")]
  .map((one) => [one.hash, one.getAttribute("aria-current")])"""
_LOOK = """one => {
  const { borderInlineStartColor: edge, backgroundColor: ground } = getComputedStyle(one);
  return [edge, ground];
}"""


@pytest.mark.parametrize("lang", ["ar", "fr"])
def test_the_part_that_is_read_is_marked(opened, host, lang):
    with opened() as page:
        page.goto(f"{host}/{lang}/records/demo-sante/triage-radiographies")
        assert page.evaluate(_MARKED) == []
        height = page.locator(".toc").bounding_box()["height"]
        for place in ("you", "decision", "data", "risks", "about-record"):
            page.locator(f".toc a[href='#{place}']").click()
            page.wait_for_function(
                "place => document.querySelector('.toc [aria-current]')?.hash === place",
                arg=f"#{place}",
            )
            assert page.evaluate(_MARKED) == [[f"#{place}", "location"]]
        here, other = (
            page.locator(f".toc a{which}").first.evaluate(_LOOK)
            for which in ("[aria-current]", ":not([aria-current])")
        )
        assert here[0] != other[0]
        assert here[1] != other[1]
        assert page.locator(".toc").bounding_box()["height"] == height
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_function("() => !document.querySelector('.toc [aria-current]')")
        page.emulate_media(forced_colors="active")
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.wait_for_selector(".toc [aria-current]")
        edges = [
            page.locator(f".toc a{which}").first.evaluate(_LOOK)[0]
            for which in ("[aria-current]", ":not([aria-current])")
        ]
        assert edges[0] != edges[1]
