"""Diffs of two versions of a record: by field, and in texts by word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import msgspec

from registry.record.canonical import canonical
from registry.record.model import Document
from registry.record.pointers import Place, field_path, pointer
from registry.record.schema import field_at, fields
from registry.text.word_diff import DiffSpan, word_diff

DifferenceKind: TypeAlias = Literal["added", "removed", "changed"]

KEYS: Mapping[tuple[str, ...], tuple[str, ...]] = MappingProxyType(
    {
        ("related_records",): ("relation", "record"),
        ("purpose", "services"): ("name",),
        ("risk", "rights_impact"): ("right",),
        ("data", "variables"): ("name",),
        ("data", "sources"): ("name",),
        ("data", "legal_basis"): ("reference",),
        ("data", "sharing"): ("recipient",),
        ("technical", "models"): ("name",),
        ("procurement", "suppliers"): ("name",),
        ("procurement", "amendments"): ("date",),
        ("procurement", "funding"): ("source", "programme"),
        ("assessments",): ("type",),
        ("risks",): ("category",),
        ("consultations",): ("kind", "date"),
        ("evaluation", "metrics"): ("name", "group"),
        ("evaluation", "benefits"): ("measure", "description"),
        ("evaluation", "incidents"): ("date",),
        ("evaluation", "outcomes"): ("period",),
        ("documents",): ("url",),
        ("registrations",): ("register", "number"),
        ("waivers",): ("duty",),
        ("publication", "withheld_fields"): ("pointer",),
        ("publication", "answers"): ("observation",),
    }
)
"""The members that identify an item of a list when others of it change."""

_ALIKE = 0.5
"""The share of its parts that identifies an item without a key."""

_SAME, _SAME_KEY = 4.0, 2.0


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A difference of two documents.

    `pointer` leads into the later document, and for what was removed into the earlier one: there
    its last part is an index of the earlier list. An item that moved in its list was removed and
    added. `before` and `after` are the values, null where there is none; `words` is the word diff
    of a text.
    """

    pointer: str
    kind: DifferenceKind
    before: Any = None
    after: Any = None
    words: list[DiffSpan] | msgspec.UnsetType = msgspec.UNSET


def differences(before: Document, after: Document) -> list[Difference]:
    """Return the differences from `before` to `after`, in the order of pointers.

    A field that is new or gone is one difference with its whole value, in whatever section; in a
    field that stays, every language, answer and item is one.
    """
    found = sorted(_of_objects((), before, after), key=lambda one: _order(one[0]))
    return [difference for _, difference in found]


def _of_objects(
    place: Place, before: dict[str, Any], after: dict[str, Any]
) -> Iterator[tuple[Place, Difference]]:
    for name in before.keys() | after.keys():
        here = (*place, name)
        if name not in before:
            yield from _lone(here, "added", after[name])
        elif name not in after:
            yield from _lone(here, "removed", before[name])
        else:
            yield from _of_values(here, before[name], after[name])
    if place in _sections() and before and not after:
        # All its members are gone, but not the object itself.
        yield _difference(place, "added", after=after)


def _lone(place: Place, kind: DifferenceKind, value: Any) -> Iterator[tuple[Place, Difference]]:
    """Yield what only one of the documents has: a field as a whole, a section by its fields."""
    if place in _sections() and value:
        for name, part in value.items():
            yield from _lone((*place, name), kind, part)
    elif kind == "added":
        yield _difference(place, kind, after=value)
    else:
        yield _difference(place, kind, before=value)


def _of_values(place: Place, before: Any, after: Any) -> Iterator[tuple[Place, Difference]]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_objects(place, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(place, before, after)
    elif type(before) is not type(after) or before != after:
        is_text = isinstance(before, str) and isinstance(after, str) and _is_text(place)
        words = word_diff(before, after) if is_text else msgspec.UNSET
        yield _difference(place, "changed", before=before, after=after, words=words)


def _of_lists(
    place: Place, before: list[Any], after: list[Any]
) -> Iterator[tuple[Place, Difference]]:
    key = KEYS.get(tuple(part for part in place if isinstance(part, str)), ())
    old, new = [_Item(item, key) for item in before], [_Item(item, key) for item in after]
    if _only_in_another_order(old, new):
        yield _difference(place, "changed", before=before, after=after)
        return
    pairs = _aligned(old, new)
    kept_old, kept_new = {i for i, _ in pairs}, {j for _, j in pairs}
    for i, item in enumerate(before):
        if i not in kept_old:
            yield _difference((*place, i), "removed", before=item)
    for j, item in enumerate(after):
        if j not in kept_new:
            yield _difference((*place, j), "added", after=item)
    for i, j in pairs:
        yield from _of_values((*place, j), before[i], after[j])


class _Item:
    """An item of a list with what identifies it: its exact bytes, its key, its parts."""

    __slots__ = ("exact", "is_code", "key", "parts")

    def __init__(self, value: Any, key: tuple[str, ...]) -> None:
        self.exact = canonical(value)
        self.is_code = not isinstance(value, dict | list)
        known = isinstance(value, dict) and any(name in value for name in key)
        self.key = [value.get(name) for name in key] if known else None
        self.parts = frozenset(_parts((), value)) if isinstance(value, dict) else frozenset()

    def likeness(self, other: _Item) -> float:
        """Return how likely two items are versions of one; 0 if they are not."""
        if self.exact == other.exact:
            return _SAME
        most = max(len(self.parts), len(other.parts))
        share = len(self.parts & other.parts) / most if most else 0.0
        if self.key is not None and other.key is not None and _is_same(self.key, other.key):
            return _SAME_KEY + share
        return share if share >= _ALIKE else 0.0


def _is_same(key: Sequence[Any], other: Sequence[Any]) -> bool:
    """Return whether keys are the same; a line that stood alone is that of any language."""
    return all(
        canonical(one) == canonical(its)
        or (isinstance(one, str) and isinstance(its, dict) and one in its.values())
        or (isinstance(its, str) and isinstance(one, dict) and its in one.values())
        for one, its in zip(key, other, strict=True)
    )


def _parts(place: Place, value: Any) -> Iterator[tuple[Place, bytes]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _parts((*place, name), part)
    else:
        yield place, canonical(value)


def _only_in_another_order(old: Sequence[_Item], new: Sequence[_Item]) -> bool:
    """Return whether two lists of codes differ only in order: such a list is a set."""
    if not all(item.is_code for item in (*old, *new)):
        return False
    both = {item.exact for item in old} & {item.exact for item in new}
    first, second = ([item.exact for item in items if item.exact in both] for items in (old, new))
    return first != second and sorted(first) == sorted(second)


def _aligned(old: Sequence[_Item], new: Sequence[_Item]) -> list[tuple[int, int]]:
    """Return pairs of items that are the same or versions of one, in order, by likeness."""
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    like = [[one.likeness(other) for other in new] for one in old]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            paired = like[i][j] + best[i + 1][j + 1] if like[i][j] else 0.0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    pairs = []
    i = j = 0
    while i < len(old) and j < len(new):
        if like[i][j] and best[i][j] == like[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _difference(place: Place, kind: DifferenceKind, **values: Any) -> tuple[Place, Difference]:
    return place, Difference(pointer=pointer(place), kind=kind, **values)


def _order(place: Place) -> tuple[tuple[int, str], ...]:
    return tuple((part, "") if isinstance(part, int) else (-1, part) for part in place)


@cache
def _sections() -> frozenset[Place]:
    """Return the names of top-level objects that only group fields."""
    return frozenset(field.path for field in fields() if field.is_section)


def _is_text(place: Place) -> bool:
    """Return whether the value of a place is a text to read: one language of it, or a line."""
    path = field_path(place)
    own, above = field_at(path), field_at(path[:-1])
    is_line = own is not None and own.kind in {"Line", "LangLine"}
    return is_line or (above is not None and above.is_text)
