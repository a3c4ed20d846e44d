"""Attacks on the console, by name."""

import re

import pytest

from registry.console.sessions import own_address
from registry.services.people import sessions
from tests.console import conftest
from tests.console.conftest import opened_office, parse

office = conftest.office

HOME = "/office/fr/"
MEMBERS = "/office/fr/members"
TOKENS = "/office/fr/tokens"
INVITATION = [("name", "Mallory"), ("roles", "editor")]


async def count(office):
    return len(await office.run("select from member"))


async def test_a_missing_or_wrong_token_of_a_form_changes_nothing(office):
    admin, _ = await office.member("agency_admin")
    other, _ = await office.member("agency_admin", agency="demo-education")
    await admin.get(MEMBERS)
    await other.get(MEMBERS)
    before = await count(office)
    wrong = [None, "", "x", "0" * 128, admin.token[:-1] + "0", admin.token[::-1], other.token]
    for token in wrong:
        if token == admin.token:
            continue
        answer = await admin.post(MEMBERS, INVITATION, token=token)
        assert answer.status_code == 403, token
        parse(answer)
    assert await count(office) == before
    # Nor where the token is right and the browser says that the form is another site's.
    for site in ("cross-site", "same-site"):
        answer = await admin.post(MEMBERS, INVITATION, headers={"sec-fetch-site": site})
        assert answer.status_code == 403
    assert await count(office) == before
    answer = await admin.post(MEMBERS, INVITATION, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 200


async def test_no_unsafe_method_goes_without_the_token_whatever_the_body(office):
    admin, _ = await office.member("agency_admin")
    before = await count(office)
    for kind in ("text/plain", "application/json", "multipart/form-data; boundary=x", ""):
        answer = await admin.client.post(
            MEMBERS, content=b'{"name":"Mallory"}', headers={"content-type": kind}
        )
        assert answer.status_code in {400, 403}, kind
    assert await count(office) == before
    assert (await admin.client.post("/office/fr/sign-out")).status_code == 403
    assert (await admin.get(MEMBERS)).status_code == 200


async def test_a_session_cannot_be_fixed_beforehand(office):
    made = await office.invite("editor")
    attacker, _ = await office.member("editor", name="Mallory")
    planted = attacker.client.cookies["__Secure-office_session"]
    for value in (planted, "chosen-by-mallory"):
        victim = office.browser()
        victim.client.cookies.set(
            "__Secure-office_session", value, domain="algorithms.example", path="/office"
        )
        if value == planted:
            await victim.client.get(f"/office/fr/sign-in/link/{made.secret}")
        else:
            page = await victim.get(f"/office/fr/sign-in/link/{made.secret}")
            assert page.status_code == 200
            assert (await victim.post(f"/office/fr/sign-in/link/{made.secret}")).status_code == 303
            assert victim.client.cookies["__Secure-office_session"] not in {
                planted,
                "chosen-by-mallory",
            }
    reused = office.browser()
    reused.client.cookies.set(
        "__Secure-office_session", "chosen-by-mallory", domain="algorithms.example", path="/office"
    )
    assert (await reused.get(HOME)).status_code == 303


async def test_a_stolen_cookie_is_worth_nothing_after_signing_out(office):
    browser, _ = await office.member("editor")
    stolen = browser.client.cookies["__Secure-office_session"]
    answer = await browser.post("/office/fr/sign-out")
    assert answer.status_code == 303
    assert "__Secure-office_session" not in browser.client.cookies
    thief = office.browser()
    thief.client.cookies.set(
        "__Secure-office_session", stolen, domain="algorithms.example", path="/office"
    )
    assert (await thief.get(HOME)).status_code == 303


async def test_a_role_that_is_taken_away_ends_the_session_at_once(office):
    chief, _ = await office.member("register_admin", agency=None)
    admin, number = await office.member("agency_admin", "editor")
    await admin.get(MEMBERS)
    await chief.get(f"{MEMBERS}/{number}")
    assert (await chief.post(f"{MEMBERS}/{number}", [("roles", "editor")])).status_code == 303
    before = await count(office)
    answer = await admin.post(MEMBERS, INVITATION)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/office/fr/sign-in")
    assert await count(office) == before


async def test_a_link_signs_in_once(office):
    made = await office.invite("editor")
    path = f"/office/fr/sign-in/link/{made.secret}"
    first, second = office.browser(), office.browser()
    await first.get(path)
    await second.get(path)
    assert (await first.post(path)).status_code == 303
    assert (await second.post(path)).status_code == 410
    assert "__Secure-office_session" not in second.client.cookies


AWAY = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "https:evil.example",
    "http:/evil.example",
    "javascript:alert(1)",
    "/office/fr//evil.example",
    "/office/../evil",
    "/office/fr/../../evil",
    "/office/fr/\\evil.example",
    "/office/fr/ /evil",
    "/office/fr/\r\nlocation: https://evil.example",
    "/office.evil.example/",
    "/officefr/",
    "/office@evil.example/fr/",
    "/fr/",
    "/office/fr/sign-out",
    "/office/fr/sign-in/link/x",
    "%2F%2Fevil.example",
    "/%2Fevil.example",
    "/office/fr/?next=" + "x" * 2000,
    " /office/fr/",
    "",
]


@pytest.mark.parametrize("away", AWAY)
async def test_signing_in_leads_nowhere_else(office, settings, away):
    assert own_address(away, settings) is None
    browser, _ = await office.member("editor")
    answer = await browser.client.get("/office/fr/sign-in", params={"next": away})
    assert answer.headers["location"] == HOME


async def test_what_stays_in_the_console_after_decoding_twice_leads_there(office):
    browser, _ = await office.member("editor")
    answer = await browser.client.get(
        "/office/fr/sign-in", params={"next": "/office/fr/%2F%2Fevil.example"}
    )
    # Whatever it is decoded to, the path begins with this part of this site.
    assert answer.headers["location"].startswith("/office/fr/")


async def test_another_agencys_members_and_tokens_look_like_none(office):
    admin, _ = await office.member("agency_admin", "editor")
    stranger, theirs = await office.member("agency_admin", "editor", agency="demo-education")
    await stranger.get(TOKENS)
    assert (await stranger.post(TOKENS, [("scopes", "file"), ("days", "30")])).status_code == 200
    [token] = await office.run("select id from token")
    await admin.get(MEMBERS)
    told = set()
    for number in (theirs, 999_999):
        for method, path in (
            ("GET", f"{MEMBERS}/{number}"),
            ("POST", f"{MEMBERS}/{number}"),
            ("POST", f"{MEMBERS}/{number}/link"),
            ("POST", f"{MEMBERS}/{number}/end"),
        ):
            ask = admin.get if method == "GET" else admin.post
            answer = await ask(path)
            told.add((answer.status_code, _without_numbers(answer.text)))
    for number in (token["id"], 999_999):
        answer = await admin.post(f"{TOKENS}/{number}/revoke")
        told.add((answer.status_code, _without_numbers(answer.text)))
    assert {status for status, _ in told} == {404}
    assert len(told) == 1
    for page in (MEMBERS, TOKENS):
        assert "demo-education" not in (await admin.get(page)).text
    rows = await office.run("select ended_at from member union select revoked_at from token")
    assert {row[0] for row in rows} == {None}


async def test_who_is_no_admin_sees_none_of_that(office):
    editor, number = await office.member("editor", "reviewer")
    for path in (MEMBERS, TOKENS, f"{MEMBERS}/{number}"):
        assert (await editor.get(path)).status_code == 404
        assert (await editor.post(path, INVITATION)).status_code in {404, 405}
    assert await count(office) == 1


async def test_trying_to_sign_in_is_limited_by_address(settings, database_url):
    async with opened_office(settings, database_url, limit_failures=3) as office:
        codes = [
            (await office.browser().get(f"/office/fr/sign-in/link/{number:043}")).status_code
            for number in range(5)
        ]
        assert codes == [410, 410, 410, 429, 429]
        # Who has a link gets in all the same.
        browser, _ = await office.member("editor")
        assert (await browser.get(HOME)).status_code == 200


async def test_a_member_signs_in_a_limited_number_of_times(settings, database_url):
    async with opened_office(settings, database_url, limit_failures=2) as office:
        made = [await office.invite("editor") for _ in range(3)]
        await office.run("update sign_in_link set member = 1")
        codes = []
        for one in made:
            browser = office.browser()
            path = f"/office/fr/sign-in/link/{one.secret}"
            await browser.get(path)
            codes.append((await browser.post(path)).status_code)
        assert codes == [303, 303, 429]


async def test_the_kept_words_of_one_member_are_not_given_to_another(office):
    victim, _ = await office.member("agency_admin")
    await victim.get(MEMBERS)
    await office.run("update console_session set seen_at = now() - interval '1 hour'")
    answer = await victim.post(MEMBERS, [("name", "A secret plan"), ("roles", "editor")])
    assert answer.headers["location"] == "/office/fr/sign-in?next=%2Foffice%2Ffr%2Fmembers"
    kept = victim.client.cookies["__Secure-office_kept"]
    thief, _ = await office.member("agency_admin", name="Mallory")
    thief.client.cookies.set(
        "__Secure-office_kept", kept, domain="algorithms.example", path="/office"
    )
    assert "A secret plan" not in (await thief.get(MEMBERS)).text
    assert kept not in str(await office.run("select * from kept_form"))
    # She herself gets them back, once.
    await office.run("update console_session set seen_at = now()")
    assert "A secret plan" in (await victim.get(MEMBERS)).text
    assert "A secret plan" not in (await victim.get(MEMBERS)).text


async def test_nobody_stores_words_without_having_been_signed_in(office):
    browser = office.browser()
    await browser.get("/office/fr/sign-in/link/x")
    page = await browser.get("/office/fr/sign-in")
    assert page.status_code == 200
    token = browser.client.cookies["__Secure-office_csrf"]
    answer = await browser.post(MEMBERS, INVITATION, token=token)
    assert answer.status_code == 303
    assert await office.run("select from kept_form") == []
    assert "__Secure-office_kept" not in browser.client.cookies
    assert sessions.KEPT.total_seconds() == 3600


def _without_numbers(text):
    """Return a page without what it says of the request itself: its number and address."""
    return re.sub(
        r'href="/office/[^"]*"| aria-current="\w+"|[0-9a-f]{128}|\b[0-9a-f]{16}\b', "", text
    )
