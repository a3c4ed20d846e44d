import pytest

from registry.imports.columns import CellReader
from registry.imports.convert import agency_id, find_agencies
from registry.record.ids import is_foreign_agency


def test_the_code_makes_the_id_and_the_name_is_kept(us):
    reader = CellReader(names={}, nothing=frozenset())
    rows = [
        {"agency": "DWX", "agency_name": "Department of Weather"},
        {"agency": "DWX", "agency_name": "Weather Dept."},
        {"agency": "dwx", "agency_name": "Department of  Weather"},
        {"agency": "", "agency_name": "Nobody"},
        {},
    ]
    first, second, third, *none = find_agencies(us, rows, reader)
    assert first == second == third
    assert first.id == "us.dwx"
    assert is_foreign_agency(first.id)
    assert first.name == {"en": "Department of Weather"}
    assert first.origin == "us-omb-2025"
    assert not first.fictitious
    assert none == [None, None]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Gemeente Súd", "gemeente sud"), ("Bergen (L)", "Bergen L."), ("A  B", "A-B")],
)
def test_spellings_of_one_name_are_one_agency(one, other):
    assert agency_id("nl", one) == agency_id("nl", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ABC 東京", "ABC 大阪"), ("東京", "大阪"), ("a " * 60 + "x", "a " * 60 + "y")],
)
def test_different_agencies_never_collide(one, other):
    assert agency_id("nl", one) != agency_id("nl", other)
