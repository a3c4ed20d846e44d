"""What a process knows of names: it follows what is published, and finds what is alike."""

import asyncio
import copy
import datetime as dt
import random

import pytest

from registry.services.duplicate_names import AgencyNames, NameCache
from registry.services.register_rules import RULES, RegisterRuleContext
from registry.store import log
from registry.store.record_names import RecordName

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
WORDS = ("suivi", "des", "lits", "de", "la", "santé", "dossier", "tri", "permis", "eau", "1", "2")


@pytest.fixture
def called(database):
    """What a register's names are as `Names` knows them."""

    async def read(names, agency="demo-sante"):
        async with database.transaction() as connection:
            state = await log.read_state(connection)
            known = (await names.read(connection, [agency], state))[agency].known
        return {record: one.name["fr"] for record, one in known.items()}

    return read


def named(record, name, slug="prevision-lits"):
    document = copy.deepcopy(record)
    return document | {"id": f"demo-sante/{slug}", "name": {"fr": name}}


async def test_what_is_published_is_known_to_who_asked_before(publish, record, called):
    names = NameCache()
    assert await called(names) == {}
    await publish(named(record, "Tri"), named(record, "Eau", "eau"))
    assert await called(names) == {"demo-sante/prevision-lits": "Tri", "demo-sante/eau": "Eau"}
    await publish(named(record, "Tri des dossiers"))
    assert await called(names) == await called(NameCache())
    assert (await called(names))["demo-sante/prevision-lits"] == "Tri des dossiers"


async def test_a_withdrawn_record_has_no_name_until_it_is_filed_again(desk, record, called):
    names = NameCache()
    document = named(record, "Tri")
    await desk.publish(document)
    assert await called(names) == {document["id"]: "Tri"}
    await desk.withdraw(document, await desk.tag(document))
    assert await called(names) == await called(NameCache()) == {}
    await desk.publish(document)
    assert await called(names) == {document["id"]: "Tri"}


async def test_a_name_that_was_erased_is_forgotten(publish, record, called, database):
    names = NameCache()
    await publish(named(record, "Tri"))
    assert await called(names) == {"demo-sante/prevision-lits": "Tri"}
    await publish(named(record, "Eau", "eau"))
    async with database.session() as connection:
        # Without the guards, and the entry in the log, that a redaction has.
        await connection.execute("set session_replication_role = replica")
        await connection.execute(
            "update section set value = '{}' where key = 'name' and record = $1", record["id"]
        )
        await log.note_erasure(connection)
    assert await called(NameCache()) == await called(names) == {"demo-sante/eau": "Eau"}


async def test_those_who_ask_at_once_know_the_same(publish, record, called):
    names = NameCache()
    await publish(*(named(record, f"Tri {number}", f"tri-{number}") for number in range(20)))
    answers = await asyncio.gather(*(called(names) for _ in range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert len(answers[0]) == 20


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
def test_who_is_left_out_would_have_been_no_finding(pack, seed):
    """The rules say the same of those found by words and numbers as of everybody."""
    everybody = namesakes(200, seed)
    agency = AgencyNames()
    for entry, one in enumerate(everybody):
        agency.take(entry, one.record, one)
    findings = 0
    for asked in namesakes(50, seed + 1_000):
        document = {"id": "demo-sante/x", "name": asked.name, "source_id": asked.source_id}
        told = []
        for others in (everybody, sorted(agency.like(document), key=everybody.index)):
            door = RegisterRuleContext(document=document, pack=pack, version=1, others=others)
            told.append([remark for name in ("R21", "R22") for remark in RULES[name](door)])
        assert told[0] == told[1]
        findings += len(told[0])
    assert findings
