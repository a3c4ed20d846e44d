"""Recognising the records of another register in a new file of it.

A record is what its source gives an id, whatever else has changed. Where there is no id, it is what
the crosswalk says identifies it. Nothing is guessed: where several rows and several records could
be each other's, only those are recognised of which nothing differs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeAlias

import msgspec


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
