"""Other registers: those that are imported from, and those that are watched."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import PathParameter, QueryParameter

from registry.api import parameters
from registry.api.operations import answers, describes, json_of
from registry.api.request import ApiState
from registry.clock import utc_now
from registry.errors import NotFound
from registry.hub.standing import PeerStanding, read_standings
from registry.record.origin import Origin
from registry.services.importing.importing import RunReport
from registry.store import imports, peers
from registry.store.imports import ImportRun
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


_NUMBER = {"minimum": 1, "maximum": 2**63 - 1}


class OriginList(msgspec.Struct, frozen=True, kw_only=True):
    """The other registers that records come from, in the order of codes."""

    items: list[Origin]


class ImportList(msgspec.Struct, frozen=True, kw_only=True):
    """Imports, the last first; `next` is the `before` of those before them, if any."""

    items: list[ImportRun]
    next: int | None


class ImportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An import, and its report: what became of each record that did not stay as it was."""

    run: ImportRun
    report: Annotated[msgspec.Raw, json_of("RunReport")]


@get(
    "/api/v1/origins",
    summary="List the other registers",
    tags=["imports"],
    responses=answers(OriginList),
)
async def list_origins(state: ApiState) -> OriginList:
    """List the registers that records come from: whose they are, of which country and terms."""
    async with state.reads.connection() as connection:
        return OriginList(items=list((await imports.read_origins(connection)).values()))


@get(
    "/api/v1/imports",
    summary="List imports",
    tags=["imports"],
    responses=answers(ImportList),
)
async def list_imports(
    *,
    state: ApiState,
    origin: Annotated[
        str | None, QueryParameter(description="Only those of a register, by its code")
    ] = None,
    before: Annotated[
        int | None,
        QueryParameter(description="Only those before this one", ge=1, le=2**63 - 1),
    ] = None,
    limit: Annotated[
        int, QueryParameter(description="Imports an answer, 1 to 100", ge=1, le=100)
    ] = 25,
) -> ImportList:
    """List the imports of other registers with what they counted, the last first.

    The log has an entry of each that has ended.
    """
    async with state.reads.connection() as connection:
        if origin is not None:
            parameters.codes("origin", [origin], await imports.read_origins(connection))
        found = await imports.read_runs(connection, origin, before=before, limit=limit + 1)
    items = found[:limit]
    return ImportList(items=items, next=items[-1].id if len(found) > limit else None)


@get(
    "/api/v1/imports/{run:int}",
    summary="Read the report of an import",
    tags=["imports"],
    responses=answers(ImportAnswer),
    opt=describes(schemas=(RunReport,)),
)
async def get_import(
    *, state: ApiState, run: Annotated[int, PathParameter(schema_extra=_NUMBER)]
) -> ImportAnswer:
    """Read what an import did: added, changed, moved, gone and refused, each with its fields.

    The log commits to the report of an import that has ended, by its SHA-256.
    """
    async with state.reads.connection() as connection:
        found = await imports.read_run(connection, run) if 0 < run < 2**63 else None
        if found is None:
            raise NotFound(f"there is no import {run}")
        report = await imports.read_report(connection, run)
    return ImportAnswer(run=found, report=msgspec.Raw(report.encode()))
