"""Judging: whether a step may be taken, beside what the register holds and the steps before it."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.errors import Conflict, InvalidRecord
from registry.record.pack import Pack
from registry.record.validate import validate, with_remarks
from registry.services.commands import Change, Filing, Withdrawal
from registry.services.register_context import RegisterContext
from registry.text.catalogues import SOURCE


def check_publishable(
    around: RegisterContext, filing: Filing, step: Change, pack: Pack, *, now: dt.datetime
) -> Change | None:
    """Give a step with its verdict, None where it is taken; raises with every finding."""
    if isinstance(step, Withdrawal):
        around.withdraw(filing.record)
        return step
    draft = around.drafts.get(filing.record)
    if draft is not None and draft.state == "in_review" and draft.document != step.content.decode():
        raise Conflict("this draft is in review; delete it to take it back, or wait for the review")
    if filing.purpose != "draft" and around.is_in_force(filing.record, step.content):
        return None
    remarks = around.remarks(step.document, step.content, pack)
    verdict = with_remarks(step.verdict, remarks, pack, SOURCE)
    if filing.purpose != "draft":
        if not verdict.publishable:
            own = validate(
                step.document,
                profile="publication",
                pack=pack,
                today=now.date(),
                language=filing.language,
            )
            told = with_remarks(own, remarks, pack, filing.language)
            raise InvalidRecord(
                f"{filing.record} cannot be published as it is", told.findings, told.findings_total
            )
        around.publish(step.document, step.content, at=now)
    return msgspec.structs.replace(step, verdict=verdict)
