"""Personal data in the console: found, asked to be erased, confirmed by another, gone."""

import copy
import secrets

import pytest

from registry.clock import utc_now
from registry.ledger import append
from registry.services.context import ServiceContext
from registry.services.people import members
from registry.services.people.access import OPERATOR, Actor
from registry.services.statements import personal_data
from registry.services.statements.attestation import attest
from registry.services.statements.erasure import erase_published
from registry.store import members as stored
from tests.conftest import NOW
from tests.console.conftest import opened_office, parse
from tests.published import given_times

PAGE = "/office/fr/privacy"
NAME = "Mme Amina El Alaoui"


@pytest.fixture
async def office(settings, database_url, publication, record):
    """A console with two versions of a record that name a person, and her number."""
    record = copy.deepcopy(record)
    goal = f"Prévoir les lits. Contact : {NAME}, au +212 6-12-34-56-78."
    record["purpose"]["goal"] = {"fr": goal, "ar": "توقع الأسرة. للاتصال: أمينة العَلوي."}
    later = {**record, "website": "https://demo.example/lits"}
    later["publication"] = {**record["publication"], "change_note": {"fr": "Un site de plus."}}
    async with opened_office(settings, database_url) as office:
        for one in (record, later):
            async with office.database.transaction() as connection:
                await append.publish(
                    connection,
                    [publication(one)],
                    guard=given_times(),
                    now=NOW,
                    random=secrets.token_bytes,
                )
        office.record = record["id"]
        yield office


def words_of(page):
    return " ".join("".join(page.itertext()).split())


async def search(browser, query):
    await browser.get(PAGE)
    answer = await browser.post(PAGE, [("query", query)])
    return answer, parse(answer)


def form_of(page, ending):
    [form] = [one for one in page.iter("form") if one.get("action", "").endswith(ending)]
    fields = [(one.get("name"), one.get("value")) for one in form.iter("input")]
    words = [("words", one.text.strip()) for one in form.iter("textarea")]
    return [pair for pair in [*fields, *words] if pair[0] not in {"_csrf_token", None}]


async def test_a_name_is_found_erased_by_two_and_gone_everywhere(office):
    officer, _ = await office.member("data_protection", agency=None)
    other, _ = await office.member("register_admin", agency=None)
    # However it is written, in either script, in any version.
    for query in ("alaoui AMÎNA", "06 12 34 56 78", "امينه العلوي"):
        answer, page = await search(officer, query)
        assert answer.status_code == 200, query
        assert "Versions : 1, 2" in words_of(page), query
    _, page = await search(officer, NAME)
    fields = form_of(page, "privacy/ask")
    assert ("words", "Alaoui\nAmina\nEl\nMme") in fields
    fields = [pair for pair in fields if pair[0] != "words"]
    refused = await officer.post(f"{PAGE}/ask", [*fields, ("words", "Zorro")])
    assert refused.status_code == 422
    assert "/purpose" not in "".join(parse(refused).find(".//*[@id='faults']").itertext())
    decided = [("words", NAME), ("basis", "personal_data_in_text"), ("authority", "CNDP")]
    answer = await officer.post(f"{PAGE}/ask", [*fields[:-2], *decided])
    assert answer.status_code == 303, answer.text
    page = await officer.get(PAGE)
    assert "Attend la confirmation" in page.text
    assert f"{PAGE}/1/confirm" not in page.text
    assert (await officer.post(f"{PAGE}/1/confirm")).status_code == 403
    assert f"{PAGE}/1/confirm" in (await other.get(PAGE)).text
    assert (await other.post(f"{PAGE}/1/confirm")).status_code == 303
    assert "En cours de destruction" in (await officer.get(PAGE)).text

    async def write_contents(entries):
        pass

    # As far as the database knows the log is signed as it stands.
    [row] = await office.run(
        "insert into checkpoint (size, previous, root, note, signed_at)"
        " select (select size from log_state), max(size), sha256(''), '', now() from checkpoint"
        " returning size"
    )
    await erase_published(office.database, size=row["size"], write_contents=write_contents)
    page = await officer.get(PAGE)
    assert "Disparu partout" in page.text
    answer, _ = await search(officer, NAME)
    assert "Alaoui" not in answer.text.replace(f'value="{NAME}"', "")
    assert await office.run("select from section where value ~ 'Alaoui'") == []
    # Each search is in the audit trail, with how much was found and none of its words.
    acts = await office.run("select * from audit where action = 'search_texts'")
    assert [row["before"] for row in acts] == ["1", "1", "1", "1", "0"]
    assert "laoui" not in str(acts)


async def test_who_has_not_the_role_searches_nothing(office):
    editor, _ = await office.member("editor")
    admin, _ = await office.member("register_admin", agency=None)
    neighbour, _ = await office.member("data_protection", agency="demo-education")
    assert (await editor.get(PAGE)).status_code == 403
    assert 'name="query"' not in (await admin.get(PAGE)).text
    for browser in (editor, admin):
        await browser.get("/office/fr/notices")
        assert (await browser.post(PAGE, [("query", NAME)])).status_code == 403
    _, page = await search(neighbour, NAME)
    assert "Trouvé à 0 endroit" in words_of(page)
    assert (await search(neighbour, "a"))[0].status_code == 422
    # An agency's admin does not give the role.
    boss, _ = await office.member("agency_admin")
    await boss.get("/office/fr/members")
    answer = await boss.post(
        "/office/fr/members", [("name", "X"), ("roles", "data_protection"), ("language", "fr")]
    )
    assert answer.status_code == 422


HARD = """{"id":"demo-sante/neu","summary":{"ar":"للاتصال: ٠٦١٢ ٣٤ ٥٦ ٧٩",
"fr":"Écrire à Lebœuf, à M. Weiß ou à ⵉⵎⴰⵣⵉⵖⵏ. Réf. 00 00 07, puis LEBOEUF."}}"""


PLACES = {
    **dict.fromkeys(("leboeuf", "Lebœuf", "weiss", "WEIẞ", "imazighn", "ⵉⵎⴰⵣⵉⵖⵏ"), 1),
    **dict.fromkeys(("06 12 34 56 79", "٠٦١٢٣٤٥٦٧٩"), 1),
    # Nothing is left of it without its zeros: it is found as it is written, in a telephone number.
    "000000": 1,
    **dict.fromkeys(("lebeuf", "leboef", "0000000000"), 0),
}


async def test_a_name_is_found_however_it_is_written(office, subtests):
    await office.run(
        "insert into draft (record, agency, document, tag, actor, saved_at) values"
        " ('demo-sante/neu', 'demo-sante', $1, 'x', 'a', now())",
        HARD,
    )
    made = await office.invite("data_protection")
    async with office.database.connection() as connection:
        officer = members.actor_of(await stored.read(connection, made.member))
    context = ServiceContext(database=office.database, pack=office.pack, random=secrets.token_bytes)
    for query, places in PLACES.items():
        with subtests.test(query=query):
            found, is_cut = await personal_data.search_texts(context, officer, query, now=NOW)
            assert (len(found), is_cut) == (places, False)
            if query == "leboeuf":
                assert found[0].words == ["LEBOEUF", "Lebœuf"]


async def test_more_than_a_search_reads_is_said(office, monkeypatch):
    monkeypatch.setattr(personal_data, "MOST_FOUND", 1)
    officer, _ = await office.member("data_protection", agency=None)
    _, page = await search(officer, NAME)
    assert "Il y en a davantage" in words_of(page)


async def test_an_officer_finds_what_her_agencys_attestations_say(office):
    officer, _ = await office.member("data_protection")
    editor = Actor(name="x", agency="demo-sante", scopes=frozenset({"file"}), token=1)
    context = ServiceContext(database=office.database, pack=office.pack, random=secrets.token_bytes)
    statement = {
        "day": "2026-11-01",
        "systems_total": 4,
        "contact": {"email": "registre@demo-sante.example"},
        "note": {"fr": "Certifié par Zineb Bennani."},
    }
    await attest(context, editor, "demo-sante", statement, now=utc_now())
    answer, _ = await search(officer, "bennani")
    assert "Zineb" in answer.text


async def test_what_was_typed_to_be_erased_waits_and_a_search_is_not_kept(office):
    made = await office.invite("data_protection")
    officer = office.browser()
    await officer.sign_in(made.secret)
    await officer.get(PAGE)
    await office.run("update console_session set seen_at = now() - interval '31 minutes'")
    await officer.post(PAGE, [("query", NAME)])
    assert await office.run("select from kept_form") == []
    typed = [("subject", office.record), ("words", "Amina"), ("authority", "CNDP"), ("entry", "")]
    answer = await officer.post(f"{PAGE}/ask", [*typed, ("places", "/purpose/goal/fr")])
    assert answer.headers["location"].endswith("?next=%2Foffice%2Ffr%2Fprivacy")
    again = await members.make_link(
        office.database, OPERATOR, made.member, now=utc_now(), random=secrets.token_bytes
    )
    answer = await officer.sign_in(again.secret)
    page = parse(await officer.get(answer.headers["location"]))
    fields = form_of(page, "privacy/ask")
    assert {("authority", "CNDP"), ("words", "Amina"), ("places", "/purpose/goal/fr")} <= {*fields}


async def test_a_draft_that_names_somebody_is_found_as_a_draft(office):
    officer, _ = await office.member("data_protection")
    await office.run(
        "insert into draft (record, agency, document, tag, actor, saved_at) values"
        " ('demo-sante/neu', 'demo-sante', $1, 'x', 'a', now())",
        '{"id":"demo-sante/neu","summary":{"fr":"Écrire à Zineb Bennani."}}',
    )
    answer, page = await search(officer, "bennani zineb")
    assert "demo-sante/neu" in answer.text
    assert not [one for one in page.iter("form") if one.get("action", "").endswith("/ask")]
