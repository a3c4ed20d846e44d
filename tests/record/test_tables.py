"""The tables of a pack as a ministry's Excel saves them."""

import csv
import io
import re

import pytest

from registry.errors import ConfigurationError
from registry.record.pack import load_pack
from tests.record.test_pack import trial

__all__ = ("trial",)
TABLES = ("agencies", "bodies", "grounds", "regions", "rights", "services", "supplier_schemes")


def saved(path, *, separator, encoding):
    """Save a table as Excel does."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\r\n").writerows(rows)
    path.write_bytes(out.getvalue().encode(encoding))


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_pack_that_excel_has_saved_is_the_same_pack(trial, separator):
    before = load_pack("zz")
    for name in TABLES:
        saved(trial / f"{name}.csv", separator=separator, encoding="utf-8-sig")
    load_pack.cache_clear()
    after = load_pack("zz")
    assert (after.agencies, after.lists) == (before.agencies, before.lists)
    assert (after.rights, after.services) == (before.rights, before.services)


def test_a_table_in_utf_16_is_named(trial):
    saved(trial / "agencies.csv", separator="\t", encoding="utf-16")
    with pytest.raises(ConfigurationError, match=r"agencies\.csv is in UTF-16.*CSV UTF-8"):
        load_pack("zz")


@pytest.mark.parametrize(
    ("table", "old", "new", "said"),
    [
        ("rights", "label_en", "labl_en", ": there is no column 'labl_en'; did you mean label_en?"),
        ("agencies", "id,", "idd,", ": there is no column 'idd'; did you mean id?"),
        ("rights", "label_en", "label_wo", ", column label_wo: 'wo' is not among /languages"),
    ],
)
def test_a_column_that_a_table_has_not_is_named_once(trial, table, old, new, said):
    edit(trial / f"{table}.csv", old, new)
    with pytest.raises(ConfigurationError) as fault:
        load_pack("zz")
    assert str(fault.value).splitlines()[1:] == [f"  {table}.csv, line 1{said}"]


def test_no_agency_is_above_itself(trial):
    with (trial / "agencies.csv").open(encoding="utf-8", newline="") as file:
        columns, *rows = csv.reader(file)
    place = columns.index("parent")
    rows[0][place], rows[1][place] = rows[1][0], rows[0][0]
    with (trial / "agencies.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    with pytest.raises(ConfigurationError) as fault:
        load_pack("zz")
    said = re.findall(
        r"agencies\.csv, line (\d+), column parent: it is above itself", str(fault.value)
    )
    assert said == ["2", "3"]
