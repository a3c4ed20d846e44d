"""The page of an answer that is kept: what was asked, its code and digest, how to verify it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from registry.pages.labels import message
from registry.pages.reader import Reader, Text, as_it_is, say, translated
from registry.pages.views.events import KINDS
from registry.pages.views.finder import FilterLabels, filter_title, word_of
from registry.pages.views.finder_words import ANSWERS
from registry.record.facets import filter_named
from registry.record.origin import Origin
from registry.record.pack import Agency

_SAID_ELSEWHERE = {"as_of", "reader", "limit"}
"""What the day and the page show of a question."""

_OF_ANSWER = {"by", "facets", "columns", "labels", "safe", "cursor", "receipt"}
"""What the finder has no form for."""

_BUSY, _TOO_LONG = {429, 503}, 413
_SAME_WORDS = {"ground": "withheld"}
"""A grouping of statistics whose codes are those of a filter."""

_SHARE = message("Completeness")


def receipt_view(
    reader: Reader,
    receipt: Mapping[str, Any],
    agencies: Mapping[str, Agency],
    origins: Mapping[str, Origin],
) -> dict[str, Any]:
    """Return the page of a receipt, by its members and the name of its `file`.

    Of an answer it shows what people count by: the total, the names of the records, the cells of a
    table, the counts of facets, the entries of a list of changes; the file has all of it. A
    question that limits what is listed is one for the counts.
    """
    known = FilterLabels(reader, agencies, origins)
    asked = parse_qsl(receipt["question"].partition("?")[2])
    answer = receipt["answer"] if isinstance(receipt["answer"], dict) else {}
    by = [name for name in dict(asked).get("by", "").split(",") if name]
    facets = answer.get("facets", {})
    items = answer.get("items", ())
    is_part = "limit" in dict(asked) and len(items) < answer.get("total", 0)
    moment = dict(asked)["as_of"]

    def title(name: str) -> Text:
        if name == "completeness_range":
            return translated(reader, _SHARE)
        name = _SAME_WORDS.get(name, name).partition(":")[0]
        is_known = name in {"q", "lang", "sort"} or filter_named(name)
        return filter_title(reader, name) if is_known else as_it_is(reader, name)

    def value_in(name: str, group: Mapping[str, Any]) -> Text:
        if group["value"] is None:
            return translated(reader, ANSWERS[group["kind"]])
        return word_of(reader, known, name, group["value"])

    def group_in(name: str, group: Mapping[str, Any]) -> Text:
        return word_of(reader, known, _SAME_WORDS.get(name, name), group[name])

    crossed = [
        ([value_in(*pair) for pair in zip(by, one["groups"], strict=True)], one["records"])
        for one in answer.get("cells", ())
    ]
    parts = {part: answer[part] for part in ("local", "foreign") if part in answer}
    grouped = {
        part: [([group_in(name, one) for name in by], one["records"]) for one in of["groups"]]
        for part, of in parts.items()
        if by
    }
    is_crossed = crossed or any(grouped.values())
    shown = _SAID_ELSEWHERE | ({"facets"} if facets else set()) | ({"by"} if is_crossed else set())

    return {
        "fault": None,
        "receipt": receipt,
        "day": receipt["at"][:10],
        "day_asked": None if moment.startswith("entry:") else moment[:10],
        "asked": [
            (title(name), word_of(reader, known, name, value))
            for name, value in asked
            if name not in shown
        ],
        "words": dict(asked).get("q"),
        "mended": receipt.get("mended") or answer.get("mended"),
        "total": answer.get("total"),
        "parts": [(name, of["records"], grouped.get(name)) for name, of in parts.items()],
        "records": [
            (one["id"], say(reader, one["name"])) for one in items if "id" in one and not is_part
        ],
        "entries": [_entry_row(reader, known, one) for one in items if "entry" in one]
        if "size" in answer
        else None,
        "tables": [
            (
                title(name),
                [(word_of(reader, known, name, one["code"]), one["count"]) for one in counts]
                + [
                    (translated(reader, ANSWERS[kind]), records)
                    for kind, records in answer["kinds"].get(name, {}).items()
                    if records and kind in ANSWERS.keys() - {"stated"}
                ],
            )
            for name, counts in facets.items()
        ],
        "by": [title(name) for name in by],
        "crossed": crossed,
    }


def _entry_row(reader: Reader, known: FilterLabels, one: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of a list of changes: what happened, to what, on which day."""
    entry = one["entry"]
    is_new = (entry["kind"], entry.get("version")) == ("version", 1)
    kind = "new" if is_new else entry.get("state", entry["kind"])
    named = [name for name in ("agency", "origin") if name in entry]
    about = None
    if "id" in entry:
        about = as_it_is(reader, entry["id"])
    elif named:
        about = known.word(named[0], entry[named[0]])
    return {"kind": KINDS[kind], "about": about, "day": entry["at"][:10], "index": one["index"]}


def unkept_view(asked: Sequence[tuple[str, str]] | None, status: int) -> dict[str, Any]:
    """Return the page of a question that has no answer to keep, by the status that it got.

    It leads to the finder with what that knows of the question; `asked` is None where there is no
    question.
    """
    found = "busy" if status in _BUSY else "long" if status == _TOO_LONG else "refused"
    query = urlencode([pair for pair in asked or () if pair[0] not in _SAID_ELSEWHERE | _OF_ANSWER])
    return {"fault": "none" if asked is None else found, "mend": f"search?{query}".rstrip("?")}
