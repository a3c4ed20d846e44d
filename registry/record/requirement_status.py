"""The requirement status of a document: which units it meets, and which are absent."""

from __future__ import annotations

import msgspec

from registry.record.model import Document
from registry.record.pointers import dig
from registry.record.requirements import (
    Requirements,
    conditions_held,
    never_withheld,
    requirements_under,
)


class RequirementStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status of a document.

    `excused` are the pointers that the record lawfully withholds. The others are pointers of units:
    an answer is `in_progress` or `withheld`; a unit without an answer is `absent`, in document
    order, and `empty` if it is stated all the same. The rest is met.
    """

    requirements: Requirements
    excused: tuple[str, ...]
    in_progress: frozenset[str]
    withheld: frozenset[str]
    absent: tuple[str, ...]
    empty: frozenset[str]


def requirement_status(document: Document) -> RequirementStatus:
    """Return the status of a document, whose shape is sound, for every unit it may state."""
    requirements = requirements_under(conditions_held(document))
    listed = dig(document, "publication", "withheld_fields") or ()
    excused = tuple(entry["pointer"] for entry in listed if not never_withheld(entry["pointer"]))
    covered = {unit for given in excused for unit in requirements.units if covers(given, unit)}
    sections = {"": document} | {
        name: value for name, value in document.items() if isinstance(value, dict)
    }
    withheld: list[str] = []
    absent: list[str] = []
    in_progress, empty = set(), set()
    for section, units in requirements.sections:
        members = sections.get(section, {})
        for unit in units:
            value = members.get(unit.name)
            if value is None:
                if not unit.substitutes or members.keys().isdisjoint(unit.substitutes):
                    (withheld if unit.pointer in covered else absent).append(unit.pointer)
            elif unit.is_question:
                match value.get("answer"):
                    case "in_progress":
                        in_progress.add(unit.pointer)
                    case "withheld":
                        withheld.append(unit.pointer)
                    case "no" | "not_applicable" if "note" not in value:
                        empty.add(unit.pointer)
                        absent.append(unit.pointer)
            elif value == [] and not unit.empty_answers:
                empty.add(unit.pointer)
                absent.append(unit.pointer)
    return RequirementStatus(
        requirements=requirements,
        excused=excused,
        in_progress=frozenset(in_progress),
        withheld=frozenset(withheld),
        absent=tuple(absent),
        empty=frozenset(empty),
    )


def covers(given: str, place: str) -> bool:
    """Return whether a pointer is another one or above it."""
    return place == given or place.startswith(given + "/")
