"""Which fields are asked for when, computed from the schema's `x-requirement`.

Each annotated field is one requirement unit. The notation is explained in the schema's `$comment`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from registry.errors import ConfigurationError, Severity
from registry.record.pointers import dig, parts, pointer
from registry.record.sayings import Saying, message, say
from registry.record.schema import Field, fields, record_schema

if TYPE_CHECKING:
    from registry.record.model import Document

Path: TypeAlias = tuple[str, ...]
State: TypeAlias = Literal["met", "half", "withheld", "empty", "missing"]

ALWAYS, OPTIONAL = "M", "o"
WEIGHT_REQUIRED, WEIGHT_OPTIONAL = 3, 1

RISK_LEVEL = ("risk", "level")
_STATUS = ("lifecycle", "status")
_ORIGIN = ("procurement", "origin")

# Under these an unmet H is an error even before the system is in operation.
_ALWAYS_ERROR = (("risk",), ("purpose",), ("organisation",), ("data", "legal_basis"))

NEVER_WITHHELD: tuple[Path, ...] = (
    ("id",),
    ("name",),
    ("summary",),
    ("purpose", "goal"),
    ("risk",),
    ("sector",),
    ("lifecycle", "status"),
    ("contact",),
    ("organisation",),
    ("decision", "role"),
    ("decision", "legal_effect"),
    ("decision", "human_oversight"),
    ("rights", "contestation"),
    ("assessments",),
)
"""What the public is always told: paths whose absence no `withheld_fields` entry excuses."""


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """Holds when one of the paths has one of the values (or none has, when `negated`)."""

    paths: tuple[Path, ...]
    values: tuple[str | bool, ...]
    reason: str
    negated: bool = False


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """One field that is asked for.

    `alternatives` are conjunctions of conditions, any of which suffices; `grave` are those under
    which the absence is an error. `places` are the field and the siblings that may stand in.
    """

    path: Path
    pointer: str
    field: Field
    alternatives: tuple[tuple[str, ...], ...]
    grave: tuple[tuple[str, ...], ...]
    optional: bool
    exclusive: bool
    places: tuple[Path, ...]
    empty_answers: bool
    recommended: str | None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a document stands to one unit: how much it counts, and whether it is there.

    `severity` is that of the finding when it is not, `reason` says when it is asked for.
    """

    unit: Unit
    weight: int
    state: State
    severity: Severity | None
    reason: Saying

    @property
    def absent(self) -> bool:
        """Whether nothing is there that could count as an answer."""
        return self.state in {"missing", "empty"}


@cache
def conditions() -> dict[str, Condition]:
    """Every condition that the notation knows, by its name."""
    answers = tuple((*path, "answer") for path in answer_paths())
    return {
        "L": Condition(
            paths=(RISK_LEVEL,),
            values=("limited", "high", "unacceptable"),
            reason=message("from risk level limited up"),
        ),
        "H": Condition(
            paths=(RISK_LEVEL,),
            values=("high", "unacceptable"),
            reason=message("at the risk levels high and unacceptable"),
        ),
        "P": Condition(
            paths=(("data", "personal_data"),),
            values=("yes", "pseudonymised"),
            reason=message("when personal data is processed"),
        ),
        "D": Condition(
            paths=(_STATUS,),
            values=("pilot", "in_use", "suspended"),
            reason=message("once the system is in pilot, in use or suspended"),
        ),
        "retired": Condition(
            paths=(_STATUS,), values=("retired",), reason=message("when the system is retired")
        ),
        "not_retired": Condition(
            paths=(_STATUS,),
            values=("retired",),
            negated=True,
            reason=message("until the system is retired"),
        ),
        "stopped": Condition(
            paths=(_STATUS,),
            values=("suspended", "retired"),
            reason=message("when the system is suspended or retired"),
        ),
        "purchased": Condition(
            paths=(_ORIGIN,), values=("purchased",), reason=message("when the system is purchased")
        ),
        "supplied": Condition(
            paths=(_ORIGIN,),
            values=("purchased", "joint"),
            reason=message("when the system is purchased or made jointly"),
        ),
        "recommends": Condition(
            paths=(("decision", "role"),),
            values=("recommends", "decides_with_review", "decides_alone"),
            reason=message("when the system recommends decisions or makes them"),
        ),
        "legal_effect": Condition(
            paths=(("decision", "legal_effect"),),
            values=(True,),
            reason=message("when the decision has legal effect"),
        ),
        "public_interacts": Condition(
            paths=(("sector", "function"),),
            values=("chatbot_information",),
            reason=message("when the public talks with the system"),
        ),
        "withholds": Condition(
            paths=answers, values=("withheld",), reason=message("when an answer is withheld")
        ),
        "restricted": Condition(
            paths=(("publication", "visibility"),),
            values=("restricted",),
            reason=message("when the record is restricted"),
        ),
        "amended": Condition(paths=(), values=(), reason=message("from the second version on")),
    }


@cache
def answer_paths() -> tuple[Path, ...]:
    """List the questions, whose value is an answer with its note."""
    return tuple(field.path for field in fields() if "answer" in field.schema.get("properties", {}))


@cache
def units() -> tuple[Unit, ...]:
    """Every requirement unit, in document order."""
    return tuple(
        _unit(field, field.schema["x-requirement"])
        for field in fields()
        if "x-requirement" in field.schema
    )


def holding(document: Document) -> frozenset[str]:
    """Return the names of the conditions that hold for a document."""
    held = {ALWAYS}
    for name, condition in conditions().items():
        found = any(dig(document, *path) in condition.values for path in condition.paths)
        if found != condition.negated:
            held.add(name)
    return frozenset(held)


def standings(document: Document) -> list[Standing]:
    """How a document stands to every unit that it may state."""
    held = holding(document)
    withheld = withheld_pointers(document)
    asked = restricted_units() if "restricted" in held else units()
    return [_standing(unit, document, held, withheld) for unit in asked]


def _unit(field: Field, notation: str) -> Unit:
    exclusive = notation.startswith("iff ")
    alternatives = [tuple(part.split("+")) for part in notation.removeprefix("iff ").split(" | ")]
    unknown = {name for names in alternatives for name in names} - {
        ALWAYS,
        OPTIONAL,
        *conditions(),
    }
    if unknown:
        raise ConfigurationError(
            f"the record schema asks for {pointer(field.path)} under {min(unknown)!r}, "
            "which is not a condition"
        )
    asked = tuple(names for names in alternatives if names != (OPTIONAL,))
    return Unit(
        path=field.path,
        pointer=pointer(field.path),
        field=field,
        alternatives=asked,
        grave=tuple(_grave(field.path, names) for names in asked),
        optional=(OPTIONAL,) in alternatives,
        exclusive=exclusive,
        places=(
            field.path,
            *((*field.path[:-1], name) for name in field.schema.get("x-satisfied-by", ())),
        ),
        empty_answers=field.schema.get("x-empty-answers", False),
        recommended=field.schema.get("x-recommended"),
    )


def _grave(path: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    """Say when the absence is an error: an unmet H mostly once the system is in operation."""
    early = any(path[: len(start)] == start for start in _ALWAYS_ERROR)
    return names if early or "H" not in names or "D" in names else (*names, "D")


@cache
def restricted_units() -> tuple[Unit, ...]:
    """List the units that a restricted record may state."""
    return tuple(unit for unit in units() if _allowed(unit.path))


def _allowed(path: Path) -> bool:
    """Whether a restricted record may state a path, by the `then` of the schema."""
    here = record_schema()["then"]
    for name in path:
        if here is True:
            return True
        if name not in here["properties"]:
            return False
        here = here["properties"][name]
    return True


def _standing(
    unit: Unit, document: Document, held: frozenset[str], withheld: tuple[str, ...]
) -> Standing:
    asked = [names for names in unit.alternatives if held.issuperset(names)]
    severity: Severity | None = "warning" if unit.recommended in held else None
    if asked:
        grave = any(held.issuperset(names) for names in unit.grave)
        severity = "error" if grave else "warning"
    because = asked[0] if asked else (unit.recommended or ALWAYS,)
    return Standing(
        unit=unit,
        weight=WEIGHT_REQUIRED if asked else WEIGHT_OPTIONAL * unit.optional,
        state=_state(unit, document, withheld),
        severity=severity,
        reason=_reason(because),
    )


def _reason(names: tuple[str, ...]) -> Saying:
    if names == (ALWAYS,):
        return say("for every record")
    first, *others = (say(conditions()[name].reason) for name in names)
    return say("{first} and {second}", first=first, second=others[0]) if others else first


def _state(unit: Unit, document: Document, withheld: tuple[str, ...]) -> State:
    value = dig(document, *unit.path)
    if value is None:
        if any(dig(document, *path) is not None for path in unit.places):
            return "met"
        excused = any(covers(given, unit.pointer) for given in withheld)
        return "withheld" if excused else "missing"
    if value == [] and not unit.empty_answers:
        return "empty"
    if isinstance(value, dict) and "answer" in value:
        return _answer_state(value)
    return "met"


def _answer_state(value: dict[str, object]) -> State:
    answer = value["answer"]
    if answer == "in_progress":
        return "half"
    if answer == "withheld":
        return "withheld"
    if answer in {"no", "not_applicable"} and "note" not in value:
        return "empty"
    return "met"


def covers(given: str, asked: str) -> bool:
    """Whether a pointer is another one or lies above it."""
    return asked == given or asked.startswith(given + "/")


def withheld_pointers(document: Document) -> tuple[str, ...]:
    """List the pointers that a record lawfully withholds."""
    listed = dig(document, "publication", "withheld_fields") or ()
    return tuple(entry["pointer"] for entry in listed if not never_withheld(entry["pointer"]))


def never_withheld(given: str) -> bool:
    """Whether a pointer names, holds or is part of what the public is always told."""
    path = tuple("*" if part.isdecimal() else part for part in parts(given))
    if path[:1] == ("assessments",):
        # That an assessment is there, and of which type; what it says may be withheld.
        return path[1:] in {(), ("*",), ("*", "type")}
    return any(path[: len(never)] == never[: len(path)] for never in NEVER_WITHHELD)
