"""The guide for people of `docs/filing-guide`, and the words of the form that it quotes."""

from __future__ import annotations

import re
from pathlib import Path

GUIDE = Path(__file__).parents[1] / "docs/filing-guide"
LANGUAGES = ("en", "fr", "ar")
NAMES = ("console", "workbook")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")


def guide_text(name: str, lang: str) -> str:
    """Return a page of the guide."""
    return (GUIDE / lang / f"{name}.md").read_text("utf-8")


def bold(text: str) -> list[str]:
    """Return what a page quotes, in bold, each once."""
    return list(dict.fromkeys(map(plain, _BOLD.findall(text))))


def plain(words: str) -> str:
    """Return words with single spaces, however wide or bound, and without invisible marks."""
    return " ".join(re.sub("[\u2066-\u2069\u200e\u200f\u00ad]", "", words).split())
