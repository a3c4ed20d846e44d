"""What records refer to: agencies, code lists, the format itself; and a second opinion on one."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from registry.api import parameters
from registry.api.authentication import limit_validations
from registry.api.language import Lang, language_of
from registry.api.request_body import read_json
from registry.errors import Finding, NotFound
from registry.record.codelists import Code, CodeList, codelists
from registry.record.pack import Agency, Pack
from registry.record.schema import SCHEMA_VERSION, record_schema_bytes
from registry.record.validate import validate
from registry.services.context import ServiceContext
from registry.store import agencies
from registry.store.database import Database


class AgencyItem(Agency, frozen=True, kw_only=True):
    """An agency and how many records it has published."""

    records: int


class AgencyList(msgspec.Struct, frozen=True, kw_only=True):
    """Every agency, in the order of codes."""

    items: list[AgencyItem]


class CodeListNames(msgspec.Struct, frozen=True, kw_only=True):
    """The code lists there are."""

    items: list[str]


class CodeListItems(msgspec.Struct, frozen=True, kw_only=True):
    """One code list."""

    name: str
    items: list[Code]


class ValidationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a document could be published, how complete it is, and what is noticed in it.

    Of `findings_total` findings the first 50 are here.
    """

    publishable: bool
    completeness: int
    accountability: int
    findings: tuple[Finding, ...]
    findings_total: int


@get("/api/v1/agencies", summary="List the agencies", tags=["reference"])
async def list_agencies(database: NamedDependency[Database]) -> AgencyList:
    """List the agencies of this country, and those that foreign records brought."""
    async with database.connection() as connection:
        counted = await agencies.read_all(connection)
    return AgencyList(items=[_item(one) for one in counted])


@get("/api/v1/agencies/{agency:str}", summary="Read an agency", tags=["reference"])
async def get_agency(agency: FromPath[str], database: NamedDependency[Database]) -> AgencyItem:
    """Read one agency."""
    async with database.connection() as connection:
        counted = await agencies.read(connection, agency)
    if counted is None:
        raise NotFound(f"there is no agency {agency}")
    return _item(counted)


@get("/api/v1/codelists", summary="List the code lists", tags=["reference"])
async def list_codelists(pack: NamedDependency[Pack]) -> CodeListNames:
    """List the names of the format's code lists and of the country's, which begin with `pack/`."""
    return CodeListNames(items=sorted(_lists(pack)))


@get(
    ["/api/v1/codelists/{name:str}", "/api/v1/codelists/pack/{pack_name:str}"],
    summary="Read a code list",
    tags=["reference"],
)
async def get_codelist(
    pack: NamedDependency[Pack],
    name: FromPath[str] = "",
    pack_name: FromPath[str] = "",
) -> CodeListItems:
    """Read a list's codes with their labels."""
    wanted = f"pack/{pack_name}" if pack_name else name
    lists = _lists(pack)
    if wanted not in lists:
        raise NotFound(f"there is no code list {wanted}; see /api/v1/codelists")
    return CodeListItems(name=wanted, items=list(lists[wanted].values()))


@get("/api/v1/schemas/record/{version:str}", summary="Read the record format", tags=["reference"])
async def get_schema(version: FromPath[str]) -> Response[bytes]:
    """Read the JSON Schema of the record format, exactly as it was released."""
    if version != SCHEMA_VERSION:
        raise NotFound(f"there is no record format {version}; there is {SCHEMA_VERSION}")
    return Response(content=record_schema_bytes(), media_type="application/schema+json")


@post(
    "/api/v1/validate",
    status_code=200,
    guards=[limit_validations],
    summary="Validate a record",
    tags=["reference"],
)
async def validate_document(
    request: Request[object, object, State],
    context: NamedDependency[ServiceContext],
    profile: Annotated[
        str, QueryParameter(description="How strictly: draft or publication")
    ] = "publication",
    lang: Lang = None,
) -> ValidationAnswer:
    """Say what would be noticed in a document if it were filed; nothing is kept."""
    parameters.once(request, "profile")
    parameters.codes("profile", [profile], ("draft", "publication"))
    language = language_of(request, lang, context.pack)
    document = await read_json(request)
    verdict = validate(
        document,
        profile="draft" if profile == "draft" else "publication",
        pack=context.pack,
        today=dt.datetime.now(dt.UTC).date(),
        language=language,
        fast=context.fast,
    )
    return ValidationAnswer(
        publishable=verdict.publishable,
        completeness=verdict.completeness,
        accountability=verdict.accountability,
        findings=verdict.findings,
        findings_total=verdict.findings_total,
    )


def _item(counted: agencies.CountedAgency) -> AgencyItem:
    return AgencyItem(**msgspec.structs.asdict(counted.agency), records=counted.records)


def _lists(pack: Pack) -> dict[str, CodeList]:
    return {**codelists(), **{f"pack/{name}": codes for name, codes in pack.lists.items()}}
