"""Validation of a document: whether it is publishable, how complete it is, its findings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import msgspec

from registry.errors import Finding
from registry.record import shape_messages
from registry.record.completeness import Completeness, score
from registry.record.fast_validator import FastValidator
from registry.record.messages import PendingFinding, PlainLanguage, to_finding, to_findings
from registry.record.model import Document, Profile
from registry.record.nearest_code import with_level_meant
from registry.record.pack import Pack
from registry.record.pointers import dig, parts, pointer, values_at
from registry.record.requirement_status import RequirementStatus, requirement_status
from registry.record.requirements import RISK_LEVEL, FieldPath, reason
from registry.record.rule_context import Rule, RuleContext, make_rule_context
from registry.record.rules import RESTRICTED_RULES, RULES
from registry.record.schema import Field, fields
from registry.record.shape_remarks import MAX_FINDINGS, shape_remarks


class Verdict(Completeness, frozen=True, kw_only=True):
    """The result of validation.

    `publishable` is of the publication profile, even for a draft. Findings are ordered by pointer,
    at most 50 of `findings_total`.
    """

    publishable: bool
    findings: tuple[Finding, ...]
    findings_total: int


class _Examination(msgspec.Struct, frozen=True, kw_only=True):
    """The findings before they are rendered; scored as 0 if the document cannot be read.

    There are `more` findings than those listed.
    """

    remarks: Sequence[PendingFinding]
    publishable: bool
    more: int = 0
    scored: Completeness = Completeness(completeness=0, accountability=0, missing=())


def validate(
    document: object,
    *,
    profile: Profile,
    pack: Pack,
    today: dt.date,
    language: str = "en",
    fast: FastValidator | None = None,
    most: int = MAX_FINDINGS,
) -> Verdict:
    """Return the verdict on a document in a profile; the same by command, API and library.

    Findings are in `language`, or in the next of the pack's order that has the message, `most` of
    them at most. `fast` may accept the document's shape; the verdict is the same without it.
    """
    examined = _examine(document, profile=profile, pack=pack, today=today, fast=fast)
    scored, publishable = examined.scored, examined.publishable
    if profile == "draft" and publishable:
        publishable = _examine(
            document, profile="publication", pack=pack, today=today, fast=fast
        ).publishable
    findings = to_findings(examined.remarks, language, pack.fallback)
    return Verdict(
        publishable=publishable,
        completeness=scored.completeness,
        accountability=scored.accountability,
        missing=scored.missing,
        findings=findings[:most],
        findings_total=len(findings) + examined.more,
    )


def draft_findings(
    document: object,
    *,
    pack: Pack,
    language: str = "en",
    fast: FastValidator | None = None,
) -> tuple[tuple[Finding, ...], int]:
    """Return the findings that keep a document from being saved as a draft, and their number."""
    remarks, more, _ = _check_shape(document, "draft", pack, fast)
    findings = to_findings(remarks, language, pack.fallback)
    return findings[:MAX_FINDINGS], len(findings) + more


def findings_in(
    languages: Iterable[str],
    document: object,
    *,
    pack: Pack,
    today: dt.date,
    fast: FastValidator | None = None,
) -> dict[str, tuple[Finding, ...]]:
    """Return the findings of the publication profile in several languages, worded for people."""
    examined = _examine(document, profile="publication", pack=pack, today=today, fast=fast)
    return {
        language: to_findings(examined.remarks, PlainLanguage(language), pack.fallback)[
            :MAX_FINDINGS
        ]
        for language in languages
    }


def _examine(
    document: object, *, profile: Profile, pack: Pack, today: dt.date, fast: FastValidator | None
) -> _Examination:
    found, more, trusted = _check_shape(document, profile, pack, fast)
    if not isinstance(document, dict) or len(found) >= MAX_FINDINGS:
        # With faults that were not looked for, the rest cannot be judged.
        return _Examination(remarks=found, publishable=False, more=more)
    faulty = {_fault(document, remark) for remark in found} - {()}
    sound = _without(document, faulty) if faulty else document
    if RISK_LEVEL in faulty and profile == "publication":
        sound = with_level_meant(sound, dig(document, *RISK_LEVEL))
    status = requirement_status(sound)
    if profile == "publication":
        context = make_rule_context(sound, status, pack, today, national=trusted)
        of_rules = _rule_findings(context, status)
        if faulty:
            of_rules = [one for one in of_rules if not _touches(parts(one.pointer), faulty)]
        found += of_rules
    publishable = all(remark.severity != "error" for remark in found)
    scored = score(status, foreign=profile == "foreign")
    return _Examination(remarks=found, publishable=publishable, scored=scored)


def _check_shape(
    document: object, profile: Profile, pack: Pack, fast: FastValidator | None
) -> tuple[list[PendingFinding], int, bool]:
    """Return the findings of the shape, how many more there are, and whether `fast` was trusted."""
    accepting = fast if fast is not None and fast.accepts(document, profile, pack) else None
    trusted = accepting is not None and not accepting.is_sampled()
    found, more = ([], 0) if trusted else shape_remarks(document, profile, pack)
    if accepting is not None and found:
        accepting.report_disagreement(profile, dig(document, "id"))
    return found, more, trusted


def with_remarks(
    verdict: Verdict,
    remarks: Iterable[PendingFinding],
    pack: Pack,
    language: str,
    *,
    most: int = MAX_FINDINGS,
) -> Verdict:
    """Return a verdict with the findings of the register added to the document's own."""
    found = [to_finding(remark, language, pack.fallback) for remark in remarks]
    findings = sorted(
        [*verdict.findings, *found], key=lambda finding: (finding.pointer, finding.rule)
    )
    return msgspec.structs.replace(
        verdict,
        publishable=verdict.publishable and all(one.severity != "error" for one in found),
        findings=tuple(findings[:most]),
        findings_total=verdict.findings_total + len(found),
    )


def _rule_findings(context: RuleContext, status: RequirementStatus) -> list[PendingFinding]:
    """Return the findings of rules and requirements; no requirement repeats a rule."""
    rules: Iterable[Rule] = RULES.values()
    if "restricted" in context.held:
        rules = [RULES[name] for name in RESTRICTED_RULES]
    found = [remark for rule in rules for remark in rule(context)]
    found += _deprecated(context.document)
    unmet = list(_unmet(status))
    if not found or not unmet:
        return found + unmet
    errors = {remark.pointer for remark in found if remark.severity == "error"}
    places = {remark.pointer for remark in found}
    return found + [
        remark
        for remark in unmet
        if remark.pointer not in (errors if remark.severity == "error" else places)
    ]


def _unmet(status: RequirementStatus) -> Iterator[PendingFinding]:
    """Yield unmet requirements: absent although required, or stated although excluded."""
    requirements = status.requirements
    for place in requirements.demanded.intersection(status.absent):
        unit, empty = requirements.units[place], place in status.empty
        why, required = reason(unit, requirements.held), place in requirements.required
        yield PendingFinding(
            pointer=place,
            rule="minItems" if empty else "required",
            severity="error" if place in requirements.errors else "warning",
            messages=shape_messages.missing(unit, why, empty=empty, required=required),
        )
    for place in requirements.excluded.difference(status.absent):
        messages = shape_messages.not_wanted(requirements.units[place])
        yield PendingFinding(pointer=place, rule="not", messages=messages)


def _deprecated(document: Document) -> Iterator[PendingFinding]:
    for field in _deprecated_fields():
        for place, _ in values_at(document, field.path):
            yield PendingFinding(
                pointer=pointer(place),
                rule="deprecated",
                severity="warning",
                messages=shape_messages.deprecated(field),
            )


@cache
def _deprecated_fields() -> tuple[Field, ...]:
    return tuple(field for field in fields() if "x-deprecated" in field.schema)


def _fault(document: object, remark: PendingFinding) -> FieldPath:
    """Return the members to leave out so that rules meet only sound parts: never part of a list."""
    names = parts(remark.pointer)
    if remark.rule == "required":
        names = names[:-1]
    path: list[str] = []
    here = document
    for name in names:
        if not isinstance(here, dict):
            break
        path.append(name)
        here = here.get(name)
    return tuple(path)


def _without(document: Document, faulty: Iterable[FieldPath]) -> Document:
    sound = dict(document)
    for path in faulty:
        here: Any = sound
        for name in path[:-1]:
            if not isinstance(here.get(name), dict):
                break
            here[name] = dict(here[name])
            here = here[name]
        else:
            here.pop(path[-1], None)
    return sound


def _touches(path: FieldPath, faulty: Iterable[FieldPath]) -> bool:
    """Return whether a fault is at, above or below a path, and so reported already."""
    return any(path[: len(fault)] == fault[: len(path)] for fault in faulty)
