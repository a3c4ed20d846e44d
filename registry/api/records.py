"""Reading records: one by its id or short code, its versions, findings and proof."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from typing import Annotated, TypeAlias

import msgspec
from litestar import MediaType, Response, get
from litestar.params import PathParameter, QueryParameter
from litestar.response.base import ASGIResponse

from registry.api.operations import answers, describes, json_of
from registry.api.parameters import AsOfParameter, RecordPath
from registry.api.request import ApiState
from registry.errors import Finding, InvalidParameter, NotFound, Withdrawn
from registry.ledger.proofs import read_record_proof
from registry.log.files import RecordProof
from registry.log.register import END, Redacted, Register, StoredRecord, VersionLine, Withdrawal
from registry.record.diff import Difference, differences
from registry.record.model import LangText
from registry.record.short_code import ALPHABET, LENGTH, read_code
from registry.services.statements.withdrawal import read_tombstone
from registry.store import codes, imports, records, withdrawals
from registry.store.as_of import read_entry
from registry.store.codes import CodedRecord
from registry.store.database import Connection
from registry.structs import copy_as

_VERSIONS = range(1, 2**31)
_LASTING = "public, max-age=86400, immutable"
"""For a day alone: a redaction must reach whoever keeps an answer."""

_NUMBERED = {"minimum": 1, "maximum": 2**31 - 1}

VersionParameter: TypeAlias = Annotated[
    int | None, QueryParameter(description="A version; else the latest, withdrawn or not")
]


class RecordAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a record: the document as filed, and what the register adds."""

    record: Annotated[msgspec.Raw, json_of("Record")]
    register: Register


class VersionList(msgspec.Struct, frozen=True, kw_only=True):
    """A record's history, oldest first: its versions, and its withdrawals."""

    items: list[VersionLine]
    withdrawals: list[Withdrawal]


class FindingList(msgspec.Struct, frozen=True, kw_only=True):
    """What validation noticed in a record's latest version."""

    items: list[Finding]


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A version that is compared; `hash` is its entry's leaf hash.

    What is `redacted` of it cannot be compared any more.
    """

    version: int
    published_at: dt.datetime
    hash: str
    redacted: list[Redacted]


class Comparison(msgspec.Struct, frozen=True, kw_only=True, rename={"earlier": "from"}):
    """How the version `to` differs from the version `from`; note and day are those of `to`."""

    id: str
    earlier: Compared
    to: Compared
    change_note: LangText | None
    changed_on: str | None
    items: list[Difference]


class RecordSource(msgspec.Struct, frozen=True, kw_only=True):
    """The row of another register that a record was last made from, as it was there.

    `seen_at` is when it was last there, by the import `run`. `whole` has the texts that the record
    has in part, by JSON Pointer.
    """

    id: str
    origin: str
    source_id: str
    changed_on: str | None
    seen_at: dt.datetime
    run: int | None
    row: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object"})]
    whole: dict[str, str]


@get(
    "/api/v1/records/{agency:str}/{slug:str}",
    summary="Read a record",
    tags=["records"],
    responses=answers(RecordAnswer),
    opt=describes(problems=(Withdrawn,), follows=("withdraw_record",)),
)
async def get_record(
    *, record: RecordPath, state: ApiState, as_of: AsOfParameter = None
) -> ASGIResponse:
    """Read the latest version: the document as filed, and what the register adds."""
    async with state.reads.connection() as connection:
        last = await read_entry(connection, as_of, now=state.clock())
        stored = await _stored(connection, record, as_of=last)
        if stored.register.state == "withdrawn":
            tombstone = await read_tombstone(connection, stored, as_of=last)
            raise Withdrawn(
                f"{stored.id} was withdrawn on {tombstone.withdrawn_at:%Y-%m-%d}; the tombstone "
                f"says why, and its versions stay at /api/v1/records/{stored.id}/versions",
                tombstone=tombstone,
            )
    return _record(stored)


@get(
    "/api/v1/records/{agency:str}/{slug:str}/versions",
    summary="List a record's versions",
    tags=["records"],
    responses=answers(VersionList),
)
async def list_versions(
    *, record: RecordPath, state: ApiState, as_of: AsOfParameter = None
) -> VersionList:
    """List every version ever published, and every withdrawal, oldest first."""
    async with state.reads.connection() as connection:
        last = await read_entry(connection, as_of, now=state.clock())
        versions = await records.read_versions(connection, record, as_of=last)
        if not versions:
            raise _unknown(f"record {record}", last)
        withdrawn = await withdrawals.read_all(connection, record, as_of=last)
    return VersionList(items=versions, withdrawals=withdrawn)


@get(
    "/api/v1/records/{agency:str}/{slug:str}/versions/{version:int}",
    summary="Read one version",
    tags=["records"],
    responses=answers(RecordAnswer),
)
async def get_version(
    *,
    record: RecordPath,
    version: Annotated[int, PathParameter(schema_extra=_NUMBERED)],
    state: ApiState,
    as_of: AsOfParameter = None,
) -> ASGIResponse:
    """Read a version as it was published."""
    async with state.reads.connection() as connection:
        last = await read_entry(connection, as_of, now=state.clock())
        return _record(await _stored(connection, record, version, as_of=last))


@get(
    "/api/v1/records/{agency:str}/{slug:str}/findings",
    summary="List what validation noticed",
    tags=["records"],
    responses=answers(FindingList),
)
async def list_findings(
    *, record: RecordPath, state: ApiState, as_of: AsOfParameter = None
) -> FindingList:
    """List the findings that were kept with the latest version."""
    async with state.reads.connection() as connection:
        last = await read_entry(connection, as_of, now=state.clock())
        stored = await _stored(connection, record, as_of=last)
    return FindingList(items=stored.register.noticed())


@get(
    "/api/v1/records/{agency:str}/{slug:str}/changes",
    summary="Compare two versions",
    tags=["records"],
    responses=answers(Comparison),
)
async def compare_versions(
    *,
    record: RecordPath,
    state: ApiState,
    earlier: Annotated[
        int | None,
        QueryParameter(
            name="from",
            description="A version; else the one before `to`",
            schema_extra=_NUMBERED,
        ),
    ] = None,
    to: Annotated[
        int | None,
        QueryParameter(description="A version; else the latest", schema_extra=_NUMBERED),
    ] = None,
) -> Response[bytes]:
    """Read what changed between two versions, field by field, in texts word by word.

    Without `from` and `to` they are the last two; withdrawals between them change nothing.
    """
    async with state.reads.connection() as connection:
        history = await records.read_versions(connection, record)
        first, second = _choose_versions(record, [line.version for line in history], earlier, to)
        before = await records.read(connection, record, first)
        after = await records.read(connection, record, second)
    if before is None or after is None:
        raise NotFound(f"there is no record {record}")
    items = await state.context.by_size(
        len(after.document),
        differences,
        msgspec.json.decode(before.document),
        msgspec.json.decode(after.document),
    )
    after_line = next(line for line in history if line.version == second)
    comparison = Comparison(
        id=record,
        earlier=copy_as(Compared, before.register),
        to=copy_as(Compared, after.register),
        change_note=after_line.change_note,
        changed_on=after_line.changed_on or None,
        items=items,
    )
    named = earlier is not None and to is not None
    return Response(
        content=msgspec.json.encode(comparison),
        media_type=MediaType.JSON,
        headers={"cache-control": _LASTING if named else "no-cache"},
    )


@get(
    "/api/v1/records/{agency:str}/{slug:str}/proof",
    summary="Prove a record",
    tags=["records"],
    responses=answers(RecordProof),
)
async def get_proof(
    *, record: RecordPath, state: ApiState, version: VersionParameter = None
) -> RecordProof:
    """Read the proof that a version is in the log, to be kept and checked without this register.

    `registry verify` checks a file of it; the page about the log says how to do it by hand.
    """
    async with state.reads.snapshot() as connection:
        return await read_record_proof(connection, state.tree, record, version)


@get(
    "/api/v1/records/{agency:str}/{slug:str}/source",
    summary="Read the row that a record was made from",
    tags=["imports"],
    responses=answers(RecordSource),
)
async def get_source(*, record: RecordPath, state: ApiState) -> RecordSource:
    """Read the row of another register that a record was last made from, as it was there.

    The log commits neither to it nor to when it was last there: this is the register's own word for
    what the other one said.
    """
    async with state.reads.connection() as connection:
        stored = await _stored(connection, record, as_of=END)
        row = await imports.read_source_row(connection, record)
    if row is None:
        why = "was filed here" if stored.register.origin is None else "has no row any more"
        raise NotFound(f"{record} {why}: there is no row that it was made from")
    return copy_as(
        RecordSource,
        row,
        id=record,
        origin=stored.register.origin or "",
        row=msgspec.Raw(row.content.encode()),
        whole=msgspec.json.decode(row.whole),
    )


async def _stored(
    connection: Connection, record: str, version: int | None = None, *, as_of: int
) -> StoredRecord:
    stored = None
    if version is None or version in _VERSIONS:
        stored = await records.read(connection, record, version, as_of=as_of)
    if stored is None:
        what = f"record {record}" if version is None else f"version {version} of {record}"
        raise _unknown(what, as_of)
    return stored


def _unknown(what: str, as_of: int) -> NotFound:
    then = "" if as_of == END else f" as of entry {as_of}"
    return NotFound(f"there is no {what}{then}")


def _record(stored: StoredRecord) -> ASGIResponse:
    """Answer with a version: canonical JSON, and what the register says beside it.

    A version in force has a strong ETag, in which it shows how many parts were erased of it, and
    what is said of its source. One that was superseded will not change again, but it did when the
    next one came: the tag by which it was known before must not bring a 304.
    """
    register = stored.register
    headers = {"cache-control": "no-cache"}
    if register.superseded_at is None:
        erased = f"-erased{count}" if (count := len(register.redacted)) else ""
        source = ""
        if register.origin:
            source = f"-{sha256(msgspec.json.encode(register.source)).hexdigest()[:8]}"
        headers["etag"] = f'"{register.hash[:16]}{erased}{source}"'
    body = b'{"record":' + stored.document + b',"register":' + msgspec.json.encode(register) + b"}"
    return ASGIResponse(body=body, headers=headers)


def _choose_versions(
    record: str, known: list[int], earlier: int | None, to: int | None
) -> tuple[int, int]:
    """Return the two versions that are meant; they are numbered from 1 without a gap."""
    if not known:
        raise NotFound(f"there is no record {record}")
    for name, version in (("from", earlier), ("to", to)):
        if version is not None and version < 1:
            raise InvalidParameter(f"{name}: {version} is no version; they are numbered from 1")
        if version is not None and version not in known:
            raise NotFound(f"there is no version {version} of {record}; the latest is {known[-1]}")
    second = known[-1] if to is None else to
    first = second - 1 if earlier is None else earlier
    if first == second:
        raise InvalidParameter(f"from and to are both version {first}; name two different ones")
    if first < 1:
        raise NotFound(f"there is no version before the first of {record} to compare it with")
    return first, second


@get(
    "/api/v1/codes/{code:str}",
    summary="Find the record of a short code",
    tags=["records"],
    responses=answers(CodedRecord),
)
async def get_code(
    *,
    code: Annotated[
        str, PathParameter(description="As it was typed: case, spaces and dashes do not matter")
    ],
    state: ApiState,
) -> CodedRecord:
    """Find the record that has a short code, in force or withdrawn.

    Raises `InvalidParameter` for what is no code, `NotFound` for a code that no record has.
    """
    typed = read_code(code)
    if typed.code is None:
        raise InvalidParameter(
            f"{typed.text!r} is no short code: it has {LENGTH} of the characters {ALPHABET}, of "
            "which the last one checks the others; one of them was misread or changed places"
        )
    async with state.reads.connection() as connection:
        found = await codes.read(connection, typed.code)
    if found is None:
        raise NotFound(f"no record of this register has the short code {typed.code}")
    return found
