"""Exports over HTTP: what search finds, whole, with a name that can be cited."""

import asyncio
import copy
import csv
import datetime as dt
import io
import json
import re
import zipfile
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import pytest
from python_calamine import CalamineWorkbook

from registry.api import exports
from registry.record.origin import Origin
from registry.record.pack import Agency
from registry.record.validate import validate
from registry.services.importing.importing import save_origin
from registry.services.importing.matching import ForeignFiling
from registry.store import imports
from tests.conftest import NOW, ROOT
from tests.imported import import_filings

EXPORTS = "/api/v1/exports/records"
RECORDS = "/api/v1/records"
FORMS = ("csv", "jsonl", "xlsx", "jsonld")


def copies(record, count):
    made = [copy.deepcopy(record) for _ in range(count)]
    for number, document in enumerate(made):
        # Published in another order than that of ids.
        document["id"] = f"demo-sante/copy-{count - number:03}"
        document["risk"]["level"] = "high" if number % 3 == 0 else "limited"
    return made


def table(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def lines(answer):
    return [json.loads(line) for line in answer.text.splitlines()]


def sheet(answer, number=1):
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        last = sum(name.startswith("xl/worksheets/sheet") for name in archive.namelist())
        return archive.read(f"xl/worksheets/sheet{number if number > 0 else last}.xml").decode()


async def test_a_workbook_has_a_sheet_a_list_in_the_language_of_its_labels(client, publish):
    whole = json.loads((ROOT / "schemas/examples/complete.json").read_text("utf-8"))
    await publish(whole)
    for tag, name, country in (("fr", "Fournisseurs", "Pays"), ("ar", "الموردون", "البلد")):
        answer = await client.get(f"{EXPORTS}.xlsx?lang={tag}")
        book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
        assert book.sheet_names[0] == "Records"
        assert book.sheet_names[-1] == "About"
        assert len({one.casefold() for one in book.sheet_names}) == len(book.sheet_names) > 25
        shape, benefits = {
            "fr": ("Texte par langue", "Bénéfices attendus et…"),
            "ar": ("نص حسب اللغة", "الفوائد المنتظرة والمقيسة"),
        }[tag]
        assert benefits in book.sheet_names
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            notes = archive.read("xl/comments1.xml").decode()
        for title in {
            "fr": ("Niveau de risque", "Heure de publication"),
            "ar": ("مستوى المخاطر",),
        }[tag]:
            assert title in notes
        for one in book.sheet_names[1:-1]:
            heading = book.get_sheet_by_name(one).to_python()[0]
            assert len({*heading}) == len(heading), (one, heading)
            assert shape not in heading, one
        heading, *rows = book.get_sheet_by_name(name).to_python()
        at = heading.index(country)
        suppliers = whole["procurement"]["suppliers"]
        assert [(row[0], row[1], row[at]) for row in rows] == [
            (whole["id"], number, one.get("country", "")) for number, one in enumerate(suppliers, 1)
        ]
        [contract] = book.get_sheet_by_name({"fr": "Contrat", "ar": "العقد"}[tag]).to_python()[1:]
        told = {"fr": "Appel d’offres ouvert", "ar": "طلب عروض مفتوح"}
        assert told[tag] in contract


async def test_a_line_is_what_reading_the_record_answers(client, publish, record):
    await publish(*copies(record, 3), {"id": "demo-education/bare", "schema_version": "1.0"})
    answer = await client.get(f"{EXPORTS}.jsonl")
    found = lines(answer)
    assert [line["record"]["id"] for line in found] == [
        "demo-education/bare", "demo-sante/copy-001", "demo-sante/copy-002", "demo-sante/copy-003",
    ]  # fmt: skip
    for raw, line in zip(answer.content.splitlines(), found, strict=True):
        assert (await client.get(f"{RECORDS}/{line['record']['id']}")).content == raw


async def test_a_table_has_codes_with_words_beside_them(client, publish, record):
    await publish(record, {"id": "demo-education/bare", "schema_version": "1.0"})
    bare, full = table(await client.get(f"{EXPORTS}.csv?lang=fr"))
    assert full["id"] == record["id"]
    assert (full["name"], full["name_lang"]) == (record["name"]["fr"], "fr")
    assert (full["risk"], full["sector"]) == (record["risk"]["level"], record["sector"]["primary"])
    assert full["risk_label"]
    assert full["sector_label"] not in {"", full["sector"]}
    assert full["published_at"] == "2026-11-24T12:00:00Z"
    assert full["next_review_on"] == record["lifecycle"]["next_review_on"]
    assert (full["version"], full["fictitious"], full["origin"]) == ("1", "true", "")
    assert full["url"] == f"https://algorithms.example/fr/records/{record['id']}"
    assert re.fullmatch("[0-9a-f]{64}", full["hash"])
    assert (bare["name"], bare["risk"], bare["risk_label"]) == ("", "not_stated", "")
    english = table(await client.get(f"{EXPORTS}.csv?lang=en"))[1]
    assert english["risk_label"] != full["risk_label"]


@pytest.fixture
async def with_copies(context, pack, publish, record):
    """A register with a record of its own, one that was copied, and one that its source lost."""
    agency = Agency(id="us.letters", name={"en": "Letters"}, kind="foreign", origin="us-demo")
    origin = Origin(
        code="us-demo",
        title="A demo inventory",
        publisher="Office of Demonstrations",
        licence="CC0-1.0",
        homepage="https://inventory.example/",
        country="US",
        language="en",
    )

    def filing(number):
        document = {
            "id": f"us.letters/l-{number}",
            "schema_version": "1.0",
            "name": {"en": f"Letter sorting {number}"},
            "source_id": f"L-{number}",
            "languages": {"source": "en"},
        }
        return ForeignFiling(
            document=document,
            agency=agency,
            verdict=validate(document, profile="foreign", pack=pack, today=NOW.date()),
            source_row={},
            source_id=f"L-{number}",
            changed_on="2026-10",
        )

    await publish(record)
    await import_filings(context, [filing(1), filing(2)], origin=origin)
    await import_filings(context, [filing(1)], origin=origin, complete=True)


@pytest.mark.usefixtures("with_copies")
async def test_a_table_says_from_whom_and_on_which_terms_a_record_was_copied(client, pack):
    own = dict.fromkeys(("country", "publisher", "source_state", "changed_on"), "")
    own |= {"licence": pack.licence}
    known = {"country": "US", "publisher": "Office of Demonstrations", "licence": "CC0-1.0"}
    for columns in ("summary", "full"):
        here, one, two = table(await client.get(f"{EXPORTS}.csv?columns={columns}"))
        assert here == here | own
        assert one == one | known | {"source_id": "L-1", "source_state": "present"}
        assert two == two | known | {"source_state": "gone", "changed_on": "2026-10"}


@pytest.mark.usefixtures("with_copies")
async def test_other_terms_of_a_register_make_another_file(client, database, context, pack):
    before = await client.get(f"{EXPORTS}.csv")
    tagged = {"if-none-match": before.headers["etag"]}
    assert (await client.get(f"{EXPORTS}.csv", headers=tagged)).status_code == 304
    async with context.transaction() as connection:
        [known] = (await imports.read_origins(connection)).values()
        changed = msgspec.structs.replace(known, licence="CC-BY-4.0")
        await save_origin(context, connection, changed, now=NOW)
    after = await client.get(f"{EXPORTS}.csv", headers=tagged)
    assert after.status_code == 200
    assert {row["licence"] for row in table(after)} == {pack.licence, "CC-BY-4.0"}


@pytest.mark.usefixtures("with_copies")
async def test_a_workbook_lists_the_registers_that_its_records_are_from(client, pack):
    words = ["publisher", "Office of Demonstrations", "CC0-1.0", "https://inventory.example/"]
    about = sheet(await client.get(f"{EXPORTS}.xlsx"), -1)
    assert [word for word in [*words, pack.licence] if word not in about] == []
    own = sheet(await client.get(f"{EXPORTS}.xlsx?origin=local"), -1)
    assert [word for word in words if word in own] == []


async def test_labels_have_a_language_of_their_own(client, publish, record):
    await publish(record)
    words = record["name"]["ar"].split()[0]
    assert table(await client.get(f"{EXPORTS}.csv?q={words}&lang=fr")) == []
    answer = await client.get(f"{EXPORTS}.csv?q={words}&labels=fr")
    [found] = table(answer)
    [french] = table(await client.get(f"{EXPORTS}.csv?lang=fr"))
    assert found == french
    [canonical] = re.findall('<([^>]+)>; rel="canonical"', answer.headers["link"])
    assert "&labels=fr&as_of=entry:1" in canonical
    assert (await client.get(canonical)).content == answer.content
    assert 'rightToLeft="1"' in sheet(await client.get(f"{EXPORTS}.xlsx?q={words}&labels=ar"))


async def test_an_export_says_which_words_it_answers(client, publish, record, subtests):
    put = {"name": {"fr": "Fêlures", "ar": "مدارس"}, "id": "demo-sante/schools"}
    await publish(record, record | put)
    for form in FORMS:
        with subtests.test(form=form):
            plain = await client.get(f"{EXPORTS}.{form}?q=fêlures")
            assert "x-register-mended" not in plain.headers
            assert f"-q-felures.{form}" in plain.headers["content-disposition"]
            answer = await client.get(f"{EXPORTS}.{form}?q=felurres&lang=fr")
            assert (await client.get(f"{RECORDS}?q=felurres&lang=fr")).json()["mended"] == "fêlures"
            assert answer.headers["x-register-mended"] == "felures"
            assert (
                f"-q-felurres-mended-felures-lang-fr.{form}"
                in answer.headers["content-disposition"]
            )
            if form == "xlsx":
                assert "mended" in sheet(answer, -1)
                assert "mended" not in sheet(plain, -1)
            arabic = await client.get(f"{EXPORTS}.{form}?q=مدارزس")
            assert unquote(arabic.headers["x-register-mended"]) == "مدارس"
            plain, _, full = arabic.headers["content-disposition"].partition("; filename*=UTF-8''")
            assert plain.endswith(f'-q-mended.{form}"')
            assert unquote(full).endswith(f"-q-مدارزس-mended-مدارس.{form}")
            [found] = re.findall('<([^>]+)>; rel="canonical"', arabic.headers["link"])
            again = await client.get(found.removeprefix("https://algorithms.example"))
            assert again.content == arabic.content
            assert again.headers["content-disposition"] == arabic.headers["content-disposition"]


async def test_the_full_set_has_every_field(client, publish, record):
    record["name"]["nl"] = "Bedden"
    record["schema_version"] = "1.0"
    record["data"]["hosting"] = {
        "country": "MA",
        "kind": "government_cloud",
        "provider": {"fr": "Centre de calcul", "ar": "مركز الحساب"},
    }
    await publish(record)
    [row] = table(await client.get(f"{EXPORTS}.csv?columns=full"))
    assert row["name.ar"] == record["name"]["ar"]
    assert json.loads(row["name.other"]) == {"nl": "Bedden"}
    assert row["risk.level"] == record["risk"]["level"]
    assert row["technical.techniques"].split("; ") == record["technical"]["techniques"]
    assert json.loads(row["data.sources"]) == record["data"]["sources"]
    assert row["risk"] == row["risk.level"]
    source = record["languages"]["source"]
    assert row["data.hosting.provider"] == record["data"]["hosting"]["provider"][source]
    assert row["data.hosting.provider.ar"] == "مركز الحساب"


async def test_an_export_has_what_search_finds(client, publish, record, subtests):
    await publish(*copies(record, 5))
    for query in ["risk=high", "q=lits&risk=limited", "risk=high&risk=limited", "q=zzz"]:
        with subtests.test(query=query):
            found = (await client.get(f"{RECORDS}?{query}&limit=100")).json()
            wanted = sorted(item["id"] for item in found["items"])
            assert [
                line["record"]["id"] for line in lines(await client.get(f"{EXPORTS}.jsonl?{query}"))
            ] == wanted
            assert [
                row["id"] for row in table(await client.get(f"{EXPORTS}.csv?{query}"))
            ] == wanted
            assert (
                sheet(await client.get(f"{EXPORTS}.xlsx?{query}")).count("<row ") == len(wanted) + 1
            )


async def test_an_export_can_be_asked_for_again(asker, publish, record, subtests):
    first, *others = copies(record, 3)
    await publish(first)
    answers = {form: await asker.get(f"{EXPORTS}.{form}?risk=high") for form in FORMS}
    later = copy.deepcopy(first)
    later["risk"]["level"] = "limited"
    await publish(later, *others, now=dt.datetime(2026, 11, 24, 13, tzinfo=dt.UTC))
    for form, answer in answers.items():
        with subtests.test(form=form):
            [size] = [int(answer.headers["x-register-size"])]
            assert answer.headers["content-disposition"] == (
                f'attachment; filename="records-2026-11-24-entry-{size - 1}-risk-high.{form}"'
            )
            [again] = re.findall('<([^>]+)>; rel="canonical"', answer.headers["link"])
            assert again.startswith(
                f"https://algorithms.example{EXPORTS}.{form}?risk=high&as_of=entry:"
            )
            parts = urlsplit(again)
            then = await asker.get(f"{parts.path}?{parts.query}")
            assert then.content == answer.content
            assert then.headers["content-disposition"] == answer.headers["content-disposition"]
            now = await asker.get(f"{EXPORTS}.{form}?risk=high")
            assert now.content != answer.content
            assert now.headers["etag"] != answer.headers["etag"]


async def test_a_question_in_other_letters_still_names_a_file(client, publish, record):
    await publish(record)
    name = (await client.get(f"{EXPORTS}.csv", params={"q": '"أُسرة/../ x"\r\n'})).headers[
        "content-disposition"
    ]
    stem = r"records-2026-11-24-entry-\d+-q"
    assert re.fullmatch(
        rf"attachment; filename=\"{stem}-x\.csv\"; filename\*=UTF-8''{stem}-أسرة-x\.csv",
        unquote(name),
    )
    words = {"q": "lits " * 90}
    name = (await client.get(f"{EXPORTS}.csv", params=words)).headers["content-disposition"]
    assert len(name) < 160


@pytest.mark.parametrize("form", FORMS)
async def test_nobody_pays_for_a_body_that_is_not_read(reader, form):
    whole = await reader.get(f"{EXPORTS}.{form}")
    head = await reader.head(f"{EXPORTS}.{form}")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-type", "content-disposition", "link", "x-register-size"):
        assert head.headers[name] == whole.headers[name]
    assert head.headers.get("content-length", str(len(whole.content))) == str(len(whole.content))
    known = {"if-none-match": whole.headers["etag"]}
    unchanged = await reader.get(f"{EXPORTS}.{form}", headers=known)
    assert (unchanged.status_code, unchanged.content) == (304, b"")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("csv?riks=high", "did you mean 'risk'"),
        ("csv?risk=hihg", "did you mean 'high'"),
        ("csv?limit=3", "no such parameter"),
        ("csv?columns=all", "columns: unknown code 'all'"),
        ("csv?safe=no", "safe: unknown code 'no'"),
        ("csv?safe=true&safe=false", "give it once"),
        ("xlsx?columns=full&columns=summary", "give it once"),
        ("xlsx?labels=es", "labels: unknown code 'es'"),
        ("csv?labels=fr&labels=ar", "give it once"),
        ("jsonl?labels=fr", "no such parameter"),
        ("xlsx?safe=true", "no such parameter"),
        ("jsonl?columns=full", "no such parameter"),
        ("jsonl?lang=xx", "lang: unknown code"),
        ("jsonl?agency=nobody", "agency: unknown code"),
        ("jsonl?as_of=entry:999", "there is no entry:999 yet"),
        ("jsonl?q=" + "x" * 501, "at most 500 characters"),
    ],
)
async def test_a_mistake_is_named(reader, query, says):
    answer = await reader.get(f"{EXPORTS}.{query}")
    assert answer.status_code == 400
    assert says in answer.json()["detail"]


async def test_an_unknown_form_is_not_there(reader):
    assert (await reader.get(f"{EXPORTS}.pdf")).status_code == 404


async def test_an_empty_answer_is_an_empty_file(client):
    assert table(await client.get(f"{EXPORTS}.csv")) == []
    assert (await client.get(f"{EXPORTS}.jsonl")).content == b""
    assert sheet(await client.get(f"{EXPORTS}.xlsx")).count("<row ") == 1


async def test_what_is_overdue_is_cited_by_its_day(asker, clock, publish, record):
    def late(slug, day):
        document = copy.deepcopy(record)
        document["id"] = f"demo-sante/{slug}"
        document["lifecycle"]["next_review_on"] = day
        return document

    await publish(late("a", "2027-01-10"), late("b", "2027-01-30"))
    clock.now = dt.datetime(2027, 1, 20, 9, tzinfo=dt.UTC)
    answer = await asker.get(f"{EXPORTS}.csv?overdue=true")
    assert [row["id"] for row in table(answer)] == ["demo-sante/a"]
    [address] = re.findall('<([^>]+)>; rel="canonical"', answer.headers["link"])
    assert address.endswith("?overdue=true&as_of=2027-01-20T00:00:00Z")
    name = 'filename="records-2026-11-24-entry-2-overdue-true-on-2027-01-20.csv"'
    assert answer.headers["content-disposition"] == f"attachment; {name}"
    await publish(late("c", "2027-01-11"), now=dt.datetime(2027, 1, 20, 10, tzinfo=dt.UTC))
    clock.now = dt.datetime(2027, 3, 1, tzinfo=dt.UTC)
    parts = urlsplit(address)
    then = await asker.get(f"{parts.path}?{parts.query}")
    assert then.content == answer.content
    assert then.headers["etag"] == answer.headers["etag"]
    now = await asker.get(f"{EXPORTS}.csv?overdue=true")
    assert len(table(now)) == 3


async def test_an_export_takes_every_filter_of_search(client, publish, record):
    await publish(*copies(record, 5))
    for query in (
        "lacks=contact.phone&kind.website=not_asked&completeness_min=1&completeness_max=100",
        "changed_since=2026-11-24&changed_until=2026-11-24",
        "finding=R03&technique=classical_ml&technique=statistical_scoring",
        "risk_change=raised",
        f"territory={record['territory'][0]}&supplier=nobody",
    ):
        found = (await client.get(f"{RECORDS}?{query}&limit=100")).json()
        wanted = sorted(item["id"] for item in found["items"])
        answer = await client.get(f"{EXPORTS}.csv?{query}")
        assert [row["id"] for row in table(answer)] == wanted
        [address] = re.findall('<([^>]+)>; rel="canonical"', answer.headers["link"])
        parts = urlsplit(address)
        cited = parse_qsl(parts.query)
        assert sorted(pair for pair in cited if pair[0] != "as_of") == sorted(parse_qsl(query))
        assert (await client.get(f"{parts.path}?{parts.query}")).content == answer.content


async def test_two_exports_at_a_time_are_written_for_one_address(reader, problem, monkeypatch):
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()
    whole = exports.write

    async def held(*given):
        begun.release()
        await go_on.wait()
        async for part in whole(*given):
            yield part

    monkeypatch.setattr(exports, "write", held)
    path = f"{EXPORTS}.csv"
    writing = [asyncio.create_task(reader.get(path)) for _ in range(2)]
    for _ in writing:
        await begun.acquire()
    refused = problem(await reader.get(path), 429, "too-many-requests")
    assert "2 exports at a time" in refused["detail"]
    go_on.set()
    assert [answer.status_code for answer in await asyncio.gather(*writing)] == [200, 200]
    assert (await reader.get(path)).status_code == 200


async def test_of_many_exports_asked_for_at_the_same_time_two_are_written(reader, monkeypatch):
    prepare, together = exports.prepare, asyncio.Barrier(5)

    async def prepared(*given, **named):
        export = await prepare(*given, **named)
        await together.wait()
        return export

    monkeypatch.setattr(exports, "prepare", prepared)
    asked = [reader.get(f"{EXPORTS}.csv") for _ in range(5)]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429]
