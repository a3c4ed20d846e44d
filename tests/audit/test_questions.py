"""The questions of an audit, made from the description of the API."""

from __future__ import annotations

import random
import re

import msgspec

from registry.api.openapi import write_schemas
from registry.audit.questions import LogContents, Questions
from registry.record.facts import KINDS, facts
from registry.web.in_process import Answer

FACTS = {"name": "facts", "in": "query", "schema": {"$ref": "#/components/schemas/FactFilters"}}
DESCRIBED = {
    "paths": {"/api/v1/records": {"get": {"parameters": [FACTS]}}},
    "components": {"schemas": write_schemas(())},
}


COUNTED = {
    "evaluation.incidents.severity": [{"code": "serious", "count": 1}],
    "procurement.contract.amount.value": [{"code": "250000", "count": 1}],
}


async def test_how_records_answer_on_a_fact_is_asked_of_each_fact_once():
    async def ask(path):
        page = {"items": [], "facets": COUNTED, "next": None}
        content = msgspec.json.encode(DESCRIBED if path == "/openapi.json" else page)
        return Answer(status=200, media_type="application/json", content=content)

    log = LogContents(versions={}, codes=[], size=1)
    made = Questions(ask, log, [], languages=["fr"], drawn=random.Random(1))
    asked = [one.path async for one in made.all()]
    pairs = [found.groups() for one in asked if (found := re.search(r"kind\.([\w.]+)=(\w+)", one))]
    assert [fact for fact, _ in pairs] == [*facts()]
    assert {kind for _, kind in pairs} == {*KINDS}
    for sought in (
        "evaluation.incidents.severity=serious",
        "procurement.contract.amount.value=250000",
        "procurement.contract.amount.value.from=250000",
        "procurement.contract.amount.value.until=250000",
    ):
        assert sum(sought in one for one in asked) == 1
