"""Filing by workbook over HTTP: drafts saved each for itself, answers by sheet and cell."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import httpx
import pytest

from registry.api.operations import XLSX
from registry.workbooks.cells import WorkbookWords
from registry.workbooks.file import MAX_BYTES, read_sheets
from registry.workbooks.sheets import place_named
from registry.workbooks.writing import FormSource, make_workbook
from tests.conftest import amended, make_record

WORKBOOK = "/api/v1/workbooks"
ANSWER = "/api/v1/workbooks/answer.xlsx"
TEMPLATE = "/api/v1/workbooks/template.xlsx"
RECORD = "demo-sante/prevision-lits"
DRAFT = f"/api/v1/filings/{RECORD}"
DEMONSTRATION = sorted((Path(__file__).parents[2] / "records").glob("*/*.json"))


def typed(headers=None, kind=XLSX):
    return {"content-type": kind, **(headers or {})}


@pytest.fixture
def made(pack):
    """Make a workbook of documents, each with the tag of the state it was made of."""

    def make(*documents, tag="", lang="fr", layout="form"):
        sources = [FormSource(document=one, tag=tag) for one in documents]
        return make_workbook(sources, WorkbookWords(pack, lang), layout=layout)

    return make


async def filed(client, raw, lang="fr"):
    answer = await client.post(WORKBOOK, content=raw, headers=typed(), params={"lang": lang})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()["items"]


async def test_records_are_saved_as_drafts_and_a_second_time_nothing_changes(agency, made):
    other = {**make_record(), "id": "demo-sante/deuxieme", "source_id": "SI-2"}
    raw = made(make_record(), other)
    first = await filed(agency, raw)
    assert [(one["record"], one["outcome"]) for one in first] == [
        (RECORD, "created"),
        ("demo-sante/deuxieme", "created"),
    ]
    draft = await agency.get(DRAFT)
    assert draft.json()["document"] == make_record()
    assert draft.headers["etag"] == f'"{first[0]["tag"]}"'
    again = await filed(agency, raw)
    assert {one["outcome"] for one in again} == {"unchanged"}
    assert [one["tag"] for one in again] == [one["tag"] for one in first]


async def test_a_stale_sheet_overwrites_nothing_and_stops_no_other(agency, made):
    [first] = await filed(agency, made(make_record()))
    theirs = amended(make_record(), system_version="2")
    [second] = await filed(agency, made(theirs, tag=first["tag"]))
    assert second["outcome"] == "changed"
    other = {**make_record(), "id": "demo-sante/deuxieme", "source_id": "SI-2"}
    stale = made(amended(make_record(), system_version="3"), tag=first["tag"])
    [told] = await filed(agency, stale)
    assert told["outcome"] == "refused"
    assert "quelqu’un l’a modifiée" in told["detail"]
    assert (await agency.get(DRAFT)).json()["document"] == theirs
    [of_new, of_other] = await filed(agency, made(make_record() | {"system_version": "9"}, other))
    assert (of_new["outcome"], of_other["outcome"]) == ("refused", "created")
    assert "existe déjà" in of_new["detail"]


async def test_a_published_record_that_stands_as_it_is_gets_no_draft(
    agency, publish, made, problem
):
    [receipt] = await publish(make_record())
    tag = receipt.hash[:16]
    [told] = await filed(agency, made(make_record(), tag=tag))
    assert told["outcome"] == "unchanged"
    problem(await agency.get(DRAFT), 404, "not-found")
    [told] = await filed(agency, made(amended(make_record()), tag=tag))
    assert told["outcome"] == "created"


@pytest.mark.parametrize("form", ["xlsx", "csv"])
async def test_an_export_is_edited_and_sent_back(agency, publish, form):
    await publish(make_record())
    export = await agency.get(f"/api/v1/exports/records.{form}", params={"columns": "full"})
    kind = XLSX if form == "xlsx" else "text/csv"
    told = await agency.post(WORKBOOK, content=export.content, headers=typed(kind=kind))
    assert [one["outcome"] for one in told.json()["items"]] == ["unchanged"]
    if form == "csv":
        text = export.content.decode("utf-8-sig")
        note = make_record()["publication"]["change_note"]["fr"]
        assert text.count(note) == 1
        edited = text.replace(note, "Le lien de la page a changé")
        told = await agency.post(WORKBOOK, content=edited.encode(), headers=typed(kind=kind))
        assert [one["outcome"] for one in told.json()["items"]] == ["created"]
        saved = (await agency.get(DRAFT)).json()["document"]
        assert saved["publication"]["change_note"]["fr"] == "Le lien de la page a changé"
        del saved["publication"]["change_note"]
        record = make_record()
        del record["publication"]["change_note"]
        assert saved == record


@pytest.mark.parametrize("form", ["xlsx", "csv"])
async def test_every_agencys_own_export_comes_back_in_unchanged(client, publish, token, form):
    paths = [one for one in DEMONSTRATION if one.name.count(".") == 1]
    await publish(*(json.loads(one.read_text(encoding="utf-8")) for one in paths))
    kind = XLSX if form == "xlsx" else "text/csv"
    for code in sorted({one.parent.name for one in paths}):
        client.headers["authorization"] = f"Bearer {await token(code)}"
        asked = {"columns": "full", "agency": code}
        export = await client.get(f"/api/v1/exports/records.{form}", params=asked)
        told = await client.post(WORKBOOK, content=export.content, headers=typed(kind=kind))
        assert told.status_code == 200, told.text
        assert {one["record"]: one["outcome"] for one in told.json()["items"]} == {
            f"{code}/{one.stem}": "unchanged" for one in paths if one.parent.name == code
        }


async def test_the_answer_is_the_workbook_with_its_findings_in_the_cells(agency, made):
    record = make_record()
    del record["risk"]["rationale"]["fr"]
    [told] = await filed(agency, made(record))
    answer = await agency.post(ANSWER, content=made(record), headers=typed(), params={"lang": "fr"})
    assert answer.headers["content-type"] == XLSX
    assert answer.headers["content-disposition"] == 'attachment; filename="workbook-answer.xlsx"'
    [sheet, _] = read_sheets(answer.content)
    assert sheet.rows[0][:3] == ["register-form-1", RECORD, told["tag"]]
    columns = sheet.rows[1]
    for finding in told["findings"]:
        row, _ = place_named(finding["cell"])
        assert finding["message"] in sheet.rows[row][columns.index("finding")]
    comments = zipfile.ZipFile(io.BytesIO(answer.content)).read("xl/comments1.xml").decode()
    assert all(f'ref="{finding["cell"]}"' in comments for finding in told["findings"])
    # It can be changed and sent again.
    [again] = await filed(agency, answer.content)
    assert again["outcome"] == "unchanged"


async def test_another_agency_is_told_the_same_whether_there_is_a_record_or_not(
    app, token, hooks, agency, made
):
    await filed(agency, made(make_record()))
    headers = {"authorization": f"Bearer {await token(agency='demo-services')}"}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://register", headers=headers, event_hooks=hooks
    ) as other:
        missing = {**make_record(), "id": "demo-sante/nothing"}
        of_draft, of_nothing = await filed(
            other, made(make_record() | {"website": "https://x.example"}, missing)
        )
        assert (of_draft["outcome"], of_nothing["outcome"]) == ("refused", "refused")
        assert of_draft["detail"] == of_nothing["detail"]
        for path in (DRAFT, "/api/v1/filings/demo-sante/nothing"):
            assert (await other.get(f"{path}/workbook.xlsx")).status_code == 403
        for record in (RECORD, "demo-sante/nothing"):
            assert (await other.get(TEMPLATE, params={"record": record})).status_code == 404


async def test_templates_are_of_what_is_public_and_drafts_for_their_agency(
    client, agency, publish, made
):
    new = await client.get(TEMPLATE, params={"agency": "demo-sante", "risk": "high", "lang": "ar"})
    assert new.headers["content-disposition"] == (
        'attachment; filename="record-demo-sante-high.xlsx"'
    )
    assert read_sheets(new.content)[0].rows[0][:3] == ["register-form-1", "", ""]
    [receipt] = await publish(make_record())
    public = await client.get(TEMPLATE, params={"record": RECORD, "lang": "fr"})
    assert read_sheets(public.content)[0].rows[0][2] == receipt.hash[:16]
    [told] = await filed(agency, public.content)  # as nobody has changed it, without a note
    assert told["outcome"] == "unchanged"
    [told] = await filed(agency, made(amended(make_record()), tag=receipt.hash[:16]))
    draft = await agency.get(f"{DRAFT}/workbook.xlsx")
    assert read_sheets(draft.content)[0].rows[0][2] == told["tag"]
    still = await agency.get(TEMPLATE, params={"record": RECORD, "lang": "fr"})
    assert still.content == public.content


async def test_what_is_no_workbook_is_refused_whole(agency, problem):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", bytes(120 * 2**20))
    for raw, kind, status, slug in [
        (b"{}", "application/json", 415, "unsupported-media-type"),
        (b"PK\x03\x04", XLSX, 400, "unreadable-document"),
        (b"\xff\xfe\x00", XLSX, 400, "unreadable-document"),
        (b"a,b\n1,2\n", "text/csv", 400, "unreadable-document"),
        (bomb.getvalue(), XLSX, 400, "unreadable-document"),
        (bytes(MAX_BYTES + 1), XLSX, 413, "payload-too-large"),
    ]:
        answer = await agency.post(WORKBOOK, content=raw, headers=typed(kind=kind))
        problem(answer, status, slug)
    # In the reader's language, since a person made the file.
    for raw, lang, said in [
        (b"<html><table>", "fr", "page web"),
        (bytes(MAX_BYTES + 1), "fr", "Divisez-le"),
        (b"\xd0\xcf\x11\xe0", "ar", "كلمة سر"),
    ]:
        answer = await agency.post(WORKBOOK, content=raw, headers=typed(), params={"lang": lang})
        assert said in answer.json()["detail"]
