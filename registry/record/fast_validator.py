"""The fast validator: a compiled one that may accept a document, and never refuses one.

`jsonschema` is the authority. The compiled schema is stricter than a profile: ordinary characters
of ordinary scripts, in common languages. What it accepts `jsonschema` accepts too, as
`tests/record/test_fast_validator.py` shows over thousands of mutants; everything else goes to
`jsonschema`, which decides and writes the findings.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any
from unicodedata import is_normalized

import jsonschema_rs
import structlog

from registry.record.model import Profile
from registry.record.pack import Pack
from registry.record.pointers import dig
from registry.record.schema import Field, shape
from registry.record.validators import iri_pattern

_log = structlog.get_logger()

SAMPLE = 1_000
"""One in this many accepted documents is checked again, beginning with the first."""


class FastValidator:
    """The compiled validation of a process, with counts of accepted and of checked documents.

    One that is not `enabled` accepts nothing.
    """

    def __init__(self, *, enabled: bool = True) -> None:
        """Begin with counts of 0."""
        self.enabled = enabled
        self.accepted = 0
        self.checked = 0
        self.disagreements = 0

    def accepts(self, document: object, profile: Profile, pack: Pack) -> bool:
        """Return whether a document certainly has a profile's shape; False means nothing.

        In the publication profile also whether every code and language is the country's own, and
        every language of its texts is among those of `languages.translation_status`.
        """
        accepted = self._is_valid(document, profile, pack)
        self.accepted += accepted
        return accepted

    def is_quick(self, document: object, pack: Pack) -> bool:
        """Return whether validation in any profile of the register is spared the authority."""
        return self._is_valid(document, "publication", pack)

    def _is_valid(self, document: object, profile: Profile, pack: Pack) -> bool:
        if not self.enabled:
            return False
        if profile == "publication":
            declared = _declared(document, pack.languages)
            validator = _national(pack, declared)
        else:
            validator = _anywhere(profile, tuple(dict.fromkeys((*TAGS, *pack.languages))))
        try:
            return bool(validator.is_valid(document))
        except (TypeError, ValueError):
            # Not a value that JSON can represent.
            return False

    def is_sampled(self) -> bool:
        """Return whether the document accepted last is in the sample that is checked again."""
        sampled = self.accepted % SAMPLE == 1
        self.checked += sampled
        return sampled

    def report_disagreement(self, profile: Profile, record: object) -> None:
        """Count and log a document that was accepted and that the authority refuses."""
        self.disagreements += 1
        _log.error("accepted_what_is_invalid", profile=profile, record=record)


def _declared(document: object, among: tuple[str, ...]) -> tuple[str, ...]:
    """Return the languages in `languages.translation_status`, or None."""
    declared = dig(document, "languages", "translation_status")
    return tuple([tag for tag in among if tag in declared]) if isinstance(declared, dict) else among


@cache
def _anywhere(profile: Profile, tags: tuple[str, ...]) -> jsonschema_rs.Draft202012Validator:
    return _compiled(_stricter(shape(profile), tags, None))


@lru_cache(maxsize=64)
def _national(pack: Pack, tags: tuple[str, ...]) -> jsonschema_rs.Draft202012Validator:
    """Compile the publication profile for records in some of a country's languages."""
    schema = _stricter(shape("publication"), tags, pack)
    schema["properties"]["languages"]["properties"]["source"] = {"enum": list(pack.languages)}
    return _compiled(schema)


def _compiled(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, offline=True)


# Letters, digits and signs of Latin, Arabic, Tifinagh, Ethiopic, N'Ko and more that nothing
# before them combines with, in form C as they are; not "<", which may begin markup, nor the soft
# hyphen, which is invisible.
_SEEN = (
    "\u0021-\u003b\u003d-\u007e\u00a1-\u00ac\u00ae-\u02ff\u1e00-\u1eff\u2c60-\u2c7f\ua720-\ua7ff"
    "\u0606-\u060f\u061b\u061d-\u064a\u0660-\u066f\u0671-\u06d5\u06ee-\u06ff"
    "\u07c0-\u07ea\u07f4-\u07fa\u1200-\u135a\u1360-\u139f\u2d80-\u2dde\uab01-\uab2e"
    "\u2d30-\u2d6f\ua500-\ua62b\U0001e900-\U0001e943\U0001e950-\U0001e959"
    "\u200e\u200f\u2010-\u2027\u2030-\u205e\u2070-\u209c\u20a0-\u20c0\u2190-\u22ff"
)
_BLANK = " \u00a0\u202f"
# A vowel sign, shadda or sukun, and the small alif, or a mark of Ethiopic, N'Ko or Adlam: at most
# one of each, in canonical order.
_MARKS = (
    "[\u064b-\u0650]?[\u0651\u0652]?\u0670?\u07f2?"
    "[\u07eb-\u07f1\u07f3\u135d-\u135f\U0001e944-\U0001e949]?"
)

# Marks of Latin letters: below and then above in canonical order.
_BELOW = "\u0323-\u0325\u0329\u032d\u0330-\u0332"
_ABOVE = "\u0300-\u0304\u0306-\u030d\u030f\u0311"
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u1e00-\u1eff"


def _signs(ranges: str) -> list[str]:
    """Return the characters of the inside of a character class."""
    return re.findall(f"[{ranges}]", "".join(map(chr, range(0x2000))))


@cache
def _marked() -> str:
    """Return the pattern of Latin letters with marks that do not combine with them in form C.

    A letter that combines with no mark has up to three, every other one.
    """
    marks = _signs(_BELOW + _ABOVE)
    letters: dict[str, str] = {}
    for letter in _signs(_LATIN):
        stable = "".join(mark for mark in marks if is_normalized("NFC", letter + mark))
        letters[stable] = letters.get(stable, "") + letter
    free = letters.pop("".join(marks))
    single = "".join(f"|[{some}][{stable}]" for stable, some in letters.items() if stable)
    return f"[{free}][{_BELOW}]?[{_ABOVE}]{{0,2}}{single}"


def _plain(between: str) -> str:
    """Return the pattern of a text that begins and ends with a visible character."""
    seen = f"(?:[{_SEEN}]{_MARKS}|{_marked()})"
    return f"^{seen}(?:(?:{seen}|[{between}]{_MARKS})*{seen})?$"


PLAIN = {"Text": _plain(_BLANK + "\n"), "Line": _plain(_BLANK), "LangLine": _plain(_BLANK)}
"""By definition of the schema: a pattern that replaces its own pattern and format."""

IMPLYING: dict[str, dict[str, Any]] = {
    "date": {"format": "date", "pattern": "^[1-9]"},  # Python has no year 0.
    "email": {"pattern": r"^[A-Za-z0-9._+/'-]+@[A-Za-z0-9.-]+$"},
    "iri": {
        "pattern": iri_pattern("*"),
        # In ASCII, and without a user or an escape in the authority.
        "allOf": [{"pattern": "^[!-~]*$"}, {"pattern": "^[^/]*//[^/?#@%]*(?:[/?#]|$)"}],
    },
}
"""By format: a schema at least as strict, which needs no Python."""

TAGS = ("ar", "fr", "zgh", "en", "es", "nl", "de", "it", "pt")
"""The languages that are accepted where any is valid, beside those of the country."""


def _stricter(node: Any, tags: tuple[str, ...], pack: Pack | None) -> Any:
    """Replace every part that is slow by a stricter one; codes are the pack's.

    None of these parts is under `if` or `not`, where stricter would be laxer.
    """
    if isinstance(node, list):
        return [_stricter(item, tags, pack) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {key: _stricter(value, tags, pack) for key, value in node.items()}
    kind = node.get("x-definition")
    if kind in PLAIN:
        del copy["format"]
        copy["pattern"] = PLAIN[kind]
    elif isinstance(node.get("format"), str):
        copy["allOf"] = [*copy.get("allOf", ()), IMPLYING[copy.pop("format")]]
    if kind in {"LangText", "LangLine"}:
        # Looking a name up is faster than matching its pattern.
        del copy["propertyNames"]
        copy["properties"] = dict.fromkeys(tags, copy["additionalProperties"])
        copy["additionalProperties"] = False
    if pack is not None and (coded := Field(path=(), schema=node)).is_national:
        copy["allOf"] = [*copy.get("allOf", ()), {"enum": list(pack.codes(coded.lists))}]
        if coded.has_narrower:
            # Looking a code up is faster than matching its pattern.
            del copy["pattern"]
    return copy
