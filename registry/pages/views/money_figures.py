"""What systems cost and bring: contracts, a year's running cost, benefits expected and measured."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from registry.pages.digests import RecordDigest
from registry.pages.labels import message
from registry.pages.reader import Reader, Text, as_it_is, label, say
from registry.pages.views.figures import (
    DRAWN,
    EACH,
    RECORDS,
    Bar,
    Figure,
    FigureScope,
    by_level,
    by_value,
    said,
    sums_of,
    wording,
)
from registry.pages.views.statistics_pages import Column, StatisticsRow, Table
from registry.text.typesetting import format_number

CONTRACT_SUMS = message("Contract amounts stated")
AMENDED = message("Of a contract that was amended, the last amount in its currency counts.")


def contract_sums(reader: Reader, _: str, records: Sequence[RecordDigest]) -> str | None:
    """Return what the contracts of records cost."""
    return sums_of(reader, (one.stated.amount for one in records))


def _running_and_benefits(scope: FigureScope) -> list[Figure]:
    """Return what running costs in a year, and which benefits were expected and measured."""
    reader = scope.reader
    running = by_value(scope, lambda one: [one.stated.running[1]] if one.stated.running else ())

    def told(measure: str, records: Sequence[RecordDigest]) -> str | None:
        expected, measured = (
            sum(
                any(one[0] == measure and one[at] for one in record.stated.benefits)
                for record in records
            )
            for at in (1, 2)
        )
        if not expected and not measured:
            return None
        numbers = {"expected": expected, "measured": measured}
        return wording(reader, message("expected in %(expected)s, measured in %(measured)s")) % {
            name: format_number(n, reader.locale.babel) for name, n in numbers.items()
        }

    return [
        by_level(
            scope,
            "running",
            title=message("Who states what running costs in a year"),
            head=message("Currency"),
            fact="procurement.running_cost.amount.value",
            values=running,
            name_of=partial(as_it_is, reader),
            sentence=message(
                "What running costs in a year is stated in %(stated)s of %(total)s records."
            ),
            facets="procurement.running_cost.amount.currency,procurement.running_cost.amount.value",
            asked="procurement.running_cost.amount.currency",
            beside=lambda _, some: sums_of(reader, (one.stated.running for one in some)),
            beside_title=message("Cost of a year stated"),
        ),
        by_level(
            scope,
            "benefits",
            title=message("Which benefits were expected, and which were measured"),
            head=message("Measure of the benefit"),
            note=EACH,
            fact="evaluation.benefits.measure",
            values=by_value(scope, lambda one: [each[0] for each in one.stated.benefits]),
            name_of=partial(label, reader, "benefit_measure"),
            sentence=message(
                "Of %(total)s records, %(stated)s name a benefit; %(found)s say what was measured."
            ),
            found=sum(any(each[2] for each in one.stated.benefits) for one in scope.records),
            beside=told,
            beside_title=message("Expected and measured"),
        ),
    ]


def money_figures(scope: FigureScope) -> list[Figure]:
    """Return what contracts and a year's running cost, and what they were to bring."""
    reader = scope.reader
    fact = "procurement.contract.amount.value"
    by_currency = by_value(scope, lambda one: [one.stated.amount[1]] if one.stated.amount else ())
    figures = [
        by_level(
            scope,
            "amounts",
            title=message("Who states what a contract costs"),
            head=message("Currency"),
            note=AMENDED,
            fact=fact,
            values=by_currency,
            name_of=partial(as_it_is, reader),
            sentence=message(
                "What the contract costs is stated in %(stated)s of %(total)s records."
            ),
            facets=f"procurement.contract.amount.currency,{fact}",
            asked="procurement.contract.amount.currency",
            beside=partial(contract_sums, reader),
            beside_title=CONTRACT_SUMS,
        ),
        by_level(
            scope,
            "procedures",
            title=message("How contracts were awarded"),
            head=message("Procedure"),
            note=AMENDED,
            fact="procurement.contract.procedure",
            values=by_value(scope, lambda one: filter(None, [one.stated.procedure])),
            name_of=partial(label, reader, "procurement_procedure"),
            sentence=message(
                "How the contract was awarded is stated in %(stated)s of %(total)s records; by"
                " negotiated procedure or purchase order in %(found)s of these."
            ),
            found=sum(
                record.stated.procedure in {"negotiated", "purchase_order"}
                for record in scope.records
            ),
            beside=partial(contract_sums, reader),
            beside_title=CONTRACT_SUMS,
        ),
    ]

    def sector(record: RecordDigest) -> tuple[str, Text, str]:
        code = record.card.sector
        return code, label(reader, "sector", code), f"sectors/{code}"

    def agency(record: RecordDigest) -> tuple[str, Text, str]:
        code = record.card.agency
        known = scope.site.snapshot.agencies.get(code)
        name = (known and say(reader, known.name)) or as_it_is(reader, code)
        return code, name, f"agencies/{code}"

    for currency in sorted(by_currency, key=lambda code: (-len(by_currency[code]), code)):
        for grouped, title, head, group in (
            ("sectors", message("Contract amounts by sector"), message("Sector"), sector),
            ("agencies", message("Contract amounts by agency"), message("Agency"), agency),
        ):
            id_ = f"{grouped}-{currency}{scope.suffix}"
            table = Table(
                id=id_, title=title, head=head, note=AMENDED, columns=(), rows=(), bars="none"
            )
            figures.append(_sums_by(scope, table, currency, group))
    return [*figures, *_running_and_benefits(scope)]


def _sums_by(
    scope: FigureScope,
    table: Table,
    currency: str,
    group: Callable[[RecordDigest], tuple[str, Text, str]],
) -> Figure:
    """Return the amounts in one currency by group, the largest sum first."""
    babel = scope.reader.locale.babel
    sums = defaultdict[str, int | float](int)
    stating: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    known: dict[str, tuple[Text, str]] = {}
    for record in scope.records:
        code, name, path = group(record)
        whole[code] += 1
        known[code] = name, path
        if record.stated.amount and record.stated.amount[1] == currency:
            sums[code] += record.stated.amount[0]
            stating[code] += 1
    most = max(sums.values()) or 1
    rows = [
        StatisticsRow(
            code=code,
            name=known[code][0],
            path=None if scope.suffix else known[code][1],
            values=[sums[code], stating[code], whole[code]],
        )
        for code in sorted(sums, key=lambda code: (-sums[code], code))
    ]
    of = wording(scope.reader, message("%(n)s %(currency)s, stated in %(stated)s of %(total)s"))
    bars = [
        Bar(
            name=row.name or as_it_is(scope.reader, row.code),
            path=row.path,
            words=of
            % {
                "n": format_number(sums[row.code], babel),
                "currency": currency,
                "stated": format_number(stating[row.code], babel),
                "total": format_number(whole[row.code], babel),
            },
            parts=[("stated", sums[row.code] / most)],
        )
        for row in rows[:DRAWN]
    ]
    return Figure(
        table=msgspec.structs.replace(
            table,
            columns=[
                Column(title=as_it_is(scope.reader, currency)),
                Column(title=message("Records that state it")),
                Column(title=RECORDS),
            ],
            rows=rows,
        ),
        sentence=said(
            scope.reader,
            message(
                "In %(currency)s: %(sum)s in all, stated in %(stated)s of %(total)s records. The"
                " largest sum: %(name)s, %(most)s."
            ),
            currency=currency,
            sum=sum(sums.values()),
            stated=stating.total(),
            total=len(scope.records),
            name=bars[0].name.text,
            most=most,
        ),
        bars=bars,
        query=scope.asked(
            ("procurement.contract.amount.currency", currency),
            ("facets", "sector,agency"),
        ),
        has_same_numbers=False,
        total=len(scope.records),
    )
