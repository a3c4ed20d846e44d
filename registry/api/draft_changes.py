"""Filing in fewer calls, and what a draft changes: for agencies and reviewers with a token."""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import Response, get, patch, post
from litestar.di import NamedDependency

from registry.api.filings import DraftAnswer, draft_answer
from registry.api.operations import answers, describes, token
from registry.api.parameters import CodeParameter, RecordPath
from registry.api.request_context import ApiState
from registry.api.writes import Call, ReceiptAnswer, answer_receipt, private
from registry.clock import utc_now
from registry.errors import Conflict, InvalidParameter, InvalidRecord, PreconditionRequired
from registry.services import draft_changes, filing
from registry.services.access import Actor
from registry.services.draft_changes import DraftChanges

MERGE_PATCH = "application/merge-patch+json"


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
    document = await call.document(MERGE_PATCH)
    saved = await draft_changes.patch_draft(
        call.context, call.actor, record, document, **call.options
    )
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
    changes = await draft_changes.read_changes(state.context, actor, record, now=utc_now())
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
    receipt = await filing.publish_one(call.context, call.actor, record, document, **call.options)
    return answer_receipt(receipt, call)
