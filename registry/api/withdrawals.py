"""Withdrawing a record, for its agency or the authority's administrator."""

from __future__ import annotations

import msgspec
from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from registry.api.language import Lang
from registry.api.receipts import answer_receipt
from registry.api.request_body import read_document
from registry.api.write_options import write_options
from registry.record.model import LangText
from registry.services import withdrawal
from registry.services.access import Actor
from registry.services.context import ServiceContext
from registry.settings import Settings


class Withdrawing(msgspec.Struct, frozen=True, kw_only=True):
    """Why a record is withdrawn: a code of the list `withdrawal_reason`, and a note by language."""

    reason: str
    note: LangText


@post(
    "/api/v1/records/{agency:str}/{slug:str}/withdraw",
    summary="Withdraw a record",
    tags=["records"],
)
async def withdraw_record(
    *,
    request: Request[object, object, State],
    agency: FromPath[str],
    slug: FromPath[str],
    context: NamedDependency[ServiceContext],
    actor: NamedDependency[Actor],
    settings: NamedDependency[Settings],
    lang: Lang = None,
) -> Response[bytes]:
    """Take a record out of force; its address says why, and its history stays readable."""
    document = await read_document(request)
    means = write_options(request, lang, context.pack)
    receipt = await withdrawal.withdraw(context, actor, f"{agency}/{slug}", document, **means)
    return answer_receipt(receipt, settings, context.pack, language=means["language"])
