"""The file of what was signed: appended to, and never believed when it is odd."""

import pytest

from registry.errors import ConfigurationError
from registry.ledger.signing import append, read_last, read_signed_size
from registry.log.files import LogRefused, published_size
from registry.settings import Settings

ROOT = bytes(range(32))


def test_the_last_line_counts(tmp_path):
    path = tmp_path / "keys" / "signed-sizes"
    assert read_last(path) is None
    for size in range(1, 400):
        append(path, size, ROOT)
        assert read_last(path) == (size, ROOT)
    lines = path.read_text().splitlines()
    assert len(lines) == 399
    assert lines[6] == "7 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("cut", range(1, 50))
def test_a_line_that_was_cut_off_was_never_signed(tmp_path, cut):
    path = tmp_path / "signed-sizes"
    append(path, 1, ROOT)
    append(path, 200, ROOT[::-1])
    path.write_bytes(path.read_bytes()[:-cut])
    left = path.read_bytes()
    assert read_last(path) == ((1, ROOT) if left.count(b"\n") else None)
    append(path, 3, ROOT)
    assert read_last(path) == (3, ROOT)
    sizes = [line.split()[0] for line in path.read_text().splitlines()]
    assert sizes == ["1", "3"]


@pytest.mark.parametrize(
    "line",
    [
        "", "x", "1", "0 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "01 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "2 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
        "2 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "2  AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "2 " + "A" * 200,
    ],
)  # fmt: skip
def test_a_line_that_nobody_wrote_is_refused(tmp_path, line):
    path = tmp_path / "signed-sizes"
    append(path, 1, ROOT)
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(ConfigurationError, match="the last line"):
        read_last(path)


@pytest.mark.parametrize(
    "read", [read_signed_size, lambda settings: published_size(settings.log_dir)]
)
def test_a_published_file_that_is_no_checkpoint_is_named(tmp_path, read):
    """As a disk leaves it that was full, or a copy that was broken off: it was a traceback."""
    settings = Settings(data_dir=tmp_path)
    settings.log_dir.mkdir()
    for content in (b"", b"algorithms.example/log\n7\n", b"\xff"):
        (settings.log_dir / "checkpoint").write_bytes(content)
        with pytest.raises(LogRefused, match="log/checkpoint is no checkpoint"):
            read_signed_size(settings)
        with pytest.raises(LogRefused, match="run: registry log publish"):
            published_size(settings.log_dir)
