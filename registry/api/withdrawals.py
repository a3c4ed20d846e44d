"""Withdrawing a record, for its agency or the authority's administrator."""

from __future__ import annotations

import msgspec
from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from registry.api.gate import read_document
from registry.api.language import Lang
from registry.api.receipts import answer_receipt
from registry.api.writing import means_of
from registry.office import withdrawing
from registry.office.access import Actor
from registry.office.filing import Office
from registry.record.model import LangText
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
    office: NamedDependency[Office],
    actor: NamedDependency[Actor],
    settings: NamedDependency[Settings],
    lang: Lang = None,
) -> Response[bytes]:
    """Take a record out of force; its address says why, and its history stays readable."""
    document = await read_document(request)
    means = means_of(request, lang, office.pack)
    receipt = await withdrawing.withdraw(office, actor, f"{agency}/{slug}", document, **means)
    return answer_receipt(receipt, settings, office.pack, language=means["language"])
