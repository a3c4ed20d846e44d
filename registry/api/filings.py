"""Filing, for agencies with a token: drafts, submission, review, and changes by a part."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, get_args

import msgspec
from litestar import Response, delete, get, patch, post, put
from litestar.di import NamedDependency

from registry.api.operations import answers, describes, json_of, limits, ref, token
from registry.api.parameters import CodeParameter, RecordPath
from registry.api.request import ApiRequest, ApiState
from registry.api.writes import Call, ReceiptAnswer, answer_receipt, precondition_of, private
from registry.clock import utc_now
from registry.errors import (
    Conflict,
    Finding,
    InvalidParameter,
    InvalidRecord,
    InvalidStatement,
    PreconditionRequired,
)
from registry.record.model import LangText
from registry.record.statements import COMMENT_LENGTH
from registry.services.filing import drafts, groups, review
from registry.services.filing.drafts import DraftChanges
from registry.services.people.access import Actor
from registry.store.drafts import Draft, DraftState
from registry.structs import copy_as

_OF_RECORD = ("get_record", "list_versions", "list_findings", "save_draft")


class DraftProgress(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a draft: whether it is in review, and what its latest review said.

    `comment` is the text or texts of the reviewer who returned it last, `comments` what was said of
    single fields, by JSON Pointer.
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
    comments: dict[str, str | LangText]


class DraftAnswer(DraftProgress, frozen=True, kw_only=True):
    """A draft, with what publication would still ask of it: 50 of `findings_total` at most.

    `upcoming` is what the law is known to ask for from a later day on, and the draft lacks.
    """

    document: Annotated[msgspec.Raw, json_of("Record")]
    publishable: bool
    completeness: int
    accountability: int
    findings: tuple[Finding, ...]
    findings_total: int
    upcoming: tuple[Finding, ...] = ()


class DraftItem(DraftProgress, frozen=True, kw_only=True):
    """One line of a list of drafts."""

    amends: bool
    tag: str


class DraftList(msgspec.Struct, frozen=True, kw_only=True):
    """Drafts, in the order of ids."""

    items: list[DraftItem]


COMMENT = {
    "anyOf": [
        {**ref("RecordText"), "maxLength": COMMENT_LENGTH},
        {**ref("RecordLangText"), "additionalProperties": {"maxLength": COMMENT_LENGTH}},
    ]
}


class Returning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reviewer says to the agency: a text, or texts by language, 1 to 2,000 characters.

    `comments` says the same of single fields, by the JSON Pointer of each (`/purpose/goal`); where
    there are some, `comment` may be left out.
    """

    comment: Annotated[msgspec.Raw, limits(**COMMENT)] | msgspec.UnsetType = msgspec.UNSET
    comments: (
        Annotated[msgspec.Raw, limits(type="object", additionalProperties=COMMENT)]
        | msgspec.UnsetType
    ) = msgspec.UNSET


@put(
    "/api/v1/filings/{agency:str}/{slug:str}",
    summary="Save a draft",
    tags=["filings"],
    security=token("file"),
    responses=answers(DraftAnswer, 200, 201),
    opt=describes(
        problems=(InvalidRecord, PreconditionRequired, Conflict),
        body="record",
        condition="new or changed",
        tagged=True,
        keyed=True,
        follows=("get_draft", "delete_draft", "submit_draft"),
    ),
)
async def save_draft(record: RecordPath, call: Call) -> Response[bytes]:
    """Begin a record, change its draft, or begin an amendment.

    `If-None-Match: *` begins a record; `If-Match` names the draft or the published version.
    """
    document = await call.document()
    saved = await drafts.save_draft(call.context, call.actor, record, document, **call.options)
    return draft_answer(saved, status=201 if saved.created else 200)


@get(
    "/api/v1/filings/{agency:str}/{slug:str}",
    summary="Read a draft",
    tags=["filings"],
    security=token("read_draft"),
    responses=answers(DraftAnswer),
    opt=describes(follows=("approve_draft", "return_draft")),
)
async def get_draft(record: RecordPath, call: Call) -> Response[bytes]:
    """Read your own draft, or one that you review, with its findings."""
    saved = await drafts.read_draft(
        call.context, call.actor, record, now=utc_now(), language=call.language
    )
    return draft_answer(saved, status=200)


@delete(
    "/api/v1/filings/{agency:str}/{slug:str}",
    status_code=204,
    summary="Throw a draft away",
    tags=["filings"],
    security=token("file"),
    responses=answers(None, 204),
    opt=describes(condition="changed"),
)
async def delete_draft(
    request: ApiRequest, record: RecordPath, state: ApiState, actor: NamedDependency[Actor]
) -> None:
    """Throw your own draft away, also to take it back from review; what is published stays."""
    await drafts.delete_draft(
        state.context, actor, record, precondition=precondition_of(request), now=utc_now()
    )


@get(
    "/api/v1/filings",
    summary="List drafts",
    tags=["filings"],
    security=token("read_draft"),
    responses=answers(DraftList),
)
async def list_drafts(
    state: ApiState,
    actor: NamedDependency[Actor],
    wanted: Annotated[
        DraftState | None,
        CodeParameter(
            name="state",
            description="Only those in this state: draft or in_review",
            codes=lambda _: get_args(DraftState),
        ),
    ] = None,
) -> Response[bytes]:
    """List your agency's drafts, or, as a reviewer, what waits for you."""
    found = await drafts.list_drafts(state.context, actor, state=wanted)
    items = [
        copy_as(DraftItem, draft, **_progress(draft), amends=draft.base is not None)
        for draft in found
    ]
    return private(DraftList(items=items))


@post(
    "/api/v1/filings/{agency:str}/{slug:str}/submit",
    summary="Submit a draft",
    tags=["filings"],
    security=token("file"),
    responses=answers(ReceiptAnswer, 200, 201, 202),
    opt=describes(
        problems=(InvalidRecord, Conflict),
        condition="changed",
        tagged=True,
        keyed=True,
        follows=("approve_draft", "return_draft", *_OF_RECORD),
    ),
)
async def submit_draft(record: RecordPath, call: Call) -> Response[bytes]:
    """Publish your draft or put it into review, or learn every reason why not.

    Submitting twice is harmless.
    """
    receipt = await review.submit(call.context, call.actor, record, **call.options)
    return answer_receipt(receipt, call)


@post(
    "/api/v1/filings/{agency:str}/{slug:str}/approve",
    summary="Approve a draft",
    tags=["filings"],
    security=token("review"),
    responses=answers(ReceiptAnswer, 200, 201),
    opt=describes(
        problems=(InvalidRecord, PreconditionRequired, Conflict),
        condition="changed",
        tagged=True,
        keyed=True,
        follows=_OF_RECORD,
    ),
)
async def approve_draft(record: RecordPath, call: Call) -> Response[bytes]:
    """Publish what is in review, and was submitted by somebody else than you.

    `If-Match` with the tag of the draft that you have read says which text you approve.
    """
    receipt = await review.approve(call.context, call.actor, record, **call.options)
    return answer_receipt(receipt, call)


@post(
    "/api/v1/filings/{agency:str}/{slug:str}/return",
    summary="Return a draft",
    tags=["filings"],
    security=token("review"),
    responses=answers(ReceiptAnswer),
    opt=describes(
        problems=(InvalidStatement, Conflict),
        body=Returning,
        condition="changed",
        tagged=True,
        keyed=True,
        follows=("get_draft", "save_draft"),
    ),
)
async def return_draft(record: RecordPath, call: Call) -> Response[bytes]:
    """Return what is in review to its agency, with comments that say what to mend."""
    document = await call.document()
    receipt = await review.return_draft(call.context, call.actor, record, document, **call.options)
    return answer_receipt(receipt, call)


def draft_answer(saved: drafts.SavedDraft, *, status: int) -> Response[bytes]:
    """Return a draft with its findings and its tag."""
    draft, verdict = saved.draft, saved.verdict
    answer = copy_as(
        DraftAnswer,
        draft,
        verdict,
        **_progress(draft),
        document=msgspec.Raw(draft.document.encode()),
        accountability=verdict.accountability or 0,
    )
    headers = {"etag": f'"{draft.tag}"'}
    return private(answer, status=status, headers=headers)


def _progress(draft: Draft) -> dict[str, Any]:
    return {
        "id": draft.record,
        "saved_by": draft.actor,
        "comment": None if draft.comment is None else msgspec.json.decode(draft.comment),
        "comments": review.comments_of(draft),
    }


@patch(
    "/api/v1/filings/{agency:str}/{slug:str}",
    summary="Patch a draft",
    tags=["filings"],
    security=token("file"),
    responses=answers(DraftAnswer, 200, 201),
    opt=describes(
        problems=(InvalidRecord, PreconditionRequired, Conflict),
        body="patch",
        condition="changed",
        tagged=True,
        keyed=True,
        follows=("get_draft", "delete_draft", "submit_draft"),
    ),
)
async def patch_draft(record: RecordPath, call: Call) -> Response[bytes]:
    """Change some members of your draft, or begin an amendment with them (RFC 7396).

    `null` removes a member, and a list is replaced as a whole; `If-Match` names what you patch.
    """
    document = await call.document("application/merge-patch+json")
    saved = await drafts.patch_draft(call.context, call.actor, record, document, **call.options)
    return draft_answer(saved, status=201 if saved.created else 200)


@get(
    "/api/v1/filings/{agency:str}/{slug:str}/changes",
    summary="Compare a draft with the published version",
    tags=["filings"],
    security=token("read_draft"),
    responses=answers(DraftChanges),
    opt=describes(follows=("approve_draft", "return_draft")),
)
async def get_draft_changes(
    record: RecordPath, state: ApiState, actor: NamedDependency[Actor]
) -> Response[bytes]:
    """Read what a draft changes, field by field, in texts word by word: what a reviewer reads."""
    changes = await drafts.read_changes(state.context, actor, record, now=utc_now())
    return private(changes, headers={"etag": f'"{changes.tag}"'})


@post(
    "/api/v1/records/{agency:str}/{slug:str}",
    summary="Publish a record in one call",
    tags=["filings"],
    security=token("file"),
    responses=answers(ReceiptAnswer, 200, 201, 202),
    opt=describes(
        problems=(InvalidRecord, PreconditionRequired, Conflict),
        body="record",
        condition="new or changed",
        tagged=True,
        keyed=True,
        follows=("get_record", "list_versions", "list_findings", "save_draft"),
    ),
)
async def publish_record(
    *,
    record: RecordPath,
    action: Annotated[
        Literal["publish"] | None,
        CodeParameter(
            description="What is done: `publish`", codes=lambda _: ["publish"], required=True
        ),
    ] = None,
    call: Call,
) -> Response[bytes]:
    """Save a record and submit it at once, or learn every reason why not.

    It is a draft and its submission in one: published, or in review where that is required. Of
    what is refused nothing is kept.
    """
    if action is None:
        raise InvalidParameter("action: send action=publish to save and submit the record at once")
    document = await call.document()
    receipt = await groups.publish_one(call.context, call.actor, record, document, **call.options)
    return answer_receipt(receipt, call)
