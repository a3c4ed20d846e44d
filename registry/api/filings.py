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
from registry.api.gate import read_document
from registry.api.language import Lang, language_of
from registry.api.receipts import answer_receipt
from registry.api.writing import means_of, now, precondition_of, private
from registry.errors import Finding
from registry.office import filing, submitting
from registry.office.access import Actor
from registry.office.filing import Office
from registry.record.model import LangText
from registry.settings import Settings
from registry.store import drafts

STATES: tuple[drafts.State, ...] = get_args(drafts.State)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a draft stands: whether it is in review, and what its latest review said.

    `comment` is the text or texts of the reviewer who returned it last.
    """

    id: str
    state: drafts.State
    saved_at: dt.datetime
    saved_by: str
    submitted_at: dt.datetime | None
    submitted_by: str | None
    returned_at: dt.datetime | None
    returned_by: str | None
    comment: str | LangText | None


class DraftAnswer(Standing, frozen=True, kw_only=True):
    """A draft, with what publication would still ask of it."""

    document: msgspec.Raw
    publishable: bool
    completeness: int
    accountability: int
    findings: tuple[Finding, ...]


class DraftItem(Standing, frozen=True, kw_only=True):
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
    office: NamedDependency[Office],
    actor: NamedDependency[Actor],
    lang: Lang = None,
) -> Response[bytes]:
    """Begin a record, change its draft, or begin an amendment.

    `If-None-Match: *` begins a record; `If-Match` names the draft or the published version.
    """
    document = await read_document(request)
    means = means_of(request, lang, office.pack)
    saved = await filing.save_draft(office, actor, f"{agency}/{slug}", document, **means)
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
    """Read your own draft, or one that you review, with its findings."""
    language = language_of(request, lang, office.pack)
    saved = await filing.read_draft(office, actor, f"{agency}/{slug}", now=now(), language=language)
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
    """Throw your own draft away, also to take it back from review; what is published stays."""
    await filing.delete_draft(
        office, actor, f"{agency}/{slug}", precondition=precondition_of(request), now=now()
    )


@get("/api/v1/filings", summary="List drafts", tags=["filings"])
async def list_drafts(
    request: Request[object, object, State],
    office: NamedDependency[Office],
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
    found = await filing.list_drafts(office, actor, state=wanted)
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
    office: NamedDependency[Office],
    actor: NamedDependency[Actor],
    settings: NamedDependency[Settings],
    lang: Lang = None,
) -> Response[bytes]:
    """Publish your draft or put it into review, or learn every reason why not.

    Submitting twice is harmless.
    """
    means = means_of(request, lang, office.pack)
    receipt = await submitting.submit(office, actor, f"{agency}/{slug}", **means)
    return answer_receipt(receipt, settings, office.pack, language=means["language"])


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
    office: NamedDependency[Office],
    actor: NamedDependency[Actor],
    settings: NamedDependency[Settings],
    lang: Lang = None,
) -> Response[bytes]:
    """Publish what is in review, and was submitted by somebody else than you.

    `If-Match` with the tag of the draft that you have read makes sure that you approve that one.
    """
    means = means_of(request, lang, office.pack)
    receipt = await submitting.approve(office, actor, f"{agency}/{slug}", **means)
    return answer_receipt(receipt, settings, office.pack, language=means["language"])


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
    office: NamedDependency[Office],
    actor: NamedDependency[Actor],
    settings: NamedDependency[Settings],
    lang: Lang = None,
) -> Response[bytes]:
    """Give what is in review back to its agency, with a comment that says what to mend."""
    document = await read_document(request)
    means = means_of(request, lang, office.pack)
    receipt = await submitting.return_draft(office, actor, f"{agency}/{slug}", document, **means)
    return answer_receipt(receipt, settings, office.pack, language=means["language"])


def _draft(saved: filing.SavedDraft, *, status: int) -> Response[bytes]:
    draft, verdict = saved.draft, saved.verdict
    answer = DraftAnswer(
        **_standing(draft),
        document=msgspec.Raw(draft.document.encode()),
        publishable=verdict.publishable,
        completeness=verdict.completeness,
        accountability=verdict.accountability,
        findings=verdict.findings,
    )
    headers = {"etag": f'"{draft.tag}"'}
    return private(msgspec.json.encode(answer), status=status, headers=headers)


def _standing(draft: drafts.Draft) -> dict[str, Any]:
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
