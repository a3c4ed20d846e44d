"""Members: who may invite, change and end whom, and links that sign in once."""

import asyncio
import datetime as dt
import secrets

import pytest

from registry.errors import (
    ConfigurationError,
    Conflict,
    Forbidden,
    InvalidParameter,
    NotFound,
    Unauthorized,
)
from registry.services import policy
from registry.services.people import access_tokens, members
from registry.services.people.access import OPERATOR, Actor
from registry.services.people.members import actor_of
from registry.services.statements import act_review, redaction
from registry.store import audit_trail
from registry.store import members as stored

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


class People:
    """Invites members and acts as them."""

    def __init__(self, context):
        self.context = context
        self.database = context.database

    async def invite(self, *roles, agency="demo-sante", by=OPERATOR, name="Amina", **more):
        given = {"email": None, "language": None} | more
        return await members.invite(
            self.database,
            self.context.pack,
            by,
            name=name,
            agency=agency,
            roles=roles,
            now=NOW,
            random=secrets.token_bytes,
            **given,
        )

    async def member(self, *roles, **more):
        made = await self.invite(*roles, **more)
        return actor_of(await self.read(made.member))

    async def read(self, number):
        async with self.database.connection() as connection:
            return await stored.read(connection, number)

    async def redeem(self, secret, now=NOW):
        async with self.database.transaction() as connection:
            return await members.redeem_link(connection, secret, now=now)

    async def token(self, member, *scopes, agency="demo-sante", actor=None):
        token = await access_tokens.create_token(
            self.database,
            agency=agency,
            scopes=scopes,
            actor=actor,
            days=30,
            now=NOW,
            random=secrets.token_bytes,
            member=member,
        )
        return token, await access_tokens.recognise(self.database, token, now=NOW)


@pytest.fixture
def people(context):
    return People(context)


async def test_a_member_acts_for_the_agency_as_her_roles_allow(people):
    actor = await people.member("reviewer", "editor")
    assert (actor.name, actor.agency, actor.token) == ("demo-sante", "demo-sante", None)
    assert actor.scopes == {"file", "review"}
    assert actor.person == f"member {actor.member}"
    assert (await people.read(actor.member)).roles == ["editor", "reviewer"]
    with pytest.raises(Forbidden, match="your roles are editor, reviewer"):
        policy.require_scope(actor, "read_audit")
    office = await people.member("register_admin", agency=None)
    assert (office.name, office.agency) == ("authority", None)
    assert office.scopes == {"admin", "redact"}


async def test_what_cannot_be_is_refused_by_the_name_of_the_field(people):
    for field, roles, more in [
        ("roles", (), {}),
        ("roles", ("king",), {}),
        ("agency", ("editor",), {"agency": None}),
        ("agency", ("agency_admin",), {"agency": None}),
        ("agency", ("register_admin",), {}),
        ("agency", ("editor",), {"agency": "nowhere"}),
        ("name", ("editor",), {"name": "  "}),
        ("name", ("editor",), {"name": "A\nB"}),
        ("name", ("editor",), {"name": "x" * 121}),
        ("email", ("editor",), {"email": "not an address"}),
        ("email", ("editor",), {"email": "a@b.ma\nBcc: c@d.ma"}),
        ("email", ("editor",), {"email": "x@[y.z"}),
        ("email", ("editor",), {"email": "a\0@b.ma"}),
        ("language", ("editor",), {"language": "de"}),
    ]:
        with pytest.raises(InvalidParameter) as refused:
            await people.invite(*roles, **more)
        assert refused.value.parameter == field, (roles, more)


async def test_a_link_signs_in_once_and_only_its_hash_is_kept(people, database):
    made = await people.invite("editor")
    assert len(made.secret) == 43
    async with database.connection() as connection:
        kept = await connection.fetch("select * from sign_in_link")
    assert made.secret not in str(kept)
    member = await people.redeem(made.secret, made.expires_at - dt.timedelta(seconds=1))
    assert member.id == made.member
    assert (await people.read(member.id)).signed_in_at == made.expires_at - dt.timedelta(seconds=1)
    for secret in (made.secret, "", "x" * 43):
        with pytest.raises(Unauthorized, match="works once"):
            await people.redeem(secret)


async def test_of_two_who_use_a_link_at_once_one_gets_in(people):
    made = await people.invite("editor")
    came = await asyncio.gather(
        *(people.redeem(made.secret) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(one, Unauthorized) for one in came) == 3


async def test_a_link_expires_and_a_new_one_ends_those_before(people):
    first = await people.invite("editor")
    with pytest.raises(Unauthorized):
        await people.redeem(first.secret, first.expires_at)
    first = await people.invite("editor")
    second = await members.make_link(
        people.database, OPERATOR, first.member, now=NOW, random=secrets.token_bytes
    )
    with pytest.raises(Unauthorized):
        await people.redeem(first.secret)
    assert (await people.redeem(second.secret)).id == first.member
    late = await people.invite("editor")
    await members.forget_expired(people.database, now=late.expires_at)
    async with people.database.connection() as connection:
        assert await connection.fetchval("select count(*) from sign_in_link") == 0


async def test_an_agency_admin_manages_the_own_agency_and_gives_no_more(people):
    admin = await people.member("agency_admin")
    colleague = await people.invite("editor", by=admin)
    stranger = await people.member("editor", agency="demo-education")
    office = await people.member("reviewer", agency=None)
    await members.change_roles(
        people.database, admin, colleague.member, ["reviewer", "agency_admin"], now=NOW
    )
    listed = await members.list_members(people.database, admin, agency="demo-education")
    assert [one.id for one in listed] == [admin.member, colleague.member]
    with pytest.raises(InvalidParameter, match="given by the authority"):
        await people.invite("register_admin", by=admin)
    for agency in ("demo-education", None):
        with pytest.raises(NotFound):
            await people.invite("reviewer", by=admin, agency=agency)
    refused = []
    for number in (stranger.member, office.member, 999):
        for work in (
            members.end_member(people.database, admin, number, now=NOW),
            members.change_roles(people.database, admin, number, ["editor"], now=NOW),
            members.make_link(people.database, admin, number, now=NOW, random=secrets.token_bytes),
        ):
            with pytest.raises(NotFound) as error:
                await work
            refused.append(error.value.detail.replace(str(number), "N"))
    # Another agency's member is not told from one who does not exist.
    assert set(refused) == {"there is no member N; see: registry member list"}


async def test_an_agency_admin_neither_takes_nor_borrows_a_role_that_the_authority_gives(people):
    admin = await people.member("agency_admin")
    officer = await people.member("data_protection")
    with pytest.raises(InvalidParameter, match="given by the authority"):
        await members.change_roles(people.database, admin, officer.member, ["editor"], now=NOW)
    roles = ["data_protection", "reviewer"]
    await members.change_roles(people.database, admin, officer.member, roles, now=NOW)
    assert set((await people.read(officer.member)).roles) == set(roles)
    random = secrets.token_bytes
    with pytest.raises(Forbidden, match="authority"):
        await members.make_link(people.database, admin, officer.member, now=NOW, random=random)
    await members.make_link(people.database, OPERATOR, officer.member, now=NOW, random=random)


async def test_who_has_no_admin_role_manages_nobody(people):
    editor = await people.member("editor", "reviewer")
    _, with_token = await people.token(editor.member, "file")
    colleague = await people.invite("editor")
    for by in (editor, with_token, Actor(name="x", agency=None, scopes=frozenset(), token=1)):
        with pytest.raises(NotFound):
            await people.invite("editor", by=by)
        with pytest.raises(NotFound):
            await members.end_member(people.database, by, colleague.member, now=NOW)
        with pytest.raises(NotFound):
            await members.list_members(people.database, by)


async def test_an_ended_member_has_no_links_and_no_tokens(people):
    editor = await people.member("editor")
    token, _ = await people.token(editor.member, "file")
    link = await members.make_link(
        people.database, OPERATOR, editor.member, now=NOW, random=secrets.token_bytes
    )
    await members.end_member(people.database, OPERATOR, editor.member, now=NOW)
    with pytest.raises(Unauthorized):
        await people.redeem(link.secret)
    with pytest.raises(Unauthorized, match="revoked"):
        await access_tokens.recognise(people.database, token, now=NOW)
    with pytest.raises(NotFound):
        await members.end_member(people.database, OPERATOR, editor.member, now=NOW)
    with pytest.raises(NotFound):
        await people.token(editor.member, "file")
    [only] = await members.list_members(people.database, OPERATOR)
    assert only.ended_at == NOW


async def test_a_role_taken_away_ends_the_tokens_that_need_it(people):
    both = await people.member("editor", "reviewer")
    _, files = await people.token(both.member, "file", actor="a")
    _, reviews = await people.token(both.member, "review", actor="b")
    await members.change_roles(people.database, OPERATOR, both.member, ["editor"], now=NOW)
    await access_tokens.require_in_force(people.database, files, now=NOW)
    with pytest.raises(Unauthorized):
        await access_tokens.require_in_force(people.database, reviews, now=NOW)


async def test_a_members_token_allows_no_more_than_the_member(people):
    editor = await people.member("editor")
    for scopes, agency in ((("review",), "demo-sante"), (("file",), "demo-education")):
        with pytest.raises(ConfigurationError, match="--agency demo-sante"):
            await people.token(editor.member, *scopes, agency=agency)


async def test_an_admin_cannot_shut_herself_out(people):
    admin = await people.member("agency_admin")
    with pytest.raises(Conflict):
        await members.end_member(people.database, admin, admin.member, now=NOW)
    with pytest.raises(Conflict):
        await members.change_roles(people.database, admin, admin.member, ["editor"], now=NOW)


async def test_the_trail_names_members_by_number(people, filer, record):
    editor = await people.member("editor")
    await filer.save(record, by=editor)
    async with people.database.connection() as connection:
        acts = await audit_trail.read(connection, since=0, subject=None, limit=10)
    assert [(act.action, act.actor, act.member) for act in acts] == [
        ("invite_member", "operator", None),
        ("save_draft", "demo-sante", editor.member),
    ]
    assert "Amina" not in str(acts)


async def test_a_person_does_not_approve_her_own_submission_by_a_second_token(
    people, reviewed, record
):
    both = await people.member("editor", "reviewer")
    _, files = await people.token(both.member, "file", actor="records")
    _, reviews = await people.token(both.member, "review", actor="review office")
    other = await people.member("reviewer")
    for submitter, approver in ((both, both), (both, reviews), (files, both), (files, reviews)):
        await reviewed.save(record, by=both)
        await reviewed.submit(record, by=submitter)
        with pytest.raises(Forbidden, match="four eyes"):
            await reviewed.approve(record, by=approver)
        await reviewed.delete(record)
    await reviewed.save(record, by=both)
    await reviewed.submit(record, by=both)
    # Both act in the agency's name, and are two persons.
    assert (await reviewed.approve(record, by=other)).outcome == "published"


async def test_a_person_does_not_approve_her_own_withdrawal_by_a_second_token(
    people, filer, reviewed, record
):
    both = await people.member("editor", "reviewer")
    _, files = await people.token(both.member, "file", actor="records")
    _, reviews = await people.token(both.member, "review", actor="review office")
    tag = (await filer.publish(record)).hash[:16]
    for asker, approver in ((both, reviews), (files, both), (files, reviews)):
        waiting = await reviewed.withdraw(record, tag, by=asker)
        with pytest.raises(Forbidden, match="four eyes"):
            await act_review.approve(reviewed.context, approver, waiting.act, now=NOW)
        await act_review.delete_act(reviewed.context, asker, waiting.act, now=NOW)
    waiting = await reviewed.withdraw(record, tag, by=files)
    other = await people.member("reviewer")
    done = await act_review.approve(reviewed.context, other, waiting.act, now=NOW)
    assert done.outcome == "withdrawn"


async def test_a_draft_without_its_person_is_that_of_its_actor(reviewed, record, people):
    await reviewed.save(record)
    await reviewed.submit(record)
    async with people.database.connection() as connection:
        await connection.execute("update draft set submitted_person = null")
    same = Actor(name="demo-sante", agency=None, scopes=frozenset({"review"}), token=1)
    with pytest.raises(Forbidden, match="four eyes"):
        await reviewed.approve(record, by=same)
    assert (await reviewed.approve(record)).outcome == "published"


async def test_a_person_does_not_confirm_her_own_redaction_by_a_second_token(people, filer, record):
    await filer.publish(record)
    one = await people.member("register_admin", agency=None)
    two = await people.member("register_admin", agency=None)
    _, second = await people.token(one.member, "redact", agency=None, actor="legal office")
    statement = {
        "record": record["id"],
        "pointers": ["/contact/email"],
        "basis": "data_protection",
        "authority": "CNDP",
    }
    asked = await redaction.request(people.context, one, statement, now=NOW)
    for same in (one, second):
        with pytest.raises(Forbidden, match="four eyes"):
            await redaction.confirm(people.context, same, asked.redaction, now=NOW)
    # Both act in the authority's name, and are two persons.
    done = await redaction.confirm(people.context, two, asked.redaction, now=NOW)
    assert (done.requested_by, done.confirmed_by) == ("authority", "authority")
    again = await redaction.confirm(people.context, two, asked.redaction, now=NOW)
    assert again.outcome == "unchanged"
