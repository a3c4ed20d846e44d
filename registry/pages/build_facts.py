"""What `build.json` says of a site: the state of the register that it was built from."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.pages.snapshot import RegisterState


class LogPosition(msgspec.Struct, frozen=True, kw_only=True):
    """The size and the root of a log, in hexadecimal digits."""

    size: int
    root: str


class BuildFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the register, the moment that the pages speak of, their address and number.

    `erasures` is the number of redactions that were carried out; the rest are members of
    `RegisterState`. What is None was not stated by the release that built the site.
    """

    as_of: dt.datetime
    base_url: str
    log: LogPosition
    erasures: int | None = None
    replaced: int | None = None
    agencies: str | None = None
    imports: tuple[int, int] | None = None
    peers: str | None = None
    witnesses: str | None = None
    blocked: bool = False
    pages: int = 0


def build_facts(
    register: RegisterState, as_of: dt.datetime, base_url: str, *, pages: int = 0
) -> BuildFacts:
    """Return the facts of a build from a state of the register."""
    return BuildFacts(
        as_of=as_of,
        base_url=base_url,
        log=LogPosition(size=register.size, root=register.root),
        erasures=register.erasures[0],
        replaced=register.replaced,
        agencies=register.agencies,
        imports=register.imports,
        peers=register.peers,
        witnesses=register.witnesses,
        blocked=register.is_blocked,
        pages=pages,
    )
