"""Confusable names: names that look alike to a reader have the same skeleton (UTS 39 §4).

The letters that look Latin are those of Unicode's data (`confusable_letters.txt`, which
`tools/confusable_letters.py` writes) and some that they lack or that matter here; then there are
Arabic letters that other languages write alike. Case is folded too. The skeletons of names are
in the database, as keys: a change of the tables needs a migration that empties `blocking_key`, and
`registry log heal` after it.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from unicodedata import normalize

_LETTERS = Path(__file__).with_name("confusable_letters.txt")

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
    "ł": "l", "đ": "d", "|": "l", "1": "l", "i": "l", "0": "o", "ǀ": "l", "‐": "-", "‑": "-",
    "–": "-", "—": "-", "−": "-", "’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'",
    # Small capitals, and Tifinagh that Unicode's data lack
    "ᴀ": "a", "ʙ": "b", "ᴄ": "c", "ᴅ": "d", "ᴇ": "e", "ꜰ": "f", "ɢ": "g", "ʜ": "h", "ɪ": "l",
    "ᴊ": "j", "ᴋ": "k", "ʟ": "l", "ᴍ": "m", "ɴ": "n", "ᴏ": "o", "ᴘ": "p", "ʀ": "r", "ꜱ": "s",
    "ᴛ": "t", "ᴜ": "u", "ᴠ": "v", "ᴡ": "w", "ʏ": "y", "ᴢ": "z", "ⵅ": "x", "ⵝ": "o", "ⵀ": "o",
    # Arabic
    "ی": "ي", "ى": "ي", "ې": "ي", "ے": "ي", "ک": "ك", "ڪ": "ك", "ہ": "ه", "ھ": "ه", "ە": "ه",
    "ۀ": "ه", "ة": "ه", "ٱ": "ا", "ـ": "", "ٮ": "ب", "ڡ": "ف", "ٯ": "ق",
}  # fmt: skip

_ASCII = str.maketrans("10i|", "loll")
_UNSEEN = re.compile(
    "[\u0300-\u036f\u064b-\u065f\u0670\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_BLANKS = re.compile(r"\s+")
# Letters of alphabets that no name here is written in: in a Latin word they are suspicious.
_FOREIGN = re.compile(
    "[\u0370-\u03ff\u0400-\u052f\u0531-\u058f\u13a0-\u13ff\u1400-\u167f\u16a0-\u16ff\u1f00-\u1fff"
    "\u2c80-\u2cff\ua4d0-\ua4ff\ua640-\ua69f\uab70-\uabbf\uff00-\uffef\U00010280-\U00010fff"
    "\U000118a0-\U000118ff\u0262\u026a\u0274\u0280\u028f\u0299\u029c\u029f\ua730\ua731\u1d00-\u1d2b"
    "\u06a9\u06aa\u06cc\u06d2]"
)
# Tifinagh is written here, but not within a word of Latin letters.
_MIXED = re.compile(
    "[a-z\u00c0-\u024f][\u2d30-\u2d7f]|[\u2d30-\u2d7f][a-z\u00c0-\u024f]", re.IGNORECASE
)


def skeleton(text: str) -> str:
    """Return the skeleton of a name."""
    plain = normalize("NFKD", normalize("NFKD", text).casefold())
    seen = _UNSEEN.sub("", plain).translate(_table())
    return _BLANKS.sub(" ", _UNSEEN.sub("", normalize("NFKD", seen))).strip()


@lru_cache(maxsize=1_000)
def is_confusable(text: str) -> bool:
    """Return whether a name has letters that look like those of the alphabets in use here.

    The names of all agencies are asked about at each publication.
    """
    plain = f"{normalize('NFKC', text)} {text}"
    return _FOREIGN.search(plain) is not None or _MIXED.search(plain) is not None


@cache
def _table() -> dict[int, str]:
    """Return what each letter is in a skeleton."""
    lines = _LETTERS.read_text(encoding="utf-8").splitlines()
    unicode = {
        letter: latin.translate(_ASCII) for letter, latin in (one.split("\t") for one in lines)
    }
    return str.maketrans({**unicode, **{one: to.translate(_ASCII) for one, to in _ALIKE.items()}})
