"""Signing in to the console and out of it, sessions, and what was typed when one had ended."""

import datetime as dt
import re
import secrets
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest

from registry.clock import utc_now
from registry.errors import Unavailable
from registry.services.context import ServiceContext
from registry.services.people import members, sessions
from registry.services.people.access import OPERATOR
from registry.worker.notices import send_links
from tests.console.conftest import SITE, opened_office, parse
from tests.worker.test_notices import Server, running

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


MAILED = re.compile(r"https://algorithms\.example(/office/\w+/sign-in/link/[\w-]+)")


@asynccontextmanager
async def mailing_office(settings, database_url, **changes):
    """Open a console that mails; `deliver` sends what is asked for and returns the mails."""
    server = Server()
    with running(server) as port:
        changes["smtp_url"] = f"smtp://127.0.0.1:{port}"
        async with opened_office(settings, database_url, **changes) as office:
            context = ServiceContext(
                database=office.database, pack=office.pack, random=secrets.token_bytes
            )
            mailer = msgspec.structs.replace(settings, base_url=SITE, **changes)

            async def deliver():
                server.taken.clear()
                await send_links(mailer, context)
                return list(server.taken)

            office.deliver, office.server = deliver, server
            yield office


async def test_a_link_by_mail_signs_in_and_nobody_learns_whose_address_it_is(
    settings, database_url
):
    async with mailing_office(settings, database_url) as office:
        made = await office.invite("editor", email="amina@sante.example")
        asked, told = office.browser(), []
        page = parse(await asked.get("/office/fr/sign-in"))
        assert [one.get("id") for one in page.iter("input") if one.get("type") == "email"]
        for address in ("Amina@Sante.example", "nobody@else.example"):
            answer = await asked.post("/office/fr/sign-in", [("email", address)])
            parse(answer)
            told.append((answer.status_code, answer.text.replace(address, "ADDRESS")))
        assert told[0] == told[1]
        # Nobody has looked whose address it is before the answer: not a row tells them apart.
        rows = await office.run("select member, language, kind from mail_request")
        assert [tuple(row) for row in rows] == [(None, "fr", "sign_in")] * 2
        [mail] = await office.deliver()
        assert mail["to"] == "Amina@Sante.example"
        assert mail["subject"] == "Votre lien de connexion"
        assert mail["date"]
        assert mail["message-id"].endswith("@algorithms.example>")
        [path] = MAILED.findall(mail.get_content())
        browser = office.browser()
        assert (await browser.sign_in(path.rpartition("/")[2])).headers["location"] == HOME
        assert (await office.browser().get(path)).status_code == 410
        acts = await office.run("select action, member from audit order by id")
        assert ("mail_link", made.member) in {tuple(row) for row in acts}
        assert await office.run("select from mail_request") == []


async def test_a_link_by_mail_leads_on_to_where_one_was(settings, database_url):
    async with mailing_office(settings, database_url) as office:
        await office.invite("editor", email="amina@sante.example")
        browser = office.browser()
        led = await browser.get("/office/fr/records/demo-sante/a-b/?page=1")
        page = await browser.get(led.headers["location"])
        [form] = [one for one in parse(page).iter("form") if one.get("method") == "post"]
        refused = await browser.post(form.get("action"), [("email", "amina")])
        [form] = [one for one in parse(refused).iter("form") if one.get("method") == "post"]
        await browser.post(form.get("action"), [("email", "amina@sante.example")])
        [mail] = await office.deliver()
        [path] = MAILED.findall(mail.get_content())
        signed_in = await browser.sign_in(path.rpartition("/")[2])
        assert signed_in.headers["location"] == "/office/fr/records/demo-sante/a-b/?page=1"
        # Where that leads is no matter of what another site sends.
        elsewhere = "/office/fr/sign-in?next=//else.example"
        await browser.post(elsewhere, [("email", "amina@sante.example")])
        [mail] = await office.deliver()
        [path] = MAILED.findall(mail.get_content())
        assert (await browser.sign_in(path.rpartition("/")[2])).headers["location"] == HOME


async def test_links_by_mail_are_limited_by_address_and_not_sent_late(settings, database_url):
    async with mailing_office(settings, database_url) as office:
        await office.invite("editor", email="amina@sante.example")
        browser = office.browser()
        await browser.get("/office/ar/sign-in")
        wrong = await browser.post("/office/ar/sign-in", [("email", "amina at sante")])
        assert wrong.status_code == 422
        assert "amina at sante" in wrong.text
        statuses = [
            (await browser.post("/office/ar/sign-in", [("email", address)])).status_code
            for address in ["amina@sante.example"] * 3 + ["AMINA@sante.example", "b@sante.example"]
        ]
        assert statuses == [200, 200, 200, 429, 200]
        await office.run("update mail_request set made_at = now() - interval '16 minutes'")
        assert await office.deliver() == []


async def test_an_invitation_is_mailed_and_shown_to_nobody_else(settings, database_url):
    async with mailing_office(settings, database_url) as office:
        admin, _ = await office.member("register_admin", agency=None)
        await admin.get("/office/fr/members")
        fields = [("name", "Salma"), ("email", "salma@authority.example"), ("language", "ar")]
        answer = await admin.post("/office/fr/members", [*fields, ("roles", "reviewer")])
        assert answer.status_code == 303
        page = await admin.get(answer.headers["location"])
        assert "salma@authority.example" in page.text
        assert "/sign-in/link/" not in page.text
        [mail] = await office.deliver()
        assert mail["to"] == "salma@authority.example"
        assert "Salma، أنتم الآن عضو" in mail.get_content()
        [path] = MAILED.findall(mail.get_content())
        assert path.startswith("/office/ar/")
        await office.browser().sign_in(path.rpartition("/")[2])


async def test_without_mail_nobody_is_offered_a_link(office):
    browser = office.browser()
    page = await browser.get("/office/fr/sign-in")
    assert 'type="email"' not in page.text
    await browser.get(f"/office/fr/sign-in/link/{(await office.invite('editor')).secret}")
    answer = await browser.post("/office/fr/sign-in", [("email", "amina@sante.example")])
    assert answer.status_code == 404


async def test_a_member_sets_language_digest_and_an_address_that_she_confirms(
    settings, database_url
):
    async with mailing_office(settings, database_url) as office:
        browser, number = await office.member("reviewer", email="old@sante.example", language="ar")
        parse(await browser.get("/office/fr/settings"))
        fields = [("language", "fr"), ("digest", "daily"), ("email", "new@sante.example")]
        wrong = await browser.post("/office/fr/settings", [*fields[:2], ("email", "no")])
        assert wrong.status_code == 422
        assert (await browser.post("/office/fr/settings", fields)).status_code == 303
        [row] = await office.run("select email, language, daily_digest from member")
        assert tuple(row) == ("old@sante.example", "fr", True)
        [mail] = await office.deliver()
        assert mail["to"] == "new@sante.example"
        [path] = re.findall(
            r"https://algorithms\.example(/\S+/settings/address/\S+)", mail.get_content()
        )
        other, _ = await office.member("editor")
        assert (await other.get(path)).status_code == 404
        assert all(path.rpartition("/")[2] not in line.path for line in office.lines)
        page = await browser.get(path)
        parse(page)
        assert "new@sante.example" in page.text
        assert (await browser.post(path)).status_code == 303
        assert (await browser.post(path)).status_code == 404
        [row] = await office.run("select email from member where id = $1", number)
        assert row["email"] == "new@sante.example"
        # Whoever had it changed in her name: the address that she had is told.
        [told] = await office.deliver()
        assert told["to"] == "old@sante.example"
        assert "/office/fr/settings" in told.get_content()
        # What was mailed to the address before no longer signs in, nor is it removed unnoticed.
        await members.make_link(
            office.database, OPERATOR, number, now=utc_now(), random=secrets.token_bytes
        )
        answer = await browser.post("/office/fr/settings", [*fields[:2], ("email", "")])
        assert answer.status_code == 303
        assert await office.run("select from sign_in_link where member = $1", number) == []
        [told] = await office.deliver()
        assert told["to"] == "new@sante.example"
        acts = await office.run("select before from audit where action = 'change_address'")
        assert [row["before"] for row in acts] == ["set", "set"]
        # However many addresses she names.
        statuses = [
            (
                await browser.post(
                    "/office/fr/settings", [*fields[:2], ("email", f"a{number}@sante.example")]
                )
            ).status_code
            for number in range(3)
        ]
        assert statuses == [303, 303, 429]
        await office.run(AWAY + ", whole_day = true")
        answer = await browser.post("/office/fr/settings", [*fields[:2], ("email", "")])
        assert answer.headers["location"] == "/office/fr/sign-in?next=%2Foffice%2Ffr%2Fsettings"


async def test_while_no_mail_can_be_sent_each_try_replaces_the_link_of_the_one_before(
    settings, database_url
):
    async with mailing_office(settings, database_url) as office:
        await office.invite("editor", email="amina@sante.example")
        await office.run("delete from sign_in_link")
        await office.run(
            "insert into mail_request (kind, email, language, made_at, mail_at)"
            " select 'sign_in', email, 'fr', now(), now()"
            " from unnest(array['amina@sante.example', 'x@[y.z']) as email"
        )
        # What is there from a time when such an address was taken.
        await office.run(
            "insert into member (name, email, roles, language, invited_at)"
            " values ('Odd', 'x@[y.z', '{reviewer}', 'fr', now())"
        )
        office.server.refused["data"] = "451 try again"
        for _ in range(2):
            await office.run("update mail_request set mail_at = now()")
            with pytest.raises(Unavailable):
                await office.deliver()
            assert await office.run("select from sign_in_link") == []
        office.server.refused.clear()
        await office.run("update mail_request set mail_at = now()")
        [mail] = await office.deliver()
        assert mail["to"] == "amina@sante.example"
        assert await office.run("select from mail_request") == []


AWAY = "update console_session set seen_at = now() - interval '31 minutes'"


async def test_a_session_of_a_working_day_is_asked_again_before_what_is_for_ever(office):
    made = await office.invite("agency_admin", agency="demo-sante")
    browser = office.browser()
    path = f"/office/fr/sign-in/link/{made.secret}"
    await browser.get(path)
    await browser.post(path, [("whole_day", "1")])
    await office.run(AWAY)
    await browser.get("/office/fr/members")
    typed = [("name", "Omar"), ("roles", "editor"), ("language", "fr")]
    # However much she reads meanwhile: she was away.
    for _ in range(2):
        answer = await browser.post("/office/fr/members", typed)
        assert answer.headers["location"] == "/office/fr/sign-in?next=%2Foffice%2Ffr%2Fmembers"
    assert (await browser.get(answer.headers["location"])).status_code == 200
    again = await members.make_link(
        office.database, OPERATOR, made.member, now=utc_now(), random=secrets.token_bytes
    )
    answer = await browser.sign_in(again.secret)
    page = await browser.get(answer.headers["location"])
    assert 'value="Omar"' in page.text
    assert (await browser.post("/office/fr/members", typed)).status_code == 200
    assert len(await office.run("select from member where name = 'Omar'")) == 1


async def test_what_a_tab_sends_after_signing_out_in_another_is_kept(office):
    made = await office.invite("agency_admin")
    browser = office.browser()
    await browser.sign_in(made.secret)
    await browser.get("/office/fr/members")
    await browser.post("/office/fr/sign-out")
    answer = await browser.post("/office/fr/members", [("name", "Omar")])
    assert answer.headers["location"] == "/office/fr/sign-in?next=%2Foffice%2Ffr%2Fmembers"
    again = await members.make_link(
        office.database, OPERATOR, made.member, now=utc_now(), random=secrets.token_bytes
    )
    answer = await browser.sign_in(again.secret)
    assert answer.headers["location"] == "/office/fr/members"
    assert 'value="Omar"' in (await browser.get("/office/fr/members")).text
