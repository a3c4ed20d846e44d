"""How documents stand to the requirements, beside a plain reading of the schema's notation."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path

from registry.record.requirements import (
    answer_paths,
    never_withheld,
    requirement_status,
    restricted_units,
    units,
)
from registry.record.validate import score

ROOT = Path(__file__).parents[2]
MODELS = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "records").glob("*/*.json"))
    + sorted((ROOT / "schemas" / "examples").glob("*.json"))
]
MUTANTS = 600


def value(document, *path):
    for name in path:
        document = document.get(name, {}) if isinstance(document, dict) else {}
    return None if document == {} else document


def conditions(document):
    """Return whether each condition of the notation holds."""
    level = value(document, "risk", "level")
    status = value(document, "lifecycle", "status")
    origin = value(document, "procurement", "origin")
    role = value(document, "decision", "role")
    return {
        "M": True,
        "o": False,
        "v": False,
        "law": False,
        "L": level in ("limited", "high", "unacceptable"),
        "H": level in ("high", "unacceptable"),
        "P": value(document, "data", "personal_data") in ("yes", "pseudonymised"),
        "D": status in ("pilot", "in_use", "suspended"),
        "retired": status == "retired",
        "not_retired": status != "retired",
        "stopped": status in ("suspended", "retired"),
        "purchased": origin == "purchased",
        "supplied": origin in ("purchased", "joint"),
        "recommends": role in ("recommends", "decides_with_review", "decides_alone"),
        "legal_effect": value(document, "decision", "legal_effect") is True,
        "public_interacts": value(document, "sector", "function") == "chatbot_information",
        "withholds": '"answer": "withheld"' in json.dumps(document),
        "restricted": value(document, "publication", "visibility") == "restricted",
        "amended": False,
    }


def asked_for(unit, held):
    """Tell whether a unit is asked for, and of which severity its absence is."""
    notation = unit.field.schema["x-requirement"].removeprefix("iff ")
    kinds = set()
    for part in notation.split(" | "):
        names = part.split("+")
        if not all(held[name] for name in names):
            continue
        early = unit.path[0] in ("risk", "purpose", "organisation")
        early = early or unit.path == ("data", "legal_basis")
        late = "H" in names and not early and not held["D"]
        kinds.add("warning" if late else "error")
    severity = "error" if "error" in kinds else "warning" if kinds else None
    if severity is None and "x-recommended" in unit.field.schema:
        recommended = held[unit.field.schema["x-recommended"]]
        return False, "warning" if recommended else None
    return bool(kinds), severity


def state(unit, document):
    stated = value(document, *unit.path)
    substitutes = unit.field.schema.get("x-satisfied-by", ())
    if stated is None and any(value(document, *unit.path[:-1], name) for name in substitutes):
        return "met"
    if stated is None:
        return "withheld" if excused(unit, document) else "missing"
    if stated == [] and "x-empty-answers" not in unit.field.schema:
        return "empty"
    answer = stated.get("answer") if isinstance(stated, dict) else None
    if answer in ("no", "not_applicable") and "note" not in stated:
        return "empty"
    return {"in_progress": "half", "withheld": "withheld"}.get(answer, "met")


def excused(unit, document):
    listed = value(document, "publication", "withheld_fields") or ()
    given = [entry["pointer"] for entry in listed if not never_withheld(entry["pointer"])]
    return any(f"{unit.pointer}/".startswith(f"{pointer}/") for pointer in given)


def plainly(document):
    """Return the two scores, what is missing, the severity of absences, and what is not wanted."""
    totals = {"all": [0, 0], "because": [0, 0]}
    missing, absences, unwanted = [], {}, []
    held = conditions(document)
    for unit in units():
        asked, severity = asked_for(unit, held)
        notation = unit.field.schema["x-requirement"]
        weight = 3 if asked else 1 if "o" in notation.split(" | ") else 0
        unstateable = held["restricted"] and unit not in restricted_units()
        found = "withheld" if unstateable else state(unit, document)
        names = notation.removeprefix("iff ").replace(" | ", "+").split("+")
        accountable = asked and "M" not in names and not {*"LHPD"}.isdisjoint(names)
        for which in ("all", *(["because"] if accountable else [])):
            totals[which][0] += weight * {"met": 2, "half": 1}.get(found, 0)
            totals[which][1] += weight * 2
        if found in ("missing", "empty"):
            missing += [unit.pointer] if weight else []
            absences |= {unit.pointer: (severity, found)} if severity else {}
        elif notation.startswith("iff ") and severity is None and not unstateable:
            unwanted.append(unit.pointer)
    best = [100, 0 if held["restricted"] else 100]
    shares = [
        int(100 * met / whole + 0.5) if whole else most
        for (met, whole), most in zip(totals.values(), best, strict=True)
    ]
    levelled = value(document, "risk", "level") is not None
    return (shares[0], shares[1] if levelled else 0), missing, absences, unwanted


def told(document):
    """Return the same of what the register computes."""
    status = requirement_status(document)
    scored = score(status)
    asked = status.requirements
    absences = {
        place: (
            "error" if place in asked.errors else "warning",
            "empty" if place in status.empty else "missing",
        )
        for place in status.absent
        if place in asked.demanded
    }
    unwanted = [place for place in asked.units if place in asked.excluded - {*status.absent}]
    scores = scored.completeness, scored.accountability
    return scores, list(scored.missing), absences, unwanted


ANSWERS = ["yes", "no", "in_progress", "not_applicable", "withheld"]


def varied(document, chance):
    """A document with some units left out, emptied or stated otherwise."""
    copied = copy.deepcopy(document)
    for unit in chance.sample(units(), chance.randrange(12)):
        *above, name = unit.path
        parent = copied
        for step in above:
            parent = parent.setdefault(step, {})
        schema = unit.field.schema
        match chance.randrange(3):
            case 0:
                parent.pop(name, None)
            case 1 if "answer" in schema.get("properties", {}):
                parent[name] = {"answer": chance.choice(ANSWERS)}
                parent[name] |= chance.choice([{}, {"note": {"fr": "x"}}])
            case 1 if schema.get("type") == "array":
                parent[name] = []
            case _ if "enum" in schema:
                parent[name] = chance.choice(schema["enum"])
    listed = [{"pointer": unit.pointer, "ground": "x"} for unit in chance.sample(units(), 2)]
    listed.append({"pointer": chance.choice(["/risks/0", "/data", "/evaluation", "/rights"])})
    if chance.random() < 0.3:
        copied.setdefault("publication", {})["withheld_fields"] = listed
    return copied


def test_a_record_stands_as_a_plain_reading_says():
    for model in MODELS:
        assert told(model) == plainly(model), model.get("id")


def test_whatever_is_stated_a_plain_reading_agrees():
    chance = random.Random("standings 2026")
    seen = set()
    for _ in range(MUTANTS):
        document = varied(chance.choice(MODELS), chance)
        found = told(document)
        assert found == plainly(document), document
        seen.update(found[0])
    assert len(seen) > 30


def test_every_unit_is_of_a_section_and_every_answer_a_unit():
    paths = {unit.path for unit in units()}
    assert all(len(path) <= 2 for path in paths)
    assert paths >= set(answer_paths())


def test_nothing_of_an_empty_document_is_there():
    status = requirement_status({})
    assert status.absent == tuple(status.requirements.units)
    assert status.in_progress | status.withheld | status.empty == set()
    assert told({}) == plainly({})
