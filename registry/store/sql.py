"""Static SQL: files of named statements under `queries/`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

_QUERIES = Path(__file__).parent / "queries"
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def statement(subject: str, name: str) -> str:
    """Return the statement `name` of the file `queries/<subject>.sql`."""
    return _statements(subject)[name]


async def read_rows(
    connection: Any, made: Callable[..., T], subject: str, name: str, *arguments: Any
) -> list[T]:
    """Return the rows of a statement as structs whose fields are named like its columns."""
    return [made(**row) for row in await connection.fetch(statement(subject, name), *arguments)]


async def read_row(
    connection: Any, made: Callable[..., T], subject: str, name: str, *arguments: Any
) -> T | None:
    """Return the one row of a statement, or None."""
    row = await connection.fetchrow(statement(subject, name), *arguments)
    return None if row is None else made(**row)


@cache
def _statements(subject: str) -> dict[str, str]:
    text = (_QUERIES / f"{subject}.sql").read_text(encoding="utf-8")
    _, *parts = _NAME.split(text)
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}
