"""Charts of the pages that answer: bars, the finding in a sentence, and the table of the same.

What is not stated is a bar of its own, before what is stated.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import urlencode

import msgspec

from registry.pages.digests import ANSWERED, RecordDigest
from registry.pages.labels import message
from registry.pages.reader import Reader, Text, in_language, label, translated
from registry.pages.site import Site
from registry.pages.views.finder_words import ANSWERS
from registry.pages.views.statistics_pages import RISKS, Column, StatisticsRow, Table
from registry.record.facets import KIND
from registry.record.facts import KINDS, STATED
from registry.text.catalogues import find
from registry.text.company_names import folded_name
from registry.text.typesetting import format_number

_ROWS = 100
DRAWN = 10
"""The bars of values in a chart, beside those of silence; the table has all."""

RECORDS = message("Records")


Group: TypeAlias = tuple[str, Text, Sequence[RecordDigest], str | None]
"""Records that state the same, or nothing: by which code and name, and the address of their list.
"""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A bar: its name, what is written beside it, and its parts as shares of the whole width."""

    name: Text
    words: str
    parts: Sequence[tuple[str, float]]
    path: str | None = None


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A chart with its finding, its table and the question of the API for the same records.

    Its answer `has_same_numbers` where records are counted; sums and outcomes it does not give.
    """

    table: Table
    sentence: Text
    bars: Sequence[Bar]
    query: str
    total: int
    has_same_numbers: bool = True

    @property
    def shown(self) -> Table:
        """The first rows of the table, as many as a page has room for; the file has all."""
        return msgspec.structs.replace(self.table, rows=self.table.rows[:_ROWS])


EACH = message("A record with several of these counts with each.")


class FigureScope(msgspec.Struct, frozen=True, kw_only=True):
    """The records that figures are of: those filed here, or those of other registers."""

    reader: Reader
    site: Site
    records: Sequence[RecordDigest]
    origins: Sequence[str]
    suffix: str = ""

    def asked(self, *pairs: tuple[str, str]) -> str:
        """Return the address of a question about these records, below that of the API."""
        origins = [("origin", code) for code in self.origins]
        return f"records?{urlencode([*origins, *pairs, ('limit', '1')], safe=',')}"


def by_value(
    scope: FigureScope, values: Callable[[RecordDigest], Iterable[str]]
) -> dict[str, list[RecordDigest]]:
    """Return the records by what they state, each once, the most frequent first."""
    found: dict[str, list[RecordDigest]] = defaultdict(list)
    for record in scope.records:
        for value in dict.fromkeys(values(record)):
            found[value].append(record)
    return dict(sorted(found.items(), key=lambda one: (-len(one[1]), one[0])))


def by_level(
    scope: FigureScope,
    chart: str,
    *,
    title: str,
    head: str,
    sentence: str,
    fact: str,
    values: Mapping[str, Sequence[RecordDigest]],
    name_of: Callable[[str], Text],
    facets: str | None = None,
    asked: str | None = None,
    note: str | None = None,
    found: int = 0,
    beside: Callable[[str, Sequence[RecordDigest]], str | None] | None = None,
    beside_title: str = "",
) -> Figure:
    """Return how many records state what of a fact, by level of risk; who is silent comes first.

    `values` are the records by value, `found` those that the sentence counts besides. `facets` give
    the same numbers and `asked` lists the records of a value, both by the fact itself where they
    are not given. What `beside` says of the records of a value stands in the last column of the
    table, under `beside_title`. Wordings are English ones.
    """
    reader, babel = scope.reader, scope.reader.locale.babel
    groups = silent_groups(scope, fact)
    silent = len(groups)
    for code, some in values.items():
        path = f"search?{urlencode({asked or fact: _asked_as(code, some)})}"
        groups.append((code, name_of(code), some, path))
    rows = [
        StatisticsRow(
            code=code,
            name=name,
            path=None if scope.suffix else path,
            values=[*levels_of(some), len(some), *([beside(code, some)] if beside else [])],
        )
        for code, name, some, path in groups
    ]
    most = max((len(some) for _, _, some, _ in groups), default=0) or 1
    bars = [
        Bar(
            name=name,
            path=row.path,
            words=format_number(len(some), babel),
            parts=[("silent", len(some) / most)]
            if at < silent
            else [(level, n / most) for level, n in zip(RISKS, levels_of(some), strict=True) if n],
        )
        for at, ((_, name, some, _), row) in enumerate(zip(groups, rows, strict=True))
    ]
    first = next(iter(groups[silent:]), None)
    last = [Column(title=beside_title, kind="text")] if beside else []
    return Figure(
        table=Table(
            id=f"{chart}{scope.suffix}",
            title=title,
            head=head,
            note=note,
            columns=[*level_columns(reader), *last],
            rows=rows,
            bars="none",
        ),
        sentence=said(
            reader,
            sentence,
            total=len(scope.records),
            stated=len(scope.records) - sum(len(some) for _, _, some, _ in groups[:silent]),
            found=found,
            name=first[1].text if first else "–",
            most=len(first[2]) if first else 0,
        ),
        bars=bars[: silent + DRAWN],
        query=scope.asked(("facets", facets or fact)),
        total=len(scope.records),
    )


def silent_groups(scope: FigureScope, fact: str) -> list[Group]:
    """Return the records that do not state a fact, by how they answer on it."""
    place = ANSWERED.index(fact)
    by_letter: dict[str, list[RecordDigest]] = defaultdict(list)
    for record in scope.records:
        by_letter[record.stated.kinds[place]].append(record)
    return [
        (
            f"{KIND}{kind}",
            translated(scope.reader, ANSWERS[kind]),
            by_letter[kind[0]],
            f"search?{KIND}{fact}={kind}",
        )
        for kind in KINDS
        if kind != STATED and by_letter[kind[0]]
    ]


def _asked_as(code: str, some: Sequence[RecordDigest]) -> str:
    """Return how a filter asks for a value: a supplier or a law by a name as it is written."""
    names = (
        name
        for one in some
        for name in (
            *(name for name, _ in one.stated.suppliers),
            *(title for law in one.stated.laws for title in law.values()),
        )
    )
    return next((name for name in names if folded_name(name) == code), code)


def levels_of(records: Iterable[RecordDigest]) -> list[int]:
    """Return how many records are at each of the levels of risk."""
    number = Counter(record.card.risk for record in records)
    return [number[level] for level in RISKS]


def level_columns(reader: Reader) -> list[Column]:
    """Return the columns of `levels_of`, and that of all."""
    levels = [Column(title=label(reader, "risk_level", level)) for level in RISKS]
    return [*levels, Column(title=RECORDS)]


def sums_of(reader: Reader, amounts: Iterable[tuple[int | float, str] | None]) -> str | None:
    """Return the sum of what is stated, in each currency by itself."""
    sums = defaultdict[str, int | float](int)
    for value, currency in filter(None, amounts):
        sums[currency] += value
    babel = reader.locale.babel
    return "; ".join(f"{format_number(sums[code], babel)} {code}" for code in sorted(sums)) or None


def wording(reader: Reader, message_: str) -> str:
    """Return a wording for a reader, with the places of its values."""
    return find(reader.catalogues, reader.order, message_)[1]


def said(reader: Reader, message_: str, **values: float | str) -> Text:
    """Return a wording with its values, numbers as the reader writes them."""
    lang, text = find(reader.catalogues, reader.order, message_)
    babel = reader.locale.babel
    shown = {
        name: value if isinstance(value, str) else format_number(value, babel)
        for name, value in values.items()
    }
    return in_language(reader, text % shown, lang)


def silent_bars(scope: FigureScope, fact: str) -> Iterator[Bar]:
    """Yield a bar for each way of not stating a fact, each as a share of all records."""
    total, babel = len(scope.records), scope.reader.locale.babel
    of = wording(scope.reader, message("%(n)s of %(total)s"))
    for _, name, some, path in silent_groups(scope, fact):
        numbers = {"n": format_number(len(some), babel), "total": format_number(total, babel)}
        yield Bar(
            name=name,
            path=None if scope.suffix else path,
            words=of % numbers,
            parts=[("silent", len(some) / total)],
        )
