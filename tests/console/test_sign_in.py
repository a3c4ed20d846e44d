"""Signing in to the console and out of it, sessions, and what was typed when one had ended."""

import datetime as dt
import re
import secrets

import httpx

from registry.clock import utc_now
from registry.services.people import members, sessions
from registry.services.people.access import OPERATOR
from tests.console.conftest import opened_office, parse

HOME = "/office/fr/"


async def test_nobody_sees_a_page_without_signing_in(office):
    browser = office.browser()
    answer = await browser.get("/office/fr/?a=b")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/office/fr/sign-in?next=%2Foffice%2Ffr%2F%3Fa%3Db"
    page = await browser.get(answer.headers["location"])
    assert page.status_code == 200
    parse(page)
    assert answer.headers["cache-control"] == "no-store"


async def test_a_link_signs_in_once_and_lands_on_the_home_page(office, subtests):
    for language, tag in (("ar", "ar"), ("fr", "fr"), ("en", "en"), ("zgh", "ar")):
        with subtests.test(language=language):
            made = await office.invite("editor")
            browser = office.browser(**{"accept-language": language})
            led = await browser.get(f"/office/sign-in/link/{made.secret}")
            assert led.headers["location"] == f"/office/{language}/sign-in/link/{made.secret}"
            # Programs that open the links of mails do not use it up.
            for _ in range(2):
                page = await browser.get(led.headers["location"])
                assert page.status_code == 200
                parse(page)
            answer = await browser.post(led.headers["location"])
            assert (answer.status_code, answer.headers["location"]) == (303, f"/office/{language}/")
            page = await browser.get(answer.headers["location"])
            assert page.status_code == 200
            assert parse(page).get("lang") == tag
            assert "Amina" in page.text


async def test_a_used_an_expired_and_an_invented_link_are_not_told_apart(office):
    used, expired = await office.invite("editor"), await office.invite("editor")
    await office.browser().sign_in(used.secret)
    await office.run("update sign_in_link set expires_at = now()")
    told = set()
    for secret in (used.secret, expired.secret, secrets.token_urlsafe(32)):
        browser = office.browser()
        await browser.get("/office/fr/sign-in/link/x")
        for answer in (
            await browser.get(f"/office/fr/sign-in/link/{secret}"),
            await browser.post(f"/office/fr/sign-in/link/{secret}", token=browser.token),
        ):
            if answer.status_code == 403:
                continue
            assert "set-cookie" not in answer.headers or "__Secure-office_session" not in str(
                answer.headers
            )
            told.add((answer.status_code, answer.text.replace(secret, "SECRET")))
    assert len(told) == 1
    assert next(iter(told))[0] == 410


async def test_the_cookies_are_for_this_part_alone(office):
    made = await office.invite("editor")
    browser = office.browser()
    page = await browser.get(f"/office/fr/sign-in/link/{made.secret}")
    answer = await browser.post(f"/office/fr/sign-in/link/{made.secret}")
    for given in (page.headers["set-cookie"], answer.headers["set-cookie"]):
        assert given.startswith("__Secure-office_")
        attributes = {part.strip().lower() for part in given.split(";")[1:]}
        assert {"path=/office", "secure", "httponly", "samesite=lax"} <= attributes
        assert not any(part.startswith(("max-age", "expires", "domain")) for part in attributes)


async def test_a_trial_without_https_has_cookies_that_work_there(settings, database_url):
    async with opened_office(settings, database_url, base_url="http://127.0.0.1:8000") as office:
        answer = await office.browser().get("/office/fr/sign-in/link/x")
        given = answer.headers["set-cookie"]
        assert given.startswith("office_csrf=")
        assert "secure" not in given.lower()


async def test_the_secrets_are_in_no_log_and_no_table(office):
    made = await office.invite("editor")
    browser = office.browser()
    await browser.get(f"/office/sign-in/link/{made.secret}")
    await browser.sign_in(made.secret)
    session = browser.client.cookies["__Secure-office_session"]
    assert all(made.secret not in line.path for line in office.lines)
    assert "/office/fr/sign-in/link/%E2%80%A6" in {line.path for line in office.lines} or (
        "/office/fr/sign-in/link/…" in {line.path for line in office.lines}
    )
    tables = (
        await office.run("select * from console_session"),
        await office.run("select * from sign_in_link"),
    )
    assert session not in str(tables)
    assert {line.actor for line in office.lines} == {None, "demo-sante"}


async def test_a_session_ends_when_idle_and_after_ten_hours(office):
    browser, _ = await office.member("editor")
    await office.run("update console_session set seen_at = now() - interval '29 minutes'")
    assert (await browser.get(HOME)).status_code == 200
    # It was used just now.
    assert (await browser.get(HOME)).status_code == 200
    await office.run("update console_session set seen_at = now() - interval '30 minutes'")
    assert (await browser.get(HOME)).status_code == 303
    browser, _ = await office.member("editor")
    await office.run("update console_session set begun_at = now() - interval '10 hours'")
    assert (await browser.get(HOME)).status_code == 303


async def test_whoever_is_signed_in_goes_on_from_the_page_of_signing_in(office):
    browser, _ = await office.member("editor")
    answer = await browser.get("/office/fr/sign-in?next=/office/ar/")
    assert answer.headers["location"] == "/office/ar/"


async def test_what_is_old_is_forgotten(office):
    await office.member("editor")
    late = utc_now() + dt.timedelta(days=1, minutes=1)
    await sessions.forget_expired(office.database, now=late)
    assert await office.run("select from console_session") == []


async def test_what_was_typed_after_the_session_had_ended_comes_back(office):
    made = await office.invite("editor")
    browser = office.browser()
    await browser.sign_in(made.secret)
    await browser.get(HOME)
    await office.run("update console_session set seen_at = now() - interval '1 hour'")
    typed = [("name", "Prévision"), ("tag", "a"), ("tag", "b"), ("empty", "")]
    kept = await sessions.keep_form(
        office.database,
        browser.client.cookies["__Secure-office_session"],
        HOME,
        typed,
        now=utc_now(),
        random=secrets.token_bytes,
    )
    browser.client.cookies.set(
        "__Secure-office_kept", kept, domain="algorithms.example", path="/office"
    )
    stranger = await office.invite("editor", name="Somebody else")
    thief = office.browser()
    thief.client.cookies.set(
        "__Secure-office_kept", kept, domain="algorithms.example", path="/office"
    )
    answer = await thief.sign_in(stranger.secret)
    assert answer.headers["location"] == HOME
    again = await members.make_link(
        office.database, OPERATOR, made.member, now=utc_now(), random=secrets.token_bytes
    )
    answer = await browser.sign_in(again.secret)
    assert answer.headers["location"] == HOME


async def test_the_metrics_count_the_console(office):
    await office.member("editor")
    assert {line.status for line in office.lines} >= {200, 303}
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(office.application), base_url="https://algorithms.example"
    )
    figures = await client.get("/metrics", headers={"host": "127.0.0.1:8000"})
    assert 'operation="home_page"' in figures.text
    await client.aclose()


async def test_without_the_setting_there_is_no_console(settings, database_url):
    async with opened_office(settings, database_url, console=None) as office:
        assert (await office.browser().get("/office/fr/sign-in")).status_code == 404


async def test_what_does_not_exist_is_a_page_in_the_readers_language(office):
    browser, _ = await office.member("editor")
    for path in ("fr/nothing", "xx/", "nothing/at/all", "fr/members/x"):
        answer = await browser.get(f"/office/{path}", headers={"accept-language": "fr"})
        assert answer.status_code == 404, path
        assert parse(answer).get("lang") == "fr", path
        assert "cette page" in answer.text.lower(), path


async def test_a_page_has_its_styles_and_fonts_without_a_site_that_is_built(office):
    browser, _ = await office.member("editor", language="ar")
    page = parse(await browser.get("/office/ar/"))
    linked = [link.get("href") for link in page.iter("link") if link.get("rel") != "canonical"]
    fonts = []
    for address in linked:
        assert address.startswith("/office/assets/")
        answer = await browser.get(address)
        assert answer.status_code == 200, address
        if address.endswith("css"):
            fonts += re.findall(r'url\("([^"]+\.woff2)"\)', answer.text)
    assert fonts
    for font in fonts:
        assert (await browser.get(f"/office/assets/{font}")).status_code == 200
