"""The map of regions and the finder, by keyboard and as a screen reader is told of them."""

from __future__ import annotations

import re

from tests.browser.conftest import PHONE

BAR = "nav.sections a"


def focused(page):
    return page.evaluate(
        """() => {
            const one = document.activeElement;
            return [one.tagName.toLowerCase(), one.id, one.getAttribute("href")];
        }"""
    )


def test_the_map_is_links_with_names_in_the_order_of_reading(opened, host):
    with opened(viewport=PHONE) as page:
        for lang in ("fr", "ar"):
            page.goto(f"{host}/{lang}/regions/")
            told = page.locator(".map svg").aria_snapshot()
            links = re.findall(r'link "([^"]+)"', told)
            assert len(links) == 12
            assert all(re.search(r"\d|بطاق|aucune", name) for name in links), links
            assert page.locator(".tile").first.bounding_box()["height"] >= 24
        page.goto(f"{host}/fr/regions/")
        page.locator(".map a").first.focus()
        seen = [focused(page)[2]]
        for _ in range(11):
            page.keyboard.press("Tab")
            seen.append(focused(page)[2])
        assert len(set(seen)) == 12
        assert all(re.fullmatch(r"/fr/regions/MA-\d\d", one) for one in seen)
        page.emulate_media(forced_colors="active")
        colours = page.eval_on_selector(
            ".tile rect", "one => [getComputedStyle(one).fill, getComputedStyle(one).stroke]"
        )
        assert colours[0] != colours[1]
        page.keyboard.press("Enter")
        page.wait_for_url("**" + seen[-1])
        assert page.locator("nav.sections [aria-current]").inner_text() == "Parcourir"


def test_no_entry_of_the_bar_vanishes_on_a_phone(opened, host):
    with opened(viewport={"width": 320, "height": 640}) as page:
        for lang in ("ar", "fr", "zgh", "en"):
            page.goto(f"{host}/{lang}/")
            assert page.locator(BAR).count() == 5
            for link in page.locator(BAR).all():
                assert link.is_visible()
                assert link.bounding_box()["height"] >= 24


def test_by_keyboard_one_skips_from_the_box_to_the_results(opened, host):
    with opened() as page:
        page.goto(f"{host}/fr/search?q=a")
        page.wait_for_selector("#hits .record")
        page.locator("#q").focus()
        for _ in range(4):
            page.keyboard.press("Tab")
            if focused(page)[2] == "#answers":
                break
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('#answers').contains(document.activeElement)")
        told = page.locator("#results").aria_snapshot()
        assert "status" in told
        assert re.search(r"\d+ fiches? trouvées?", told)
        # What was suggested or replaced is said with the number, in the same live region.
        assert page.locator("#told[role=status] #mended").count() == 1
        assert page.locator("#told[role=status] #suggestion").count() == 1
