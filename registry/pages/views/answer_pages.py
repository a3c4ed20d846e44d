"""Pages that answer: suppliers, laws, money, tests and outcomes, observations, each by charts.

Each chart has a finding in one sentence, a table of the same numbers, the query that gives them
too, and a file. Where records are counted, what is not stated is a bar of its own. No share is
without what it is a share of, and amounts in two currencies are never added.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any

import msgspec

from registry.pages.cards import Card, copied, counted
from registry.pages.digests import RecordDigest
from registry.pages.labels import message
from registry.pages.observations import WORDS
from registry.pages.page import Page, content_page, digest
from registry.pages.reader import (
    Reader,
    Text,
    as_it_is,
    country,
    in_language,
    label,
    line,
    say,
    translated,
)
from registry.pages.site import Site, page, pages
from registry.pages.views.document_view import field_title
from registry.pages.views.figures import (
    DRAWN,
    EACH,
    Bar,
    Figure,
    FigureScope,
    by_level,
    by_value,
    level_columns,
    levels_of,
    said,
    silent_bars,
    silent_groups,
    wording,
)
from registry.pages.views.finder import FilterLabels, filter_title
from registry.pages.views.money_figures import (
    CONTRACT_SUMS,
    contract_sums,
    money_figures,
)
from registry.pages.views.statistics_pages import RISKS, Column, StatisticsRow, Table, as_csv
from registry.record.dimensions import RANGED, Dimension, dimensions
from registry.record.facets import ENDS, LOCAL
from registry.record.facts import facts
from registry.record.model import LangText
from registry.record.observations import OBSERVATIONS, observed, query
from registry.text.catalogues import find
from registry.text.company_names import folded_name
from registry.text.locales import countries_by_name
from registry.text.typesetting import format_number

_ITSELF = "record"
"""The section of what is beside those of the format."""

_WORDS = message("The record itself")
_ENDS = dict(zip(ENDS, (message("From"), message("Up to")), strict=True))


def answer_pages(site: Site) -> Iterator[Page]:
    """Yield each page in each language, with a file for each table."""
    for tag, edition in site.editions.items():
        scopes = scopes_of(edition.reader, site)
        for path, (title, about, figures) in ANSWER_PAGES.items():
            parts = [(scope.suffix, figures(scope)) for scope in scopes]
            known: dict[str, Any] = {
                "title_of": title,
                "about": about,
                "path": path,
                "parts_of": parts,
                "risk_words": {
                    level: label(edition.reader, "risk_level", level) for level in RISKS
                },
                "total": len(scopes[0].records),
                "copied_total": sum(len(scope.records) for scope in scopes[1:]),
                "as_of": site.snapshot.as_of.date().isoformat(),
                "entry": site.snapshot.register.size - 1,
                "is_copy": site.is_copy,
                "observations": _methods(edition.reader, site) if path == "observations" else [],
            }
            shown = [
                parts,
                *(known[name] for name in ("as_of", "entry", "is_copy", "observations")),
            ]
            key = digest(msgspec.json.encode(shown))
            view = partial(dict[str, Any], known)
            yield page(site, tag, path, template="answer.html", key=key, view=view)
            for one in (figure for _, drawn in parts for figure in drawn):
                content = as_csv(edition.reader, one.table)
                yield content_page(f"{tag}/{path}/{one.table.id}.csv", content)


def scopes_of(reader: Reader, site: Site) -> list[FigureScope]:
    """Return the records filed here, and those of other registers where there are any."""
    cards = [*site.cards.values()]
    here, elsewhere = counted(cards), copied(cards)

    def scope(of: Sequence[Card], origins: Sequence[str], suffix: str = "") -> FigureScope:
        records = [site.records[card.id] for card in of]
        return FigureScope(
            reader=reader, site=site, records=records, origins=origins, suffix=suffix
        )

    there = sorted({card.origin for card in elsewhere if card.origin})
    return [scope(here, [LOCAL]), *([scope(elsewhere, there, "-elsewhere")] if there else [])]


def _abroad(scope: FigureScope, codes: Mapping[str, Sequence[RecordDigest]]) -> int | None:
    """Return how many records name a country that is not that of the register they were filed in.

    It is None where that of one of these registers is not known.
    """
    known = scope.site.snapshot.origins
    homes: dict[str | None, str] = {code: origin.country for code, origin in known.items()}
    homes[None] = scope.site.snapshot.pack.country
    found = set()
    for code, some in codes.items():
        for record in some:
            home = homes.get(record.card.origin)
            if not home:
                return None
            if code != home:
                found.add(record.card.id)
    return len(found)


def _suppliers(scope: FigureScope) -> list[Figure]:
    spellings: dict[str, Counter[tuple[str, str | None]]] = defaultdict(Counter)
    for record in scope.records:
        for name, _ in record.stated.suppliers:
            spellings[folded_name(name)][name, record.stated.language] += 1

    def name_of(code: str) -> Text:
        [((name, language), _)] = spellings[code].most_common(1)
        return line(scope.reader, name, language)

    names = by_value(scope, lambda one: (folded_name(name) for name, _ in one.stated.suppliers))
    lands = by_value(scope, lambda one: (land for _, land in one.stated.suppliers if land))
    hosts = by_value(scope, lambda one: filter(None, [one.stated.hosting]))
    supplied_abroad, hosted_abroad = _abroad(scope, lands), _abroad(scope, hosts)
    return [
        by_level(
            scope,
            "suppliers",
            title=message("Who supplies, and at which level of risk"),
            head=message("Supplier"),
            note=message(
                "A record with several suppliers counts with each, and so does its contract,"
                " by the last amount in its currency."
            ),
            fact="procurement.suppliers",
            values=names,
            name_of=name_of,
            sentence=message(
                "Of %(total)s records, %(stated)s say who supplies. Named most often:"
                " %(name)s, in %(most)s."
            ),
            facets="supplier,procurement.suppliers",
            asked="supplier",
            beside=partial(contract_sums, scope.reader),
            beside_title=CONTRACT_SUMS,
        ),
        by_level(
            scope,
            "countries",
            title=message("Countries of suppliers"),
            head=message("Country"),
            note=EACH,
            fact="procurement.suppliers.country",
            values=lands,
            name_of=partial(country, scope.reader),
            sentence=message(
                "The country of a supplier is stated in %(stated)s of %(total)s records."
            )
            if supplied_abroad is None
            else message(
                "The country of a supplier is stated in %(stated)s of %(total)s records; in"
                " %(found)s of these it is another country."
            ),
            found=supplied_abroad or 0,
        ),
        by_level(
            scope,
            "hosting",
            title=message("Countries where data is hosted"),
            head=message("Country"),
            fact="data.hosting.country",
            values=hosts,
            name_of=partial(country, scope.reader),
            sentence=message(
                "Where the data is hosted is stated in %(stated)s of %(total)s records."
            )
            if hosted_abroad is None
            else message(
                "Where the data is hosted is stated in %(stated)s of %(total)s records; in"
                " %(found)s of these abroad."
            ),
            found=hosted_abroad or 0,
        ),
    ]


def _laws(scope: FigureScope) -> list[Figure]:
    reader = scope.reader
    wordings: dict[str, LangText] = {}

    def codes(record: RecordDigest) -> Iterator[str]:
        for law in record.stated.laws:
            # As the filter compares names, so that the link of a row finds as many records.
            code = folded_name(next(law[tag] for tag in ("fr", *law) if tag in law))
            wordings.setdefault(code, law)
            yield code

    def name_of(code: str) -> Text:
        law = wordings[code]
        if "" in law:
            return in_language(reader, law[""], reader.locale.tag)
        return say(reader, law) or as_it_is(reader, code)

    laws = by_value(scope, codes)
    return [
        by_level(
            scope,
            "laws",
            title=message("Which systems rest on which law"),
            head=message("Law"),
            note=EACH,
            fact="data.legal_basis",
            values=laws,
            name_of=name_of,
            sentence=message(
                "Of %(total)s records, %(stated)s name the law that they rest on. Named most"
                " often: %(name)s, in %(most)s."
            ),
            facets="data.legal_basis.title,data.legal_basis",
            asked="data.legal_basis.title",
        ),
    ]


def _tests(scope: FigureScope) -> list[Figure]:
    reader = scope.reader
    fairness = by_value(
        scope,
        lambda one: [one.stated.fairness] if one.stated.fairness not in {None, "withheld"} else (),
    )
    return [
        by_level(
            scope,
            "metrics",
            title=message("What was measured"),
            head=message("Measure"),
            note=EACH,
            fact="evaluation.metrics",
            values=by_value(scope, lambda one: one.stated.metrics),
            name_of=partial(label, reader, "metric"),
            sentence=message(
                "Of %(total)s records, %(stated)s state a measurement. Stated most often:"
                " %(name)s, in %(most)s."
            ),
            facets="evaluation.metrics.name,evaluation.metrics",
            asked="evaluation.metrics.name",
        ),
        by_level(
            scope,
            "fairness",
            title=message("Whether fairness was tested"),
            head=message("Answer"),
            fact="evaluation.fairness_tested",
            values=fairness,
            name_of=partial(label, reader, "answer"),
            sentence=message(
                "Of %(total)s records, %(stated)s say whether fairness was tested; in %(found)s"
                " of these it was."
            ),
            facets="evaluation.fairness_tested.answer,evaluation.fairness_tested",
            asked="evaluation.fairness_tested.answer",
            found=len(fairness.get("yes", ())),
        ),
        *_outcomes(scope),
    ]


def _outcomes(scope: FigureScope) -> Iterator[Figure]:
    """Yield what became of contested decisions, the largest share overturned first."""
    reader = scope.reader
    told = [
        (record, record.stated.contested, record.stated.overturned)
        for record in scope.records
        if record.stated.contested is not None and record.stated.overturned is not None
    ]
    if not told:
        return
    told.sort(key=lambda one: (one[1] == 0, -one[2] / (one[1] or 1), one[0].card.id))
    of = wording(reader, message("%(n)s of %(total)s"))
    babel = reader.locale.babel
    rows, bars = [], []
    for record, contested, overturned in told:
        card = record.card
        name = say(reader, card.name, card.written) or as_it_is(reader, card.id)
        # Of none contested there is no share; more overturned than contested is for the table.
        share = overturned / contested if contested else None
        values = [overturned, contested, None if share is None else round(100 * share, 1)]
        path = f"records/{card.id}"
        rows.append(StatisticsRow(code=card.id, name=name, path=path, values=values))
        numbers = {"n": overturned, "total": contested}
        words = of % {key: format_number(value, babel) for key, value in numbers.items()}
        bars.append(Bar(name=name, path=path, words=words, parts=[("stated", min(share or 0, 1))]))
    yield Figure(
        table=Table(
            id=f"outcomes{scope.suffix}",
            title=message("Contested decisions that were overturned"),
            head=message("Record"),
            columns=[
                Column(title=message("Overturned")),
                Column(title=message("Contested")),
                Column(title=message("Share of the contested"), kind="percent"),
            ],
            rows=rows,
            bars="none",
        ),
        sentence=said(
            reader,
            message(
                "How many decisions were contested and overturned is stated in %(stated)s of"
                " %(total)s records: %(overturned)s of %(contested)s were overturned."
            ),
            stated=len(told),
            total=len(scope.records),
            overturned=sum(one[2] for one in told),
            contested=sum(one[1] for one in told),
        ),
        bars=[*silent_bars(scope, "evaluation.outcomes.contested"), *bars[:DRAWN]],
        query=scope.asked(
            ("has", "evaluation.outcomes.overturned"), ("facets", "evaluation.outcomes.contested")
        ),
        has_same_numbers=False,
        total=len(scope.records),
    )


def _observations(scope: FigureScope) -> list[Figure]:
    """Return how many records show each observation, the most frequent first."""
    reader, total = scope.reader, len(scope.records)
    today = scope.site.snapshot.as_of.date()
    shown = by_value(scope, lambda one: observed(one.stated.observations, today))
    silent = silent_groups(scope, "publication.answers")
    of = wording(reader, message("%(n)s of %(total)s"))
    babel = reader.locale.babel
    rows, bars = [], []
    for code in sorted(OBSERVATIONS, key=lambda one: -len(shown.get(one, ()))):
        some = shown.get(code, ())
        name = translated(reader, WORDS[code][0])
        path = None if scope.suffix else f"search?observation={code}"
        values = [*levels_of(some), len(some), total]
        rows.append(StatisticsRow(code=code, name=name, path=path, values=values))
        words = of % {"n": format_number(len(some), babel), "total": format_number(total, babel)}
        parts = [(level, n / total) for level, n in zip(RISKS, levels_of(some), strict=True) if n]
        bars.append(Bar(name=name, path=path, words=words, parts=parts))
    return [
        Figure(
            table=Table(
                id=f"observations{scope.suffix}",
                title=message("What records themselves show"),
                head=message("Observation"),
                note=EACH,
                columns=[*level_columns(reader), Column(title=message("Records in all"))],
                rows=rows,
                bars="none",
            ),
            sentence=said(
                reader,
                message(
                    "%(found)s of %(total)s records show at least one of these. Records with an "
                    "answer of the agency: %(answered)s."
                ),
                found=len({one.card.id for some in shown.values() for one in some}),
                answered=total - sum(len(some) for _, _, some, _ in silent),
                total=total,
            ),
            bars=bars,
            query=scope.asked(("facets", "observation")),
            total=total,
        )
    ]


def _methods(reader: Reader, site: Site) -> list[dict[str, Any]]:
    """Return of each observation how it is counted, and by which statement."""
    entry, day = site.snapshot.register.size - 1, site.snapshot.as_of.date()
    source = f"{site.base_url}/api/v1/exports/records.jsonl?as_of=entry:{entry}&origin=local"
    return [
        {
            "code": code,
            "words": translated(reader, WORDS[code][0]),
            "method": translated(reader, WORDS[code][1]),
            "sql": query(code, source, day),
        }
        for code in OBSERVATIONS
    ]


ANSWER_PAGES: Mapping[str, tuple[str, str, Callable[[FigureScope], Sequence[Figure]]]] = {
    "observations": (
        message("Observations"),
        message("What a record itself shows that you may want to ask about, from what it states"),
        _observations,
    ),
    "suppliers": (
        message("Suppliers and dependence"),
        message("Who supplies the systems, from which countries, and where data is hosted"),
        _suppliers,
    ),
    "money": (
        message("Money"),
        message("What contracts and running cost, and which benefits were expected and measured"),
        money_figures,
    ),
    "laws": (
        message("Laws"),
        message("Which systems rest on which law, and which name none"),
        _laws,
    ),
    "tests": (
        message("Tests and outcomes"),
        message("What was measured, whether fairness was tested, what became of decisions"),
        _tests,
    ),
}
"""The title of each page, what it is for, and its figures, by path; wordings are English ones."""


@cache
def sections() -> Mapping[str, Sequence[Dimension]]:
    """Return what can be asked by section, in document order: the first member of its path."""
    found: dict[str, list[Dimension]] = {_ITSELF: []}
    for name, dimension in dimensions().items():
        section, dot, _ = name.partition(".")
        found.setdefault(section if dot else _ITSELF, []).append(dimension)
    return found


def question_pages(site: Site) -> Iterator[Page]:
    """Yield the list of all questions, and a page of forms for each section."""
    yield from pages(site, "questions", template="questions.html", key="", view=_list_view)
    for section in sections():
        yield from pages(
            site,
            f"questions/{section}",
            template="question_forms.html",
            key="",
            view=partial(_section_view, section=section),
        )


def _list_view(reader: Reader) -> dict[str, Any]:
    return {
        "total": len(dimensions()),
        "sections": [
            {
                "name": section,
                "title": _section_title(reader, section),
                "questions": [
                    {"name": one.name, "title": filter_title(reader, one.name)} for one in asked
                ],
            }
            for section, asked in sections().items()
        ],
    }


def _section_view(reader: Reader, section: str) -> dict[str, Any]:
    known = FilterLabels(reader, reader.pack.agencies, {})
    return {
        "title": _section_title(reader, section),
        "ends": _ENDS,
        "questions": [
            {
                "name": one.name,
                "kind": one.kind,
                "title": filter_title(reader, one.name),
                "meaning": _meaning(reader, one),
                "choices": _choices(reader, known, one),
                "ranged": one.kind in RANGED,
                "is_fact": one.name in facts(),
            }
            for one in sections()[section]
        ],
    }


def _section_title(reader: Reader, section: str) -> Text:
    return translated(reader, _WORDS) if section == _ITSELF else field_title(reader, (section,))


def _meaning(reader: Reader, dimension: Dimension) -> Text | None:
    """Return the format's description of a fact, None where it has none."""
    fact = facts().get(dimension.name)
    if fact is None or not (described := fact.field.schema.get("description")):
        return None
    lang, words = find(reader.titles, reader.order, described)
    return in_language(reader, words, lang)


def _choices(
    reader: Reader, known: FilterLabels, dimension: Dimension
) -> Sequence[tuple[str, Text]]:
    """Return the values of a fact with their words, none where they are not listed."""
    field = dimension.field
    codes: Collection[str] = reader.pack.codes(dimension.lists)
    if dimension.kind == "boolean":
        codes = ("true", "false")
    elif field is not None and field.holds == "country":
        codes = countries_by_name(reader.pack.locale(reader.tag).babel)
    elif field is not None and not codes:
        codes = field.schema.get("enum", ())
    return [(code, known.word(dimension.name, code)) for code in codes]
