"""Rules on risk: what a level forbids and requires, and the risk floor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from registry.errors import Severity
from registry.record.codelists import codelists
from registry.record.field_descriptions import named_code, named_members
from registry.record.messages import LanguageName, Message, PendingFinding, message
from registry.record.model import RUNNING
from registry.record.placeholders import content_words, says_something
from registry.record.pointers import pointer
from registry.record.requirements import covers
from registry.record.risk_floor import below_floor
from registry.record.rule_context import ASKED_BY_FORMAT, RuleContext, remark
from registry.record.rules_pack import OVERSIGHT, PROCEDURE, lacking_languages
from registry.record.schema import field_at

RATIONALE_BELOW_FLOOR = 200
"""The characters of the reasons for a level below the floor, in each language."""

_LETTERS_BELOW_FLOOR = 80
"""The letters of their different words that say something."""

_EVIDENCE = ("completed_on", "conducted_by", "url")
"""The members that show a completed assessment: when, by whom, where."""

_ASSESSING = ("dpia", "algorithmic_impact", "human_rights")
"""The types of assessments that look at what a system does to people."""

BELOW_FLOOR = "below_floor"
"""The rule of the public finding that a level is below the risk floor."""


def unacceptable_not_in_use(context: RuleContext) -> Iterator[PendingFinding]:
    """R07: A system of unacceptable risk is not in pilot and not in use.

    An error: it may only be published as planned, suspended or retired.
    """
    if context.level == "unacceptable" and context.status in RUNNING:
        yield remark(
            "R07",
            "/lifecycle/status",
            message(
                "A system of unacceptable risk ({place}) cannot be published with the status "
                "{status}. It must be planned, suspended or retired.",
                place="/risk/level",
                status=codelists()["status"][context.status].label,
            ),
        )


def automated_decision_contestable(context: RuleContext) -> Iterator[PendingFinding]:
    """R08: What decides alone, with legal effect, on personal data is of high risk and contestable.

    An error: nobody is subject to a machine's decision without a way to contest it.
    """
    if not (context.role == "decides_alone" and context.held >= {"legal_effect", "P"}):
        return
    if context.level in {"minimal", "limited"}:
        yield remark(
            "R08",
            "/risk/level",
            message(
                "A system that decides alone ({role}), with legal effect, on personal data is of "
                "high risk at least. Set the level to {level}, or mend what is stated.",
                role="/decision/role",
                level=named_code("risk_level", "high"),
            ),
            ASKED_BY_FORMAT,
        )
    if context.lacks("rights", "contestation"):
        yield remark(
            "R08",
            "/rights/contestation",
            message(
                "Whoever is subject to an automated decision with legal effect must be able to "
                "contest it. Add {place}: how, where and by when.",
                place="/rights/contestation",
            ),
            ASKED_BY_FORMAT,
        )


def high_risk_in_operation_is_answered_for(context: RuleContext) -> Iterator[PendingFinding]:
    """R15: High risk in operation has an assessment, a mitigation, a metric, redress, oversight.

    At least one completed assessment (`dpia`, `algorithmic_impact` or `human_rights`), one risk
    with its mitigation, one metric, `rights.contestation`, and human oversight that is more than
    the word none. A completed assessment says when, by whom, or where it is. An error in pilot, in
    use or suspended; before that, what is stated and does not suffice is a warning.
    """
    if "H" not in context.held:
        return
    operates = "D" in context.held
    severity: Severity = "error" if operates else "warning"
    if (operates or context.dig("assessments")) and not _assessed(context):
        yield _unassessed("R15", context, _assessment_wanted(), severity)
    risks = context.dig("risks")
    mitigated = any("mitigation" in entry for entry in risks or ())
    if not mitigated and (risks or (operates and context.lacks("risks"))):
        yield remark(
            "R15",
            "/risks",
            message(
                "At this risk level at least one risk is stated with its mitigation. Add it: a "
                "known risk that nobody answers for is not acceptable."
            ),
            severity=severity,
        )
    if not operates:
        return
    if context.lacks("evaluation", "metrics"):
        yield _wanted(
            "/evaluation/metrics",
            message(
                "A high-risk system in operation states at least one measurement of how well it "
                "works. Add {place}: name and value.",
                place="/evaluation/metrics",
            ),
        )
    if context.lacks("rights", "contestation"):
        yield _wanted(
            "/rights/contestation",
            message(
                "A high-risk system in operation says how its results can be contested. Add "
                "{place}: how, where and by when.",
                place="/rights/contestation",
            ),
        )
    if context.lacks("decision", "human_oversight"):
        yield _wanted(
            "/decision/human_oversight",
            message(
                "A high-risk system in operation is watched over by people. Add {place}: who, with "
                "what means and powers.",
                place="/decision/human_oversight",
            ),
        )
    if _nobody_looks(context):
        yield _wanted("/decision/oversight_type", *_somebody_wanted())


def _nobody_looks(context: RuleContext) -> bool:
    """Return whether no person oversees a running system; suspending it is a remedy."""
    running = context.status in RUNNING
    return running and context.dig("decision", "oversight_type") == "none"


def _somebody_wanted() -> tuple[Message, ...]:
    return (
        message(
            "A high-risk system in operation cannot be without human oversight. State when a "
            "person looks, or suspend the system."
        ),
    )


def _wanted(place: str, *messages: Message) -> PendingFinding:
    return remark("R15", place, *messages)


def _assessed(context: RuleContext) -> bool:
    return any(_is_shown(context, number) for number in _completed(context))


def _completed(context: RuleContext) -> list[int]:
    """Return the places of the completed assessments of the types that are asked for."""
    return [
        number
        for number, entry in enumerate(context.dig("assessments") or ())
        if entry["status"] == "completed" and entry["type"] in _ASSESSING
    ]


def _is_shown(context: RuleContext, number: int) -> bool:
    """Return whether an assessment says when, by whom or where, or lawfully withholds it."""
    entry = context.dig("assessments")[number]
    places = [pointer(("assessments", number, name)) for name in _EVIDENCE]
    return any(name in entry for name in _EVIDENCE) or any(
        covers(given, place) for given in context.withheld for place in places
    )


def _unassessed(
    rule: str, context: RuleContext, wanted: tuple[Message, ...], severity: Severity
) -> PendingFinding:
    """Return the finding that an assessment is wanted, or that a completed one shows nothing."""
    completed = _completed(context)
    if not completed:
        return remark(rule, "/assessments", *wanted, severity=severity)
    bare = message(
        "A completed assessment says when it was completed, by whom, or where it is described. Add "
        "at least one of {names}.",
        names=named_members(field_at(("assessments", "*")), _EVIDENCE),
    )
    return remark(rule, pointer(("assessments", completed[0])), bare, severity=severity)


def _assessment_wanted() -> tuple[Message, ...]:
    return (
        message(
            "At this risk level a completed assessment of one of these types is needed: {types}. "
            "Complete it and add it.",
            types=tuple(named_code("assessment_type", one) for one in _ASSESSING),
        ),
        ASKED_BY_FORMAT,
    )


def contribution_told(context: RuleContext) -> Iterator[PendingFinding]:
    """R17: A system that decides who gets what, or ranks people, takes part in a decision.

    An error: with the function `eligibility` or `scoring_ranking` the role is not `no_decision`.
    """
    if context.role == "no_decision" and context.function in {"eligibility", "scoring_ranking"}:
        yield remark(
            "R17",
            "/decision/role",
            message(
                "A system with the function {function} ({place}) takes part in a decision. State "
                "its role: {role} or more, or mend the function.",
                role=named_code("decision_role", "informs"),
                function=codelists()["function"][context.function].label,
                place="/sector/function",
            ),
        )


def below_floor_explained(context: RuleContext) -> Iterator[PendingFinding]:
    """R24: A level below the risk floor is explained at length, and announced to everybody.

    The floor is computed from what the record states (risk floor). Below it the finding
    `below_floor` is public, a warning; `risk.rationale` has at least 200 characters in each
    language that it is in, and in each that the country demands and the name is in, and says
    something (R30): its different words have 80 letters. Contestation, human oversight and
    assessments are required as at the floor, the first two in these languages: errors.
    """
    below = below_floor(context)
    if below is None:
        return
    floor, reasons = below
    levels = codelists()["risk_level"]
    yield remark(
        BELOW_FLOOR,
        "/risk/level",
        message(
            "The declared level, {declared}, is below {floor}, the level that follows from the "
            "record: {reasons}. This remark is public.",
            declared=levels[context.level or ""].label,
            floor=levels[floor].label,
            reasons=reasons,
        ),
        severity="warning",
    )
    rationale = context.dig("risk", "rationale") or {}
    national = [tag for tag in context.dig("name") or () if tag in context.pack.required_any]
    for tag in dict.fromkeys((*rationale, *national)) if rationale else ():
        if not _is_explained(rationale.get(tag, "")):
            saying = message(
                "A level below {floor} needs reasons of at least {number} characters, in "
                "{language} as in each language of the record, in words that do not come again "
                "and again. Explain why the harm is smaller than the record suggests, or raise "
                "the level.",
                floor=levels[floor].label,
                number=RATIONALE_BELOW_FLOOR,
                language=LanguageName(tag=tag),
            )
            yield remark("R24", pointer(("risk", "rationale", tag)), saying)
    yield from _as_at_the_floor(context, floor, national)


def _is_explained(rationale: str) -> bool:
    return len(rationale) >= RATIONALE_BELOW_FLOOR and says_something(
        content_words(rationale), letters=_LETTERS_BELOW_FLOOR
    )


def _as_at_the_floor(
    context: RuleContext, floor: str, languages: Sequence[str]
) -> Iterator[PendingFinding]:
    operates = "D" in context.held
    wanted: list[tuple[tuple[str, str], Severity]] = [(("decision", "human_oversight"), "error")]
    if floor == "high":
        # As at the high level itself: a warning until the system is in operation.
        wanted.append((("rights", "contestation"), "error" if operates else "warning"))
    for path, severity in wanted:
        if context.lacks(*path):
            place = "/" + "/".join(path)
            yield remark("R24", place, _still_required(floor, place), severity=severity)
    for relied_on in (OVERSIGHT, PROCEDURE) if floor == "high" else (OVERSIGHT,):
        yield from lacking_languages("R24", context, relied_on, languages)
    strict = floor == "high" and operates
    if strict and _nobody_looks(context):
        yield remark("R24", "/decision/oversight_type", *_somebody_wanted())
    required = _still_required(floor, "/assessments")
    if strict and not _assessed(context):
        yield _unassessed("R24", context, (*_assessment_wanted(), required), "error")
    elif not context.dig("assessments"):
        yield remark("R24", "/assessments", required)


def _still_required(floor: str, place: str) -> Message:
    return message(
        "A lower level does not do away with this: it is required as at the level {floor}. Add "
        "{place}.",
        floor=codelists()["risk_level"][floor].label,
        place=place,
    )
