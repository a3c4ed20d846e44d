"""Any two versions compared, without a script: by the register, and on a copy the latest two."""

from __future__ import annotations

from tests.browser.conftest import VERSIONED
from tests.browser.static_host import static_host


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


def test_a_static_copy_compares_the_latest_two_and_leads_on(opened, register, axe):
    with static_host(register.register.data / "site") as url, opened(url) as page:
        page.goto(f"{url}/fr/records/{VERSIONED}/compare?from=1&to=4")
        assert page.locator("#v3-4 ins").count()
        assert axe(page) == []
        page.locator("#steps a").last.click()
        page.wait_for_url("**/versions/1")
