"""The table of facets: every row is of the format, and a row is all that a filter needs."""

from __future__ import annotations

import json
import subprocess
import sys

from registry.record.facets import FACETS
from registry.record.pointers import parts
from registry.record.schema import field_at
from registry.resources import SCHEMAS

ANOTHER_ROW = """
import datetime as dt, json, sys
from registry.record.facets import FACETS, Facet, PublishedState

FACETS["host"] = Facet(description="Where it runs", pointer="/data/hosting/country")

import rich_click
from registry.cli.export import export
from registry.record.pack import load_pack
from registry.record.search_document import build, tokenize

document = json.load(sys.stdin)
state = PublishedState(version=1, entry=1, published_at=dt.datetime(2026, 1, 1), completeness=1,
                       findings=(), risk_changes=())
agency = load_pack("ma").agencies[document["id"].split("/")[0]]
print(json.dumps({
    "codes": build(document, agency, tokenize(document, agency), state).codes["host"],
    "options": [name for option in export.params for name in option.opts],
}))
"""


def test_every_pointer_is_of_the_format():
    for name, facet in FACETS.items():
        assert facet.pointer is None or field_at(parts(facet.pointer)) is not None, name


def test_codes_are_known_beforehand_by_the_database_or_by_a_rule(pack):
    unlisted = {
        name for name, facet in FACETS.items() if not facet.listed(pack) and not facet.further
    }
    assert unlisted == {"agency", "country", "origin"}


def test_another_row_is_all_that_another_filter_needs():
    example = (SCHEMAS / "examples" / "complete.json").read_bytes()
    command = [sys.executable, "-c", ANOTHER_ROW]
    told = json.loads(
        subprocess.run(command, input=example, capture_output=True, check=True).stdout
    )
    assert told["codes"] == [json.loads(example)["data"]["hosting"]["country"]]
    assert "--host" in told["options"]
