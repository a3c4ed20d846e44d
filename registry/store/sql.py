"""Static SQL: files of named statements under `queries/`."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_QUERIES = Path(__file__).parent / "queries"
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def statement(subject: str, name: str) -> str:
    """Give the statement `name` of the file `queries/<subject>.sql`."""
    return _statements(subject)[name]


@cache
def _statements(subject: str) -> dict[str, str]:
    text = (_QUERIES / f"{subject}.sql").read_text(encoding="utf-8")
    _, *parts = _NAME.split(text)
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}
