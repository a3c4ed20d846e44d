"""A document as a reader sees it: texts in one language, labels, measurements as sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from registry.pages.labels import message
from registry.pages.reader import Reader, Text, as_it_is, in_language, label, line, say
from registry.record.field_descriptions import nearest_field
from registry.record.model import NOT_STATED, LangText
from registry.record.pointers import dig, parts
from registry.record.schema import Field, field_at
from registry.text.catalogues import find

_SHARES: Mapping[str, str] = {
    "accuracy": message("Of %(of)s results, %(n)s are right."),
    "precision": message("Of %(of)s cases that it points out, %(n)s are rightly so."),
    "recall": message("Of %(of)s cases that it should find, it finds %(n)s."),
    "false_positive_rate": message("Of %(of)s cases with nothing to find, it points out %(n)s."),
    "false_negative_rate": message("Of %(of)s cases that it should find, it misses %(n)s."),
    "error_rate": message("It is wrong by %(n)s in %(of)s."),
    "override_rate": message("Of %(of)s results, people changed %(n)s."),
    "coverage": message("Of %(of)s cases, it handles %(n)s."),
    "satisfaction": message("Of %(of)s persons asked, %(n)s are satisfied."),
}
_SCORES: Mapping[str, str] = {
    "f1": message("Score of %(value)s, where 1 is perfect and 0 is useless."),
    "auc": message("Score of %(value)s, where 1 is perfect and 0.5 is no better than chance."),
    "latency_s": message("It answers in %(value)s seconds."),
}
_WHOLE = (100, 1_000, 10_000, 100_000)
_EXACT_ENOUGH = 0.05


class MetricWords(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement in words: `n` of `of`, or a `value` as it stands; an English wording."""

    text: str
    n: int | None = None
    of: int | None = None

    @property
    def is_share(self) -> bool:
        """Whether it is a part of a whole, which a bar can show."""
        return self.n is not None


def metric_words(code: str, metric: Mapping[str, Any]) -> MetricWords | None:
    """Return a measurement in words; None where only its number can be shown.

    The whole is the smallest of 100, 1,000, … in which the share is a whole number within 5 %.
    """
    value = metric.get("value")
    if not isinstance(value, int | float) or (metric.get("unit") and code != "latency_s"):
        return None
    if code in _SCORES:
        return MetricWords(text=_SCORES[code])
    if code not in _SHARES or not 0 <= value <= 1:
        return None
    of = next(
        (of for of in _WHOLE if abs(round(value * of) - value * of) <= _EXACT_ENOUGH * value * of),
        _WHOLE[-1],
    )
    return MetricWords(text=_SHARES[code], n=round(value * of), of=of)


# What lists and badges show of every record, stated or not.
_ALWAYS = (("risk", "level"), ("sector", "primary"), ("lifecycle", "status"))


class ViewObject(dict[str, Any]):
    """An object of a document; an absent member is an object without members, and so false."""

    def __missing__(self, name: str) -> Any:
        """Return an object that is false."""
        return ABSENT


ABSENT = ViewObject()


class LazyViewObject(ViewObject):
    """An object whose members are made when they are asked for; a page shows few of them."""

    def __init__(self, made: Mapping[str, Any], make: Callable[[str], Any]) -> None:
        """Begin with some members; `make` returns another one, or `ABSENT`."""
        super().__init__(made)
        self._make = make

    def __missing__(self, name: str) -> Any:
        """Return and keep a member."""
        made = self[name] = self._make(name)
        return made


def show(
    reader: Reader, document: Mapping[str, Any], whole: Mapping[str, str], written: Sequence[str]
) -> ViewObject:
    """Return a document as this reader sees it; the members of `_ALWAYS` are always there.

    `whole` has, by JSON Pointer, the whole of texts that are in it in part, and `written` are the
    languages that all of it can be read in.
    """
    stated = dict(document)
    for section, name in _ALWAYS:
        stated[section] = {name: NOT_STATED} | (stated.get(section) or {})
    says = {
        "LangText": partial(say, reader, written=written),
        "LangLine": partial(_line, reader, written, dig(document, "languages", "source")),
    }
    return LazyViewObject({}, partial(_section, reader, says, stated, whole))


def _section(
    reader: Reader,
    says: Mapping[str, Callable[[Any], Text | None]],
    document: Mapping[str, Any],
    whole: Mapping[str, str],
    name: str,
) -> Any:
    if name not in document:
        return ABSENT
    shown = _shown(reader, says, document[name], field_at((name,)))
    for pointer, text in whole.items():
        section, *path, tag = parts(pointer)
        if section == name:
            shown = _with_whole(shown, path, tag, text)
    if name == "evaluation":
        for metric in shown["metrics"]:
            metric["words"] = metric_words(metric["name"].code, metric)
    return shown


def _line(
    reader: Reader, written: Sequence[str], source: str | None, value: str | LangText
) -> Text | None:
    """Return a line by language, or one that stands alone: in the language of the record.

    The name of an agency of this register is in the reader's language.
    """
    return line(reader, value, source) if isinstance(value, str) else say(reader, value, written)


def field_name(reader: Reader, pointer: str) -> Text:
    """Return the name of the field at a pointer, or of the nearest one above it that has one."""
    known: Text | None = reader.kept.get((field_name, pointer))
    if known is None:
        field = nearest_field(parts(pointer))
        known = as_it_is(reader, pointer) if field is None else field_title(reader, field.path)
        reader.kept[field_name, pointer] = known
    return known


EXPLAINED = frozenset(
    (
        "/assessments",
        "/data/authorisation",
        "/data/hosting",
        "/data/protected_attributes_used",
        "/data/representativeness",
        "/data/retention",
        "/data/sensitive",
        "/data/sharing",
        "/data/sources",
        "/data/transfers_abroad",
        "/decision/fallback",
        "/decision/human_oversight",
        "/decision/legal_effect",
        "/decision/oversight_type",
        "/decision/override_possible",
        "/evaluation/fairness_tested",
        "/evaluation/metrics",
        "/evaluation/monitoring",
        "/evaluation/outcomes",
        "/procurement/data_access_terms",
        "/procurement/origin",
        "/purpose/alternatives_considered",
        "/purpose/out_of_scope_uses",
        "/purpose/proportionality",
        "/rights/data_rights_contact",
        "/rights/explanation",
        "/rights/human_alternative",
        "/rights/notice",
        "/risk/aia",
        "/risk/annex_iii_area",
        "/risk/duration",
        "/risk/reversibility",
        "/technical/explainability",
        "/technical/learning",
        "/technical/models",
        "/technical/source_code",
    )
)
"""Fields whose name says too little by itself: a record's page explains them where they stand."""


def field_meaning(reader: Reader, pointer: str) -> Text | None:
    """Return the format's description of a field that needs one; None for others."""
    if pointer not in EXPLAINED or (field := field_at(parts(pointer))) is None:
        return None
    lang, words = find(reader.titles, reader.order, field.schema["description"])
    return in_language(reader, words, lang)


def field_title(reader: Reader, path: tuple[str, ...]) -> Text:
    """Return the name of the field at a path, `*` for each item of a list; else its last step."""
    field = field_at(path)
    if field is None:
        return as_it_is(reader, path[-1].replace("_", " "))
    lang, title = find(reader.titles, reader.order, field.title)
    return in_language(reader, title, lang)


_NAMES = frozenset(
    (
        ("technical", "models", "*", "name"),
        ("technical", "models", "*", "base_model"),
        ("procurement", "suppliers", "*", "name"),
    )
)
"""The lines that stand alone and hold words, unlike versions and numbers."""


def is_line(path: tuple[str, ...]) -> bool:
    """Return whether a string at a path of the format is words, in the language of its record."""
    field = field_at(path)
    return path in _NAMES or (field is not None and field.kind == "LangLine")


def _with_whole(shown: Any, path: Sequence[str], tag: str, whole: str) -> Any:
    """Return what is shown, where the text at a path has its whole, if it is in that language."""
    if isinstance(shown, Text) and not path:
        return msgspec.structs.replace(shown, whole=whole) if shown.lang == tag else shown
    if path and isinstance(shown, dict) and path[0] in shown:
        shown[path[0]] = _with_whole(shown[path[0]], path[1:], tag, whole)
    if path and isinstance(shown, list) and path[0].isdecimal() and int(path[0]) < len(shown):
        shown[int(path[0])] = _with_whole(shown[int(path[0])], path[1:], tag, whole)
    return shown


def _shown(
    reader: Reader,
    says: Mapping[str, Callable[[Any], Text | None]],
    value: Any,
    field: Field | None,
) -> Any:
    """Return a value as it is shown; what the format does not have is shown as it stands."""
    if field is None:
        return value
    kind = field.kind or ""
    if kind == "Line" and field.path in _NAMES:
        kind = "LangLine"
    if kind in says:
        return says[kind](value)
    if isinstance(value, dict):
        members = field.members
        return ViewObject(
            {name: _shown(reader, says, part, members.get(name)) for name, part in value.items()}
        )
    if isinstance(value, list):
        return [_shown(reader, says, part, field.entry) for part in value]
    return label(reader, field.lists, value) if field.lists else value
