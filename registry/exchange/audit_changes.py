"""Auditing the list of changes: each entry with its hash, and how it moved a risk level."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from registry.exchange.answer_difference import AnswerDifference, unlike
from registry.exchange.remote_answers import RemoteChanges
from registry.exchange.remote_register import RemoteRegister
from registry.log.register import RegisterReplay, RiskMove, risk_move
from registry.record.model import NOT_STATED
from registry.record.rules import LOWERED_ANEW

_AT_ONCE = 1000


def compare_changes(
    remote: RemoteRegister,
    replay: RegisterReplay,
    lowered: dict[int, RiskMove],
    checked: Counter[str],
) -> Iterator[AnswerDifference]:
    """Yield the first entry of the list that differs, if one does; count those that do not.

    `lowered` gets, by entry, what is answered of first versions at another level than another
    record's of the same system: of these a finding says that there is one, and no entry which.
    """
    since, last = -1, replay.size - 1
    while since < last:
        path = f"/api/v1/changes?origin=all&since={since}&limit={_AT_ONCE}"
        page = remote.get(f"{path}&as_of=entry:{last}").read(RemoteChanges)
        items = [] if page is None else page.items[: last - since]
        for at, item in enumerate(items, start=since + 1):
            checked["changes"] += 1
            move = _move(replay, at, item.get("risk"), lowered)
            if why := unlike({"index": at, "hash": replay.leaf(at), "risk": move}, item):
                yield AnswerDifference(at=path, why=f"entry {at}: {why}")
                return
        if not items:
            yield AnswerDifference(at=path, why=f"entry {since + 1} is missing")
            return
        since += len(items)


def _move(
    replay: RegisterReplay, index: int, answered: Any, lowered: dict[int, RiskMove]
) -> RiskMove | None:
    """Return how an entry moved a risk level; of a first version as answered, if it can be."""
    line = replay.log[index]
    versions = replay.versions.get(line.subject or "")
    first = versions[0] if versions else None
    if first is None or first.entry != index or not isinstance(answered, dict):
        return line.risk
    if LOWERED_ANEW not in {one.rule for one in first.findings}:
        return None
    move = risk_move(str(answered.get("before")), first.said.risk or NOT_STATED)
    if move is not None:
        lowered[index] = move
    return move
