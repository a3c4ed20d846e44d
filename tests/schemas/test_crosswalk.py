from __future__ import annotations

import pytest

from registry.record.codelists import read_rows
from registry.record.pointers import parts
from registry.record.requirements import units
from registry.record.schema import RECORD_FOLDER, field_at

PATH = RECORD_FOLDER / "crosswalk.csv"
ROWS = read_rows(PATH)
COLUMNS = ["pointer", "nl", "uk", "us", "eu", "ca", "cl_fr"]


def test_its_columns_are_the_registers_and_laws():
    assert PATH.read_text("utf-8").splitlines()[0].split(",") == COLUMNS
    assert {column for row in ROWS for column in row} == set(COLUMNS)


def test_what_another_register_has_is_a_row_in_the_order_of_the_schema():
    named = [row["pointer"] for row in ROWS]
    assert [unit.pointer for unit in units() if unit.pointer in named] == named
    assert all(len(row) > 1 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["pointer"])
def test_every_pointer_is_a_field_and_every_cell_is_tidy(row):
    assert field_at(parts(row["pointer"])) is not None
    for cell in row.values():
        assert cell == " ".join(cell.split())
        assert "`" not in cell
