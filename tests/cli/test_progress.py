"""Progress of commands that take long: on a terminal, and nowhere else."""

import os
import pty
import subprocess
import sys

from registry.cli.validate import _expanded
from registry.resources import SCHEMAS


def test_a_folder_that_is_validated_shows_its_progress_on_a_terminal_only(environment, registry):
    arguments = ["validate", str(SCHEMAS / "examples"), "--profile", "draft", "--format", "json"]
    terminal, end = pty.openpty()
    try:
        shown = subprocess.run(
            [sys.executable, "-m", "registry", *arguments],
            env=environment | {"TERM": "xterm"},
            stdout=subprocess.PIPE,
            stderr=end,
            text=True,
            check=False,
        )
        told = os.read(terminal, 100_000).decode()
    finally:
        os.close(terminal)
        os.close(end)
    piped = registry(*arguments)
    assert "Validating" in told
    assert "Validating" not in piped.stderr
    assert shown.stdout == piped.stdout
    assert piped.stdout


def test_files_are_counted_while_a_large_folder_is_looked_through(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.json").touch()
    told = []
    found = list(_expanded([tmp_path], lambda done, total: told.append((done, total))))
    assert told == [(0, 1), (0, 2), (0, 3)]
    assert [path.name for path in found] == ["0.json", "1.json", "2.json"]
