"""The finder: one box, filters with counts; empty, with an answer, or with a fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup, escape

from registry.errors import InvalidParameter, RegistryError
from registry.pages.labels import law_words, message
from registry.pages.observations import WORDS
from registry.pages.page import Page, content_page
from registry.pages.reader import (
    Reader,
    Text,
    as_it_is,
    comma_of,
    country,
    in_language,
    label,
    language,
    reader_of_origin,
    say,
    translated,
)
from registry.pages.site import Site, page
from registry.pages.views.document_view import field_title
from registry.pages.views.finder_words import ANSWERS, NOTICED, SORTS, TELLING
from registry.pages.views.static_index import FOLDER
from registry.record.dimensions import PUBLISHED_AT
from registry.record.facets import (
    BY_FACTS,
    COUNTRY,
    ENDS,
    FACETS,
    KIND,
    LOCAL,
    OBSERVATION,
    OVERDUE,
    SINGLE,
    WITH_BODIES,
    DimensionValues,
    filter_named,
    stated_values,
)
from registry.record.facts import AnswerCounts, facts
from registry.record.life_events import LifeEvent, life_events
from registry.record.model import NOT_STATED
from registry.record.origin import Origin
from registry.record.pack import Agency
from registry.record.schema import required_field
from registry.record.search_document import RecordSummary
from registry.search.query import Hit, SearchResult
from registry.text.highlighting import TextSpan
from registry.text.locales import country_name
from registry.text.typesetting import typeset

_UNSAID = message("Not stated")

HEADINGS = {
    "risk": message("Level of risk"),
    "sector": message("Sector"),
    "agency": message("Agency"),
    "life_event": message("Subject of the decision"),
    "territory": message("Where it applies"),
    "affected": message("Whom it concerns"),
    "status": message("Status"),
    "role": message("Part in the decision"),
    "contestation": message("Contesting a decision"),
    "personal_data": message("Personal data"),
    "supplier": message("Supplier"),
    "origin": message("From which register"),
}
"""The filters that one chooses from, in their order, by the parameter of the API."""

LACKING = {
    OBSERVATION: message("What the record itself shows"),
    "overdue": message("Reviews"),
    "risk_change": message("Change of the level of risk"),
    "lacks": message("Not stated, asked for or not"),
    "withheld": message("Ground on which fields are withheld"),
    "restricted": message("Ground on which the record is restricted"),
    "finding": message("What validation noticed"),
    "source_state": message("At the source"),
}
"""The filters by what is missing or was noticed, which only the register can answer."""

FURTHER = {
    "country": message("Country of the register"),
    "function": message("What it does"),
    "area": message("Area of the EU AI Act"),
    "technique": message("Technique"),
    "has": message("Stated"),
    "lang": message("Language of the words"),
    "completeness_min": message("Completeness from"),
    "completeness_max": message("Completeness up to"),
    "changed_since": message("Changed since"),
    "changed_until": message("Changed until"),
    "unchanged_since": message("Unchanged since"),
    "as_of": message("As it was"),
}
"""The filters that an address may have besides."""

_SAID = {
    ("origin", LOCAL): message("Filed in this register"),
    ("source_state", "gone"): message("No longer at its source"),
    ("source_state", "present"): message("Still at its source"),
    ("overdue", OVERDUE): message("The review that was promised is overdue"),
    ("risk_change", "raised"): message("The level of risk was raised"),
    ("risk_change", "lowered"): message("The level of risk was lowered"),
    **{(OBSERVATION, code): sentence for code, (sentence, _) in WORDS.items()},
    **{("finding", rule): wording for rule, wording in NOTICED.items()},
}
"""What is said of codes that no list has, by filter and code."""


class FilterLabels:
    """The words for the codes of filters, to one reader.

    `agencies` and `origins` are those agencies and registers that have names, by code.
    """

    def __init__(
        self, reader: Reader, agencies: Mapping[str, Agency], origins: Mapping[str, Origin]
    ) -> None:
        """Take the reader, and names that no list has."""
        self._reader = reader
        self._origins = origins
        self._names: Mapping[str, Mapping[str, Agency | Origin | LifeEvent]]
        self._law = {row.code: row for row in reader.pack.requirements}
        events = {event.code: event for event in life_events()}
        self._names = {
            "agency": agencies,
            WITH_BODIES: agencies,
            "origin": origins,
            "life_event": events,
        }

    def listed(self, name: str) -> list[str]:
        """Return the codes of a filter that have words, in their order."""
        told = [code for (filter_, code) in _SAID if filter_ == name]
        if name in BY_FACTS:
            return [*TELLING]
        if name == COUNTRY:
            return sorted({one.country for one in self._origins.values() if one.country})
        if name in self._names:
            known = self._names[name]
            return [*told, *(code for code, one in known.items() if say(self._reader, one.name))]
        codes = (code for one in FACETS[name].lists for code in self._reader.labels[one])
        return [*told, *codes, *(self._law if name == "finding" else ())]

    def word(self, name: str, code: str) -> Text:
        """Return the words for a code."""
        reader = self._reader
        if (name, code) in _SAID:
            return translated(reader, _SAID[name, code])
        if name == "finding" and code in self._law:
            return law_words(reader, self._law[code])
        if name in BY_FACTS:
            return fact_title(reader, code)
        if name.startswith(KIND):
            return translated(reader, ANSWERS[code])
        if (of := stated_values(name)) is not None:
            return self._value(of, code)
        return self._named(name, code) if name in self._names else self._labelled(name, code)

    def _value(self, of: DimensionValues, value: str) -> Text:
        reader, dimension = self._reader, of.dimension
        if dimension.kind == "code":
            return label(reader, dimension.lists, value)
        if dimension.kind == "boolean":
            return label(reader, "answer", _YES_NO.get(value, value))
        if dimension.field is not None and dimension.field.holds == "country":
            return country(reader, value)
        if dimension.kind == "name":
            return in_language(reader, value, reader.locale.tag)
        return as_it_is(reader, f"{_SIGNS[of.end]}{value}")

    def _named(self, name: str, code: str) -> Text:
        known = self._names[name].get(code)
        words = (known and say(self._reader, known.name)) or as_it_is(self._reader, code)
        land = self._origins[code].country if name == "origin" and known else ""
        if land:
            there = country_name(land, self._reader.locale.babel)
            words = msgspec.structs.replace(words, text=f"{words.text} ({there})")
        return words

    def _labelled(self, name: str, code: str) -> Text:
        reader = self._reader
        if name == COUNTRY:
            return country(reader, code)
        if name == "supplier":
            # A name has a language that nobody says.
            return in_language(reader, code, reader.locale.tag)
        lists = FACETS[name].lists
        known = (reader, *(reader_of_origin(reader, one) for one in self._origins.values()))
        has = (one for one in known if any(code in one.labels[each] for each in lists))
        return label(next(has, reader), lists, code)


def finder_pages(site: Site) -> Iterator[Page]:
    """Yield the finder in each language, with its labels."""
    for tag, edition in site.editions.items():
        day = site.snapshot.as_of.date().isoformat()
        view = partial(finder_view, day)
        yield page(site, tag, "search", template="search.html", key=day, view=view)
        content = msgspec.json.encode(labels(edition.reader, site))
        yield content_page(f"{FOLDER}/{tag}.json", content)


def finder_view(day: str) -> dict[str, Any]:
    """Build the finder before anything is asked, on a day."""
    empty = {"choices": [], "rest": [], "shown": True}
    return {
        "facets": [{"name": name, "title": title, **empty} for name, title in HEADINGS.items()],
        "lacking": [{"name": name, "title": title, **empty} for name, title in LACKING.items()],
        "sorts": SORTS,
        "as_of": day,
        "answer": None,
        "fault": None,
        "further": FURTHER,
        "asked": {"q": "", "sort": "", "hidden": []},
    }


def labels(reader: Reader, site: Site) -> dict[str, dict[str, list[str]]]:
    """Return the labels of every code by filter: `[text]`, and its language if not the page's."""
    known = FilterLabels(reader, site.snapshot.agencies, site.snapshot.origins)
    found = {
        name: {code: _wording(known.word(name, code)) for code in known.listed(name)}
        for name in FACETS
        if name not in {"supplier", "has"}
    }
    found["fact"] = {fact: _wording(fact_title(reader, fact)) for fact in facts()}
    found[KIND] = {kind: _wording(translated(reader, said)) for kind, said in ANSWERS.items()}
    found["lang"] = {tag: _wording(language(reader, tag)) for tag in reader.pack.languages}
    for name in SINGLE:
        found[name].setdefault(NOT_STATED, _wording(translated(reader, _UNSAID)))
    return found


def _wording(text: Text) -> list[str]:
    """Return `[text]`, with its language where that is not the page's."""
    return [text.text, text.lang] if text.differs else [text.text]


SHOWN = 8
"""The choices of a facet before the rest is folded away."""

COUNTED = (*HEADINGS, *LACKING)
"""The facets that the page counts."""

Pairs: TypeAlias = Sequence[tuple[str, str]]
"""The parameters of an address, as given, without those that are empty."""

_QUOTED = message("“%(value)s”")
_TOLD = message("%(name)s: %(value)s")
_LONGEST = 100
"""Characters of a wrong value that are said again."""

_BY_COUNT = {"agency", "sector", "origin", "territory", "affected", "supplier"}
_YES_NO = {"true": "yes", "false": "no"}
_SIGNS = {"": "", "from": "≥ ", "until": "≤ "}
_HEADS = ("/name", "/summary")
_NAMES = {
    **HEADINGS,
    **LACKING,
    **FURTHER,
    "q": message("Words"),
    "sort": message("Order"),
    **dict.fromkeys(
        (PUBLISHED_AT, *(f"{PUBLISHED_AT}.{end}" for end in ENDS)), message("Day of publication")
    ),
    WITH_BODIES: message("Agency, with the bodies under it"),
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
        chosen.setdefault(name, []).append(code)
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
            and {"words": result.mended, "query": _replaced(asked, result.mended)},
            "partial": result.partial
            and {
                "words": result.partial.words,
                "query": _replaced(asked, result.partial.words),
                "missing": result.partial.missing,
                "hits": [_hit(reader, known, hit) for hit in result.partial.hits],
            },
            "suggestion": result.suggestion
            and {"words": result.suggestion, "query": _replaced(asked, result.suggestion)},
            "typed": words,
            "chips": [
                {
                    "name": filter_title(reader, name),
                    "value": word_of(reader, known, name, code),
                    "query": _query(one for one in asked if one != (name, code)),
                }
                for name, code in filters
            ],
            "cleared": _query(pair for pair in asked if pair[0] in {"q", "sort"}),
            "hits": [_hit(reader, known, hit) for hit in result.hits],
            "kinds": [
                {"name": fact_title(reader, fact), "counts": result.kinds.get(fact, AnswerCounts())}
                for fact in facts_asked(asked)
            ],
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
        wrong = [one for one in values if one == error.value] or values
        fault = {
            "kind": "value",
            "name": filter_title(reader, name) if _is_known(name) else None,
            "given": name,
            "value": _shortened(wrong[-1] if wrong else ""),
            "nearest": None,
            "without": _query(pair for pair in same if pair[0] != name),
        }
        if name == "cursor":
            fault["kind"] = "cursor"
        elif not _is_known(name):
            fault["kind"] = "parameter"
            if near is not None:
                renamed = [(near if given == name else given, value) for given, value in same]
                words = filter_title(reader, near) if _is_known(near) else as_it_is(reader, near)
                fault["nearest"] = {"words": words, "query": _query(renamed)}
        elif error.value is not None:
            fault["kind"] = "code"
            if near is not None:
                mended = [
                    (given, near if (given, value) == (name, error.value) else value)
                    for given, value in same
                ]
                fault["nearest"] = {
                    "words": word_of(reader, known, name, near),
                    "query": _query(mended),
                }
    return finder_view(day) | {"asked": _form(asked), "fault": fault}


def question_words(reader: Reader, asked: Pairs) -> str:
    """Return a question in the reader's words, on one line, empty where nothing is asked."""
    known = FilterLabels(reader, reader.pack.agencies, {})
    quoted = translated(reader, _QUOTED).text
    said = [quoted % {"value": value} for name, value in asked if name == "q"]
    for name, code in asked:
        if _is_known(name) and name not in {"q", "sort"}:
            value = word_of(reader, known, name, code)
            told = filter_title(reader, name)
            said.append(translated(reader, _TOLD).text % {"name": told.text, "value": value.text})
    return comma_of(reader).join(said)


def facts_asked(asked: Pairs) -> list[str]:
    """Return the facts of which a question asks how records answer, each once."""
    named = [
        code if name in BY_FACTS else name.removeprefix(KIND)
        for name, code in asked
        if name in BY_FACTS or name.startswith(KIND)
    ]
    return [fact for fact in dict.fromkeys(named) if fact in facts()]


def fact_title(reader: Reader, fact: str) -> Text:
    """Return the name of a fact, to the reader."""
    if (known := facts().get(fact)) is None:
        return as_it_is(reader, fact)
    path = known.field.path
    places = [path[:length] for length in range(1, len(path) + 1) if path[length - 1] != "*"]
    titles = [field_title(reader, one) for one in places if not required_field(one).is_section]
    return msgspec.structs.replace(titles[-1], text=" · ".join(one.text for one in titles))


def _is_known(name: str) -> bool:
    return name in _NAMES or filter_named(name) is not None


def filter_title(reader: Reader, name: str) -> Text:
    """Return the name of a parameter, to the reader."""
    if name in _NAMES:
        return translated(reader, _NAMES[name])
    of = stated_values(name)
    return fact_title(reader, name.removeprefix(KIND) if of is None else of.dimension.name)


def _form(asked: Pairs) -> dict[str, Any]:
    """Return what the form holds: words, order, and as hidden fields what it shows nowhere."""
    given = dict(asked)
    hidden = [
        pair
        for pair in asked
        if pair[0] in FURTHER or (pair[0] not in COUNTED and filter_named(pair[0]) is not None)
    ]
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


def word_of(reader: Reader, known: FilterLabels, name: str, code: str) -> Text:
    """Return the words for the value of a parameter, to the reader."""
    if filter_named(name) is not None:
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
    marks = {
        (one.field, one.lang, typeset(one.text, one.lang or "")): one.marks
        for one in hit.highlights
    }

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


def _replaced(asked: Pairs, words: str) -> str:
    return _query((given, words if given == "q" else old) for given, old in asked)


def _query(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a query string with its question mark, empty where nothing is asked."""
    written = urlencode(list(pairs))
    return f"?{written}" if written else ""


def _shortened(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
