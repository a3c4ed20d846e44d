"""The index as of an entry: what is in force, filters, and counts of facets."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import msgspec
import tantivy
from tantivy import FieldType, Query

from registry.errors import InvalidParameter
from registry.record.dimensions import RANGED, Dimension, bounds, dimensions, numeric
from registry.record.facets import (
    BY_FACTS,
    CHANGED_ON,
    FACETS,
    KIND,
    OBSERVATION,
    OVERDUE,
    SINGLE,
    TERRITORY,
    WITH_BODIES,
    counted_dimension,
    countries_of,
    values_of,
)
from registry.record.facts import KINDS, NOT_ASKED, STATED, AnswerCounts, AnswerKind, facts
from registry.record.model import NOT_STATED, RISK_CHANGES
from registry.record.observations import BY_DAY, REVIEW_OVERDUE
from registry.record.schema import broader
from registry.record.search_document import ANSWERS
from registry.search.query import CellGroup, CrossCount, FacetCount, Transition
from registry.search.schema import (
    ANSWER,
    CURRENT,
    ITEM,
    SPELLED,
    UNSAID,
    VALUE,
    answer_token,
    day_number,
    number_field,
    since_field,
    value_field,
    value_place,
)
from registry.search.text_query import any_of, either, every, nothing_of
from registry.store.as_of import LogWindow
from registry.store.transitions import RecordTransition
from registry.text.company_names import folded_name

GROUPED = {kind: facet.of for kind, facet in FACETS.items() if facet.of is not None}
"""The facets that group the codes of another one, and which that is."""

_MOST_CODES = 60_000
"""Codes that are counted of one facet; tantivy allows 65,000 in an answer."""

MOST_CELLS = 10_000
"""Cells of a table, with those of what is not stated."""

GROUPINGS = 2
"""Groupings that a table has at most."""

MOST_NAMED = 100
"""Records of a transition that are named."""

_AT_ONCE = 5_000
"""Versions of which the values are read at once."""

_TOTAL = "total"


class FacetsCounted(msgspec.Struct, frozen=True, kw_only=True):
    """The number of versions that a query finds, their codes by facet, and how they answer."""

    total: int
    facets: dict[str, list[FacetCount]]
    answers: dict[str, AnswerCounts]


class IndexAsOf:
    """The versions that were in force when an entry was the last, and questions about them."""

    def __init__(
        self,
        schema: tantivy.Schema,
        searcher: tantivy.Searcher,
        *,
        size: int,
        entry: int,
        changed: LogWindow | None = None,
        today: dt.date | None = None,
        countries: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Take an index of the log of a size, and what filters of time and country refer to."""
        self.schema = schema
        self.searcher = searcher
        self.entry = entry
        self.changed = changed
        self._today = today
        self._countries = countries
        if entry >= size - 1:
            self.known: Query | None = None
            self.standing = Query.term_query(schema, "until", CURRENT)
        else:
            self.known = self._range("since", upper=entry)
            self.standing = every([self.known, self._range("until", lower=entry + 1)])

    @property
    def published(self) -> Query:
        """The versions of records of which one was published in the window."""
        return self._in_window("published")

    def filtering(self, filters: Mapping[str, Sequence[str]]) -> list[Query]:
        """Return what each of some filters lets pass, those of the items of a list together.

        Conditions on members of one list hold of one and the same item.
        """
        found = []
        given: dict[str, dict[str, Sequence[str]]] = {}
        for name, codes in filters.items():
            if (of := values_of(name)) is None:
                found.append(self.passing(name, codes))
            else:
                given.setdefault(of.dimension.name, {})[of.end] = codes
        of_lists: dict[str, list[Query]] = {}
        for name, ends in given.items():
            condition = self._having(dimensions()[name], ends)
            if (items := dimensions()[name].items) is None:
                found.append(condition)
            else:
                of_lists.setdefault(items, []).append(condition)
        return found + [
            conditions[0] if len(conditions) == 1 else self._in_one_item(conditions)
            for conditions in of_lists.values()
        ]

    def _having(self, dimension: Dimension, given: Mapping[str, Sequence[str]]) -> Query:
        """Return what states one of the values of a dimension, and one between ends of a range."""
        name, kind = dimension.name, dimension.kind
        if kind not in RANGED:
            return self.valued(name, given[""])
        # Of ends given more than once the widest range is the one that any of them allows.
        low, high = (
            pick(given[end], key=partial(numeric, kind)) if end in given else None
            for end, pick in (("from", min), ("until", max))
        )
        lowest, highest = bounds(kind, low, high)
        ranges = [(lowest, highest)]
        if "" in given:
            stated = [bounds(kind, value, value) for value in given[""]]
            ranges = [
                (
                    from_ if lowest is None else max(from_, lowest),
                    until if highest is None else min(until, highest),
                )
                for from_, until in stated
            ]
        return either(
            [
                Query.range_query(self.schema, number_field(name), FieldType.Float, from_, until)
                for from_, until in ranges
                if from_ is None or until is None or from_ <= until
            ]
        )

    def valued(self, name: str, values: Sequence[str]) -> Query:
        """Return the versions that state one of some values of a dimension."""
        places: dict[str, list[str]] = {}
        for field, token in (value_place(name, value) for value in values):
            places.setdefault(field, []).append(token)
        return either([any_of(self.schema, field, tokens) for field, tokens in places.items()])

    def _in_one_item(self, conditions: Sequence[Query]) -> Query:
        """Return the versions of which one item of a list meets all conditions."""
        query = every([Query.term_query(self.schema, "kind", ITEM), *conditions])
        if not (count := self.total(query)):
            return Query.empty_query()
        found = self.searcher.search(query, count, count=False, order_by_field="ord").hits
        return Query.term_set_query(self.schema, "ord", list({ord_ for ord_, _ in found}))

    def passing(self, kind: str, codes: Sequence[str]) -> Query:
        """Return the versions that have one of some codes."""
        if kind == TERRITORY:
            return self.valued(kind, [*codes, *countries_of(codes)])
        if kind == "overdue":
            codes, kind = [REVIEW_OVERDUE] if OVERDUE in codes else [], OBSERVATION
        if kind == OBSERVATION:
            return either([self._observed(code) for code in codes])
        if kind == "risk_change" and self.changed is not None:
            return either([self._in_window(code) for code in codes])
        if kind in BY_FACTS:
            pairs = [(code, answer) for code in codes for answer in FACETS[kind].answers]
            return either([self.answering(fact, answer) for fact, answer in pairs])
        if kind.startswith(KIND):
            return either([self.answering(kind.removeprefix(KIND), code) for code in codes])
        return self._coded(kind, codes)

    def _coded(self, kind: str, codes: Sequence[str]) -> Query:
        if kind == WITH_BODIES:
            return any_of(self.schema, "agency", codes)
        if kind in GROUPED:
            grouped = [code for code, group in self._countries.items() if group in codes]
            return any_of(self.schema, GROUPED[kind], grouped)
        facet = FACETS.get(kind)
        if facet is None or facet.stating is None or not facet.has_narrower:
            return any_of(self.schema, kind, codes)
        own = [code for code in codes if broader(code) != code]
        counted = any_of(self.schema, kind, [code for code in codes if code not in own])
        return either([counted, self.valued(facet.stating, own)])

    def answering(self, fact: str, kind: str) -> Query:
        """Return the versions whose answer on a fact is of a kind."""
        if kind == NOT_ASKED:
            return nothing_of(any_of(self.schema, ANSWER, [answer_token(fact, k) for k in ANSWERS]))
        return Query.term_query(self.schema, ANSWER, answer_token(fact, kind))

    def count_answers(self, query: Query, wanted: Sequence[str]) -> dict[str, AnswerCounts]:
        """Return by fact how the versions that a query finds answer."""
        total, counted = self._answers(query)
        unlevelled, of_these = self._answers(every([query, self._without_level]))
        found = {}
        for name in wanted:
            kinds: dict[str, int] = {
                kind: counted.get(answer_token(name, kind), 0) for kind in ANSWERS
            }
            others = sum(of_these.get(answer_token(name, kind), 0) for kind in ANSWERS)
            found[name] = AnswerCounts(
                **kinds,
                not_asked=total - sum(kinds.values()),
                level_not_stated=unlevelled - others if facts()[name].by_level else 0,
            )
        return found

    @property
    def _without_level(self) -> Query:
        return Query.term_query(self.schema, "risk", NOT_STATED)

    def _answers(self, query: Query) -> tuple[int, dict[str, int]]:
        """Return the number of versions that a query finds, and by token of answers."""
        total, found = self._aggregate(query, [ANSWER])
        return total, _buckets(found[ANSWER])

    def cross(self, query: Query, by: Sequence[str]) -> list[CrossCount]:
        """Return how many versions that a query finds are in each cell of a table, most first.

        What is not stated is in cells of its own, by the kind of the answer. Raises
        `InvalidParameter` for a table of more than `MOST_CELLS` cells.
        """
        counts: Counter[tuple[str, ...]] = Counter()
        try:
            found = self.searcher.aggregate(query, _nested([_grouped_field(name) for name in by]))
        except ValueError as error:
            raise _too_many(by) from error
        labels = [
            self._countries if name in GROUPED else self.spellings(_long_name(name)) for name in by
        ]
        for tokens, count in _leaves(found):
            named = (label.get(token, token) for label, token in zip(labels, tokens, strict=True))
            counts[tuple(named)] += count
        if len(counts) > MOST_CELLS:
            raise _too_many(by)
        return [
            CrossCount(groups=[_group(token) for token in tokens], records=count)
            for tokens, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        ]

    def transitions(self, changed: Sequence[RecordTransition], name: str) -> list[Transition]:
        """Return how many records went from one value of a dimension to another, most first."""
        entries = {entry for one in changed for entry in (one.before, one.after)} - {None}
        said = self._said(sorted(filter(None, entries)), name)
        moved: dict[tuple[str | None, str], list[str]] = {}
        for one in changed:
            before = None if one.before is None else said[one.before]
            if before != said[one.after]:
                moved.setdefault((before, said[one.after]), []).append(one.record)
        return [
            Transition(
                before=None if before is None else _group(before),
                after=_group(after),
                records=len(records),
                ids=records[:MOST_NAMED],
            )
            for (before, after), records in sorted(
                moved.items(), key=lambda one: (-len(one[1]), one[0][0] or "", one[0][1])
            )
        ]

    def _said(self, entries: Sequence[int], name: str) -> dict[int, str]:
        """Return what versions say of a dimension, several values as one."""
        found = {}
        spellings = self.spellings(_long_name(name))
        asked = _nested(["ord", _grouped_field(name)])
        for start in range(0, len(entries), _AT_ONCE):
            some = Query.term_set_query(self.schema, "ord", list(entries[start : start + _AT_ONCE]))
            versions = every([self._range("since", lower=0), some])
            for bucket in self.searcher.aggregate(versions, asked)["terms"]["buckets"]:
                tokens = sorted(token for (token,), _ in _leaves(bucket))
                found[int(bucket["key"])] = "; ".join(spellings.get(one, one) for one in tokens)
        return found

    def unchanged_after(self, entry: int) -> Query:
        """Return the versions that came with an entry or before."""
        return Query.empty_query() if entry < 0 else self._range("since", upper=entry)

    def total(self, query: Query) -> int:
        """Return the number of versions that a query finds."""
        return self._aggregate(query, [])[0]

    def count(self, query: Query, kinds: Sequence[str]) -> FacetsCounted:
        """Return the number of versions that a query finds, and their codes of some kinds.

        The codes are by count, the largest first, without those of count 0. Beside those of a fact
        is how the versions answer on it.
        """
        wanted: dict[str, str] = {}
        counted: dict[str, Mapping[str, int]] = {}
        for kind in kinds:
            if kind == "overdue":
                counted[kind] = {
                    OVERDUE: self.total(every([query, self._observed(REVIEW_OVERDUE)]))
                }
            elif kind in BY_FACTS:
                of_facts = self.count_answers(query, list(facts()))
                counted[kind] = {
                    fact: sum(getattr(one, answer) for answer in FACETS[kind].answers)
                    for fact, one in of_facts.items()
                }
            elif kind in facts() and kind not in (*FACETS, *dimensions()):
                counted[kind] = {}
            elif kind == "risk_change" and self.changed is not None:
                counted[kind] = {
                    code: self.total(every([query, self._in_window(code)])) for code in RISK_CHANGES
                }
            else:
                wanted[kind] = _field(kind)
        stating = {kind: fact for kind in kinds if (fact := stated_fact(kind)) is not None}
        columns = [value_field(fact) for fact in stating.values() if fact in dimensions()]
        total, found = self._aggregate(query, [*wanted.values(), *columns])
        for kind, field in wanted.items():
            counted[kind] = self._of_kind(query, kind, _buckets(found[field]))
        answers = self._answers_in_columns(query, [*stating.values()], total, found)
        return FacetsCounted(
            total=total,
            facets={
                kind: [
                    FacetCount(code=code, count=count)
                    for code, count in sorted(codes.items(), key=lambda one: (-one[1], one[0]))
                    if count
                ]
                for kind, codes in counted.items()
            },
            answers={kind: answers[fact] for kind, fact in stating.items()},
        )

    def _answers_in_columns(
        self, query: Query, wanted: Sequence[str], total: int, found: Mapping[str, Any]
    ) -> dict[str, AnswerCounts]:
        """Return what `count_answers` does, from the columns of values that were counted whole."""
        whole = {}
        for fact in wanted:
            column = found.get(value_field(fact))
            if column is not None and not column["sum_other_doc_count"]:
                said = _buckets(column)
                whole[fact] = {kind: said.get(UNSAID + kind, 0) for kind in KINDS if kind != STATED}
        fields = [
            value_field(fact)
            for fact, kinds in whole.items()
            if kinds[NOT_ASKED] and facts()[fact].by_level
        ]
        of_these = self._aggregate(every([query, self._without_level]), fields)[1] if fields else {}
        unlevelled = {
            field: _buckets(of).get(UNSAID + NOT_ASKED, 0) for field, of in of_these.items()
        }
        others = [fact for fact in wanted if fact not in whole]
        return {
            fact: AnswerCounts(
                **kinds,
                stated=total - sum(kinds.values()),
                level_not_stated=unlevelled.get(value_field(fact), 0),
            )
            for fact, kinds in whole.items()
        } | (self.count_answers(query, others) if others else {})

    def _of_kind(self, query: Query, kind: str, terms: Mapping[str, int]) -> Mapping[str, int]:
        """Return the counts of a kind from those of the terms in its field."""
        codes = {code: count for code, count in terms.items() if not code.startswith(UNSAID)}
        if kind in GROUPED:
            return self._grouped(codes)
        if kind == TERRITORY:
            return self._with_whole_country(query, codes)
        if kind == OBSERVATION:
            return codes | {
                code: self.total(every([query, self._observed(code)])) for code in BY_DAY
            }
        spellings = self.spellings(kind) if codes else {}
        return {spellings.get(code, code): count for code, count in codes.items()}

    def _aggregate(self, query: Query, fields: Iterable[str]) -> tuple[int, dict[str, Any]]:
        """Return the number of versions that a query finds, and by field the terms of theirs."""
        asked: dict[str, Any] = {field: {"terms": _terms(field)} for field in fields}
        single = next((field for field in asked if field in SINGLE), None)
        if single is None:
            asked[_TOTAL] = {"value_count": {"field": "ord"}}
        found: dict[str, Any] = self.searcher.aggregate(query, asked)
        if single is None:
            return int(found.pop(_TOTAL)["value"]), found
        # Every version has one code of it.
        return sum(_buckets(found[single]).values()), found

    def _grouped(self, codes: Mapping[str, int]) -> dict[str, int]:
        found: Counter[str] = Counter()
        for code, count in codes.items():
            if group := self._countries.get(code):
                found[group] += count
        return found

    def _with_whole_country(self, query: Query, codes: Mapping[str, int]) -> dict[str, int]:
        """Return the counts of regions with those of their countries, each record once."""
        found = dict(codes)
        for country in countries_of(codes):
            if country in codes:
                whole = every([query, self.valued(TERRITORY, [country])])
                field = value_field(TERRITORY)
                both = _buckets(self._aggregate(whole, [field])[1][field])
                for code in codes:
                    if code.startswith(f"{country}-"):
                        found[code] += codes[country] - both.get(code, 0)
        return found

    def spellings(self, kind: str) -> dict[str, str]:
        """Return the most frequent spelling of each folded name among what is in force."""
        found: dict[str, str] = {}
        dimension = counted_dimension(kind)
        if dimension is None or dimension.kind != "name":
            return found
        field = value_field(dimension.name, SPELLED)
        codes = _buckets(self._aggregate(self.standing, [field])[1][field])
        for code, _ in sorted(codes.items(), key=lambda one: (-one[1], one[0])):
            found.setdefault(folded_name(code), code)
        return found

    def _observed(self, code: str) -> Query:
        """Return the versions of which an observation holds on the day of the question."""
        if code not in BY_DAY:
            return any_of(self.schema, OBSERVATION, [code])
        if self._today is None:
            raise ValueError("whether it holds depends on the day: give `today`")
        return self._range(since_field(code), upper=day_number(self._today))

    def _in_window(self, field: str) -> Query:
        """Return the versions whose field, of entries, has one of the window up to this one."""
        window = self.changed
        if window is None:
            raise ValueError("without a window nothing is in it")
        last = self.entry if window.last is None else min(window.last, self.entry)
        if last <= window.after:
            return Query.empty_query()
        return self._range(field, lower=window.after + 1, upper=last)

    def _range(self, field: str, *, lower: int | None = None, upper: int | None = None) -> Query:
        return Query.range_query(self.schema, field, FieldType.Integer, lower, upper)


def stated_fact(facet: str) -> str | None:
    """Return the fact that the codes of a facet are of, None of a facet that is of none."""
    if (known := FACETS.get(facet)) is not None:
        return known.stating
    name = facet.partition(":")[0]
    return name if name in facts() else None


def _long_name(name: str) -> str:
    """Return the name of the dimension that a grouping is by, else the grouping."""
    if name.startswith(CHANGED_ON):
        return f"publication.{name}"
    facet = FACETS.get(name)
    return facet.stating or name if facet is not None else name


def _grouped_field(name: str) -> str:
    long = _long_name(name)
    is_dimension = long.partition(":")[0] in dimensions()
    return value_field(long) if is_dimension else GROUPED.get(name, name)


def _nested(fields: Sequence[str]) -> dict[str, Any]:
    """Return the aggregation of the terms of fields, those of the next within those of each."""
    asked: dict[str, Any] = {}
    for field in reversed(fields):
        asked = {"terms": {"terms": _terms(field), **({"aggs": asked} if asked else {})}}
    return asked


def _terms(field: str) -> dict[str, Any]:
    terms = {"field": field, "size": _MOST_CODES, "segment_size": _MOST_CODES}
    return terms | ({"missing": UNSAID + NOT_ASKED} if field.startswith(VALUE) else {})


def _leaves(found: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], int]]:
    for bucket in found["terms"]["buckets"]:
        if "terms" in bucket:
            for tokens, count in _leaves(bucket):
                yield (bucket["key"], *tokens), count
        else:
            yield (bucket["key"],), bucket["doc_count"]


def _group(token: str) -> CellGroup:
    if token.startswith(UNSAID):
        return CellGroup(value=None, kind=msgspec.convert(token[len(UNSAID) :], AnswerKind))
    return CellGroup(value=token, kind=STATED)


def _too_many(by: Sequence[str]) -> InvalidParameter:
    return InvalidParameter(
        f"by: {' and '.join(by)} make more than {MOST_CELLS:,} cells; narrow the question by "
        "filters, take days by `:year` or `:month`, or ask for one table after the other"
    )


def _field(kind: str) -> str:
    """Return the field that a facet counts."""
    if (dimension := counted_dimension(kind)) is None:
        return GROUPED.get(kind, kind)
    return value_field(kind if ":" in kind else dimension.name)


def _buckets(counted: Mapping[str, Any]) -> dict[str, int]:
    return {bucket["key"]: bucket["doc_count"] for bucket in counted["buckets"]}
