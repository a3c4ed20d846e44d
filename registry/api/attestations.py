"""Attestations: what agencies say they run, for everybody; and saying it, with a token."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get, put
from litestar.di import NamedDependency
from litestar.params import PathParameter

from registry.api.acts import ATTESTED, ActAnswer, answer_act
from registry.api.operations import Format, answers, describes, token
from registry.api.parameters import AgencyPath, AsOfParameter, CodeParameter, Lang, language_of
from registry.api.request_body import read_document
from registry.api.request_context import ApiRequest, ApiState
from registry.api.writes import BLOCKED, key_of, private
from registry.clock import utc_now
from registry.errors import Conflict, InvalidStatement, NotFound
from registry.record.attestation import SCHEMA_VERSION, attestation_schema_bytes
from registry.record.messages import render
from registry.services import attestation
from registry.services.access import Actor
from registry.services.pending_acts import ActReceipt
from registry.store import attestations
from registry.store.as_of import read_entry
from registry.store.attestations import Attestation


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
    security=token("file"),
    responses={**answers(AttestationReceipt, 200, 201), **answers(ActAnswer, 202)},
    opt=describes(problems=(InvalidStatement, Conflict), body="attestation", keyed=True),
)
async def attest(
    *,
    request: ApiRequest,
    agency: AgencyPath,
    state: ApiState,
    actor: NamedDependency[Actor],
    lang: Lang = None,
) -> Response[bytes]:
    """State how many systems your agency runs, or with 0 that it uses none.

    Stating the same of a day again changes nothing. Where review is required, it waits for another
    person first (202).
    """
    language = language_of(request, lang, state.context.pack)
    attested = await attestation.attest(
        state.context,
        actor,
        agency,
        await read_document(request),
        now=utc_now(),
        language=language,
        idempotency_key=key_of(request),
    )
    if isinstance(attested, ActReceipt):
        return answer_act(attested, state, language=language)
    return private(
        _receipt(attested, state, language=language),
        status=201 if attested.outcome == "attested" else 200,
    )


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


def _receipt(
    attested: attestation.AttestationResult, state: ApiState, *, language: str
) -> AttestationReceipt:
    """Add to the proof of an attestation where to look, and what happens next."""
    base, context = state.settings.base_url, state.context
    following = BLOCKED if context.guard.is_blocked else ATTESTED
    return AttestationReceipt(
        **msgspec.structs.asdict(attested),
        links={
            "attestations": f"{base}/api/v1/attestations",
            "history": f"{base}/api/v1/attestations?agency={attested.agency}",
            "changes": f"{base}/api/v1/changes?since={attested.entry - 1}&limit=1",
        },
        next=render(following, language, context.pack.fallback),
    )
