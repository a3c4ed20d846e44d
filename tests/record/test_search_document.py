"""What search keeps of a version depends on what it says, not on how it was sent."""

import datetime as dt
import json
import random

from registry.record.facets import PublishedState
from registry.record.search_document import build, tokenize
from registry.resources import SCHEMAS

STATE = PublishedState(
    version=1,
    entry=7,
    published_at=dt.datetime(2026, 11, 24, tzinfo=dt.UTC),
    completeness=50,
    missing=("/website",),
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
