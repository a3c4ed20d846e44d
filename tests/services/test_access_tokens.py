"""Tokens: recognised when whole, known, in force; kept only as a hash."""

import asyncio
import datetime as dt
import hashlib
import secrets

import msgspec
import pytest

from registry.errors import ConfigurationError, Conflict, Forbidden, NotFound, Unauthorized
from registry.services import policy
from registry.services.people import access_tokens
from registry.store import audit_trail

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def create(database):
    async def create(agency="dgi", scopes=("file",), actor=None, days=30, now=NOW):
        return await access_tokens.create_token(
            database,
            agency=agency,
            scopes=scopes,
            actor=actor,
            days=days,
            now=now,
            random=secrets.token_bytes,
        )

    return create


async def test_a_token_is_recognised_with_what_it_may_do(database, create):
    token = await create(scopes=("file", "audit"), actor="dgi-it")
    actor = await access_tokens.recognise(database, token, now=NOW)
    assert (actor.name, actor.agency) == ("dgi-it", "dgi")
    assert actor.scopes == {"file", "audit"}
    policy.require(actor, "file", "dgi")
    with pytest.raises(Forbidden, match="cannot file for cnss"):
        policy.require(actor, "file", "cnss")
    policy.require_scope(actor, "read_audit")
    with pytest.raises(Forbidden, match="scopes audit, file; this needs the scope redact"):
        policy.require_scope(actor, "redact")


async def test_without_an_agency_it_is_the_authoritys(database, create):
    token = await create(agency=None, scopes=("review",))
    actor = await access_tokens.recognise(database, token, now=NOW)
    assert (actor.name, actor.agency) == ("authority", None)
    assert not policy.allows(actor, "file", "dgi")


async def test_a_mistyped_or_cut_token_is_told_apart_from_an_unknown_one(database, create):
    token = await create()
    wrong = [
        "",
        "regt_",
        token[:-1],
        token + "0",
        token[1:],
        token.upper(),
        token.replace("regt_", "reg_"),
        f" {token}",
        f"{token}\n",
    ]
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        wrong.append(token[:place] + other + token[place + 1 :])
    for mistyped in wrong:
        with pytest.raises(access_tokens.MistypedToken, match="incomplete or mistyped"):
            # There is no database, and it is not missed.
            await access_tokens.recognise(None, mistyped, now=NOW)
    unknown = access_tokens._write(secrets.token_bytes(32))
    with pytest.raises(Unauthorized, match="unknown"):
        await access_tokens.recognise(database, unknown, now=NOW)


async def test_a_token_ends_with_its_last_day(database, create):
    token = await create(days=2)
    await access_tokens.recognise(database, token, now=NOW + 2 * DAY - dt.timedelta(seconds=1))
    with pytest.raises(Unauthorized, match="expired on 2026-11-26"):
        await access_tokens.recognise(database, token, now=NOW + 2 * DAY)


async def test_a_revoked_token_is_refused_at_once_and_cannot_be_revoked_twice(database, create):
    token = await create()
    [stored] = await access_tokens.list_tokens(database)
    await access_tokens.revoke_token(database, stored.id, now=NOW)
    with pytest.raises(Unauthorized, match="revoked"):
        await access_tokens.recognise(database, token, now=NOW)
    with pytest.raises(NotFound):
        await access_tokens.revoke_token(database, stored.id, now=NOW)
    with pytest.raises(NotFound):
        await access_tokens.revoke_token(database, stored.id + 1, now=NOW)


async def test_only_the_hash_is_kept(database, create):
    token = await create()
    async with database.connection() as connection:
        row = dict(await connection.fetchrow("select * from token"))
    assert row["digest"] == hashlib.sha256(token.encode()).digest()
    kept = repr(row)
    assert token not in kept
    assert token[5:48] not in kept


async def test_the_last_use_is_remembered_by_the_day(database, create):
    token = await create()
    [before] = await access_tokens.list_tokens(database)
    assert before.last_used_on is None
    await access_tokens.recognise(database, token, now=NOW + DAY)
    [after] = await access_tokens.list_tokens(database)
    assert after.last_used_on == (NOW + DAY).date()


async def test_two_tokens_are_never_the_same(create):
    assert len({await create(actor=f"role {number}") for number in range(5)}) == 5


async def test_two_tokens_of_one_actor_can_be_in_force_and_a_third_says_which_to_end(
    database, create
):
    for _ in range(2):
        kept = await create()
    await access_tokens.recognise(database, kept, now=NOW + DAY)
    with pytest.raises(Conflict, match=r"tokens 1 and 2 in force.*registry token revoke 1"):
        await create()
    await access_tokens.revoke_token(database, 1, now=NOW)
    await create()
    with pytest.raises(Conflict, match=r"tokens 2 and 3 in force.*registry token revoke 3"):
        await create()
    # Each actor, each agency and the authority have two of their own; what expired is not counted.
    await create(actor="dgi-it")
    await create(agency="cnss", actor="dgi-it")
    await create(agency=None, scopes=["admin"], actor="dgi-it")
    for _ in range(2):
        await create(now=NOW + 30 * DAY)


async def test_of_many_made_at_once_two_are_in_force(database, create):
    made = await asyncio.gather(*(create() for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(one, str) for one in made) == 2
    assert all(isinstance(one, str | Conflict) for one in made)
    assert len(await access_tokens.list_tokens(database)) == 2


async def test_a_token_of_another_digest_is_never_taken(database, create, monkeypatch):
    token = await create()
    [stored] = await access_tokens.list_tokens(database)

    async def found(*_):
        return msgspec.structs.replace(stored, digest=b"another")

    monkeypatch.setattr(access_tokens.tokens, "find", found)
    with pytest.raises(Unauthorized, match="unknown"):
        await access_tokens.recognise(database, token, now=NOW)


async def test_what_the_operator_does_is_in_the_audit_trail(database, create):
    token = await create()
    await access_tokens.revoke_token(database, 1, now=NOW + DAY)
    with pytest.raises(NotFound):
        await access_tokens.revoke_token(database, 1, now=NOW + DAY)
    async with database.connection() as connection:
        acts = await audit_trail.read(connection, since=0, subject="1", limit=10)
    assert [(act.actor, act.token, act.action, act.at, act.result) for act in acts] == [
        ("operator", None, "create_token", NOW, "done"),
        ("operator", None, "revoke_token", NOW + DAY, "done"),
    ]
    assert token not in str(acts)


NONSENSE = [
    ({"agency": "nobody"}, "unknown agency nobody; the agencies are"),
    ({"agency": "us.hhs"}, "belongs to another register"),
    ({"agency": None}, "needs an agency"),
    ({"scopes": ["write"]}, "unknown scope write"),
    ({"scopes": []}, "unknown scope"),
    ({"days": 0}, "1 to 365 days"),
    ({"days": 366}, "1 to 365 days"),
]


async def test_a_token_that_makes_no_sense_is_not_made(database, create, subtests):
    for wish, sentence in NONSENSE:
        with subtests.test(wish=wish), pytest.raises(ConfigurationError, match=sentence):
            await create(**wish)
    assert await access_tokens.list_tokens(database) == []
