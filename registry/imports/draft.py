"""The conversion of a row to a document, mapping by mapping."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import msgspec

from registry.imports.cells import RowRefused, fold_value, items
from registry.imports.columns import CellReader
from registry.imports.crosswalk_model import ColumnNames, Crosswalk, Mapping, target_path
from registry.imports.dates import date_by_pattern, fuzzy_date
from registry.imports.report import Unclear
from registry.imports.texts import clean, html_text, one_line, part_of, shorten
from registry.record.model import Document
from registry.record.pointers import dig, pointer
from registry.record.schema import Field, field_at

NOT_UNDERSTOOD: Final = object()

Transform: TypeAlias = Callable[[str, Field, Crosswalk], Any]

FULL_DATE = len("2024-10-01")
_URL = re.compile(
    r"https?://[^\s/?#<>\"{}|\\^`\[\]%](?:[^\s<>\"{}|\\^`\[\]%]|%[0-9A-F]{2})*", re.IGNORECASE
)
_EMAIL = re.compile(
    r"[A-Z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Z0-9](?:[A-Z0-9-]*[A-Z0-9])?\.)+[A-Z]{2,}",
    re.IGNORECASE,
)
_BOOLEANS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def _text(text: str, _field: Field, _crosswalk: Crosswalk) -> Any:
    return clean(text) or NOT_UNDERSTOOD


def _html(text: str, _field: Field, _crosswalk: Crosswalk) -> Any:
    return clean(html_text(text)) or NOT_UNDERSTOOD


def _line(text: str, _field: Field, _crosswalk: Crosswalk) -> Any:
    return one_line(text) or NOT_UNDERSTOOD


def _code(_text: str, _field: Field, _crosswalk: Crosswalk) -> Any:
    # The crosswalk's `values` were looked up before: what is not among them is not understood.
    return NOT_UNDERSTOOD


def _boolean(text: str, _field: Field, _crosswalk: Crosswalk) -> Any:
    return _BOOLEANS.get(fold_value(text), NOT_UNDERSTOOD)


def _date(text: str, field: Field, crosswalk: Crosswalk) -> Any:
    dates = crosswalk.dates
    found = fuzzy_date(text, order=dates.order, century_from=dates.century_from)
    return fitting_date(found, field)


def fitting_date(found: str | None, field: Field) -> Any:
    """Return a date if it is as precise as the field asks."""
    if found is None or (field.kind == "Date" and len(found) < FULL_DATE):
        return NOT_UNDERSTOOD
    return found


def _url(text: str, field: Field, _crosswalk: Crosswalk) -> Any:
    url = text.strip().rstrip(",;")
    if not _URL.fullmatch(url) or url.count("#") > 1 or _too_long(url, field):
        return NOT_UNDERSTOOD
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return NOT_UNDERSTOOD
    return url if named else NOT_UNDERSTOOD


def _email(text: str, field: Field, _crosswalk: Crosswalk) -> Any:
    address = text.strip().rstrip(",;").removeprefix("mailto:")
    if not _EMAIL.fullmatch(address) or address.index("@") > 64:  # noqa: PLR2004  RFC 5321 §4.5.3
        return NOT_UNDERSTOOD
    return NOT_UNDERSTOOD if _too_long(address, field) else address


def limit_of(field: Field) -> int | None:
    """Return the most characters that the format allows in a text of the field."""
    schema = field.schema["additionalProperties"] if field.kind == "LangText" else field.schema
    limit: int | None = schema.get("maxLength")
    return limit


def _too_long(text: str, field: Field) -> bool:
    limit = limit_of(field)
    return limit is not None and len(text) > limit


TRANSFORMS: dict[str, Transform] = {
    "text": _text,
    "html": _html,
    "line": _line,
    "code": _code,
    "boolean": _boolean,
    "date": _date,
    "url": _url,
    "email": _email,
}
"""Every transform but `constant`, which reads no cell."""


_JOINED = {"text": "\n\n", "html": "\n\n", "line": ", "}


class MappingStep(msgspec.Struct, frozen=True, kw_only=True):
    """A prepared mapping: its path, the field, its values folded, the language of its texts.

    A text over the field's limit is cut if `cuts`, else the row is refused. The value is `worded`
    by that language, or stands alone.
    """

    mapping: Mapping
    place: tuple[str, ...]
    field: Field
    limit: int | None
    values: dict[str, tuple[Any, ...]]
    lang: str
    worded: bool
    cuts: bool


class MappingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A prepared crosswalk: its steps, and the reader of the file's cells."""

    crosswalk: Crosswalk
    steps: tuple[MappingStep, ...]
    reader: CellReader


class ForeignDraft:
    """The document of a row while the mappings fill it."""

    def __init__(self, document: Document) -> None:
        """Begin with the id and the format's version, or with a whole document."""
        self.document = document
        self.whole: dict[str, str] = {}
        self.otherwise: list[str] = []
        self.unclear: dict[tuple[str, str], Unclear] = {}
        self.understood: set[tuple[str, str]] = set()
        self.translations: dict[str, str] = {}
        self.listed: dict[str, list[Any]] = {}

    def not_understood(self) -> tuple[Unclear, ...]:
        """Return the values that no mapping understood: an e-mail and a link may share a column."""
        return tuple(unclear for key, unclear in self.unclear.items() if key not in self.understood)


def make_plan(crosswalk: Crosswalk, reader: CellReader) -> MappingPlan:
    """Return the plan of a checked crosswalk for a file."""
    return MappingPlan(
        crosswalk=crosswalk,
        steps=tuple(_step(mapping, crosswalk) for mapping in crosswalk.mappings),
        reader=reader,
    )


def fill(draft: ForeignDraft, cells: dict[str, Any], plan: MappingPlan) -> None:
    """Apply every mapping to the row. Raises `RowRefused` where the crosswalk says so."""
    for step in plan.steps:
        mapping = step.mapping
        if not plan.reader.holds(cells, mapping.when):
            continue
        if mapping.column is None:
            put(draft, step, [mapping.value])
        elif (
            not _read(draft, step, mapping.column, cells, plan)
            and mapping.otherwise is not None
            and _read(draft, step, mapping.otherwise, cells, plan)
        ):
            draft.otherwise.append(plan.reader.name(mapping.otherwise))
    if plan.crosswalk.document is None or draft.translations:
        languages = _object(draft.document.setdefault("languages", {}), ("languages",))
        languages.setdefault("source", plan.crosswalk.language)
    if draft.translations:
        stated = _object(languages.get("translation_status", {}), ("languages",))
        languages["translation_status"] = stated | draft.translations


def _step(mapping: Mapping, crosswalk: Crosswalk) -> MappingStep:
    field = field_at(target_path(mapping.to))
    if field is None:  # a crosswalk with such a mapping is not loaded
        raise LookupError(mapping.to)
    return MappingStep(
        mapping=mapping,
        place=tuple(mapping.to.split("/")[1:]),
        field=field,
        limit=limit_of(field),
        values={fold_value(value): _meant(meant) for value, meant in mapping.values.items()},
        lang=mapping.lang or crosswalk.language,
        worded=field.kind == "LangText" or (field.kind == "LangLine" and mapping.lang is not None),
        cuts=crosswalk.over_long == "truncate_and_mark",
    )


def _meant(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _read(
    draft: ForeignDraft,
    step: MappingStep,
    columns: ColumnNames,
    cells: dict[str, Any],
    plan: MappingPlan,
) -> bool:
    """Set the value of a column at its place; return False if the cell is empty."""
    column = plan.reader.name(columns)
    cell = plan.reader.cell(cells, columns)
    # A whole cell may be among the values: what no rule takes apart.
    is_known = isinstance(cell, str) and fold_value(cell) in step.values
    texts = [cell] if is_known else items(cell, step.mapping.list)
    if texts is None:
        _not_understood(draft, step, column, str(cell))
        return False
    found: list[Any] = []
    for text in texts:
        values = _values(step, text, plan)
        if values is None:
            _not_understood(draft, step, column, text)
            continue
        if values or fold_value(text) in step.values:
            draft.understood.add((column, text))
        found += values
    if len(found) > 1 and "-" not in step.place:
        joint = _JOINED.get(step.mapping.transform)
        if joint is None:
            _not_understood(draft, step, column, "; ".join(texts))
            return False
        found = [joint.join(found)]
    put(draft, step, found)
    return bool(found)


def _values(step: MappingStep, text: str, plan: MappingPlan) -> Sequence[Any] | None:
    """Return what a text of a cell means; nothing if it says nothing, None if it is not clear."""
    mapping = step.mapping
    if mapping.part is not None and fold_value(text) not in plan.reader.nothing:
        part = part_of(mapping.part, text)
        if part is None:
            return None if text.strip() else ()
        text = part
    key = fold_value(text)
    if key in step.values:
        return step.values[key]
    if not key or key in plan.reader.nothing:
        return ()
    for pattern in mapping.pattern:
        found = date_by_pattern(
            text,
            pattern,
            language=step.lang,
            century_from=plan.crosswalk.dates.century_from,
        )
        if found is not None:
            value = fitting_date(found, step.field)
            return None if value is NOT_UNDERSTOOD else (value,)
    value = TRANSFORMS[mapping.transform](text, step.field, plan.crosswalk)
    return None if value is NOT_UNDERSTOOD else (value,)


def _not_understood(draft: ForeignDraft, step: MappingStep, column: str, text: str) -> None:
    if step.mapping.strict:
        raise RowRefused(f"{column}: {shorten(text, 80)!r} is not understood")
    draft.unclear.setdefault(
        (column, text), Unclear(column=column, transform=step.mapping.transform, value=text)
    )


def put(draft: ForeignDraft, step: MappingStep, values: Sequence[Any]) -> None:
    """Set values at a mapping's place, with the constants of the mapping beside them."""
    if not values:
        return
    *outer, last = itertools.takewhile(lambda part: part != "-", step.place)
    node = draft.document
    for part in outer:
        node = _object(node.setdefault(part, {}), step.place)
    if "-" in step.place:
        _put_items(draft, step, values, node, (*outer, last))
        return
    value = values[-1]
    if step.worded:
        value = f"{step.mapping.label}{value}"
        before = dig(node, last, step.lang)
        if step.mapping.transform != "line" and before is not None and before != value:
            before = draft.whole.get(f"{pointer(step.place)}/{step.lang}", before)
            value = f"{before}\n\n{value}"
    made = _fitted(draft, step, value, pointer(step.place))
    kept = node.get(last)
    node[last] = {**kept, **made} if isinstance(kept, dict) and isinstance(made, dict) else made
    node |= step.mapping.beside


def _object(node: Any, place: Sequence[str]) -> dict[str, Any]:
    """Return what a record of the source has at a place, if it is an object."""
    if not isinstance(node, dict):
        raise RowRefused(f"{pointer(place)}: not an object in the record that the row holds")
    return node


def _put_items(
    draft: ForeignDraft,
    step: MappingStep,
    values: Sequence[Any],
    node: dict[str, Any],
    path: tuple[str, ...],
) -> None:
    """Append items to a list, or give those of another mapping their text in a second language."""
    entries: Any = node.setdefault(path[-1], [])
    if not isinstance(entries, list):
        raise RowRefused(f"{pointer(path)}: not a list in the record that the row holds")
    member = step.place[len(path) + 1 :]
    alike = f"{step.mapping.to} {json.dumps(step.mapping.beside, sort_keys=True)}"
    known = draft.listed.get(alike, [])
    same = step.worded and len(known) == len(values)
    texts = [entries[at][member[0]] if member else entries[at] for at in known] if same else []
    if texts and not any(step.lang in text for text in texts):
        for at, text, value in zip(known, texts, values, strict=True):
            text.update(_fitted(draft, step, value, pointer([*path, at, *member])))
        return
    made: list[int] = []
    for one in values:
        place = pointer([*path, len(entries), *member])
        value = _fitted(draft, step, one, place)
        entry = {**step.mapping.beside, member[0]: value} if member else value
        if entry not in entries:
            entries.append(entry)
        made.append(entries.index(entry))
    draft.listed.setdefault(alike, made)


def _fitted(draft: ForeignDraft, step: MappingStep, value: Any, place: str) -> Any:
    """Return the value within the field's limit, and by its language if it is a text."""
    if step.worded:
        place = f"{place}/{step.lang}"
        if step.mapping.translation is not None:
            draft.translations[step.lang] = step.mapping.translation
    if isinstance(value, str) and step.limit is not None and len(value) > step.limit:
        if not step.cuts:
            source = " or ".join(step.mapping.column or ("a constant",))
            raise RowRefused(
                f"{source}: {len(value):,} characters; {place} may have {step.limit:,}"
            )
        draft.whole[place] = value
        value = clean(shorten(value, step.limit))  # the cut may have separated a pair
    return {step.lang: value} if step.worded else value
