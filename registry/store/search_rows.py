"""The search rows of versions, written in the transaction of the version.

Each says by which analysis it was derived. While releases work beside each other, or where somebody
has changed that, rows are of another one: whoever reads them derives them anew, and so one that
cannot be read.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from registry.log.erasure import readable
from registry.record.facets import PublishedState
from registry.record.pack import Agency
from registry.record.search_document import (
    DERIVATION,
    FacetCodes,
    RecordSummary,
    SearchDocument,
    TokensByLanguage,
    build,
    tokenize,
)
from registry.store.database import Connection, Database, statement
from registry.text.folding import sort_key
from registry.tlog.compact import CompactRange, unpack

TEXTS = 3
"""The columns of words: of the name, of the summary, and of the rest."""

_BATCH = 200

_ROWS_SECONDS = 600.0
"""The time limit of reading rows, which waits while a table is written anew after an erasure.

Whoever waits for the index has a limit of its own.
"""

_JSON = msgspec.json.Encoder()
_codes = msgspec.json.Decoder(FacetCodes)
_card = msgspec.json.Decoder(RecordSummary)
_texts = msgspec.json.Decoder(dict[str, str])


class VersionRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the search index is made of, for one version.

    `until` is the entry that put the version out of force, None while it is in force. `card` is
    what lists show of it, JSON text. `names` are the sort keys of names by language, the first tag
    first. `published_on` is the day of its publication. `published`, `raised` and `lowered` are the
    entries of the versions of the record up to this one: of all, and of those that raised or
    lowered its risk level. `source` are those that say, in turn, that it is gone from its source
    and that it is back.
    """

    ord: int
    until: int | None
    codes: FacetCodes
    card: str
    names: Mapping[str, str]
    words: TokensByLanguage
    published_on: str
    published: Sequence[int]
    raised: Sequence[int]
    lowered: Sequence[int]
    source: Sequence[int] = ()


class SearchState(msgspec.Struct, frozen=True, kw_only=True):
    """What a search index has to hold: the log, in the epoch of the rows.

    The epoch changes when rows of published versions change, as by an erasure. `leaf` is the leaf
    hash of the entry that was asked for, None without it, and `last_leaf` that of the last entry.
    `agencies` counts those of this register, which are added.
    """

    range: CompactRange
    epoch: int
    leaf: str | None
    last_leaf: str
    agencies: int


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
    return row.ord, codes, row.card, name, summary, rest, DERIVATION


def as_row(document: SearchDocument) -> dict[str, Any]:
    """Return the values of a row by column name."""
    names = ("ord", "codes", "card", "name", "summary", "rest", "analysis")
    return dict(zip(names, columns(document), strict=True))


async def read_state(connection: Connection, entry: int = -1) -> SearchState:
    """Return the state, with the leaf hash of an entry."""
    return _state(await connection.fetchrow(statement("index", "state"), entry))


async def lock_state(connection: Connection) -> SearchState:
    """Return the state, locked until the transaction ends, so that no other process writes rows."""
    return _state(await connection.fetchrow(statement("index", "lock_state")))


async def begin_epoch(connection: Connection) -> None:
    """Begin an epoch, in which every index is made anew; the caller holds the lock of the state."""
    await connection.execute(statement("index", "begin_epoch"))


async def rewrite(connection: Connection, entries: Sequence[int]) -> None:
    """Derive the rows of versions anew, and write them; the caller holds the lock of the state."""
    for start in range(0, len(entries), _BATCH):
        some = entries[start : start + _BATCH]
        await connection.execute(statement("index", "drop_versions"), some)
        await write(connection, await _derive(connection, some))


async def rewrite_outdated(database: Database, since: int = 0) -> int:
    """Write some rows of another analysis anew, from an entry on; return the one to go on from.

    That is the size of the log when there are no more. No epoch begins: an index has of them what
    is written now.
    """
    async with database.connection() as connection:
        size = (await read_state(connection)).range.size
        query = statement("index", "of_another_analysis")
        rows = await connection.fetch(query, since, DERIVATION, _BATCH)
    if rows:
        async with database.transaction() as connection:
            await lock_state(connection)
            await rewrite(connection, [row["ord"] for row in rows])
    return size if len(rows) < _BATCH else int(rows[-1]["ord"]) + 1


async def read_rows(
    connection: Connection, *, since: int, size: int, limit: int
) -> list[VersionRow]:
    """Return the rows of versions after the entry `since`, in a log of some size, in order."""
    query = statement("index", "version_rows")
    rows = await connection.fetch(query, since, size, limit, timeout=_ROWS_SECONDS)
    return await _current(connection, rows, size)


async def read_changed(
    connection: Connection, *, since: int, size: int, erased: Sequence[int]
) -> list[VersionRow]:
    """Return the rows up to `since` that later entries, or redactions not `erased`, changed."""
    query = statement("index", "changed_rows")
    rows = await connection.fetch(query, since, size, erased, timeout=_ROWS_SECONDS)
    return await _current(connection, rows, size)


async def read_erasures(connection: Connection) -> list[int]:
    """Return the entries of the redactions that were carried out."""
    return [row["redaction"] for row in await connection.fetch(statement("index", "erasures"))]


async def _current(connection: Connection, rows: Sequence[Any], size: int) -> list[VersionRow]:
    """Return rows with what follows from the log in the place of what another analysis wrote.

    Nobody has compared that with the log. So with what cannot be read: one damaged row would stop
    all searches. What follows from nothing is left out.
    """
    made: dict[int, VersionRow | None] = {}
    for row in rows:
        made[row["ord"]] = None
        if row["analysis"] == DERIVATION:
            with suppress(msgspec.DecodeError):
                made[row["ord"]] = _version_row(row, size)
    if other := [ord_ for ord_, one in made.items() if one is None]:
        known = {one.ord: as_row(one) for one in await _derive(connection, other)}
        for row in rows:
            if row["ord"] in known:
                made[row["ord"]] = _version_row({**row, **known[row["ord"]]}, size)
    return [one for one in made.values() if one is not None]


async def _derive(connection: Connection, entries: Sequence[int]) -> list[SearchDocument]:
    """Return what follows from the log of versions, in a thread: it is most of the work."""
    query = statement("index", "derived_from")
    rows = await connection.fetch(query, entries, timeout=_ROWS_SECONDS)
    return await asyncio.to_thread(lambda: [_derived(row) for row in rows])


def _derived(row: Any) -> SearchDocument:
    agency = msgspec.json.decode(row["agency"], type=Agency)
    document = readable(msgspec.json.decode(row["document"]), row["erased"])
    given = dict(row) | {"findings": msgspec.json.decode(row["findings"])}
    state = msgspec.convert(given, PublishedState)
    return build(document, agency, tokenize(document, agency), state, row["erased"])


def _version_row(row: Any, size: int) -> VersionRow:
    card = _card.decode(row["card"])
    until = row["until_entry"]
    return VersionRow(
        ord=row["ord"],
        until=until if until is not None and until < size else None,
        codes=_codes.decode(row["codes"]),
        card=row["card"],
        names={tag: sort_key(text) for tag, text in (card.name or {"": card.id}).items()},
        words=_words(row),
        published_on=card.published_at.astimezone(dt.UTC).date().isoformat(),
        published=row["published"],
        raised=row["raised"],
        lowered=row["lowered"],
        source=[entry for entry in row["source"] if entry < size],
    )


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


def _state(row: Any) -> SearchState:
    return SearchState(
        range=unpack(row["size"], row["peaks"]),
        epoch=row["epoch"],
        leaf=None if row["leaf"] is None else row["leaf"].hex(),
        last_leaf=(row["last_leaf"] or b"").hex(),
        agencies=row["agencies"],
    )
