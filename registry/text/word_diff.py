"""Word diff of two texts in any script, in bounded time.

Words that occur once in both texts are matched first, the longest sequence in the same order
(patience diff); the gaps recursively. What is left is compared by the longest common subsequence
where it is short, and is a replacement where not.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

_PUNCTUATION = (
    r"!-/:-@\[-`{-~¡-©«-±´¶·»¿"
    r"\u2010-\u2027\u2030-\u205e\u2e00-\u2e7f\u3001-\u303f"
    r"\u060c\u061b\u061f\u066a-\u066d\u06d4"
)
_TOKEN = re.compile(rf"\s+|[{_PUNCTUATION}]|[^\s{_PUNCTUATION}]+")
_DEEPEST = 32
_SHORT = 4096
"""The largest product of lengths for which the longest common subsequence is computed."""


class DiffSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of text: in both, only in the later (`insert`), or only in the earlier (`delete`)."""

    op: Literal["equal", "insert", "delete"]
    text: str


def word_diff(before: str, after: str) -> list[DiffSpan]:
    """Return the differences of two texts as spans.

    The spans that are not inserted are `before`, those that are not deleted are `after`.
    """
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    matched = list(_matched(old, new, range(len(old)), range(len(new)), _DEEPEST))
    found: list[DiffSpan] = []
    for op, text in _pieces(old, new, matched):
        if text:
            found.append(DiffSpan(op=op, text=text))
    return found


def _pieces(
    old: Sequence[str], new: Sequence[str], matched: Sequence[tuple[int, int]]
) -> Iterator[tuple[Literal["equal", "insert", "delete"], str]]:
    """Yield spans; white space between two changes is a part of them."""
    equal = gone = come = ""
    i = j = 0
    for at, to in [*matched, (len(old), len(new))]:
        if i < at or j < to:
            if equal.isspace() and (gone or come):
                gone, come = gone + equal, come + equal
            else:
                yield from (("delete", gone), ("insert", come), ("equal", equal))
                gone = come = ""
            equal = ""
            gone, come = gone + "".join(old[i:at]), come + "".join(new[j:to])
        equal += "".join(old[at : at + 1])
        i, j = at + 1, to + 1
    yield from (("delete", gone), ("insert", come), ("equal", equal))


def _matched(
    old: Sequence[str], new: Sequence[str], left: range, right: range, depth: int
) -> Iterator[tuple[int, int]]:
    """Yield pairs of the places of equal tokens, in order in both."""
    head = 0
    shortest = min(len(left), len(right))
    while head < shortest and old[left[head]] == new[right[head]]:
        head += 1
    tail = 0
    while tail < shortest - head and old[left[-1 - tail]] == new[right[-1 - tail]]:
        tail += 1
    yield from zip(left[:head], right[:head], strict=True)
    yield from _between(
        old, new, left[head : len(left) - tail], right[head : len(right) - tail], depth
    )
    yield from zip(left[len(left) - tail :], right[len(right) - tail :], strict=True)


def _between(
    old: Sequence[str], new: Sequence[str], left: range, right: range, depth: int
) -> Iterator[tuple[int, int]]:
    if len(left) * len(right) <= _SHORT:
        yield from _longest(old, new, left, right)
    elif depth and (anchors := _anchors(old, new, left, right)):
        i, j = left.start, right.start
        for at, to in [*anchors, (left.stop, right.stop)]:
            yield from _matched(old, new, range(i, at), range(j, to), depth - 1)
            if at < left.stop:
                yield at, to
            i, j = at + 1, to + 1


def _anchors(
    old: Sequence[str], new: Sequence[str], left: range, right: range
) -> list[tuple[int, int]]:
    """Return pairs of tokens that occur once in both, the longest sequence in the same order."""
    in_old, in_new = Counter(old[i] for i in left), Counter(new[j] for j in right)
    place = {new[j]: j for j in right if in_new[new[j]] == 1}
    pairs = [(i, place[old[i]]) for i in left if in_old[old[i]] == 1 and old[i] in place]
    ends: list[int] = []
    last: list[int] = []
    before: list[int | None] = []
    for number, (_, j) in enumerate(pairs):
        at = bisect_left(ends, j)
        before.append(last[at - 1] if at else None)
        ends[at : at + 1], last[at : at + 1] = [j], [number]
    chain: list[tuple[int, int]] = []
    here = last[-1] if last else None
    while here is not None:
        chain.append(pairs[here])
        here = before[here]
    return chain[::-1]


def _longest(
    old: Sequence[str], new: Sequence[str], left: range, right: range
) -> Iterator[tuple[int, int]]:
    """Yield the pairs of the longest common subsequence."""
    lengths = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in range(len(left) - 1, -1, -1):
        for j in range(len(right) - 1, -1, -1):
            if old[left[i]] == new[right[j]]:
                lengths[i][j] = lengths[i + 1][j + 1] + 1
            else:
                lengths[i][j] = max(lengths[i + 1][j], lengths[i][j + 1])
    i = j = 0
    while i < len(left) and j < len(right):
        if old[left[i]] == new[right[j]]:
            yield left[i], right[j]
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
