"""The services as an agency, a reviewer and the administrator meet it."""

import datetime as dt
from typing import ClassVar

import msgspec
import pytest

from registry.services.filing import drafts, review
from registry.services.filing.drafts import Precondition
from registry.services.people import access_tokens
from registry.services.people.access import Actor
from registry.services.statements import withdrawal
from registry.store import audit_trail, records
from registry.store import drafts as stored_drafts

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
NEW = Precondition(new=True)


def actor(name, agency, *scopes):
    return Actor(name=name, agency=agency, scopes=frozenset(scopes), token=1, request="r")


class Filer:
    """Calls the services as one actor or another, at one time unless told otherwise."""

    health = actor("demo-sante", "demo-sante", "file")
    schools = actor("demo-education", "demo-education", "file", "review")
    authority = actor("authority", None, "review", "admin")
    statement: ClassVar = {
        "reason": "filed_in_error",
        "note": {"fr": "Deux fois", "ar": "مكرر"},
    }
    comment: ClassVar = {"comment": {"fr": "Précisez la finalité."}}

    def __init__(self, context):
        self.context = context

    async def save(self, document, precondition=NEW, *, by=health, now=NOW, **more):
        return await drafts.save_draft(
            self.context, by, document["id"], document, precondition=precondition, now=now, **more
        )

    async def read(self, document, *, by=health):
        return await drafts.read_draft(self.context, by, document["id"], now=NOW)

    async def drafts(self, *, by=health, state=None):
        return [one.record for one in await drafts.list_drafts(self.context, by, state=state)]

    async def delete(self, document, tag=None, *, by=health):
        precondition = None if tag is None else Precondition(tag=tag)
        await drafts.delete_draft(
            self.context, by, document["id"], precondition=precondition, now=NOW
        )

    async def submit(self, document, tag=None, *, by=health, now=NOW, **more):
        return await self._act(review.submit, document, tag, by, now, **more)

    async def approve(self, document, tag=None, *, by=authority, now=NOW, **more):
        if tag is None:
            async with self.context.database.connection() as connection:
                draft = await stored_drafts.read(connection, document["id"])
            tag = None if draft is None else draft.tag
        return await self._act(review.approve, document, tag, by, now, **more)

    async def give_back(self, document, said=comment, tag=None, *, by=authority, now=NOW, **more):
        return await self._act(review.return_draft, document, tag, by, now, said, **more)

    async def withdraw(self, document, tag, said=statement, *, by=health, now=NOW, **more):
        return await self._act(withdrawal.withdraw, document, tag, by, now, said, **more)

    async def publish(self, document, precondition=NEW, *, now=NOW):
        await self.save(document, precondition, now=now)
        return await self.submit(document, now=now)

    async def stored(self, document, version=None):
        async with self.context.database.connection() as connection:
            return await records.read(connection, document["id"], version)

    async def versions(self, document):
        async with self.context.database.connection() as connection:
            lines = await records.read_versions(connection, document["id"])
        return [line.version for line in lines]

    async def tag(self, document):
        return (await self.stored(document)).register.hash[:16]

    async def acts(self):
        async with self.context.database.connection() as connection:
            found = await audit_trail.read(connection, since=0, subject=None, limit=1000)
        return [(act.actor, act.action, act.subject, act.before, act.result) for act in found]

    async def _act(self, work, document, tag, by, now, *said, **more):
        precondition = None if tag is None else Precondition(tag=tag)
        return await work(
            self.context, by, document["id"], *said, precondition=precondition, now=now, **more
        )


@pytest.fixture
def filer(context):
    """The services where a submission is published at once."""
    return Filer(context)


@pytest.fixture
def reviewed(context):
    """The services where a second person approves."""
    return Filer(msgspec.structs.replace(context, review="required"))


@pytest.fixture
async def with_token(context):
    """An actor of demo-sante whose token the database knows."""
    token = await access_tokens.create_token(
        context.database,
        agency="demo-sante",
        scopes=("file",),
        actor=None,
        days=30,
        now=NOW,
        random=context.random,
    )
    return await access_tokens.recognise(context.database, token, now=NOW)


class Backup:
    """Keeps the rows of a database, and puts them back over what came later."""

    def __init__(self, database):
        self._database = database

    async def keep(self):
        async with self._database.connection() as connection:
            for table in await self._tables(connection):
                await connection.execute(f"create table kept_{table} as table {table}")

    async def restore(self):
        async with self._database.connection() as connection, connection.transaction():
            await connection.execute("set local session_replication_role = replica")
            tables = await self._tables(connection)
            for table in tables:
                await connection.execute(f"alter table {table} disable trigger user")
                await connection.execute(f"delete from {table}")  # noqa: S608  our own names
                await connection.execute(
                    f"insert into {table} overriding system value table kept_{table}"
                )
                await connection.execute(f"alter table {table} enable trigger user")

    async def _tables(self, connection):
        there = await connection.fetch(
            "select tablename from pg_tables where schemaname = 'public'"
        )
        names = {row["tablename"] for row in there}
        return sorted(name for name in names if name != "migration" and "kept_" not in name)


@pytest.fixture
def backup(database):
    return Backup(database)
