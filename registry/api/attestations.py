"""Attestations: what agencies say they run, for everybody; and saying it, with a token."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from litestar import Request, Response, get, put
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from registry.api import parameters
from registry.api.language import Lang, language_of
from registry.api.parameters import AsOfParameter
from registry.api.request_body import read_document
from registry.api.write_options import key_of, private
from registry.clock import utc_now
from registry.errors import NotFound
from registry.record.attestation import SCHEMA_VERSION, attestation_schema_bytes
from registry.services import attestation
from registry.services.access import Actor
from registry.services.context import ServiceContext
from registry.settings import Settings
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


@get("/api/v1/attestations", summary="List attestations", tags=["attestations"])
async def list_attestations(
    *,
    request: Request[object, object, State],
    context: NamedDependency[ServiceContext],
    now: NamedDependency[dt.datetime],
    agency: Annotated[
        str | None, QueryParameter(description="An agency, for everything that it has said")
    ] = None,
    as_of: AsOfParameter = None,
) -> AttestationList:
    """Read how many systems each agency says that it runs, beside how many records it published.

    An agency that is not here has not said; one with `uses_none` says that it uses none.
    """
    parameters.once(request, "agency", "as_of")
    async with context.database.connection() as connection:
        last = await read_entry(connection, as_of, now=now)
        if agency is None:
            return AttestationList(items=await attestations.read_latest(connection, as_of=last))
        parameters.codes("agency", [agency], context.pack.agencies)
        said = await attestations.read_history(connection, agency, as_of=last)
    return AttestationList(items=said)


@put("/api/v1/attestations/{agency:str}", summary="Attest", tags=["attestations"])
async def attest(
    *,
    request: Request[object, object, State],
    agency: FromPath[str],
    context: NamedDependency[ServiceContext],
    actor: NamedDependency[Actor],
    settings: NamedDependency[Settings],
    lang: Lang = None,
) -> Response[bytes]:
    """Say how many systems your agency runs, or with 0 that it uses none.

    Saying the same of a day again changes nothing.
    """
    attested = await attestation.attest(
        context,
        actor,
        agency,
        await read_document(request),
        now=utc_now(),
        language=language_of(request, lang, context.pack),
        idempotency_key=key_of(request),
    )
    return private(
        msgspec.json.encode(receipt(attested, settings.base_url)),
        status=201 if attested.outcome == "attested" else 200,
    )


@get(
    "/api/v1/schemas/attestation/{version:str}",
    summary="Read the format of attestations",
    tags=["reference"],
)
async def get_attestation_schema(version: FromPath[str]) -> Response[bytes]:
    """Read the JSON Schema of attestations, exactly as it was released."""
    if version != SCHEMA_VERSION:
        raise NotFound(f"there is no attestation format {version}; there is {SCHEMA_VERSION}")
    return Response(content=attestation_schema_bytes(), media_type="application/schema+json")


def receipt(attested: attestation.AttestationResult, base: str) -> AttestationReceipt:
    """Add to the proof of an attestation where to look, and what happens next."""
    return AttestationReceipt(
        **msgspec.structs.asdict(attested),
        links={
            "attestations": f"{base}/api/v1/attestations",
            "history": f"{base}/api/v1/attestations?agency={attested.agency}",
            "changes": f"{base}/api/v1/changes?since={attested.entry - 1}&limit=1",
        },
        next="It is public now. When the number changes, attest again with the day of the new "
        "count; to correct it, attest the same day again.",
    )
