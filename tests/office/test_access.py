"""Tokens: recognised when whole, known, in force; kept only as a hash."""

import datetime as dt
import hashlib
import secrets

import pytest

from registry.errors import ConfigurationError, Forbidden, NotFound, Unauthorized
from registry.office import access

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def create(database):
    async def create(agency="dgi", scopes=("file",), actor=None, days=30):
        return await access.create_token(
            database,
            agency=agency,
            scopes=scopes,
            actor=actor,
            days=days,
            now=NOW,
            random=secrets.token_bytes,
        )

    return create


async def test_a_token_is_recognised_with_what_it_may_do(database, create):
    token = await create(scopes=("file", "review"), actor="dgi-it")
    actor = await access.recognise(database, token, now=NOW)
    assert (actor.name, actor.agency) == ("dgi-it", "dgi")
    assert actor.scopes == {"file", "review"}
    assert actor.files_for("dgi")
    assert not actor.files_for("cnss")
    actor.require("review")
    with pytest.raises(Forbidden, match="scope admin"):
        actor.require("admin")


async def test_without_an_agency_it_is_the_authoritys(database, create):
    token = await create(agency=None, scopes=("review",))
    actor = await access.recognise(database, token, now=NOW)
    assert (actor.name, actor.agency) == ("authority", None)
    assert not actor.files_for("dgi")


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
        with pytest.raises(Unauthorized, match="incomplete or mistyped"):
            await access.recognise(database, mistyped, now=NOW)
    unknown = access._write(secrets.token_bytes(32))
    with pytest.raises(Unauthorized, match="unknown"):
        await access.recognise(database, unknown, now=NOW)


async def test_a_token_ends_with_its_last_day(database, create):
    token = await create(days=2)
    await access.recognise(database, token, now=NOW + 2 * DAY - dt.timedelta(seconds=1))
    with pytest.raises(Unauthorized, match="expired on 2026-11-26"):
        await access.recognise(database, token, now=NOW + 2 * DAY)


async def test_a_revoked_token_is_refused_at_once_and_cannot_be_revoked_twice(database, create):
    token = await create()
    [stored] = await access.list_tokens(database)
    await access.revoke_token(database, stored.id, now=NOW)
    with pytest.raises(Unauthorized, match="revoked"):
        await access.recognise(database, token, now=NOW)
    with pytest.raises(NotFound):
        await access.revoke_token(database, stored.id, now=NOW)
    with pytest.raises(NotFound):
        await access.revoke_token(database, stored.id + 1, now=NOW)


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
    [before] = await access.list_tokens(database)
    assert before.last_used_on is None
    await access.recognise(database, token, now=NOW + DAY)
    [after] = await access.list_tokens(database)
    assert after.last_used_on == (NOW + DAY).date()


async def test_two_tokens_are_never_the_same(create):
    assert len({await create() for _ in range(5)}) == 5


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"agency": "nobody"}, "unknown agency nobody; the agencies are"),
        ({"agency": "us.hhs"}, "belongs to another register"),
        ({"agency": None}, "needs an agency"),
        ({"scopes": ["write"]}, "unknown scope write"),
        ({"scopes": []}, "unknown scope"),
        ({"days": 0}, "1 to 365 days"),
        ({"days": 366}, "1 to 365 days"),
    ],
)
async def test_a_token_that_makes_no_sense_is_not_made(database, create, wish, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        await create(**wish)
    assert await access.list_tokens(database) == []
