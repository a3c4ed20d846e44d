"""Lines by language: what forms type by language stands alone where it is in the source's alone."""

from __future__ import annotations

import copy
import json

from registry.record.values import with_lines_alone
from tests.conftest import ROOT


def test_a_line_in_the_source_language_alone_stands_alone_and_nothing_else_changes():
    document = json.loads((ROOT / "schemas/examples/complete.json").read_text("utf-8"))
    source = document["languages"]["source"]
    document["data"]["sources"][0]["provider"] = "Direction régionale de la santé"
    typed = copy.deepcopy(document)
    typed["data"]["sources"][0]["provider"] = {source: "Direction régionale de la santé"}
    assert with_lines_alone(typed, "ar") == document


def test_without_a_source_the_first_language_is_meant():
    line = {"data": {"sources": [{"provider": {"ar": "الوزارة"}}]}}
    assert with_lines_alone(line, "ar") == {"data": {"sources": [{"provider": "الوزارة"}]}}
    assert with_lines_alone(line, "fr") == line
