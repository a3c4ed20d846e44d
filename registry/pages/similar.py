"""Records like another one: the same task in the same sector, at the same level of risk first.

What is filed here comes before what was copied. Neighbours in one order are taken, not the best of
all, so that a new record changes the pages of few.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from registry.pages.cards import Card
from registry.record.entry import NOT_STATED

Task: TypeAlias = tuple[str, str]
_MOST = 4


def by_task(cards: Iterable[Card]) -> dict[Task, list[Card]]:
    """Group the records in force that say their sector and task, each group in its order."""
    groups: dict[Task, list[Card]] = {}
    for card in cards:
        if not card.withdrawn and NOT_STATED not in {card.sector, card.function}:
            groups.setdefault((card.sector, card.function), []).append(card)
    for group in groups.values():
        group.sort(key=_place)
    return groups


def similar(card: Card, groups: Mapping[Task, Sequence[Card]]) -> list[Card]:
    """Choose the few records that are most like one."""
    group = groups.get((card.sector, card.function), ())
    here = bisect_left(group, _place(card), key=_place)
    start = max(0, min(here - _MOST // 2, len(group) - _MOST - 1))
    return [other for other in group[start : start + _MOST + 1] if other.id != card.id][:_MOST]


def _place(card: Card) -> tuple[bool, str, str]:
    return (card.origin is not None, card.risk, card.id)
