"""What a look at one thing has found."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from registry.settings import Settings
from registry.store.database import Connection, Database
from registry.store.heartbeats import Heartbeat

CheckState: TypeAlias = Literal["in order", "finding", "asks", "not seen"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A thing that was looked at: its name, how it stands, what was seen, and what to do.

    `asks` is what nobody but people can know, `not seen` what could not be looked at. A finding has
    its advice, one sentence.
    """

    name: str
    state: CheckState
    seen: str
    advice: str | None = None


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of the database looks at; `told` are the heartbeats, none before they exist."""

    settings: Settings
    database: Database
    connection: Connection
    told: list[Heartbeat]


def good(name: str, seen: str) -> Check:
    """Return that something is in order."""
    return Check(name=name, state="in order", seen=seen)


def finding(name: str, seen: str, advice: str) -> Check:
    """Return that something is not."""
    return Check(name=name, state="finding", seen=seen, advice=advice)


def judged(name: str, seen: str, advice: str, *, is_wrong: bool) -> Check:
    """Return that something is not in order, with what to do, where it is wrong."""
    return finding(name, seen, advice) if is_wrong else good(name, seen)


def asks(name: str, seen: str, advice: str) -> Check:
    """Return what people have to answer."""
    return Check(name=name, state="asks", seen=seen, advice=advice)


def unseen(name: str, why: str) -> Check:
    """Return that something could not be looked at."""
    return Check(name=name, state="not seen", seen=why)
