"""The page of an answer that is kept, and the report that is made of such answers."""

import asyncio
import datetime as dt
import re

import html5lib
import httpx
import msgspec
import pytest

from registry import resources
from registry.api import receipts
from registry.api.receipts import MEDIA_TYPE, AnswerReceipt
from registry.errors import InvalidParameter
from registry.ledger.publish_files import publish_log
from registry.log.entry import ENTRY_KINDS
from registry.pages.assets import read_assets
from registry.pages.editions import open_editions
from registry.pages.views.receipt_page import receipt_view
from registry.services.operations.startup import open_register
from registry.store.database import connect
from registry.web.app import create_app
from registry.web.in_process import Answer
from registry.web.report import ReportScope, write_report
from tests.api.conftest import UNLIMITED, lifespan
from tests.conftest import NOW
from tests.web.conftest import parse

BIDI = re.compile("[\u2066-\u2069\u200e\u200f]")


@pytest.fixture
def database_url(migrated_url, settings, pack):
    """A register whose log has a key of its own."""

    async def make():
        opened = await connect(migrated_url)
        await open_register(
            opened, pack, msgspec.structs.replace(settings, database_url=migrated_url), now=NOW
        )
        await opened.close()

    asyncio.run(make())
    return migrated_url


@pytest.fixture
async def client(settings, database_url):
    served = msgspec.structs.replace(settings, database_url=database_url, **UNLIMITED)
    application = create_app(served, tell=None)
    transport = httpx.ASGITransport(application)
    async with (
        lifespan(application),
        httpx.AsyncClient(transport=transport, base_url="https://algorithms.example") as client,
    ):
        yield client


def text_of(answer):
    return " ".join(BIDI.sub("", "".join(parse(answer).itertext())).split())


async def test_a_page_shows_the_code_and_digest_of_the_file_that_it_links(
    client, database, settings, publish, record
):
    await publish(record)
    asked = {"question": "/api/v1/records?status=in_use&by=risk,status&reader=fr"}
    early = await client.get("/fr/receipt", params=asked)
    assert (early.status_code, early.headers["retry-after"]) == (503, "5")
    assert "Réessayez dans une minute" in text_of(early)
    await publish_log(database, settings, now=NOW)
    searched = await client.get("/fr/search?status=in_use")
    [link] = re.findall(r'href="(/fr/receipt\?[^"]+)"', searched.text)
    for tag, of in (("fr", "Réponse conservée"), ("ar", "جواب محفوظ"), ("en", "Kept answer")):
        page = await client.get(f"/{tag}/receipt", params=asked)
        [href] = re.findall(r'href="https://algorithms.example(/api/[^"]+receipt=1)"', page.text)
        answer = await client.get(href.replace("&amp;", "&"))
        receipt = msgspec.json.decode(answer.content, type=AnswerReceipt)
        said = text_of(page)
        for words in (of, receipt.code, receipt.digest, receipt.root, f"{receipt.file} --mirror"):
            assert words in said, words
        assert receipt.code == receipt.own_code()
        assert answer.headers["content-disposition"] == f'attachment; filename="{receipt.file}"'
    assert text_of(await client.get(link.replace("&amp;", "&"))).count("demo-sante/prevision-lits")


async def test_the_page_of_a_chart_holds_its_counts_and_a_day_that_was_asked(
    client, database, settings, publish, record
):
    await publish(record)
    await publish(record | {"id": "demo-sante/autre"})
    await publish_log(database, settings, now=NOW)

    async def read(tag, query):
        question = {"question": f"/api/v1/records?{query}"}
        return await client.get(f"/{tag}/receipt", params=question)

    page = await read("en", "facets=status,data.legal_basis,published_at:month&limit=1")
    tables = [
        ["".join(cell.itertext()) for cell in table.iter() if cell.tag in {"th", "td"}]
        for table in parse(page).iter("table")
    ]
    assert [BIDI.sub("", one) for one in tables[0]] == ["Status", "Records", "In use", "2"]
    assert "Asked for and not stated" in tables[1] or "Neither stated nor asked for" in tables[1]
    assert tables[2][2:] == [NOW.strftime("%Y-%m"), "2"]
    said = text_of(page)
    assert "2 records found" in said
    assert "facets " not in said
    assert record["id"] not in said
    arabic = text_of(await read("ar", "facets=data.legal_basis&limit=1"))
    assert "data.legal_basis " not in arabic.replace("facets=data.legal_basis", "")
    assert record["id"] in text_of(await read("en", "sort=name"))
    day = NOW.date() + dt.timedelta(days=1)
    later = text_of(await read("en", f"as_of={day.isoformat()}"))
    assert f"Day{day:%B} {day.day}, {day.year}" in later
    assert f"State of the register{NOW:%B} {NOW.day}, {NOW.year}, entry" in later


async def test_a_receipt_is_asked_for_by_a_media_type_that_is_wanted(client, database, settings):
    await publish_log(database, settings, now=NOW)
    for accepted, is_receipt in (
        (MEDIA_TYPE, True),
        (f"application/json, {MEDIA_TYPE.upper()};q=0.5", True),
        (f"{MEDIA_TYPE}; q=0, */*", False),
        (f"{MEDIA_TYPE};q=0.000", False),
        (f"{MEDIA_TYPE}x", False),
    ):
        answer = await client.get("/api/v1/records", headers={"accept": accepted})
        assert (answer.headers["content-type"] == MEDIA_TYPE) == is_receipt, accepted


async def test_a_later_checkpoint_leaves_the_code_and_a_longer_log_that_is_not_signed_is_left_out(
    client, database, settings, publish, record
):
    async def ask(**more):
        answer = await client.get("/api/v1/records", params={"receipt": "1", **more})
        return msgspec.json.decode(answer.content, type=AnswerReceipt)

    await publish_log(database, settings, now=NOW)
    before = await ask(as_of="entry:0")
    await publish(record)
    unsigned = await ask()
    assert (unsigned.entry, unsigned.answer["total"]) == (0, 0)
    assert (await ask(as_of="entry:0")) == before
    await publish_log(database, settings, now=NOW)
    again = await ask(as_of=f"entry:{before.entry}")
    assert again.size == before.size + 1
    assert (again.code, again.root, again.answer) == (before.code, before.root, before.answer)
    assert (await ask()).answer["total"] == before.answer["total"] + 1


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/api/v1/records?receipt=yes", 400, "receipt: say 1"),
        ("/api/v1/records?as_of=2100-01-01&receipt=1", 400, "still to come"),
        ("/api/v1/records?as_of=entry:0&as_of=entry:0&receipt=1", 400, "as_of: give it once"),
        ("/api/v1/agencies?receipt=1", 400, "receipt: this address takes no parameters"),
    ],
)
async def test_what_is_no_question_is_refused(client, database, settings, address, status, words):
    await publish_log(database, settings, now=NOW)
    answer = await client.get(address)
    assert answer.status_code == status
    assert words in answer.json()["detail"]


async def test_a_question_without_an_answer_has_a_page_that_leads_to_where_it_is_mended(
    client, database, settings
):
    await publish_log(database, settings, now=NOW)

    async def read(tag, **asked):
        page = await client.get(f"/{tag}/receipt", params=asked)
        [button] = [one for one in parse(page).iter("a") if one.get("class") == "button"]
        assert page.status_code == 400
        return text_of(page), button.get("href")

    for tag, none, wrong in (
        ("fr", "n’indique aucune question", "ne peut pas répondre à cette question"),
        ("ar", "لا يتضمن هذا العنوان أي سؤال", "لا يستطيع السجل الجواب عن هذا السؤال"),
        ("en", "names no question", "cannot answer this question"),
    ):
        for asked in ({}, {"question": "/api/v1/agencies"}):
            said, mend = await read(tag, **asked)
            assert none in said
            assert mend == f"/{tag}/search"
        question = "/api/v1/records?risk=hih&agency=demo-sante&by=status&limit=1"
        said, mend = await read(tag, question=question)
        assert wrong in said
        assert mend == f"/{tag}/search?risk=hih&agency=demo-sante"
        finder = await client.get(mend)
        assert f"/{tag}/search?risk=high" in finder.text.replace("&amp;", "&")


async def test_a_receipt_that_nobody_reads_is_not_made_and_every_answer_varies_by_its_type(
    client, database, settings, publish, record, monkeypatch
):
    await publish(record)
    await publish_log(database, settings, now=NOW)
    for path in ("records", "statistics", "changes", "exports/records.csv"):
        address = f"/api/v1/{path}"
        plain = await client.get(address)
        kept = await client.get(address, headers={"accept": MEDIA_TYPE})
        for answer in (plain, kept, await client.get(address, params={"as_of": "entry:99"})):
            assert "accept" in answer.headers["vary"].split(","), path
        assert kept.headers["etag"] != plain.headers["etag"]
        with monkeypatch.context() as nothing:
            nothing.setattr(receipts, "keep", None)
            same = {"accept": MEDIA_TYPE, "if-none-match": kept.headers["etag"]}
            unread = await client.get(address, headers=same)
            assert (unread.status_code, unread.headers["vary"]) == (304, kept.headers["vary"])
            head = await client.head(address, headers={"accept": MEDIA_TYPE})
            assert (head.status_code, head.headers["content-type"]) == (200, MEDIA_TYPE)
            assert head.headers["vary"] == kept.headers["vary"] == "accept,accept-encoding"
            assert head.headers["etag"] == kept.headers["etag"].replace("-gz", "")
            assert "content-length" not in head.headers
            wrong = await client.head(address, params={"receipt": "1", "risk": "hih"})
            assert wrong.status_code == 400
    await publish(record | {"id": "demo-sante/autre"})
    await publish_log(database, settings, now=NOW)
    asked = {"accept": MEDIA_TYPE, "if-none-match": kept.headers["etag"]}
    assert (await client.get(address, headers=asked)).status_code == 200


async def test_the_receipt_of_an_export_names_the_words_that_were_looked_for_instead(
    client, database, settings, publish, record
):
    await publish(record)
    await publish_log(database, settings, now=NOW)
    asked = {"q": "prevsion", "receipt": "1"}
    kept = (await client.get("/api/v1/exports/records.jsonl", params=asked)).json()
    found = (await client.get("/api/v1/records", params=asked)).json()
    assert (kept["mended"], found["answer"]["mended"]) == ("prevision", "prévision")
    assert "mended" not in found
    receipt = msgspec.convert(kept, AnswerReceipt)
    assert receipt.own_code() == receipt.code
    for one, words in ((kept, "prevision"), (found, "prévision")):
        said = text_of(await client.get("/fr/receipt", params={"question": one["question"]}))
        assert f"Rien ne contient prevsion. Résultats affichés à la place : {words}" in said


async def test_the_page_of_grouped_statistics_has_their_table(
    client, database, settings, publish, record
):
    await publish(record)
    await publish(record | {"id": "demo-sante/autre"})
    await publish_log(database, settings, now=NOW)
    question = "/api/v1/statistics?by=status,agency"
    page = await client.get("/en/receipt", params={"question": question})
    [table] = parse(page).iter("table")
    cells = [
        BIDI.sub("", "".join(one.itertext())) for one in table.iter() if one.tag in {"th", "td"}
    ]
    assert cells[:4] == ["Status", "Agency", "Records", "In use"]
    assert cells[-1] == "2"
    question = "/api/v1/statistics?by=completeness_range"
    page = await client.get("/en/receipt", params={"question": question})
    assert "".join(next(iter(parse(page).iter("th"))).itertext()) == "Completeness"
    plain = await client.get("/en/receipt", params={"question": "/api/v1/statistics"})
    assert not [*parse(plain).iter("table")]


async def test_every_answer_that_is_kept_has_a_page_and_changes_their_entries(
    client, database, settings, publish, record
):
    await publish(record)
    await publish(record | {"purpose": {"fr": "Prévoir les lits, service par service."}})
    await publish_log(database, settings, now=NOW)
    exports = ("csv", "jsonl", "jsonld", "xlsx")
    asked = ("kind=version", "since=0&limit=1", "origin=all", f"agency={record['id'][:10]}")
    for path in (
        "records",
        "statistics",
        "changes",
        *(f"changes?{one}" for one in asked),
        *(f"exports/records.{one}" for one in exports),
    ):
        for tag in ("ar", "fr", "en"):
            page = await client.get(f"/{tag}/receipt", params={"question": f"/api/v1/{path}"})
            assert page.status_code == 200, path
    none = {"question": "/api/v1/changes?since=99"}
    assert "0 entries of the log" in text_of(await client.get("/en/receipt", params=none))
    asked = {"question": "/api/v1/changes"}
    listed = (await client.get(asked["question"])).json()["items"]
    page = await client.get("/en/receipt", params=asked)
    said = text_of(page)
    assert f"{len(listed)} entries of the log" in said
    assert [int(one.get("value")) for one in parse(page).iter("li") if one.get("value")] == [
        one["index"] for one in listed
    ]
    for kind in ("The log of this register begins", "New record", "New version"):
        assert f"{kind} · {NOW:%B} {NOW.day}, {NOW.year}" in said
    assert said.count(f"{record['id']} New") == 2
    for wrong in ("receipt=2", "receipt=1&receipt=1"):
        asked = {"question": f"/api/v1/records?{wrong}"}
        assert (await client.get("/en/receipt", params=asked)).status_code == 400


def test_a_kept_list_of_changes_has_words_for_every_kind_of_entry(pack, settings):
    editions = open_editions(pack, read_assets(resources.SITE), settings.base_url, bytecode=None)
    at, about = "2026-11-30T08:00:00Z", {"id": "demo-sante/lits", "version": 1}
    entries = [
        {"kind": kind, "at": at} | about | ({"state": "gone"} if kind == "source" else {})
        for kind in ENTRY_KINDS
    ]
    items = [{"index": index, "entry": entry} for index, entry in enumerate(entries)]
    receipt = {"question": "/api/v1/changes?as_of=entry:99", "at": at}
    receipt["answer"] = {"items": items, "size": 100}
    shown = receipt_view(editions["en"].reader, receipt, {}, {})["entries"]
    words = dict(zip(ENTRY_KINDS, [one["kind"] for one in shown], strict=True))
    assert len({*words.values()}) == len(ENTRY_KINDS)
    told = [words[kind] for kind in ("version", "withdrawal", "source")]
    assert told == ["New record", "Record withdrawn", "No longer at its source"]


async def test_each_number_of_a_report_is_what_its_question_answers(
    client, database, settings, publish, record, pack
):
    """In each language, of all agencies and of one; the page needs no other file."""
    await publish(record)
    await publish_log(database, settings, now=NOW)
    editions = open_editions(pack, read_assets(resources.SITE), settings.base_url, bytecode=None)

    async def ask(path):
        answer = await client.get(path)
        return Answer(
            status=answer.status_code,
            media_type=answer.headers["content-type"],
            content=answer.content,
        )

    day = NOW.date()
    for tag, agency in (("fr", None), ("ar", record["id"].split("/")[0]), ("en", None)):
        scope = ReportScope(agency=agency, first=day, last=day)
        page = await write_report(ask, editions[tag], scope, today=day + dt.timedelta(days=9))
        assert await write_report(ask, editions[tag], scope, day + dt.timedelta(days=99)) == page
        tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page.decode())
        assert tree.find(".//link") is None
        assert tree.find(".//script") is None
        links = [(one.get("href"), BIDI.sub("", "".join(one.itertext()))) for one in tree.iter("a")]
        numbers = [(href, int(text)) for href, text in links if text.isdecimal()]
        assert len(numbers) > 30
        for href, number in numbers:
            answer = (await client.get(href.removeprefix(settings.base_url))).json()
            assert number in counted(answer), (href, number)
        assert [number for href, number in numbers if "transitions=" in href] == [1]
        for href in {href for href, _ in numbers}:
            kept = (await client.get(f"{href.removeprefix(settings.base_url)}&receipt=1")).json()
            assert f">{kept['code']}<" in page.decode()
    with pytest.raises(InvalidParameter, match="did you mean 'demo-sante'"):
        await write_report(
            ask, editions["fr"], ReportScope(agency="demo-sant", first=day, last=day), day
        )
    backwards = ReportScope(agency=None, first=day + dt.timedelta(days=1), last=day)
    with pytest.raises(InvalidParameter, match="from: 2"):
        await write_report(ask, editions["fr"], backwards, day)


def counted(answer):
    """Return the numbers that a report may read from an answer."""
    if answer.get("transitions"):
        return {sum(one["records"] for one in answer["transitions"] if one["from"] is None)}
    if "total" in answer:
        return {answer["total"]}
    if "items" in answer:
        return {len(answer["items"])}
    silent = [one for one in answer["agencies"] if one["systems_total"] is None]
    return {
        len(answer["agencies"]),
        len(answer["agencies"]) - len(silent),
        sum(one["systems_total"] or 0 for one in answer["agencies"]),
        sum(one["records"] for one in silent),
        sum(one["records"] for one in answer["agencies"] if one not in silent),
        sum(one["records"] == 0 for one in answer["agencies"]),
    }
