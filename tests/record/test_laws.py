"""Nothing is said to be asked for by a law but by a row of the pack, on each side of its dates."""

import csv
import datetime as dt
import io
import random

import msgspec
import pytest

from registry.record.canonical import canonical
from registry.record.law import LegalCondition, LegalRequirement
from registry.record.pack import law_of, load_pack, pack_document, read_pack
from registry.record.requirements import asked_of, requirement_status, units
from registry.record.risk_floor import floor_of
from registry.record.rule_context import make_rule_context
from registry.record.rules import RULES
from registry.record.validate import validate

LAWS = {"personal_data": {"en": "law 1"}, "third": {"en": "law 3"}}


def rows(text, of):
    """Return the rows of a table without a heading for notes."""
    read = csv.DictReader(io.StringIO(text.strip()), skipinitialspace=True)
    kept = [{name: cell.strip() for name, cell in row.items() if cell} for row in read]
    return tuple(msgspec.convert({k: v for k, v in one.items() if v}, of) for one in kept)


def with_law(pack, requirements, conditions="name,path,test,value"):
    return msgspec.structs.replace(
        pack,
        laws=LAWS,
        requirements=rows(requirements, LegalRequirement),
        conditions=rows(conditions, LegalCondition),
    )


def findings(document, pack, day):
    return validate(document, profile="publication", pack=pack, today=day, most=500).findings


def by_rule(document, pack, day):
    return {(one.pointer, one.rule, one.severity) for one in findings(document, pack, day)}


def test_no_rule_names_a_law_of_a_country_to_every_other():
    told = "\n".join(rule.__doc__ or "" for rule in RULES.values())
    for law in ("law 09-08", "law 31-13", "AI Act", "the law calls"):
        assert law not in told


@pytest.mark.parametrize("edits", [{"/data/authorisation": ...}, {"/rights/contestation": ...}])
@pytest.mark.parametrize("country", ["ma", "sn", "third"])
def test_a_citation_stands_only_where_a_row_has_it(edited, today, country, edits):
    pack = load_pack("ma" if country == "third" else country)
    if country == "third":
        table = "code,when,asks,else,law,article\nthree-1,M,/rights/contestation,error,third,9"
        pack = with_law(pack, table)
    cited = {
        row.code: f"Asked for by {pack.laws[row.law]['en']}, article" for row in pack.requirements
    }
    for name in ("complete", "minimal"):
        document = edited(name, edits if name == "complete" else {})
        for one in findings(document, pack, today):
            said = cited.get(one.rule)
            assert said is None or said in one.message
            assert ("Asked for by" in one.message) >= (said is not None)
            if said is None:
                assert "article" not in one.message
                assert not any(text in one.message for text in cited.values())


def test_a_row_that_somebody_confirmed_says_nothing_of_it(edited, pack, today):
    head = "code,when,asks,else,law,article,confirmed_by,confirmed_on"
    row = "09-08-12,P,/data/authorisation,error,personal_data,12,M. X,2026-06-30"
    document = edited("complete", {"/data/authorisation": ...})
    [found] = findings(document, with_law(pack, f"{head}\n{row}"), today)
    assert found.message.endswith("Asked for by law 1, article 12.")


def test_a_finding_of_the_floor_says_who_asks(edited, pack, today):
    bare = with_law(pack, "code,when,asks,else,law,article")
    document = edited("complete", {"/data/authorisation": ..., "/data/retention": ...})
    told = {one.pointer: one.message for one in findings(document, bare, today)}
    # Without a row nobody asks for an authorisation: not every country has an authority.
    assert "/data/authorisation" not in told
    assert told["/data/retention"].endswith("Asked for by this register's format.")
    verdict = validate(document, profile="publication", pack=bare, today=today)
    assert "/data/authorisation" not in verdict.missing


def test_morocco_asks_for_an_authorisation_by_its_article_in_three_languages(edited, pack, today):
    document = edited("complete", {"/data/authorisation": ...})
    for tag, said in (
        ("en", "Asked for by law 09-08, article 12. Nobody has confirmed this reading"),
        ("fr", "Demandé par : loi n° 09-08, article 12. Personne n’a encore confirmé"),
        ("ar", "مطلوب بموجب: القانون رقم 09.08، المادة 12. لم يؤكد أحد بعد"),
    ):
        [found] = validate(
            document, profile="publication", pack=pack, today=today, language=tag
        ).findings
        assert (found.pointer, found.rule, found.severity) == (
            "/data/authorisation",
            "09-08-12",
            "error",
        )
        assert said in found.message
    document["publication"]["withheld_fields"] = [
        {"pointer": "/data/authorisation", "ground": "national_defence"}
    ]
    assert "09-08-12" not in {one.rule for one in findings(document, pack, today)}


@pytest.mark.parametrize(
    ("article", "en", "fr", "ar"),
    [
        ("12", "article 12", "article 12", "المادة 12"),
        ("7, 8", "articles 7, 8", "articles 7, 8", "المادتان 7، 8"),
        ("43–44", "articles 43–44", "articles 43–44", "المادتان 43–44"),
        ("20–25", "articles 20–25", "articles 20–25", "المواد 20–25"),
    ],
)
def test_several_articles_are_cited_as_several(edited, pack, today, article, en, fr, ar):
    head = "code,when,asks,else,law,article"
    row = f'three-1,M,/rights/contestation,error,third,"{article}"'
    bare = with_law(pack, f"{head}\n{row}")
    document = edited("minimal", {})
    for tag, said in (("en", en), ("fr", fr), ("ar", ar)):
        verdict = validate(
            document, profile="publication", pack=bare, today=today, language=tag, most=500
        )
        [told] = {one.message for one in verdict.findings if one.rule == "three-1"}
        assert f"{said}." in told


def test_what_the_law_asks_for_counts_as_much_as_what_the_format_does(edited, pack, today):
    document = edited("complete", {"/data/authorisation": ...})
    asked = validate(document, profile="publication", pack=pack, today=today)
    assert asked.missing == ("/data/authorisation",)
    assert asked.completeness < 100
    assert asked.accountability < 100


def test_a_date_that_moved_before_it_came_and_last_years_warning(edited, pack):
    moved = """
code,when,asks,else,law,article,known,since,until
eu-27,H,/assessments/*/url,error,third,27,2024-07-12,2026-08-02,
eu-27,H,/assessments/*/url,error,third,27,2026-07-01,2027-12-02,
ca-6,H,/documents,warning,third,6,,2026-01-01,2026-12-31
ca-6,H,/documents,error,third,6,,2027-01-01,
"""
    pack = with_law(pack, moved)
    document = edited("complete", {"/documents": ...})
    for number in range(len(document["assessments"])):
        document["assessments"][number].pop("url", None)

    def rules(day):
        return {
            (rule, severity)
            for _, rule, severity in by_rule(document, pack, dt.date.fromisoformat(day))
            if "-" in rule
        }

    assert rules("2025-12-31") == set()
    # The first date passed by only for those who still knew it as the law.
    assert rules("2026-06-30") == {("ca-6", "warning")}
    assert rules("2026-09-01") == {("ca-6", "warning")}
    assert rules("2026-12-31") == {("ca-6", "warning")}
    assert rules("2027-01-01") == {("ca-6", "error")}
    assert rules("2027-12-01") == {("ca-6", "error")}
    assert rules("2027-12-02") == {("ca-6", "error"), ("eu-27", "error")}
    ahead = law_of(pack, dt.date(2026, 9, 1), ahead=True)
    assert {(one.row.code, one.row.since) for _, _, one in ahead.demands} == {
        ("eu-27", "2027-12-02"),
        ("ca-6", "2027-01-01"),
    }


def test_a_row_that_has_begun_holds_until_an_amendment_of_it_begins(pack):
    amended = """
code,when,asks,else,law,article,known,since,until
ca-6,H,/documents,warning,third,1,,2025-01-01,
ca-6,H,/documents,warning,third,2,2026-03-01,2027-01-01,2027-06-30
ca-6,H,/documents,warning,third,3,2026-09-01,2027-03-01,2027-06-30
"""
    pack = with_law(pack, amended)

    def articles(day, *, ahead=False):
        law = law_of(pack, dt.date.fromisoformat(day), ahead=ahead)
        return [one.row.article for _, _, one in law.demands]

    assert articles("2026-02-28", ahead=True) == []
    for day, article in (("2026-03-01", "2"), ("2026-08-31", "2"), ("2026-09-01", "3")):
        assert (articles(day), articles(day, ahead=True)) == (["1"], [article])
    # The second row never began: a third was known before.
    assert (articles("2027-01-01"), articles("2027-02-28")) == (["1"], ["1"])
    assert (articles("2027-03-01"), articles("2027-06-30")) == (["3"], ["3"])
    # What has ended does not bring back what it took the place of.
    assert articles("2027-07-01") == []


def test_a_day_begins_where_the_country_is(pack):
    late = dt.datetime(2026, 8, 1, 23, 30, tzinfo=dt.UTC)
    assert pack.day(late) == dt.date(2026, 8, 2)
    assert load_pack("sn").day(late) == dt.date(2026, 8, 1)


def test_an_old_pack_of_the_log_reads_as_it_was(pack):
    old = pack_document(pack)
    for name in ("conditions", "requirements", "time_zone"):
        del old[name]
    old |= {"sensitive_statutory": ["health"], "duties": {"notice": {"fr": "loi"}}}
    read = read_pack(canonical(old))
    assert (read.requirements, read.conditions, read.time_zone) == ((), (), "UTC")
    again = read_pack(canonical(pack_document(pack)))
    assert pack_document(again) == pack_document(pack)
    assert [row.code for row in again.requirements] == [row.code for row in pack.requirements]


CONDITIONS = """
name,path,test,value
minors,/purpose/affected_groups,is,minors
bought_abroad,/data/hosting/country,not,MA
local,agency/kind,is,local_authority|demonstration
in_french,text,has,fr
lately,/lifecycle/deployed_on,from,2020-01-01
early,/lifecycle/deployed_on,before,2020-01-01
explained,/rights/explanation,has,
"""


def test_no_pack_lowers_the_floor(examples, pack, today):
    """Whatever rows there are, the findings of the format stay, and the least level is as high."""
    chance = random.Random("a pack lowers nothing 2026")
    names = [line.split(",")[0] for line in CONDITIONS.strip().splitlines()[1:]]
    own = ["M", "L", "H", "P", "D", "legal_effect", "supplied", "stopped", *names]
    places = [unit.pointer for unit in units()] + ["/assessments/*/url", "/data/hosting/country"]
    bare = with_law(pack, "code,when,asks,else,law,article")
    documents = [examples["minimal"], examples["complete"]]
    for _ in range(40):
        document = msgspec.json.decode(msgspec.json.encode(chance.choice(documents)))
        for unit in chance.sample(units(), chance.randrange(12)):
            above = document
            for name in unit.path[:-1]:
                above = above.get(name, {})
            if unit.pointer not in {"/id", "/schema_version"}:
                above.pop(unit.name, None)
        table = ["code,when,asks,else,law,article"]
        for number in range(30):
            when = "+".join(chance.sample(own, chance.randrange(1, 3)))
            asks = chance.choice(places + names)
            outcome = chance.choice(["error", "warning", "level:limited", "level:high"])
            table.append(f"r-{number},{when},{asks},{outcome},third,{number}")
        rich = with_law(pack, "\n".join(table), CONDITIONS)
        floor, law = by_rule(document, bare, today), by_rule(document, rich, today)
        places_of_law = {(place, rank) for place, rule, rank in law if rule.startswith("r-")}
        for place, rule, severity in floor - law:
            # A requirement is not told twice: the law asks for the same there, as strictly.
            assert rule in {"required", "minItems"}
            assert {(place, "error"), (place, severity)} & places_of_law
        levels = []
        for each in (bare, rich):
            status = requirement_status(document, law_of(each, today))
            levels.append(floor_of(make_rule_context(document, status, each, today))[0])
            assert asked_of(document, law_of(bare, today)).errors <= status.requirements.errors
        order = ("minimal", "limited", "high")
        assert order.index(levels[0]) <= order.index(levels[1])
