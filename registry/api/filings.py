"""Filing, for agencies with a token: drafts, submission, review."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, get_args

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from registry.api import parameters
from registry.api.language import Lang, language_of
from registry.api.receipts import answer_receipt
from registry.api.request_body import read_document
from registry.api.write_options import precondition_of, private, write_options
from registry.clock import utc_now
from registry.errors import Finding
from registry.record.model import LangText
from registry.services import drafts, review
from registry.services.access import Actor
from registry.services.context import ServiceContext
from registry.settings import Settings
from registry.store.drafts import Draft, DraftState

STATES: tuple[DraftState, ...] = get_args(DraftState)


class DraftStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Where a draft stands: whether it is in review, and what its latest review said.

    `comment` is the text or texts of the reviewer who returned it last.
    """

    id: str
    state: DraftState
    saved_at: dt.datetime
    saved_by: str
    submitted_at: dt.datetime | None
    submitted_by: str | None
    returned_at: dt.datetime | None
    returned_by: str | None
    comment: str | LangText | None


class DraftAnswer(DraftStanding, frozen=True, kw_only=True):
    """A draft, with what publication would still ask of it: 50 of `findings_total` at most."""

    document: msgspec.Raw
    publishable: bool
    completeness: int
    accountability: int
    findings: tuple[Finding, ...]
    findings_total: int


class DraftItem(DraftStanding, frozen=True, kw_only=True):
    """One line of a list of drafts."""

    amends: bool
    tag: str


class DraftList(msgspec.Struct, frozen=True, kw_only=True):
    """Drafts, in the order of ids."""

    items: list[DraftItem]


class Returning(msgspec.Struct, frozen=True, kw_only=True):
    """What a reviewer says to the agency: a text, or texts by language, 1 to 2,000 characters."""

    comment: str | LangText


@put(
    "/api/v1/filings/{agency:str}/{slug:str}",
    summary="Save a draft",
    tags=["filings"],
)
async def save_draft(
    *,
    request: Request[object, object, State],
    agency: FromPath[str],
    slug: FromPath[str],
    context: NamedDependency[ServiceContext],
    actor: NamedDependency[Actor],
    lang: Lang = None,
) -> Response[bytes]:
    """Begin a record, change its draft, or begin an amendment.

    `If-None-Match: *` begins a record; `If-Match` names the draft or the published version.
    """
    document = await read_document(request)
    means = write_options(request, lang, context.pack)
    saved = await drafts.save_draft(context, actor, f"{agency}/{slug}", document, **means)
    return _draft(saved, status=201 if saved.created else 200)


@get("/api/v1/filings/{agency:str}/{slug:str}", summary="Read a draft", tags=["filings"])
async def get_draft(
    *,
    request: Request[object, object, State],
    agency: FromPath[str],
    slug: FromPath[str],
    context: NamedDependency[ServiceContext],
    actor: NamedDependency[Actor],
    lang: Lang = None,
) -> Response[bytes]:
    """Read your own draft, or one that you review, with its findings."""
    language = language_of(request, lang, context.pack)
    saved = await drafts.read_draft(
        context, actor, f"{agency}/{slug}", now=utc_now(), language=language
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
    context: NamedDependency[ServiceContext],
    actor: NamedDependency[Actor],
) -> None:
    """Throw your own draft away, also to take it back from review; what is published stays."""
    await drafts.delete_draft(
        context, actor, f"{agency}/{slug}", precondition=precondition_of(request), now=utc_now()
    )


@get("/api/v1/filings", summary="List drafts", tags=["filings"])
async def list_drafts(
    request: Request[object, object, State],
    context: NamedDependency[ServiceContext],
    actor: NamedDependency[Actor],
    standing: Annotated[
        str | None,
        QueryParameter(name="state", description="Only those in this state: draft or in_review"),
    ] = None,
) -> Response[bytes]:
    """List your agency's drafts, or, as a reviewer, what waits for you."""
    parameters.once(request, "state")
    if standing is not None:
        parameters.codes("state", [standing], STATES)
    wanted = next((known for known in STATES if known == standing), None)
    found = await drafts.list_drafts(context, actor, state=wanted)
    items = [
        DraftItem(**_standing(draft), amends=draft.base is not None, tag=draft.tag)
        for draft in found
    ]
    return private(msgspec.json.encode(DraftList(items=items)))


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
    context: NamedDependency[ServiceContext],
    actor: NamedDependency[Actor],
    settings: NamedDependency[Settings],
    lang: Lang = None,
) -> Response[bytes]:
    """Publish your draft or put it into review, or learn every reason why not.

    Submitting twice is harmless.
    """
    means = write_options(request, lang, context.pack)
    receipt = await review.submit(context, actor, f"{agency}/{slug}", **means)
    return answer_receipt(receipt, settings, context.pack, language=means["language"])


@post(
    "/api/v1/filings/{agency:str}/{slug:str}/approve",
    summary="Approve a draft",
    tags=["filings"],
)
async def approve_draft(
    *,
    request: Request[object, object, State],
    agency: FromPath[str],
    slug: FromPath[str],
    context: NamedDependency[ServiceContext],
    actor: NamedDependency[Actor],
    settings: NamedDependency[Settings],
    lang: Lang = None,
) -> Response[bytes]:
    """Publish what is in review, and was submitted by somebody else than you.

    `If-Match` with the tag of the draft that you have read makes sure that you approve that one.
    """
    means = write_options(request, lang, context.pack)
    receipt = await review.approve(context, actor, f"{agency}/{slug}", **means)
    return answer_receipt(receipt, settings, context.pack, language=means["language"])


@post(
    "/api/v1/filings/{agency:str}/{slug:str}/return",
    summary="Return a draft",
    tags=["filings"],
)
async def return_draft(
    *,
    request: Request[object, object, State],
    agency: FromPath[str],
    slug: FromPath[str],
    context: NamedDependency[ServiceContext],
    actor: NamedDependency[Actor],
    settings: NamedDependency[Settings],
    lang: Lang = None,
) -> Response[bytes]:
    """Give what is in review back to its agency, with a comment that says what to mend."""
    document = await read_document(request)
    means = write_options(request, lang, context.pack)
    receipt = await review.return_draft(context, actor, f"{agency}/{slug}", document, **means)
    return answer_receipt(receipt, settings, context.pack, language=means["language"])


def _draft(saved: drafts.SavedDraft, *, status: int) -> Response[bytes]:
    draft, verdict = saved.draft, saved.verdict
    answer = DraftAnswer(
        **_standing(draft),
        document=msgspec.Raw(draft.document.encode()),
        publishable=verdict.publishable,
        completeness=verdict.completeness,
        accountability=verdict.accountability,
        findings=verdict.findings,
        findings_total=verdict.findings_total,
    )
    headers = {"etag": f'"{draft.tag}"'}
    return private(msgspec.json.encode(answer), status=status, headers=headers)


def _standing(draft: Draft) -> dict[str, Any]:
    return {
        "id": draft.record,
        "state": draft.state,
        "saved_at": draft.saved_at,
        "saved_by": draft.actor,
        "submitted_at": draft.submitted_at,
        "submitted_by": draft.submitted_by,
        "returned_at": draft.returned_at,
        "returned_by": draft.returned_by,
        "comment": None if draft.comment is None else msgspec.json.decode(draft.comment),
    }
