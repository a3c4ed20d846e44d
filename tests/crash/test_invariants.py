"""The harness notices what it is there to notice: each law, broken on purpose."""

import datetime as dt
import secrets

import asyncpg
import msgspec
import pytest

from registry.services.filing import drafts, review
from registry.services.filing.drafts import Precondition
from registry.services.operations import audit_trail
from registry.services.people.access import Actor
from registry.services.statements import act_review, attestation, withdrawal
from tests.crash.invariants import LAWS, Receipt, broken_laws, unkept

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
LATER = "update log_entry set at = at + interval '1 day' where index = 1"
CORRUPTIONS = {
    "the entries are not dense": "update log_entry set index = 9 where index = 3",
    "the log's state is not that of its rows": "update log_state set size = size - 1",
    "an entry's time is before the one ahead of it": LATER,
    "a leaf is not its entry's hash": "update log_entry set leaf = sha256('x') where index = 3",
    "an entry and its row differ": "update log_entry set record = 'demo-sante/x' where index = 1",
    "an entry does not name the one of its subject before it": (
        "update log_entry set bytes = convert_to(replace("
        "convert_from(bytes, 'UTF8'), '\"prev\":{\"index\":1', '\"prev\":{\"index\":2'), 'UTF8')"
    ),
    "a version and its entry do not match": "delete from version where version = 2",
    "table withdrawal, demo-sante/prevision-lits": (
        "insert into withdrawal values (1, 'demo-sante/prevision-lits', 1, now(), 'error', 'me')"
    ),
    "table attestation, demo-sante": (
        "insert into attestation values (1, 'demo-sante', '2026-11-24', 1, now(), 'me')"
    ),
    "a record's versions are not contiguous from 1": (
        "update version set version = 5 where version = 2"
    ),
    "table record, demo-sante/prevision-lits": "update record set agency = 'demo-services'",
    "the sections are not those that the entry commits to": (
        "delete from section where key = 'risk'"
    ),
    "table search_version, demo-sante/prevision-lits": "delete from search_version",
    "a draft is not whole": (
        "insert into draft (record, agency, document, tag, actor, saved_at)"
        " values ('demo-sante/a', 'demo-sante', '{\"id\": \"demo-sante/b\"}', 'x', 'me', now())"
    ),
    "a pending act and its entry differ": (
        "insert into pending_act (kind, subject, agency, requested_by, requested_person,"
        " requested_at, state, decided_by, decided_person, decided_at, entry) values ('withdrawal',"
        " 'demo-sante/prevision-lits', 'demo-sante', 'a', 'actor a', now(), 'approved', 'b',"
        " 'actor b', now(), 1)"
    ),
    "a stored answer names an entry that is not there": (
        "insert into answer values (1, 'k', '', '', '{\"entry\": 1, \"hash\": \"00\"}', now())"
    ),
    "the audit trail and the log differ": "delete from audit where id = 1",
    "the log's root is not that of its entries": "update log_state set peaks = sha256('x')",
    "table figure, demo-sante/prevision-lits": "update figure set sector = 'justice'",
    "codes is": "update search_version set codes = replace(codes, 'minimal', 'high')",
}


@pytest.fixture
async def filed(publish, record, database):
    """Two records, one of them in two versions."""
    amended = record | {"system_version": "1.3"}
    other = record | {"id": "demo-sante/autre", "source_id": "A-2"}
    published = [(await publish(one))[0] for one in (record, amended, other)]
    actor = Actor(name="demo-sante", agency="demo-sante", scopes=frozenset(), token=1)
    async with database.transaction() as connection:
        for one in published:
            at = one.published_at
            await audit_trail.note(connection, actor, "publish", one.id, before=None, now=at)
    return published


def test_every_law_is_broken_once():
    assert set(CORRUPTIONS) >= set(LAWS)


async def test_a_register_without_fault_breaks_no_law(filed, database_url, pack):
    assert await broken_laws(database_url, pack) == []


@pytest.mark.parametrize("sentence", CORRUPTIONS)
async def test_a_broken_law_is_noticed(filed, database_url, pack, sentence):
    connection = await asyncpg.connect(database_url)
    # Without the guards that make it impossible.
    await connection.execute("set session_replication_role = replica")
    await connection.execute(CORRUPTIONS[sentence])
    await connection.close()
    found = await broken_laws(database_url, pack)
    assert any(sentence in one for one in found), found


@pytest.fixture
async def reviewed(context, record):
    """A record that was submitted, returned, submitted again and approved, and one in review."""
    context = msgspec.structs.replace(context, review="required")
    agency = Actor(name="a", agency="demo-sante", scopes=frozenset({"file"}), token=1)
    authority = Actor(name="b", agency=None, scopes=frozenset({"review"}), token=1)
    tags = {}
    for document in (record, record | {"id": "demo-sante/autre", "source_id": "A-2"}):
        for returned in (True, False):
            tag = tags[document["id"]] = await _submitted(context, agency, document)
            if returned:
                await review.return_draft(
                    context,
                    authority,
                    document["id"],
                    {"comment": {"fr": "Précisez.", "ar": "وضحوا"}},
                    precondition=Precondition(tag=tag),
                    now=NOW,
                )
                await drafts.delete_draft(
                    context, agency, document["id"], precondition=None, now=NOW
                )
    read = Precondition(tag=tags[record["id"]])
    approved = await review.approve(context, authority, record["id"], precondition=read, now=NOW)
    said = {"day": "2026-11-01", "systems_total": 4, "contact": {"email": "a@demo.example"}}
    waiting = [
        await attestation.attest(context, agency, "demo-sante", said, now=NOW),
        await withdrawal.withdraw(
            context,
            agency,
            record["id"],
            {"reason": "other", "note": {"fr": "Fini.", "ar": "انتهى"}},
            precondition=Precondition(tag=approved.hash[:16]),
            now=NOW,
        ),
    ]
    for one in waiting:
        await act_review.approve(context, authority, one.act, now=NOW)


async def _submitted(context, agency, document):
    saved = await drafts.save_draft(
        context, agency, document["id"], document, precondition=Precondition(new=True), now=NOW
    )
    await review.submit(context, agency, document["id"], precondition=None, now=NOW)
    return saved.draft.tag


async def test_a_submission_for_review_is_no_publication(reviewed, database_url, pack):
    assert await broken_laws(database_url, pack) == []


async def test_an_approval_that_is_not_noted_is_noticed(reviewed, database_url, pack):
    connection = await asyncpg.connect(database_url)
    await connection.execute("set session_replication_role = replica")
    await connection.execute("delete from audit where action in ('approve', 'approve_act')")
    await connection.close()
    [law] = await broken_laws(database_url, pack)
    assert law.startswith("the audit trail and the log differ: [('approve', ")
    assert law.count("('approve_act', ") == 2


async def test_a_receipt_that_was_not_kept_is_noticed(filed, database_url):
    kept = [
        Receipt(id=one.id, entry=one.entry, hash=one.hash, version=one.version) for one in filed
    ]
    assert await unkept(database_url, kept) == []
    first, second, _ = kept
    lost = Receipt(id=first.id, entry=99, hash=first.hash, version=3)
    other = Receipt(id=first.id, entry=first.entry, hash=secrets.token_hex(32), version=1)
    doubled = Receipt(id=second.id, entry=second.entry, hash=second.hash, version=3)
    for one in (lost, other, doubled):
        [found] = await unkept(database_url, [*kept, one])
        assert str(one) in found
