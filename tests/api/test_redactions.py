"""Redactions over HTTP: four eyes, what may be named, and what readers see afterwards."""

import asyncio
import copy
import threading
from pathlib import Path

import pytest
import tantivy

from registry.search import engine
from registry.search import index as search_index
from registry.search.schema import (
    LEXEME,
    SPELLED,
    STEMS,
    WORDS,
    folded_name,
    name_field,
    value_field,
)
from registry.services.statements import erasure
from registry.store import redactions as stored
from tests.conftest import amended

PATH = "/api/v1/filings/demo-sante/prevision-lits"
RECORD = "/api/v1/records/demo-sante/prevision-lits"
REDACTIONS = "/api/v1/redactions"
PHONE = "+212537000199"
AUTHORITY = "Commission nationale (CNDP)"
ASKED = {
    "record": "demo-sante/prevision-lits",
    "pointers": ["/contact/phone"],
    "basis": "data_protection",
    "authority": AUTHORITY,
    "reference": "D-2026/17",
}


@pytest.fixture
async def published(agency, record):
    """Publish two versions that hold a telephone number, and a third that does not."""
    first = copy.deepcopy(record)
    first["contact"]["phone"] = PHONE
    second = amended(first, system_version="2")
    third = amended(copy.deepcopy(record), system_version="3")
    del third["contact"]["phone"]
    condition = {"if-none-match": "*"}
    for document in (first, second, third):
        saved = await agency.put(PATH, json=document, headers=condition)
        assert saved.status_code == 201, saved.text
        done = await agency.post(f"{PATH}/submit")
        condition = {"if-match": done.headers["etag"]}
    return first


@pytest.fixture
async def who(client, token):
    """Headers with a token of the scope `redact`, for an actor."""

    async def make(actor, agency=None, scopes=("redact",)):
        given = await token(agency=agency, scopes=scopes, actor=actor)
        return {"authorization": f"Bearer {given}"}

    return make


@pytest.fixture
async def carry_out(database):
    """Sign the log as it stands, as far as the database knows, and destroy what is named."""
    rewritten = []

    async def write_contents(entries):
        rewritten.append(list(entries))

    async def work():
        async with database.transaction() as connection:
            size = await connection.fetchval("select size from log_state")
            await connection.execute(
                "insert into checkpoint (size, previous, root, note, signed_at)"
                " select $1, max(size), sha256(''), '', now() from checkpoint",
                size,
            )
        await erasure.erase_published(database, size=size, write_contents=write_contents)
        return rewritten

    return work


async def test_one_asks_another_confirms_and_the_value_is_gone(
    client, agency, published, who, carry_out, database
):
    asked = await client.post(REDACTIONS, json=ASKED, headers=await who("legal office"))
    receipt = asked.json()
    assert asked.status_code == 202
    assert (receipt["outcome"], receipt["versions"]) == ("requested", [1, 2])
    assert receipt["links"]["confirm"].endswith(f"{REDACTIONS}/{receipt['redaction']}/confirm")
    confirm = f"{REDACTIONS}/{receipt['redaction']}/confirm"

    before = await client.get(f"{RECORD}/versions/1")
    assert before.json()["record"] == published
    done = await client.post(confirm, headers=await who("data office"))
    confirmed = done.json()
    assert (done.status_code, confirmed["outcome"], confirmed["entry"]) == (201, "confirmed", 4)
    [change] = (await client.get("/api/v1/changes?since=3")).json()["items"]
    entry = change["entry"]
    assert (entry["kind"], entry["id"], entry["versions"], entry["pointers"], entry["basis"]) == (
        "redaction", "demo-sante/prevision-lits", [1, 2], ["/contact/phone"], "data_protection",
    )  # fmt: skip
    assert (entry["actor"], entry["confirmed_by"]) == ("legal office", "data office")
    assert entry["prev"]["index"] == 3
    assert set(entry["sections"]) == {"authority", "reference"}
    assert AUTHORITY not in str(entry)
    # Nothing is destroyed before the world can know.
    assert (await client.get(f"{RECORD}/versions/1")).json() == before.json()

    assert await carry_out() == [[1, 2]]
    for version in (1, 2):
        answer = (await client.get(f"{RECORD}/versions/{version}")).json()
        assert "phone" not in answer["record"]["contact"]
        [redacted] = answer["register"]["redacted"]
        assert redacted == {
            "pointer": "/contact/phone",
            "basis": "data_protection",
            "authority": AUTHORITY,
            "entry": 4,
            "redacted_at": confirmed["confirmed_at"],
        }
        assert (
            answer["register"]["hash"]
            == (await client.get(f"{RECORD}/versions/{version}")).json()["register"]["hash"]
        )
    assert (await client.get(RECORD)).json()["register"]["redacted"] == []
    then = (await client.get(f"{RECORD}?as_of=entry:1")).json()
    assert PHONE not in str(then)
    assert then["register"]["redacted"] == [redacted]
    compared = (await client.get(f"{RECORD}/changes?from=1&to=3")).json()
    assert (compared["from"]["redacted"], compared["to"]["redacted"]) == ([redacted], [])
    assert not [one for one in compared["items"] if one["pointer"].startswith("/contact")]
    export = await client.get("/api/v1/exports/records.jsonl?as_of=entry:2")
    assert PHONE not in export.text
    assert AUTHORITY in export.text
    [listed] = (await client.get(REDACTIONS, headers=await who("third office"))).json()["items"]
    assert (listed["is_done"], listed["entry"], listed["hash"]) == (True, 4, confirmed["hash"])

    # What comes next names the redaction as what came before it.
    amended = copy.deepcopy(published)
    del amended["contact"]["phone"]
    amended["system_version"] = "4"
    tag = {"if-match": (await client.get(RECORD)).headers["etag"]}
    await agency.put(PATH, json=amended, headers=tag)
    assert (await agency.post(f"{PATH}/submit")).status_code == 201
    [change] = (await client.get("/api/v1/changes?since=4")).json()["items"]
    assert change["entry"]["prev"] == {"index": 4, "leaf": confirmed["hash"]}


WORD = "Benslimanerie"
SUPPLIER = f"{WORD} SARL"
MANY = 300


@pytest.fixture
def soon(monkeypatch):
    """Let the application look after its index all the time."""
    monkeypatch.setattr(engine, "_EVERY_SECONDS", 0.02)


@pytest.fixture
def gate(monkeypatch):
    """While it is shut, nobody indexes more than 50 of the versions that nothing changes."""
    opened, made = threading.Event(), set()
    documents = search_index.documents
    opened.set()

    def make(row, *more):
        if not opened.is_set() and row.ord < MANY:
            made.add(row.ord)
            assert len(made) <= 50 or opened.wait(60)
        return documents(row, *more)

    monkeypatch.setattr(search_index, "documents", make)
    yield opened
    opened.set()


@pytest.fixture
def index(database, settings, pack):
    """The host's index, as another process sees it."""
    return engine.open_index(database.connection, settings.search_dir, pack)


@pytest.fixture
def ask(client):
    """Ask for an answer of 200."""

    async def get(path, **more):
        answer = await client.get(f"/api/v1/{path}", params=more)
        assert answer.status_code == 200, answer.text
        return answer

    return get


@pytest.fixture
def ask_everything(ask):
    """Return what is said to questions that do not say the word, and totals of those that do."""
    zellige = {"q": "zellige", "facets": "supplier,agency"}
    entries = (MANY, MANY + 1)

    async def get():
        said = [
            await ask("records", **zellige),
            await ask("records", **zellige, as_of=f"entry:{MANY}"),
            await ask("records", q="zellige Mme*", facets="supplier"),
            await ask("records", q=WORD.replace("e", "é")),
            await ask("suggestions", q="zellige mm"),
        ]
        counted = [await ask("records", q=q) for q in (WORD, f"{WORD[:-3]}*")]
        counted += [await ask("records", q=WORD, as_of=f"entry:{entry}") for entry in entries]
        return "".join(one.text for one in said), [one.json()["total"] for one in counted]

    return get


def zellige(record, number, summary="Zellige bleu", **more):
    filed = copy.deepcopy(record) | {"id": f"demo-sante/zellige-{number}"}
    return filed | {"summary": {"fr": summary, "ar": "زليج"}} | more


async def test_search_goes_on_while_something_is_erased_and_nothing_of_it_is_in_an_answer(
    soon, client, publish, record, who, carry_out, gate, ask, ask_everything, index
):
    named = {"procurement": {"suppliers": [{"name": SUPPLIER}]}}
    secret = zellige(record, MANY, f"Zellige de Mme {WORD}", **named)
    await publish(*(zellige(record, number) for number in range(1, MANY)), secret)
    await publish(secret | {"system_version": "9"})
    told, totals = await ask_everything()
    assert told.count(WORD) > 4
    assert totals == [1] * 4
    folder = Path((await index.status()).folder)

    pointers = ["/summary", "/procurement/suppliers"]
    statement = ASKED | {"record": secret["id"], "basis": "court", "pointers": pointers}
    asked = await client.post(REDACTIONS, json=statement, headers=await who("one"))
    confirm = f"{REDACTIONS}/{asked.json()['redaction']}/confirm"
    assert (await client.post(confirm, headers=await who("another"))).status_code == 201
    is_gone = asyncio.Event()

    async def go_on_asking():
        asked_after = 0
        while asked_after < 3:
            after = is_gone.is_set()
            told, totals = await ask_everything()
            assert not after or (WORD not in told and totals == [0] * 4)
            asked_after += after

    gate.clear()
    asking = [asyncio.create_task(go_on_asking()) for _ in range(2)]
    await carry_out()
    is_gone.set()
    await asyncio.gather(*asking)

    # The files are being made anew meanwhile, and what is filed is found by the next question.
    for number in range(1, 6):
        await publish(zellige(record, MANY + number, "Zellige vert"))
        assert (await ask("records", q="vert")).json()["total"] == number
    assert (await index.status()).is_stale
    assert holds_word(folder)
    gate.set()
    # Until nothing is left beside it either; nobody sets an event for it.
    while (await index.status()).is_stale or any(folder.parent.glob("*/*/")):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    assert (await ask("records", q="zellige")).json()["total"] == MANY + 5
    files = [path for path in folder.parent.rglob("*") if path.is_file()]
    assert {path.parent for path in files if path.name != "lock"} == {folder}
    assert not holds_word(folder)
    assert (await ask_everything())[1] == [0] * 4


def holds_word(folder):
    """Whether files of an index have the word, of a document that can be found or not."""
    searcher = tantivy.Index.open(str(folder)).searcher()
    fields = (*STEMS, *WORDS, LEXEME, name_field("fr"))
    starts = (WORD[:6], WORD[:6].lower(), f"fr|{WORD[:6].lower()}")
    name = "procurement.suppliers.name"
    stated = {value_field(name): folded_name(SUPPLIER), value_field(name, SPELLED): SUPPLIER}
    return any(searcher.doc_freq(field, token) for field, token in stated.items()) or any(
        searcher.terms_with_prefix(field, start, None, None) for field in fields for start in starts
    )


async def test_what_was_cached_is_not_taken_for_current(client, agency, published, who, carry_out):
    last = {"if-match": (await client.get(RECORD)).headers["etag"]}
    await agency.put(PATH, json=published | {"system_version": "9"}, headers=last)
    await agency.post(f"{PATH}/submit")
    known = {"if-none-match": (await client.get(RECORD)).headers["etag"]}
    counted = (await client.get("/api/v1/statistics")).headers["etag"]
    assert (await client.get(RECORD, headers=known)).status_code == 304
    asked = await client.post(REDACTIONS, json=ASKED, headers=await who("one"))
    await client.post(
        f"{REDACTIONS}/{asked.json()['redaction']}/confirm", headers=await who("another")
    )
    await carry_out()
    read = await client.get(RECORD, headers=known)
    assert read.status_code == 200
    assert PHONE not in read.text
    assert (await client.get("/api/v1/records?q=537000199")).json()["total"] == 0
    # The tag that says so can be amended by.
    tag = {"if-match": read.headers["etag"]}
    saved = await agency.put(PATH, json=published | {"system_version": "8"}, headers=tag)
    assert saved.status_code == 201, saved.text
    assert counted


async def test_two_different_actors_are_needed(client, agency, published, who, problem):
    legal = await who("legal office")
    asked = (await client.post(REDACTIONS, json=ASKED, headers=legal)).json()
    confirm = f"{REDACTIONS}/{asked['redaction']}/confirm"
    alone = problem(await client.post(confirm, headers=legal), 403, "forbidden")
    assert "four eyes" in alone["detail"]
    other_token = await who("legal office", scopes=("redact", "review"))
    problem(await client.post(confirm, headers=other_token), 403, "forbidden")
    problem(await client.post(confirm), 401, "unauthorized")
    problem(await agency.post(confirm), 403, "forbidden")
    problem(await agency.post(REDACTIONS, json=ASKED), 403, "forbidden")
    problem(await agency.get(REDACTIONS), 403, "forbidden")
    stranger = await who("elsewhere", agency="demo-education")
    problem(await client.post(REDACTIONS, json=ASKED, headers=stranger), 403, "forbidden")
    problem(await client.post(confirm, headers=stranger), 404, "not-found")
    assert (await client.get(REDACTIONS, headers=stranger)).json() == {"items": []}
    problem(await client.post(f"{REDACTIONS}/999/confirm", headers=stranger), 404, "not-found")
    second = await who("data office")
    listed = (await client.get(REDACTIONS, headers=second)).json()["items"]
    assert [one["state"] for one in listed] == ["requested"]
    done = await client.post(confirm, headers=second)
    [listed] = (await client.get(REDACTIONS, headers=second)).json()["items"]
    assert listed["state"] == "confirmed"
    again = await client.post(confirm, headers=second)
    assert (again.status_code, again.json()) == (200, done.json() | {"outcome": "unchanged"})
    problem(await client.post(confirm, headers=await who("third")), 409, "conflict")
    assert (await client.get("/api/v1/changes?since=4")).json()["items"] == []


async def test_a_request_is_taken_back_or_refused_until_it_is_confirmed(
    client, published, who, problem
):
    legal, second = await who("legal office"), await who("data office")
    for headers in (legal, second):
        asked = (await client.post(REDACTIONS, json=ASKED, headers=legal)).json()
        address = f"{REDACTIONS}/{asked['redaction']}"
        stranger = await who("elsewhere", agency="demo-education")
        problem(await client.delete(address, headers=stranger), 404, "not-found")
        assert (await client.delete(address, headers=headers)).status_code == 204
        problem(await client.delete(address, headers=headers), 404, "not-found")
        problem(await client.post(f"{address}/confirm", headers=second), 404, "not-found")
    assert (await client.get(REDACTIONS, headers=legal)).json() == {"items": []}
    asked = (await client.post(REDACTIONS, json=ASKED, headers=legal)).json()
    address = f"{REDACTIONS}/{asked['redaction']}"
    await client.post(f"{address}/confirm", headers=second)
    problem(await client.delete(address, headers=legal), 409, "conflict")


CANNOT_BE_ERASED = [
    ({"pointers": ["/name/fr"]}, "/pointers/0", "protected"),
    ({"pointers": ["/decision"]}, "/pointers/0", "protected"),
    ({"pointers": ["/decision/legal_effect"]}, "/pointers/0", "protected"),
    ({"pointers": ["/rights"]}, "/pointers/0", "protected"),
    ({"pointers": ["/id"], "basis": "court"}, "/pointers/0", "kept"),
    ({"pointers": ["/contact/fax"]}, "/pointers/0", "held"),
    ({"pointers": ["/contact/phone/0"]}, "/pointers/0", "held"),
    ({"versions": [3]}, "/pointers/0", "held"),
    ({"versions": [1.0, 9]}, "/versions/1", "version"),
    ({"basis": "shame"}, "/basis", "enum"),
    ({"authority": ""}, "/authority", "minLength"),
    ({"pointers": []}, "/pointers", "minItems"),
    ({"why": "x"}, "/why", "additionalProperties"),
]


async def test_what_cannot_be_erased_is_said_with_its_place(
    client, published, who, problem, subtests
):
    assert published
    one = await who("one")
    for change, pointer, rule in CANNOT_BE_ERASED:
        with subtests.test(change=change):
            answer = await client.post(REDACTIONS, json=ASKED | change, headers=one)
            refused = problem(answer, 422, "invalid-statement")
            assert (pointer, rule) in [(one["pointer"], one["rule"]) for one in refused["findings"]]


async def test_a_court_may_have_anything_erased_but_the_identity(
    client, published, who, carry_out, record
):
    court = ASKED | {"pointers": ["/name", "/risk/level", "/summary/fr"], "basis": "court"}
    asked = await client.post(REDACTIONS, json=court, headers=await who("one"))
    assert asked.json()["versions"] == [1, 2, 3]
    await client.post(
        f"{REDACTIONS}/{asked.json()['redaction']}/confirm", headers=await who("another")
    )
    await carry_out()
    answer = (await client.get(RECORD)).json()
    assert "name" not in answer["record"]
    assert set(answer["record"]["summary"]) == set(record["summary"]) - {"fr"}
    assert {one["pointer"] for one in answer["register"]["redacted"]} == {
        "/risk/level", "/summary/fr", *(f"/name/{tag}" for tag in record["name"]),
    }  # fmt: skip
    [item] = (await client.get("/api/v1/records")).json()["items"]
    assert (item["name"], item["risk"]) == (None, "not_stated")
    counted = (await client.get("/api/v1/statistics?by=risk")).json()
    assert "not_stated" in str(counted)
    assert (await client.get("/api/v1/records?risk=minimal")).json()["total"] == 0
    name = record["name"]["fr"].split()[0]
    assert name not in str((await client.get("/api/v1/records?q=" + name)).json()["items"])


async def test_an_agency_alone_erases_nothing_that_everybody_must_be_able_to_read(
    client, published, who, problem
):
    court = ASKED | {"pointers": ["/name"], "basis": "court"}
    agency = "demo-sante"
    asked = await client.post(REDACTIONS, json=court, headers=await who("legal office", agency))
    confirm = f"{REDACTIONS}/{asked.json()['redaction']}/confirm"
    refused = await client.post(confirm, headers=await who("data office", agency))
    assert "the authority" in problem(refused, 403, "forbidden")["detail"]
    assert (await client.post(confirm, headers=await who("authority"))).status_code == 201
    # A telephone number is the agency's own affair.
    asked = await client.post(REDACTIONS, json=ASKED, headers=await who("registry", agency))
    confirm = f"{REDACTIONS}/{asked.json()['redaction']}/confirm"
    assert (await client.post(confirm, headers=await who("mail room", agency))).status_code == 201


async def test_what_happens_next_is_said_in_the_language_asked_for(client, published, who):
    asked = await client.post(
        f"{REDACTIONS}?lang=fr", json=ASKED, headers=await who("legal office")
    )
    assert asked.json()["next"].startswith("Rien n’est encore effacé")
    confirm = f"{REDACTIONS}/{asked.json()['redaction']}/confirm"
    arabic = {"accept-language": "ar"} | await who("data office")
    done = (await client.post(confirm, headers=arabic)).json()
    assert done["next"].startswith("صار ذلك في دفتر القيود")


async def test_a_key_repeats_the_receipt(client, published, who):
    legal = await who("legal office") | {"idempotency-key": "k"}
    first = await client.post(REDACTIONS, json=ASKED, headers=legal)
    again = await client.post(REDACTIONS, json=ASKED, headers=legal)
    assert (again.status_code, again.json()) == (202, first.json())


async def test_nobody_erases_what_the_log_does_not_name(database, client, published, who):
    """The one function that may change what was published looks at the log itself."""
    asked = await client.post(REDACTIONS, json=ASKED, headers=await who("one"))
    done = await client.post(
        f"{REDACTIONS}/{asked.json()['redaction']}/confirm", headers=await who("another")
    )
    entry = done.json()["entry"]

    async def erase(**changed):
        given = {"redaction": entry, "version": 1, "pointer": "/contact/phone"} | changed
        async with database.transaction() as connection:
            [section] = [
                one
                for one in await stored.read_sections(
                    connection, "demo-sante/prevision-lits", [given["version"]]
                )
                if one.key == "contact"
            ]
            left = given.get("value") or section.value.replace(f',"phone":"{PHONE}"', "")
            return await connection.execute(
                "select erase_content($1, $2, array['contact'],"
                " array[$3], array[$4::bytea], array['contact'], array[$5], array['x'], null)",
                given["redaction"],
                section.entry,
                left,
                section.salts[: -32 * given.get("salts", 1)],
                given["pointer"],
            )

    with pytest.raises(Exception, match="no redaction in a published checkpoint"):
        await erase()
    async with database.transaction() as connection:
        await connection.execute(
            "insert into checkpoint (size, root, note, signed_at)"
            " select size, sha256(''), '', now() from log_state"
        )
    for wrong, why in (
        ({"redaction": 1}, "no redaction"),
        ({"version": 3}, "does not name"),
        ({"pointer": "/contact/email"}, "does not name"),
        ({"value": '{"email":"other@example.org"}'}, "more than it erases"),
        ({"salts": 2}, "more than it erases"),
    ):
        with pytest.raises(Exception, match=why):
            await erase(**wrong)
    for statement in (
        "update section set value = '{}'",
        "delete from section",
        "update version set findings = '[]'",
        "delete from erased_member",
        "update entry_section set value = '1'",
    ):
        with pytest.raises(Exception, match="append-only"):
            async with database.transaction() as connection:
                await connection.execute(statement)
    await erase()
