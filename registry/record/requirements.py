"""Requirements: which fields a record must state when, and which of them a document meets."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from itertools import groupby
from typing import TypeAlias

import msgspec

from registry.errors import ConfigurationError
from registry.record.law import NO_LAW, Demand, Law, article_number, read_notation
from registry.record.messages import Message, counted, message, translatable
from registry.record.model import Document
from registry.record.pointers import dig, field_path, parts, pointer
from registry.record.schema import Field, fields, record_schema

FieldPath: TypeAlias = tuple[str, ...]

ALWAYS, OPTIONAL, VOLUNTARY, BY_LAW = "M", "o", "v", "law"
_FAMILIES = frozenset("LHPD")
WEIGHT_REQUIRED, WEIGHT_OPTIONAL = 3, 1

RISK_LEVEL = ("risk", "level")
STATUS = ("lifecycle", "status")
ROLE = ("decision", "role")
FUNCTION = ("sector", "function")
_ORIGIN = ("procurement", "origin")

# Under these an unmet H is an error before the system is in operation, too.
_ALWAYS_ERROR = (("risk",), ("purpose",), ("organisation",), ("data", "legal_basis"))

NEVER_WITHHELD: tuple[FieldPath, ...] = (
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
"""The paths whose absence no `withheld_fields` entry excuses."""


class RequirementCondition(msgspec.Struct, frozen=True, kw_only=True):
    """A condition: one of the paths has one of the values, or none has if `negated`."""

    paths: tuple[FieldPath, ...]
    values: tuple[str | bool, ...]
    reason: str
    negated: bool = False

    def holds(self, document: Document) -> bool:
        """Return whether the condition holds for a document."""
        for path in self.paths:
            if dig(document, *path) in self.values:
                return not self.negated
        return self.negated


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A field with a requirement.

    `alternatives` are conjunctions of conditions, any of which suffices; under `error_conditions`
    the absence is an error. `optional`: asked for by nobody, and counted all the same; `voluntary`:
    not counted either. `section` is "" for a field of the record itself. `substitutes` are the
    siblings that may replace it. `is_question`: the value is an answer with its note.
    """

    path: FieldPath
    pointer: str
    section: str
    name: str
    field: Field
    alternatives: tuple[tuple[str, ...], ...]
    error_conditions: tuple[tuple[str, ...], ...]
    optional: bool
    voluntary: bool
    exclusive: bool
    substitutes: tuple[str, ...]
    is_question: bool
    empty_answers: bool
    recommended: str | None


class Requirements(msgspec.Struct, frozen=True, kw_only=True):
    """The requirements under some conditions, as sets of pointers.

    `held` names the conditions; `units` are those that such a record may state, by pointer, in
    document order, and `sections` the same by the name of their section. `required` weighs 3 and
    `optional` 1, both are `counted`; `accountable` is what is required because of risk, personal
    data or operation: of a restricted record these are as if it could be stated. The absence of a
    `demanded` unit is an error, or else a warning; stating an `excluded` one is an error. What the
    country's law asks for is among them, and in `demands` all of it.
    """

    held: frozenset[str]
    units: dict[str, Unit]
    sections: tuple[tuple[str, tuple[Unit, ...]], ...]
    required: frozenset[str]
    optional: frozenset[str]
    counted: frozenset[str]
    accountable: frozenset[str]
    demanded: frozenset[str]
    errors: frozenset[str]
    excluded: frozenset[str]
    demands: tuple[Demand, ...] = ()


@cache
def conditions() -> dict[str, RequirementCondition]:
    """Return every condition of the notation, by its name."""
    answers = tuple((*path, "answer") for path in answer_paths())
    return {
        "L": RequirementCondition(
            paths=(RISK_LEVEL,),
            values=("limited", "high", "unacceptable"),
            reason=translatable("from risk level limited up"),
        ),
        "H": RequirementCondition(
            paths=(RISK_LEVEL,),
            values=("high", "unacceptable"),
            reason=translatable("at the risk levels high and unacceptable"),
        ),
        "P": RequirementCondition(
            paths=(("data", "personal_data"),),
            values=("yes", "pseudonymised"),
            reason=translatable("when personal data is processed"),
        ),
        "D": RequirementCondition(
            paths=(STATUS,),
            values=("pilot", "in_use", "suspended"),
            reason=translatable("once the system is in pilot, in use or suspended"),
        ),
        "retired": RequirementCondition(
            paths=(STATUS,), values=("retired",), reason=translatable("when the system is retired")
        ),
        "not_retired": RequirementCondition(
            paths=(STATUS,),
            values=("retired",),
            negated=True,
            reason=translatable("until the system is retired"),
        ),
        "stopped": RequirementCondition(
            paths=(STATUS,),
            values=("suspended", "retired"),
            reason=translatable("when the system is suspended or retired"),
        ),
        "purchased": RequirementCondition(
            paths=(_ORIGIN,),
            values=("purchased",),
            reason=translatable("when the system is purchased"),
        ),
        "supplied": RequirementCondition(
            paths=(_ORIGIN,),
            values=("purchased", "joint"),
            reason=translatable("when the system is purchased or made jointly"),
        ),
        "recommends": RequirementCondition(
            paths=(ROLE,),
            values=("recommends", "decides_with_review", "decides_alone"),
            reason=translatable("when the system recommends decisions or makes them"),
        ),
        "legal_effect": RequirementCondition(
            paths=(("decision", "legal_effect"),),
            values=(True,),
            reason=translatable("when the decision has legal effect"),
        ),
        "public_interacts": RequirementCondition(
            paths=(FUNCTION,),
            values=("chatbot_information",),
            reason=translatable("when the public talks with the system"),
        ),
        "withholds": RequirementCondition(
            paths=answers, values=("withheld",), reason=translatable("when an answer is withheld")
        ),
        "restricted": RequirementCondition(
            paths=(("publication", "visibility"),),
            values=("restricted",),
            reason=translatable("when the record is restricted"),
        ),
        "amended": RequirementCondition(
            paths=(), values=(), reason=translatable("from the second version on")
        ),
    }


def conditions_held(document: Document) -> frozenset[str]:
    """Return the names of the conditions that hold for a document."""
    holding = [name for name, condition in conditions().items() if condition.holds(document)]
    return frozenset((ALWAYS, *holding))


@cache
def answer_paths() -> tuple[FieldPath, ...]:
    """Return the paths of questions, whose value is an answer with its note."""
    return tuple(field.path for field in fields() if "answer" in field.schema.get("properties", {}))


@cache
def units() -> tuple[Unit, ...]:
    """Return every requirement unit, in document order."""
    return tuple(
        _unit(field, field.schema["x-requirement"])
        for field in fields()
        if "x-requirement" in field.schema
    )


@lru_cache(maxsize=256)
def requirements_under(held: frozenset[str]) -> Requirements:
    """Return the requirements under these conditions; of thousands of cases a register has few."""
    allowed = restricted_units() if "restricted" in held else units()
    stateable = {unit.pointer: unit for unit in allowed}

    def among(belongs: Callable[[Unit], bool]) -> frozenset[str]:
        return frozenset(unit.pointer for unit in units() if belongs(unit))

    required = among(lambda unit: any(map(held.issuperset, unit.alternatives)))
    optional = among(lambda unit: unit.optional) - required
    recommended = among(lambda unit: unit.recommended in held)
    errors = among(lambda unit: any(map(held.issuperset, unit.error_conditions)))
    demanded = (required | recommended | errors).intersection(stateable)
    return Requirements(
        held=held,
        units=stateable,
        sections=tuple(
            (section, tuple(neighbours))
            for section, neighbours in groupby(allowed, key=lambda unit: unit.section)
        ),
        required=required,
        optional=optional,
        counted=required | optional,
        accountable=among(_is_accountable) & required,
        demanded=demanded,
        errors=errors,
        excluded=among(lambda unit: unit.exclusive).intersection(stateable) - demanded,
    )


def asked_of(document: Document, law: Law, known: frozenset[str] = frozenset()) -> Requirements:
    """Return what the format and a country's law ask of a document, as further conditions hold."""
    held = conditions_held(document) | known
    if not law.demands:
        return requirements_under(held)
    return _with_demands(held, law.asking(document, held))


@lru_cache(maxsize=256)
def _with_demands(held: frozenset[str], demands: tuple[Demand, ...]) -> Requirements:
    """Return the requirements under these conditions, with what the law asks for beside."""
    requirements = requirements_under(held)
    if not demands:
        return requirements
    places = {
        outcome: frozenset(
            one.pointer for one in demands if one.condition is None and one.row.outcome == outcome
        ).intersection(requirements.units)
        for outcome in ("error", "warning")
    }
    required = requirements.required | places["error"]
    return msgspec.structs.replace(
        requirements,
        required=required,
        optional=requirements.optional - required,
        counted=requirements.counted | required,
        accountable=requirements.accountable | places["error"],
        demanded=requirements.demanded | places["error"] | places["warning"],
        errors=requirements.errors | places["error"],
        demands=demands,
    )


def _is_accountable(unit: Unit) -> bool:
    names = {name for alternative in unit.alternatives for name in alternative}
    return ALWAYS not in names and not names.isdisjoint(_FAMILIES)


def reason(unit: Unit, held: frozenset[str]) -> Message:
    """Return the message for the conditions under which a unit is required or recommended."""
    because = (names for names in unit.alternatives if held.issuperset(names))
    names = next(because, (unit.recommended or ALWAYS,))
    if names == (ALWAYS,):
        return message("for every record")
    first, *others = (message(conditions()[name].reason) for name in names)
    return message("{first} and {second}", first=first, second=others[0]) if others else first


def demand(unit: Unit, requirements: Requirements) -> Message:
    """Return how a demanded unit is asked for: as required, with the reason, or recommended."""
    if unit.pointer not in requirements.required | requirements.errors:
        return message("Recommended")
    if not any(map(requirements.held.issuperset, unit.alternatives)):
        by_law = next(one for one in requirements.demands if one.pointer == unit.pointer)
        return message("Required by {law}", law=cited(by_law))
    why = reason(unit, requirements.held)
    if why.message == "for every record":
        return message("Required")
    return message("Required {why}", why=why)


def cited(demand: Demand) -> Message:
    """Return law and article of what asks for something."""
    article = demand.row.article
    return counted(
        "{law}, article {articles}",
        "{law}, articles {articles}",
        article_number(article),
        law=demand.law or demand.row.law,
        articles=tuple(one.strip() for one in article.split(",")),
    )


def _unit(field: Field, notation: str) -> Unit:
    exclusive = notation.startswith("iff ")
    alternatives = read_notation(notation.removeprefix("iff "))
    unknown = {name for names in alternatives for name in names} - {
        ALWAYS,
        OPTIONAL,
        VOLUNTARY,
        BY_LAW,
        *conditions(),
    }
    if unknown:
        raise ConfigurationError(
            f"the record schema asks for {pointer(field.path)} under {min(unknown)!r}, "
            "which is not a condition"
        )
    # What is optional under a condition is never asked for, and not counted either.
    asked = tuple(names for names in alternatives if not {OPTIONAL, VOLUNTARY, BY_LAW} & set(names))
    return Unit(
        path=field.path,
        pointer=pointer(field.path),
        section="".join(field.path[:-1]),
        name=field.path[-1],
        field=field,
        alternatives=asked,
        error_conditions=tuple(_error_condition(field.path, names) for names in asked),
        optional=(OPTIONAL,) in alternatives,
        voluntary=(VOLUNTARY,) in alternatives,
        exclusive=exclusive,
        substitutes=tuple(field.schema.get("x-satisfied-by", ())),
        is_question="answer" in field.schema.get("properties", {}),
        empty_answers=field.schema.get("x-empty-answers", False),
        recommended=field.schema.get("x-recommended"),
    )


def _error_condition(path: FieldPath, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return when absence is an error: for an unmet H mostly once the system is in operation."""
    early = any(path[: len(start)] == start for start in _ALWAYS_ERROR)
    return names if early or "H" not in names or "D" in names else (*names, "D")


@cache
def restricted_units() -> tuple[Unit, ...]:
    """Return the units that a restricted record may state."""
    return tuple(unit for unit in units() if _allowed(unit.path))


def _allowed(path: FieldPath) -> bool:
    """Return whether a restricted record may state a path, by the `then` of the schema."""
    here = record_schema()["then"]
    for name in path:
        if here is True:
            return True
        if name not in here["properties"]:
            return False
        here = here["properties"][name]
    return True


def never_withheld(given: str) -> bool:
    """Return whether a pointer is at, above or below what may never be withheld."""
    path = field_path(parts(given))
    if path[:1] == ("assessments",):
        # The existence and type of an assessment; its content may be withheld.
        return path[1:] in {(), ("*",), ("*", "type")}
    return any(path[: len(never)] == never[: len(path)] for never in NEVER_WITHHELD)


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


def requirement_status(document: Document, law: Law = NO_LAW) -> RequirementStatus:
    """Return the status of a document, whose shape is sound, for every unit it may state."""
    requirements = asked_of(document, law)
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
