"""Matching: which rows of another register are about which records, and the ids of new ones."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import (
    Callable,
    Collection,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import Any, TypeAlias

import msgspec

from registry.errors import ImportRefused
from registry.log.erasure import without_erased
from registry.record.canonical import canonical
from registry.record.ids import MAX_LENGTH
from registry.record.model import Document
from registry.record.pack import Agency
from registry.record.validate import Verdict
from registry.store import imports
from registry.store.database import Connection
from registry.store.imports import KeptRow, KnownRecord
from registry.text.folding import fold

_LARGEST_ROW = 64 << 20
"""Bytes of a row as JSON: PostgreSQL takes 256 MiB of it and of the texts that were cut."""


class ForeignFiling(msgspec.Struct, frozen=True, kw_only=True):
    """A foreign record that its profile accepts, with the row it was made from.

    `source_id`, `of` and `telling_apart` are those of its `RecordKey`, texts of the
    document. `whole` has, by JSON Pointer, the whole text where the document has it cut.
    `changed_on` is the source's own date of the row's last change: `YYYY`, `YYYY-MM` or
    `YYYY-MM-DD`. `place` says where in the file the row is.
    """

    document: Document
    agency: Agency
    verdict: Verdict
    source_row: Mapping[str, Any]
    source_id: str = ""
    of: tuple[str, ...] = ()
    telling_apart: tuple[str, ...] = ()
    whole: Mapping[str, str] = {}
    changed_on: str | None = None
    place: str = ""

    @property
    def kept_row(self) -> KeptRow:
        """The row as it is stored: canonical JSON, or with integers beyond 2^53 JSON in order."""
        try:
            content = canonical(self.source_row)
        except ValueError:
            content = msgspec.json.encode(self.source_row, order="sorted")
        return KeptRow(content=content.decode(), whole=msgspec.json.encode(self.whole).decode())

    @property
    def row_sha256(self) -> bytes:
        """The SHA-256 of the row as it is stored."""
        return hashlib.sha256(self.kept_row.content.encode()).digest()


class RefusedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the file that becomes no record: where it is, why, and its id at the source."""

    place: str
    reason: str
    source_id: str = ""


def refuse_large_rows(
    filings: Sequence[ForeignFiling],
) -> tuple[list[ForeignFiling], list[RefusedRow]]:
    """Return the filings whose rows can be stored, and the rows of the others."""
    fit: list[ForeignFiling] = []
    large: list[RefusedRow] = []
    why = (
        f"the row has more than {_LARGEST_ROW >> 20} MiB: leave out of the file what the crosswalk "
        "does not read"
    )
    for one in filings:
        if len(msgspec.json.encode(one.source_row)) <= _LARGEST_ROW:
            fit.append(one)
        else:
            large.append(RefusedRow(place=one.place, reason=why, source_id=one.source_id))
    return fit, large


_NAMED = 5
"""Agencies or rows that a sentence names at most, of each kind."""

_FEW = 2
"""Names that may go from one id to another in a file: two that were swapped are a correction."""


class RecordKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a row or a record is recognised by; the texts are as the record has them.

    `source_id` is its id at the source, empty where it has none. `of` identifies it without one,
    and `telling_apart` decides where several are equal.
    """

    agency: str
    source_id: str
    of: tuple[str, ...]
    telling_apart: tuple[str, ...]


_Part: TypeAlias = Callable[[RecordKey], Hashable]


def match(rows: Sequence[RecordKey], known: Sequence[RecordKey]) -> list[int | None]:
    """Return for each row the place of its record among those known, None for a new one.

    Ids that agencies share are taken to be an agency's own: then none moves to another agency
    unless what identifies it is equal too.
    """
    found: list[int | None] = [None] * len(rows)
    free_rows, free_known = list(range(len(rows))), list(range(len(known)))
    for part in _rounds(agencies_share_ids=_shared([*rows]) or _shared([*known])):
        by_part: dict[Hashable, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for place in free_rows:
            by_part[part(rows[place])][0].append(place)
        for place in free_known:
            by_part[part(known[place])][1].append(place)
        for value, (theirs, ours) in by_part.items():
            if not value or not (part is _whole or len(theirs) == len(ours) == 1):
                continue
            for row, record in zip(theirs, ours, strict=False):
                if _may_be(rows[row], known[record]):
                    found[row] = record
        free_rows = [place for place in free_rows if found[place] is None]
        taken = {place for place in found if place is not None}
        free_known = [place for place in free_known if place not in taken]
    return found


def _whole(key: RecordKey) -> Hashable:
    # Those of which all is equal that identifies them are each other's in their order.
    return key.source_id, key.agency, key.of, key.telling_apart


def _rounds(*, agencies_share_ids: bool) -> Iterator[_Part]:
    """Yield what is compared, from the most that two can have in common to the least."""
    yield _whole
    yield lambda key: (key.source_id, key.agency, key.of)
    yield lambda key: key.source_id and (key.source_id, key.agency)
    yield lambda key: (key.source_id, key.of, key.telling_apart)
    yield lambda key: (key.source_id, key.of)
    if not agencies_share_ids:
        yield lambda key: key.source_id
    # The source began to give ids, or ceased to.
    yield lambda key: key.of


def _may_be(row: RecordKey, record: RecordKey) -> bool:
    return row.source_id == record.source_id or not (row.source_id and record.source_id)


def _shared(keys: Sequence[RecordKey]) -> bool:
    agencies: dict[str, str] = {}
    return any(
        key.source_id and agencies.setdefault(key.source_id, key.agency) != key.agency
        for key in keys
    )


class PlacedFiling(msgspec.Struct, frozen=True, kw_only=True):
    """A filing with the id that its record has or gets, and the record as it is known."""

    filing: ForeignFiling
    id: str
    agency: Agency
    known: KnownRecord | None


def place_filings(
    filings: Sequence[ForeignFiling],
    known: Sequence[KnownRecord],
    named: Sequence[Agency],
    key_of: Callable[[Document, str, str], RecordKey],
    erased: Mapping[str, Mapping[str, Any]],
) -> list[PlacedFiling]:
    """Find the record of each filing; new ones get an id that no other has.

    `erased` has, by record, what stands in the place of members that were erased of it.
    """
    ours = {agency.id for agency in named}
    by_name = {fold(name): agency for agency in named for name in agency.name.values()}
    homes = [
        filing.agency
        if filing.agency.id in ours
        else msgspec.structs.replace(
            filing.agency,
            id=by_name.get(fold(next(iter(filing.agency.name.values()))), filing.agency).id,
        )
        for filing in filings
    ]
    keys = [
        RecordKey(
            agency=home.id,
            source_id=filing.source_id,
            of=tuple(home.id if part == filing.agency.id else part for part in filing.of),
            telling_apart=filing.telling_apart,
        )
        for filing, home in zip(filings, homes, strict=True)
    ]
    # Of those that are alike, the ones that are at their source come first.
    known = sorted(known, key=lambda one: (one.state != "published", one.source_state == "gone"))
    known_keys = [key_of(one.document, one.agency, one.source_id) for one in known]
    found = _recognise(keys, filings, known_keys, known, erased)
    taken = {one.id for one in known}
    placed: list[PlacedFiling] = []
    for place, (filing, home) in enumerate(zip(filings, homes, strict=True)):
        record = known[found[place]] if place in found else None
        id_ = record.id if record else _new_id(home.id, filing.document["id"], taken)
        taken.add(id_)
        placed.append(PlacedFiling(filing=filing, id=id_, agency=home, known=record))
    return placed


def _recognise(
    keys: Sequence[RecordKey],
    filings: Sequence[ForeignFiling],
    known_keys: Sequence[RecordKey],
    known: Sequence[KnownRecord],
    erased: Mapping[str, Mapping[str, Any]],
) -> dict[int, int]:
    """Return by row the place of its record: what is equal first, then as `match` finds it."""
    alike: dict[Hashable, tuple[dict[int, ForeignFiling], dict[int, KnownRecord]]]
    alike = defaultdict(lambda: ({}, {}))
    for place, key in enumerate(keys):
        alike[key.source_id, key.agency, key.of][0][place] = filings[place]
    for place, key in enumerate(known_keys):
        alike[key.source_id, key.agency, key.of][1][place] = known[place]
    found: dict[int, int] = {}
    for rows, records in alike.values():
        if rows and records and not len(rows) == len(records) == 1:
            found |= _match_equal(rows, records, erased)
    for state in ("published", "withdrawn"):
        met = set(found.values())
        there = [place for place, one in enumerate(known) if one.state == state]
        there = [place for place in there if place not in met]
        rest = [place for place in range(len(keys)) if place not in found]
        matched = match([keys[place] for place in rest], [known_keys[place] for place in there])
        for row, record in zip(rest, matched, strict=True):
            if record is not None:
                found[row] = there[record]
    return found


def _match_equal(
    filings: Mapping[int, ForeignFiling],
    known: Mapping[int, KnownRecord],
    erased: Mapping[str, Mapping[str, Any]],
) -> dict[int, int]:
    """Return by row the record that is equal to it, of those that the same identifies.

    The kept row decides before the document: it has columns that no document has, and stays the
    same where the crosswalk has changed.
    """
    found = _paired(
        {row: one.row_sha256 for row, one in filings.items()},
        {record: one.row_sha256 for record, one in known.items()},
    )
    left = {row: one for row, one in filings.items() if row not in found}
    met = set(found.values())
    free = {record: one for record, one in known.items() if record not in met}
    found |= _paired(
        {row: _body(one.document) for row, one in left.items()},
        {record: _body(one.document) for record, one in free.items()},
    )
    met = set(found.values())
    # Of what was erased neither row nor document is kept whole. Whoever fits least chooses first.
    fits: dict[int, list[int]] = {}
    for record, one in free.items():
        if record not in met and (gone := erased.get(one.id)):
            rest = _body(without_erased(one.document, gone))
            fits[record] = [
                row
                for row, filing in left.items()
                if row not in found and _body(without_erased(filing.document, gone)) == rest
            ]
    for record in sorted(fits, key=lambda record: len(fits[record])):
        found |= dict.fromkeys([row for row in fits[record] if row not in found][:1], record)
    return found


def _paired(rows: dict[int, bytes], records: dict[int, bytes | None]) -> dict[int, int]:
    """Return by row the record of the same digest, each once and in their order."""
    waiting: dict[bytes | None, list[int]] = defaultdict(list)
    for record, digest in reversed(records.items()):
        waiting[digest].append(record)
    waiting.pop(None, None)
    return {row: there.pop() for row, digest in rows.items() if (there := waiting.get(digest))}


def _body(document: Document) -> bytes:
    """Return the digest of a document without its id here."""
    return hashlib.sha256(canonical({**document, "id": None})).digest()


def _new_id(agency: str, proposed: str, taken: Collection[str]) -> str:
    """Return the proposed id, in the agency, with a number if another record has it."""
    stem = f"{agency}/{proposed.split('/', 1)[1]}"
    number = 1
    found = stem[:MAX_LENGTH].rstrip("-")
    while found in taken:
        number += 1
        end = f"-{number}"
        found = f"{stem[: MAX_LENGTH - len(end)].rstrip('-')}{end}"
    return found


async def refuse_foreign_ids(
    connection: Connection, origin: str, placed: Sequence[PlacedFiling]
) -> tuple[list[PlacedFiling], list[RefusedRow], list[str]]:
    """Part filings from those whose id or agency belongs to another register.

    Return those that are kept, those that are refused, and sentences about shared prefixes.
    """
    taken = await imports.read_taken(
        connection, origin, [one.id for one in placed], [one.agency.id for one in placed]
    )
    notes = [
        f'the register {other} uses the prefix "{prefix}" for its agencies too; give this '
        'crosswalk another one ("agency": {"prefix": …}), so that ids never meet'
        for prefix in sorted({one.agency.id.split(".")[0] for one in placed})
        for other in await imports.read_sharers(connection, origin, prefix)
    ]
    kept: list[PlacedFiling] = []
    refused: list[RefusedRow] = []
    for one in placed:
        name = one.agency.id if one.agency.id in taken else one.id
        if name not in taken:
            kept.append(one)
            continue
        whose = taken[name] or "this register itself"
        refused.append(
            RefusedRow(
                place=one.filing.place,
                source_id=one.filing.source_id,
                reason=f'{name} belongs to {whose}: give the crosswalk another "agency": '
                '{"prefix": …}',
            )
        )
    return kept, refused, notes


def maybe_renamed(
    known: Iterable[KnownRecord], placed: Iterable[PlacedFiling], gone: Iterable[KnownRecord]
) -> list[str]:
    """Return a sentence where some agencies have only records that are gone, others only new ones.

    A row without an id of its own is recognised by its agency among other things, so that an
    agency's new name makes its records new ones.
    """
    rows = list(placed)
    left = {one.agency for one in gone} - {one.agency.id for one in rows}
    new = {one.agency.id for one in rows} - {one.agency for one in known}
    if not left or not new:
        return []
    named = (", ".join(sorted(some)[:_NAMED]) for some in (left, new))
    return [
        "no row is of {} any more, and new is {}: if an agency has another name now, say so in "
        '"agency": {{"renamed": {{"the new name": "the earlier name"}}}}, and its records go '
        "on".format(*named)
    ]


def refuse_moved_names(
    origin: str, known: Iterable[KnownRecord], placed: Iterable[PlacedFiling]
) -> None:
    """Refuse a file whose ids are those of other systems than before, as places in a list are.

    Counted are rows that keep their id at the source but not their name, where that name is now in
    a row of another id, and no other had it. Raises `ImportRefused` above `_FEW` of them.
    """
    before: dict[Hashable, list[str]] = defaultdict(list)
    now: dict[Hashable, list[str]] = defaultdict(list)
    kept: list[tuple[KnownRecord, ForeignFiling]] = []
    for record in known:
        before[_names(record.document)].append(record.source_id)
    for one in placed:
        filing, id_ = one.filing, one.filing.source_id
        now[_names(filing.document)].append(id_)
        if id_ and one.known is not None and one.known.source_id == id_:
            kept.append((one.known, filing))
    told = []
    for record, filing in kept:
        names = _names(record.document)
        if not names or names == _names(filing.document) or len(before[names]) > 1:
            continue
        others = [id_ for id_ in now[names] if id_ and id_ != record.source_id]
        if others:
            old, new = (_called(one.document) for one in (record, filing))
            told.append(f"{record.source_id} was {old!r}, which is {others[0]} now, and is {new!r}")
    if len(told) > _FEW:
        raise ImportRefused(
            f"{len(told):,} of {len(kept):,} rows have the id that another system of {origin} had "
            f"until now: {'; '.join(told[:_NAMED])}. Such ids are places in a list: leave "
            '"own" out of "id" in the crosswalk, and its column unmapped, so that names tell rows '
            "apart. If the systems were renamed all the same, add --renamed-anyway"
        )


def _names(document: Document) -> frozenset[str]:
    return frozenset(fold(text) for text in (document.get("name") or {}).values())


def _called(document: Document) -> str:
    return str(next(iter((document.get("name") or {}).values()), ""))


def missing(
    known: Sequence[KnownRecord], placed: Iterable[PlacedFiling], refused: Sequence[RefusedRow]
) -> tuple[list[KnownRecord], list[str]]:
    """Return the records in force that are in no row and were there until now, and what to note."""
    met = {one.id for one in placed}
    waiting = {row.source_id for row in refused if row.source_id}
    gone = [
        one
        for one in known
        if one.state == "published"
        and one.source_state == "present"
        and one.id not in met
        and one.source_id not in waiting
    ]
    unnamed = sum(not row.source_id for row in refused)
    if gone and unnamed:
        note = (
            f"{unnamed:,} refused rows have no id that can be read, and may be of the "
            f"{len(gone):,} records that are missing: none is marked as gone"
        )
        return [], [note]
    return gone, []
