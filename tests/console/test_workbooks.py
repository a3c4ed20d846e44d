"""Filing by workbook in the console, without a script."""

from __future__ import annotations

import pytest

from registry.api.operations import XLSX
from registry.workbooks.cells import WorkbookWords
from registry.workbooks.file import read_sheets
from registry.workbooks.writing import FormSource, make_workbook
from tests.conftest import make_record
from tests.workbooks.sheet_edits import Formula, edited, place

from .conftest import parse

RECORD = "demo-sante/prevision-lits"


@pytest.fixture
def made(pack):
    def make(*documents, lang="fr"):
        sources = [FormSource(document=one) for one in documents]
        return make_workbook(sources, WorkbookWords(pack, lang), layout="form")

    return make


async def send(browser, path, raw, *, token=..., file=("a.xlsx", XLSX)):
    """Send a file by the form of the page, as a browser does."""
    fields = {} if token is None else {"_csrf_token": browser.token}
    name, kind = file
    return await browser.client.post(path, data=fields, files={"file": (name, raw, kind)})


async def test_the_page_is_there_in_every_language(office):
    browser, _ = await office.member("editor")
    for language in ("ar", "fr", "en", "zgh"):
        page = await browser.get(f"/office/{language}/workbooks")
        assert page.status_code == 200, language
        parse(page)
        assert 'enctype="multipart/form-data"' in page.text, language
        assert f"/office/{language}/workbooks/new.xlsx" in page.text, language


async def test_a_workbook_is_taken_filled_in_sent_and_taken_back(office, made):
    browser, _ = await office.member("editor")
    await browser.get("/office/fr/workbooks")
    new = await browser.get("/office/fr/workbooks/new.xlsx", params={"risk": "high"})
    assert new.headers["content-disposition"] == 'attachment; filename="demo-sante-high.xlsx"'
    assert new.headers["cache-control"] == "no-store"
    blank = await send(browser, "/office/fr/workbooks", new.content)
    parse(blank)
    assert "laissée de côté" in blank.text
    result = await send(browser, "/office/fr/workbooks", made(make_record()))
    parse(result)
    assert "nouveau brouillon" in result.text
    assert f"/office/fr/records/{RECORD}/" in result.text
    page = await browser.get("/office/fr/workbooks")
    assert f'value="{RECORD}"' in page.text
    taken = await browser.get("/office/fr/workbooks/record.xlsx", params={"record": RECORD})
    raw = taken.content
    assert read_sheets(raw)[0].rows[0][1] == RECORD
    sheet = read_sheets(raw)[0]
    broken = edited(raw, {place(sheet, "/website"): Formula("=6*7")})
    answer = await send(browser, "/office/fr/workbooks/answer.xlsx", broken)
    assert answer.headers["content-type"] == XLSX
    row, column = place(sheet, "/website")
    back = read_sheets(answer.content)[0].rows
    assert back[row][column] == ""
    assert "formule" in back[row][back[1].index("finding")]
    table = await browser.get("/office/fr/workbooks/all.xlsx")
    assert [cells[0] for cells in read_sheets(table.content)[0].rows] == ["id", RECORD]


async def test_ones_own_export_is_taken_as_csv_and_changes_nothing(office, publish):
    record = make_record() | {"schema_version": "1.0"}
    record["data"] = record["data"] | {
        "hosting": {"country": "MA", "kind": "on_premise", "provider": "X"}
    }
    await publish(record)
    browser, _ = await office.member("editor")
    await browser.get("/office/fr/workbooks")
    export = await browser.get("/api/v1/exports/records.csv", params={"columns": "full"})
    result = await send(browser, "/office/fr/workbooks", export.content, file=("a.csv", "text/csv"))
    parse(result)
    assert "Le registre contient déjà ceci" in result.text


async def test_what_is_no_workbook_is_told_on_the_page(office):
    browser, _ = await office.member("editor")
    await browser.get("/office/ar/workbooks")
    for raw, part in [(b"", "اختاروا الملف"), (b"PK", "المصنف تالف"), (b"\xff\xfe", "ليس مصنفا")]:
        for path in ("/office/ar/workbooks", "/office/ar/workbooks/answer.xlsx"):
            told = await send(browser, path, raw)
            assert told.status_code == 422
            parse(told)
            assert part in told.text


async def test_a_file_needs_the_token_of_its_form_and_somebody_who_files(office, made):
    browser, _ = await office.member("editor")
    await browser.get("/office/fr/workbooks")
    assert (await send(browser, "/office/fr/workbooks", b"x", token=None)).status_code == 403
    assert not await office.run("select 1 from draft")
    stranger = office.browser()
    for path in ("workbooks", "workbooks/new.xlsx", "workbooks/all.xlsx"):
        answer = await stranger.get(f"/office/fr/{path}")
        assert answer.status_code == 303
    reviewer, _ = await office.member("reviewer", agency=None, name="Driss")
    for path in ("workbooks", "workbooks/new.xlsx", "workbooks/all.xlsx"):
        assert (await reviewer.get(f"/office/fr/{path}")).status_code == 403
    assert 'href="/office/fr/workbooks"' not in (await reviewer.get("/office/fr/")).text


async def test_another_agency_is_told_the_same_of_what_is_there_and_of_what_is_not(office, made):
    browser, _ = await office.member("editor")
    await browser.get("/office/fr/workbooks")
    await send(browser, "/office/fr/workbooks", made(make_record()))
    other, _ = await office.member("editor", agency="demo-services", name="Hind")
    told = [
        await other.get("/office/fr/workbooks/record.xlsx", params={"record": record})
        for record in (RECORD, "demo-sante/nothing", "nonsense")
    ]
    assert {one.status_code for one in told} == {404}
    await other.get("/office/fr/workbooks")
    result = await send(
        other, "/office/fr/workbooks", made(make_record() | {"website": "https://x.example"})
    )
    assert "vous ne déposez pas pour l’organisme" in result.text
