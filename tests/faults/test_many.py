"""Many records in one request, and PostgreSQL lost in the middle of it."""

import json
from itertools import product

NDJSON = {"content-type": "application/x-ndjson"}
LINES = 60
"""More than one group."""


async def file_many(agency, documents):
    answer = await agency.http.post(
        "/api/v1/filings?action=submit",
        content=b"".join(json.dumps(document).encode() + b"\n" for document in documents),
        headers=NDJSON,
    )
    assert answer.status_code == 200, answer.text
    told = [json.loads(line) for line in answer.content.splitlines()]
    assert [line["line"] for line in told] == list(range(1, len(documents) + 1))
    return told


async def test_a_wire_that_breaks_in_the_middle(agency_at, wire, is_whole):
    """Of what it says, or of what it is answered."""
    async with agency_at(wire.url) as agency:
        for cut_at, delivered in product((10, 16, 23, 30), (False, True)):
            slug = f"many-{cut_at}-{delivered:d}"
            documents = [agency.document(f"{slug}-{number}") for number in range(LINES)]
            wire.arm(cut_at, delivered=delivered)
            first = await file_many(agency, documents)
            assert wire.broke
            wire.arm(None, delivered=True)
            again = await file_many(agency, documents)
            for one, two in zip(first, again, strict=True):
                assert two["outcome"] in {"published", "unchanged"}
                assert two["receipt"]["version"] == 1
                if one["outcome"] == "refused":
                    assert one["problem"]["type"] == "/problems/unavailable"
                else:
                    assert two["receipt"] | {"outcome": one["outcome"]} == one["receipt"]
    await is_whole()
