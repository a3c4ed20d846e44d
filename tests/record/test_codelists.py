from __future__ import annotations

import pytest

from registry.errors import ConfigurationError
from registry.record.codelists import codelists, codes, read_rows


def test_labels_by_language():
    assert codelists()["risk_level"]["high"].label == {
        "en": "High risk",
        "fr": "Risque élevé",
        "ar": "مخاطر عالية",
    }


def test_codes_keep_their_order():
    assert list(codelists()["risk_level"]) == ["unacceptable", "high", "limited", "minimal"]


def test_the_leading_sectors_come_first():
    sectors = codelists()["sector"].values()
    leading = sorted(
        (code for code in sectors if "priority" in code.extra),
        key=lambda code: int(code.extra["priority"]),
    )
    assert [code.code for code in leading] == ["health", "education", "agriculture", "governance"]


def test_a_code_that_comes_twice():
    with pytest.raises(ConfigurationError, match="'a' is empty or comes twice"):
        codes([{"code": "a"}, {"code": "a"}], source="x.csv")
    with pytest.raises(ConfigurationError, match="empty"):
        codes([{"label_en": "A"}], source="x.csv")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"code,label_en\na,b,c\n", "line 2: the row has more or fewer cells"),
        (b"code,label_en\na\n", "line 2: the row has more or fewer cells"),
        (b"code,label_en\na,\xe9\n", "not a CSV file in UTF-8"),
        (b'code,label_en\na,"b\n', "not a CSV file in UTF-8"),
    ],
)
def test_a_table_that_is_wrong(tmp_path, content, words):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=words):
        read_rows(path)


def test_empty_cells_are_absent(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text('code,label_en,label_fr\na,"b, c",\n', encoding="utf-8")
    assert read_rows(path) == [{"code": "a", "label_en": "b, c"}]
