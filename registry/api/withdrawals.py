"""Withdrawing a record, for its agency or the authority's administrator."""

from __future__ import annotations

from litestar import Response, post

from registry.api.acts import ActAnswer, answer_act
from registry.api.operations import answers, describes, token
from registry.api.parameters import RecordPath
from registry.api.writes import Call, ReceiptAnswer, answer_receipt
from registry.errors import Conflict, InvalidStatement, PreconditionRequired
from registry.services import withdrawal
from registry.services.pending_acts import ActReceipt


@post(
    "/api/v1/records/{agency:str}/{slug:str}/withdraw",
    summary="Withdraw a record",
    tags=["records"],
    security=token("withdraw"),
    responses={**answers(ReceiptAnswer, 200, 201), **answers(ActAnswer, 202)},
    opt=describes(
        problems=(InvalidStatement, PreconditionRequired, Conflict),
        body="Withdrawing",
        condition="changed",
        keyed=True,
        follows=("list_versions", "save_draft"),
    ),
)
async def withdraw_record(record: RecordPath, call: Call) -> Response[bytes]:
    """Take a record out of force; its address says why, and its history stays readable.

    Where review is required, it waits for another person first (202).
    """
    document = await call.document()
    receipt = await withdrawal.withdraw(call.context, call.actor, record, document, **call.options)
    if isinstance(receipt, ActReceipt):
        return answer_act(receipt, call)
    return answer_receipt(receipt, call)
