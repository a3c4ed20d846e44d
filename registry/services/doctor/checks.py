"""What a look at one thing has found."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

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


def good(name: str, seen: str) -> Check:
    """Return that something is in order."""
    return Check(name=name, state="in order", seen=seen)


def finding(name: str, seen: str, advice: str) -> Check:
    """Return that something is not."""
    return Check(name=name, state="finding", seen=seen, advice=advice)


def asks(name: str, seen: str, advice: str) -> Check:
    """Return what people have to answer."""
    return Check(name=name, state="asks", seen=seen, advice=advice)


def unseen(name: str, why: str) -> Check:
    """Return that something could not be looked at."""
    return Check(name=name, state="not seen", seen=why)
