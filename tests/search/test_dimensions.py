"""Every dimension as filter, range, facet and crossing, against a plain reading of documents."""

import datetime as dt
import json
import random
from collections import Counter

import pytest

from registry.errors import InvalidParameter
from registry.record.dimensions import PUBLISHED_AT, dimensions
from registry.record.facets import FACETS, filter_named
from registry.record.facts import facts
from registry.record.pointers import values_at
from registry.search import filters
from registry.search.query import SearchQuery
from registry.store.as_of import read_window
from registry.text.company_names import folded_name
from tests.search.test_facts import is_stated

DAY = len("2026-05-03")

IN_FORCE = """
    select r.id, c.document, v.published_at from content as c
    join version as v on (v.record, v.version) = (c.record, c.version)
    join record as r on r.id = c.record
    where v.entry <= $1 and v.entry = (
        select max(w.entry) from version as w where w.record = c.record and w.entry <= $1
    ) and not exists (
        select from withdrawal as g
        where g.record = c.record and g.entry between v.entry and $1
    )
"""

OF_ALL = """
    select v.record, v.entry, v.published_at, v.changed_on, f.origin, c.document
    from version as v
    join figure as f on f.entry = v.entry
    join content as c on (c.record, c.version) = (v.record, v.version)
    where not exists (select from withdrawal as w where w.record = v.record)
    order by v.record, v.entry
"""


@pytest.fixture(scope="module")
async def moments(large):
    """The documents in force as of the last entry, and as of one in the midst of the log."""
    async with large.connection() as connection:
        last = await connection.fetchval("select size - 1 from log_state")
        found = {}
        for entry in (last, 60, 30):
            rows = await connection.fetch(IN_FORCE, entry)
            found[entry] = [json.loads(row["document"]) for row in rows]
    return found


def texts(value):
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return [value if isinstance(value, str) else json.dumps(value)]


def stated(document, name):
    """The values of a dimension, each once; a name without case and accents."""
    fact = facts()[name]
    if not is_stated(document, fact):
        return set()
    values = {text for _, one in values_at(document, fact.field.path) for text in texts(one)}
    return {folded_name(one) for one in values} if dimensions()[name].kind == "name" else values


def place(name, value):
    """Where a value stands in its order; of a year or a month, its first day."""
    if dimensions()[name].kind == "number":
        return float(value)
    year, month, day = (*value.split("-"), "1", "1")[:3]
    return dt.date(int(year), int(month), int(day))


async def total(index, entry, **sought):
    answer = await index.answer(SearchQuery(filters=sought, as_of=entry))
    return answer.total


async def test_each_dimension_is_counted_and_found_as_documents_state_it(large_index, moments):
    chance = random.Random(5)
    for entry, documents in moments.items():
        for name, dimension in dimensions().items():
            if name == PUBLISHED_AT:
                continue
            values = [stated(document, name) for document in documents]
            counts = Counter(value for one in values for value in one)
            answer = await large_index.answer(SearchQuery(facets=[name], as_of=entry))
            if name in FACETS:
                continue
            folded = folded_name if dimension.kind == "name" else str
            assert {folded(one.code): one.count for one in answer.facets[name]} == counts, name
            kinds = answer.kinds[name]
            assert kinds.stated + kinds.asked_not_stated + kinds.not_asked + kinds.withheld == (
                len(documents) - kinds.restricted
            )
            for value in chance.sample(sorted(counts), min(2, len(counts))):
                if dimension.kind not in {"number", "date"}:
                    assert await total(large_index, entry, **{name: [value]}) == counts[value]
            if counts and dimension.kind in {"number", "date"}:
                low, high = sorted(
                    chance.choices(sorted(counts), k=2), key=lambda one: place(name, one)
                )
                between = sum(
                    any(place(name, low) <= place(name, v) <= place(name, high) for v in one)
                    for one in values
                )
                ends = {f"{name}.from": [low], f"{name}.until": [high]}
                if dimension.kind == "number" or len(high) == DAY:
                    assert await total(large_index, entry, **ends) == between, (name, low, high)
                above = sum(any(place(name, v) >= place(name, low) for v in one) for one in values)
                assert await total(large_index, entry, **{f"{name}.from": [low]}) == above


async def test_conditions_on_members_of_a_list_hold_of_one_item(large_index, moments):
    chance = random.Random(6)
    entry, documents = next(iter(moments.items()))
    by_list = {}
    for one in dimensions().values():
        if one.items is not None and one.kind in {"code", "boolean", "plain"}:
            by_list.setdefault(one.items, []).append(one.name)
    differ = 0
    for items, names in by_list.items():
        members = [name.removeprefix(f"{items}.").split(".") for name in names]
        found = [
            [
                {
                    name: texts(value)
                    for name, rest in zip(names, members, strict=True)
                    for _, value in values_at(item, tuple(rest))
                }
                for _, item in values_at(document, (*items.split("."), "*"))
            ]
            for document in documents
        ]
        pairs = sorted(
            {
                (one, a, other, b)
                for document in found
                for item in document
                for one in names
                for other in names
                if one < other
                for a in item.get(one, ())
                for b in item.get(other, ())
            }
        )
        for one, a, other, b in chance.sample(pairs, min(6, len(pairs))):
            in_one = sum(
                any(a in item.get(one, ()) and b in item.get(other, ()) for item in document)
                for document in found
            )
            anywhere = sum(
                any(a in item.get(one, ()) for item in document)
                and any(b in item.get(other, ()) for item in document)
                for document in found
            )
            differ += anywhere > in_one
            assert await total(large_index, entry, **{one: [a], other: [b]}) == in_one, (one, a, b)
    assert differ, "no pair shows that it is one item"


async def test_a_range_and_a_code_of_a_list_hold_of_one_item(large_index, moments):
    entry, documents = next(iter(moments.items()))
    found = [
        [
            item
            for _, item in values_at(document, ("assessments", "*"))
            if item.get("type") == "dpia" and item.get("completed_on", "") >= "2025-06-01"
        ]
        for document in documents
    ]
    sought = {"assessments.type": ["dpia"], "assessments.completed_on.from": ["2025-06-01"]}
    expected = sum(map(bool, found))
    assert await total(large_index, entry, **sought) == expected > 0


async def test_the_last_year_there_is_can_be_asked_for(large_index):
    records = (await large_index.answer(SearchQuery())).total
    for value in ("9999", "9999-12", "9999-12-31"):
        assert await total(large_index, None, **{f"{PUBLISHED_AT}.until": [value]}) == records
        assert await total(large_index, None, **{PUBLISHED_AT: [value]}) == 0


async def test_days_are_counted_as_if_their_own_range_were_not_set(large_index):
    for name in (PUBLISHED_AT, "lifecycle.deployed_on"):
        facets = [name, f"{name}:month"]
        whole = await large_index.answer(SearchQuery(facets=facets))
        earlier = SearchQuery(facets=facets, filters={f"{name}.until": ["2016"]})
        answer = await large_index.answer(earlier)
        assert answer.total < whole.total
        assert answer.facets == whole.facets, name


def test_each_dimension_has_a_filter_and_those_with_an_order_have_ranges():
    for name, dimension in dimensions().items():
        assert filter_named(name) is not None
        is_ranged = dimension.kind in {"number", "date"}
        assert all(
            (filter_named(f"{name}.{end}") is not None) == is_ranged for end in ("from", "until")
        )


async def test_a_table_of_any_two_adds_up_with_what_is_not_said(large_index, moments):
    chance = random.Random(8)
    names = [name for name in dimensions() if name != PUBLISHED_AT]
    pairs = [chance.sample(names, 2) for _ in range(30)]
    pairs += [["risk", "lifecycle.deployed_on:year"], ["sector.primary", "changed_on:month"]]
    for entry, documents in moments.items():
        for by in pairs:
            expected = Counter()
            for document in documents:
                sides = []
                for grouping in by:
                    name, _, period = grouping.partition(":")
                    name = {"risk": "risk.level", "changed_on": "publication.changed_on"}.get(
                        name, name
                    )
                    values = {
                        value[: {"": None, "year": 4, "month": 7}[period]]
                        for value in stated(document, name)
                    }
                    sides.append(values or {None})
                expected.update((one, other) for one in sides[0] for other in sides[1])
            answer = await large_index.answer(SearchQuery(by=by, as_of=entry))
            counted = Counter()
            for cell in answer.cells:
                key = tuple(
                    folded_name(group.value)
                    if group.value and getattr(dimensions().get(name), "kind", "") == "name"
                    else group.value
                    for name, group in zip(by, cell.groups, strict=True)
                )
                counted[key] += cell.records
            assert counted == expected, by


async def test_a_table_is_of_days_of_publication_and_registers_and_refuses_what_is_too_large(
    large, large_index, monkeypatch
):
    # Of others there are only those whose files are beside this checkout.
    async with large.connection() as connection:
        rows = await connection.fetch("select distinct coalesce(origin, 'local') from record")
    by = ["published_at:year", "origin"]
    answer = await large_index.answer(SearchQuery(by=by))
    assert sum(cell.records for cell in answer.cells) == answer.total
    assert {cell.groups[1].value for cell in answer.cells} == {origin for (origin,) in rows}
    monkeypatch.setattr(filters, "MOST_CELLS", 5)
    with pytest.raises(InvalidParameter, match="more than 5 cells; narrow the question"):
        await large_index.answer(SearchQuery(by=["risk", "sector"]))


async def test_transitions_are_of_the_log_here_and_of_their_own_day_elsewhere(large, large_index):
    async with large.connection() as connection:
        rows = await connection.fetch(OF_ALL)
    since, until = dt.date(2025, 6, 1), dt.date(2026, 9, 30)
    moved = Counter()
    for versions in {row["record"]: None for row in rows}:
        states = [row for row in rows if row["record"] == versions]
        before = after = None
        for row in states:
            own = row["changed_on"] if row["origin"] else None
            day = (
                dt.date.fromisoformat((own + "-01-01")[:10]) if own else row["published_at"].date()
            )
            before = row if day < since else before
            after = row if day <= until else after
        status = [
            json.loads(one["document"]).get("lifecycle", {}).get("status") if one else "new"
            for one in (before, after)
        ]
        if after is not None and before is not after and status[0] != status[1]:
            moved[tuple(status)] += 1
    async with large.connection() as connection:
        window = await read_window(connection, f"{since}", f"{until}")
    question = SearchQuery(changed=window, today=until)
    counted = await large_index.transitions(question, "status", f"{since}")
    found = {
        (
            "new" if one.before is None else one.before.value,
            one.after.value,
        ): one.records
        for one in counted
    }
    assert found == moved
    assert sum(len(one.ids) for one in counted) == sum(min(one.records, 100) for one in counted)
