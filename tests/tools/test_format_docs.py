from __future__ import annotations

from pathlib import Path

from registry.pages.views.prose_pages import FORMAT_PAGES
from tools.format_docs.__main__ import main
from tools.format_docs.pages import format_pages

COMMITTED = Path(__file__).parents[2] / "docs" / "record-format"


def test_the_pages_are_written_where_they_are_wanted_and_nothing_else_stays(tmp_path, capsys):
    stale, by_hand = tmp_path / "en" / "gone.md", tmp_path / "en" / "index.md"
    stale.parent.mkdir()
    stale.write_text("# Gone\n", "utf-8")
    by_hand.write_text("# By hand\n", "utf-8")

    assert main(["--out", str(tmp_path)]) == 0
    assert by_hand.read_text("utf-8") == "# By hand\n"
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")}
    assert found == {*format_pages(), "en/index.md"}
    assert main(["--out", str(tmp_path)]) == 0
    assert "0 of them changed" in capsys.readouterr().err


def test_check_writes_nothing_and_names_what_is_stale(tmp_path, capsys):
    assert main(["--check", "--out", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "en/risk.md" in told
    assert "python -m tools.format_docs" in told
    assert list(tmp_path.iterdir()) == []


def test_the_committed_pages_are_fresh():
    assert main(["--check", "--out", str(COMMITTED)]) == 0


def test_the_site_shows_every_page_that_is_written():
    assert {f"en/{name}.md" for name in FORMAT_PAGES} == {
        name for name in format_pages() if name.startswith("en/")
    }
