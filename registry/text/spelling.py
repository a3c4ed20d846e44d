"""Spelling correction: words within a small edit distance."""

from __future__ import annotations

import re
import string

_LATIN = string.ascii_lowercase
_ARABIC = "ءابتثجحخدذرزسشصضطظعغفقكلمنهويپڤگ"
_IS_ARABIC = re.compile("[؀-ۿ]")

_TWO_SLIPS_FROM = 8
"""The number of letters from which two edits are likely."""


def slips(word: str) -> int:
    """Return the number of edits that a word of this length may have; 0 for a number."""
    if word.isdigit() or len(word) < 2:  # noqa: PLR2004  one letter is anything
        return 0
    return 2 if len(word) >= _TWO_SLIPS_FROM else 1


def one_slip_away(word: str) -> set[str]:
    """Return all words at one edit: a letter left out, inserted, replaced, or two swapped."""
    alphabet = _ARABIC if _IS_ARABIC.search(word) else _LATIN
    parts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    found = {left + right[1:] for left, right in parts if right}
    found |= {left + right[1] + right[0] + right[2:] for left, right in parts if len(right) > 1}
    found |= {left + letter + right[1:] for left, right in parts if right for letter in alphabet}
    found |= {left + letter + right for left, right in parts for letter in alphabet}
    return found - {word}


def ends(word: str) -> tuple[str, str]:
    """Return the first and the last third of a word.

    After two edits one of them is mostly intact.
    """
    third = len(word) // 3
    return word[:third], word[-third:]


def distance(one: str, other: str, most: int) -> int:
    """Return the edit distance of two words, at most `most` + 1.

    Optimal string alignment: a swap of neighbours is one edit, Damerau (1964).
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        before, above, row = row, before, [i]
        for j, against in enumerate(other, start=1):
            cost = min(row[-1] + 1, before[j] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
