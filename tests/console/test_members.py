"""The pages on which admins manage members and tokens."""

import re

from registry.clock import utc_now
from registry.services.people import access_tokens
from tests.console.conftest import parse

MEMBERS = "/office/fr/members"
TOKENS = "/office/fr/tokens"


def link_in(answer):
    return re.search(r"/office/sign-in/link/([\w-]{43})<", answer.text)[1]


async def test_an_agency_admin_invites_a_colleague_who_signs_in(office):
    admin, _ = await office.member("agency_admin")
    page = await admin.get(MEMBERS)
    assert page.status_code == 200
    parse(page)
    assert 'name="agency"' not in page.text
    assert "register_admin" not in page.text
    answer = await admin.post(
        MEMBERS, [("name", "Youssef <b>"), ("roles", "editor"), ("roles", "reviewer")]
    )
    # What has markup in it is no name.
    assert answer.status_code == 422
    assert "Youssef &lt;b&gt;" in answer.text
    parse(answer)
    fields = [("name", "Youssef"), ("roles", "editor"), ("roles", "reviewer"), ("language", "ar")]
    answer = await admin.post(MEMBERS, fields)
    assert answer.status_code == 200
    parse(answer)
    colleague = office.browser()
    await colleague.sign_in(link_in(answer), "ar")
    assert "Youssef" in (await colleague.get("/office/ar/")).text
    assert "Youssef" in (await admin.get(MEMBERS)).text
    [row] = await office.run("select roles, agency, language from member where name = 'Youssef'")
    assert tuple(row) == (["editor", "reviewer"], "demo-sante", "ar")


async def test_what_is_wrong_is_told_at_its_field_and_nothing_typed_is_lost(office, subtests):
    admin, _ = await office.member("agency_admin")
    for wrong, fields in (
        ("name", [("name", ""), ("roles", "editor")]),
        ("roles", [("name", "A")]),
        ("roles", [("name", "A"), ("roles", "king")]),
        ("roles", [("name", "A"), ("roles", "register_admin")]),
        ("email", [("name", "A"), ("roles", "editor"), ("email", "nothing")]),
        ("language", [("name", "A"), ("roles", "editor"), ("language", "de")]),
    ):
        with subtests.test(fields=fields):
            await admin.get(MEMBERS)
            answer = await admin.post(MEMBERS, fields)
            assert answer.status_code == 422
            page = parse(answer)
            links = [link.get("href") or "" for link in page.iter("a")]
            assert f"#{wrong}" in links
            assert any(one.get("id") == wrong for one in page.iter())
            for name, value in fields:
                if name in {"name", "email"}:
                    assert f'value="{value}"' in answer.text
            assert len(await office.run("select from member")) == 1


async def test_an_agency_admin_cannot_invite_for_another_agency(office):
    admin, _ = await office.member("agency_admin")
    await admin.get(MEMBERS)
    fields = [("name", "A"), ("roles", "editor"), ("agency", "demo-education")]
    assert (await admin.post(MEMBERS, fields)).status_code == 200
    rows = await office.run("select agency from member")
    assert {row["agency"] for row in rows} == {"demo-sante"}


async def test_a_register_admin_invites_for_every_agency(office):
    admin, _ = await office.member("register_admin", agency=None)
    page = await admin.get(MEMBERS)
    parse(page)
    for agency, role in (("demo-education", "editor"), ("", "register_admin"), ("", "reviewer")):
        answer = await admin.post(MEMBERS, [("name", "A"), ("roles", role), ("agency", agency)])
        assert answer.status_code == 200, answer.text
    answer = await admin.post(MEMBERS, [("name", "A"), ("roles", "editor"), ("agency", "")])
    assert answer.status_code == 422


async def test_roles_are_changed_and_a_member_is_ended(office):
    admin, _ = await office.member("agency_admin")
    editor, number = await office.member("editor", name="Youssef")
    page = await admin.get(f"{MEMBERS}/{number}")
    parse(page)
    assert (await admin.post(f"{MEMBERS}/{number}")).status_code == 422
    answer = await admin.post(f"{MEMBERS}/{number}", [("roles", "reviewer")])
    assert (answer.status_code, answer.headers["location"]) == (303, MEMBERS)
    page = await admin.get(MEMBERS)
    assert "Les rôles de" in page.text
    # What was said is said once.
    assert "Les rôles de" not in (await admin.get(MEMBERS)).text
    # Her session has ended with the role.
    assert (await editor.get("/office/fr/")).status_code == 303
    answer = await admin.post(f"{MEMBERS}/{number}/link")
    again = office.browser()
    await again.sign_in(link_in(answer))
    assert (await again.get("/office/fr/review/")).status_code == 200
    assert (await admin.post(f"{MEMBERS}/{number}/end")).status_code == 303
    assert (await again.get("/office/fr/")).status_code == 303
    assert (await admin.get(f"{MEMBERS}/{number}")).status_code == 404


async def test_an_admin_does_not_end_herself(office):
    admin, number = await office.member("agency_admin")
    page = await admin.get(f"{MEMBERS}/{number}")
    assert f"{number}/end" not in page.text
    assert (await admin.post(f"{MEMBERS}/{number}/end")).status_code == 409
    assert (await admin.post(f"{MEMBERS}/{number}", [("roles", "editor")])).status_code == 409


async def test_a_token_is_shown_once_and_files_for_its_member(office):
    admin, number = await office.member("agency_admin", "editor", "reviewer")
    page = await admin.get(TOKENS)
    parse(page)
    assert "admin" not in {box.get("value") for box in parse(page).iter("input")}
    fields = [("scopes", "file"), ("scopes", "review"), ("actor", "bureau"), ("days", "30")]
    answer = await admin.post(TOKENS, fields)
    assert answer.status_code == 200
    parse(answer)
    token = re.search(r"regt_[\w-]+", answer.text)[0]
    actor = await access_tokens.recognise(office.database, token, now=utc_now())
    assert (actor.name, actor.agency, actor.member) == ("bureau", "demo-sante", number)
    assert actor.scopes == {"file", "review"}
    listed = await admin.get(TOKENS)
    parse(listed)
    assert "bureau" in listed.text
    assert token not in listed.text
    assert (await admin.post(f"{TOKENS}/{actor.token}/revoke")).status_code == 303
    assert "est révoqué" in (await admin.get(TOKENS)).text


NO_TOKENS = [
    ([("days", "30")], "scopes"),
    ([("scopes", "review"), ("days", "30")], "scopes"),
    ([("scopes", "admin"), ("days", "30")], "scopes"),
    ([("scopes", "file"), ("days", "9999")], "days"),
    ([("scopes", "file"), ("days", "x")], "days"),
    ([("scopes", "file"), ("actor", "cnss")], "actor"),
    ([("scopes", "file"), ("actor", "Authority")], "actor"),
    ([("scopes", "file"), ("actor", "x" * 61)], "actor"),
]


async def test_a_token_that_cannot_be_is_refused_at_its_field(office, subtests):
    admin, _ = await office.member("agency_admin", "editor")
    await admin.get(TOKENS)
    for fields, wrong in NO_TOKENS:
        with subtests.test(fields=fields):
            answer = await admin.post(TOKENS, fields)
            assert answer.status_code == 422
            parse(answer)
            assert f'href="#{wrong}"' in answer.text
            assert await office.run("select from token") == []


async def test_a_third_token_of_one_role_is_refused_on_the_page(office):
    admin, _ = await office.member("agency_admin", "editor")
    await admin.get(TOKENS)
    fields = [("scopes", "file"), ("days", "30")]
    for status in (200, 200, 422):
        answer = await admin.post(TOKENS, fields)
        assert answer.status_code == status
    assert "deux jetons en vigueur" in answer.text
