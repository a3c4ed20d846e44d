"""The verdict on a document: may it be published, how complete is it, and what was noticed."""

from __future__ import annotations

from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from registry.errors import Finding
from registry.record import wording
from registry.record.completeness import Completeness, score
from registry.record.pointers import dig, parts, pointer
from registry.record.profiles import shape
from registry.record.requirements import Standing, standings
from registry.record.rules import RESTRICTED_RULES, RULE_SET, RULES
from registry.record.validators import build_validator

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from registry.record.model import Document, Profile
    from registry.record.pack import Pack
    from registry.record.requirements import Path

__all__ = ["MAX_FINDINGS", "RULE_SET", "Verdict", "validate"]

MAX_FINDINGS = 50


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What validation says. `publishable` asks the publication profile, even for a draft.

    Findings are ordered by pointer, at most 50; `missing` are the pointers that completeness
    wants.
    """

    publishable: bool
    completeness: int
    accountability: int
    missing: tuple[str, ...]
    findings: tuple[Finding, ...]


def validate(document: object, *, profile: Profile, pack: Pack, today: dt.date) -> Verdict:
    """Check a document against a profile; the same answer by command, API and library."""
    found = list(islice(_shape_findings(document, profile), MAX_FINDINGS))
    if not isinstance(document, dict):
        return _verdict(found, publishable=False, scored=None)
    cut = len(found) >= MAX_FINDINGS
    faulty = {_fault(document, finding) for finding in found} - {()}
    sound = _without(document, faulty) if faulty else document
    stands = standings(sound)
    if profile == "publication" and not cut:
        told = [*_unmet(stands), *_rule_findings(sound, pack, today)]
        found += [finding for finding in told if not _touches(parts(finding.pointer), faulty)]
    publishable = all(finding.severity != "error" for finding in found)
    if profile == "draft" and publishable:
        publishable = validate(document, profile="publication", pack=pack, today=today).publishable
    return _verdict(found, publishable=publishable, scored=score(stands))


def _verdict(
    found: Iterable[Finding], *, publishable: bool, scored: Completeness | None
) -> Verdict:
    unique = {(finding.pointer, finding.rule, finding.message): finding for finding in found}
    return Verdict(
        publishable=publishable,
        completeness=scored.completeness if scored else 0,
        accountability=scored.accountability if scored else 0,
        missing=scored.missing if scored else (),
        findings=tuple(unique[key] for key in sorted(unique)[:MAX_FINDINGS]),
    )


@cache
def _validator(profile: Profile) -> Any:
    return build_validator(shape(profile))


def _shape_findings(document: object, profile: Profile) -> Iterator[Finding]:
    """Find what the schema finds; jsonschema is the authority."""
    restricted = dig(document, "publication", "visibility") == "restricted"
    for error in _validator(profile).iter_errors(document):
        yield from _translated(error, restricted=restricted)


def _translated(error: Any, *, restricted: bool) -> Iterator[Finding]:
    """One finding for each member that an error is about, at that member's own path."""
    place = tuple(error.absolute_path)
    rule = error.validator
    if rule == "additionalProperties":
        for name in sorted(set(error.instance) - set(error.schema.get("properties", ()))):
            message = wording.unknown(name, place, restricted=restricted)
            yield _found((*place, name), rule, message)
    elif rule == "required":
        for name in error.validator_value:
            if name not in error.instance:
                yield _found((*place, name), rule, wording.needed(name, place))
    elif "propertyNames" in error.absolute_schema_path:
        yield _found((*place, error.instance), "propertyNames", wording.no_language(error.instance))
    else:
        message = wording.sentence(rule, error.validator_value, error.instance, error.schema, place)
        yield _found(place, rule, message)


def _found(place: tuple[str | int, ...], rule: str, message: str) -> Finding:
    return Finding(
        pointer=pointer(place),
        rule=rule,
        severity="error",
        message=message[0].upper() + message[1:],
    )


def _unmet(stands: Iterable[Standing]) -> Iterator[Finding]:
    """Find what the requirements miss: absent although asked for, or stated although excluded."""
    for standing in stands:
        unit = standing.unit
        if standing.absent and standing.severity is not None:
            yield Finding(
                pointer=unit.pointer,
                rule="minItems" if standing.state == "empty" else "required",
                severity=standing.severity,
                message=wording.missing(standing),
            )
        elif unit.exclusive and not standing.absent and standing.severity is None:
            yield Finding(
                pointer=unit.pointer,
                rule="not",
                severity="error",
                message=wording.not_wanted(unit),
            )


def _rule_findings(document: Document, pack: Pack, today: dt.date) -> Iterator[Finding]:
    restricted = dig(document, "publication", "visibility") == "restricted"
    for name, rule in RULES.items():
        if not restricted or name in RESTRICTED_RULES:
            yield from rule(document, pack, today)


def _fault(document: object, finding: Finding) -> Path:
    """Name the members to leave out so that rules meet only what is sound: never part of a list."""
    names = parts(finding.pointer)
    if finding.rule == "required":
        names = names[:-1]
    path: list[str] = []
    here = document
    for name in names:
        if not isinstance(here, dict):
            break
        path.append(name)
        here = here.get(name)
    return tuple(path)


def _without(document: Document, faulty: Iterable[Path]) -> Document:
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


def _touches(path: Path, faulty: Iterable[Path]) -> bool:
    """Whether a fault lies at, above or below a path: it has been told already."""
    return any(path[: len(fault)] == fault[: len(path)] for fault in faulty)
