"""`registry workbook`: a file is what its name says."""

from __future__ import annotations

import pytest
from python_calamine import CalamineWorkbook

from registry.cli.main import main


def make(out):
    main(["workbook", "make", "--agency", "demo-sante", "--lang", "ar", "-o", str(out)])


@pytest.mark.parametrize("name", ["new.xlsx", "NEW.XLSX"])
def test_a_workbook_is_in_the_format_of_excel(tmp_path, name):
    make(tmp_path / name)
    assert CalamineWorkbook.from_path(tmp_path / name).sheet_names == ["بطاقة جديدة", "Lists"]


def test_none_is_written_under_the_name_of_another_format(tmp_path, capsys):
    given = tmp_path / "new.xlsx"
    make(given)
    answer = ["workbook", "read", str(given), "-o", str(tmp_path / "answer.ods")]
    for write in (lambda: make(tmp_path / "new.ods"), lambda: main(answer)):
        with pytest.raises(SystemExit) as stopped:
            write()
        assert stopped.value.code == 2
        assert "in the format of Excel; name it with .xlsx" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["new.xlsx"]
