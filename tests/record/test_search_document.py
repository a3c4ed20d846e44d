"""What search keeps of a version depends on what it says, not on how it was sent."""

import datetime as dt
import json
import random
from hashlib import sha256

import msgspec

from registry.record.facets import FACETS, OBSERVATION, OBSERVED_SINCE, PublishedState
from registry.record.pack import Agency
from registry.record.search_document import ANSWERS, DERIVATION, build, tokenize
from registry.resources import SCHEMAS
from registry.store.search_rows import columns
from registry.text.tokens import ANALYSIS

STATE = PublishedState(
    version=1,
    entry=7,
    published_at=dt.datetime(2026, 11, 24, tzinfo=dt.UTC),
    completeness=50,
    findings=(),
    risk_changes=(),
)


def shuffled(value, chance):
    if isinstance(value, dict):
        names = chance.sample(list(value), len(value))
        return {name: shuffled(value[name], chance) for name in names}
    if isinstance(value, list):
        return [shuffled(item, chance) for item in value]
    return value


def test_a_document_whose_members_come_in_another_order_is_found_and_shown_alike(pack):
    document = json.loads((SCHEMAS / "examples" / "complete.json").read_bytes())
    agency = pack.agencies[document["id"].split("/")[0]]
    row = build(document, agency, tokenize(document, agency), STATE)
    chance = random.Random(7)
    for _ in range(5):
        other = shuffled(document, chance)
        assert list(other) != list(document)
        again = build(other, agency, tokenize(other, agency), STATE)
        assert again == row
        assert list(again.words) == list(row.words)


def test_what_is_derived_changes_with_the_number_of_the_analysis_alone():
    """Two releases work at once during an update: rows of one number have to be the same in both.

    Where this fails, what is derived has changed: count up `ANALYSIS`, and write the digest here.
    """
    known = {"6": "d220ee46313488d6"}
    # Of its own, so that the texts of examples may be amended.
    document = {
        "id": "demo-sante/ancien",
        "schema_version": "1.0",
        "name": {"ar": "توقع الأسرّة", "fr": "Prévision de l'occupation des lits"},
        "summary": {"en": "The ministry's forecasts, 2 weeks ahead", "fr": "Qu'est-ce que c'est ?"},
        "languages": {"source": "fr"},
        "risk": {"level": "high", "annex_iii_area": "none"},
        "sector": {"primary": "health", "function": "planning"},
        "purpose": {"goal": {"fr": "Prévoir"}, "affected_groups": ["patients"]},
        "lifecycle": {"status": "in_use", "next_review_on": "2027-01-31"},
        "data": {"personal_data": "sensitive"},
        "decision": {"role": "informs"},
        "territory": ["MA-01"],
        "rights": {"contestation": {"available": "yes"}},
        "technical": {"techniques": ["statistical_model"]},
        "procurement": {"suppliers": [{"name": "Éditions du Lac"}]},
        "publication": {"withheld_fields": [{"pointer": "/website", "ground": "security"}]},
    }
    agency = Agency(id="demo-sante", name={"fr": "Santé"}, kind="ministry")
    row = build(document, agency, tokenize(document, agency), STATE)
    # What facets read at a pointer, which units there are, and what is observed, by its SQL, is in
    # `DERIVATION` by itself.
    at_pointers = {name for name, facet in FACETS.items() if facet.pointer is not None}
    apart = {*at_pointers, OBSERVATION, OBSERVED_SINCE}
    codes = {kind: found for kind, found in row.codes.items() if kind not in apart}
    for kind in ANSWERS.values():
        codes[kind] = [fact for fact in codes.get(kind, ()) if fact.startswith("rights.")]
    values = columns(msgspec.structs.replace(row, codes=codes))
    assert ANALYSIS.split()[0] in known
    assert known[ANALYSIS.split()[0]] == sha256(repr(values[:-1]).encode()).hexdigest()[:16]
    assert values[-1] == DERIVATION
