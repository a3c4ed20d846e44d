"""Idempotency keys: one request, one answer, however often it is sent."""

import asyncio
import datetime as dt
import secrets

import msgspec
import pytest

from registry.errors import IdempotencyKeyReused, InvalidParameter
from registry.services.filing import idempotency
from registry.services.people import access_tokens
from registry.services.people.access import Actor

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
KEY = "3f0c9f0e-1df8-4f5e-9a55-0d1f2f4a7a10"


@pytest.fixture
def actor(with_token):
    """Whose token there is."""
    return with_token


@pytest.fixture
def act(context):
    """Do something once for a key, as the services do."""

    async def do(actor, key, request, content=b"{}", now=NOW):
        async with context.database.transaction() as connection:
            before = await idempotency.replay(connection, actor, key, request)
            if before is not None:
                return before
            await asyncio.sleep(0)
            await idempotency.store_response(
                connection, context, actor, key, request, content, now=now
            )
        return None

    return do


async def kept(context):
    async with context.database.connection() as connection:
        return [dict(row) for row in await connection.fetch("select * from answer")]


async def test_a_repeated_request_is_answered_as_it_was(act, actor):
    content = '{"outcome":"published","note":"é"}'.encode()
    assert await act(actor, KEY, b"submit demo-sante/x", content) is None
    assert await act(actor, KEY, b"submit demo-sante/x", b"other") == content


async def test_an_empty_answer_is_told_from_none(act, actor):
    assert await act(actor, KEY, b"put", b"") is None
    assert await act(actor, KEY, b"put", b"") == b""


@pytest.mark.parametrize("other", [b"submit demo-sante/y", b"", b"submit demo-sante/x "])
async def test_a_key_stands_for_one_request(act, actor, other):
    await act(actor, KEY, b"submit demo-sante/x")
    with pytest.raises(IdempotencyKeyReused, match="new key"):
        await act(actor, KEY, other)


async def test_a_key_belongs_to_its_token(act, actor, database):
    await act(actor, KEY, b"one", b"1")
    token = await access_tokens.create_token(
        database,
        agency="demo-sante",
        scopes=("file",),
        actor="the second",
        days=30,
        now=NOW,
        random=secrets.token_bytes,
    )
    other = await access_tokens.recognise(database, token, now=NOW)
    assert await act(other, KEY, b"two", b"2") is None
    assert await act(other, KEY, b"two") == b"2"
    assert await act(actor, KEY, b"one") == b"1"


async def test_without_key_or_token_nothing_is_kept(act, actor, context):
    operator = Actor(name="authority", agency=None, scopes=frozenset({"file"}), token=None)
    assert await act(actor, None, b"one") is None
    assert await act(operator, KEY, b"one") is None
    assert await act(operator, KEY, b"two") is None
    assert await kept(context) == []


async def test_requests_at_once_are_done_once_and_answered_alike(act, actor, context):
    given = await asyncio.gather(
        *(act(actor, KEY, b"one", str(number).encode()) for number in range(8))
    )
    [row] = await kept(context)
    assert sorted(one is None for one in given) == [False] * 7 + [True]
    assert {one for one in given if one is not None} == {row["content"].encode()}


async def test_what_failed_may_be_tried_again_with_its_key(act, actor, context):
    async def fail():
        async with context.database.transaction() as connection:
            assert await idempotency.replay(connection, actor, KEY, b"one") is None
            await idempotency.store_response(connection, context, actor, KEY, b"one", b"1", now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await act(actor, KEY, b"two", b"2") is None


async def test_the_request_is_kept_as_a_salted_digest_only(act, actor, context):
    await act(actor, "first", b"secret text")
    await act(actor, "second", b"secret text")
    one, two = await kept(context)
    assert one["digest"] != two["digest"]
    assert len(one["salt"]) == 16
    assert b"secret" not in msgspec.json.encode([one, two])


async def test_a_key_that_is_none_is_refused(act, actor, context, subtests):
    for key in ("", "é", "a\nb", "x" * 256, "\x7f"):
        with subtests.test(key=key), pytest.raises(InvalidParameter, match="Idempotency-Key"):
            await act(actor, key, b"one")
    assert await kept(context) == []


async def test_answers_are_forgotten_after_a_day(act, actor, context):
    await act(actor, "old", b"one")
    await act(actor, "new", b"two", now=NOW + dt.timedelta(hours=1))
    await idempotency.delete_expired(
        context.database, now=NOW + idempotency.RETENTION + dt.timedelta(minutes=1)
    )
    assert [row["key"] for row in await kept(context)] == ["new"]
    assert await act(actor, "old", b"another") is None
