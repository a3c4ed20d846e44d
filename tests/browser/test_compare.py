"""Any two versions compared, without a script: by the register, and on a copy the latest two."""

from __future__ import annotations

from tests.browser.conftest import VERSIONED
from tests.browser.static_host import static_host

_CUT = """selects => selects.filter((one) => {
  const { font, paddingInlineStart, paddingInlineEnd } = getComputedStyle(one);
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = font;
  const room = one.clientWidth - parseFloat(paddingInlineStart) - parseFloat(paddingInlineEnd);
  return pen.measureText(one.selectedOptions[0].text).width > room;
}).map((one) => one.selectedOptions[0].text)"""
_TOUCHED = """heads => heads.filter((one) => {
  const next = one.nextElementSibling;
  const { borderBlockEndWidth, paddingBlockEnd } = getComputedStyle(one);
  const isLined = parseFloat(borderBlockEndWidth) > 0;
  const below = next && parseFloat(getComputedStyle(next).borderBlockStartWidth) > 0
    ? next.getBoundingClientRect().top - one.getBoundingClientRect().bottom : 8;
  return (isLined && parseFloat(paddingBlockEnd) < 4) || below < 4;
}).map((one) => one.textContent)"""


def test_any_two_versions_are_chosen_and_compared(opened, register, axe):
    with opened(register.url, java_script_enabled=False) as page:
        page.goto(f"{register.url}/ar/records/{VERSIONED}/compare")
        assert page.locator("#v3-4 ins").count()
        page.get_by_label("الإصدار الأقدم").select_option("1")
        page.locator("#choose button").press("Enter")
        page.wait_for_url("**/compare?from=1&to=4")
        assert page.locator("#v1-4 del").count()
        # The address is the state: in another language too.
        page.locator("nav.languages a[hreflang=fr]").click()
        page.wait_for_url("**/fr/records/*/*/compare?from=1&to=4")
        assert page.title().startswith("De la version 1 à la version 4")
    with opened(register.url) as page:
        page.goto(f"{register.url}/fr/records/{VERSIONED}/compare?from=1&to=4")
        assert axe(page) == []


def test_what_is_chosen_is_read_whole_and_no_line_touches_letters(opened, register):
    with opened(register.url) as page:
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            for lang in ("ar", "fr"):
                page.goto(f"{register.url}/{lang}/records/{VERSIONED}/compare?from=1&to=4")
                assert page.eval_on_selector_all("select", _CUT) == [], (width, lang)
                assert page.eval_on_selector_all("main :is(h2, h3, h4)", _TOUCHED) == []


def test_a_static_copy_compares_the_latest_two_and_leads_on(opened, register, axe):
    with static_host(register.register.data / "site") as url, opened(url) as page:
        page.goto(f"{url}/fr/records/{VERSIONED}/compare?from=1&to=4")
        assert page.locator("#v3-4 ins").count()
        assert axe(page) == []
        page.locator("#steps a").last.click()
        page.wait_for_url("**/versions/1")
