"""Filing by workbook in a real browser, without script and by keyboard."""

from __future__ import annotations

import pytest

from registry.workbooks.file import read_sheets
from tests.workbooks.sheet_edits import Formula, edited, named, place

pytestmark = pytest.mark.xdist_group("browser-console")

ID = "demo-sante/chaine-froid-vaccins"
PHONE = {"width": 320, "height": 640}


def test_a_workbook_is_taken_changed_and_sent(console, tmp_path):
    """That its pages fit a phone in each direction is proven with all others of the console."""
    plain = {"viewport": PHONE, "java_script_enabled": False}
    with console.window("editor", "ar", **plain) as page:
        page.goto("/office/ar/workbooks")
        page.locator("#record").select_option(ID)
        with page.expect_download() as taken:
            page.locator("#record").focus()
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
        raw = taken.value.path().read_bytes()
        sheet = read_sheets(raw)[0]
        broken = tmp_path / "broken.xlsx"
        broken.write_bytes(edited(raw, {place(sheet, "/website"): Formula("=6*7")}))
        page.locator("#file").set_input_files(broken)
        page.locator("#file").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("table")
        row, column = place(sheet, "/website")
        assert page.locator("tbody th").first.inner_text() == named((row, column))
        page.goto("/office/ar/workbooks")
        page.locator("#file").set_input_files(broken)
        with page.expect_download() as answer:
            page.locator("button[formaction]").click()
        back = read_sheets(answer.value.path().read_bytes())[0].rows
        assert back[row][column] == ""
