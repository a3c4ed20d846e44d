"""One fault a file: `tests/data/invalid/` and its table of what is noticed in each.

`<base>.<fault>.json` differs from `tests/data/valid/<base>.json` at one place.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections import defaultdict
from pathlib import Path

import pytest

from registry.record import validate as validation
from registry.record.messages import PendingFinding, message
from registry.record.pack import load_pack
from registry.record.rules import RULES
from registry.record.rules_redress import NO_REDRESS
from registry.record.rules_risk import BELOW_FLOOR
from registry.record.schema import shape
from registry.record.validate import validate
from registry.services.filing.register_rules import RULES as REGISTER_RULES

DATA = Path(__file__).parents[1] / "data"
TODAY = dt.date(2026, 11, 24)
COLUMNS = ["file", "profile", "pack", "pointer", "rule", "severity"]
# Keywords that no finding is named after: they hold others, or say nothing of a value.
SILENT = {
    "$comment", "$id", "$schema", "allOf", "const", "description", "else", "if", "items",
    "properties", "then", "title",
}  # fmt: skip
LAW = {row.code for row in load_pack("ma").requirements}
BASES = sorted(path.stem for path in (DATA / "valid").iterdir())
# What valid bases carry: a level below the floor, lawfully explained, and a machine alone.
CARRIED = {
    "below-floor": [("/risk/level", BELOW_FLOOR, "warning")],
    "planned": [("/decision/role", "09-08-11", "warning")],
}


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def table():
    with (DATA / "invalid" / "expected.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(list(row) == COLUMNS for row in rows)
    return rows


EXPECTED = defaultdict(list)
SETTING = {}
for each in table():
    EXPECTED[each["file"]].append((each["pointer"], each["rule"], each["severity"]))
    SETTING.setdefault(each["file"], (each["profile"], each["pack"]))
FILES = sorted(EXPECTED)


def verdict_on(document, profile, pack):
    return validate(document, profile=profile, pack=load_pack(pack), today=TODAY)


def rules_of(verdict):
    return [(one.pointer, one.rule, one.severity) for one in verdict.findings]


def found(document, profile, pack):
    return rules_of(verdict_on(document, profile, pack))


def found_in(file):
    return found(read(DATA / "invalid" / file), *SETTING[file])


@pytest.fixture(scope="module")
def verdicts():
    """The verdict on each file."""
    return {file: verdict_on(read(DATA / "invalid" / file), *SETTING[file]) for file in FILES}


def found_in_base(base):
    profile = "foreign" if base == "foreign" else "publication"
    return found(
        read(DATA / "valid" / f"{base}.json"), profile, "sn" if base == "senegal" else "ma"
    )


def test_a_fault_gives_exactly_its_findings(verdicts):
    found = {file: rules_of(verdict) for file, verdict in verdicts.items()}
    assert {file: one for file, one in found.items() if one != EXPECTED[file]} == {}


def test_a_base_is_valid():
    assert {base: one for base in BASES if (one := found_in_base(base))} == CARRIED


def test_table_and_files_are_the_same():
    there = {path.name for path in (DATA / "invalid").glob("*.json")}
    assert there == set(FILES)
    assert {path.name for path in (DATA / "invalid").iterdir()} == there | {"expected.csv"}
    assert {file.split(".")[0] for file in FILES} == set(BASES)
    assert len(FILES) >= 150
    for file in FILES:
        settings = {(row["profile"], row["pack"]) for row in table() if row["file"] == file}
        assert len(settings) == 1


def places(before, after, path=()):
    """Where two documents differ: the deepest place that one operation of a patch can change."""
    if type(before) is not type(after) or not isinstance(before, (dict, list)):
        return [] if before == after and type(before) is type(after) else [path]
    if isinstance(before, list) and len(before) != len(after):
        longer, shorter = sorted((before, after), key=len, reverse=True)
        shortened = (longer[:at] + longer[at + 1 :] for at in range(len(longer)))
        return [(*path, "-")] if shorter in shortened else [path]
    keys = range(len(before)) if isinstance(before, list) else sorted({*before, *after})
    differing = [
        place
        for key in keys
        for place in (
            places(before[key], after[key], (*path, key))
            if isinstance(before, list) or (key in before and key in after)
            else [(*path, key)]
        )
    ]
    # Several differences within one value are one operation: its replacement.
    return [path] if len(differing) > 1 and path else differing


def test_a_fault_is_one_operation_away_from_its_base():
    bases = {base: read(DATA / "valid" / f"{base}.json") for base in BASES}
    differing = {
        file: places(bases[file.split(".")[0]], read(DATA / "invalid" / file)) for file in FILES
    }
    assert {file: found for file, found in differing.items() if len(found) != 1} == {}
    assert all(place for [place] in differing.values())


def keywords(schema):
    used = set()
    if isinstance(schema, dict):
        used = {key for key in schema if not key.startswith("x-")}
        for key, part in schema.items():
            parts = part.values() if key == "properties" else [part]
            for each in parts if key not in {"enum", "const", "required"} else ():
                used |= keywords(each)
    elif isinstance(schema, list):
        for part in schema:
            used |= keywords(part)
    return used


def test_every_keyword_of_the_format_is_broken_once():
    told = {rule for findings in EXPECTED.values() for _, rule, _ in findings}
    used = set().union(*(keywords(shape(name)) for name in ("draft", "publication", "foreign")))
    assert used - SILENT <= told
    # What is left are rules, and `not`: a field stated where the format excludes it.
    assert told - used - LAW == {*RULES, BELOW_FLOOR, NO_REDRESS, "not"}
    assert told >= LAW


def test_no_rule_of_a_document_is_a_rule_of_the_register():
    assert not set(RULES) & set(REGISTER_RULES)


def silent(_case):
    return iter(())


def negated(rule, name):
    def opposite(case):
        if not any(rule(case)):
            yield PendingFinding(pointer="", rule=name, messages=(message("The opposite."),))

    return opposite


@pytest.mark.parametrize("name", RULES)
def test_dropping_or_negating_a_rule_makes_a_named_case_fail(name, monkeypatch):
    named = [file for file in FILES if any(rule == name for _, rule, _ in EXPECTED[file])]
    assert named
    monkeypatch.setattr(validation, "RULES", {**RULES, name: silent})
    assert all(EXPECTED[file] != found_in(file) for file in named)
    monkeypatch.setattr(validation, "RULES", {**RULES, name: negated(RULES[name], name)})
    assert all(EXPECTED[file] != found_in(file) for file in named)
    assert found_in_base("high") != []


def test_messages_say_how_to_mend_and_hold_no_placeholder(verdicts):
    for verdict in verdicts.values():
        for finding in verdict.findings:
            assert finding.message.endswith((".", "?")), finding
            assert "{title}" not in finding.message
            assert "{place}" not in finding.message
            assert "()" not in finding.message
