"""The filing office as an agency, a reviewer and the administrator meet it."""

import datetime as dt
from typing import ClassVar

import msgspec
import pytest

from registry.office import access, filing, submitting, withdrawing
from registry.office.access import Actor
from registry.office.filing import Precondition
from registry.office.publishing_log import publish_log
from registry.store import audit, records

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
NEW = Precondition(new=True)


def actor(name, agency, *scopes):
    return Actor(name=name, agency=agency, scopes=frozenset(scopes), token=None, request="r")


class Desk:
    """Calls the office as one actor or another, at one time unless told otherwise."""

    health = actor("demo-sante", "demo-sante", "file")
    schools = actor("demo-education", "demo-education", "file", "review")
    authority = actor("authority", None, "review", "admin")
    statement: ClassVar = {
        "reason": "filed_in_error",
        "note": {"fr": "Deux fois", "ar": "مكرر"},
    }
    comment: ClassVar = {"comment": {"fr": "Précisez la finalité."}}

    def __init__(self, office):
        self.office = office

    async def save(self, document, precondition=NEW, *, by=health, now=NOW, **more):
        return await filing.save_draft(
            self.office, by, document["id"], document, precondition=precondition, now=now, **more
        )

    async def read(self, document, *, by=health):
        return await filing.read_draft(self.office, by, document["id"], now=NOW)

    async def drafts(self, *, by=health, state=None):
        return [one.record for one in await filing.list_drafts(self.office, by, state=state)]

    async def delete(self, document, tag=None, *, by=health):
        precondition = None if tag is None else Precondition(tag=tag)
        await filing.delete_draft(
            self.office, by, document["id"], precondition=precondition, now=NOW
        )

    async def submit(self, document, tag=None, *, by=health, now=NOW, **more):
        return await self._act(submitting.submit, document, tag, by, now, **more)

    async def approve(self, document, tag=None, *, by=authority, now=NOW, **more):
        return await self._act(submitting.approve, document, tag, by, now, **more)

    async def give_back(self, document, said=comment, tag=None, *, by=authority, now=NOW, **more):
        return await self._act(submitting.return_draft, document, tag, by, now, said, **more)

    async def withdraw(self, document, tag, said=statement, *, by=health, now=NOW, **more):
        return await self._act(withdrawing.withdraw, document, tag, by, now, said, **more)

    async def publish(self, document, precondition=NEW, *, now=NOW):
        await self.save(document, precondition, now=now)
        return await self.submit(document, now=now)

    async def stored(self, document, version=None):
        async with self.office.database.connection() as connection:
            return await records.read(connection, document["id"], version)

    async def tag(self, document):
        return (await self.stored(document)).register.hash[:16]

    async def acts(self):
        async with self.office.database.connection() as connection:
            found = await audit.read(connection, since=0, subject=None, limit=1000)
        return [(act.actor, act.action, act.subject, act.before, act.result) for act in found]

    async def _act(self, work, document, tag, by, now, *said, **more):
        precondition = None if tag is None else Precondition(tag=tag)
        return await work(
            self.office, by, document["id"], *said, precondition=precondition, now=now, **more
        )


@pytest.fixture
def desk(office):
    """The office where a submission is published at once."""
    return Desk(office)


@pytest.fixture
def reviewed(office):
    """The office where a second person approves."""
    return Desk(msgspec.structs.replace(office, review="required"))


@pytest.fixture
async def with_token(office):
    """An actor of demo-sante whose token the database knows."""
    token = await access.create_token(
        office.database,
        agency="demo-sante",
        scopes=("file",),
        actor=None,
        days=30,
        now=NOW,
        random=office.random,
    )
    return await access.recognise(office.database, token, now=NOW)


@pytest.fixture
def publish_it(logged, settings):
    """Publish the log of that register."""

    async def go(**more):
        return await publish_log(logged, settings, now=NOW, **more)

    return go
