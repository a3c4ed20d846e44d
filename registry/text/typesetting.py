"""Non-breaking spaces: between a number and its noun, and in French before punctuation."""

from __future__ import annotations

import re

_NARROW, _WIDE = "\u202f", "\u00a0"
_COUNTED = re.compile(r"(?<=%\(n\)s) (?=\w)")
_HIGH = re.compile(r" (?=[;?!](?:\s|$))")
_LOW = re.compile(r"(?<=«) (?=\S)| (?=[:»](?:[\s,.;)]|$))")


def typeset(wording: str, lang: str) -> str:
    """Return a message with non-breaking spaces where no line may break.

    >>> typeset("Que faire ?", "fr") == "Que faire\u202f?"
    True
    """
    wording = _COUNTED.sub(_WIDE, wording)
    return _LOW.sub(_WIDE, _HIGH.sub(_NARROW, wording)) if lang == "fr" else wording
