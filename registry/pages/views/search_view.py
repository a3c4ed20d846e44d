"""The finder filled with an answer of the register, or with what was wrong with the question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup, escape

from registry.errors import InvalidParameter, RegistryError
from registry.pages.labels import message
from registry.pages.reader import (
    Reader,
    Text,
    as_it_is,
    comma_of,
    in_language,
    label,
    language,
    say,
    translated,
)
from registry.pages.views.finder import (
    FURTHER,
    HEADINGS,
    LACKING,
    SORTS,
    FilterLabels,
    finder_view,
)
from registry.record.facets import FACETS, LOCAL, POINTERS
from registry.record.origin import Origin
from registry.record.pack import Agency
from registry.record.search_document import RecordSummary
from registry.search.query import Hit, SearchResult
from registry.text.highlighting import TextSpan

SHOWN = 8
"""The choices of a facet before the rest is folded away."""

COUNTED = (*HEADINGS, *LACKING)
"""The facets that the page counts."""

Pairs: TypeAlias = Sequence[tuple[str, str]]
"""The parameters of an address, as given, without those that are empty."""

_TOLD = message("%(name)s: %(value)s")
_LONGEST = 100
"""Characters of a wrong value that are said again."""

_BY_COUNT = {"agency", "sector", "origin", "territory", "affected", "supplier"}
_HEADS = ("/name", "/summary")
_NAMES = {
    **HEADINGS,
    **LACKING,
    **FURTHER,
    "q": message("Words"),
    "sort": message("Order"),
}
_READ_CARD = msgspec.json.Decoder(RecordSummary).decode


class SearchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A question and its answer.

    `asked` are the parameters of the address, without the cursor. Where they name no origin,
    `result` is of those in `origin`: `local`, or where nothing was filed here, the other registers;
    `elsewhere` has the number of records in each of these. `next` is the cursor of the next page,
    `goes_on` whether this is not the first. `agencies` and `origins` have the names of all in the
    answer.
    """

    asked: Pairs
    result: SearchResult
    next: str | None
    goes_on: bool
    origin: Sequence[str]
    elsewhere: Mapping[str, int]
    agencies: Mapping[str, Agency]
    origins: Mapping[str, Origin]


def search_view(reader: Reader, day: str, searched: SearchAnswer) -> dict[str, Any]:
    """Build the page of an answer."""
    asked, result = searched.asked, searched.result
    known = FilterLabels(reader, searched.agencies, searched.origins)
    words = next((value for name, value in asked if name == "q"), "")
    filters = [pair for pair in asked if pair[0] not in {"q", "sort"}]
    chosen: dict[str, list[str]] = {}
    for name, code in filters:
        chosen.setdefault(name, []).append(plain_code(name, code))
    question = [*asked, *(("origin", code) for code in searched.origin)]
    is_foreign = bool(searched.origin) and LOCAL not in searched.origin
    exported = [pair for pair in question if pair[0] != "sort"]
    labelled = [] if reader.tag == "en" else [("labels", reader.tag)]
    view = finder_view(day)
    for facets in (view["facets"], view["lacking"]):
        for facet in facets:
            name = facet["name"]
            facet.update(_choices(name, result, chosen.get(name, []), known))
    return view | {
        "asked": _form(asked),
        "answer": {
            "total": result.total,
            "whole_country": result.whole_country,
            "named": [
                _named(reader, searched.agencies, one.kind, one.code, one.records)
                for one in result.named
            ],
            "mended": result.mended
            and {"words": result.mended, "query": _replaced(asked, "q", result.mended)},
            "partial": result.partial
            and {
                "words": result.partial.words,
                "query": _replaced(asked, "q", result.partial.words),
                "missing": result.partial.missing,
                "hits": [_hit(reader, known, hit) for hit in result.partial.hits],
            },
            "suggestion": result.suggestion
            and {"words": result.suggestion, "query": _replaced(asked, "q", result.suggestion)},
            "typed": words,
            "chips": [
                {
                    "name": translated(reader, _NAMES[name]),
                    "value": _word(reader, known, name, plain_code(name, code)),
                    "query": _query(one for one in asked if one != (name, code)),
                }
                for name, code in filters
            ],
            "cleared": _query(pair for pair in asked if pair[0] in {"q", "sort"}),
            "hits": [_hit(reader, known, hit) for hit in result.hits],
            "foreign": is_foreign,
            "here": _here(searched),
            "back": _query(pair for pair in asked if pair[0] != "origin"),
            "elsewhere": 0 if is_foreign else sum(searched.elsewhere.values()),
            "others": _query([*asked, *(("origin", code) for code in searched.elsewhere)]),
            "registers": [
                {
                    "name": known.word("origin", code),
                    "n": count,
                    "query": _query([*asked, ("origin", code)]),
                }
                for code, count in searched.elsewhere.items()
            ],
            "first": _query(asked) if searched.goes_on else None,
            "next": searched.next
            and _query([*(question if is_foreign else asked), ("cursor", searched.next)]),
            "followed": _query(exported),
            "call": _query([*question, ("reader", reader.tag)]),
            "files": {
                "csv": _query([*exported, *labelled]),
                "xlsx": _query([*exported, *labelled]),
                "jsonl": _query(exported),
            },
            "lacking": any(name in chosen for name in LACKING),
        },
    }


def refusal_view(reader: Reader, day: str, asked: Pairs, error: RegistryError) -> dict[str, Any]:
    """Build the page of a question that has no answer; `asked` may have a cursor."""
    known = FilterLabels(reader, reader.pack.agencies, {})
    fault: dict[str, Any] = {"kind": "down", "nearest": None}
    if isinstance(error, InvalidParameter):
        name, near = error.parameter, error.nearest
        same = [pair for pair in asked if pair[0] != "cursor"]
        values = [value for given, value in asked if given == name]
        wrong = [one for one in values if plain_code(name, one) == error.value] or values
        fault = {
            "kind": "value",
            "name": translated(reader, _NAMES[name]) if name in _NAMES else None,
            "given": name,
            "value": _shortened(wrong[-1] if wrong else ""),
            "nearest": None,
            "without": _query(pair for pair in same if pair[0] != name),
        }
        if name == "cursor":
            fault["kind"] = "cursor"
        elif name not in _NAMES:
            fault["kind"] = "parameter"
            if near is not None:
                renamed = [(near if given == name else given, value) for given, value in same]
                words = (
                    translated(reader, _NAMES[near]) if near in _NAMES else as_it_is(reader, near)
                )
                fault["nearest"] = {"words": words, "query": _query(renamed)}
        elif error.value is not None:
            fault["kind"] = "code"
            if near is not None:
                mended = [
                    (
                        given,
                        near
                        if given == name and plain_code(given, value) == error.value
                        else value,
                    )
                    for given, value in same
                ]
                fault["nearest"] = {
                    "words": _word(reader, known, name, near),
                    "query": _query(mended),
                }
    return finder_view(day) | {"asked": _form(asked), "fault": fault}


def question_words(reader: Reader, asked: Pairs) -> str:
    """Return a question in the reader's words, on one line, empty where nothing is asked."""
    known = FilterLabels(reader, reader.pack.agencies, {})
    said = [f"“{value}”" for name, value in asked if name == "q"]
    for name, code in asked:
        if name in _NAMES and name not in {"q", "sort"}:
            value = _word(reader, known, name, plain_code(name, code))
            told = translated(reader, _NAMES[name])
            said.append(translated(reader, _TOLD).text % {"name": told.text, "value": value.text})
    return comma_of(reader).join(said)


def plain_code(name: str, code: str) -> str:
    """Return a code as the register writes it: a field is a pointer, however it was named."""
    if name in POINTERS and not code.startswith("/"):
        return "/" + code.replace(".", "/")
    return code


def _form(asked: Pairs) -> dict[str, Any]:
    """Return what the form holds: words, order, and as hidden fields what it shows nowhere."""
    given = dict(asked)
    hidden = [pair for pair in asked if pair[0] in FURTHER]
    return {"q": given.get("q", ""), "sort": given.get("sort", ""), "hidden": hidden}


def _here(searched: SearchAnswer) -> int:
    """Return how many records were filed here, where only those of others are shown."""
    chosen = [value for name, value in searched.asked if name == "origin"]
    if not chosen or LOCAL in chosen:
        return 0
    return next((one.count for one in searched.result.facets["origin"] if one.code == LOCAL), 0)


def _choices(
    name: str, result: SearchResult, chosen: Sequence[str], known: FilterLabels
) -> dict[str, Any]:
    """Return the choices of a facet: by count, or in the order of their list.

    Of what is lacking only what tells most; of many the first, and those that are chosen.
    """
    counts = {one.code: one.count for one in result.facets[name]}
    counts |= {code: 0 for code in chosen if code not in counts}
    codes = list(counts)
    if name not in _BY_COUNT:
        others = chosen if name in LACKING else codes
        codes = list(
            dict.fromkeys([*(code for code in known.listed(name) if code in counts), *others])
        )
    rows = [
        {"code": code, "what": known.word(name, code), "n": counts[code], "chosen": code in chosen}
        for code in codes
    ]
    is_long = len(rows) > SHOWN + 2
    seen = [row for at, row in enumerate(rows) if not is_long or at < SHOWN or row["chosen"]]
    return {
        "choices": seen,
        "rest": [row for row in rows if row not in seen],
        "shown": bool(chosen) or len(rows) >= (2 if name in HEADINGS else 1),
    }


def _named(
    reader: Reader, agencies: Mapping[str, Agency], kind: str, code: str, records: int
) -> dict[str, Any]:
    if kind == "agency":
        words = say(reader, agencies[code].name) or as_it_is(reader, code)
        return {"kind": kind, "path": f"agencies/{code}", "name": words, "records": records}
    words = label(reader, "sector", code)
    return {"kind": kind, "path": f"sectors/{code}", "name": words, "records": records}


def _word(reader: Reader, known: FilterLabels, name: str, code: str) -> Text:
    if name in FACETS:
        return known.word(name, code)
    if name == "sort":
        return translated(reader, SORTS[code])
    if name == "lang":
        return language(reader, code)
    return Text(text=code, lang=reader.locale.tag, dir="ltr", differs=False)


def _hit(reader: Reader, known: FilterLabels, hit: Hit) -> dict[str, Any]:
    """Return a result as lists show records, with what was found in it marked."""
    card = _READ_CARD(hit.card)
    name, summary = say(reader, card.name), say(reader, card.summary)
    marks = {(one.field, one.lang, one.text): one.marks for one in hit.highlights}

    def of(field: str, text: Text | None) -> Markup | None:
        if text is None:
            return None
        return marked(text.text, marks.get((field, text.lang, text.text), ()))

    passages = [one for one in hit.highlights if one.field not in _HEADS]
    passage = None
    if passages:
        first = passages[0]
        passage = in_language(reader, first.text, first.lang or "en")
    return {
        "id": card.id,
        "name": name,
        "summary": summary,
        "agency": {"id": card.agency, "name": known.word("agency", card.agency)},
        "risk": label(reader, "risk_level", card.risk),
        "status": label(reader, "status", card.status),
        "sector": label(reader, "sector", card.sector),
        "origin": card.origin,
        "gone_since": None,
        "fictitious": card.fictitious,
        "found": {
            "name": of("/name", name),
            "summary": of("/summary", summary),
            "passage": passage
            and Markup("<span{}>{}</span>").format(
                passage.attrs, marked(passage.text, passages[0].marks)
            ),
            "origin": known.word("origin", card.origin or LOCAL),
        },
    }


def marked(text: str, marks: Iterable[TextSpan]) -> Markup:
    """Return a text with what was found marked, everything else escaped."""
    pieces, done = [], 0
    for start, end in marks:
        pieces += [escape(text[done:start]), Markup("<mark>{}</mark>").format(text[start:end])]
        done = end
    return Markup().join([*pieces, escape(text[done:])])


def _replaced(asked: Pairs, name: str, value: str) -> str:
    return _query((given, value if given == name else old) for given, old in asked)


def _query(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a query string with its question mark, empty where nothing is asked."""
    written = urlencode(list(pairs))
    return f"?{written}" if written else ""


def _shortened(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
