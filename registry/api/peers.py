"""Peers: the registers that are watched, how they stand, and the evidence against them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import PathParameter

from registry.api.operations import answers
from registry.api.request_context import ApiState
from registry.clock import utc_now
from registry.errors import NotFound
from registry.services.peer_standing import PeerStanding, read_standings
from registry.store import peers
from registry.structs import copy_as

_CODE = {"pattern": "^[a-z][a-z0-9-]{0,19}$"}


class PeerList(msgspec.Struct, frozen=True, kw_only=True):
    """The registers that are or were watched, in the order of codes."""

    items: list[PeerStanding]


class PeerProof(msgspec.Struct, frozen=True, kw_only=True):
    """What shows that a register cannot be believed: signed notes, to the byte.

    `kind` is `fork` where they contradict, and `broken` where the log breaks its own rules; `proof`
    is JSON as text that shows the contradiction, where the notes alone do not.
    """

    kind: str
    why: str
    found_at: dt.datetime
    notes: list[str]
    proof: str | None


class PeerProofs(msgspec.Struct, frozen=True, kw_only=True):
    """All evidence against a register, oldest first."""

    code: str
    log: str
    key: str
    items: list[PeerProof]


@get(
    "/api/v1/peers",
    summary="List the registers that are watched",
    tags=["imports"],
    responses=answers(PeerList),
)
async def list_peers(state: ApiState) -> PeerList:
    """List the registers whose logs are verified and taken in: since when, and how they stand."""
    async with state.reads.snapshot() as connection:
        return PeerList(items=await read_standings(connection, now=utc_now()))


@get(
    "/api/v1/peers/{code:str}/evidence",
    summary="Read the evidence against a register",
    tags=["imports"],
    responses=answers(PeerProofs),
)
async def get_peer_evidence(
    *, code: Annotated[str, PathParameter(schema_extra=_CODE)], state: ApiState
) -> PeerProofs:
    """Read the signed notes that show that a register's log tells two histories; none for most."""
    async with state.reads.snapshot() as connection:
        known = [one for one in await peers.read_all(connection) if one.code == code]
        found = await peers.read_evidence(connection, code) if known else []
    if not known:
        raise NotFound(f"no register is watched as {code}; /api/v1/peers lists those that are")
    return PeerProofs(
        code=code,
        log=known[0].origin,
        key=known[0].key,
        items=[
            copy_as(PeerProof, one, notes=[note.decode(errors="replace") for note in one.notes])
            for one in found
        ],
    )
