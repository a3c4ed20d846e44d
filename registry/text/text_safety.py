"""Text safety: text that is normalised, and without markup or hidden control characters.

Unicode TR 36 and TR 39 have the reasons; UAX 9 defines the controls of direction.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias
from unicodedata import is_normalized

TextProblem: TypeAlias = Literal["markup", "composition", "direction", "invisible", "marks"]

MOST_MARKS = 8

# What a browser would read as a tag, a comment or a declaration; "a < b" and "<5" are words.
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|<!|<\?")

_OPENING = {"\u202a": "\u202c", "\u202b": "\u202c", "\u202d": "\u202c", "\u202e": "\u202c",
            "\u2066": "\u2069", "\u2067": "\u2069", "\u2068": "\u2069"}  # fmt: skip
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069\n]")

# Soft hyphen, fillers, zero-width spaces, separators, deprecated formatting, tags, private use,
# noncharacters. Variation selectors and the marks of direction (LRM, RLM, ALM) have honest uses.
_HIDDEN = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2028\u2029\u2060-\u2064\u206a-\u206f"
    "\u3164\ue000-\uf8ff\ufdd0-\ufdef\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e00ff\U000f0000-\U0010ffff"
)
_INVISIBLE = re.compile(f"[{_HIDDEN}]")

# Scripts whose letters change shape by their neighbours: Arabic, Syriac, N'Ko, those of India.
_JOINING = (
    "\u0600-\u06ff\u0700-\u074f\u0750-\u077f\u07c0-\u07ff\u0860-\u08ff\u0900-\u0dff"
    "\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc"
)
_JOINER_ASTRAY = re.compile(f"(?<![{_JOINING}])[\u200c\u200d]|[\u200c\u200d](?![{_JOINING}])")

_COMBINING = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
    "\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u08d3-\u08e1\u08e3-\u08ff\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f"
)
_STACKED = re.compile(f"[{_COMBINING}]{{{MOST_MARKS + 1}}}")

# One scan clears nearly every text.
_SUSPECT = re.compile(f"[\u200c\u200d\u202a-\u202e\u2066-\u2069{_HIDDEN}]|{_STACKED.pattern}")


def first_problem(text: str) -> TextProblem | None:
    """Return the name of the first problem of a text, or None."""
    if "<" in text and _MARKUP.search(text):
        return "markup"
    if text.isascii():
        return None
    if not is_normalized("NFC", text):
        return "composition"
    return _hidden_fault(text) if _SUSPECT.search(text) else None


def _hidden_fault(text: str) -> TextProblem | None:
    if not balanced(text):
        return "direction"
    if _INVISIBLE.search(text) or _JOINER_ASTRAY.search(text):
        return "invisible"
    return "marks" if _STACKED.search(text) else None


def balanced(text: str) -> bool:
    """Return whether every embedding and isolate of a paragraph is closed in it (UAX 9)."""
    waiting: list[str] = []
    for found in _DIRECTION.finditer(text):
        sign = found[0]
        if sign in _OPENING:
            waiting.append(_OPENING[sign])
        elif sign == "\n":
            if waiting:
                return False
        elif not waiting or waiting.pop() != sign:
            return False
    return not waiting


def visible(text: str) -> str:
    """Return a text with control and hidden characters as escapes, safe to print on a terminal."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )
