"""What is known of a record without its documents: enough to tell which pages are to be made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from registry.pages.cards import Card, read_card, read_related
from registry.pages.collecting import uncollected
from registry.pages.page import digest
from registry.record.facets import REVIEW_DUE, SINGLE, PublishedState
from registry.record.pack import Agency
from registry.record.search_document import build
from registry.store.log import LogLine
from registry.store.records import StoredRecord, VersionLine
from registry.store.withdrawals import Withdrawal


class Row(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A record as the index beside the pages shows it: a code for each of `SINGLE`."""

    codes: list[str]
    name_key: str
    review_due: str | None
    completeness: int
    card: str


class Known(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What is known of a record; `seen` is the digest of all that was read of it, and its agency.

    `versions` and `withdrawals` are all there ever were, oldest first; `related` are the records
    that any version names.
    """

    card: Card
    versions: list[VersionLine]
    withdrawals: list[Withdrawal]
    related: list[str]
    row: Row
    seen: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a build has read of the register, for the next one, which reads what came after.

    It holds for who has the same `ground` and `agencies` (digests) and as many erasures, of the
    log that has `leaf` as the last of its first `size` entries.
    """

    ground: str
    agencies: str
    erasures: tuple[int, int]
    size: int
    leaf: str
    log: list[LogLine]
    records: list[Known]


_decode = msgspec.msgpack.Decoder(Kept).decode


def know(
    versions: Sequence[StoredRecord], withdrawals: Sequence[Withdrawal], agency: Agency | None
) -> Known:
    """Take from all versions of a record, oldest first, what is to be known of it."""
    record = versions[-1]
    return Known(
        card=read_card(record, agency),
        versions=record.versions,
        withdrawals=list(withdrawals),
        related=sorted({name for one in versions for name in read_related(one.document)}),
        row=_row(record, agency),
        seen=digest(
            msgspec.json.encode(
                [agency, record.versions, withdrawals, [one.register for one in versions]]
            ),
            *(one.document for one in versions),
        ),
    )


def listing_agency(record: StoredRecord, agency: Agency | None) -> Agency:
    """Give a record's agency, or, of one that nobody knows, what its id says."""
    return agency or Agency(id=record.agency, name={}, kind="other", origin=record.register.origin)


@uncollected()
def read_kept(path: Path) -> Kept | None:
    """Read what was kept; what is missing or damaged is only read from the register again."""
    try:
        return _decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None


def write_kept(path: Path, kept: Kept) -> None:
    """Write what is to be kept, in place of what was."""
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(msgspec.msgpack.encode(kept))
    new.replace(path)


def _row(record: StoredRecord, agency: Agency | None) -> Row:
    register = record.register
    standing = PublishedState(
        version=register.version,
        entry=register.entry,
        published_at=register.published_at,
        completeness=register.completeness,
        missing=register.missing,
        findings=register.noticed(),
        risk_changes=(),
    )
    document = msgspec.json.decode(record.document)
    row = build(document, listing_agency(record, agency), {}, standing)
    return Row(
        codes=[row.codes[name][0] for name in SINGLE],
        name_key=row.name_key,
        review_due=next(iter(row.codes.get(REVIEW_DUE, ())), None),
        completeness=register.completeness,
        card=row.card,
    )
