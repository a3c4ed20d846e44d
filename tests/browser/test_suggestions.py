"""The search box of every page: what it suggests while somebody types, by keys, touch and voice."""

from __future__ import annotations

import re

import pytest

OPTION = "#suggestions [role=option]"
ARABIC_PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def typed(page, text):
    page.locator("#q").press_sequentially(text)
    page.wait_for_selector(OPTION)


def active(page):
    """The option that a screen reader is on: None while it is in the text."""
    return page.evaluate(
        """() => {
            const id = document.getElementById("q").getAttribute("aria-activedescendant");
            const one = id && document.getElementById(id);
            return one && one.getAttribute("aria-selected") === "true" ? one.textContent : null;
        }"""
    )


def test_the_list_is_gone_through_by_keys_as_every_combobox(opened, register, axe):
    with opened(register.url) as page:
        page.goto(f"{register.url}/fr/")
        box = page.get_by_role("combobox", name="Quel système cherchez-vous ?")
        assert box.get_attribute("aria-expanded") == "false"
        typed(page, "san")
        assert box.get_attribute("aria-expanded") == "true"
        options = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
        count = options.count()
        assert count > 2
        assert str(count) in page.locator("#suggested").inner_text()
        groups = page.get_by_role("listbox").get_by_role("group")
        assert groups.count() == page.locator("#suggestions [role=group]").count() > 1
        assert page.get_by_role("group", name="Secteurs").get_by_role("option").count() == 1
        assert axe(page) == []
        assert active(page) is None
        for place in range(count):
            page.keyboard.press("ArrowDown")
            assert active(page) == options.nth(place).text_content()
        page.keyboard.press("ArrowDown")
        assert active(page) is None
        page.keyboard.press("ArrowUp")
        assert active(page) == options.last.text_content()
        assert axe(page) == []
        page.keyboard.press("Home")
        assert active(page) is None
        assert page.evaluate("document.getElementById('q').selectionStart") == 0
        page.keyboard.press("ArrowDown")
        page.keyboard.press("End")
        assert active(page) is None
        assert page.evaluate("document.getElementById('q').selectionStart") == 3
        page.keyboard.press("Escape")
        assert not options.first.is_visible()
        assert box.input_value() == "san"
        assert box.get_attribute("aria-expanded") == "false"
        page.keyboard.press("Alt+ArrowDown")
        assert options.first.is_visible()
        assert active(page) is None
        page.keyboard.press("Alt+ArrowUp")
        assert not options.first.is_visible()
        page.keyboard.press("ArrowDown")
        assert active(page) == options.first.text_content()
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/fr/agencies/"))


def test_what_was_typed_is_asked_where_no_option_is_chosen(opened, register):
    with opened(register.url) as page:
        page.goto(f"{register.url}/fr/")
        typed(page, "radiographies")
        page.keyboard.press("Enter")
        page.wait_for_url("**/fr/search?q=radiographies")
        page.wait_for_selector("#hits .record")
        assert not page.locator(OPTION).first.is_visible()


def test_nothing_is_asked_before_two_letters_and_leaving_closes_the_list(opened, register):
    with opened(register.url) as page:
        asked = []
        page.on("request", lambda one: asked.append(one.url) if "/api/" in one.url else None)
        page.goto(f"{register.url}/fr/")
        page.get_by_role("combobox").press_sequentially("s ")
        page.wait_for_timeout(600)
        assert asked == []
        page.get_by_role("combobox").fill("")
        typed(page, "sa")
        assert asked
        page.keyboard.press("Tab")
        assert not page.locator(OPTION).first.is_visible()


def test_a_press_on_a_phone_in_arabic_opens_the_page(opened, register, axe):
    with opened(register.url, **ARABIC_PHONE) as page:
        page.goto(f"{register.url}/ar/")
        typed(page, "الصح")
        listed = page.get_by_role("listbox")
        box = page.get_by_role("combobox").bounding_box()
        for option in listed.get_by_role("option").all():
            place = option.bounding_box()
            assert place["height"] >= 24
            assert 0 <= place["x"] <= place["x"] + place["width"] <= 360
        assert listed.bounding_box()["y"] >= box["y"] + box["height"]
        assert axe(page) == []
        page.get_by_role("group", name="القطاعات").get_by_role("option").first.tap()
        page.wait_for_url(re.compile("/ar/sectors/"))


@pytest.mark.parametrize("where", ["", "search", "agencies/", "sectors/", "contest"])
def test_a_copy_suggests_from_its_own_files(opened, host, where):
    with opened() as page:
        page.goto(f"{host}/fr/{where}")
        if where == "search":
            page.wait_for_selector("#hits .record")
        typed(page, "san")
        groups = page.get_by_role("listbox").get_by_role("group")
        assert groups.filter(has_text="Ministère de la Santé").count() == 1
        assert page.get_by_role("group", name="Secteurs").get_by_role("option").count() == 1


def test_where_nothing_answers_the_box_is_silent(opened, host):
    with opened() as page:
        page.route("**/find/index.json", lambda route: route.fulfill(body="no index"))
        page.goto(f"{host}/fr/")
        with page.expect_response(re.compile("/find/index")):
            page.get_by_role("combobox").press_sequentially("san")
        page.wait_for_timeout(300)
        assert page.locator("#suggestions").is_hidden()
        assert page.locator("#suggested").inner_text() == ""


def test_the_list_pushes_nothing_away(opened, register):
    with opened(register.url) as page:
        page.goto(f"{register.url}/fr/")
        before = page.locator("#life").bounding_box()
        typed(page, "sa")
        assert page.locator("#life").bounding_box() == before
