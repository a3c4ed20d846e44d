from __future__ import annotations

from pathlib import Path

from registry.exchange.format_pages import format_pages

COMMITTED = Path(__file__).parents[2] / "docs" / "record-format"


def test_the_pages_are_written_where_they_are_wanted_and_nothing_else_stays(registry, tmp_path):
    stale, by_hand = tmp_path / "en" / "gone.md", tmp_path / "en" / "index.md"
    stale.parent.mkdir()
    stale.write_text("# Gone\n", "utf-8")
    by_hand.write_text("# By hand\n", "utf-8")

    written = registry("format", "pages", "--out", str(tmp_path))
    assert written.returncode == 0
    assert by_hand.read_text("utf-8") == "# By hand\n"
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")}
    assert found == {*format_pages(), "en/index.md"}
    assert "0 of them changed" in registry("format", "pages", "--out", str(tmp_path)).stderr


def test_check_writes_nothing_and_names_what_is_stale(registry, tmp_path):
    result = registry("format", "pages", "--check", "--out", str(tmp_path))
    assert result.returncode == 1
    assert "en/risk.md" in result.stderr
    assert "registry format pages" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_committed_pages_are_fresh(registry):
    assert registry("format", "pages", "--check", "--out", str(COMMITTED)).returncode == 0
