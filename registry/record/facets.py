"""The facets of search: every filter by codes, in one table."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from math import isfinite
from typing import Any, Literal

import msgspec

from registry.errors import Finding
from registry.record.dimensions import RANGED, Dimension, dimensions, numeric
from registry.record.facts import KINDS, SILENT, STATED, AnswerKind, fact_name, facts
from registry.record.life_events import events_of, life_events
from registry.record.model import NOT_STATED, RISK_CHANGES, SOURCE_STATES, Document
from registry.record.observations import OBSERVATIONS
from registry.record.pack import Agency, Pack
from registry.record.pointers import dig, parts, values_at
from registry.record.rules import REGISTER_RULES, RULES
from registry.record.rules_redress import NO_REDRESS
from registry.record.rules_risk import BELOW_FLOOR
from registry.record.schema import Field, broader, field_at

LOCAL = "local"
"""The origin, in filters and facets, of records that were filed here."""

OVERDUE = "true"
"""The code of records whose next review is overdue."""

OBSERVATION = "observation"
"""The facet of what a record itself shows."""

TERRITORY = "territory"
"""The facet of where a system applies: of a region, with what applies in its whole country."""

WITH_BODIES = "agency.tree"
"""The filter by agencies with the bodies under them."""

EXACTLY = "territory.exact"
"""The filter by where a system applies as it is stated, without what applies in the country."""

LONGEST_NAMED = 500
"""Characters that a filter takes of a name; the longest of the format have fewer."""

_COUNTRY_OR_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


class PublishedState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a version in the register, beside its document.

    `risk_changes` are all changes of risk level of the record, up to this version.
    """

    version: int
    entry: int
    published_at: dt.datetime
    completeness: int | None
    findings: Sequence[Finding]
    risk_changes: Sequence[str]


class DimensionValues(msgspec.Struct, frozen=True, kw_only=True):
    """What a filter takes of a dimension: its values, or the one `end` of a range of them."""

    dimension: Dimension
    end: Literal["", "from", "until"] = ""


class Facet(msgspec.Struct, frozen=True, kw_only=True):
    """A filter of search by codes, which is counted as a facet too.

    `description` is that of the parameter. The codes of a version are those at `pointer` of its
    document, where `*` stands for each item of a list, or `known` from all that is known of it;
    with neither they depend on the moment of the query. If `single`, every version has one code,
    `not_stated` by default. `codes` returns the valid codes; without it they are those of the
    field's code list.
    `further` returns whether another code is valid, and `schema` is the JSON Schema of those. With
    neither codes nor `further`, the valid codes are those in the database. One that is `of` another
    facet groups the codes of that, by what the query says of them, and the index does not have it.
    Where there are `answers`, the codes are facts that a record answers so, or of the one `fact`
    the kinds of its answer. One of `values` has those of a dimension, or the end of a range.
    """

    description: str
    pointer: str | None = None
    known: Callable[[Document, Agency, PublishedState], Sequence[str]] | None = None
    single: bool = False
    codes: Callable[[Pack], Sequence[str]] | None = None
    further: Callable[[str, Pack], bool] | None = None
    of: str | None = None
    answers: Sequence[AnswerKind] = ()
    fact: str | None = None
    values: DimensionValues | None = None
    schema: Mapping[str, Any] = {}

    @property
    def stating(self) -> str | None:
        """The fact that the filter is about, None where it is about several or none."""
        if self.values is not None:
            return self.values.dimension.name
        return self.fact or (self.pointer and fact_name(parts(self.pointer)))

    @property
    def field(self) -> Field | None:
        """The field of the format whose codes or values it has."""
        if self.values is not None:
            return self.values.dimension.field
        return field_at(parts(self.pointer)) if self.pointer else None

    @property
    def lists(self) -> tuple[str, ...]:
        """The code lists of the facet's field, such as `sector` or `pack/grounds`."""
        return self.field.lists if self.field and self.values is None else ()

    @property
    def has_narrower(self) -> bool:
        """Whether a country may have codes of its own, which count as the broader ones."""
        return self.field is not None and self.field.has_narrower

    def read(self, document: Document, agency: Agency, state: PublishedState) -> list[str]:
        """Return the codes of a version, each once; of a country's own the broader ones."""
        found: Sequence[Any] = ()
        if self.known is not None:
            found = self.known(document, agency, state)
        elif self.pointer is not None and self.single:
            found = [code] if (code := dig(document, *parts(self.pointer))) is not None else []
        elif self.pointer is not None:
            found = [code for _, code in values_at(document, parts(self.pointer))]
        if self.has_narrower:
            found = [*map(broader, found)]
        return list(dict.fromkeys(found)) or ([NOT_STATED] if self.single else [])

    def listed(self, pack: Pack) -> tuple[str, ...]:
        """Return every code that is valid whatever the database has."""
        if self.codes is not None:
            return tuple(self.codes(pack))
        return (*pack.codes(self.lists), *([NOT_STATED] if self.single and self.lists else []))

    def counted(self, pack: Pack) -> tuple[str, ...]:
        """Return what `listed` does without the country's own codes, which are not counted."""
        return tuple(code for code in self.listed(pack) if broader(code) == code)


def _is_abroad(code: str, pack: Pack) -> bool:
    return _COUNTRY_OR_REGION.fullmatch(code) is not None and not code.startswith(pack.country)


FACETS: dict[str, Facet] = {
    "risk": Facet(description="Risk levels, or not_stated", pointer="/risk/level", single=True),
    "sector": Facet(description="Primary sectors", pointer="/sector/primary", single=True),
    "function": Facet(description="What the system does", pointer="/sector/function", single=True),
    "agency": Facet(description="Agencies", known=lambda _, agency, __: [agency.id], single=True),
    "status": Facet(description="Lifecycle statuses", pointer="/lifecycle/status", single=True),
    "role": Facet(description="Roles in decisions", pointer="/decision/role", single=True),
    "area": Facet(
        description="Areas of EU AI Act Annex III", pointer="/risk/annex_iii_area", single=True
    ),
    "personal_data": Facet(
        description="Personal data processed", pointer="/data/personal_data", single=True
    ),
    "origin": Facet(
        description="Registers of origin, or local",
        known=lambda _, agency, __: [agency.origin or LOCAL],
        single=True,
    ),
    "country": Facet(description="Countries of the registers, ISO 3166-1", of="origin"),
    "source_state": Facet(
        description="Whether a record of another register is still there: `present`, or `gone`",
        codes=lambda _: SOURCE_STATES,
    ),
    "territory": Facet(
        description="Where it applies, ISO 3166-2; a region with what applies in its whole country",
        pointer="/territory/*",
        further=_is_abroad,
        schema={"pattern": f"^{_COUNTRY_OR_REGION.pattern}$"},
    ),
    "affected": Facet(
        description="Groups of people affected", pointer="/purpose/affected_groups/*"
    ),
    "life_event": Facet(
        description="What happened to people: events in which it may have had a part",
        known=lambda document, _, __: events_of(
            broader(dig(document, "sector", "primary") or NOT_STATED),
            dig(document, "sector", "function") or NOT_STATED,
            tuple(map(broader, dig(document, "purpose", "affected_groups") or ())),
        ),
        codes=lambda _: [event.code for event in life_events()],
    ),
    "contestation": Facet(
        description="Whether a decision can be contested",
        pointer="/rights/contestation/available",
        single=True,
    ),
    "technique": Facet(description="Techniques used", pointer="/technical/techniques/*"),
    "supplier": Facet(
        description="Names of suppliers",
        pointer="/procurement/suppliers/*/name",
        # Who is not there sells nothing.
        further=lambda code, _: _is_name(code),
        schema={"minLength": 1, "maxLength": LONGEST_NAMED},
    ),
    "finding": Facet(
        description="Rules that found something",
        known=lambda _, __, state: sorted(finding.rule for finding in state.findings),
        codes=lambda pack: (
            *(*RULES, *REGISTER_RULES, BELOW_FLOOR, NO_REDRESS, "required"),
            *dict.fromkeys(one.code for one in pack.requirements),
        ),
    ),
    "has": Facet(
        description="Facts that it states: `evaluation.incidents`",
        answers=(STATED,),
        codes=lambda _: [*facts()],
    ),
    "lacks": Facet(
        description="Facts that it does not state, whether anybody asks for them or not",
        answers=SILENT,
        codes=lambda _: [*facts()],
    ),
    "withheld": Facet(
        description="Legal grounds on which fields are withheld",
        pointer="/publication/withheld_fields/*/ground",
    ),
    "restricted": Facet(
        description="Legal grounds on which little but the existence is told",
        pointer="/publication/restriction/ground",
    ),
    "overdue": Facet(
        description="`true`: the next review should have been by now", codes=lambda _: [OVERDUE]
    ),
    OBSERVATION: Facet(
        description="What a record itself shows, on the day: `contract_over`",
        codes=lambda _: OBSERVATIONS,
    ),
    "risk_change": Facet(
        description="Whose risk level was raised, or lowered",
        known=lambda _, __, state: state.risk_changes,
        codes=lambda _: RISK_CHANGES,
    ),
}
"""By name, in the order in which parameters, options and facets are listed."""

SINGLE = tuple(name for name, facet in FACETS.items() if facet.single)
"""The facets of which every record has one code."""

BY_FACTS = tuple(name for name, facet in FACETS.items() if facet.answers)
"""The facets whose codes are facts."""

KIND = "kind."
"""What the name of a filter by the kind of an answer begins with, before that of the fact."""


ENDS: tuple[Literal["from", "until"], ...] = ("from", "until")
"""What the name of a filter by the end of a range ends with, after that of the dimension."""


def filter_named(name: str) -> Facet | None:
    """Return a filter by its name: of `FACETS`, or `kind.` and a fact, or a dimension's."""
    name = named_shortly(name)
    if name == WITH_BODIES:
        return _AGENCY_WITH_BODIES
    return FACETS.get(name) or _by_kind().get(name) or _by_value().get(name)


_AGENCY_WITH_BODIES = Facet(description="Agencies with the bodies under them")


def with_bodies(agencies: Iterable[str], pack: Pack) -> list[str]:
    """Return agencies with those of which they are the parent, and these of theirs."""
    found = dict.fromkeys(agencies)
    under = [one for one in pack.agencies.values() if one.parent is not None]
    for _ in under:
        more = [one.id for one in under if one.parent in found and one.id not in found]
        if not more:
            break
        found |= dict.fromkeys(more)
    return [*found]


def named_shortly(name: str) -> str:
    """Return the one name of a filter that has two: `risk` of `risk.level`."""
    if name.startswith(CHANGED_ON):
        name = f"publication.{name}"
    return _short_names().get(name, name)


@cache
def _short_names() -> Mapping[str, str]:
    return {facet.stating: name for name, facet in FACETS.items() if facet.stating}


def values_of(name: str) -> DimensionValues | None:
    """Return what a filter takes of a dimension, None of one that means something else."""
    if name in FACETS:
        dimension = None if name == TERRITORY else counted_dimension(name)
        return None if dimension is None else DimensionValues(dimension=dimension)
    return stated_values(name)


def stated_values(name: str) -> DimensionValues | None:
    """Return what a filter by the path of a dimension takes of it, also where it has two names."""
    facet = _by_value().get(f"publication.{name}" if name.startswith(CHANGED_ON) else name)
    return None if facet is None else facet.values


def counted_dimension(name: str) -> Dimension | None:
    """Return the dimension whose values a facet counts, None of one with codes of its own."""
    if (facet := FACETS.get(name)) is not None:
        is_indexed = facet.pointer is not None and not facet.single
        return dimensions()[facet.stating or ""] if is_indexed else None
    return dimensions().get(name.partition(":")[0])


def value_filters() -> list[str]:
    """Return the names of the filters by values of dimensions that are no facets."""
    shorter = _short_names().keys()
    return [WITH_BODIES, *(name for name in _by_value() if name not in shorter)]


@cache
def _by_value() -> Mapping[str, Facet]:
    found = {}
    for name, dimension in dimensions().items():
        found[EXACTLY if name == TERRITORY else name] = Facet(
            description=f"What it states of {name}",
            values=DimensionValues(dimension=dimension),
            codes=partial(_values, dimension),
            further=_is_abroad if name == TERRITORY else partial(_is_value, dimension),
        )
        for end in ENDS if dimension.kind in RANGED else ():
            found[f"{name}.{end}"] = Facet(
                description=f"{name} in a range, its ends included",
                values=DimensionValues(dimension=dimension, end=end),
                further=partial(_is_value, dimension),
            )
    return found


def _values(dimension: Dimension, pack: Pack) -> Sequence[str]:
    """Return the values that a dimension may have, none where they are not listed."""
    return ("true", "false") if dimension.kind == "boolean" else [*pack.codes(dimension.lists)]


def _is_value(dimension: Dimension, value: str, _: Pack) -> bool:
    return is_value(dimension, value)


def is_value(dimension: Dimension, value: str) -> bool:
    """Return whether a text may be a value of a dimension, of which no list has all."""
    if dimension.kind in RANGED:
        try:
            return isfinite(numeric(dimension.kind, value))
        except ValueError:
            return False
    if dimension.kind == "plain" and dimension.field is not None:
        pattern = dimension.field.schema.get("pattern")
        return pattern is None or re.search(pattern, value) is not None
    return dimension.kind == "name" and _is_name(value)


def _is_name(value: str) -> bool:
    return len(value) <= LONGEST_NAMED and bool(value.strip())


@cache
def _by_kind() -> Mapping[str, Facet]:
    return {
        f"{KIND}{name}": Facet(
            description=f"How it answers on {name}",
            answers=KINDS,
            fact=name,
            codes=lambda _: KINDS,
        )
        for name in facts()
    }


def required_filter(name: str) -> Facet:
    """Return a filter by its name. Raises `LookupError` if there is none."""
    if (found := filter_named(name)) is None:
        raise LookupError(name)
    return found


CHANGED_ON = "changed_on"
"""The shorter name of the day of the last change, as whoever publishes the record states it."""

COUNTRY = "country"
"""The facet of registers by their country."""

COMPLETENESS = "completeness"
"""The kind whose codes are the numbers from 0 to 100."""

REVIEW_DUE = "review_due"
"""The kind whose codes are the days on which the next review is due."""

OBSERVED_SINCE = "observed_since"
"""The kind whose codes are observations that hold from a day on: code, blank, day."""

LANGUAGE = "language"
"""The kind whose codes are the languages that versions have words in."""

NAME_LENGTH = "name_length"
"""The kind whose codes are `length_code`s: the number of words of a name in a language."""

LONGEST_NAME = 30
"""Names of more words count as names of this many."""


def length_code(language: str, length: int) -> str:
    """Return the code for names of so many words in a language."""
    return f"{min(length, LONGEST_NAME)} {language}"


def countries_of(regions: Iterable[str]) -> list[str]:
    """Return the countries of regions, by ISO 3166-2 code; a country is no region."""
    return list(dict.fromkeys(code.split("-")[0] for code in regions if "-" in code))
