"""The page of an answer that is kept: what was asked, its code and digest, how to verify it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from registry.pages.reader import Reader, Text, as_it_is, say, translated
from registry.pages.views.finder import FilterLabels, filter_title, word_of
from registry.pages.views.finder_words import ANSWERS
from registry.record.facets import filter_named
from registry.record.origin import Origin
from registry.record.pack import Agency

_SAID_ELSEWHERE = {"as_of", "reader", "limit"}
"""What the day and the page show of a question."""


def receipt_view(
    reader: Reader,
    receipt: Mapping[str, Any],
    agencies: Mapping[str, Agency],
    origins: Mapping[str, Origin],
) -> dict[str, Any]:
    """Return the page of a receipt, by its members and the name of its `file`.

    Of an answer it shows what people count by: the total, the names of the records, the cells of a
    table, the counts of facets; the file has all of it. A question that limits what is listed is
    one for the counts.
    """
    known = FilterLabels(reader, agencies, origins)
    asked = parse_qsl(receipt["question"].partition("?")[2])
    answer = receipt["answer"] if isinstance(receipt["answer"], dict) else {}
    cells = answer.get("cells", ())
    by = dict(asked).get("by", "").split(",") if cells else []

    facets = answer.get("facets", {})
    shown = _SAID_ELSEWHERE | ({"by"} if cells else set()) | ({"facets"} if facets else set())
    items = answer.get("items", ())
    is_part = "limit" in dict(asked) and len(items) < answer.get("total", 0)
    moment = dict(asked)["as_of"]

    def title(name: str) -> Text:
        name = name.partition(":")[0]
        is_known = name in {"q", "lang", "sort"} or filter_named(name)
        return filter_title(reader, name) if is_known else as_it_is(reader, name)

    def value_in(name: str, group: Mapping[str, Any]) -> Text:
        if group["value"] is None:
            return translated(reader, ANSWERS[group["kind"]])
        return word_of(reader, known, name, group["value"])

    return {
        "receipt": receipt,
        "day": receipt["at"][:10],
        "day_asked": None if moment.startswith("entry:") else moment[:10],
        "asked": [
            (title(name), word_of(reader, known, name, value))
            for name, value in asked
            if name not in shown
        ],
        "total": answer.get("total"),
        "parts": [
            (name, answer[name]["records"]) for name in ("local", "foreign") if name in answer
        ],
        "records": [(one["id"], say(reader, one["name"])) for one in items if not is_part],
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
        "cells": [
            ([value_in(*pair) for pair in zip(by, one["groups"], strict=True)], one["records"])
            for one in cells
        ],
    }
