"""Recognition of the records that a file of another register is about, before any is published.

A record is what its source gives an id, whatever else has changed. Where there is no id, it is what
the crosswalk says identifies it. Nothing is guessed: where several rows and several records could
be each other's, only those are recognised of which nothing differs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
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

from registry.record.canonical import canonical
from registry.record.ids import MAX_LENGTH
from registry.record.model import Document
from registry.record.pack import Agency
from registry.record.validate import Verdict
from registry.store import imports
from registry.store.database import Connection
from registry.store.imports import KeptRow, KnownRecord
from registry.text.folding import fold

_NAMED = 5
"""Agencies that a sentence names at most, of each kind."""

_LARGEST_ROW = 64 << 20
"""Bytes of a row as JSON: PostgreSQL takes 256 MiB of it and of the texts that were cut."""


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
    # Those that are equal in everything are each other's in their order.
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


class RefusedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the file that becomes no record: where it is, why, and its id at the source."""

    place: str
    reason: str
    source_id: str = ""


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
) -> list[PlacedFiling]:
    """Find the record of each filing; new ones get an id that no other has."""
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
    found: dict[int, KnownRecord] = {}
    for state in ("published", "withdrawn"):
        there = [one for one in known if one.state == state]
        rest = [place for place in range(len(keys)) if place not in found]
        matched = match(
            [keys[place] for place in rest],
            [key_of(one.document, one.agency, one.source_id) for one in there],
        )
        found |= {
            row: there[place] for row, place in zip(rest, matched, strict=True) if place is not None
        }
    taken = {one.id for one in known}
    placed: list[PlacedFiling] = []
    for place, (filing, home) in enumerate(zip(filings, homes, strict=True)):
        record = found.get(place)
        id_ = record.id if record else _new_id(home.id, filing.document["id"], taken)
        taken.add(id_)
        placed.append(PlacedFiling(filing=filing, id=id_, agency=home, known=record))
    return placed


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


def missing(
    known: Sequence[KnownRecord], placed: Iterable[PlacedFiling], refused: Sequence[RefusedRow]
) -> tuple[list[KnownRecord], list[str]]:
    """Return the records in force that are in no row and were there until now, and what to note."""
    met = {one.id for one in placed}
    waiting = {row.source_id for row in refused if row.source_id}
    doubled = {left.id for left, _ in find_twins(known, met)}
    gone = [
        one
        for one in known
        if one.state == "published"
        and one.source_state == "present"
        and one.id not in met
        and one.id not in doubled
        and one.source_id not in waiting
    ]
    notes = []
    if doubled:
        notes.append(
            f"{len(doubled):,} records stand here twice since before this release, and are not "
            "marked as gone: see registry origin join"
        )
    unnamed = sum(not row.source_id for row in refused)
    if gone and unnamed:
        notes.append(
            f"{unnamed:,} refused rows have no id that can be read, and may be of the "
            f"{len(gone):,} records that are missing: none is marked as gone"
        )
        return [], notes
    return gone, notes


def find_twins(
    known: Iterable[KnownRecord], met: Collection[str]
) -> Iterator[tuple[KnownRecord, KnownRecord]]:
    """Yield records that releases before this left behind, each with the one that was `met` since.

    Two are of one system if they have the same id at the source, and the same name too where its
    agencies share ids; without an id if they have the same agency and name. What an import of this
    release has met once is never left behind: it would have been recognised.
    """
    there = [one for one in known if one.state == "published"]
    ids = Counter(one.source_id for one in there if one.source_id and one.id in met)
    are_shared = any(number > 1 for number in ids.values())
    alike: dict[tuple[object, ...], list[KnownRecord]] = {}
    for one in there:
        name = canonical(one.document.get("name"))
        key = (one.source_id, name if are_shared else b"") if one.source_id else (one.agency, name)
        alike.setdefault((bool(one.source_id), *key), []).append(one)
    for group in alike.values():
        now = [one for one in group if one.id in met]
        left = [one for one in group if one.id not in met and one.run is None]
        if len(now) == len(left) == 1 and len(group) == len(now) + len(left):
            yield left[0], now[0]
