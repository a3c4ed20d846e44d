"""Write `registry/text/confusable_letters.txt`: letters that look Latin (UTS 39).

The data are those of the package confusable-homoglyphs, which carries Unicode's `confusables.txt`.
The table is kept rather than asked for when names are compared: keys by which records are found are
made with it and stand in the database, so it changes with a migration and not with a package.

Run: python -m tools.confusable_letters
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

from confusable_homoglyphs import confusables

TABLE = Path(__file__).parents[1] / "registry" / "text" / "confusable_letters.txt"


def letters() -> dict[str, str]:
    """Return the Latin letter or digit, in lower case, that each other letter looks like.

    Letters are as case folding leaves them. A capital that looks Latin stands for its small letter
    too, where that has no look-alike of its own: names are compared without case.
    """
    small: dict[str, str] = {}
    capital: dict[str, str] = {}
    for given, alike in confusables.confusables_data.items():
        latin = [one["c"] for one in alike if one["c"].isascii() and one["c"].isalnum()]
        if len(given) != 1 or given.isascii() or not latin:
            continue
        folded = unicodedata.normalize("NFKD", given.casefold())
        if len(folded) != 1 or folded.isascii() or not folded.isalpha():
            continue
        (small if folded == given else capital).setdefault(folded, latin[0].lower())
    return dict(sorted((capital | small).items()))


def written() -> str:
    """Return the text of the table: a letter and what it looks like, a line each."""
    return "".join(f"{given}\t{latin}\n" for given, latin in letters().items())


if __name__ == "__main__":
    TABLE.write_text(written(), encoding="utf-8")
