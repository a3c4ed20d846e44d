"""The rule on lawful withholding."""

from __future__ import annotations

from collections.abc import Iterator

from registry.record.field_descriptions import quoted, title_at
from registry.record.messages import Message, PendingFinding, message
from registry.record.pointers import field_path, parts, pointer, value_at
from registry.record.requirements import answer_paths, never_withheld
from registry.record.rule_context import ASKED_BY_FORMAT, RuleContext, remark
from registry.record.schema import field_at

_LIST = "/publication/withheld_fields"


def lawfully_withheld(context: RuleContext) -> Iterator[PendingFinding]:
    """R18: What is withheld is named with its ground, is not stated, and may be withheld at all.

    An error for a pointer to no field of the format, to a stated value, or to what is never
    withheld (identity, name, summary, goal, risk, sector, status, contact, organisation, role and
    legal effect, human oversight, contestation, that an assessment exists and its type), and for
    an answer `withheld` without its pointer. A lawful one satisfies what asks for the field; the
    law that each ground rests on is in the pack.
    """
    entries = context.dig("publication", "withheld_fields") or ()
    if not entries and "withholds" not in context.held:
        return
    for index, entry in enumerate(entries):
        fault = _fault(context, entry["pointer"])
        if fault is not None:
            yield remark("R18", f"{_LIST}/{index}/pointer", fault, ASKED_BY_FORMAT)
    named = {entry["pointer"] for entry in entries}
    for path in answer_paths():
        place = pointer(path)
        if context.dig(*path, "answer") != "withheld" or place in named:
            continue
        yield remark(
            "R18",
            place if entries else _LIST,
            message(
                "The answer at {place} is withheld, and nothing says on what ground. Add an entry "
                "for {place} to {list}.",
                place=place,
                list=_LIST,
            ),
            ASKED_BY_FORMAT,
        )


def _fault(context: RuleContext, given: str) -> Message | None:
    path = parts(given)
    field = field_at(field_path(path))
    if field is None:
        return message(
            "{place} is no field of the format. Mend the pointer.",
            place=quoted(given),
            plain=message("This names no field of a record. Choose one of the list."),
        )
    title = title_at(path)
    if never_withheld(given):
        return message(
            "{title} ({place}) is never withheld, nor anything that holds it: the public is always "
            "told. State it, or file a restricted record.",
            title=title,
            place=given,
            plain=message(
                "This is never withheld, nor anything that holds it: {title}. The public is always "
                "told. State it, or file a restricted record.",
                title=title,
            ),
        )
    value = value_at(context.document, path)
    answered = isinstance(value, dict) and value.get("answer") == "withheld"
    if value is None or answered:
        return None
    return message(
        "{title}: {place} is stated, so it is not withheld. Remove the value or this entry.",
        title=title,
        place=given,
    )
