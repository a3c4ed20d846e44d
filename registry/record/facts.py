"""Facts: every place of the format, what a record says there, and how it is silent.

A fact is named by its path, as a column of the full export is: `data.hosting.country`,
`evaluation.incidents.severity`, without a word for the items of a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from registry.record.model import Document
from registry.record.pointers import dig, field_path, parts
from registry.record.requirements import ALWAYS, RequirementStatus, Unit, requirement_status, units
from registry.record.schema import Field, fields

AnswerKind: TypeAlias = Literal["stated", "asked_not_stated", "not_asked", "withheld", "restricted"]
"""What a record says of a fact; exactly one of the five holds.

`stated`: a value, also *no*, *none* or 0. `asked_not_stated`: the rules ask for it, and it is not
there. `not_asked`: it is not there, and nobody asks for it, or whether depends on a level of risk
that is not stated. `withheld`: left out on a legal ground that the record names. `restricted`:
little but the existence of the record is public.
"""

KINDS: tuple[AnswerKind, ...] = get_args(AnswerKind)
STATED: AnswerKind = "stated"
NOT_ASKED: AnswerKind = "not_asked"
SILENT: tuple[AnswerKind, ...] = ("asked_not_stated", "not_asked")
"""The kinds of a record that is silent, whether asked or not."""

_BY_LEVEL = frozenset("LH")


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A place of the format, with the unit of requirements that it is or is a part of.

    `is_unit`: requirements name it. `is_implied`: a unit that is stated has it. `by_level`: whether
    it is asked for may depend on the level of risk.
    """

    name: str
    field: Field
    unit: Unit
    is_unit: bool
    is_implied: bool
    by_level: bool

    @property
    def is_asked(self) -> bool:
        """Whether it may be asked of every record, or at a level of risk."""
        return self.by_level or (ALWAYS,) in self.unit.alternatives


class AnswerCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The number of records by the kind of their answer; the five add up to the total.

    Of `not_asked` so many do not state the level of risk on which it depends whether it is asked.
    """

    stated: int = 0
    asked_not_stated: int = 0
    not_asked: int = 0
    withheld: int = 0
    restricted: int = 0
    level_not_stated: int = 0


class FactCounts(AnswerCounts, frozen=True, kw_only=True):
    """A fact, and the number of records by the kind of their answer."""

    fact: str

    def without(self, other: FactCounts) -> FactCounts:
        """Return the counts without those of some of the records."""
        left = {
            name: getattr(self, name) - getattr(other, name)
            for name in AnswerCounts.__struct_fields__
        }
        return FactCounts(fact=self.fact, **left)


@cache
def facts() -> dict[str, Fact]:
    """Return every fact by name, in document order; sections and items of lists are none."""
    by_path = {unit.path: unit for unit in units()}
    found: dict[str, Fact] = {}
    for field in fields():
        if field.path[-1] == "*" or field.is_section:
            continue
        unit = next(by_path[start] for start in _starts(field.path) if start in by_path)
        fact = Fact(
            name=fact_name(field.path),
            field=field,
            unit=unit,
            is_unit=field.path == unit.path,
            is_implied=_is_implied(unit.field, field.path),
            by_level=any(not _BY_LEVEL.isdisjoint(names) for names in unit.alternatives),
        )
        found[fact.name] = fact
    return found


def fact_name(path: Iterable[str]) -> str:
    """Return the name of the fact at a path."""
    return ".".join(part for part in path if part != "*")


def _starts(path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for length in range(len(path), 0, -1):
        yield path[:length]


def _is_implied(field: Field, path: Sequence[str]) -> bool:
    """Return whether whatever states a field states what is at a path in it."""
    for name in path[len(field.path) :]:
        if name != "*":
            if name not in field.schema.get("required", ()):
                return False
            field = field.members[name]
        else:
            field = field.entry
    return True


def answer_kinds(document: Document, erased: Iterable[str] = ()) -> dict[str, AnswerKind]:
    """Return the kind of a document's answer by fact, in order, but for what is `not_asked`.

    What is at the `erased` pointers was stated, and is withheld now on the ground of a redaction.
    """
    status = requirement_status(document)
    found: dict[str, AnswerKind] = dict.fromkeys(_stated(document), "stated")
    for unit in status.withheld:
        for fact in _of_unit()[unit]:
            # Of a question that is answered by "withheld" the answer is none.
            if fact.unit.is_question and (fact.is_unit or fact.is_implied):
                found[fact.name] = "withheld"
    for name in _at(erased):
        found.setdefault(name, "withheld")
    for name, kind in _unstated(document, status):
        found.setdefault(name, kind)
    places = _places()
    return {name: found[name] for name in sorted(found.keys() & places, key=places.__getitem__)}


def _unstated(document: Document, status: RequirementStatus) -> Iterator[tuple[str, AnswerKind]]:
    """Yield how a document would answer on facts if it does not state them, the first first."""
    requirements, of_unit, absent = status.requirements, _of_unit(), {*status.absent}
    if "restricted" in requirements.held:
        for unit in of_unit.keys() - requirements.units.keys():
            yield from ((fact.name, "restricted") for fact in of_unit[unit])
    for unit in status.withheld:
        yield from ((fact.name, "withheld") for fact in of_unit[unit])
    yield from ((name, "withheld") for name in _at(status.excused))
    for unit in requirements.demanded:
        is_absent = unit in absent
        has_none = requirements.units[unit].empty_answers and dig(document, *parts(unit)) == []
        for fact in of_unit[unit]:
            if fact.is_implied and (is_absent if fact.is_unit else not has_none):
                yield fact.name, "asked_not_stated"


def _at(pointers: Iterable[str]) -> Iterator[str]:
    """Yield the facts at and below pointers."""
    for pointer in pointers:
        path = field_path(parts(pointer))
        yield from (one.name for one in facts().values() if one.field.path[: len(path)] == path)


@cache
def _places() -> Mapping[str, int]:
    return {name: place for place, name in enumerate(facts())}


@cache
def _of_unit() -> Mapping[str, Sequence[Fact]]:
    """Return the facts of each unit by its pointer."""
    found: dict[str, list[Fact]] = {}
    for fact in facts().values():
        found.setdefault(fact.unit.pointer, []).append(fact)
    return found


def _stated(document: Document) -> Iterator[str]:
    """Yield the name of every fact that has a value."""
    for name, value in document.items():
        if (field := _root().get(name)) is not None:
            yield from _stated_in(field, value, "" if field.is_section else name, name)


@cache
def _root() -> Mapping[str, Field]:
    return {field.path[0]: field for field in fields() if len(field.path) == 1}


def _stated_in(field: Field, value: Any, own: str, name: str) -> Iterator[str]:
    """Yield the names of what is stated in a value, `own` among them if that is a fact."""
    if value is None or (not value and isinstance(value, list | dict) and not _may_be_none(field)):
        return
    if own:
        yield own
    if field.holds == "group":
        for member, part in value.items():
            if member in field.members:
                inner = f"{name}.{member}"
                yield from _stated_in(field.members[member], part, inner, inner)
    elif field.holds == "list" and isinstance(value, list):
        for item in value:
            yield from _stated_in(field.entry, item, "", name)


def _may_be_none(field: Field) -> bool:
    """Return whether an empty list states that there are none."""
    return bool(field.schema.get("x-empty-answers"))


def silence(document: Document, erased: Iterable[str] = ()) -> dict[AnswerKind, list[str]]:
    """Return the units that a document does not state, by the kind of its answer."""
    kinds = answer_kinds(document, erased)
    found: dict[AnswerKind, list[str]] = {}
    for name, fact in facts().items():
        if fact.is_unit and (kind := kinds.get(name, "not_asked")) != "stated":
            found.setdefault(kind, []).append(name)
    return found
