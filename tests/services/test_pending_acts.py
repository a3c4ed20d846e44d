"""Withdrawals and attestations where review is required: asked for by one, approved by another."""

import asyncio
import datetime as dt
import json

import msgspec
import pytest

from registry.errors import (
    Conflict,
    Forbidden,
    IdempotencyKeyReused,
    InvalidStatement,
    NotFound,
    PreconditionFailed,
)
from registry.services.filing.drafts import Precondition
from registry.services.people.access import Actor
from registry.services.statements import act_review, pending_acts, redaction
from registry.services.statements.attestation import attest
from registry.store import attestations, redactions
from tests.conftest import amended

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=5)
OTHER = {"reason": "other", "note": {"fr": "Abandonné."}}
SAID = {"day": "2026-11-01", "systems_total": 4, "contact": {"email": "r@demo-sante.example"}}
COMMENT = {"comment": {"fr": "Pourquoi maintenant ?"}}


def actor(name, agency, *scopes, member=None):
    return Actor(name=name, agency=agency, scopes=frozenset(scopes), token=1, member=member)


class Office:
    """The services around acts, as one actor or another."""

    def __init__(self, filer):
        self.filer, self.context = filer, filer.context
        self.health, self.authority = filer.health, filer.authority

    async def withdraw(self, record, said=None, **more):
        tag = await self.filer.tag(record)
        return await self.filer.withdraw(record, tag, said or self.filer.statement, **more)

    async def attest(self, said=SAID, by=None, now=NOW, **more):
        by = by or self.health
        return await attest(self.context, by, by.agency, said, now=now, **more)

    async def approve(self, act, by=None, now=LATER, **more):
        return await act_review.approve(self.context, by or self.authority, act, now=now, **more)

    async def give_back(self, act, said=COMMENT, by=None, now=LATER, **more):
        by = by or self.authority
        return await act_review.return_act(self.context, by, act, said, now=now, **more)

    async def delete(self, act, by=None):
        await act_review.delete_act(self.context, by or self.health, act, now=LATER)

    async def read(self, act, by=None):
        return await pending_acts.read_act(self.context, by or self.health, act)

    async def listed(self, by=None, state=None):
        found = await pending_acts.list_acts(self.context, by or self.health, state=state)
        return [(act.id, act.state) for act in found]

    async def state(self, record):
        return (await self.filer.stored(record)).register.state

    async def entry(self, receipt):
        async with self.context.database.connection() as connection:
            content = await connection.fetchval(
                "select bytes from log_entry where index = $1", receipt.entry
            )
        return json.loads(content)

    async def attested(self):
        async with self.context.database.connection() as connection:
            found = await attestations.read_history(connection, "demo-sante")
        return [one.systems_total for one in found]


@pytest.fixture
def office(reviewed):
    return Office(reviewed)


@pytest.fixture
async def published(filer, record):
    """A record that was published before review was required."""
    await filer.publish(record)
    return record


async def test_a_withdrawal_waits_and_is_done_once_somebody_else_approves(office, published):
    waiting = await office.withdraw(published)
    assert msgspec.to_builtins(waiting) == {
        "outcome": "in_review",
        "act": waiting.act,
        "kind": "withdrawal",
        "agency": "demo-sante",
        "id": published["id"],
        "requested_at": "2026-11-24T12:00:00Z",
    }
    assert await office.state(published) == "published"
    assert await office.listed() == await office.listed(office.authority)
    assert await office.listed() == [(waiting.act, "in_review")]
    seen = await office.read(waiting.act, office.authority)
    assert json.loads(seen.statement) == office.filer.statement

    receipt = await office.approve(waiting.act)
    assert (receipt.outcome, receipt.entry, receipt.approved_at) == ("withdrawn", 2, LATER)
    assert await office.state(published) == "withdrawn"
    assert await office.approve(waiting.act) == msgspec.structs.replace(
        receipt, outcome="unchanged"
    )
    # The public log says that two acted, and for whom the second one, never who it was.
    said = await office.entry(receipt)
    assert (said["kind"], said["actor"]) == ("withdrawal", "demo-sante")
    assert said["approved_by"] == "authority"
    # What the log has is not kept a second time, where a redaction would not find it.
    done = await office.read(waiting.act)
    assert (done.state, done.entry, done.statement) == ("approved", receipt.entry, None)
    assert await office.listed(office.authority, "in_review") == []
    number = str(waiting.act)
    assert (await office.filer.acts())[-2:] == [
        ("demo-sante", "request_withdrawal", published["id"], number, "done"),
        ("authority", "approve_act", published["id"], number, "done"),
    ]
    again = await office.withdraw(published)
    assert (again.outcome, again.entry) == ("unchanged", receipt.entry)


async def test_an_attestation_waits_and_is_public_once_somebody_else_approves(office, published):
    waiting = await office.attest()
    assert (waiting.outcome, waiting.kind, waiting.id) == ("in_review", "attestation", None)
    assert await office.attested() == []
    receipt = await office.approve(waiting.act)
    assert receipt.outcome == "attested"
    assert await office.attested() == [4]
    said = await office.entry(receipt)
    assert (said["actor"], said["approved_by"]) == ("demo-sante", "authority")
    assert (await office.attest()).outcome == "unchanged"


async def test_what_one_actor_does_alone_says_nothing_of_a_second_one(filer, published):
    office = Office(filer)
    for receipt in (await office.attest(), await office.withdraw(published)):
        assert "approved_by" not in await office.entry(receipt)


async def test_asking_for_the_same_again_is_the_same_request(office, published):
    first = await office.withdraw(published)
    second = await office.withdraw(published, now=LATER)
    colleague = actor("colleague", "demo-sante", "file")
    assert first == second == await office.withdraw(published, by=colleague)
    with pytest.raises(Conflict, match=f"DELETE /api/v1/acts/{first.act}"):
        await office.withdraw(published, OTHER)
    attested = await office.attest()
    with pytest.raises(Conflict, match=f"DELETE /api/v1/acts/{attested.act}"):
        await office.attest(SAID | {"systems_total": 5})
    await office.delete(first.act)
    assert (await office.withdraw(published, OTHER)).act > attested.act


async def test_many_requests_at_once_are_one(office, published):
    receipts = await asyncio.gather(*(office.withdraw(published) for _ in range(6)))
    assert len({receipt.act for receipt in receipts}) == 1
    assert len(await office.listed()) == 1


async def test_what_could_not_be_done_does_not_reach_the_reviewer(office, published):
    with pytest.raises(PreconditionFailed):
        await office.filer.withdraw(published, "0" * 16)
    with pytest.raises(InvalidStatement) as refused:
        await office.withdraw(published, OTHER | {"successor": "demo-sante/absent"})
    assert [finding.pointer for finding in refused.value.findings] == ["/successor"]
    with pytest.raises(InvalidStatement) as refused:
        await office.attest(SAID | {"systems_total": 0})
    assert [finding.rule for finding in refused.value.findings] == ["records_in_use"]
    with pytest.raises(NotFound):
        await office.filer.withdraw(published | {"id": "demo-sante/absent"}, "0" * 16)
    assert await office.listed(office.authority) == []


async def test_nobody_approves_what_they_asked_for_themselves(office, published):
    both = actor("demo-sante", "demo-sante", "file", "review")
    for waiting in (await office.withdraw(published), await office.attest()):
        with pytest.raises(Forbidden, match="four eyes"):
            await office.approve(waiting.act, both)
    second = actor("demo-sante-legal", "demo-sante", "review")
    assert (await office.approve(waiting.act, second)).outcome == "attested"


async def test_own_withdrawal_is_not_approved_through_a_second_token_of_the_same_person(
    office, published
):
    first = actor("demo-sante", "demo-sante", "file", member=7)
    second = actor("legal", "demo-sante", "review", member=7)
    waiting = await office.withdraw(published, by=first)
    with pytest.raises(Forbidden, match="four eyes"):
        await office.approve(waiting.act, second)
    assert await office.state(published) == "published"
    # A colleague has the same role and name in the log, and is another person.
    colleague = actor("demo-sante", "demo-sante", "review", member=8)
    assert (await office.approve(waiting.act, colleague)).outcome == "withdrawn"


async def test_the_database_itself_refuses_one_person_twice(office, published):
    waiting = await office.withdraw(published)
    async with office.context.database.connection() as connection:
        with pytest.raises(Exception, match=r"check constraint"):
            await connection.execute(
                "update pending_act set state = 'approved', entry = 1, decided_by = 'x',"
                " decided_person = requested_person where id = $1",
                waiting.act,
            )


async def test_another_agencys_act_is_answered_like_one_that_is_not_there(office, published):
    waiting = await office.withdraw(published)
    schools = office.filer.schools
    for number in (waiting.act, waiting.act + 1, 0, 2**63):
        for act in (
            office.read(number, schools),
            office.approve(number, schools),
            office.give_back(number, by=schools),
            office.delete(number, schools),
        ):
            with pytest.raises(NotFound, match=f"^there is no act {number} that you may read$"):
                await act
    assert await office.listed(schools) == []


async def test_what_each_may_do_with_an_act(office, published):
    waiting = await office.withdraw(published)
    reviewer, redactor = actor("r", None, "review"), actor("x", None, "redact")
    for act in (office.approve(waiting.act, office.health), office.listed(redactor)):
        with pytest.raises(Forbidden):
            await act
    with pytest.raises(Forbidden):
        await office.delete(waiting.act, reviewer)
    admin = actor("admin", None, "admin")
    with pytest.raises(Forbidden, match="asked for by demo-sante, which alone takes it back"):
        await office.delete(waiting.act, admin)
    await office.give_back(waiting.act, by=reviewer)
    # What does not wait is the agency's own affair again.
    with pytest.raises(NotFound):
        await office.read(waiting.act, actor("another", None, "review"))
    assert (await office.read(waiting.act, reviewer)).state == "returned"
    assert await office.listed(admin) == [(waiting.act, "returned")]
    assert await office.listed(reviewer, "returned") == []


async def test_what_the_authority_asks_for_takes_two_as_well(office, published):
    admin = actor("admin", None, "admin", "review")
    waiting = await office.withdraw(published, by=admin)
    with pytest.raises(Forbidden, match="four eyes"):
        await office.approve(waiting.act, admin)
    assert await office.listed() == [(waiting.act, "in_review")]
    with pytest.raises(Forbidden, match="asked for by admin"):
        await office.delete(waiting.act)
    receipt = await office.approve(waiting.act, actor("legal", None, "review"))
    assert (await office.entry(receipt))["actor"] == "admin"


async def test_what_is_returned_says_why_and_can_be_asked_for_again(office, published):
    waiting = await office.withdraw(published)
    with pytest.raises(InvalidStatement):
        await office.give_back(waiting.act, {"comment": ""})
    returned = await office.give_back(waiting.act)
    assert (returned.outcome, returned.returned_at) == ("returned", LATER)
    assert await office.give_back(waiting.act, now=NOW) == returned
    seen = await office.read(waiting.act)
    assert (seen.state, json.loads(seen.comment)) == ("returned", COMMENT["comment"])
    assert json.loads(seen.statement) == office.filer.statement
    for act in (office.approve(waiting.act), office.give_back(waiting.act, {"comment": "x"})):
        with pytest.raises(Conflict, match="authority has returned it"):
            await act
    again = await office.withdraw(published, OTHER)
    assert await office.listed() == [(again.act, "in_review")]
    assert (await office.approve(again.act)).outcome == "withdrawn"
    with pytest.raises(Conflict, match="is in the log"):
        await office.delete(again.act)


async def test_a_request_is_taken_back(office, published):
    waiting = await office.attest()
    await office.delete(waiting.act)
    for act in (office.approve(waiting.act), office.delete(waiting.act)):
        with pytest.raises(NotFound):
            await act
    assert (await office.filer.acts())[-1] == (
        "demo-sante", "delete_act", "demo-sante", str(waiting.act), "done",
    )  # fmt: skip


async def test_a_withdrawal_of_another_version_is_not_approved(office, filer, published):
    waiting = await office.withdraw(published)
    tag = await filer.tag(published)
    await filer.publish(amended(published, source_id="x"), Precondition(tag=tag))
    with pytest.raises(Conflict, match=r"another version of .* was published since"):
        await office.approve(waiting.act)
    tag = await filer.tag(published)
    await filer.withdraw(published, tag, OTHER)
    with pytest.raises(Conflict, match="was withdrawn since"):
        await office.approve(waiting.act)
    await filer.publish(amended(published, source_id="y"))
    with pytest.raises(Conflict, match="was published since"):
        await office.approve(waiting.act)
    assert (await office.give_back(waiting.act)).outcome == "returned"


async def test_an_attestation_that_was_overtaken_is_not_approved(office, filer, published):
    waiting = await office.attest()
    await Office(filer).attest(SAID | {"systems_total": 6})
    with pytest.raises(Conflict, match="another attestation of demo-sante was published since"):
        await office.approve(waiting.act)
    assert await office.attested() == [6]


async def test_an_attestation_that_records_have_outgrown_is_not_approved(office, filer, published):
    waiting = await office.attest(SAID | {"systems_total": 1})
    more = amended(published, id="demo-sante/more", source_id="m", name={"fr": "Un tout autre"})
    await filer.publish(more)
    with pytest.raises(InvalidStatement) as refused:
        await office.approve(waiting.act)
    assert [finding.rule for finding in refused.value.findings] == ["records_in_use"]


async def test_what_waits_is_approved_after_review_was_switched_off(office, filer, published):
    waiting = await office.withdraw(published)
    assert (await Office(filer).approve(waiting.act)).outcome == "withdrawn"


async def test_a_key_repeats_the_receipt_of_a_request(office, with_token, published):
    first = await office.withdraw(published, by=with_token, idempotency_key="k")
    await office.delete(first.act)
    again = await office.withdraw(published, by=with_token, idempotency_key="k")
    assert again == first
    assert await office.listed() == []
    with pytest.raises(IdempotencyKeyReused):
        await office.withdraw(published, OTHER, by=with_token, idempotency_key="k")


async def test_a_redaction_ends_what_may_quote_it(office, published):
    await office.withdraw(published)
    statement = {
        "record": published["id"],
        "pointers": ["/contact"],
        "basis": "data_protection",
        "authority": "CNDP",
    }
    one, another = actor("one", None, "redact"), actor("another", None, "redact")
    asked = await redaction.request(office.context, one, statement, now=NOW)
    assert len(await office.listed()) == 1
    await redaction.confirm(office.context, another, asked.redaction, now=NOW)
    async with office.context.database.connection() as connection:
        await redactions.drop_unpublished(connection, published["id"], [])
    assert await office.listed() == []
