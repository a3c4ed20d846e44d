"""The map of regions and the finder, by keyboard and as a screen reader is told of them."""

from __future__ import annotations

import itertools
import re

import pytest

from tests.browser.conftest import PHONE
from tests.browser.keyboard import Keyboard

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


AID = "demo-services/aide-energie-hivernale"

_LEVELS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .filter((one) => one.checkVisibility()).map((one) => Number(one.localName[1]))"""


def reads_well(page):
    """Return what a screen reader tells of a page: parts, an outline without gaps, no blanks."""
    told = page.locator("body").aria_snapshot()
    for part in ("banner", "main", "contentinfo"):
        assert len(re.findall(rf"^- {part}:", told, re.MULTILINE)) == 1, part
    levels = page.evaluate(_LEVELS)
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(level <= above + 1 for above, level in itertools.pairwise(levels)), levels
    assert not re.findall(
        r"- (?:list|listitem|paragraph|link|button|textbox|heading \[level=\d\])$",
        told,
        re.MULTILINE,
    )
    return told


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_a_blind_reader_comes_from_home_to_the_letter_by_keys_and_names(opened, register, lang):
    with opened(register.url) as page:
        keys = Keyboard(page)
        keys.open(f"{register.url}/{lang}/")
        assert "combobox" in reads_well(page)
        # The first stop of every page leads past the bar.
        assert keys.stop()["href"] == "#main"
        keys.go_to(id="q")
        keys.type({"fr": "aide chauffage", "ar": "دعم التدفئة"}[lang])
        keys.enter()
        page.locator("#hits .record").first.wait_for()
        assert "status" in reads_well(page)
        keys.go_to(href="#answers")
        keys.press("Enter")
        before = [keys.stop()["href"] for _ in range(12)]
        first = next(number for number, href in enumerate(before) if href.endswith(AID))
        assert first < 8
        keys.open(f"{register.url}{before[first]}")
        assert re.search(
            rf'heading "{re.escape(page.locator("h1").inner_text())}"', reads_well(page)
        )
        keys.act(href="/letter")
        told = reads_well(page)
        boxes = re.findall(r"- textbox(.*)", told)
        assert len(boxes) >= 9
        assert all(re.match(r' "[^"]{3,}"', one) for one in boxes), boxes
        keys.go_to(tag="input", type="text")
        keys.type("Fatima")
        assert page.evaluate("document.activeElement.value") == "Fatima"
        assert not keys.unseen
