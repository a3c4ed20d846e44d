"""Times that a script writes in a language that neither CLDR nor a browser knows."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests import drawn

pytestmark = pytest.mark.xdist_group("another country")


def test_a_check_of_the_proof_names_months_as_the_page_does(opened):
    with drawn.served_country() as register, opened(register.base_url) as page:
        page.goto(f"{register.base_url}/{drawn.TAG}/records/{drawn.DEMONSTRATION}#proof")
        month = drawn.month_named(page.evaluate("new Date().getMonth() + 1"))
        assert month in page.locator("main").inner_text()
        page.locator("#proof-start button").click()
        expect(page.locator("#proof-verdict .verdict")).to_contain_text(month)
        expect(page.locator("#proof-shown")).to_contain_text(month)
