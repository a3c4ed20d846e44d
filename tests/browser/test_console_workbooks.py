"""Filing by workbook in a real browser, without script and by keyboard."""

from __future__ import annotations

import pytest

from registry.exchange.workbooks.file import read_sheets
from tests.browser import test_console_acts as acts
from tests.exchange.sheet_edits import Formula, edited, named, place

pytestmark = pytest.mark.xdist_group("browser-console-workbooks")

office, member = acts.office, acts.member
ID = "demo-sante/triage-radiographies"


@pytest.mark.parametrize("language", ["ar", "fr"])
def test_a_workbook_is_taken_changed_and_sent(member, tmp_path, language):
    found = []
    with member("editor", name="Amina", language=language, java_script_enabled=False) as page:

        def check(what):
            if acts.overflows(page):
                found.append((what, "overflows"))

        page.goto(f"/office/{language}/workbooks")
        check("page")
        page.locator("#record").select_option(ID)
        with page.expect_download() as taken:
            page.locator("#record").focus()
            acts.press(page, "Tab", "Enter")
        raw = taken.value.path().read_bytes()
        sheet = read_sheets(raw)[0]
        broken = tmp_path / "broken.xlsx"
        broken.write_bytes(edited(raw, {place(sheet, "/website"): Formula("=6*7")}))
        page.locator("#file").set_input_files(broken)
        page.locator("#file").focus()
        acts.press(page, "Tab", "Enter")
        page.wait_for_selector("table")
        check("result")
        row, column = place(sheet, "/website")
        assert page.locator("tbody th").first.inner_text() == named((row, column))
        page.goto(f"/office/{language}/workbooks")
        page.locator("#file").set_input_files(broken)
        with page.expect_download() as answer:
            page.locator("button[formaction]").click()
        back = read_sheets(answer.value.path().read_bytes())[0].rows
        assert back[row][column] == ""
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_pages_have_no_barrier(member, axe, tmp_path, language, scheme):
    found = []
    with member("editor", name="Amina", language=language, color_scheme=scheme) as page:

        def check(what):
            found.extend((what, *one) for one in axe(page))
            if acts.overflows(page):
                found.append((what, "overflows"))

        page.goto(f"/office/{language}/workbooks")
        check("page")
        nothing = tmp_path / "nothing.xlsx"
        nothing.write_bytes(b"PK")
        page.locator("#file").set_input_files(nothing)
        page.locator("button.main").click()
        page.wait_for_selector(".summary")
        check("refused")
        with page.expect_download() as taken:
            page.locator("form[action$='new.xlsx'] button").click()
        raw = taken.value.path().read_bytes()
        sheet = read_sheets(raw)[0]
        begun = tmp_path / "begun.xlsx"
        begun.write_bytes(edited(raw, {place(sheet, "/name", "fr"): "Tri des demandes"}))
        page.locator("#file").set_input_files(begun)
        page.locator("button.main").click()
        page.wait_for_selector("table")
        check("result")
    assert found == []
