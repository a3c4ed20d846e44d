"""A country's own sectors, groups and sensitive categories: whatever holds for the code of the
format that one is under holds for it.
"""

from __future__ import annotations

import csv
import json
import random

import msgspec
import pytest

from registry import resources
from registry.errors import ConfigurationError
from registry.record.codelists import NARROWER, Code, codelists
from registry.record.fast_validator import FastValidator
from registry.record.likeness import system_traits
from registry.record.pack import gaps, load_pack, pack_document, read_pack
from registry.record.pointers import put, values_at
from registry.record.requirements import requirement_status
from registry.record.risk_floor import floor_of
from registry.record.rule_context import make_rule_context
from registry.record.schema import fields
from registry.record.validate import validate
from tests.record.test_law_mistakes import fault_of, trial
from tests.record.test_laws import by_rule, with_law

__all__ = ("trial",)
FIELDS = [field for field in fields() if field.has_narrower]
RECORDS = sorted(resources.RECORDS.glob("*/*.json"))
HEAD = "list,broader,code,label_fr,label_ar,label_en,label_zgh"
ROW = "sensitive_category,health,sex_life,Vie sexuelle,الحياة الجنسية,Sex life,"


def with_codes(pack, *codes):
    """Return a pack with codes of a list, called by what they are."""
    lists = dict(pack.lists)
    for name, code in codes:
        words = code.replace(".", " ").replace("_", " ")
        own = Code(code=code, label={"fr": words, "en": words}, description=None, extra={})
        lists[name] = {**lists[name], code: own}
    return msgspec.structs.replace(pack, lists=lists)


@pytest.fixture
def everywhere(pack):
    """A country with a code of its own under each code of the format."""
    return with_codes(
        pack, *((name, f"{code}.own") for name in NARROWER for code in codelists()[name])
    )


MISTAKES = [
    (ROW.replace("sensitive_category", "sensitive"), "line 2, column list: 'sensitive' is not one"),
    (ROW.replace("health", "heath"), "column broader: 'heath' is not a code of sensitive_category"),
    (ROW.replace("health", "heath"), "did you mean health?"),
    (ROW.replace("health", "xyz"), "write one of ethnic_racial_origin, political_opinion"),
    (f"{ROW}\n{ROW.replace('health', 'judicial')}", "line 3, column code: 'sex_life' comes twice"),
    (ROW.replace("sex_life", "minors"), "the format has 'minors' in sensitive_category already"),
    (ROW.replace("sex_life", "Sex life"), "column code: 'Sex life' does not match"),
    (ROW.replace("sex_life", "health.sex_life"), "in lower snake_case, without what it is under"),
    (ROW.replace("sex_life", "vie_privée"), "column code: 'vie_privée' does not match"),
    (ROW.replace("sex_life", "l" * 61), "line 2, column code"),
    (ROW.replace(",health,", ",,"), "line 2: 'broader' is a required property"),
    ("sensitive_category,health,sex_life,,,,", "line 2: it has no name; fill in label_ar or"),
    (ROW.replace("Vie sexuelle", "Santé"), "line 2: 'Santé' is what health is called; write anot"),
    (
        f"{ROW}\n{ROW.replace('sex_life', 'private')}",
        "line 3: 'Vie sexuelle' is what health.sex_life is called",
    ),
    (ROW + ",x", "line 2: the row has more or fewer cells"),
]


@pytest.mark.parametrize(("row", "told"), MISTAKES, ids=[told for _, told in MISTAKES])
def test_a_mistake_in_the_codes_of_a_country_is_told_with_its_line(trial, row, told):
    fault = fault_of(trial, "codes.csv", f"{HEAD}\n{row}\n")
    assert told in fault, fault
    assert "codes.csv, line " in fault


def test_a_column_that_is_none_is_told_once(trial):
    fault = fault_of(trial, "codes.csv", f"{HEAD},labl_en\n{ROW},no\n")
    assert fault.splitlines()[1:] == [
        "  codes.csv, line 1: there is no column 'labl_en'; did you mean label_en?"
    ]


def test_a_table_as_excel_saves_it_is_the_same(trial):
    found = []
    for text in (f"\ufeff{HEAD}\n{ROW}\n".replace(",", ";"), f"{HEAD}\n{ROW}\n"):
        (trial / "codes.csv").write_text(text, encoding="utf-8")
        load_pack.cache_clear()
        found.append(load_pack("ma").lists)
    assert found[0] == found[1]
    assert [*found[0]["sensitive_category"]] == ["health.sex_life"]
    (trial / "codes.csv").write_text(f"{HEAD}\n{ROW}\n", encoding="utf-16")
    load_pack.cache_clear()
    with pytest.raises(ConfigurationError, match=r"codes\.csv is in UTF-16"):
        load_pack("ma")


def test_a_label_that_a_language_lacks_is_a_gap(trial):
    text = f"{HEAD}\n{ROW}\n".replace("Sex life", "")
    (trial / "codes.csv").write_text(text, encoding="utf-8")
    told = [gap for gap in gaps(load_pack("ma")) if gap.startswith("codes.csv")]
    assert told == ["codes.csv, sensitive_category: 1 of 1 not in en: health.sex_life"]


def test_rows_name_them_and_what_is_unknown_is_told(trial):
    (trial / "codes.csv").write_text(f"{HEAD}\n{ROW}\n", encoding="utf-8")
    fact = "name,path,test,value\nprivate,/data/sensitive,is,health.sex_lives\n"
    assert "did you mean health.sex_life?" in fault_of(trial, "conditions.csv", fact)


def test_the_pack_on_record_has_them():
    pack = load_pack("sn")
    known = read_pack(msgspec.json.encode(pack_document(pack)))
    codes = ("sensitive_category", "pack/sensitive_category")
    assert known.codes(codes) == pack.codes(codes)
    listed = [*pack.codes(codes)]
    assert listed.index("health.sex_life") == listed.index("health") + 1


def narrowed(document, chance):
    """Return a record with some of its codes, at least one, replaced by the country's own."""
    copied = json.loads(json.dumps(document))
    stated = [one for field in FIELDS for one in values_at(copied, field.path)]
    for place, code in chance.sample(stated, chance.randint(1, len(stated))):
        put(copied, place, f"{code}.own")
    return copied


def judged(document, pack, today):
    status = requirement_status(document)
    floor = floor_of(make_rule_context(document, status, pack, today))
    verdict = validate(document, profile="publication", pack=pack, today=today, most=500)
    found = [(one.pointer, one.rule, one.severity) for one in verdict.findings]
    return floor, found, verdict.completeness, verdict.accountability


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_no_code_of_a_country_changes_what_is_asked_of_a_record(everywhere, today, path):
    chance = random.Random(path.stem)
    document = json.loads(path.read_text("utf-8"))
    before = judged(document, everywhere, today)
    for _ in range(3):
        other = narrowed(document, chance)
        assert judged(other, everywhere, today) == before
        # Nor does it pass for another system than the one it was.
        assert system_traits(other).facts == system_traits(document).facts


def test_what_is_valid_with_them_takes_the_short_way(everywhere, pack, edited):
    fast = FastValidator()
    document = edited("minimal", {"/sector/primary": "health.own"})
    assert fast.accepts(document, "publication", everywhere)
    # Of another country the code has a form, and no meaning.
    assert not fast.accepts(document, "publication", pack)
    assert fast.accepts(document, "draft", pack)


def test_a_condition_on_the_broader_code_takes_both_and_one_on_the_narrower_that_alone(
    edited, today, pack
):
    facts = """
name,path,test,value
healthy,/data/sensitive,is,health
private,/data/sensitive,is,health.own
no_health,/data/sensitive,not,health
"""
    rows = "code,when,asks,else,law,article\n" + "\n".join(
        f"x-{name.replace('_', '-')},{name},/evaluation/incidents/0,warning,third,1"
        for name in ("healthy", "private", "no_health")
    )
    country = with_codes(with_law(pack, rows, facts), ("sensitive_category", "health.own"))
    found = {}
    for code in ("health", "health.own", "judicial"):
        document = edited("complete", {"/data/sensitive": [code]})
        document.pop("evaluation", None)
        told = by_rule(document, country, today)
        found[code] = {rule for _, rule, _ in told if rule.startswith("x-")}
    assert found == {
        "health": {"x-healthy"},
        "health.own": {"x-healthy", "x-private"},
        "judicial": {"x-no-health"},
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["sex_life"], "Did you mean health.sex_life?"),
        (["health.sexlife"], "Did you mean health.sex_life?"),
        (["genetic.hair"], "Did you mean genetic?"),
        (["Vie sexuelle"], "Did you mean health.sex_life?"),
        (["heath"], "Did you mean health?"),
    ],
)
def test_a_wrong_code_is_told_the_right_one(edited, today, given, told):
    sn = load_pack("sn")
    verdict = validate(
        edited("minimal", {"/data/sensitive": given}), profile="publication", pack=sn, today=today
    )
    [message] = [one.message for one in verdict.findings if one.pointer == "/data/sensitive/0"]
    assert told in message


def test_a_ground_that_restricts_a_sector_restricts_what_is_under_it(edited, today, pack):
    own = with_codes(pack, ("sector", "public_safety.own"), ("sector", "health.own"))
    ground = next(
        code for code, one in pack.grounds.items() if "public_safety" in one.extra["restricts"]
    )
    for sector, refused in (("public_safety.own", False), ("health.own", True)):
        document = edited("minimal", {"/sector": {"primary": sector}})
        document["publication"] = {
            "visibility": "restricted",
            "restriction": {
                "ground": ground,
                "authority": {"fr": "Chef du gouvernement"},
                "reference": "n° 1",
                "review_on": "2027-01-01",
            },
        }
        kept = ("id", "schema_version", "sector", "risk", "lifecycle", "publication")
        document = {name: document[name] for name in kept}
        document["risk"] = {"level": document["risk"]["level"]}
        document["lifecycle"] = {"status": document["lifecycle"]["status"]}
        told = [
            one.message
            for one in validate(
                document, profile="publication", pack=own, today=today, language="fr"
            ).findings
            if one.pointer == "/publication/restriction/ground"
        ]
        assert bool(told) is refused, told
        assert not refused or "health own" in told[0]


def test_shipped_codes_are_of_the_format_and_called_in_the_languages_of_their_country():
    for code in ("ma", "sn"):
        pack = load_pack(code)
        assert not [gap for gap in gaps(pack) if gap.startswith("codes.csv")]
    with (resources.SCHEMAS / "packs" / "sn" / "codes.csv").open(encoding="utf-8") as file:
        assert {row["list"] for row in csv.DictReader(file)} == {"sensitive_category"}
