"""The publication rules: one generator function each, in one ordered table.

Every rule takes a document whose shape is sound, the country pack and today's date (UTC), and
yields findings. Nothing here touches the network or the register.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from registry.errors import Finding, Severity
from registry.record.codelists import codelists
from registry.record.days import interval, months_after
from registry.record.ids import is_foreign_agency
from registry.record.pointers import dig, pointer, values_at
from registry.record.requirements import holding
from registry.record.schema import fields
from registry.record.wording import choice, shown

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping

    from registry.record.model import Document
    from registry.record.pack import Pack

    Rule: TypeAlias = Callable[[Document, Pack, dt.date], Iterator[Finding]]

RULE_SET = "1.0"


def belongs_to_pack(document: Document, pack: Pack, _today: dt.date) -> Iterator[Finding]:
    """R00: agency, languages, regions, bodies, schemes and grounds are the pack's."""
    yield from _agency_known(document, pack)
    yield from _codes_known(document, pack)
    yield from _languages_known(document, pack)


def _agency_known(document: Document, pack: Pack) -> Iterator[Finding]:
    record_id = dig(document, "id")
    if record_id is None:
        return
    agency = record_id.split("/")[0]
    if is_foreign_agency(agency):
        sentence = (
            f"{shown(agency)} has a dot, which is reserved for agencies of other registers. "
            "File under an agency of this register."
        )
    elif agency in pack.agencies:
        return
    else:
        sentence = f"{shown(agency)} is not an agency of this register. " + choice(
            agency, pack.agencies
        )
    yield _finding("R00", "/id", sentence)


def _codes_known(document: Document, pack: Pack) -> Iterator[Finding]:
    for field in fields():
        national = [name.removeprefix("pack/") for name in field.lists if name.startswith("pack/")]
        if not national:
            continue
        everywhere = [name for name in field.lists if not name.startswith("pack/")]
        known = [code for name in everywhere for code in codelists()[name]]
        known += [code for name in national for code in pack.lists[name]]
        for place, code in values_at(document, field.path):
            if code not in known:
                title = field.title
                yield _finding(
                    "R00",
                    pointer(place),
                    f"{shown(code)} is not one of the pack's codes for {title}. "
                    + choice(code, known),
                )


def _languages_known(document: Document, pack: Pack) -> Iterator[Finding]:
    present: set[str] = set()
    tags = ", ".join(pack.languages)
    for field in fields():
        if field.kind != "LangText":
            continue
        for place, text in values_at(document, field.path):
            present.update(text)
            for tag in text:
                if tag not in pack.languages:
                    yield _finding(
                        "R00",
                        pointer((*place, tag)),
                        f"{shown(tag)} is not a language of this register. Use: {tags}.",
                    )
    source = dig(document, "languages", "source")
    if source is not None and source not in pack.languages:
        yield _finding(
            "R00",
            "/languages/source",
            f"{shown(source)} is not a language of this register. Use: {tags}.",
        )
    status = dig(document, "languages", "translation_status")
    if status is not None:
        for tag in sorted(present.intersection(pack.languages).difference(status)):
            yield _finding(
                "R00",
                pointer(("languages", "translation_status", tag)),
                f"the record has text in {shown(tag)} and does not say how it came about. "
                "Add authored, reviewed or machine.",
            )


def retirement_dated(document: Document, _pack: Pack, today: dt.date) -> Iterator[Finding]:
    """R04: a retirement date if and only if retired, not before deployment, not in the future."""
    retired = dig(document, "lifecycle", "retired_on")
    if retired is None:
        return
    first, last = interval(retired)
    place = "/lifecycle/retired_on"
    status = dig(document, "lifecycle", "status")
    if status is not None and status != "retired":
        yield _finding(
            "R04",
            place,
            f"a system whose status is {status} has no retirement date. "
            "Remove the date, or set the status to retired.",
        )
    if first > today:
        yield _finding("R04", place, f"{retired} is in the future. Give the day of retirement.")
    deployed = dig(document, "lifecycle", "deployed_on")
    if deployed is not None and last < interval(deployed)[0]:
        yield _finding(
            "R04",
            place,
            f"{retired} is before {deployed}, when the system was deployed. Mend either date.",
        )


def deployment_dated(document: Document, _pack: Pack, today: dt.date) -> Iterator[Finding]:
    """R05: the date of deployment is not in the future (that it is stated, D asks)."""
    deployed = dig(document, "lifecycle", "deployed_on")
    if deployed is not None and interval(deployed)[0] > today:
        yield _finding(
            "R05",
            "/lifecycle/deployed_on",
            f"{deployed} is in the future. State when the system was first used on real cases, "
            "or leave it out until then.",
        )


def review_planned(document: Document, pack: Pack, _today: dt.date) -> Iterator[Finding]:
    """R06: the next review comes after the last one, within the pack's interval."""
    last = dig(document, "lifecycle", "last_reviewed_on")
    following = dig(document, "lifecycle", "next_review_on")
    if last is None or following is None:
        return
    day, next_day = interval(last)[0], interval(following)[0]
    place = "/lifecycle/next_review_on"
    if next_day <= day:
        yield _finding("R06", place, f"{following} is not after the last review, {last}.")
        return
    level = dig(document, "risk", "level")
    if level is None:
        return
    months = pack.review_months[level]
    limit = months_after(day, months)
    if next_day > limit:
        yield _finding(
            "R06",
            place,
            f"at risk level {level} a record is reviewed every {months} months at the latest: "
            f"by {limit.isoformat()}, not {following}.",
        )


def unacceptable_not_in_use(document: Document, _pack: Pack, _today: dt.date) -> Iterator[Finding]:
    """R07: a system of unacceptable risk is not in pilot or in use."""
    status = dig(document, "lifecycle", "status")
    if dig(document, "risk", "level") == "unacceptable" and status in {"pilot", "in_use"}:
        yield _finding(
            "R07",
            "/lifecycle/status",
            f"a system of unacceptable risk cannot be published as {status}. "
            "Its status must be planned, suspended or retired.",
        )


def high_risk_assessed(document: Document, _pack: Pack, _today: dt.date) -> Iterator[Finding]:
    """R15: at high risk a completed assessment of the right type, and a risk with its mitigation.

    An error once the system is in operation, a warning before; what else R15 names is asked for
    by the requirements.
    """
    held = holding(document)
    if "H" not in held:
        return
    severity: Severity = "error" if "D" in held else "warning"
    types = ("dpia",) if "P" in held else ("algorithmic_impact", "human_rights")
    assessments = dig(document, "assessments")
    if assessments and not any(
        entry["status"] == "completed" and entry["type"] in types for entry in assessments
    ):
        why = "personal data is processed" if "P" in held else "no personal data is processed"
        yield _finding(
            "R15",
            "/assessments",
            f"at this risk level, and as {why}, at least one completed assessment of type "
            f"{' or '.join(types)} is needed. Complete it and add it.",
            severity,
        )
    risks = dig(document, "risks")
    if risks and not any("mitigation" in entry for entry in risks):
        yield _finding(
            "R15",
            "/risks",
            "at this risk level at least one risk is stated with its mitigation. Add it.",
            severity,
        )


RULES: Mapping[str, Rule] = {
    "R00": belongs_to_pack,
    "R04": retirement_dated,
    "R05": deployment_dated,
    "R06": review_planned,
    "R07": unacceptable_not_in_use,
    "R15": high_risk_assessed,
}

RESTRICTED_RULES = ("R00",)
"""Only code and reference checks apply to a restricted record."""


def _finding(rule: str, place: str, message: str, severity: Severity = "error") -> Finding:
    return Finding(
        pointer=place, rule=rule, severity=severity, message=message[0].upper() + message[1:]
    )
