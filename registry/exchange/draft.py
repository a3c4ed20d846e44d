"""The conversion of a row to a document, mapping by mapping."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec

from registry.exchange.cells import fold_value, items
from registry.exchange.crosswalk import Crosswalk, Mapping, target_path
from registry.exchange.outcome import Unclear
from registry.exchange.texts import clean, shorten
from registry.exchange.transforms import NOT_UNDERSTOOD, TRANSFORMS, limit_of
from registry.record.model import Document
from registry.record.pointers import pointer
from registry.record.schema import Field, field_at


class RowRefused(Exception):
    """The row cannot become a record; the message has the reason."""


class MappingStep(msgspec.Struct, frozen=True, kw_only=True):
    """A prepared mapping: its path, the field, its values folded."""

    mapping: Mapping
    place: tuple[str, ...]
    field: Field
    limit: int | None
    values: dict[str, Any]


class MappingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A prepared crosswalk: its steps, and the folded placeholders for no value."""

    crosswalk: Crosswalk
    steps: tuple[MappingStep, ...]
    nothing: frozenset[str]


class ForeignDraft:
    """The document of a row while the mappings fill it."""

    def __init__(self, document: Document) -> None:
        """Begin with the id and the format's version."""
        self.document = document
        self.whole: dict[str, str] = {}
        self.otherwise: list[str] = []
        self.unclear: dict[tuple[str, str], Unclear] = {}
        self.understood: set[tuple[str, str]] = set()

    def not_understood(self) -> tuple[Unclear, ...]:
        """Return the values that no mapping understood: an e-mail and a link may share a column."""
        return tuple(unclear for key, unclear in self.unclear.items() if key not in self.understood)


def make_plan(crosswalk: Crosswalk) -> MappingPlan:
    """Return the plan of a checked crosswalk."""
    return MappingPlan(
        crosswalk=crosswalk,
        steps=tuple(_step(mapping) for mapping in crosswalk.mappings),
        nothing=frozenset(fold_value(text) for text in crosswalk.nothing),
    )


def fill(draft: ForeignDraft, cells: dict[str, Any], plan: MappingPlan) -> None:
    """Apply every mapping to the row. Raises `RowRefused` where the crosswalk says so."""
    for step in plan.steps:
        mapping = step.mapping
        if mapping.column is None:
            _put(draft, step, mapping.value, plan.crosswalk)
        elif (
            not _read(draft, step, mapping.column, cells, plan)
            and mapping.otherwise is not None
            and _read(draft, step, mapping.otherwise, cells, plan)
        ):
            draft.otherwise.append(mapping.otherwise)


def _step(mapping: Mapping) -> MappingStep:
    field = field_at(target_path(mapping.to))
    if field is None:  # a crosswalk with such a mapping is not loaded
        raise LookupError(mapping.to)
    return MappingStep(
        mapping=mapping,
        place=tuple(mapping.to.split("/")[1:]),
        field=field,
        limit=limit_of(field),
        values={fold_value(value): meant for value, meant in mapping.values.items()},
    )


def _read(
    draft: ForeignDraft, step: MappingStep, column: str, cells: dict[str, Any], plan: MappingPlan
) -> bool:
    """Set the value of a column at its place; return False if the cell is empty."""
    texts = items(cells.get(column), step.mapping.list)
    if texts is None:
        _not_understood(draft, step, column, str(cells[column]))
        return False
    put = False
    for text in texts:
        key = fold_value(text)
        if key in step.values:
            value = step.values[key]
            draft.understood.add((column, text))
        elif not key or key in plan.nothing:
            continue
        else:
            value = TRANSFORMS[step.mapping.transform](text, step.field, plan.crosswalk)
        if value is NOT_UNDERSTOOD:
            _not_understood(draft, step, column, text)
        elif value is not None:
            draft.understood.add((column, text))
            _put(draft, step, value, plan.crosswalk)
            put = True
    return put


def _not_understood(draft: ForeignDraft, step: MappingStep, column: str, text: str) -> None:
    if step.mapping.strict:
        raise RowRefused(f"{column}: {shorten(text, 80)!r} is not understood")
    draft.unclear.setdefault(
        (column, text), Unclear(column=column, transform=step.mapping.transform, value=text)
    )


def _put(draft: ForeignDraft, step: MappingStep, value: Any, crosswalk: Crosswalk) -> None:
    """Set a member, or append an item to a list, with the constants of the mapping beside it."""
    *outer, last = itertools.takewhile(lambda part: part != "-", step.place)
    node = draft.document
    for part in outer:
        node = node.setdefault(part, {})
    if "-" not in step.place:
        node[last] = _fitted(draft, step, value, crosswalk, pointer(step.place))
        node |= step.mapping.beside
        return
    entries: list[Any] = node.setdefault(last, [])
    member = step.place[len(outer) + 2 :]
    value = _fitted(draft, step, value, crosswalk, pointer([*outer, last, len(entries), *member]))
    entry = {**step.mapping.beside, member[0]: value} if member else value
    if entry not in entries:
        entries.append(entry)


def _fitted(
    draft: ForeignDraft, step: MappingStep, value: Any, crosswalk: Crosswalk, place: str
) -> Any:
    """Return the value within the field's limit, and by its language if it is a text."""
    worded = step.field.kind == "LangText"
    if worded:
        place = f"{place}/{crosswalk.language}"
    if isinstance(value, str) and step.limit is not None and len(value) > step.limit:
        if crosswalk.over_long == "refuse":
            raise RowRefused(
                f"{step.mapping.column}: {len(value):,} characters; {place} may have {step.limit:,}"
            )
        draft.whole[place] = value
        value = clean(shorten(value, step.limit))  # the cut may have separated a pair
    return {crosswalk.language: value} if worded else value
