"""Names of suppliers, providers, bodies and laws: which spellings are one, and several in one text.

`legal_forms.csv` has the legal forms that stand after or before a name, `company_aliases.csv` other
names of the same supplier, `schemas/law_numbers.csv` laws that are known by their number, each with
where it was read and when.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path

from registry.resources import SCHEMAS
from registry.text.folding import fold

_HERE = Path(__file__).parent
_APOSTROPHES = re.compile(r"['’`´]")
_DOTS = re.compile(r"(?<=[^\W\d_])\.(?=[^\W\d_]|\W|$)")
"""Full stops of abbreviations; between digits they part, as in 2.3 and 09.08."""
_APART = re.compile(r"[^\w&+#]+")
_LONGEST_FORM = 4
_AND = frozenset(("and", "&", "et", "und", "en", "و"))


@lru_cache(maxsize=16_384)
def folded_name(name: str) -> str:
    """Return a name by which its spellings are one.

    Case, accents, punctuation and legal forms make no difference, nor does an alias of a supplier;
    a known law has its number, in whatever language and order it is written.
    """
    bare = _bare(name)
    if found := _LAW.match(bare):
        for number in (f"{found[1]}-{found[2]}", f"{found[2]}-{found[1]}"):
            if number in _laws():
                return f"loi {number}"
    return _aliases().get(bare, bare)


_LAW = re.compile(
    r"(?:(?:framework|organic) )?(?:loi|law|القانون|قانون)\b\D{0,24}?\b(\d{2,3}) (\d{2,3})\b"
)
"""How a law begins once its title is folded: Arabic writes its number from either side."""


@cache
def _laws() -> frozenset[str]:
    return frozenset(row["number"] for row in _rows(SCHEMAS / "law_numbers.csv"))


def _bare(name: str) -> str:
    words = _words(name)
    while len(words) > 1 and (size := _form_at_end(words)):
        words = words[:-size]
    for size in (2, 1):
        if " ".join(words[:size]) in _forms("start") and len(words) > size:
            return " ".join(words[size:])
    return " ".join(words)


def _form_at_end(words: Sequence[str]) -> int:
    """Return of how many words the legal form at the end is, or an "and" that was before one."""
    sizes = range(min(_LONGEST_FORM, len(words) - 1), 0, -1)
    found = (size for size in sizes if " ".join(words[-size:]) in _forms("end"))
    return next(found, int(words[-1] in _AND))


def _words(text: str) -> list[str]:
    plain = _DOTS.sub("", _APOSTROPHES.sub("", fold(text)))
    words = _APART.sub(" ", plain.replace("&", " & ")).split()
    return words or fold(text).split()


@cache
def _forms(place: str) -> frozenset[str]:
    """Return the legal forms that stand at the start of a name, or at its end."""
    rows = (row for row in _rows(_HERE / "legal_forms.csv") if row["place"] in {place, "both"})
    return frozenset(" ".join(_words(row["form"])) for row in rows)


@cache
def _aliases() -> Mapping[str, str]:
    return {_bare(row["alias"]): _bare(row["name"]) for row in _rows(_HERE / "company_aliases.csv")}


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


_BETWEEN = re.compile(r"[;\n\r]|,(?!\d)|\s/\s|(?<=\w\w)/(?=\w\w)")
_LISTED = re.compile(r"[;,\n\r]")
_CLEARLY = re.compile(r"[;\n\r]|\s/\s|(?<=\w\w)/(?=\w\w)")
_CLEAR = re.compile(r"\S\s*[;\n\r]\s*[^\s;]")
"""A semicolon or a line's end between two names, beside which a comma belongs to a name."""
_LEADING_AND = re.compile(r"^(?:and|&)\s+", re.IGNORECASE)


def company_names(text: str) -> list[str]:
    """Return the names of companies in a text, each without a remark in brackets.

    Semicolons, lines, strokes and commas part them, but for a comma before a legal form or beside
    a semicolon or the end of a line; an address is one name.
    """
    outside = _without_brackets(text)
    between = _CLEARLY if _CLEAR.search(outside) else _BETWEEN
    parts = (_LISTED if "://" in outside else between).split(outside)
    names: list[str] = []
    for part in parts:
        name = " ".join(_LEADING_AND.sub("", part.strip()).split())
        if not name:
            continue
        if names and _is_form(name):
            names[-1] += f", {name}"
        else:
            names.append(name)
    return list(dict.fromkeys(names))


def _is_form(text: str) -> bool:
    return " ".join(_words(text)) in _forms("end")


def _without_brackets(text: str) -> str:
    """Return a text without what stands in brackets; a text of nothing else as it is."""
    kept = re.sub(r"\s*\([^()]*\)", "", text)
    return kept if kept.strip() else text
