"""Text safety: no hidden characters, names that look alike, hosts in both forms."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, TypeAlias
from unicodedata import is_normalized, name, normalize
from urllib.parse import urlsplit

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


_LATIN = "LATIN"
_ENCODED = "xn--"


def other_form(host: str) -> str | None:
    """Return the other form of a host's name; None where it has but one, or is no name."""
    try:
        if not host.isascii():
            return host.encode("idna").decode("ascii")
        if any(label.startswith(_ENCODED) for label in host.lower().split(".")):
            return host.encode("ascii").decode("idna")
    except UnicodeError:
        pass
    return None


def host_of(address: str) -> str:
    """Return the host of a link or of a mailbox; empty where there is none."""
    if "//" not in address:
        return address.rpartition("@")[2]
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def passes_for_another(host: str) -> bool:
    """Return whether a part of a host's name may be read as another (UTS 39 §5).

    It has letters of several scripts, or letters of one that all look Latin.
    """
    other = other_form(host) or host
    shown = other if host.isascii() else host
    return any(map(_is_mixed, shown.lower().split(".")))


def _is_mixed(label: str) -> bool:
    scripts = {name(letter, "").split(" ")[0] for letter in label if letter.isalpha()}
    return len(scripts) > 1 or (bool(scripts - {_LATIN}) and skeleton(label).isascii())
