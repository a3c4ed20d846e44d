"""What a record is beside the others: numbers that repeat, names that mislead, changes unsaid."""

import datetime as dt

import pytest

from registry.errors import InvalidRecord
from registry.record.likeness import any_confusable, name_parts, system_traits
from registry.record.pointers import dig
from registry.record.rules import REGISTER_RULES
from registry.services.filing.drafts import Precondition
from registry.services.filing.register_context import validate_in_register
from registry.services.filing.register_rules import RULES, RegisterRuleContext, lowered_from
from registry.store import records
from registry.store.record_names import HigherRecord, RecordName
from tests.conftest import amended
from tests.published import publish_alone
from tests.served import records as demonstration

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
NAME = "Prévision des lits d'hôpital"


def other(record="demo-sante/autre", name=None, source_id=None):
    return RecordName(
        record=record,
        agency=record.split("/")[0],
        name=name or {"fr": "Tri des demandes"},
        source_id=source_id,
    )


def entrance(pack, *others, name=None, version=1, last_note=None, **members):
    document = {"id": "demo-sante/lits", "name": name or {"fr": NAME}, **members}
    last = None if last_note is None else noted(**last_note)
    return RegisterRuleContext(
        document=document, pack=pack, version=version, last=last, others=others
    )


def told(name, door):
    return [(one.pointer, one.rule, one.severity) for one in RULES[name](door)]


def test_the_rules_have_the_names_that_filters_know():
    assert tuple(RULES) == REGISTER_RULES


def test_each_says_its_title():
    for name, rule in RULES.items():
        assert rule.__doc__.startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([other(source_id="7")], [("/source_id", "R21", "error")]),
        ([other(source_id="8")], []),
        ([other(source_id=None)], []),
        ([other(record="demo-education/autre", source_id="7")], []),
    ],
)
def test_an_agencys_own_number_is_used_once(pack, others, expected):
    assert told("R21", entrance(pack, *others, source_id="7")) == expected


def test_a_record_without_a_number_repeats_none(pack):
    assert told("R21", entrance(pack, other(source_id=None))) == []


WARNED = [("/name/fr", "R22", "warning")]


@pytest.mark.parametrize(
    ("name", "others", "expected"),
    [
        (NAME, [other(name={"fr": NAME})], WARNED),
        (NAME, [other(name={"fr": "prevision des lits d'hopital"})], WARNED),
        (NAME, [other(name={"fr": "Prévisions des lits d'hôpital"})], WARNED),
        (NAME, [other(name={"ar": NAME})], []),
        (NAME, [other(name={"fr": "Prévision des pluies"})], []),
        # Numbers tell systems apart; what another agency calls the same may be one that both use.
        ("Triage 1", [other(name={"fr": "Triage 2"})], []),
        (NAME, [other(record="demo-education/lits", name={"fr": NAME})], WARNED),
        (NAME, [other(record="demo-education/lits", name={"fr": f"{NAME} b"})], []),
        # Cyrillic letters in a Latin word.
        ("Prévisiоn dеs lits", [other("demo-education/x", {"fr": "Prévision des lits"})], WARNED),
        ("Prévision des lits", [other("demo-education/x", {"fr": "Prévisiоn des lits"})], WARNED),
        # Cherokee, Tifinagh, Armenian and Greek.
        ("Tri", [other("demo-education/x", {"en": "Ꭲri"})], WARNED),
        ("Orientation", [other("demo-education/x", {"fr": "ⵔrientation"})], WARNED),
        ("օrientation", [other("demo-education/x", {"fr": "Orientation"})], WARNED),
        ("Τri", [other("demo-education/x", {"fr": "Tri"})], WARNED),
        # Persian letters in an Arabic word.
        ("نظام کلی", [other("demo-education/x", {"ar": "نظام كلي"})], WARNED),
    ],
)
def test_names_that_repeat_or_pass_for_another(pack, name, others, expected):
    assert told("R22", entrance(pack, *others, name={"fr": name})) == expected


def test_a_host_that_passes_for_another_is_pointed_out(pack):
    door = entrance(
        pack,
        website="http://аррӏе.com/x",
        contact={"email": "contact@cndр.ma"},
        documents=[{"url": "https://www.cndp.ma/"}, {"url": "http://xn--80ak6aa92e.com/"}],
    )
    assert told("R22", door) == [
        ("/website", "R22", "warning"),
        ("/contact/email", "R22", "warning"),
        ("/documents/1/url", "R22", "warning"),
    ]


def test_every_record_that_is_meant_is_named(pack):
    door = entrance(pack, other("demo-sante/a", {"fr": NAME}), other("demo-sante/b", {"fr": NAME}))
    named = [one.messages[0].values["record"] for one in RULES["R22"](door)]
    assert named == ["demo-sante/a", "demo-sante/b"]


def test_where_many_are_meant_three_are_named(pack):
    many = [other(f"demo-sante/{number}", {"fr": NAME, "ar": "اسم"}) for number in range(10)]
    door = entrance(pack, *many, name={"fr": NAME, "ar": "اسم"})
    assert [one.pointer for one in RULES["R22"](door)] == ["/name/fr"] * 3 + ["/name/ar"] * 3


def test_only_a_disguised_name_is_compared_with_every_agency(pack):
    assert any_confusable({"fr": "Prévisiоn"})
    assert not any_confusable({"fr": NAME, "ar": "توقع الأسرة", "zgh": "ⵜⴰⵎⴰⵣⵉⵖⵜ"})
    assert not any_confusable({})


def test_agencies_do_not_look_alike(pack):
    """The names of a country's agencies raise no suspicion among themselves."""
    for agency in pack.agencies:
        door = entrance(pack)
        door.document["id"] = f"{agency}/x"
        assert told("R22", door) == []


FRENCH_NOTE = ("/publication/change_note/fr", "change_note", "error")
ARABIC_NOTE = ("/publication/change_note/ar", "change_note", "error")


def noted(**note):
    return {"publication": {"change_note": note}}


@pytest.mark.parametrize(
    ("version", "members", "expected"),
    [
        (1, {}, []),
        (2, {}, [("/publication/change_note", "change_note", "error")]),
        (1, {"publication": {"change_note": {"fr": "."}}}, []),
        (2, {"publication": {"change_note": {"fr": "Nouvelle adresse du site"}}}, []),
        # The note of the version before, its Arabic one, and one that says nothing.
        (2, noted(fr="niveau ABAISSE de moitié"), [FRENCH_NOTE]),
        (2, noted(fr="Nouvelle adresse", ar="خفض مستوى الخطر"), [FRENCH_NOTE, ARABIC_NOTE]),
        (2, noted(fr="."), [FRENCH_NOTE]),
        # Han and Thai have no spaces between words.
        (2, noted(zh="更新网站地址", th="แก้ไขที่อยู่"), []),
    ],
)
def test_from_the_second_version_on_a_record_says_what_changed(pack, version, members, expected):
    before = {"fr": "Niveau abaissé, de moitié.", "ar": "خفض مستوى الخطر"}
    door = entrance(pack, version=version, last_note=before, **members)
    assert told("change_note", door) == expected


async def publish_one(context, record):
    return await publish_alone(context, record, now=NOW)


async def found(context, record):
    verdict = await validate_in_register(context, record, now=NOW)
    return verdict.publishable, {one.rule for one in verdict.findings} & set(RULES)


async def test_the_register_is_asked_before_anything_is_published(context, record):
    record["source_id"] = "lits-1"
    assert await found(context, record) == (True, set())
    await publish_one(context, record)
    # What is in force as it stands is not its own rival.
    assert await found(context, record) == (True, set())

    twin = record | {"id": "demo-sante/lits-bis"}
    assert await found(context, twin) == (False, {"R21", "R22"})
    with pytest.raises(InvalidRecord) as refused:
        await publish_one(context, twin)
    assert {"R21", "R22"} <= {one.rule for one in refused.value.findings}
    assert await found(context, twin | {"source_id": "lits-2"}) == (True, {"R22"})

    renamed = record | {"website": "https://demo.example/lits"}
    assert await found(context, renamed) == (False, {"change_note"})
    del record["publication"]["change_note"]
    assert await found(context, record) == (False, {"change_note"})
    with pytest.raises(InvalidRecord) as refused:
        await publish_one(context, record)
    findings = refused.value.findings
    assert findings == tuple(sorted(findings, key=lambda one: (one.pointer, one.rule)))


async def test_the_warning_of_a_rule_of_the_register_is_kept_with_the_version(context, record):
    await publish_one(context, record)
    twin = record | {"id": "demo-sante/lits-bis", "source_id": "lits-bis"}
    await publish_one(context, twin)
    async with context.database.connection() as connection:
        kept = await records.read(connection, "demo-sante/lits-bis")
    assert {one.rule for one in kept.register.noticed()} >= {"R22"}
    assert {one.lang for one in kept.register.noticed()} == {"en"}


@pytest.mark.parametrize(
    ("changes", "lowered"),
    [
        ({"source_id": "other"}, True),
        ({"name": {"fr": "Tout autre"}}, True),
        ({"source_id": "other", "name": {"fr": "Tout autre"}}, False),
        ({"risk": {"level": "high"}}, False),
        ({"risk": {"level": "unacceptable"}}, False),
    ],
    ids=str,
)
def test_a_withdrawn_system_is_known_again_at_a_lower_level(pack, changes, lowered):
    name = {"fr": NAME}
    gone = HigherRecord(
        record="demo-sante/autre",
        names={"fr": name_parts(NAME)},
        source_id="7",
        risk="high",
        sector="health",
        is_withdrawn=True,
        traits=system_traits({}),
    )
    document = {"id": "demo-sante/lits", "name": name, "source_id": "7"}
    document = document | {"risk": {"level": "limited"}} | changes
    door = RegisterRuleContext(
        document=document,
        pack=pack,
        version=1,
        others=(),
        lowered_from=lowered_from(document, [gone]),
    )
    assert told("R25", door) == ([("/risk/level", "R25", "warning")] if lowered else [])


ANEW = [
    # Every other text and fact as it was (filer W9), or the facts changed, or most of the texts.
    ({}, True),
    ({"sector": {"primary": "other", "function": "other"}}, True),
    ({"summary": {"fr": "Un tout autre résumé.", "ar": "ملخص آخر."}}, True),
    ({"decision": ..., "technical": ..., "rights": ..., "risks": ...}, True),
]


@pytest.mark.parametrize("state", ["withdrawn", "in force"])
@pytest.mark.parametrize(("changes", "found"), ANEW)
async def test_a_system_is_known_by_its_texts_under_another_name(
    filer, publish, record, changes, found, state
):
    high = record | {"risk": record["risk"] | {"level": "high"}}
    [first] = await publish(high)
    if state == "withdrawn":
        await filer.withdraw(high, first.hash[:16], filer.statement | {"reason": "other"})
    name = {"fr": "Idem bis", "ar": "مثله مكرر"}
    anew = record | {"id": "demo-sante/nouveau", "source_id": "N-1", "name": name} | changes
    anew = {key: value for key, value in anew.items() if value is not ...}
    verdict = await validate_in_register(filer.context, anew, now=NOW)
    told = [one.message for one in verdict.findings if one.rule == "R25"]
    assert [high["id"] in one for one in told] == ([True] if found else [])
    # Once more, from the kept traits.
    assert await validate_in_register(filer.context, anew, now=NOW) == verdict


async def test_other_systems_of_the_agency_are_not_taken_for_a_higher_one(filer, publish):
    everything = demonstration("demo-sante", "demo-education", "demo-services", "demo-agriculture")
    high = [one for one in everything if dig(one, "risk", "level") == "high"]
    await publish(*high)
    lower = [one for one in everything if dig(one, "risk", "level") in ("minimal", "limited")]
    assert len(high) > 5
    assert len(lower) > 15
    for document in lower:
        verdict = await validate_in_register(filer.context, document, now=NOW)
        told = [one.message for one in verdict.findings if one.rule == "R25"]
        assert told == [], document["id"]


async def test_a_restricted_record_is_like_one_of_its_sector_that_was_withdrawn(
    filer, publish, record
):
    high = record | {"risk": record["risk"] | {"level": "high"}}
    [first] = await publish(high)
    anew = {
        "id": "demo-sante/nouveau",
        "schema_version": "1.0",
        "risk": {"level": "limited"},
        "sector": {"primary": record["sector"]["primary"]},
        "publication": {"visibility": "restricted"},
    }

    async def rules():
        verdict = await validate_in_register(filer.context, anew, now=NOW)
        return {one.rule for one in verdict.findings}

    assert "R25" not in await rules()
    await filer.withdraw(high, first.hash[:16], filer.statement | {"reason": "other"})
    assert "R25" in await rules()


async def test_the_record_of_the_highest_level_is_named_as_it_stands_now(filer, publish, record):
    def like(number, level):
        own = {"id": f"demo-sante/{level}-{number}", "source_id": f"{level}-{number}"}
        return record | own | {"risk": record["risk"] | {"level": level}}

    async def told():
        verdict = await validate_in_register(filer.context, like(9, "minimal"), now=NOW)
        [found] = [one.message for one in verdict.findings if one.rule == "R25"]
        return found

    limited, high, last = like(1, "limited"), like(1, "high"), like(2, "high")
    await publish(high)
    await publish(last)
    await publish(limited)
    # Of several at the highest level, the last that was published.
    assert f"{last['id']}, which is in force" in await told()
    note = {"change_note": {"fr": "Le niveau a été revu.", "ar": "تمت مراجعة المستوى هنا."}}
    lower = last | {"risk": limited["risk"], "publication": last["publication"] | note}
    [entry] = await publish(lower)
    assert f"{high['id']}, which is in force" in await told()
    await filer.withdraw(lower, entry.hash[:16], filer.statement | {"reason": "other"})
    assert f"{high['id']}, which is in force" in await told()
    [entry] = await publish(high | {"publication": high["publication"] | note})
    await filer.withdraw(high, entry.hash[:16], filer.statement | {"reason": "other"})
    assert f"{high['id']}, which was withdrawn" in await told()


async def test_a_level_is_not_lowered_unseen_by_a_new_id(filer, publish, record):
    high = record | {"risk": record["risk"] | {"level": "high"}}
    [first] = await publish(high)
    await filer.withdraw(high, first.hash[:16], filer.statement | {"reason": "other"})
    anew = record | {"id": "demo-sante/nouveau", "source_id": "N-1"}
    await filer.publish(anew)
    stored = await filer.stored(anew)
    assert "R25" in {one.rule for one in stored.register.noticed()}
    async with filer.context.database.connection() as connection:
        query = "select risk_before, risk_change from figure where record = $1"
        assert tuple(await connection.fetchrow(query, anew["id"])) == ("high", "lowered")
    # Its next version is compared with its own last one.
    await filer.publish(amended(anew), Precondition(tag=await filer.tag(anew)))
    assert "R25" not in {one.rule for one in (await filer.stored(anew)).register.noticed()}
