"""A crosswalk tried on its own codes, before the first row is read.

Every value that a mapping may write is put into a document, which is validated as a record would
be. So a wrong code is an error of the crosswalk, said once and with its place, and not a refusal of
every row that has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from registry.errors import Finding
from registry.exchange.cells import RowRefused
from registry.exchange.draft import ForeignDraft, MappingPlan, MappingStep, put
from registry.record.model import Document
from registry.record.pointers import parts, pointer
from registry.record.schema import SCHEMA_VERSION
from registry.record.validate import Verdict

_SAMPLES: dict[str, Any] = {
    "text": "x",
    "html": "x",
    "line": "x",
    "boolean": True,
    "date": "2020-01-01",
    "url": "https://example.org/",
    "email": "office@example.org",
}
_TEXTS = frozenset({"LangText", "Text", "Line"})


def rehearse(plan: MappingPlan, check: Callable[[Document], Verdict]) -> Iterator[str]:
    """Yield the faults that the format finds in what the mappings of a crosswalk may write."""
    filled = {step.mapping.to for step in plan.steps}
    for number, step in enumerate(plan.steps):
        said: set[tuple[str, str]] = set()
        for place, value in _trials(step):
            for finding in _findings(plan, step, value, check):
                if finding.rule == "required" and finding.pointer in filled:
                    continue  # another mapping may say it
                if place == "transform" and _is_own(step, finding) and _has_form(step):
                    continue  # the cells may have the form that the sample has not
                at = f"/mappings/{number}/{_within(step, finding) or place}"
                if (at, finding.message) not in said:
                    said.add((at, finding.message))
                    yield f"at {at}: {_sentence(step, finding)}"


def _trials(step: MappingStep) -> Iterator[tuple[str, Any]]:
    """Yield (member of the mapping, value) for each value that it may write."""
    mapping = step.mapping
    if mapping.column is None:
        yield "value", mapping.value
    for said, meant in mapping.values.items():
        for value in meant if isinstance(meant, tuple) else (meant,):
            if value is not None:
                yield f"values{pointer([said])}", value
    if mapping.transform in _SAMPLES:
        yield "transform", _SAMPLES[mapping.transform]


def _findings(
    plan: MappingPlan, step: MappingStep, value: Any, check: Callable[[Document], Verdict]
) -> list[Finding]:
    language = plan.crosswalk.language
    document = {
        "id": f"{plan.crosswalk.agency.prefix}.x/x",
        "schema_version": SCHEMA_VERSION,
        "name": {language: "x"},
    }
    draft = ForeignDraft(document)
    try:
        put(draft, step, [value])
    except RowRefused as refused:
        place = pointer(step.place)
        return [Finding(pointer=place, rule="maxLength", severity="error", message=str(refused))]
    return [one for one in check(draft.document).findings if one.severity == "error"]


def _is_own(step: MappingStep, finding: Finding) -> bool:
    """Return whether a finding is about the value itself, not about what stands beside it."""
    place = tuple("-" if part.isdecimal() else part for part in parts(finding.pointer))
    return place[: len(step.place)] == step.place


def _has_form(step: MappingStep) -> bool:
    return "pattern" in step.field.schema and step.field.kind not in _TEXTS


def _within(step: MappingStep, finding: Finding) -> str | None:
    """Return the member of the mapping that a finding is about, if it is not the value."""
    if _is_own(step, finding):
        return None
    last = next(
        (part for part in reversed(parts(finding.pointer)) if part in step.mapping.beside), None
    )
    return f"beside/{last}" if last else "beside"


def _sentence(step: MappingStep, finding: Finding) -> str:
    if finding.rule != "required" or _is_own(step, finding):
        return f"{finding.pointer}: {finding.message}"
    last = parts(finding.pointer)[-1]
    return f'{step.mapping.to} needs {last!r} as well; put it into "beside". {finding.message}'
