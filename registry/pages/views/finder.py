"""The finder: one box, filters with counts, and the words for codes that its script shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from registry.pages.labels import message
from registry.pages.page import Page, content_page
from registry.pages.reader import (
    Reader,
    Text,
    as_it_is,
    country,
    in_language,
    label,
    language,
    say,
    translated,
)
from registry.pages.site import Site, page
from registry.pages.views.document_view import field_name
from registry.pages.views.static_index import FOLDER
from registry.record.facets import COUNTRY, FACETS, LOCAL, OVERDUE, POINTERS, SINGLE
from registry.record.life_events import LifeEvent, life_events
from registry.record.model import NOT_STATED
from registry.record.origin import Origin
from registry.record.pack import Agency
from registry.text.locales import country_name

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
    "overdue": message("Reviews"),
    "risk_change": message("Change of the level of risk"),
    "undisclosed": message("Not stated, or withheld"),
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
    "missing": message("Not stated"),
    "lang": message("Language of the words"),
    "completeness_min": message("Completeness from"),
    "completeness_max": message("Completeness up to"),
    "changed_since": message("Changed since"),
    "changed_until": message("Changed until"),
    "unchanged_since": message("Unchanged since"),
    "as_of": message("As it was"),
}
"""The filters that an address may have besides."""

TELLING = (
    "/rights/contestation",
    "/rights/human_alternative",
    "/rights/explanation",
    "/decision/human_oversight",
    "/risk/rationale",
    "/data/legal_basis",
    "/assessments",
    "/evaluation/metrics",
    "/evaluation/fairness_tested",
    "/contact/email",
)
"""The fields whose absence tells most, of the many that `missing` knows."""

NOTICED = {
    "below_floor": message("A level of risk lower than follows from the record"),
    "no_redress": message("In operation, with no way yet to contest a decision, or none by law"),
    "R15": message("High risk, with an assessment or a mitigation still to come"),
    "R24": message("A lower level of risk, and contestation not stated yet"),
    "R13": message("Sensitive data hosted abroad"),
    "required": message("Something asked for is not stated"),
    "R22": message("A name close to that of another system"),
    "R25": message("A system filed anew at a lower level"),
    "R26": message("Something where an earlier text was erased"),
    "R20": message("An accountable role that looks like a person’s name"),
    "R19": message("A mailbox that looks like a person’s own"),
    "R03": message("Not yet in a language that is recommended"),
}
"""What may be noticed in a published record, by rule, with what tells most first."""

SORTS = {
    "relevance": message("Best match first"),
    "newest": message("Newest first"),
    "name": message("By name"),
    "completeness": message("Most complete first"),
    "review_due": message("Next review first"),
}
"""The orders of results, by the parameter of the API."""

_SAID = {
    ("origin", LOCAL): message("Filed in this register"),
    ("source_state", "gone"): message("No longer at its source"),
    ("source_state", "present"): message("Still at its source"),
    ("overdue", OVERDUE): message("The review that was promised is overdue"),
    ("risk_change", "raised"): message("The level of risk was raised"),
    ("risk_change", "lowered"): message("The level of risk was lowered"),
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
        events = {event.code: event for event in life_events()}
        self._names = {"agency": agencies, "origin": origins, "life_event": events}

    def listed(self, name: str) -> list[str]:
        """Return the codes of a filter that have words, in their order."""
        told = [code for (filter_, code) in _SAID if filter_ == name]
        if name in POINTERS:
            return [*TELLING]
        if name == COUNTRY:
            return sorted({one.country for one in self._origins.values() if one.country})
        if name in self._names:
            known = self._names[name]
            return [*told, *(code for code, one in known.items() if say(self._reader, one.name))]
        codes = (code for one in FACETS[name].lists for code in self._reader.labels[one])
        return [*told, *codes]

    def word(self, name: str, code: str) -> Text:
        """Return the words for a code."""
        reader = self._reader
        if (name, code) in _SAID:
            return translated(reader, _SAID[name, code])
        if name in POINTERS:
            return field_name(reader, code)
        if name in self._names:
            known = self._names[name].get(code)
            words = (known and say(reader, known.name)) or as_it_is(reader, code)
            land = self._origins[code].country if name == "origin" and known else ""
            if land:
                there = country_name(land, reader.locale.babel)
                words = msgspec.structs.replace(words, text=f"{words.text} ({there})")
            return words
        if name == COUNTRY:
            return country(reader, code)
        if name == "supplier":
            # A name has a language that nobody says.
            return in_language(reader, code, reader.locale.tag)
        return label(reader, FACETS[name].lists, code)


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
        if name != "supplier"
    }
    found["lang"] = {tag: _wording(language(reader, tag)) for tag in reader.pack.languages}
    for name in SINGLE:
        found[name].setdefault(NOT_STATED, _wording(translated(reader, _UNSAID)))
    return found


def _wording(text: Text) -> list[str]:
    """Return `[text]`, with its language where that is not the page's."""
    return [text.text, text.lang] if text.differs else [text.text]
