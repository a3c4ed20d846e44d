"""The search rows of versions, written in the transaction of the version."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from registry.errors import Finding
from registry.record.erasure import readable
from registry.record.model import Document
from registry.record.search_document import FacetCodes, SearchDocument, TokensByLanguage
from registry.store.database import Connection
from registry.store.sql import statement

_BLOCK = 2_000

TEXTS = 3
"""The columns of words: of the name, of the summary, and of the rest."""

_JSON = msgspec.json.Encoder()
_codes = msgspec.json.Decoder(FacetCodes)
_texts = msgspec.json.Decoder(dict[str, str])


class NewRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a version that a process has not loaded yet."""

    ord: int
    codes: FacetCodes
    words: TokensByLanguage


class StoredVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version as published, with everything from which its row is computed."""

    record: str
    agency: str
    entry: int
    version: int
    published_at: dt.datetime
    completeness: int
    missing: Sequence[str]
    findings: Sequence[Finding]
    risk_changes: Sequence[str]
    document: Document


class IndexState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the index: the size of the log, and the ordinals merged into the postings.

    The `epoch` changes when the index is rebuilt, by the analysis named.
    """

    size: int
    folded: int
    epoch: int
    analysis: str


async def write(connection: Connection, rows: Sequence[SearchDocument]) -> None:
    """Insert or replace the rows of existing versions."""
    if rows:
        await connection.execute(
            statement("index", "insert_versions"), *zip(*map(columns, rows), strict=True)
        )


def columns(row: SearchDocument) -> tuple[int, str, str, str, str, str, str]:
    """Return the values of a row, in the order of the table."""
    codes = _JSON.encode(row.codes).decode()
    name, summary, rest = (_part(row, tier) for tier in range(TEXTS))
    return row.ord, row.name_key, codes, row.card, name, summary, rest


def as_row(document: SearchDocument) -> dict[str, Any]:
    """Return the values of a row by column name."""
    names = ("ord", "name_key", "codes", "card", "name", "summary", "rest")
    return dict(zip(names, columns(document), strict=True))


async def read_state(connection: Connection) -> IndexState:
    """Return the state of the index."""
    return _state(await connection.fetchrow(statement("index", "state")))


async def lock_state(connection: Connection) -> IndexState:
    """Return the state, locked until the transaction ends, so that no other process merges."""
    return _state(await connection.fetchrow(statement("index", "lock_state")))


async def reset(connection: Connection, analysis: str) -> None:
    """Empty the index; the caller holds its lock."""
    await connection.execute(statement("index", "clear"))
    await connection.execute(statement("index", "begin_anew"), analysis)


async def read_versions(
    connection: Connection, entries: Sequence[int] | None = None
) -> AsyncIterator[StoredVersion]:
    """Yield versions, by default all, in the log's order; needs a transaction."""
    async for row in connection.cursor(statement("index", "all_versions"), entries, prefetch=200):
        yield StoredVersion(
            record=row["record"],
            agency=row["agency"],
            entry=row["entry"],
            version=row["version"],
            published_at=row["published_at"],
            completeness=row["completeness"],
            missing=row["missing"],
            findings=msgspec.json.decode(row["findings"], type=list[Finding]),
            risk_changes=row["risk_changes"],
            document=readable(msgspec.json.decode(row["document"]), row["erased"]),
        )


async def read_new(connection: Connection, *, since: int, size: int, limit: int) -> list[NewRow]:
    """Return the rows of versions after the ordinal `since`, in a log of some size, in order."""
    rows = await connection.fetch(statement("index", "new_versions"), since, size, limit)
    return [
        NewRow(ord=row["ord"], codes=_codes.decode(row["codes"]), words=_words(row)) for row in rows
    ]


async def read_superseded(
    connection: Connection, *, since: int, size: int
) -> list[tuple[int, int]]:
    """Return (by, ordinal) of versions that entries after `since` superseded, in order."""
    rows = await connection.fetch(statement("index", "superseded"), since, size)
    return [(row["by"], row["ord"]) for row in rows]


async def find_phrase(
    connection: Connection, phrase: Sequence[str], ordinals: Sequence[int]
) -> AsyncIterator[tuple[int, int]]:
    """Yield the versions, of some, that have a phrase, as (ordinal, first tier)."""
    query, pattern = statement("index", "with_phrase"), f" {' '.join(phrase)} "
    for start in range(0, len(ordinals), _BLOCK):
        for row in await connection.fetch(query, ordinals[start : start + _BLOCK], pattern):
            yield row["ord"], row["tier"]


async def read_words(
    connection: Connection, ordinals: Sequence[int]
) -> AsyncIterator[tuple[int, TokensByLanguage]]:
    """Yield the words of versions, in batches."""
    query = statement("index", "words")
    for start in range(0, len(ordinals), _BLOCK):
        for row in await connection.fetch(query, ordinals[start : start + _BLOCK]):
            yield row["ord"], _words(row)


def _part(row: SearchDocument, tier: int) -> str:
    part = {language: texts[tier] for language, texts in row.words.items() if texts[tier]}
    return _JSON.encode(part).decode()


def _words(row: Any) -> TokensByLanguage:
    parts = [_texts.decode(row[name]) for name in ("name", "summary", "rest")]
    languages = dict.fromkeys(language for part in parts for language in part)
    name, summary, rest = parts
    return {
        language: (name.get(language, ""), summary.get(language, ""), rest.get(language, ""))
        for language in languages
    }


def _state(row: Any) -> IndexState:
    return IndexState(
        size=row["size"], folded=row["folded"], epoch=row["epoch"], analysis=row["analysis"]
    )
