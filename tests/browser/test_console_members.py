"""Signing in, members and tokens in a real browser, without script and without barriers."""

from __future__ import annotations

import pytest

from tests.browser import test_console_acts as acts

pytestmark = pytest.mark.xdist_group("browser-console-members")

office, member = acts.office, acts.member


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_pages_have_no_barrier(member, axe, language, scheme):
    found = []
    roles = ("agency_admin", "editor")
    look = {"language": language, "color_scheme": scheme, "java_script_enabled": True}
    with member(*roles, name="Admin", agency="demo-services", **look) as page:

        def check(what):
            found.extend((what, *one) for one in axe(page))
            if acts.overflows(page):
                found.append((what, "overflows"))

        for path in ("members", "tokens", "nothing", "sign-in/link/unknown"):
            page.goto(f"/office/{language}/{path}")
            check(path)
        page.goto(f"/office/{language}/members")
        page.locator("main form button").click()
        page.wait_for_selector(".error-summary")
        check("members with what is wrong")
        page.fill("#name", "Brahim")
        page.check("#roles-reviewer")
        page.locator("main form button").click()
        link = page.locator(".secret code").inner_text()
        check("link")
        page.goto(f"/office/{language}/members")
        page.locator("main td >> nth=0").wait_for()
        page.get_by_role("link", name="Brahim").last.click()
        check("member")
        page.goto(f"/office/{language}/tokens")
        page.locator("main form button").last.click()
        page.wait_for_selector(".error-summary")
        check("tokens with what is wrong")
        page.check("#scopes-file")
        page.fill("#actor", f"bureau {language} {scheme}")
        page.locator("main form button").last.click()
        page.locator(".secret code").wait_for()
        check("token")
        page.goto(f"/office/{language}/tokens")
        check("tokens")
        page.locator("header .account button").click()
        page.wait_for_url("**/sign-in")
        check("sign in")
        page.goto(link)
        check("link of another")
        page.locator("main button").click()
        page.wait_for_url("**/office/*/")
        assert page.locator("header .account").inner_text().startswith("Brahim")
    assert found == []


def test_members_are_managed_without_script(member):
    with member("agency_admin", name="Chief", java_script_enabled=False) as page:
        page.goto("/office/fr/members")
        page.fill("#name", "Driss")
        page.check("#roles-editor")
        page.locator("main form button").click()
        assert "/office/sign-in/link/" in page.locator(".secret code").inner_text()
        page.goto("/office/fr/members")
        page.get_by_role("link", name="Driss").click()
        page.locator("main form button").last.click()
        page.wait_for_url("**/members")
        assert "n’est plus membre" in page.locator(".notice.done").inner_text()
