"""How records answer on each fact, counted by the index, against a plain reading of documents."""

import json

import msgspec
import pytest

from registry.record.facts import KINDS, facts
from registry.record.pointers import values_at
from registry.record.requirements import requirement_status
from registry.search.query import SearchQuery

IN_FORCE = """
    select r.id, r.origin,
        (
            select c.document from content as c where c.record = r.id and c.version = r.version
        ) as body
    from record as r where r.state = 'published'
"""


@pytest.fixture(scope="module")
async def standing(large):
    async with large.connection() as connection:
        rows = await connection.fetch(IN_FORCE)
    return [(row["origin"] or "local", json.loads(row["body"])) for row in rows]


def is_stated(document, fact):
    values = [value for _, value in values_at(document, fact.field.path)]
    if any(isinstance(value, dict) and value.get("answer") == "withheld" for value in values):
        return False
    if fact.field.path[-1] == "answer" and values == ["withheld"]:
        return False
    if [] in values and fact.unit.empty_answers and fact.is_unit:
        return True
    return any(value not in ([], {}) for value in values)


async def test_the_five_kinds_of_every_fact_add_up_and_stated_is_what_has_a_value(
    large_index, standing
):
    for origin in sorted({origin for origin, _ in standing}):
        documents = [document for one, document in standing if one == origin]
        counted = await large_index.count_answers(SearchQuery(filters={"origin": [origin]}))
        assert [one.fact for one in counted] == [*facts()]
        for one in counted:
            fact = facts()[one.fact]
            assert sum(getattr(one, kind) for kind in KINDS) == len(documents)
            assert one.stated == sum(is_stated(document, fact) for document in documents), fact.name
            assert one.level_not_stated <= one.not_asked


async def test_each_kind_of_each_unit_finds_as_many_as_it_counts(large_index, standing):
    total = len(standing)
    counts = {one.fact: one for one in await large_index.count_answers(SearchQuery())}
    for name, fact in facts().items():
        if fact.is_unit:
            finds = {
                kind: (
                    await large_index.answer(SearchQuery(filters={f"kind.{name}": [kind]}))
                ).total
                for kind in KINDS
            }
            counted = msgspec.structs.asdict(counts[name])
            assert finds == {kind: counted[kind] for kind in KINDS}, name
            assert sum(finds.values()) == total
            for sought, kinds in (("has", KINDS[:1]), ("lacks", KINDS[1:3])):
                found = await large_index.answer(SearchQuery(filters={sought: [name]}))
                assert found.total == sum(finds[kind] for kind in kinds)


async def test_what_no_level_of_risk_asks_for_is_silence_all_the_same(large_index, standing):
    """What a watchdog asks first; `missing` once answered 0."""
    dutch = [document for origin, document in standing if origin == "nl-algoritmeregister"]
    if not dutch:
        pytest.skip("the register of the Netherlands is not there: ../shared/data/nl")
    silent = sum(not (one.get("data") or {}).get("legal_basis") for one in dutch)
    filters = {"origin": ["nl-algoritmeregister"], "lacks": ["data.legal_basis"]}
    answer = await large_index.answer(
        SearchQuery(filters=filters, facets=["data.legal_basis", "lacks"])
    )
    assert answer.total == silent > 0
    # The kinds are of all, whatever is selected of them.
    kinds = answer.kinds["data.legal_basis"]
    assert (kinds.stated, kinds.not_asked) == (len(dutch) - silent, silent)
    assert kinds.level_not_stated == silent
    assert sum(getattr(kinds, kind) for kind in KINDS) == len(dutch)


async def test_a_fact_is_counted_without_what_is_selected_of_it_among_others(large_index):
    one, other = "data.legal_basis", "rights.human_alternative"
    beside = (await large_index.answer(SearchQuery(filters={"lacks": [other]}))).total
    for filters in (
        {"lacks": [one, other]},
        {"lacks": [other, one], "has": [one], f"kind.{one}": ["stated"]},
    ):
        kinds = (await large_index.answer(SearchQuery(filters=filters, facets=[one]))).kinds[one]
        assert sum(getattr(kinds, kind) for kind in KINDS) == beside > 0


async def test_no_foreign_record_with_a_metric_is_counted_and_no_local_one_is_lost(
    large_index, standing
):
    here = [document for origin, document in standing if origin == "local"]
    answer = await large_index.answer(
        SearchQuery(filters={"origin": ["local"]}, facets=["rights.human_alternative", "lacks"])
    )
    kinds = answer.kinds["rights.human_alternative"]
    codes = {one.code: one.count for one in answer.facets["lacks"]}
    public = [one for one in here if "restricted" not in requirement_status(one).requirements.held]
    silent = sum("human_alternative" not in one.get("rights", {}) for one in public)
    assert codes["rights.human_alternative"] == silent > len(here) / 2
    assert kinds.asked_not_stated + kinds.not_asked == silent
    assert kinds.restricted == len(here) - len(public)
