"""Findings of the country's law: what its rows ask for and a record lacks, with the article."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from registry.record.field_descriptions import named_codes, titled
from registry.record.law import TEXT, Demand, Law, is_stated
from registry.record.messages import Message, PendingFinding, language_tag, message, translatable
from registry.record.model import Document
from registry.record.pack import Pack, law_of
from registry.record.pointers import parts
from registry.record.requirements import RequirementStatus, cited, covers, requirement_status
from registry.record.rule_context import RuleContext, make_rule_context
from registry.record.schema import field_at
from registry.record.shape_messages import add

_STATE = {
    "is": translatable("State one of: {codes}."),
    "not": translatable("State something else than {codes}."),
    "before": translatable("State a day before {codes}."),
    "from": translatable("State a day from {codes} on."),
}
_UNCONFIRMED = message("Nobody has confirmed this reading of the law yet.")
_ASKED = translatable("Asked for by {law}.")
_LATER = translatable("From {day} on asked for by {law}.")


def law_findings(context: RuleContext, status: RequirementStatus) -> Iterator[PendingFinding]:
    """Yield what the law asks for and the record lacks; the rule of each is the row's code."""
    for demand in unmet(context, status):
        yield _finding(demand, context.pack, _ASKED)


def upcoming_findings(document: Document, pack: Pack, today: dt.date) -> Iterator[PendingFinding]:
    """Yield what the law is known to ask for from a later day on, and a sound record lacks."""
    for demand in unmet_by(document, pack, law_of(pack, today, ahead=True), today):
        yield _finding(demand, pack, _LATER)


def unmet_by(document: Document, pack: Pack, law: Law, today: dt.date) -> Iterator[Demand]:
    """Yield what some law asks of a record, whose shape is sound, and the record lacks."""
    if law.demands:
        status = requirement_status(document, law)
        yield from unmet(make_rule_context(document, status, pack, today), status)


def unmet(context: RuleContext, status: RequirementStatus) -> Iterator[Demand]:
    """Yield what the law asks for and the record lacks, but for levels that follow from it."""
    units = status.requirements.units
    met = units.keys() - set(status.absent)
    restricted = "restricted" in context.held
    for demand in context.demands:
        place, condition = demand.pointer, demand.condition
        if (condition is None and place in met) or demand.level:
            continue
        if restricted and place not in units:
            continue
        if (condition is None and place in units) or not is_met(demand, context):
            yield demand


def _finding(demand: Demand, pack: Pack, wording: str) -> PendingFinding:
    return PendingFinding(
        pointer=demand.pointer.replace("/*", "/0"),
        rule=demand.row.code,
        severity="error" if demand.row.outcome == "error" else "warning",
        messages=(
            *_wanted(demand, pack),
            message(wording, law=cited(demand), day=demand.row.since),
            *(() if demand.row.confirmed_by else (_UNCONFIRMED,)),
            *((message("{form}", form=demand.row.note),) if demand.row.note else ()),
        ),
    )


def is_met(demand: Demand, context: RuleContext) -> bool:
    """Return whether the record states what a row asks for, or lawfully withholds it."""
    met = demand.condition is None and is_stated(context.document, demand.pointer)
    return met or any(covers(given, demand.pointer) for given in context.withheld)


def _wanted(demand: Demand, pack: Pack) -> tuple[Message, ...]:
    """Return what has to be stated: anything at the place, or what the condition says."""
    condition = demand.condition
    if condition is not None and condition.path == TEXT:
        wanted = language_tag(condition.value)
        return (message("Name, summary and goal are not all in {language}.", language=wanted),)
    field = field_at(parts(demand.pointer))
    if field is None:
        return ()
    if condition is None or condition.test == "has":
        return message("{title}: missing here.", title=titled(field)), add(field)
    lists = (field.entry if field.is_list else field).lists
    known = pack.codes(lists) if lists else {}
    codes = [(code, known.get(code)) for code in condition.codes]
    return (
        message("{title}: the law asks for something else here.", title=titled(field)),
        message(
            _STATE[condition.test],
            codes=tuple(named_codes({code: held})[0] if held else code for code, held in codes),
        ),
    )
