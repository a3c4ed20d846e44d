"""Search where no script runs: the register answers in the page."""

from __future__ import annotations

import pytest

from tests.browser.conftest import DESKTOP, PHONE


def unfold(page):
    if page.locator("#filters > summary").is_visible():
        page.locator("#filters > summary").click()


@pytest.mark.parametrize(
    ("screen", "tag", "words"), [(DESKTOP, "fr", "demande"), (PHONE, "ar", "طلب")]
)
def test_one_searches_filters_and_turns_pages(opened, register, screen, tag, words):
    with opened(register.url, java_script_enabled=False, viewport=screen) as page:
        page.goto(f"{register.url}/{tag}/search")
        page.locator("#q").fill(words)
        page.locator("#finder button").click()
        page.wait_for_url("**/search?q=*")
        everything = page.locator("#hits .record").count()
        assert everything
        unfold(page)
        page.locator("#facet-risk input").first.check()
        page.locator("#filters > noscript button").click()
        page.wait_for_url("**/search?*risk=*")
        assert 0 < page.locator("#hits .record").count() <= everything
        assert page.locator("#q").input_value() == words
        page.locator("#chips a").click()
        page.wait_for_url(lambda address: "risk=" not in address)
        assert page.locator("#hits .record").count() == everything
        page.locator("#sort").select_option("name")
        page.locator("#sorting button").click()
        page.wait_for_url("**/search?*sort=name*")
        page.goto(f"{register.url}/{tag}/search?sort=name")
        first = page.locator("#hits h3").first.inner_text()
        page.locator("#pages a[rel=next]").click()
        page.wait_for_url("**cursor=*")
        assert page.locator("#hits h3").first.inner_text() != first
        page.locator("#pages a[rel=first]").click()
        page.wait_for_url(lambda address: "cursor=" not in address)
        assert page.locator("#hits h3").first.inner_text() == first


@pytest.mark.parametrize("tag", ["fr", "ar"])
def test_what_the_search_refuses_is_said_with_what_is_nearest(opened, register, tag):
    refused = "400 (Bad Request)"
    with opened(register.url, expected=refused, java_script_enabled=False) as page:
        answer = page.goto(f"{register.url}/{tag}/search?risk=hgh")
        assert answer.status == 400
        assert page.locator("#fault").is_visible()
        assert not page.locator("#results").is_visible()
        page.locator("#fault a").first.click()
        page.wait_for_url("**/search?risk=high")
        assert page.locator("#hits .record").count()


def test_the_server_s_pages_are_accessible(opened, register, axe):
    # Axe runs as a script, beside those that the page may not run.
    with opened(register.url, expected="400 (Bad Request)") as page:
        page.route(
            "**/assets/finder.*.js",
            lambda route: route.fulfill(status=200, content_type="text/javascript", body=""),
        )
        for tag, query in (
            ("fr", "q=demande&risk=high"),
            ("ar", "risk=hgh"),
            ("fr", "q=zzzzzz"),
            ("ar", "q=santé"),
        ):
            page.goto(f"{register.url}/{tag}/search?{query}")
            assert axe(page) == [], query
