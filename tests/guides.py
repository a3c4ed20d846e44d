"""Pages that can be followed: their commands are run in one shell, their answers compared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

HERE = "http://127.0.0.1:8000"
"""The address that pages have in the place of the register's."""

# What differs each time: of these only the kind is compared.
VOLATILE = {
    "at", "attested_on", "base", "entry", "filed_at", "hash", "id_of_request", "overdue_days",
    "published_at", "redacted_at", "request", "requested_at", "returned_at", "saved_at",
    "submitted_at", "tag", "withdrawn_at",
}  # fmt: skip

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "---- end of block ----"


def fences(page: Path) -> list[tuple[str, str]]:
    """Give the blocks of a page: what they are in, and what they say."""
    return _FENCE.findall(page.read_text(encoding="utf-8"))


def needs(*commands: str) -> None:
    """Skip where commands are not installed, but not in CI."""
    missing = [command for command in commands if shutil.which(command) is None]
    if missing and "CI" not in os.environ:
        pytest.skip(f"{', '.join(missing)} not installed")
    assert missing == []


def outputs(
    script: Sequence[str], address: str, environment: Mapping[str, str], folder: Path
) -> list[str]:
    """Run the shell blocks of a page in one shell; gives what each wrote."""
    lines = "\n".join(f"{block}\necho; echo '{_MARK}'" for block in script)
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", lines.replace(HERE, address)],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout[-2000:]
    return done.stdout.replace(address, HERE).split(_MARK)


def alike(said: Any, real: Any, name: str = "") -> bool:
    """Whether an answer is what the page shows; where the page has `…` anything may stand."""
    if name in VOLATILE:
        return type(said) is type(real)
    if isinstance(said, dict) and isinstance(real, dict):
        return said.keys() == real.keys() and all(alike(said[key], real[key], key) for key in said)
    if isinstance(said, list) and isinstance(real, list):
        return len(said) == len(real) and all(
            alike(one, other) for one, other in zip(said, real, strict=True)
        )
    if isinstance(said, str) and isinstance(real, str) and "…" in said:
        return re.fullmatch(re.escape(said).replace("…", ".*"), real, re.DOTALL) is not None
    return bool(said == real)
