"""How a document stands to what is asked for: which units are met, and which are not.

Sets of units are integers whose bit n is `units()[n]`, as in `requirements.Asked`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, Literal, TypeAlias

import msgspec

from registry.record.model import Document
from registry.record.pointers import dig
from registry.record.requirements import (
    ALWAYS,
    FieldPath,
    Requirements,
    Unit,
    answer_paths,
    conditions,
    never_withheld,
    requirements_under,
    unit_of,
    units,
)

_NOTHING: dict[str, Any] = {}

AnswerState: TypeAlias = Literal["met", "half", "withheld", "empty"]


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What a document states where conditions look, and so: which hold, and what is asked."""

    stated: dict[FieldPath, str | bool | None]
    held: frozenset[str]
    asked: Requirements


class RequirementStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a document stands to every unit; what is in none of the sets is missing.

    `half` is an answer in progress, `withheld` lawfully not told, `empty` states nothing; `excused`
    are the pointers that the record lawfully withholds.
    """

    circumstances: Conditions
    excused: tuple[str, ...]
    met: int
    half: int
    withheld: int
    empty: int

    @property
    def held(self) -> frozenset[str]:
        """The names of the conditions that hold."""
        return self.circumstances.held

    @property
    def asked(self) -> Requirements:
        """What is asked for under the circumstances."""
        return self.circumstances.asked

    @property
    def absent(self) -> int:
        """The units that it may state, with nothing there that could count as an answer."""
        return self.asked.allowed & ~(self.met | self.half | self.withheld)


def requirement_status(document: Document) -> RequirementStatus:
    """How a document, whose shape is sound, stands to every unit that it may state."""
    stated = 0
    but = {"half": 0, "withheld": 0, "empty": 0}
    codes: list[str | bool | None] = []
    for section in _sections():
        members = document.get(section.name) if section.name else document
        if not isinstance(members, dict):
            members = _NOTHING
        stated |= _stated(section.name, tuple(members))
        for name, unit in section.answers:
            if name in members and (state := _answered(members[name])) != "met":
                but[state] |= unit
        for name, unit in section.lists:
            if name in members and not members[name]:
                but["empty"] |= unit
        for name in section.deciding:
            code = members.get(name)
            codes.append(code if isinstance(code, (str, bool)) else None)
    stated |= _substituted(document, stated)
    circumstances = _circumstances(tuple(codes), but["withheld"])
    met = stated & ~(but["half"] | but["withheld"] | but["empty"])
    excused = _excused(document)
    for given in excused:
        but["withheld"] |= _covered(given) & ~stated
    return RequirementStatus(circumstances=circumstances, excused=excused, met=met, **but)


@lru_cache(maxsize=4096)
def pointers(of: int) -> tuple[str, ...]:
    """List the pointers of a set, in document order."""
    return tuple(unit.pointer for _, unit in members(of))


def members(of: int) -> Iterator[tuple[int, Unit]]:
    """List the units of a set in document order, each after the set that holds it alone."""
    while of:
        lowest = of & -of
        yield lowest, units()[lowest.bit_length() - 1]
        of ^= lowest


def covers(given: str, place: str) -> bool:
    """Whether a pointer is another one or lies above it."""
    return place == given or place.startswith(given + "/")


def _substituted(document: Document, stated: int) -> int:
    """Return the units for which a sibling stands in, of those that are not stated themselves."""
    return sum(
        unit
        for unit, places in _substitutes()
        if not stated & unit and any(dig(document, *path) is not None for path in places)
    )


def _excused(document: Document) -> tuple[str, ...]:
    listed = dig(document, "publication", "withheld_fields") or ()
    return tuple(entry["pointer"] for entry in listed if not never_withheld(entry["pointer"]))


def _answered(value: dict[str, object]) -> AnswerState:
    answer = value.get("answer")
    if answer == "in_progress":
        return "half"
    if answer == "withheld":
        return "withheld"
    if answer in ("no", "not_applicable") and "note" not in value:
        return "empty"
    return "met"


class _Section(msgspec.Struct, frozen=True, kw_only=True):
    """The units of one section that may be stated and yet not met, and the names that decide.

    The name "" is that of the record itself.
    """

    name: str
    answers: tuple[tuple[str, int], ...]
    lists: tuple[tuple[str, int], ...]
    deciding: tuple[str, ...]


@cache
def _sections() -> tuple[_Section, ...]:
    return tuple(_section(above) for above in dict.fromkeys(unit.path[:-1] for unit in units()))


def _section(above: FieldPath) -> _Section:
    within = [unit for unit in units() if unit.path[:-1] == above]
    answers = [unit for unit in within if unit.path in answer_paths()]
    lists = [unit for unit in within if unit.field.schema.get("type") == "array"]
    return _Section(
        name="".join(above),
        answers=tuple((unit.path[-1], unit_of(unit.path)) for unit in answers),
        lists=tuple(
            (unit.path[-1], unit_of(unit.path)) for unit in lists if not unit.empty_answers
        ),
        deciding=tuple(unit.path[-1] for unit in within if unit.path in _looked_at()),
    )


@cache
def _looked_at() -> frozenset[FieldPath]:
    return frozenset(path for condition in conditions().values() for path in condition.paths)


@cache
def _deciding() -> tuple[FieldPath, ...]:
    """List where conditions look, but for the answers, of which all are looked at anyway."""
    return tuple(
        (*([section.name] if section.name else []), name)
        for section in _sections()
        for name in section.deciding
    )


@lru_cache(maxsize=4096)
def _stated(section: str, names: tuple[str, ...]) -> int:
    """Return the units that these members of a section are; forms bring the same ones again."""
    above = (section,) if section else ()
    return sum(unit_of((*above, name)) for name in names)


@cache
def _substitutes() -> tuple[tuple[int, tuple[FieldPath, ...]], ...]:
    """List the units for which siblings may stand in, with those."""
    return tuple((unit_of(unit.path), unit.places[1:]) for unit in units() if unit.places[1:])


def _covered(given: str) -> int:
    return sum(covers(given, unit.pointer) << number for number, unit in enumerate(units()))


@lru_cache(maxsize=4096)
def _circumstances(codes: tuple[str | bool | None, ...], answers_withheld: int) -> Conditions:
    """Return the circumstances, by the codes at the deciding places.

    `answers_withheld` are the units with the answer that it is withheld.
    """
    stated = dict(zip(_deciding(), codes, strict=True))
    held = {ALWAYS}
    for name, condition in conditions().items():
        met = any(stated.get(path) in condition.values for path in condition.paths)
        if name == "withholds":
            met = answers_withheld != 0
        if met != condition.negated:
            held.add(name)
    return Conditions(
        stated=stated, held=frozenset(held), asked=requirements_under(frozenset(held))
    )
