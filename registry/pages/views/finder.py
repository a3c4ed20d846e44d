"""The finder: one box, filters with counts, and the words for codes that its script shows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from registry.pages.labels import message
from registry.pages.page import Page, content_page
from registry.pages.reader import Reader, Text, label, language, say
from registry.pages.site import Site, page
from registry.pages.views.document_view import field_name
from registry.pages.views.static_index import FOLDER
from registry.record.entry import NOT_STATED
from registry.record.facets import FACETS, LOCAL, OVERDUE, SINGLE
from registry.text.catalogues import find

HEADINGS = {
    "risk": message("Level of risk"),
    "sector": message("Sector"),
    "agency": message("Agency"),
    "territory": message("Where it applies"),
    "affected": message("Whom it concerns"),
    "status": message("Status"),
    "role": message("Part in the decision"),
    "contestation": message("Contesting a decision"),
    "personal_data": message("Personal data"),
    "origin": message("From which register"),
}
"""The filters that one chooses from, in their order, by the parameter of the API."""

LACKING = {
    "overdue": message("Reviews"),
    "missing": message("Not stated"),
    "finding": message("What validation noticed"),
}
"""The filters by what is missing or was noticed, which only the register can answer."""

FURTHER = {
    "function": message("What it does"),
    "area": message("Area of the EU AI Act"),
    "technique": message("Technique"),
    "supplier": message("Supplier"),
    "withheld": message("Ground on which fields are withheld"),
    "restricted": message("Ground on which the record is restricted"),
    "risk_change": message("Change of the level of risk"),
    "lang": message("Language of the words"),
    "completeness_min": message("Completeness from"),
    "completeness_max": message("Completeness up to"),
    "changed_since": message("Changed since"),
    "changed_until": message("Changed until"),
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
    "R15": message("High risk, with an assessment or a mitigation still to come"),
    "R24": message("A lower level of risk, and contestation not stated yet"),
    "R13": message("Sensitive data hosted abroad"),
    "required": message("Something asked for is not stated"),
    "R22": message("A name close to that of another system"),
    "R20": message("An accountable role that looks like a person’s name"),
    "R19": message("A mailbox that looks like a person’s own"),
    "R03": message("Not yet in a language that is recommended"),
}
"""What may be noticed in a published record, by rule, with what tells most first."""

_RISK_CHANGES = {
    "raised": message("The level of risk was raised"),
    "lowered": message("The level of risk was lowered"),
}
_OVERDUE = message("The review that was promised is overdue")
_HERE = message("Filed in this register")
_UNSAID = message("Not stated")


def finder_pages(site: Site) -> Iterator[Page]:
    """Yield the finder in each language, with its labels."""
    for tag, edition in site.editions.items():
        day = site.snapshot.as_of.date().isoformat()
        known = {
            "facets": HEADINGS,
            "lacking": LACKING,
            "further": FURTHER,
            "as_of": day,
        }
        yield page(site, tag, "search", template="search.html", key=day, view=partial(dict, known))
        content = msgspec.json.encode(labels(edition.reader, site))
        yield content_page(f"{FOLDER}/{tag}.json", content)


def labels(reader: Reader, site: Site) -> dict[str, dict[str, list[str]]]:
    """Return the labels of every code by filter: `[text]`, and its language if not the page's."""
    snapshot = site.snapshot
    unsaid, here = _saying(reader, _UNSAID), _saying(reader, _HERE)
    found = {
        name: {code: _wording(label(reader, codelist, code)) for code in reader.labels[codelist]}
        for name, facet in FACETS.items()
        for codelist in facet.lists
    }
    for name in SINGLE:
        if name in found:
            found[name].setdefault(NOT_STATED, unsaid)
    for name, known in (("agency", snapshot.agencies), ("origin", snapshot.origins)):
        names = {code: say(reader, one.name) for code, one in known.items()}
        found[name] = {code: _wording(text) for code, text in names.items() if text}
    found["origin"] = {LOCAL: here} | found["origin"]
    found["lang"] = {tag: _wording(language(reader, tag)) for tag in reader.pack.languages}
    found["risk_change"] = {code: _saying(reader, text) for code, text in _RISK_CHANGES.items()}
    found["overdue"] = {OVERDUE: _saying(reader, _OVERDUE)}
    found["missing"] = {pointer: _wording(field_name(reader, pointer)) for pointer in TELLING}
    found["finding"] = {rule: _saying(reader, wording) for rule, wording in NOTICED.items()}
    return found


def _wording(text: Text) -> list[str]:
    """Return `[text]`, with its language where that is not the page's."""
    return [text.text, text.lang] if text.differs else [text.text]


def _saying(reader: Reader, wording: str) -> list[str]:
    tag, said = find(reader.catalogues, reader.order, wording)
    return [said] if tag == reader.tag else [said, tag]
