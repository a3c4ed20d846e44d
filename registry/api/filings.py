"""Filing, for agencies with a token: drafts, submission, receipts."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import msgspec
from litestar import MediaType, Request, Response, delete, get, post, put
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from registry.api.gate import read_document
from registry.api.language import Lang, language_of
from registry.api.reference import DocumentOperation
from registry.errors import Finding, PreconditionFailed, Unauthorized
from registry.office import access, filing
from registry.office.access import Actor
from registry.office.filing import Office, Precondition
from registry.settings import Settings

_TAG = re.compile(r'"([0-9a-f]{16})(?:-[a-z]+)?"')


class DraftAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A draft, with what publication would still ask of it."""

    id: str
    state: str
    saved_at: dt.datetime
    document: msgspec.Raw
    publishable: bool
    completeness: int
    accountability: int
    findings: tuple[Finding, ...]


class DraftItem(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an agency's drafts."""

    id: str
    state: str
    saved_at: dt.datetime
    saved_by: str
    amends: bool
    tag: str


class DraftList(msgspec.Struct, frozen=True, kw_only=True):
    """An agency's drafts, in the order of ids."""

    items: list[DraftItem]


class ReceiptAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The proof of a filing, and where to look next. Keep it."""

    outcome: str
    id: str
    version: int
    hash: str
    entry: int
    published_at: dt.datetime
    links: dict[str, str]
    next: str


async def provide_actor(
    request: Request[object, object, State], office: NamedDependency[Office]
) -> Actor:
    """Recognise the bearer token of a request."""
    header = request.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("send your token: Authorization: Bearer regt_…")
    return await access.recognise(office.database, token.strip(), now=_now())


@put(
    "/api/v1/filings/{agency:str}/{slug:str}",
    summary="Save a draft",
    tags=["filings"],
    operation_class=DocumentOperation,
)
async def save_draft(
    *,
    request: Request[object, object, State],
    agency: FromPath[str],
    slug: FromPath[str],
    office: NamedDependency[Office],
    actor: NamedDependency[Actor],
    lang: Lang = None,
) -> Response[bytes]:
    """Begin a record, change its draft, or begin an amendment.

    `If-None-Match: *` begins a record; `If-Match` names the draft or the published version.
    """
    saved = await filing.save_draft(
        office,
        actor,
        f"{agency}/{slug}",
        await read_document(request),
        precondition=_precondition(request),
        now=_now(),
        language=language_of(request, lang, office.pack),
    )
    return _draft(saved, status=201 if saved.created else 200)


@get("/api/v1/filings/{agency:str}/{slug:str}", summary="Read a draft", tags=["filings"])
async def get_draft(
    *,
    request: Request[object, object, State],
    agency: FromPath[str],
    slug: FromPath[str],
    office: NamedDependency[Office],
    actor: NamedDependency[Actor],
    lang: Lang = None,
) -> Response[bytes]:
    """Read your own draft, with its findings."""
    language = language_of(request, lang, office.pack)
    saved = await filing.read_draft(
        office, actor, f"{agency}/{slug}", now=_now(), language=language
    )
    return _draft(saved, status=200)


@delete(
    "/api/v1/filings/{agency:str}/{slug:str}",
    status_code=204,
    summary="Throw a draft away",
    tags=["filings"],
)
async def delete_draft(
    request: Request[object, object, State],
    agency: FromPath[str],
    slug: FromPath[str],
    office: NamedDependency[Office],
    actor: NamedDependency[Actor],
) -> None:
    """Throw your own draft away; what is published stays."""
    await filing.delete_draft(
        office, actor, f"{agency}/{slug}", precondition=_precondition(request)
    )


@get("/api/v1/filings", summary="List your drafts", tags=["filings"])
async def list_drafts(
    office: NamedDependency[Office], actor: NamedDependency[Actor]
) -> Response[bytes]:
    """List your agency's drafts."""
    drafts = await filing.list_drafts(office, actor)
    answer = DraftList(
        items=[
            DraftItem(
                id=draft.record,
                state="draft",
                saved_at=draft.saved_at,
                saved_by=draft.actor,
                amends=draft.base is not None,
                tag=draft.tag,
            )
            for draft in drafts
        ]
    )
    return _private(msgspec.json.encode(answer), {})


@post(
    "/api/v1/filings/{agency:str}/{slug:str}/submit",
    summary="Submit a draft",
    tags=["filings"],
)
async def submit_draft(
    *,
    request: Request[object, object, State],
    agency: FromPath[str],
    slug: FromPath[str],
    office: NamedDependency[Office],
    actor: NamedDependency[Actor],
    settings: NamedDependency[Settings],
    lang: Lang = None,
) -> Response[bytes]:
    """Publish your draft, or learn every reason why not. Submitting twice is harmless."""
    receipt = await filing.submit(
        office,
        actor,
        f"{agency}/{slug}",
        precondition=_precondition(request),
        now=_now(),
        language=language_of(request, lang, office.pack),
    )
    base = settings.base_url
    answer = ReceiptAnswer(
        outcome=receipt.outcome,
        id=receipt.id,
        version=receipt.version,
        hash=receipt.hash,
        entry=receipt.entry,
        published_at=receipt.published_at,
        links={
            "record": f"{base}/api/v1/records/{receipt.id}",
            "version": f"{base}/api/v1/records/{receipt.id}/versions/{receipt.version}",
            "history": f"{base}/api/v1/records/{receipt.id}/versions",
            "changes": f"{base}/api/v1/changes?since={receipt.entry - 1}&limit=1",
        },
        next="The record is public now and in search; the site shows it within seconds. To change "
        "it, save an amendment with If-Match and the tag in the ETag header.",
    )
    return _private(
        msgspec.json.encode(answer),
        {"etag": f'"{receipt.hash[:16]}"'},
        status=201 if receipt.outcome == "published" else 200,
    )


def _draft(saved: filing.SavedDraft, *, status: int) -> Response[bytes]:
    draft, verdict = saved.draft, saved.verdict
    answer = DraftAnswer(
        id=draft.record,
        state="draft",
        saved_at=draft.saved_at,
        document=msgspec.Raw(draft.document.encode()),
        publishable=verdict.publishable,
        completeness=verdict.completeness,
        accountability=verdict.accountability,
        findings=verdict.findings,
    )
    return _private(msgspec.json.encode(answer), {"etag": f'"{draft.tag}"'}, status=status)


def _private(body: bytes, headers: dict[str, str], status: int = 200) -> Response[bytes]:
    return Response(
        content=body,
        status_code=status,
        media_type=MediaType.JSON,
        headers={"cache-control": "no-store", **headers},
    )


def _precondition(request: Request[Any, Any, Any]) -> Precondition | None:
    match = request.headers.get("if-match")
    if match is not None:
        tag = _TAG.fullmatch(match.strip())
        if tag is None:
            raise PreconditionFailed(
                f"If-Match: {match} is not one strong tag of ours; send the ETag that the draft "
                "or the record was answered with, quotes included"
            )
        return Precondition(tag=tag[1])
    none_match = request.headers.get("if-none-match")
    if none_match is None:
        return None
    if none_match.strip() != "*":
        raise PreconditionFailed("to begin a new record send If-None-Match: *, nothing else")
    return Precondition(new=True)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
