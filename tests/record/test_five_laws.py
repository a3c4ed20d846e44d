"""Twenty duties of five countries' laws as rows: asked for on one side of their dates alone.

Read from public summaries, not by lawyers: what is proven is that such duties can be written. What
cannot: a time between two dates of a record, exceptions by discretion (the AI Act's Article 6(3)),
provider against deployer.
"""

from __future__ import annotations

import csv
import datetime as dt
import io

import msgspec
import pytest

from registry.record.law import LegalCondition, LegalRequirement
from registry.record.validate import validate

CONDITIONS = """
name,path,test,value
sensitive,/data/sensitive,is,health|genetic
authorised,/data/authorisation,has,
regime,/data/authorisation/regime,not,not_applicable
abroad,/data/transfers_abroad/answer,is,yes
not_alone,/decision/role,not,decides_alone
alone,/decision/role,is,decides_alone
dpia,/assessments/*/type,is,dpia
rights_assessed,/assessments/*/type,is,human_rights
annex_iii,/risk/annex_iii_area,not,none
aia,/risk/method,is,ca_aia
new_system,/lifecycle/deployed_on,from,2025-06-24
old_system,/lifecycle/deployed_on,before,2025-06-24
notified,/rights/notice/answer,is,yes
explained,/rights/explanation/answer,is,yes
human,/rights/human_alternative/answer,is,yes
"""

# Law, source and when: dahir 1-09-15 (B.O. 5714), dahir 1-18-15 (B.O. 6655); Kenya, Act 24 of 2019
# and L.N. 265 of 2021; South Africa, Acts 3 of 2000 and 4 of 2013; Regulation (EU) 2024/1689 as
# the omnibus of 2026 moved it; Canada, Directive on Automated Decision-Making as of 24 June 2025.
REQUIREMENTS = """
code,when,asks,else,law,article,known,since,until
ma-09-08-12,P,/data/authorisation,error,ma,12,,2009-03-05,
ma-09-08-21,sensitive+authorised,regime,error,ma,21,,2009-03-05,
ma-09-08-43,P+abroad,/data/transfers_abroad/countries,error,ma,43,,2009-03-05,
ma-31-13-10,M,/documents,warning,ma,10,,2020-03-12,
ke-18,P,/data/authorisation,error,ke,18,,2022-07-14,
ke-29,P,/rights/data_rights_contact,error,ke,29,,2019-11-25,
ke-31,P+H,dpia,error,ke,31,,2019-11-25,
ke-35,P+alone+legal_effect,notified,error,ke,35(3),,2019-11-25,
za-paja-3,legal_effect,/rights/contestation,error,za,3(2)(b),,2000-11-30,
za-paja-5,legal_effect,explained,warning,za,5,,2000-11-30,
za-popia-18,P,notified,error,za,18,,2021-07-01,
za-popia-57,P+sensitive+abroad,/data/authorisation,error,za,57(1)(d),,2022-02-01,
za-popia-71,P+alone,not_alone,warning,za,71(1),,2021-07-01,
eu-26-2,annex_iii,/decision/human_oversight,error,eu,26(2),2024-07-12,2026-08-02,
eu-26-2,annex_iii,/decision/human_oversight,error,eu,26(2),2026-07-01,2027-12-02,
eu-26-9,annex_iii+P,dpia,error,eu,26(9),2024-07-12,2026-08-02,
eu-26-9,annex_iii+P,dpia,error,eu,26(9),2026-07-01,2027-12-02,
eu-26-11,annex_iii,notified,error,eu,26(11),2024-07-12,2026-08-02,
eu-26-11,annex_iii,notified,error,eu,26(11),2026-07-01,2027-12-02,
eu-27,annex_iii,rights_assessed,error,eu,27,2024-07-12,2026-08-02,
eu-27,annex_iii,rights_assessed,error,eu,27,2026-07-01,2027-12-02,
ca-6-1-1,new_system+legal_effect,aia,error,ca,6.1.1,,2025-06-24,
ca-6-1-1,old_system+legal_effect,aia,error,ca,6.1.1,,2026-06-24,
ca-6-2-1,new_system+legal_effect,notified,error,ca,6.2.1,,2025-06-24,
ca-6-2-1,old_system+legal_effect,notified,error,ca,6.2.1,,2026-06-24,
ca-6-4-1,new_system+legal_effect,human,warning,ca,6.4.1,,2025-06-24,
ca-6-4-1,old_system+legal_effect,human,warning,ca,6.4.1,,2026-06-24,
"""

NO = {"answer": "no", "note": {"fr": "Pas encore."}}
BROKEN = {
    "/data/authorisation": ...,
    "/data/transfers_abroad": {"answer": "yes"},
    "/documents": ...,
    "/rights/data_rights_contact": ...,
    "/rights/contestation": ...,
    "/rights/notice": NO,
    "/rights/explanation": NO,
    "/rights/human_alternative": NO,
    "/assessments": ...,
    "/decision/role": "decides_alone",
    "/decision/legal_effect": True,
    "/decision/human_oversight": ...,
    "/data/sensitive": ["health"],
    "/risk/method": "registry_v1",
    "/risk/annex_iii_area": "essential_services",
    "/lifecycle/deployed_on": "2024-05-01",
}
"""A record that breaks all of them but the regime, which needs an authorisation."""

SEEN = [
    ("ma-09-08-12", "2009-03-05"),
    ("ma-09-08-43", "2009-03-05"),
    ("ma-31-13-10", "2020-03-12"),
    ("ke-18", "2022-07-14"),
    ("ke-29", "2019-11-25"),
    ("ke-31", "2019-11-25"),
    ("ke-35", "2019-11-25"),
    ("za-paja-3", "2000-11-30"),
    ("za-paja-5", "2000-11-30"),
    ("za-popia-18", "2021-07-01"),
    ("za-popia-57", "2022-02-01"),
    ("za-popia-71", "2021-07-01"),
    ("eu-26-2", "2027-12-02"),
    ("eu-26-9", "2027-12-02"),
    ("eu-26-11", "2027-12-02"),
    ("eu-27", "2027-12-02"),
    ("ca-6-1-1", "2026-06-24"),
    ("ca-6-2-1", "2026-06-24"),
    ("ca-6-4-1", "2026-06-24"),
]
"""The duties that it breaks, with the day from which they are asked of it."""

ZONES = {
    "ma": "Africa/Casablanca",
    "ke": "Africa/Nairobi",
    "za": "Africa/Johannesburg",
    "eu": "Europe/Brussels",
    "ca": "America/Toronto",
}


def table(text, of):
    read = csv.DictReader(io.StringIO(text.strip()))
    return tuple(
        msgspec.convert({name: cell for name, cell in row.items() if cell}, of) for row in read
    )


@pytest.fixture(scope="module")
def lawful(pack):
    def of(country):
        return msgspec.structs.replace(
            pack,
            laws={tag: {"en": f"the law of {tag}"} for tag in ZONES},
            time_zone=ZONES[country],
            conditions=table(CONDITIONS, LegalCondition),
            requirements=table(REQUIREMENTS, LegalRequirement),
        )

    return of


def codes(document, pack, day):
    verdict = validate(document, profile="publication", pack=pack, today=day, most=500)
    known = {row.code for row in pack.requirements}
    return {one.rule for one in verdict.findings if one.rule in known}


@pytest.mark.parametrize(("code", "since"), SEEN)
def test_a_duty_is_asked_for_from_its_day_on_where_the_country_is(edited, lawful, code, since):
    pack = lawful(code[:2])
    document = edited("complete", BROKEN)
    first = dt.datetime.fromisoformat(since).replace(tzinfo=dt.UTC)
    midnight = next(
        first + dt.timedelta(hours=hours)
        for hours in range(-14, 13)
        if pack.day(first + dt.timedelta(hours=hours)) == first.date()
    )
    assert code in codes(document, pack, pack.day(midnight))
    assert code not in codes(document, pack, pack.day(midnight - dt.timedelta(minutes=1)))


def test_those_who_do_what_the_laws_ask_for_hear_nothing_of_them(edited, lawful):
    done = {
        "/rights/notice": {"answer": "yes"},
        "/rights/explanation": {"answer": "yes"},
        "/rights/human_alternative": {"answer": "yes"},
        "/risk/method": "ca_aia",
        "/assessments": [
            {"type": name, "status": "completed", "completed_on": "2025-11-12"}
            for name in ("dpia", "human_rights")
        ],
    }
    pack = lawful("eu")
    assert codes(edited("complete", done), pack, dt.date(2028, 1, 1)) == set()
    refused = {"/data/authorisation/regime": "not_applicable", "/data/sensitive": ["health"]}
    assert codes(edited("complete", done | refused), pack, dt.date(2028, 1, 1)) == {"ma-09-08-21"}


def test_a_system_from_before_has_a_year_more(edited, lawful):
    pack, day = lawful("ca"), dt.date(2025, 12, 1)
    new = edited("complete", BROKEN | {"/lifecycle/deployed_on": "2025-07-01"})
    old = edited("complete", BROKEN)
    assert {"ca-6-1-1", "ca-6-2-1", "ca-6-4-1"} <= codes(new, pack, day)
    assert not any(code.startswith("ca-") for code in codes(old, pack, day))
    # Of a year alone nobody knows on which side it is: it is asked for by neither row.
    vague = edited("complete", BROKEN | {"/lifecycle/deployed_on": "2025"})
    assert not any(code.startswith("ca-") for code in codes(vague, pack, day))


def test_until_it_was_known_to_move_the_first_date_counted(edited, lawful):
    pack, document = lawful("eu"), edited("complete", BROKEN)
    assert "eu-27" not in codes(document, pack, dt.date(2026, 8, 2))
    early = tuple(row for row in pack.requirements if row.known < "2026")
    unmoved = msgspec.structs.replace(pack, requirements=early)
    assert "eu-27" in codes(document, unmoved, dt.date(2026, 8, 2))
