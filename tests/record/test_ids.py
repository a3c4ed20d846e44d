from __future__ import annotations

import pytest

from registry.errors import InvalidParameter
from registry.record.ids import MAX_LENGTH, is_foreign_agency, split_id
from registry.record.schema import field_at
from registry.record.validators import ecma

GOOD = {
    "dgi/triage": ("dgi", "triage"),
    "demo-sante/a-b-2": ("demo-sante", "a-b-2"),
    "us.hhs/x": ("us.hhs", "x"),
    "nl.gm0363/indexes": ("nl.gm0363", "indexes"),
    "a/" + "b" * 118: ("a", "b" * 118),
}
BAD = [
    "", "/", "dgi", "dgi/", "/x", "dgi/x/y", "DGI/x", "dgi/X", "dgi/x_y", "dgi/x.1", "dgi/-x",
    "dgi/x-", "dgi/x--y", "-dgi/x", "dgi./x", ".dgi/x", "dgi/x\n", "dgi/x ", "dgi/é", "dgi/index",
    "index/x", "../x", "a/" + "b" * 119, "dgi/x\x00",
]  # fmt: skip


@pytest.mark.parametrize("record_id", GOOD)
def test_good(record_id):
    assert GOOD[record_id] == split_id(record_id)


@pytest.mark.parametrize("record_id", BAD)
def test_bad(record_id):
    with pytest.raises(InvalidParameter):
        split_id(record_id)


@pytest.mark.parametrize("record_id", [*GOOD, *BAD])
def test_the_schema_takes_the_same(record_id):
    schema = field_at(("id",)).schema
    fits = len(record_id) <= schema["maxLength"] and ecma(schema["pattern"]).search(record_id)
    assert bool(fits) == (record_id in GOOD)
    assert schema["maxLength"] == MAX_LENGTH


def test_foreign_agencies_have_a_dot():
    assert is_foreign_agency("us.hhs")
    assert not is_foreign_agency("demo-sante")
