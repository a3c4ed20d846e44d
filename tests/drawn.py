"""A country drawn from ISO 3166, as somebody there would write its pack, in one of its languages
and one that nobody prepared; its facts are invented.
"""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from registry.record.codelists import codelists
from registry.record.examples import example
from registry.record.pack import load_pack
from registry.text.locales import country_codes, country_name
from tests.crash.register import Register
from tests.prepared import make_folder
from tests.served import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEED = 36
OTHERS = ("ma", "sn")
COUNTRY = random.Random(SEED).choice([code for code in country_codes() if code not in {"MA", "SN"}])
CODE = COUNTRY.lower()
NAME = country_name(COUNTRY, "en")
TAG = "mnk"
"""A language of the country that neither the package nor CLDR has."""

DEMONSTRATION = "demo-crops/seeds"

AGENCIES = {
    "health": "Ministry of Health",
    "finance": "Ministry of Finance",
    "lands": "Ministry of Lands",
    "revenue": "Revenue Authority",
    "statistics": "Bureau of Statistics",
    "elections": "Electoral Commission",
    "city": "City Council",
    "high-court": "High Court",
    "demo-clinics": "Demonstration agency – Clinics",
    "demo-crops": "Demonstration agency – Crops",
}
KINDS = {"revenue": "department", "statistics": "public_institution", "elections": "other"}
KINDS |= {"city": "local_authority", "high-court": "court"}
CONFIRMED = {"source_en": "Act 3, section 4", "confirmed": "no"}
BODIES = {
    "complaints_desk": "Complaints Desk",
    "ombudsman_office": "Office of the Ombudsman",
    "information_board": "Information Board",
    "high_bench": "High Bench",
}
STEPS = """\
code,body,after,on,within,unit,silence,silence_unit,deemed,must,stops,law,article,purpose_en
letter,agency,,received,21,days,7,working_days,refused,yes,yes,personal_data,3,A new answer.
desk,complaints_desk,letter,refused|silence,1,months,30,days,none,no,unknown,personal_data,5,Silence.
ombudsman,ombudsman_office,desk,refused,,,,,,no,no,personal_data,6,Unfair treatment.
bench,court,desk|ombudsman,answered|silence,3,months,,,,,,personal_data,8,What is against the law.
"""
CODES = {
    "education.quranic_schools": ("sector", "Quranic schools"),
    "farmers.river_fishers": ("affected_group", "River fishers"),
    "ethnic_racial_origin.clan": ("sensitive_category", "Lineage and clan"),
}
REQUIREMENTS = (
    ("1-4", "sensitive_here", "/data/authorisation", "error", "4"),
    ("1-7", "H", "/decision/human_oversight", "error", "7"),
    ("1-9", "M", "says_hosting", "warning", "9"),
)


def write_country(folder: Path) -> Path:
    """Write the pack into a folder of packs; return its own folder."""
    own = folder / CODE
    own.mkdir(parents=True)
    texts = {
        "site_name": "Register of Public Algorithms",
        "redress": f"First write to the agency. Then turn to the Complaints Desk of {NAME}.",
        "attestation": "The agency states how many systems it uses, or that it uses none.",
    }
    pack = {
        "code": CODE,
        "country": COUNTRY,
        **{name: {"en": text} for name, text in texts.items()},
        "languages": ["en", TAG],
        "fallback": ["en", TAG],
        "required_any": ["en", TAG],
        "required_at_high": ["en"],
        "recommended": [TAG],
        "review_months": {"unacceptable": 6, "high": 12, "limited": 24, "minimal": 36},
        "laws": {"personal_data": {"en": "Act 1 on privacy"}},
        "operator": {"name": {"en": "Office of the Register"}, "email": "office@register.example"},
        "licence": "https://creativecommons.org/licenses/by/4.0/",
        "ask_more_url": "mailto:{email}?subject={id}",
        "stop_words": ["la", "ning"],
    }
    (own / "pack.json").write_text(json.dumps(pack, ensure_ascii=False, indent=2), "utf-8")
    tables = {
        "agencies": [
            {
                "id": code,
                "name_en": name,
                "kind": "demonstration" if "demo" in code else KINDS.get(code, "ministry"),
                "parent": "finance" if code in {"revenue", "statistics"} else "",
                "region": f"{COUNTRY}-B" if code == "city" else "",
                "fictitious": "yes" if "demo" in code else "no",
            }
            for code, name in AGENCIES.items()
        ],
        "regions": [
            {"code": COUNTRY, "label_en": NAME},
            {"code": f"{COUNTRY}-B", "label_en": "The coast"},
            {"code": f"{COUNTRY}-U", "label_en": "Up the river"},
        ],
        "bodies": [
            {
                "code": code,
                "label_en": label,
                "website": f"https://{code.replace('_', '-')}.example/",
            }
            for code, label in BODIES.items()
        ],
        "steps": list(csv.DictReader(STEPS.splitlines())),
        "grounds": [
            {"code": "defence", "label_en": "Defence", "citation": "Act 2, section 5"},
            {"code": "privacy", "label_en": "Privacy of people", "citation": "Act 1, section 2"},
        ],
        "supplier_schemes": [{"code": "company_number", "label_en": "Number of the company"}],
        "codes": [
            dict(
                zip(
                    ("list", "broader", "code", "label_en"),
                    (name, *code.split("."), label),
                    strict=True,
                )
            )
            for code, (name, label) in CODES.items()
        ],
        "rights": [
            {"code": "reasons", "label_en": "You can ask for the reasons.", **CONFIRMED},
            {"code": "own_data", "label_en": "You can see your data.", **CONFIRMED},
        ],
        "deadlines": [
            {"code": "contest", "after": "P21D", "label_en": "Last day to contest.", **CONFIRMED}
        ],
        "conditions": [
            {"name": "sensitive_here", "path": "/data/sensitive", "test": "is", "value": "health"},
            {"name": "says_hosting", "path": "/data/hosting", "test": "has", "value": ""},
        ],
        "requirements": [
            dict(
                zip(
                    ("code", "when", "asks", "else", "law", "article", "since"),
                    (*row[:4], "personal_data", row[4], "2026-01-01"),
                    strict=True,
                )
            )
            for row in REQUIREMENTS
        ],
    }
    for name, rows in tables.items():
        # As Excel saves it, with a mark of the encoding and semicolons.
        with (own / f"{name}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
            writer.writeheader()
            writer.writerows(rows)
    return own


def words_of_others(pack):
    """What other countries' packs say, in any language, that this one's does not."""
    lists = [*pack.lists.values(), *codelists().values()]
    said = {text for one in lists for code in one.values() for text in code.label.values()}
    found = set()
    for other in map(load_pack, OTHERS):
        found |= {country_name(other.country, tag) for tag in ("ar", "en", "fr")}
        found |= {name for one in other.agencies.values() for name in one.name.values()}
        for codes in other.lists.values():
            found |= {text for code in codes.values() for text in code.label.values()}
        found |= {name for law in other.laws.values() for name in law.values()}
        found |= {*other.redress.values(), *other.attestation.values(), "MAD", "XOF", "Tamazight"}
    agencies = {name for one in pack.agencies.values() for name in one.name.values()}
    ours = "\n".join({*said, *agencies, *pack.attestation.values()})
    words = sorted(re.escape(text) for text in found if text not in ours)
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)")


def answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).is_success
    except httpx.TransportError:
        return False


@contextmanager
def served_country() -> Iterator[Register]:
    """The register of the country, served, with its second language begun: its months are known."""
    folder = make_folder("w")
    pack = write_country(folder / "packs")
    record = example("minimal", load_pack(CODE, folder / "packs"))
    record["id"] = DEMONSTRATION
    records = pack / "records" / "demo-crops"
    records.mkdir(parents=True)
    (records / "seeds.json").write_text(json.dumps(record), "utf-8")
    register = Register(folder, pack=CODE, packs=folder / "packs", languages=folder / "languages")
    try:
        begun = register.run("translate", "begin", TAG)
        assert begun.returncode == 0, begun.stderr
        dates = folder / "languages" / TAG / "dates.csv"
        text = dates.read_text("utf-8")
        for month in range(1, 13):
            text = text.replace(f"\n{month},,", f"\n{month},{month_named(month)},")
        dates.write_text(text, "utf-8")
        register.start("up")
        with httpx.Client(base_url=register.base_url, timeout=PATIENCE) as client:
            until(lambda: register.gone() or answers(client, "/health/ready"))
            assert not register.gone(), register.log.read_text("utf-8")
            register.client = client
            yield register
    finally:
        register.end()
        shutil.rmtree(folder, ignore_errors=True)


def month_named(month: int) -> str:
    """The name of a month from 1 in the language that nobody prepared."""
    return f"kɔ{'abcdefghijkl'[month - 1]}ro"
