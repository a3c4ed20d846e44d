"""Records that another may be the same as are found by keys, however many there are."""

import copy
import datetime as dt
import json
import random

import pytest

from registry.record.likeness import MOST_WORDS, blocking_keys
from registry.services.filing.register_context import read_register_context
from registry.services.filing.register_rules import RULES, RegisterRuleContext
from registry.store import record_names
from registry.store.database import statement
from registry.store.record_names import MOST_ALIKE, MOST_OF_A_KEY, RecordName
from tests.conftest import amended
from tests.crowded import COMMUNE, crowd

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
WORDS = ("suivi", "des", "lits", "de", "la", "santé", "dossier", "tri", "permis", "eau", "1", "2")


@pytest.fixture
def called(database):
    """Who is found that could be taken for a record of a name, and what it is called."""

    async def find(name, agency="demo-sante"):
        names = {"fr": name}
        async with database.connection() as connection:
            found = await record_names.find_alike(
                connection,
                f"{agency}/x",
                blocking_keys(agency, names, None),
            )
        return {one.record: one.name["fr"] for one in found}

    return find


def named(record, name, slug="prevision-lits"):
    document = copy.deepcopy(record)
    return document | {"id": f"demo-sante/{slug}", "name": {"fr": name}}


async def test_a_record_is_found_by_the_words_of_the_name_that_it_has_now(publish, record, called):
    await publish(named(record, "Tri"), named(record, "Eau", "eau"))
    assert await called("Tri des dossiers") == {"demo-sante/prevision-lits": "Tri"}
    # At another agency the whole name counts, not a word of it.
    assert list(await called("Tri", agency="demo-education")) == ["demo-sante/prevision-lits"]
    assert await called("Tri des dossiers", agency="demo-education") == {}
    await publish(named(record, "Permis"))
    assert await called("Tri") == {}
    assert await called("Permis") == {"demo-sante/prevision-lits": "Permis"}


async def test_the_record_of_the_same_name_comes_first(publish, record, called):
    near = [named(record, f"Tri des dossiers {letter}", letter) for letter in "abcd"]
    await publish(*near, named(record, "Tri des dossiers", "same"))
    assert next(iter(await called("Tri des dossiers"))) == "demo-sante/same"


async def test_a_withdrawn_record_is_not_found_until_it_is_filed_again(filer, record, called):
    document = named(record, "Tri")
    await filer.publish(document)
    await filer.withdraw(document, await filer.tag(document))
    assert await called("Tri") == {}
    await filer.publish(amended(document))
    assert await called("Tri") == {document["id"]: "Tri"}


async def test_a_name_in_letters_that_deceive_is_compared_with_every_agency(
    publish, record, called
):
    await publish(named(record, "Prévision des lits"))
    assert await called("Prévisiоn dеs lits", agency="demo-education") == {
        "demo-sante/prevision-lits": "Prévision des lits"
    }


def namesakes(count, seed):
    chance = random.Random(seed)
    return [
        RecordName(
            record=f"demo-sante/r-{number}",
            agency="demo-sante",
            name={"fr": " ".join(chance.choices(WORDS, k=chance.randint(1, 5)))},
            source_id=str(chance.randrange(count)),
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_who_shares_no_key_would_have_been_no_finding(pack, seed):
    """The rules say the same of those found by keys as of everybody."""
    everybody = namesakes(200, seed)
    findings = 0
    for asked in namesakes(50, seed + 1_000):
        document = {"id": "demo-sante/x", "name": asked.name, "source_id": asked.source_id}
        told = []
        for others in (everybody, [one for one in everybody if one.keys().all & asked.keys().all]):
            door = RegisterRuleContext(document=document, pack=pack, version=1, others=others)
            told.append([remark for name in ("R21", "R22") for remark in RULES[name](door)])
        assert told[0] == told[1]
        findings += len(told[0])
    assert findings


def rows_read(plan, table):
    """Sum what the scans of a table gave, over all of their loops."""
    own = plan["Actual Rows"] * plan["Actual Loops"] if plan.get("Relation Name") == table else 0
    return own + sum(rows_read(part, table) for part in plan.get("Plans", ()))


async def test_a_crowd_of_similar_names_costs_no_more_than_is_looked_at(publish, record, database):
    """In an agency of 5,000 records that are called nearly the same."""
    await publish(named(record, COMMUNE.format("Tiznit")))
    document = named(record, COMMUNE.format("Agadir"), "agadir")
    keys = blocking_keys("demo-sante", document["name"], document.get("source_id"))
    read = []
    for count in (0, 5_000):
        async with database.transaction() as connection:
            await crowd(connection, record["id"], count)
            plan = await connection.fetchval(
                f"explain (analyze, format json) {statement('names', 'alike')}",
                document["id"],
                list(keys.own),
                list(keys.words),
                MOST_ALIKE,
                MOST_OF_A_KEY,
            )
            read.append(rows_read(json.loads(plan)[0]["Plan"], "blocking_key"))
            register_context = await read_register_context(connection, document)
        assert len(register_context.alike) == min(count + 1, MOST_ALIKE)
    # The server tells averages, of two digits after the point.
    assert round(read[0]) <= len(keys.words) <= MOST_WORDS
    assert round(read[1]) <= (len(keys.words) + len(keys.own)) * MOST_OF_A_KEY


async def test_the_very_same_name_is_found_in_a_crowd(publish, record, database, called):
    await publish(named(record, COMMUNE.format("Tiznit")))
    async with database.transaction() as connection:
        await crowd(connection, record["id"], 500)
    # Its identifier stands behind all the others.
    await publish(named(record, COMMUNE.format("Agadir"), "zagora"))
    assert "demo-sante/zagora" in await called(COMMUNE.format("Agadir"))
    assert len(await called(COMMUNE.format("Agadir"))) == MOST_ALIKE
