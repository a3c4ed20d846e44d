"""Law as data: what a country's statutes ask of a record and how one contests, by rows of its pack.

`Law` is what is in force on one day, compiled: a bit for each condition, and the bits under which
each row of `requirements.csv` asks. It adds to what the format asks for, and takes nothing from it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec

from registry.record.ids import agency_of
from registry.record.model import Document, LangText
from registry.record.pointers import dig, parts, values_at
from registry.record.schema import broader, field_at

Test: TypeAlias = Literal["is", "not", "has", "before", "from"]
TEXT, KIND = "text", "agency/kind"
"""The two paths of conditions that are no pointers."""

NAMING: tuple[tuple[str, ...], ...] = (("name",), ("summary",), ("purpose", "goal"))
"""The texts that identify a system to the public."""

_LEVEL = "level:"


class LegalCondition(msgspec.Struct, frozen=True, kw_only=True):
    """One fact of a record, as a row of `conditions.csv`; `value` has codes with `|` between."""

    name: str
    path: str
    test: Test
    value: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of `value`."""
        return read_choices(self.value)

    @property
    def pointer(self) -> str:
        """The place of the record that it is about."""
        return {TEXT: "/name", KIND: "/id"}.get(self.path, self.path)


class LegalRow(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A row of a country's law: which article says it, since when, and who has confirmed it.

    Days are `YYYY-MM-DD` in the country's time zone: from `since` to `until`, and the row is the
    law as one knew it from the day `known` on.
    """

    code: str
    law: str
    article: str = ""
    known: str = ""
    since: str = ""
    until: str = ""
    confirmed_by: str = ""
    confirmed_on: str = ""


_Row = TypeVar("_Row", bound=LegalRow)


class LegalRequirement(LegalRow, frozen=True, kw_only=True, eq=False):
    """A row of `requirements.csv`: what an article asks for, when, and what its absence is.

    `asks` is a pointer, the name of a condition, or empty where a level follows from `when` alone.
    """

    when: str
    asks: str = ""
    outcome: str = msgspec.field(name="else")
    note: LangText = {}

    @property
    def level(self) -> str:
        """The least risk level that follows, or ""."""
        return self.outcome.removeprefix(_LEVEL) if self.outcome.startswith(_LEVEL) else ""


class LegalStep(LegalRow, frozen=True, kw_only=True, eq=False):
    """A row of `steps.csv`: a step of redress, taken before a body for a purpose.

    It comes `after` other steps and is taken `within` some time of one of the events in `on`. After
    a time of `silence` an answer is `deemed` given. `must` says whether no court hears who has not
    taken it, `stops` whether the time limit of the court runs out meanwhile. Of `after` and `on`
    several have `|` between.
    """

    body: str
    purpose: LangText
    after: str = ""
    on: str
    within: int = 0
    unit: str = ""
    silence: int = 0
    silence_unit: str = ""
    deemed: str = ""
    must: str = ""
    stops: str = ""


def read_choices(text: str) -> tuple[str, ...]:
    """Return the codes of a cell that have `|` between them."""
    return tuple(code.strip() for code in text.split("|") if code.strip())


def article_number(article: str) -> int:
    """Return how many articles are cited, where that decides their word: of a longer range, 3."""
    first, _, last = article.partition("–")
    if not last:
        return len(article.split(","))
    return 2 if first.isdigit() and last.isdigit() and int(last) == int(first) + 1 else 3


def in_order(steps: Iterable[LegalStep]) -> list[tuple[int, LegalStep]]:
    """Return steps by their numbers: 1, or one more than the steps that come before each have."""
    by_code = {step.code: step for step in steps}

    def number(step: LegalStep) -> int:
        before = (by_code[code] for code in read_choices(step.after) if code in by_code)
        return 1 + max(map(number, before), default=0)

    return sorted(((number(step), step) for step in by_code.values()), key=itemgetter(0))


def read_notation(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the alternatives of a notation such as `L | P+D`, each of conditions."""
    return tuple(tuple(part.split("+")) for part in text.split(" | "))


class Demand(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A requirement in force: met by the condition, or by what is stated at the pointer.

    `level` is the least risk level that follows where it is not met, or "".
    """

    row: LegalRequirement
    law: LangText
    pointer: str
    condition: LegalCondition | None
    level: str


class _Tests(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The conditions on one path, each with its bit."""

    path: str
    names: tuple[str, ...]
    conditions: tuple[tuple[LegalCondition, int], ...]


class Law(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a country's law asks for on a day. `kinds` are those of agencies.

    Every condition that a row names has a bit, those of the format by `names`. Of each row
    `demands` has the bits under which it asks, and the bit that meets it.
    """

    names: Mapping[str, int] = {}
    tests: tuple[_Tests, ...] = ()
    demands: tuple[tuple[int, int, Demand], ...] = ()
    kinds: Mapping[str, str] = {}

    def asking(self, document: Document, held: frozenset[str]) -> tuple[Demand, ...]:
        """Return what is asked of a document under the format's conditions, but for those met.

        Whether something is stated at a pointer is not looked at.
        """
        bits = 0
        for name in held:
            bits |= self.names.get(name, 0)
        for tests in self.tests:
            values = self._values(document, tests)
            if values:
                bits |= _held(tests, tuple(values))
        return _asking(self, bits)

    def _values(self, document: Document, tests: _Tests) -> list[str]:
        if tests.path == KIND:
            kind = self.kinds.get(agency_of(str(document.get("id", ""))))
            return [] if kind is None else [kind]
        if tests.path == TEXT:
            texts = [text for name in NAMING if isinstance(text := dig(document, *name), dict)]
            return sorted(set(texts[0]).intersection(*texts[1:])) if texts else []
        return _stated(document, tests.names)


NO_LAW = Law()


@lru_cache(maxsize=4_096)
def _asking(law: Law, bits: int) -> tuple[Demand, ...]:
    """Return what a law asks for where the conditions of some bits hold."""
    found = [one for needed, met, one in law.demands if needed & bits == needed and not met & bits]
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=4_096)
def _held(tests: _Tests, values: tuple[str, ...]) -> int:
    """Return the bits of the conditions on a path that hold for what is stated there."""
    field = field_at(tests.names)
    if field is not None and field.entry.has_narrower:
        values = (*values, *map(broader, values))
    return sum(bit for condition, bit in tests.conditions if _holds(condition, values))


def is_stated(document: Document, place: str) -> bool:
    """Return whether something is stated at a pointer, whose `*` is each item of a list."""
    return bool(_found(document, parts(place)))


def _stated(document: Document, names: tuple[str, ...]) -> list[str]:
    return [_written(value) for value in _found(document, names)]


def _found(document: Document, names: tuple[str, ...]) -> list[Any]:
    """Return the values at a path that say something."""
    here: Any = document
    for name in names:
        if name == "*" or not isinstance(here, dict):
            break
        here = here.get(name)
    if "*" in names and not isinstance(here, str):
        here = [value for _, value in values_at(document, names)]
    found = here if isinstance(here, list) else [here]
    return [value for value in found if value not in (None, "", [], {})]


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _holds(condition: LegalCondition, values: tuple[str, ...]) -> bool:
    """Return whether a condition holds for what is stated: of a date, for every day of it."""
    match condition.test:
        case "is":
            return not set(values).isdisjoint(condition.codes)
        case "not":
            return set(values).isdisjoint(condition.codes)
        case "before":
            return all(value < condition.value[: len(value)] for value in values)
        case "from":
            return all((value + "-01-01")[:10] >= condition.value for value in values)
        case "has":
            return not condition.value or condition.value in values


def in_force(rows: Iterable[_Row], day: dt.date, *, ahead: bool = False) -> tuple[_Row, ...]:
    """Return the rows that are the law on a day, or `ahead` of it, as it was known on that day.

    Of the rows of one code one that was known later takes the place of those that have not begun
    by then, and from its own first day on of those that have.
    """
    today = day.isoformat()
    by_code: dict[str, list[_Row]] = {}
    for row in rows:
        if row.known <= today:
            by_code.setdefault(row.code, []).append(row)
    found: list[_Row] = []
    for same in by_code.values():
        kept = [
            row
            for row in same
            if all(row.since <= one.known or one.known <= row.known for one in same)
        ]
        begun = [row for row in kept if row.since <= today]
        last = max((row.known for row in begun), default="")
        found += (
            (row for row in kept if row.since > today)
            if ahead
            else (row for row in begun if row.known == last and today <= (row.until or today))
        )
    return tuple(found)


def compile_law(
    rows: Iterable[LegalRequirement],
    conditions: Iterable[LegalCondition],
    *,
    laws: Mapping[str, LangText],
    kinds: Mapping[str, str],
) -> Law:
    """Return some rows with the conditions that they name, compiled."""
    by_name = {one.name: one for one in conditions}
    bits: dict[str, int] = {}
    demands: list[tuple[int, int, Demand]] = []

    def bit(name: str) -> int:
        return bits.setdefault(name, 1 << len(bits))

    for row in rows:
        condition = by_name.get(row.asks)
        demand = Demand(
            row=row,
            law=laws.get(row.law, {}),
            pointer=row.asks if condition is None else condition.pointer,
            condition=condition,
            level=row.level,
        )
        met = 0 if condition is None else bit(condition.name)
        demands += [(sum(map(bit, set(names))), met, demand) for names in read_notation(row.when)]
    by_path: dict[str, list[LegalCondition]] = {}
    for name in bits.keys() & by_name.keys():
        by_path.setdefault(by_name[name].path, []).append(by_name[name])
    return Law(
        names={name: own for name, own in bits.items() if name not in by_name},
        tests=tuple(
            _Tests(
                path=path,
                names=parts(path),
                conditions=tuple((one, bits[one.name]) for one in tests),
            )
            for path, tests in sorted(by_path.items())
        ),
        demands=tuple(demands),
        kinds=kinds,
    )
