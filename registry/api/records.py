"""Reading records: search, one record, its versions."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote, unquote

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter

from registry.api import parameters
from registry.api.parameters import AsOf
from registry.api.sought import Sought, provide_sought, read_question
from registry.errors import Finding, InvalidParameter, NotFound, Withdrawn
from registry.office.withdrawing import read_tombstone
from registry.store import moments, records, withdrawals
from registry.store.database import Database
from registry.store.index.question import CODED, FacetCount, Highlight, Hit, Match, Sort
from registry.store.withdrawals import Withdrawal

if TYPE_CHECKING:
    from registry.office.filing import Office
    from registry.store.database import Connection
    from registry.store.index.engine import SearchIndex
    from registry.store.index.question import Place, Question
    from registry.store.records import Register, StoredRecord

SORTS: tuple[Sort, ...] = ("relevance", "newest", "name", "completeness", "review_due")
MOST_ITEMS = 100
_JSON = msgspec.json.Encoder()
_VERSIONS = range(1, 2**31)
_UNQUOTED = re.compile(r"[^A-Za-z0-9%&*+,./:=_~-]")


class RecordList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of records, the exact total, the wanted facets, the cursor of the next page.

    `mended` are the words that were looked for where nothing has those that were given.
    """

    items: list[msgspec.Raw]
    facets: dict[str, list[FacetCount]]
    total: int
    next: str | None
    mended: str | None


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """What an item says beside the card that it begins with."""

    match: Match | None
    highlights: list[Highlight]
    overdue_days: int | msgspec.UnsetType


class VersionList(msgspec.Struct, frozen=True, kw_only=True):
    """A record's history, oldest first: its versions, and its withdrawals."""

    items: list[records.VersionLine]
    withdrawals: list[Withdrawal]


class FindingList(msgspec.Struct, frozen=True, kw_only=True):
    """What validation noticed in a record's latest version."""

    items: list[Finding]


@get(
    "/api/v1/records",
    summary="Search the register",
    tags=["records"],
    dependencies={"sought": Provide(provide_sought, sync_to_thread=False)},
)
async def list_records(
    *,
    request: Request[Any, Any, Any],
    state: State,
    sought: NamedDependency[Sought],
    sort: Annotated[str | None, QueryParameter(description="The order; ties newest first")] = None,
    limit: Annotated[int, QueryParameter(description="Records a page, 1 to 100")] = 25,
    cursor: Annotated[str | None, QueryParameter(description="The `next` of a page")] = None,
    facets: Annotated[str | None, QueryParameter(description="Facets wanted, by comma")] = None,
) -> Response[bytes]:
    """Find records by words and codes. Repeating a parameter means OR, different ones AND."""
    # Several dependencies would each be a task, which takes as long as the search.
    office: Office = state.office
    index: SearchIndex = state.index
    parameters.once(request, "sort", "limit", "cursor", "facets")
    parameters.within("limit", limit, 1, MOST_ITEMS)
    wanted = parameters.codes("facets", [] if facets is None else facets.split(","), CODED)
    question = await read_question(office.database, index, sought, office.pack, now=state.clock())
    order = _sort(sort, question.text)
    # A page goes on in the log and on the day of the first, whatever `as_of` comes to by then.
    same = [sought.pairs, order]
    before = parameters.read_cursor(same, cursor)
    after, today = None, question.today
    if before is not None:
        _check_as_of(question, before.place)
        after, today = before.place, before.day or today
    answer = await index.answer(
        msgspec.structs.replace(
            question,
            sort=order,
            limit=limit,
            after=after,
            facets=wanted or [],
            today=today,
            highlights=True,
        )
    )
    following = None
    if answer.next is not None:
        following = parameters.write_cursor(same, answer.next, today)
    page = RecordList(
        items=[_item(hit) for hit in answer.hits],
        facets=answer.facets,
        total=answer.total,
        next=following,
        mended=answer.mended,
    )
    headers = {} if following is None else {"link": _next_link(request, following)}
    return _json(_JSON.encode(page), headers)


@get("/api/v1/records/{agency:str}/{slug:str}", summary="Read a record", tags=["records"])
async def get_record(
    *,
    request: Request[Any, Any, Any],
    agency: FromPath[str],
    slug: FromPath[str],
    database: NamedDependency[Database],
    now: NamedDependency[dt.datetime],
    as_of: AsOf = None,
) -> Response[bytes]:
    """Read the latest version: the document as filed, and what the register adds."""
    parameters.once(request, "as_of")
    async with database.connection() as connection:
        last = await moments.read_entry(connection, as_of, now=now)
        stored = await _stored(connection, f"{agency}/{slug}", as_of=last)
        if stored.register.state == "withdrawn":
            tombstone = await read_tombstone(connection, stored, as_of=last)
            raise Withdrawn(
                f"{stored.id} was withdrawn on {tombstone.withdrawn_at:%Y-%m-%d}; the tombstone "
                f"says why, and its versions stay at /api/v1/records/{stored.id}/versions",
                tombstone=tombstone,
            )
    # Where this is asked without a query, a compressed form may be answered.
    return _record(stored, {"vary": "accept-encoding"})


@get(
    "/api/v1/records/{agency:str}/{slug:str}/versions",
    summary="List a record's versions",
    tags=["records"],
)
async def list_versions(
    *,
    request: Request[Any, Any, Any],
    agency: FromPath[str],
    slug: FromPath[str],
    database: NamedDependency[Database],
    now: NamedDependency[dt.datetime],
    as_of: AsOf = None,
) -> VersionList:
    """List every version ever published, and every withdrawal, oldest first."""
    parameters.once(request, "as_of")
    async with database.connection() as connection:
        last = await moments.read_entry(connection, as_of, now=now)
        stored = await _stored(connection, f"{agency}/{slug}", as_of=last)
        withdrawn = await withdrawals.read_all(connection, stored.id, as_of=last)
    return VersionList(items=stored.versions, withdrawals=withdrawn)


@get(
    "/api/v1/records/{agency:str}/{slug:str}/versions/{version:int}",
    summary="Read one version",
    tags=["records"],
)
async def get_version(
    *,
    request: Request[Any, Any, Any],
    agency: FromPath[str],
    slug: FromPath[str],
    version: FromPath[int],
    database: NamedDependency[Database],
    now: NamedDependency[dt.datetime],
    as_of: AsOf = None,
) -> Response[bytes]:
    """Read a version as it was published."""
    parameters.once(request, "as_of")
    async with database.connection() as connection:
        last = await moments.read_entry(connection, as_of, now=now)
        return _record(await _stored(connection, f"{agency}/{slug}", version, as_of=last))


@get(
    "/api/v1/records/{agency:str}/{slug:str}/findings",
    summary="List what validation noticed",
    tags=["records"],
)
async def list_findings(
    *,
    request: Request[Any, Any, Any],
    agency: FromPath[str],
    slug: FromPath[str],
    database: NamedDependency[Database],
    now: NamedDependency[dt.datetime],
    as_of: AsOf = None,
) -> FindingList:
    """List the findings that were kept with the latest version."""
    parameters.once(request, "as_of")
    async with database.connection() as connection:
        last = await moments.read_entry(connection, as_of, now=now)
        stored = await _stored(connection, f"{agency}/{slug}", as_of=last)
    return FindingList(items=list(stored.register.findings))


async def _stored(
    connection: Connection, record: str, version: int | None = None, *, as_of: int
) -> StoredRecord:
    stored = None
    if version is None or version in _VERSIONS:
        stored = await records.read(connection, record, version, as_of=as_of)
    if stored is None:
        what = f"record {record}" if version is None else f"version {version} of {record}"
        then = "" if as_of == moments.END else f" as of entry {as_of}"
        raise NotFound(f"there is no {what}{then}")
    return stored


def _record(stored: StoredRecord, headers: dict[str, str] | None = None) -> Response[bytes]:
    body = written(stored.document, stored.register)
    if stored.register.superseded_at is not None:
        # The version will not change again, but it did when the next one came: the tag by which
        # it was known before must not bring a 304.
        return _json(body, headers or {})
    return _json(body, {**(headers or {}), "etag": tag_of(stored.register)})


def written(document: bytes, register: Register) -> bytes:
    """Write the answer that shows a version: canonical JSON, and what the register says."""
    return b'{"record":' + document + b',"register":' + msgspec.json.encode(register) + b"}"


def tag_of(register: Register) -> str:
    """Give the strong ETag of a version in force; what was erased since tells itself apart."""
    erased = f"-erased{count}" if (count := len(register.redacted)) else ""
    return f'"{register.hash[:16]}{erased}"'


def _json(body: bytes, headers: dict[str, str]) -> Response[bytes]:
    return Response(
        content=body,
        media_type=MediaType.JSON,
        headers={"cache-control": "no-cache", **headers},
    )


def _item(hit: Hit) -> msgspec.Raw:
    late = msgspec.UNSET if hit.overdue_days is None else hit.overdue_days
    more = _JSON.encode(_Found(match=hit.match, highlights=hit.highlights, overdue_days=late))
    return msgspec.Raw(b"%b,%b" % (hit.card[:-1].encode(), more[1:]))


def _check_as_of(question: Question, place: Place) -> None:
    if question.as_of is not None and question.as_of < place.size - 1:
        raise InvalidParameter(
            f"cursor: it goes on as of entry:{place.size - 1}, which is later than as_of; "
            "repeat the parameters it was given for"
        )


def _sort(sort: str | None, text: str | None) -> Sort:
    if sort is None:
        return "newest" if text is None else "relevance"
    parameters.codes("sort", [sort], SORTS)
    if sort == "relevance" and text is None:
        raise InvalidParameter("sort: relevance needs words to find, in q")
    return next(known for known in SORTS if known == sort)


def _next_link(request: Request[Any, Any, Any], cursor: str) -> str:
    given = _UNQUOTED.sub(lambda found: quote(found[0]), request.scope["query_string"].decode())
    same = [pair for pair in given.split("&") if unquote(pair.partition("=")[0]) != "cursor"]
    return f'<{request.scope["path"]}?{"&".join([*same, f"cursor={cursor}"])}>; rel="next"'
