"""What records refer to: agencies, code lists, formats, linked data; and validation of one."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import PathParameter

from registry.api.authentication import limit_validations
from registry.api.operations import Format, answers, describes
from registry.api.parameters import AgencyPath, CodeParameter, Lang, PathCode, language_of
from registry.api.request import ApiRequest, ApiState, read_json
from registry.clock import utc_now
from registry.errors import Finding, NotFound
from registry.exports.catalogue import Extent, catalogue
from registry.exports.linked_data import CONTEXT_VERSION, context_bytes
from registry.record.codelists import Code, CodeList, codelists
from registry.record.pack import Agency, Pack
from registry.record.schema import SCHEMA_VERSION, record_schema_bytes
from registry.record.validate import validate
from registry.store import agencies
from registry.store.as_of import read_as_of, read_beginning
from registry.structs import copy_as

LINKED_DATA = "application/ld+json"
_YEAR = "public, max-age=31536000, immutable"


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

    Of `findings_total` findings the first 50 are here. `upcoming` is what the law is known to ask
    for from a later day on, and the document lacks; it counts for nothing today.
    """

    publishable: bool
    completeness: int
    accountability: int
    findings: tuple[Finding, ...]
    findings_total: int
    upcoming: tuple[Finding, ...] = ()


@get(
    "/api/v1/agencies",
    summary="List the agencies",
    tags=["reference"],
    responses=answers(AgencyList),
)
async def list_agencies(state: ApiState) -> AgencyList:
    """List the agencies of this country, and those that foreign records brought."""
    async with state.context.database.connection() as connection:
        counted = await agencies.read_all(connection)
    return AgencyList(items=[_item(one) for one in counted])


@get(
    "/api/v1/agencies/{agency:str}",
    summary="Read an agency",
    tags=["reference"],
    responses=answers(AgencyItem),
)
async def get_agency(agency: AgencyPath, state: ApiState) -> AgencyItem:
    """Read one agency."""
    async with state.context.database.connection() as connection:
        counted = await agencies.read(connection, agency)
    if counted is None:
        raise NotFound(f"there is no agency {agency}")
    return _item(counted)


@get(
    "/api/v1/codelists",
    summary="List the code lists",
    tags=["reference"],
    responses=answers(CodeListNames),
)
async def list_codelists(state: ApiState) -> CodeListNames:
    """List the names of the format's code lists and of the country's, which begin with `pack/`."""
    return CodeListNames(items=sorted(_lists(state.context.pack)))


@get(
    ["/api/v1/codelists/{name:str}", "/api/v1/codelists/pack/{pack_name:str}"],
    summary="Read a code list",
    tags=["reference"],
    responses=answers(CodeListItems),
)
async def get_codelist(
    state: ApiState,
    name: Annotated[str, PathParameter(schema_extra={"enum": list(codelists())})] = "",
    pack_name: Annotated[str, PathCode(codes=lambda pack: pack.lists)] = "",
) -> CodeListItems:
    """Read a list's codes with their labels."""
    wanted = f"pack/{pack_name}" if pack_name else name
    lists = _lists(state.context.pack)
    if wanted not in lists:
        raise NotFound(f"there is no code list {wanted}; see /api/v1/codelists")
    return CodeListItems(name=wanted, items=list(lists[wanted].values()))


@get(
    "/api/v1/schemas/record/{version:str}",
    summary="Read the record format",
    tags=["reference"],
    responses=answers(Format, media_type="application/schema+json"),
)
async def get_schema(
    version: Annotated[str, PathParameter(schema_extra={"enum": [SCHEMA_VERSION]})],
) -> Response[bytes]:
    """Read the JSON Schema of a version of the record format, exactly as it was released."""
    if version != SCHEMA_VERSION:
        raise NotFound(f"there is no record format {version}; there is {SCHEMA_VERSION}")
    return Response(content=record_schema_bytes(), media_type="application/schema+json")


@post(
    "/api/v1/validate",
    status_code=200,
    guards=[limit_validations],
    summary="Validate a record",
    tags=["reference"],
    responses=answers(ValidationAnswer),
    opt=describes(body="any"),
)
async def validate_document(
    request: ApiRequest,
    state: ApiState,
    profile: Annotated[
        Literal["draft", "publication"],
        CodeParameter(
            description="How strictly: draft or publication",
            codes=lambda _: ("draft", "publication"),
        ),
    ] = "publication",
    lang: Lang = None,
) -> ValidationAnswer:
    """Check what would be noticed in a document if it were filed; nothing is kept."""
    language = language_of(request, lang, state.context.pack)
    document = await read_json(request)
    verdict = await state.context.examine(
        len(msgspec.json.encode(document)),
        validate,
        document,
        profile=profile,
        pack=state.context.pack,
        today=state.context.pack.day(utc_now()),
        language=language,
        fast=state.context.fast,
    )
    return copy_as(ValidationAnswer, verdict, accountability=verdict.accountability or 0)


@get(
    "/api/v1/catalogue",
    summary="Read the register's catalogue",
    tags=["reference"],
    responses=answers(bytes, media_type=LINKED_DATA, description="A document of JSON-LD."),
)
async def get_catalogue(*, state: ApiState) -> Response[bytes]:
    """Describe the register and its exports for portals of open data, as DCAT-AP in JSON-LD."""
    async with state.context.database.snapshot() as connection:
        moment = await read_as_of(connection, None, now=state.clock())
        began = await read_beginning(connection)
        counted = await agencies.read_all(connection)
    extent = Extent(
        began=began,
        at=moment.at,
        size=moment.entry + 1,
        records=sum(one.records for one in counted),
    )
    return Response(
        content=msgspec.json.encode(catalogue(state.context.pack, state.settings.base_url, extent)),
        media_type=LINKED_DATA,
        headers={"cache-control": "no-cache"},
    )


@get(
    "/api/v1/contexts/{version:str}",
    summary="Read the JSON-LD context",
    tags=["reference"],
    responses=answers(bytes, media_type=LINKED_DATA, description="A document of JSON-LD."),
)
async def get_context(
    version: Annotated[str, PathParameter(schema_extra={"enum": [CONTEXT_VERSION]})],
) -> Response[bytes]:
    """Read what the members of exports and of the catalogue mean, exactly as it was released."""
    if version != CONTEXT_VERSION:
        raise NotFound(f"there is no context {version}; there is {CONTEXT_VERSION}")
    return Response(
        content=context_bytes(), media_type=LINKED_DATA, headers={"cache-control": _YEAR}
    )


def _item(counted: agencies.CountedAgency) -> AgencyItem:
    return copy_as(AgencyItem, counted.agency, records=counted.records)


def _lists(pack: Pack) -> dict[str, CodeList]:
    return {**codelists(), **{f"pack/{name}": codes for name, codes in pack.lists.items()}}
