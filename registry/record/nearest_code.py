"""The code that a wrong value stands for: by its label in any language, else by its letters."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from registry.record.codelists import Code, codelists
from registry.record.model import Document
from registry.record.requirements import RISK_LEVEL
from registry.text.folding import fold

MOST_READ = 60
"""The characters of a wrong value that are compared."""

_ALIKE = 0.7
"""The share of letters in common from which a code may be a misspelling."""


def nearest_code(given: object, among: Iterable[str] | Mapping[str, Code]) -> str | None:
    """Return the code that was probably meant, or None.

    With labels it is the code whose own words or label are the given ones; else the one whose label
    alone holds all of them; else the most similar code.
    """
    if not isinstance(given, str) or not given.strip():
        return None
    codes = list(among)
    wanted = _words(given[:MOST_READ])
    labels = (
        {code: held.label for code, held in among.items()} if isinstance(among, Mapping) else {}
    )
    wordings = {code: [_words(code), *map(_words, labels.get(code, {}).values())] for code in codes}
    for code, own in wordings.items():
        if wanted in own:
            return code
    holding = [code for code, own in wordings.items() if any(wanted <= words for words in own)]
    if wanted and len(holding) == 1:
        return holding[0]
    near = difflib.get_close_matches(fold(given[:MOST_READ]), map(str.lower, codes), 1, _ALIKE)
    return next((code for code in codes if near and code.lower() == near[0]), None)


def with_level_meant(document: Document, given: object) -> Document:
    """Return a document with the risk level that a wrong one is nearest to, if there is one.

    So a record is also judged by the requirements of that level before the level is mended.
    """
    level = nearest_code(given, codelists()["risk_level"])
    section, member = RISK_LEVEL
    return document if level is None else document | {section: {**document[section], member: level}}


def _words(text: str) -> frozenset[str]:
    folded = fold(text)
    return frozenset("".join(sign if sign.isalnum() else " " for sign in folded).split())
