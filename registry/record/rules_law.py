"""Findings of the country's law: what its rows ask for and a record lacks, with the article."""

from __future__ import annotations

from collections.abc import Iterator

from registry.record.field_descriptions import named_codes, titled
from registry.record.law import TEXT, Demand, values_stated
from registry.record.messages import Message, PendingFinding, language_tag, message, translatable
from registry.record.pack import Pack
from registry.record.pointers import parts
from registry.record.requirements import RequirementStatus, cited, covers
from registry.record.rule_context import RuleContext
from registry.record.schema import field_at
from registry.record.shape_messages import add

_STATE = {
    "is": translatable("State one of: {codes}."),
    "not": translatable("State something else than {codes}."),
    "before": translatable("State a day before {codes}."),
    "from": translatable("State a day from {codes} on."),
}


def law_findings(context: RuleContext, status: RequirementStatus) -> Iterator[PendingFinding]:
    """Yield what the law asks for and the record lacks; the rule of each is the row's code."""
    units, absent = status.requirements.units, frozenset(status.absent)
    for demand in context.demands:
        place = demand.pointer
        if demand.level or ("restricted" in context.held and place not in units):
            continue
        is_unit = demand.condition is None and place in units
        if place in absent if is_unit else not is_met(demand, context):
            yield PendingFinding(
                pointer=place.replace("/*", "/0"),
                rule=demand.row.code,
                severity="error" if demand.row.outcome == "error" else "warning",
                messages=(
                    *_wanted(demand, context.pack),
                    cited(translatable("Asked for by {law}, article {article}."), demand),
                    *((message("{form}", form=demand.row.note),) if demand.row.note else ()),
                ),
            )


def is_met(demand: Demand, context: RuleContext) -> bool:
    """Return whether the record states what a row asks for, or lawfully withholds it."""
    met = demand.condition is None and bool(values_stated(context.document, demand.pointer))
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
