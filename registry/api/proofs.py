"""The log's proof of a record: what to keep of it, to show later what the register said."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from registry.api import parameters
from registry.ledger.proofs import RecordProof, read_record_proof
from registry.settings import Settings
from registry.store.database import Database


@get("/api/v1/records/{agency:str}/{slug:str}/proof", summary="Prove a record", tags=["records"])
async def get_proof(
    *,
    request: Request[Any, Any, Any],
    agency: FromPath[str],
    slug: FromPath[str],
    database: NamedDependency[Database],
    settings: NamedDependency[Settings],
    version: Annotated[
        int | None, QueryParameter(description="A version; else the latest, withdrawn or not")
    ] = None,
) -> RecordProof:
    """Read the proof that a version is in the log, to be kept and checked without this register.

    `registry verify` checks a file of it; the page about the log says how to do it by hand.
    """
    parameters.once(request, "version")
    async with database.snapshot() as connection:
        return await read_record_proof(connection, settings.log_dir, f"{agency}/{slug}", version)
