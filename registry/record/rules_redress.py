"""Rules on what people rely on at high risk: texts that say something, redress that can be used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from functools import cache

from registry.clock import months_after
from registry.record.field_descriptions import nearest_field, title_at
from registry.record.law import NAMING
from registry.record.messages import LanguageName, Message, PendingFinding, message, render_title
from registry.record.placeholders import (
    FEWEST_WORDS,
    content_words,
    is_repetition,
    says_something,
)
from registry.record.pointers import pointer, strings_in, values_at
from registry.record.requirements import FieldPath
from registry.record.risk_floor import below_floor
from registry.record.rule_context import RuleContext, remark
from registry.record.rules_pack import OVERSIGHT, PROCEDURE
from registry.text.catalogues import SOURCE
from registry.text.locales import direction
from registry.text.tokens import words

NO_REDRESS = "no_redress"
"""The rule of the public finding that a decision cannot be contested, yet or at all."""

MONTHS_TO_SET_UP = 6
"""The time that an agency may announce for setting up redress, in months."""

_ADVICE = {
    ("risk", "rationale"): message("Say whom the system can harm, and how much."),
    OVERSIGHT: message("Say who looks at the results, when, and what they can change."),
    PROCEDURE: message("Say what to do, where and by when."),
    ("risks", "*", "mitigation"): message("Say what is done against this risk."),
}
"""What each of the texts that are asked for should say."""

_WORDS_OF_A_LAW = 2


def relied_on_says_something(context: RuleContext) -> Iterator[PendingFinding]:
    """R30: The texts that people rely on at high risk say something.

    An error in pilot, in use or suspended for the reasons of the level, human oversight, the
    procedure of contestation and each mitigation; below the risk floor for what R24 asks. In each
    language that it is in, such a text has at least 4 different words beside stop words, those of
    the form, placeholders and denials (`words.csv`); it is not the text of another
    field or language again; and it is written in the letters of its language.
    """
    asked = _asked(context)
    before: dict[tuple[FieldPath, str], list[tuple[str, frozenset[str]]]] = {}
    for path in (*NAMING, *_ADVICE) if asked else ():
        of_form = _words_of_form(path, context.pack.languages)
        for place, text in values_at(context.document, path):
            for tag, written in text.items():
                said = content_words(written, of_form)
                # One measure may mitigate two risks.
                others = [one for key in before if key != (path, tag) for one in before[key]]
                fault = _fault(path, tag, said, others) if path in asked else None
                if fault:
                    yield remark("R30", pointer((*place, tag)), fault)
                before.setdefault((path, tag), []).append((pointer((*place, tag)), said))


def _asked(context: RuleContext) -> Collection[FieldPath]:
    """Return the paths of the texts that must say something; R24 judges reasons itself."""
    if "H" in context.held:
        return _ADVICE if "D" in context.held else ()
    below = below_floor(context)
    if below is None:
        return ()
    return (OVERSIGHT, PROCEDURE) if below[0] == "high" and "D" in context.held else (OVERSIGHT,)


@cache
def _words_of_form(path: FieldPath, languages: tuple[str, ...]) -> frozenset[str]:
    """Return the folded words of a field's title and description, in English and in languages."""
    field = nearest_field(path)
    shown = (field.title, field.schema["description"]) if field else ()
    tags = (SOURCE, *languages)
    return frozenset(
        word for text in shown for tag in tags for word in words(render_title(text, tag, ()))
    )


def _fault(
    path: FieldPath,
    tag: str,
    said: frozenset[str],
    others: Collection[tuple[str, frozenset[str]]],
) -> Message | None:
    """Return what is wrong with a text, given the places and words of others."""
    title, advice = title_at(path), _ADVICE[path]
    same = next((place for place, other in others if is_repetition(said, other)), None)
    if not says_something(said):
        return message(
            "{title}: this says nothing that people can rely on. {advice} At least {number} "
            "different words count; dashes, placeholders, the words of this form and denials do "
            "not.",
            title=title,
            advice=advice,
            number=FEWEST_WORDS,
        )
    rightward = sum("\u0590" <= word[0] <= "\u08ff" for word in said)
    if (2 * rightward > len(said)) != (direction(tag) == "rtl"):
        return message(
            "{title}: this is not in the letters of {language}. Translate it, or state it under "
            "its own language.",
            title=title,
            language=LanguageName(tag=tag),
        )
    if same is not None:
        return message(
            "{title}: this is the text of {place} again. {advice}",
            title=title,
            place=same,
            advice=advice,
        )
    return None


def redress_usable(context: RuleContext) -> Iterator[PendingFinding]:
    """R31: Redress can be used, or it is said by when it can, or which law excludes it.

    An error: `no_legal_effect` contradicts a decision with legal effect; `precluded_by_law` names
    the law; from pilot on, what is `in_progress`, or available from a day to come, is there within
    six months, and states the day; else there is a procedure at high risk in operation. In
    operation, that there is no way yet or at all is the public finding `no_redress`, a warning.
    """
    contestation = context.dig("rights", "contestation") or {}
    available, day = contestation.get("available"), contestation.get("available_on")
    if available == "no_legal_effect" and "legal_effect" in context.held:
        yield remark(
            "R31",
            "/rights/contestation/available",
            message(
                "The decision has legal effect ({place}), so it can be contested. Say how, or mend "
                "what is stated.",
                place="/decision/legal_effect",
            ),
        )
    if available == "precluded_by_law":
        yield from _by_law(context, list(strings_in(contestation.get("law"))))
    elif available == "in_progress" or (day is not None and day > context.today.isoformat()):
        yield from _in_time(context, day)
    elif available and PROCEDURE in _asked(context) and "procedure" not in contestation:
        yield remark(
            "R31",
            pointer(PROCEDURE),
            message(
                "Whoever wants to contest a result must know how. Add {place}: what to do, where "
                "and by when, step by step.",
                place=pointer(PROCEDURE),
            ),
        )


def _in_time(context: RuleContext, day: str | None) -> Iterator[PendingFinding]:
    if "D" not in context.held:
        return
    place = "/rights/contestation/available_on"
    latest = months_after(context.today, MONTHS_TO_SET_UP)
    if day is not None and context.today <= dt.date.fromisoformat(day) <= latest:
        saying = message(
            "The system is in operation, and its results cannot be contested before {date}. This "
            "remark is public.",
            date=day,
        )
        yield remark(NO_REDRESS, "/rights/contestation/available", saying, severity="warning")
        return
    yield remark(
        "R31",
        place,
        message(
            "A system in operation whose results cannot be contested yet says by when they can. "
            "Add {place}: a day from today to {limit}, at most {months} months ahead; or describe "
            "the procedure that there is.",
            place=place,
            limit=latest.isoformat(),
            months=MONTHS_TO_SET_UP,
        ),
    )


def _by_law(context: RuleContext, law: Collection[str]) -> Iterator[PendingFinding]:
    place = "/rights/contestation/law"
    if not law or not all(_names_a_law(written) for written in law):
        saying = message(
            "What a law excludes names the law. Add {place}: its title or number, and the article.",
            place=place,
        )
        yield remark("R31", place, saying)
    elif "D" in context.held:
        saying = message(
            "The system is in operation, and a law excludes that its results are contested. This "
            "remark is public."
        )
        yield remark(NO_REDRESS, "/rights/contestation/available", saying, severity="warning")


def _names_a_law(written: str) -> bool:
    has_number = any(map(str.isdigit, written)) and any(map(str.isalpha, written))
    return has_number or len(content_words(written)) >= _WORDS_OF_A_LAW
