"""Attestations: what agencies say they run, for everybody; and saying it, with a token."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get, put
from litestar.params import PathParameter

from registry.api.acts import ATTESTED, ActAnswer, answer_act
from registry.api.operations import Format, answers, describes, token
from registry.api.parameters import AgencyPath, AsOfParameter, CodeParameter
from registry.api.request_context import ApiState
from registry.api.writes import ActorRequest, Call, private
from registry.errors import Conflict, InvalidStatement, NotFound
from registry.log.register import Attestation
from registry.record.attestation import SCHEMA_VERSION, attestation_schema_bytes
from registry.services import attestation
from registry.services.pending_acts import ActReceipt
from registry.store import attestations
from registry.store.as_of import read_entry


class AttestationList(msgspec.Struct, frozen=True, kw_only=True):
    """What each agency said last, or everything that one has said, newest first."""

    items: list[Attestation]


class AttestationReceipt(attestation.AttestationResult, frozen=True, kw_only=True):
    """The proof of an attestation, and where to look next. Keep it."""

    links: dict[str, str]
    next: str


@get(
    "/api/v1/attestations",
    summary="List attestations",
    tags=["attestations"],
    responses=answers(AttestationList),
)
async def list_attestations(
    *,
    state: ApiState,
    agency: Annotated[
        str | None,
        CodeParameter(
            description="An agency, for everything that it has said",
            codes=lambda pack: pack.agencies,
        ),
    ] = None,
    as_of: AsOfParameter = None,
) -> AttestationList:
    """Read how many systems each agency says that it runs, beside how many records it published.

    An agency that is not here has not said; one with `uses_none` says that it uses none.
    """
    async with state.reads.connection() as connection:
        last = await read_entry(connection, as_of, now=state.clock())
        if agency is None:
            return AttestationList(items=await attestations.read_latest(connection, as_of=last))
        said = await attestations.read_history(connection, agency, as_of=last)
    return AttestationList(items=said)


@put(
    "/api/v1/attestations/{agency:str}",
    summary="Attest",
    tags=["attestations"],
    security=token("attest"),
    responses={**answers(AttestationReceipt, 200, 201), **answers(ActAnswer, 202)},
    opt=describes(problems=(InvalidStatement, Conflict), body="attestation", keyed=True),
)
async def attest(agency: AgencyPath, call: Call) -> Response[bytes]:
    """State how many systems your agency runs, or with 0 that it uses none.

    Stating the same of a day again changes nothing. Where review is required, it waits for another
    person first (202).
    """
    statement = await call.document()
    attested = await attestation.attest(call.context, call.actor, agency, statement, **call.keyed)
    if isinstance(attested, ActReceipt):
        return answer_act(attested, call)
    return private(_receipt(attested, call), status=201 if attested.outcome == "attested" else 200)


@get(
    "/api/v1/schemas/attestation/{version:str}",
    summary="Read the format of attestations",
    tags=["reference"],
    responses=answers(Format, media_type="application/schema+json"),
)
async def get_attestation_schema(
    version: Annotated[str, PathParameter(schema_extra={"enum": [SCHEMA_VERSION]})],
) -> Response[bytes]:
    """Read the JSON Schema of attestations, exactly as it was released."""
    if version != SCHEMA_VERSION:
        raise NotFound(f"there is no attestation format {version}; there is {SCHEMA_VERSION}")
    return Response(content=attestation_schema_bytes(), media_type="application/schema+json")


def _receipt(attested: attestation.AttestationResult, call: ActorRequest) -> AttestationReceipt:
    """Add to the proof of an attestation where to look, and what happens next."""
    links = {
        "attestations": call.address("attestations"),
        "history": call.address(f"attestations?agency={attested.agency}"),
        "changes": call.address(f"changes?since={attested.entry - 1}&limit=1"),
    }
    return call.proof(AttestationReceipt, attested, links, call.unless_blocked(ATTESTED))
