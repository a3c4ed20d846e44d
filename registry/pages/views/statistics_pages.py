"""The statistics in each language: tables of this register beside others, each with a finding."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import msgspec

from registry.exports.spreadsheets import escape_formula
from registry.log.statistics import StatisticsGroup
from registry.pages.cards import HIGH, Card, copied, count_answers
from registry.pages.cards import counted as counted_cards
from registry.pages.labels import message
from registry.pages.page import Page, content_page, digest
from registry.pages.reader import Reader, Text, as_it_is, in_language, label, say, translated
from registry.pages.site import Site, page
from registry.pages.snapshot import RegisterCounts
from registry.pages.views.finder import fact_title
from registry.pages.views.finder_words import ANSWERS
from registry.record.facts import KINDS, facts
from registry.record.model import COMING, ENDED, NOT_STATED, RUNNING
from registry.text.catalogues import find
from registry.text.dates import format_date
from registry.text.typesetting import format_number


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a column; `title` is an English wording or, for a code, its label."""

    title: str | Text
    kind: Literal["count", "percent", "day", "text"] = "count"


class StatisticsRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row: what it is about, with its page if it has one, and a value or nothing per column."""

    code: str
    name: Text | None
    path: str | None = None
    values: Sequence[int | float | str | None]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table: wordings are English ones; `head` names the first column.

    `bars` says what is drawn: the first column, the first ones as parts of a whole (levels of risk,
    or states of systems), or nothing.
    """

    id: str
    title: str
    head: str
    columns: Sequence[Column]
    rows: Sequence[StatisticsRow]
    note: str | None = None
    bars: Literal["first", "parts", "states", "none"] = "first"

    @property
    def most(self) -> int | float:
        """The largest value that a bar shows; never 0."""
        column = {"parts": len(RISKS), "states": len(STATES)}.get(self.bars, 0)
        drawn = [row.values[column] for row in self.rows]
        return max((value for value in drawn if isinstance(value, int | float)), default=0) or 1


_RECORDS = message("Records")
_ELSEWHERE = message("Other registers")
_COMPLETE = message("Average completeness")
_ACCOUNTABLE = message("Average accountability")
_OVERDUE = message("Overdue reviews")
_AGENCY = message("Agency")
_GROUND = message("Ground")

_APPROVERS = {"authority": message("The authority"), "agency": message("The agency itself")}

_HERE = (Column(title=_RECORDS), Column(title=_ELSEWHERE))
STATES = {
    message("In use or on trial"): RUNNING,
    message("Being prepared"): COMING,
    message("Suspended or retired"): ENDED,
    message("Status not stated"): (NOT_STATED,),
}
RISKS = ("unacceptable", "high", "limited", "minimal", NOT_STATED)
_MOST_SILENT = 20


def tables(reader: Reader, site: Site, counted: RegisterCounts) -> list[Table]:
    """Return every table of the statistics."""
    return [
        levels_table(reader, site),
        _by_sector_and_risk(reader, counted),
        Table(
            id="status",
            title=message("By status"),
            head=message("Status"),
            columns=_HERE,
            rows=list(_coded(reader, counted, "status", path="status/")),
        ),
        Table(
            id="personal-data",
            title=message("Personal data"),
            note=message("Pseudonymised data is personal data too."),
            head=message("Personal data"),
            columns=_HERE,
            rows=list(_coded(reader, counted, "personal_data")),
        ),
        _growth(counted),
        _by_agency(reader, site, counted),
        _overdue(reader, site, counted),
        Table(
            id="withheld",
            title=message("What is withheld"),
            note=message(
                "Facts that agencies keep from the public, by the legal ground they name."
            ),
            head=_GROUND,
            columns=[Column(title=message("Facts")), Column(title=_RECORDS)],
            rows=[
                _ground(reader, tally.code, tally.places, tally.records)
                for tally in counted.by_code.local.withheld
            ],
        ),
        Table(
            id="restricted",
            title=message("Systems of which only the existence is public"),
            head=_GROUND,
            columns=[Column(title=_RECORDS)],
            rows=[
                _ground(reader, tally.code, tally.records)
                for tally in counted.by_code.local.restricted
            ],
        ),
        Table(
            id="approvals",
            title=message("Who approves what agencies file"),
            note=message(
                "Versions and withdrawals that a second person approved: of the authority, or of "
                "the agency that filed them."
            ),
            head=message("Approved by"),
            columns=[Column(title=message("Approvals")), Column(title=_RECORDS)],
            rows=[
                StatisticsRow(
                    code=tally.code,
                    name=translated(reader, _APPROVERS[tally.code]),
                    values=(tally.places, tally.records),
                )
                for tally in counted.by_code.local.approvals
            ],
        ),
        _silence(reader, counted_cards([*site.cards.values()]), here=True),
        *(
            [_silence(reader, there, here=False)]
            if (there := copied([*site.cards.values()]))
            else []
        ),
        _silent(reader, site, counted),
    ]


def levels_table(reader: Reader, site: Site) -> Table:
    """Return the systems filed here by level of risk, and whether they run."""
    number = Counter((card.risk, card.status) for card in counted_cards(list(site.cards.values())))
    rows = []
    for risk in RISKS:
        values = [sum(number[risk, code] for code in codes) for codes in STATES.values()]
        if sum(values):
            name = label(reader, "risk_level", risk)
            path = f"risk/{risk}"
            values.append(sum(values))
            rows.append(StatisticsRow(code=risk, name=name, path=path, values=values))
    return Table(
        id="levels",
        title=message("By level of risk and state"),
        head=message("Level of risk"),
        columns=[*(Column(title=title) for title in STATES), Column(title=_RECORDS)],
        rows=rows,
        bars="states",
    )


def _by_sector_and_risk(reader: Reader, counted: RegisterCounts) -> Table:
    groups = counted.by_code.local.groups
    number = Counter[tuple[str, str]]()
    for group in groups:
        number[str(group.sector), str(group.risk)] += group.records
    in_sector = _sums(groups, "sector")
    elsewhere = _sums(counted.by_code.foreign.groups, "sector")
    return Table(
        id="sectors",
        title=message("By sector and level of risk"),
        head=message("Sector"),
        columns=[
            *(Column(title=label(reader, "risk_level", risk)) for risk in RISKS),
            *_HERE,
        ],
        rows=[
            StatisticsRow(
                code=code,
                name=label(reader, "sector", code),
                path=f"sectors/{code}",
                values=[
                    *(number[code, risk] for risk in RISKS),
                    in_sector[code],
                    elsewhere[code],
                ],
            )
            for code in reader.labels["sector"]
            if in_sector[code] or elsewhere[code]
        ],
        bars="parts",
    )


def _growth(counted: RegisterCounts) -> Table:
    elsewhere = {month.month: month.records for month in counted.by_code.foreign.months}
    here = {month.month: month for month in counted.by_code.local.months}
    return Table(
        id="growth",
        title=message("Growth over time"),
        note=message("Records in force at the end of each month."),
        head=message("Month"),
        columns=[
            Column(title=_RECORDS),
            Column(title=message("Versions published")),
            Column(title=message("Records withdrawn")),
            Column(title=_ELSEWHERE),
        ],
        rows=[
            StatisticsRow(
                code=month,
                name=None,
                values=[
                    here[month].records if month in here else 0,
                    here[month].published if month in here else 0,
                    here[month].withdrawn if month in here else 0,
                    elsewhere.get(month, 0),
                ],
            )
            for month in sorted(here.keys() | elsewhere.keys())
        ],
    )


def _by_agency(reader: Reader, site: Site, counted: RegisterCounts) -> Table:
    said = site.snapshot.attestations
    groups = sorted(counted.by_agency, key=lambda group: (-group.records, str(group.agency)))
    return Table(
        id="agencies",
        title=message("By agency"),
        note=message(
            "Completeness is of all that counts at the level of risk of a record; accountability"
            " only of what its level, its data or its use make compulsory. Both are averages."
        ),
        head=_AGENCY,
        columns=[
            Column(title=_RECORDS),
            Column(title=_COMPLETE, kind="percent"),
            Column(title=_ACCOUNTABLE, kind="percent"),
            Column(title=_OVERDUE),
            Column(title=message("Systems stated")),
        ],
        rows=[
            StatisticsRow(
                code=str(group.agency),
                name=_agency(reader, site, str(group.agency)),
                path=f"agencies/{group.agency}",
                values=[
                    group.records,
                    group.completeness.mean if group.completeness else None,
                    group.accountability.mean if group.accountability else None,
                    group.overdue,
                    said[str(group.agency)].systems_total if str(group.agency) in said else None,
                ],
            )
            for group in groups
        ],
    )


def _overdue(reader: Reader, site: Site, counted: RegisterCounts) -> Table:
    today = site.snapshot.as_of.date()
    late = [
        card
        for card in site.cards.values()
        if not card.withdrawn
        and card.origin is None
        and card.is_overdue(today)
        and (counted.by_code.fictitious or not card.fictitious)
    ]
    late.sort(key=lambda card: (card.review_due or "", card.id))
    return Table(
        id="overdue",
        title=_OVERDUE,
        note=message("Records whose agency promised a review by a day that has passed."),
        head=message("Record"),
        columns=[
            Column(title=message("Review was due"), kind="day"),
            Column(title=_AGENCY, kind="text"),
        ],
        rows=[
            StatisticsRow(
                code=card.id,
                name=say(reader, card.name, card.written),
                path=f"records/{card.id}",
                values=[card.review_due, _agency(reader, site, card.agency).text],
            )
            for card in late
        ],
        bars="none",
    )


def _silence(reader: Reader, cards: Sequence[Card], *, here: bool) -> Table:
    """Return how often records state what may be asked of them, what is silent most often first."""
    units = [fact.name for fact in facts().values() if fact.is_unit and fact.is_asked]
    counts = [one for one in count_answers(cards) if one.fact in units]
    most = sorted(counts, key=lambda one: (-(one.asked_not_stated + one.not_asked), one.fact))
    return Table(
        id="silence" if here else "silence-elsewhere",
        title=message("What records do not state")
        if here
        else message("What records of other registers do not state"),
        note=message(
            "Each record counts in one column. Whether a fact is asked for depends on the level of"
            " risk: of records that state none it is not asked for."
        ),
        head=message("Fact"),
        columns=[
            Column(title=message("Not stated")),
            *(Column(title=said) for said in ANSWERS.values()),
        ],
        rows=[
            StatisticsRow(
                code=one.fact,
                name=fact_title(reader, one.fact),
                path=f"search?lacks={one.fact}" if here else None,
                values=[
                    one.asked_not_stated + one.not_asked,
                    *(getattr(one, kind) for kind in KINDS),
                ],
            )
            for one in most[:_MOST_SILENT]
        ],
    )


def _silent(reader: Reader, site: Site, counted: RegisterCounts) -> Table:
    return Table(
        id="silent",
        title=message("Agencies that have filed nothing"),
        note=message("And how many systems each states that it uses, where it has said so."),
        head=_AGENCY,
        columns=[
            Column(title=message("Systems stated")),
            Column(title=message("Stated of the day"), kind="day"),
        ],
        rows=[
            StatisticsRow(
                code=one.agency,
                name=_agency(reader, site, one.agency),
                path=f"agencies/{one.agency}",
                values=[
                    one.systems_total,
                    one.attested_on.isoformat() if one.attested_on else None,
                ],
            )
            for one in counted.by_code.agencies
            if not one.records
        ],
        bars="none",
    )


def _coded(
    reader: Reader, counted: RegisterCounts, name: str, *, path: str | None = None
) -> Iterator[StatisticsRow]:
    """Yield a row for each code of the list of a name, those without records too."""
    here = _sums(counted.by_code.local.groups, name)
    elsewhere = _sums(counted.by_code.foreign.groups, name)
    codes = list(reader.labels[name])
    for code in [*codes, *sorted((here.keys() | elsewhere.keys()) - set(codes))]:
        yield StatisticsRow(
            code=code,
            name=label(reader, name, code),
            path=path and f"{path}{code}",
            values=[here[code], elsewhere[code]],
        )


def _ground(reader: Reader, code: str, *values: int) -> StatisticsRow:
    return StatisticsRow(code=code, name=label(reader, "pack/grounds", code), values=values)


def _sums(groups: Sequence[StatisticsGroup], name: str) -> Counter[str]:
    number = Counter[str]()
    for group in groups:
        number[str(getattr(group, name))] += group.records
    return number


def _agency(reader: Reader, site: Site, agency: str) -> Text:
    known = site.snapshot.agencies.get(agency)
    return (known and say(reader, known.name)) or as_it_is(reader, agency)


_HIGH = tuple(RISKS.index(level) for level in ("unacceptable", "high"))
_COUNTED_RECORDS = len(RISKS)
_YEAR = 12
_CODES = {"status": {*RUNNING}, "personal-data": {"yes", "pseudonymised"}}
_SUMMED = {"withheld", "restricted"}

_MOST_OFTEN = message(
    "Not stated most often: “%(name)s”, by %(n)s of %(total)s records, of which %(asked)s were"
    " asked."
)

_SENTENCES = {
    "levels": message(
        "At high or unacceptable risk: %(high)s of %(running)s systems in use or on trial."
    ),
    "sectors": message(
        "The sector with the most records is “%(name)s”: %(n)s of %(total)s. At high or"
        " unacceptable risk, in all sectors: %(high)s, of which in use or on trial: %(running)s."
    ),
    "status": message("In use or on trial: %(n)s of %(total)s systems."),
    "personal-data": message("With personal data: %(n)s of %(total)s records."),
    "growth": message("In force now: %(n)s records. A year ago: %(before)s."),
    "agencies": message("Agencies that have filed: %(n)s. The most records: %(name)s, %(most)s."),
    "overdue": message("Reviews that are late: %(n)s. The oldest was due on %(day)s."),
    "withheld": message("Facts withheld: %(n)s. The ground named most often: %(name)s."),
    "restricted": message("Only the existence is public: %(n)s of %(total)s records."),
    "approvals": message(
        "Versions and withdrawals that a second person approved: %(n)s. Of these, within the"
        " agency itself: %(own)s."
    ),
    "silence": _MOST_OFTEN,
    "silence-elsewhere": _MOST_OFTEN,
    "silent": message(
        "Agencies without a record: %(n)s. Of these, say how many they use: %(said)s."
    ),
}


def finding(reader: Reader, counted: RegisterCounts, table: Table) -> Text | None:
    """Return the sentence of a table; None where it has no rows or nothing to compare."""
    rows = table.rows
    made = _values(counted, table) if rows else None
    if made is None:
        return None
    babel = reader.locale.babel
    shown = {
        name: format_number(value, babel)
        if isinstance(value, int)
        else value.name.text
        if isinstance(value, StatisticsRow) and value.name
        else format_date(str(value), babel)
        for name, value in made.items()
    }
    lang, wording = find(reader.catalogues, reader.order, _SENTENCES[table.id])
    return in_language(reader, wording % shown, lang)


def _values(counted: RegisterCounts, table: Table) -> Mapping[str, Any] | None:
    """Return what a table's sentence names: numbers, days, and rows for their names."""
    rows, first = table.rows, table.rows[0]
    made: dict[str, Any] = {"n": len(rows), "total": counted.by_code.local.records}
    if table.id in _CODES:
        made["n"] = _sum(row for row in rows if row.code in _CODES[table.id])
    elif table.id == "levels":
        made["running"] = _sum(rows)
        made["high"] = _sum(row for row in rows if row.code in HIGH)
    elif table.id == "sectors":
        most = max(rows, key=lambda row: row.values[_COUNTED_RECORDS] or 0)
        high = sum(_sum(rows, at) for at in _HIGH)
        running = sum(
            group.records
            for group in counted.by_code.local.groups
            if group.risk in HIGH and group.status in RUNNING
        )
        made |= {"name": most, "n": most.values[_COUNTED_RECORDS], "high": high, "running": running}
    elif table.id == "growth":
        if len(rows) <= _YEAR:
            return None
        made |= {"n": rows[-1].values[0], "before": rows[-1 - _YEAR].values[0]}
    elif table.id == "silent":
        made["said"] = sum(row.values[0] is not None for row in rows)
    elif table.id == "approvals":
        own = _sum(row for row in rows if row.code == "agency")
        made |= {"n": _sum(rows), "own": own}
    elif table.id in _SUMMED:
        made |= {"name": first, "n": _sum(rows)}
    elif table.id.startswith("silence"):
        made |= {"name": first, "n": first.values[0], "asked": first.values[2]}
        made["total"] = sum(int(value or 0) for value in first.values[1:])
    else:
        made |= {"name": first, "most": first.values[0], "day": first.values[0]}
    return made


def _sum(rows: Iterable[StatisticsRow], column: int = 0) -> int:
    return sum(int(row.values[column] or 0) for row in rows)


def statistics_pages(site: Site) -> Iterator[Page]:
    """Yield the statistics in each language, with a file for each table."""
    counted = site.snapshot.counted
    for tag, edition in site.editions.items():
        made = tables(edition.reader, site, counted) if counted else []
        known: dict[str, Any] = {
            "tables": made,
            "findings": {one.id: finding(edition.reader, counted, one) for one in made}
            if counted
            else {},
            "total": counted.by_code.local.records if counted else 0,
            "copied_total": counted.by_code.foreign.records if counted else 0,
            "as_of": site.snapshot.as_of.date().isoformat(),
            "log_size": site.snapshot.register.size,
            "is_copy": site.is_copy,
        }
        key = digest(msgspec.json.encode(known))
        yield page(
            site,
            tag,
            "statistics",
            template="statistics.html",
            key=key,
            view=partial(dict[str, Any], known),
        )
        for table in made:
            yield content_page(f"{tag}/statistics/{table.id}.csv", as_csv(edition.reader, table))
            if table.rows:
                yield _embed_page(site, tag, table, known["findings"][table.id])


def _embed_page(site: Site, tag: str, table: Table, sentence: Text | None) -> Page:
    """Return a table with its chart for frames of others."""
    shown = {
        "table": table,
        "finding": sentence,
        "name": translated(site.editions[tag].reader, table.title).text,
        "back": f"statistics#{table.id}",
        "as_of": site.snapshot.as_of.date().isoformat(),
    }
    key, path = digest(msgspec.json.encode(shown)), f"statistics/{table.id}/embed"
    view = partial(dict[str, Any], shown)
    return page(site, tag, path, template="embed.html", key=key, view=view, listed=False)


def as_csv(reader: Reader, table: Table) -> bytes:
    """Return a table as CSV in UTF-8, safe to open in a spreadsheet."""
    kept = io.StringIO()
    kept.write("\ufeff")
    writer = csv.writer(kept, lineterminator="\r\n")
    titles = [
        column.title.text
        if isinstance(column.title, Text)
        else translated(reader, column.title).text
        for column in table.columns
    ]
    writer.writerow(["code", translated(reader, table.head).text, *titles])
    for row in table.rows:
        values = ["" if value is None else str(value) for value in row.values]
        cells = [row.code, row.name.text if row.name else "", *values]
        writer.writerow([escape_formula(cell) for cell in cells])
    return kept.getvalue().encode()
