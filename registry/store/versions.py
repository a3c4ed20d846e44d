"""New versions, written with all that belongs to them and the log's entries, in one trip."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from registry.errors import Finding
from registry.record.model import LangText
from registry.record.sections import Section
from registry.store.figures import Figure
from registry.store.index.rows import IndexRow, columns
from registry.store.sql import statement

if TYPE_CHECKING:
    from registry.store.database import Connection
    from registry.tlog.compact import CompactRange

_JSON = msgspec.json.Encoder()


class NewVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version about to be written; `content` and `leaf` are the bytes and hash of its entry.

    `source_row` is JSON text of a foreign record's source.
    """

    record: str
    agency: str
    origin: str | None
    version: int
    entry: int
    published_at: dt.datetime
    content: bytes
    leaf: bytes
    schema_version: str
    rule_set: str
    actor: str
    approved_by: str | None
    completeness: int
    accountability: int
    missing: Sequence[str]
    findings: Sequence[Finding]
    change_note: LangText | None
    source_row: str | None
    truncated: Sequence[str]
    sections: Sequence[Section]
    figure: Figure
    row: IndexRow


async def insert(
    connection: Connection, versions: Sequence[NewVersion], after: CompactRange
) -> None:
    """Write versions, each record at most once, with their sections, entries and the log's state.

    `after` is what the log's tree becomes; the caller holds the state's lock.
    """
    sections = [
        (new.record, new.version, *msgspec.structs.astuple(section))
        for new in versions
        for section in new.sections
    ]
    await connection.execute(
        statement("versions", "insert"),
        *zip(*map(_values, versions), strict=True),
        after.size,
        after.packed(),
        *zip(*sections, strict=True),
    )


def _values(new: NewVersion) -> tuple[Any, ...]:
    """List a version's values in the order of the statement."""
    figure = new.figure
    _, *row = columns(new.row)
    return (
        new.record,
        new.agency,
        new.origin,
        new.version,
        new.entry,
        new.published_at,
        new.content,
        new.leaf,
        new.schema_version,
        new.rule_set,
        new.actor,
        new.approved_by,
        new.completeness,
        new.accountability,
        _json(new.missing),
        _json(new.findings),
        None if new.change_note is None else _json(new.change_note),
        new.source_row,
        _json(new.truncated),
        figure.risk,
        figure.risk_before,
        figure.risk_change,
        figure.sector,
        figure.status,
        figure.personal_data,
        figure.next_review_on,
        _json(figure.rules),
        _json(figure.withheld),
        figure.restricted,
        *row,
    )


def _json(value: Any) -> str:
    return _JSON.encode(value).decode()
