"""Members in a real browser that runs no script."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.xdist_group("browser-console")


def test_members_are_managed_without_script(console):
    with console.window("admin", java_script_enabled=False) as page:
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
