"""Two people are two: none of the ways in which one person could be two lets her approve."""

import json
import secrets

import msgspec
import pytest

from registry.errors import ConfigurationError, Forbidden, InvalidParameter
from registry.services.filing import review
from registry.services.filing.drafts import Precondition
from registry.services.people import access_tokens, members
from registry.services.people.access import OPERATOR, Actor
from registry.services.people.members import actor_of
from registry.services.statements import act_review, redaction
from registry.store import members as stored
from tests.conftest import ROOT, amended
from tests.services.conftest import NOW, Filer

ONE_PERSON = "one person for four eyes.*registry member confirm"


class Register:
    """A register where review is required, with its members and tokens."""

    def __init__(self, context, policy="required"):
        self.context = msgspec.structs.replace(context, review=policy)
        self.database, self.filer = context.database, Filer(self.context)

    async def invite(self, *roles, by=OPERATOR, agency="demo-sante"):
        made = await members.invite(
            self.database, self.context.pack, by, name="A", agency=agency, roles=roles,
            email=None, language=None, now=NOW, random=secrets.token_bytes,
        )  # fmt: skip
        return await self.actor(made.member)

    async def actor(self, number):
        async with self.database.connection() as connection:
            return actor_of(await stored.read(connection, number))

    async def link(self, by, member):
        await members.make_link(
            self.database, by, member.member, now=NOW, random=secrets.token_bytes
        )

    async def give_roles(self, by, member, *roles):
        await members.change_roles(self.database, by, member.member, roles, now=NOW)
        return await self.actor(member.member)

    async def token(self, *scopes, by=None, agency="demo-sante", actor=None, member=None):
        make = access_tokens.create_token
        more = {"agency": agency, "member": member}
        if by is not None:
            make, more = access_tokens.create_own_token, {"by": by}
        token = await make(
            self.database, scopes=scopes, actor=actor, days=30, now=NOW,
            random=secrets.token_bytes, **more,
        )  # fmt: skip
        return await access_tokens.recognise(self.database, token, now=NOW)

    async def submit(self, record, by):
        saved = await self.filer.save(record, by=by)
        await self.filer.submit(record, by=by)
        return Precondition(tag=saved.draft.tag)

    async def approve(self, record, tag, by):
        return await review.approve(self.context, by, record["id"], precondition=tag, now=NOW)

    async def refuses(self, record, submitter, approver, words):
        tag = await self.submit(record, submitter)
        with pytest.raises(Forbidden, match=words):
            await self.approve(record, tag, approver)
        return tag

    async def entry(self, receipt):
        async with self.database.connection() as connection:
            said = await connection.fetchval(
                "select bytes from log_entry where index = $1", receipt.entry
            )
        return json.loads(said)


@pytest.fixture
def register(context):
    return Register(context)


@pytest.fixture
async def admin(register):
    """The admin of an agency, who also files."""
    return await register.invite("editor", "agency_admin", "reviewer")


@pytest.fixture
def high():
    text = (ROOT / "records/demo-sante/triage-radiographies.json").read_text(encoding="utf-8")
    return json.loads(text)


# --- One person is not two


async def test_by_another_session_of_her_own(register, admin, record):
    await register.refuses(record, admin, await register.actor(admin.member), "four eyes")


async def test_by_a_token_of_her_own_with_another_name(register, admin, record):
    token = await register.token("review", by=admin, actor="control office")
    await register.refuses(record, admin, token, "four eyes")


async def test_by_a_program_of_her_own(register, admin, record):
    program = await register.token("file", actor="dgi sync", member=admin.member)
    await register.refuses(record, program, admin, "four eyes")
    # What reviews for an agency is a person, never a program of which nobody knows whose it is.
    with pytest.raises(ConfigurationError, match=r"people review, not programs.*--member"):
        await register.token("review", actor="control program")


async def test_by_a_reviewer_whom_she_made_up(register, admin, record):
    made_up = await register.invite("reviewer", by=admin)
    await register.refuses(record, admin, made_up, ONE_PERSON)


async def test_by_a_reviewer_who_was_invited_by_one_whom_she_made_up(register, admin, record):
    between = await register.invite("agency_admin", by=admin)
    made_up = await register.invite("reviewer", by=between)
    await register.refuses(record, admin, made_up, ONE_PERSON)


async def test_by_two_whom_she_made_up(register, admin, record):
    one, two = [await register.invite(role, by=admin) for role in ("editor", "reviewer")]
    await register.refuses(record, one, two, ONE_PERSON)


async def test_by_a_colleague_to_whom_she_gave_the_role(register, admin, record):
    colleague = await register.invite("editor")
    colleague = await register.give_roles(admin, colleague, "reviewer")
    await register.refuses(record, admin, colleague, ONE_PERSON)


async def test_by_a_link_with_which_she_signs_in_as_a_colleague(register, admin, record):
    colleague = await register.invite("reviewer")
    await register.link(admin, colleague)
    await register.refuses(record, admin, colleague, ONE_PERSON)


async def test_as_the_reviewer_of_an_editor_whom_she_made_up(register, admin, record):
    made_up = await register.invite("editor", by=admin)
    await register.refuses(record, made_up, admin, ONE_PERSON)


async def test_by_vouching_in_a_circle(register, record):
    office = await register.invite("register_admin", "reviewer", agency=None)
    admin = await register.invite("editor", "agency_admin", by=office)
    second = await register.invite("agency_admin", by=admin)
    # Whom she let in cannot let her in, and her own link changes nothing.
    admin = await register.give_roles(second, admin, "editor", "agency_admin", "reviewer")
    await register.link(admin, admin)
    await register.refuses(record, admin, office, ONE_PERSON)


LOOK_ALIKES = {
    "space behind": "dgi office ",
    "two spaces": "dgi  office",
    "no space": "dgioffice",
    "hyphen": "dgi-office",
    "capitals": "DGI Office",
    "full width": "ｄｇｉ ｏｆｆｉｃｅ",
    "Cyrillic": "dgi оffiсe",
    "zero width": "dgi\u200b office",
    "no-break space": "dgi\u00a0office",
    "one for i": "dg1 office",
    "accent": "dgi officé",
}


@pytest.mark.parametrize("name", LOOK_ALIKES.values(), ids=LOOK_ALIKES)
async def test_by_a_token_whose_name_looks_the_same(register, record, name):
    files = await register.token("file", actor="dgi office")
    if " ".join(name.split()) != files.name:
        with pytest.raises(InvalidParameter, match="actor: "):
            await register.token("review", agency=None, actor=name)
    # The same program, also where such a token had been made before.
    made = Actor(name=name, agency=None, scopes=frozenset({"review"}), token=9)
    await register.refuses(record, files, made, "four eyes")


async def test_by_the_name_of_somebody_else(register):
    for name in ("authority", "Authority", "operator", "dgi", "DGI", "demo-education", " ", "—"):
        with pytest.raises(InvalidParameter) as refused:
            await register.token("file", actor=name)
        assert refused.value.parameter == "actor", name


async def test_by_two_names_at_the_command_line(register, record):
    filed = Actor(name="clerk", agency="demo-sante", scopes=frozenset({"file"}), token=None)
    approves = Actor(name="office", agency=None, scopes=frozenset({"review"}), token=None)
    await register.refuses(record, filed, approves, "--token-file")


async def test_by_two_names_for_a_redaction(register, admin, record):
    tag = await register.submit(record, admin)
    await register.approve(record, tag, await register.invite("reviewer", agency=None))
    asked = {
        "record": record["id"],
        "pointers": ["/contact/email"],
        "basis": "data_protection",
        "authority": "CNDP",
    }

    def named(name):
        return Actor(name=name, agency=None, scopes=frozenset({"redact"}), token=None)

    with pytest.raises(Forbidden, match="two members or tokens"):
        await redaction.request(register.context, named("cndp"), asked, now=NOW)
    first = await register.invite("register_admin", agency=None)
    made_up = await register.invite("register_admin", agency=None, by=first)
    waiting = await redaction.request(register.context, first, asked, now=NOW)
    for by, words in (
        (named("redaction-officer"), "two members or tokens"),
        (await register.token("redact", by=first, actor="data office"), "four eyes"),
        (made_up, ONE_PERSON),
    ):
        with pytest.raises(Forbidden, match=words):
            await redaction.confirm(register.context, by, waiting.redaction, now=NOW)
    other = await register.token("redact", agency=None, actor="legal office")
    done = await redaction.confirm(register.context, other, waiting.redaction, now=NOW)
    assert done.outcome == "confirmed"


async def test_by_asking_for_a_withdrawal(register, admin, record):
    tag = await register.submit(record, admin)
    authority = await register.invite("reviewer", agency=None)
    await register.approve(record, tag, authority)
    made_up = await register.invite("reviewer", by=admin)
    tag = await register.filer.tag(record)
    act = (await register.filer.withdraw(record, tag, by=admin)).act
    for by, words in ((admin, "four eyes"), (made_up, ONE_PERSON)):
        with pytest.raises(Forbidden, match=words):
            await act_review.approve(register.context, by, act, now=NOW)
    receipt = await act_review.approve(register.context, authority, act, now=NOW)
    assert (await register.entry(receipt))["approved_by"] == "authority"


# --- At high risk the authority approves


async def test_at_high_risk_the_agencys_own_reviewer_does_not(register, admin, high):
    colleague = await register.invite("reviewer")
    tag = await register.refuses(high, admin, colleague, "by the authority")
    receipt = await register.approve(high, tag, await register.invite("reviewer", agency=None))
    assert (await register.entry(receipt))["approved_by"] == "authority"
    # Nor does the level fall by a colleague alone, nor the record go.
    tag = Precondition(tag=await register.filer.tag(high))
    lower = amended(high, risk={**high["risk"], "level": "limited"})
    found = await register.filer.save(lower, tag, by=admin)
    await register.filer.submit(lower, by=admin)
    with pytest.raises(Forbidden, match="by the authority"):
        await register.approve(lower, Precondition(tag=found.draft.tag), colleague)
    act = (await register.filer.withdraw(high, tag.tag, by=admin)).act
    with pytest.raises(Forbidden, match="by the authority"):
        await act_review.approve(register.context, colleague, act, now=NOW)


async def test_where_the_authority_reviews_it_does_at_every_level(context, record):
    register = Register(context, "authority")
    editor = await register.invite("editor")
    tag = await register.refuses(record, editor, await register.invite("reviewer"), "the authority")
    authority = await register.invite("reviewer", agency=None)
    assert (await register.approve(record, tag, authority)).outcome == "published"


# --- Two people are


async def test_colleagues_whom_the_authority_let_in_are_two(register, admin, record):
    tag = await register.submit(record, admin)
    receipt = await register.approve(record, tag, await register.invite("reviewer"))
    assert (await register.entry(receipt))["approved_by"] == "agency"


@pytest.mark.parametrize("confirmer", ["operator", "register admin"])
async def test_a_reviewer_is_another_person_once_the_authority_confirms(
    register, admin, record, confirmer
):
    invited = await register.invite("reviewer", by=admin)
    tag = await register.refuses(record, admin, invited, ONE_PERSON)
    with pytest.raises(Forbidden, match="the authority confirms"):
        await members.confirm_member(register.database, admin, invited.member, now=NOW)
    by = OPERATOR
    if confirmer != "operator":
        by = await register.invite("register_admin", agency=None)
    await members.confirm_member(register.database, by, invited.member, now=NOW)
    assert (await register.approve(record, tag, invited)).outcome == "published"


async def test_a_register_admin_lets_in_the_agency_and_the_authoritys_reviewer(register, record):
    office = await register.invite("register_admin", agency=None)
    editor = await register.invite("editor", "agency_admin", by=office)
    reviewer = await register.invite("reviewer", agency=None, by=office)
    tag = await register.submit(record, editor)
    assert (await register.approve(record, tag, reviewer)).outcome == "published"


async def test_programs_of_different_names_are_two(register, record):
    files = await register.token("file", actor="dgi office")
    reviews = await register.token("review", agency=None, actor="control office")
    tag = await register.submit(record, files)
    assert (await register.approve(record, tag, reviews)).outcome == "published"
