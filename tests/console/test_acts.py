"""Withdrawals and attestations in the console: one person asks, another one decides."""

import re
import secrets

import pytest

from registry.ledger import append
from tests.conftest import NOW, amended
from tests.console.conftest import opened_office, parse
from tests.published import given_times

ID = "demo-sante/prevision-lits"
WITHDRAW = f"/office/fr/records/{ID}/withdraw"
ATTEST = "/office/fr/attestation"
WHY = [("reason", "other"), ("note-fr", "Le projet est abandonné.\r\nDéfinitivement.")]
SAID = [("day", "2026-06-30"), ("systems_total", "3"), ("contact", "r@demo-sante.example")]


@pytest.fixture
def publish(publication):
    """Publish documents into the register of an office."""

    async def publish(office, *documents):
        async with office.database.transaction() as connection:
            made = [publication(document) for document in documents]
            await append.publish(
                connection, made, guard=given_times(), now=NOW, random=secrets.token_bytes
            )

    return publish


@pytest.fixture
async def office(settings, database_url, publish, record):
    """A console where review is required, with one record."""
    async with opened_office(settings, database_url, review="required") as office:
        await publish(office, record)
        yield office


async def state(office):
    [row] = await office.run("select state from record where id = $1", ID)
    return row["state"]


async def send(browser, path, fields):
    """Open a page and send its form, with the hidden fields that it has."""
    page = await browser.get(path)
    assert page.status_code == 200, page.text
    parse(page)
    tag = re.search(r'name="tag" value="([0-9a-f]*)"', page.text)
    return await browser.post(path, [*fields, *([("tag", tag[1])] if tag else [])])


async def asked(browser, path, fields):
    """Ask for something that takes two, and return the address of its page."""
    sent = await send(browser, path, fields)
    assert sent.status_code == 303, sent.text
    assert sent.headers["location"].startswith("/office/fr/review/acts/")
    return sent.headers["location"]


async def test_a_withdrawal_is_asked_for_and_another_person_approves_it(office):
    editor, _ = await office.member("editor")
    reviewer, _ = await office.member("reviewer", name="Brahim")
    act = await asked(editor, WITHDRAW, WHY)
    page = await editor.get(act)
    parse(page)
    assert "attend maintenant une autre personne" in page.text
    assert 'value="approve"' not in page.text
    assert 'value="take_back"' in page.text
    assert await state(office) == "published"
    for browser in (editor, reviewer):
        listed = await browser.get("/office/fr/review/acts")
        parse(listed)
        assert f'href="{act}"' in listed.text
        assert "Attend une autre personne" in listed.text
    # Instead of the form the page says what waits.
    assert act in (await editor.get(WITHDRAW)).text
    unread = "select from notice where kind = 'act_waits' and read_at is null"
    assert len(await office.run(unread)) == 1
    page = await reviewer.get(act)
    parse(page)
    assert await office.run(unread) == []
    for said in ("Le projet est abandonné.", "Autre", ID, "Demandé par"):
        assert said in page.text
    done = await reviewer.post(act, [("do", "approve")])
    assert (done.status_code, done.headers["location"]) == (303, act)
    assert await state(office) == "withdrawn"
    for browser in (editor, reviewer):
        page = await browser.get(act)
        parse(page)
        assert "Approuvé le" in page.text
    assert "retirée" in (await editor.get(WITHDRAW)).text
    [row] = await office.run(
        "select convert_from(bytes, 'UTF8') as said from log_entry where index = 2"
    )
    assert '"approved_by":"agency"' in row["said"]


async def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(office):
    editor, _ = await office.member("editor")
    typed = [("note-fr", "Parce que <b>."), ("successor", "demo-sante/nowhere")]
    refused = await send(editor, WITHDRAW, typed)
    assert refused.status_code == 422
    parse(refused)
    assert re.findall(r'<li><a href="#([a-z-]+)">([^<]+)', refused.text)[0] == (
        "reason",
        "Choisissez un motif.",
    )
    for field in ("reason", "note-fr"):
        assert f'href="#{field}"' in refused.text
        assert f'id="{field}-error"' in refused.text
    assert "Parce que &lt;b&gt;." in refused.text
    assert 'value="demo-sante/nowhere"' in refused.text
    refused = await send(editor, WITHDRAW, [*WHY, ("successor", "demo-sante/nowhere")])
    assert 'id="successor-error"' in refused.text
    assert await state(office) == "published"


async def test_a_record_that_has_changed_meanwhile_is_not_withdrawn_by_mistake(
    office, publish, record
):
    editor, _ = await office.member("editor")
    reviewer, _ = await office.member("reviewer", name="Brahim")
    await editor.get(WITHDRAW)
    stale = await editor.post(WITHDRAW, [*WHY, ("tag", "0" * 16)])
    assert stale.status_code == 409
    parse(stale)
    assert "a changé depuis" in stale.text
    assert "Le projet est abandonné." in stale.text
    act = await asked(editor, WITHDRAW, WHY)
    await publish(office, amended(record, source_id="x"))
    page = await reviewer.get(act)
    parse(page)
    assert "ne peut donc plus être approuvée" in page.text
    assert 'value="approve"' not in page.text
    refused = await reviewer.post(act, [("do", "approve")])
    assert refused.status_code == 409
    parse(refused)
    assert await state(office) == "published"


async def test_what_is_returned_says_why(office):
    editor, _ = await office.member("editor")
    reviewer, _ = await office.member("reviewer", name="Brahim")
    act = await asked(editor, WITHDRAW, WHY)
    await reviewer.get(act)
    refused = await reviewer.post(act, [("do", "return"), ("comment", " ")])
    assert refused.status_code == 422
    parse(refused)
    assert 'id="comment-error"' in refused.text
    done = await reviewer.post(act, [("do", "return"), ("comment", "Pourquoi maintenant ?")])
    assert (done.status_code, done.headers["location"]) == (303, act)
    assert "renvoyée avec votre commentaire" in (await reviewer.get(act)).text
    page = await editor.get(act)
    parse(page)
    assert "Pourquoi maintenant ?" in page.text
    done = await editor.post(act, [("do", "take_back")])
    assert (done.status_code, done.headers["location"]) == (303, "/office/fr/")
    assert (await editor.get(act)).status_code == 404


async def test_an_attestation_is_asked_for_and_another_person_approves_it(office):
    editor, _ = await office.member("editor")
    reviewer, _ = await office.member("reviewer", agency=None, name="Brahim")
    refused = await send(editor, ATTEST, [("day", ""), ("systems_total", "trois")])
    assert refused.status_code == 422
    parse(refused)
    assert re.findall(r'<li><a href="#([a-z_]+)">', refused.text) == [
        "day",
        "systems_total",
        "contact",
    ]
    for field in ("day", "systems_total", "contact"):
        assert f'id="{field}-error"' in refused.text
    assert 'value="trois"' in refused.text
    refused = await send(editor, ATTEST, [SAID[0], ("systems_total", "9" * 5000), SAID[2]])
    assert 'id="systems_total-error"' in refused.text, "more digits than Python reads as a number"
    today = (await office.run("select current_date::text as day"))[0]["day"]
    refused = await send(editor, ATTEST, [("day", today), ("systems_total", "0"), SAID[2]])
    assert 'id="systems_total-error"' in refused.text
    act = await asked(editor, ATTEST, [*SAID, ("note-ar", "بما فيها التجارب")])
    page = await reviewer.get(act)
    parse(page)
    assert "بما فيها التجارب" in page.text
    assert await office.run("select from attestation") == []
    assert (await reviewer.post(act, [("do", "approve")])).status_code == 303
    [row] = await office.run("select systems_total from attestation")
    assert row["systems_total"] == 3
    page = await editor.get(ATTEST)
    assert re.search(r"<bdi>3</bdi>\ssystèmes", page.text)


async def test_nobody_decides_on_the_own_request(office):
    both, _ = await office.member("editor", "reviewer")
    act = await asked(both, WITHDRAW, WHY)
    page = await both.get(act)
    parse(page)
    assert "Vous l’avez demandé vous-même" in page.text
    assert 'value="approve"' not in page.text
    refused = await both.post(act, [("do", "approve")])
    assert refused.status_code == 403
    assert await state(office) == "published"


async def test_another_agencys_are_answered_like_what_is_not_there(office):
    editor, _ = await office.member("editor")
    number = (await asked(editor, WITHDRAW, WHY)).rpartition("/")[2]
    stranger, _ = await office.member("editor", "reviewer", agency="demo-education", name="C.")
    for path, absent in (
        (WITHDRAW, "/office/fr/records/demo-sante/nothing/withdraw"),
        (f"/office/fr/review/acts/{number}", "/office/fr/review/acts/99"),
    ):
        for ask in (stranger.get, lambda path: stranger.post(path, [*WHY, ("do", "approve")])):
            await stranger.get("/office/fr/")
            told = [await ask(one) for one in (path, absent)]
            assert {answer.status_code for answer in told} == {404}
            first, second = (
                re.sub(r"[0-9a-f]{16,128}", "", answer.text.replace(one, ""))
                .replace("records/" + ID, "")
                .replace("records/demo-sante/nothing", "")
                .replace(f"acts/{number}", "acts/99")
                for answer, one in zip(told, (path, absent), strict=True)
            )
            assert first == second
    reviewer, _ = await office.member("reviewer", name="Brahim")
    assert (await reviewer.get(WITHDRAW)).status_code == 404
    assert (await reviewer.get(ATTEST)).status_code == 404


async def test_without_review_it_is_done_at_once(settings, database_url, publish, record):
    async with opened_office(settings, database_url) as office:
        await publish(office, record)
        editor, _ = await office.member("editor")
        done = await send(editor, ATTEST, SAID)
        assert (done.status_code, done.headers["location"]) == (303, ATTEST)
        asked_again = await send(editor, WITHDRAW, WHY)
        assert (asked_again.status_code, await state(office)) == (200, "published")
        done = await send(editor, WITHDRAW, [*WHY, ("sure", "1")])
        assert (done.status_code, done.headers["location"]) == (303, "/office/fr/")
        assert await state(office) == "withdrawn"


async def test_the_authoritys_administrator_withdraws_any_record(office):
    admin, _ = await office.member("register_admin", agency=None)
    act = await asked(admin, WITHDRAW, WHY)
    assert "L’autorité du registre" in (await admin.get(act)).text
    # That the agency sees it, and does not take it back.
    editor, _ = await office.member("editor", name="Brahim")
    page = await editor.get(act)
    assert page.status_code == 200
    assert 'value="take_back"' not in page.text


async def test_the_pages_are_in_every_language(office, subtests):
    """Most words of those in Tamazight are the Arabic ones, and so is the page around them."""
    editor, _ = await office.member("editor")
    reviewer, _ = await office.member("reviewer", name="Brahim")
    act = await asked(editor, WITHDRAW, WHY)
    for language, tag in (("ar", "ar"), ("en", "en"), ("zgh", "ar")):
        for browser, path in ((editor, WITHDRAW), (editor, ATTEST), (reviewer, act)):
            with subtests.test(language=language, path=path):
                page = await browser.get(path.replace("/fr/", f"/{language}/"))
                assert page.status_code == 200
                root = parse(page)
                assert root.get("lang") == tag
                assert root.get("dir") == ("rtl" if tag == "ar" else "ltr")
