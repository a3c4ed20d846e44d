"""Confusable names: names that look alike to a reader have the same skeleton (UTS 39 §4).

The table has the letters that matter here: Cyrillic and Greek letters that look Latin, and Arabic
letters that other languages write alike. Case is folded too.
"""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import normalize

_ALIKE = {
    # Cyrillic, lower case
    "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "і": "i", "ј": "j",
    "ѕ": "s", "ԁ": "d", "ԛ": "q", "ԝ": "w", "һ": "h", "ӏ": "l", "ӕ": "ae", "ҽ": "e", "ь": "b",
    "г": "r", "ѵ": "v", "ѡ": "w", "ү": "y", "ґ": "r", "п": "n", "ћ": "h",
    # Cyrillic, where the capital looks alike
    "к": "k", "м": "m", "н": "h", "т": "t", "в": "b", "з": "3", "б": "6",
    # Greek
    "α": "a", "β": "b", "ε": "e", "ι": "i", "κ": "k", "μ": "m", "ν": "v", "ο": "o", "ρ": "p",
    "τ": "t", "υ": "u", "χ": "x", "η": "n", "γ": "y", "σ": "o", "ω": "w", "ζ": "z",
    # Latin letters of other alphabets, and signs
    "ı": "i", "ɑ": "a", "ɡ": "g", "ɩ": "i", "ʋ": "u", "ɛ": "e", "ⅼ": "l", "ß": "b", "ø": "o",
    "ł": "l", "đ": "d", "|": "l", "1": "l", "0": "o", "ǀ": "l", "‐": "-", "‑": "-", "–": "-",
    "—": "-", "−": "-", "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'",
    # Arabic
    "ی": "ي", "ى": "ي", "ې": "ي", "ے": "ي", "ک": "ك", "ڪ": "ك", "ہ": "ه", "ھ": "ه", "ە": "ه",
    "ۀ": "ه", "ة": "ه", "ٱ": "ا", "ـ": "", "ٮ": "ب", "ڡ": "ف", "ٯ": "ق",
}  # fmt: skip

_TABLE = str.maketrans(_ALIKE)
_UNSEEN = re.compile(
    "[\u0300-\u036f\u064b-\u065f\u0670\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_BLANKS = re.compile(r"\s+")
# Letters of alphabets that no name here is written in: in a Latin word they are suspicious.
_FOREIGN = re.compile(
    "[\u0370-\u03ff\u0400-\u052f\u1f00-\u1fff\uff00-\uffef\u06a9\u06aa\u06cc\u06d2]"
)


def skeleton(text: str) -> str:
    """Return the skeleton of a name."""
    plain = normalize("NFKD", normalize("NFKD", text).casefold())
    seen = _UNSEEN.sub("", plain).translate(_TABLE)
    return _BLANKS.sub(" ", _UNSEEN.sub("", normalize("NFKD", seen))).strip()


@lru_cache(maxsize=1_000)
def is_confusable(text: str) -> bool:
    """Return whether a name has letters that look like those of the alphabets in use here.

    The names of all agencies are asked about at each publication.
    """
    return _FOREIGN.search(normalize("NFKC", text) + text) is not None
