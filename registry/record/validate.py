"""Validation of a document: whether it is publishable, how complete it is, its findings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
from jsonschema import ValidationError

from registry.errors import Finding
from registry.record import shape_messages
from registry.record.codelists import with_level_meant
from registry.record.fast_validator import FastValidator
from registry.record.field_descriptions import nearest_field
from registry.record.law import NO_LAW
from registry.record.messages import Message, PendingFinding, PlainLanguage, to_finding, to_findings
from registry.record.model import Document, Profile
from registry.record.pack import Pack, law_of
from registry.record.pointers import Place, dig, field_path, parts, pointer, values_at
from registry.record.requirements import (
    RISK_LEVEL,
    WEIGHT_OPTIONAL,
    WEIGHT_REQUIRED,
    FieldPath,
    RequirementStatus,
    reason,
    requirement_status,
)
from registry.record.rule_context import ASKED_BY_FORMAT, Rule, RuleContext, make_rule_context
from registry.record.rules import RESTRICTED_RULES, RULES
from registry.record.rules_law import law_findings, upcoming_findings
from registry.record.schema import Field, field_at, fields, shape
from registry.record.validators import build_validator, members_at_fault

_LEVEL = pointer(RISK_LEVEL)


class Completeness(msgspec.Struct, frozen=True, kw_only=True):
    """The two scores, and the pointers of the units that apply and are not stated."""

    completeness: int
    accountability: int | None
    missing: tuple[str, ...]


def score(status: RequirementStatus, *, foreign: bool = False) -> Completeness:
    """Return the scores of a document, and the missing units in document order."""
    requirements = status.requirements
    unstated = requirements.counted - requirements.units.keys()
    unmet, half = status.withheld.union(status.absent, unstated), status.in_progress
    is_levelled = _LEVEL not in status.absent
    accountability: int | None = 0
    if foreign and (not is_levelled or requirements.accountable <= unmet):
        accountability = None
    elif is_levelled and (requirements.accountable or not unstated):
        accountability = _share(requirements.accountable, frozenset(), unmet, half)
    return Completeness(
        completeness=_share(requirements.required, requirements.optional, unmet, half),
        accountability=accountability,
        missing=tuple([place for place in status.absent if place in requirements.counted]),
    )


def _share(
    required: frozenset[str], optional: frozenset[str], unmet: frozenset[str], half: frozenset[str]
) -> int:
    """Return the weighted share of units that is met, in percent, rounded half up.

    Nothing is met of `unmet` ones, half of `half`. 100 if there is no requirement.
    """

    def weight(units: frozenset[str]) -> int:
        return WEIGHT_REQUIRED * len(required & units) + WEIGHT_OPTIONAL * len(optional & units)

    whole = 2 * (WEIGHT_REQUIRED * len(required) + WEIGHT_OPTIONAL * len(optional))
    met = whole - 2 * weight(unmet) - weight(half)
    return (200 * met + whole) // (2 * whole) if whole else 100


MAX_FINDINGS = 50

MAX_COUNTED = 1000
"""Faults of the format are counted up to this many: a hostile document could have 50,000."""


@cache
def _authority(profile: Profile) -> Any:
    return build_validator(shape(profile))


def shape_remarks(
    document: object, profile: Profile, pack: Pack
) -> tuple[list[PendingFinding], int]:
    """Return the first findings of the schema, and the number of further ones.

    `jsonschema` is the authority. Only those that are returned become messages, which is expensive.
    """
    restricted = dig(document, "publication", "visibility") == "restricted"
    found: list[PendingFinding] = []
    more = 0
    own = None if profile == "foreign" else pack
    formless: set[Place] = set()
    for error in _authority(profile).iter_errors(document):
        for place, rule in members_at_fault(error):
            if shape_messages.repeats_form(rule, nearest_field(place)):
                if place in formless:
                    continue
                formless.add(place)
            if len(found) < MAX_FINDINGS:
                messages = _messages(error, place, rule, restricted=restricted, pack=own)
                found.append(PendingFinding(pointer=pointer(place), rule=rule, messages=messages))
            else:
                more += 1
            if len(found) + more == MAX_COUNTED:
                return found, more
    return found, more


def _messages(
    error: ValidationError,
    place: Place,
    rule: str,
    *,
    restricted: bool,
    pack: Pack | None,
) -> tuple[Message, ...]:
    """Return the messages of a rule that a member breaks; codes of the country are the pack's."""
    if rule == "additionalProperties":
        return shape_messages.unknown(place, restricted=restricted)
    if rule == "required":
        return shape_messages.needed(place)
    if rule == "propertyNames":
        return shape_messages.no_language(place)
    exact = field_at(field_path(place))
    return shape_messages.sentence(
        rule,
        error.validator_value,
        error.instance,
        error.schema,
        nearest_field(place),
        codes=None if pack is None or exact is None else pack.codes(exact.lists),
    )


class Verdict(Completeness, frozen=True, kw_only=True):
    """The result of validation.

    `publishable` is of the publication profile, even for a draft. Findings are ordered by pointer,
    at most 50 of `findings_total`. `upcoming` is what the law is known to ask for from a later day
    on, and counts for nothing today.
    """

    publishable: bool
    findings: tuple[Finding, ...]
    findings_total: int
    upcoming: tuple[Finding, ...] = ()


class _Examination(msgspec.Struct, frozen=True, kw_only=True):
    """The findings before they are rendered; scored as 0 if the document cannot be read.

    There are `more` findings than those listed.
    """

    remarks: Sequence[PendingFinding]
    publishable: bool
    more: int = 0
    upcoming: Sequence[PendingFinding] = ()
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
        upcoming=to_findings(examined.upcoming, language, pack.fallback)[:MAX_FINDINGS],
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
    status = requirement_status(sound, NO_LAW if profile == "foreign" else law_of(pack, today))
    upcoming: Sequence[PendingFinding] = ()
    if profile != "foreign":
        upcoming = tuple(upcoming_findings(sound, pack, today))
    if profile == "publication":
        context = make_rule_context(sound, status, pack, today, national=trusted)
        of_rules = _rule_findings(context, status)
        if faulty:
            of_rules = [one for one in of_rules if not _touches(parts(one.pointer), faulty)]
        found += of_rules
    publishable = all(remark.severity != "error" for remark in found)
    scored = score(status, foreign=profile == "foreign")
    return _Examination(remarks=found, publishable=publishable, upcoming=upcoming, scored=scored)


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
    found += law_findings(context, status)
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
            messages=(
                *shape_messages.missing(unit, why, empty=empty, required=required),
                ASKED_BY_FORMAT,
            ),
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
