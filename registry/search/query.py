"""The query and the result of the search index."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec

from registry.record.facts import AnswerCounts, AnswerKind
from registry.store.as_of import LogWindow
from registry.text.highlighting import Highlight

Sort: TypeAlias = Literal["relevance", "newest", "name", "completeness", "review_due"]
Match: TypeAlias = Literal["name", "summary", "text", "label"]


class PagePosition(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The position after a page in its order, and the size of the log.

    `number` is the number of the last result in the order, by name how many there were. It comes
    from clients, and so has limits.
    """

    number: Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
    ord: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
    size: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A query.

    `text` is as typed (`registry.text.query_parser`); `lang` the language of its words, and
    `reader` that of who asks: what is found in it comes first, names are ordered in it. `changed`
    limits to records in force of which a version was published in that window, and `risk_change` to
    what it did to the risk level; `unchanged` to those in force since that entry or before. `as_of`
    is the last entry that counts, and `today` the day for overdue reviews. `after` is the position
    after which the page begins, in the log of its size. `mends` allows spelling correction,
    `highlights` asks for passages. `by` are the groupings of a table. `countries` are those of the
    registers, by their codes, where filters or facets are of countries.
    """

    text: str | None = None
    lang: str | None = None
    reader: str | None = None
    filters: Mapping[str, Sequence[str]] = {}
    changed: LogWindow | None = None
    unchanged: int | None = None
    sort: Sort = "newest"
    limit: int = 25
    after: PagePosition | None = None
    facets: Sequence[str] = ()
    by: Sequence[str] = ()
    as_of: int | None = None
    today: dt.date | None = None
    mends: bool = True
    highlights: bool = False
    countries: Mapping[str, str] = {}


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A result: its card, JSON text, and where the words were found (None without words).

    `overdue_days` is None unless overdue records were asked for.
    """

    ord: int
    card: str
    match: Match | None
    highlights: list[Highlight]
    overdue_days: int | None


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """An agency or a sector that a query names, and how many records in force it has."""

    kind: Literal["agency", "sector"]
    code: str
    records: int


class FacetCount(msgspec.Struct, frozen=True, kw_only=True):
    """The number of records that a code would give."""

    code: str
    count: int


class CellGroup(msgspec.Struct, frozen=True, kw_only=True):
    """What the records of a cell answer on one grouping: a value, or the kind without one."""

    value: str | None
    kind: AnswerKind


class CrossCount(msgspec.Struct, frozen=True, kw_only=True):
    """The number of records in a cell of a table, in the order of its groupings.

    A record with several values of a grouping is in a cell of each.
    """

    groups: list[CellGroup]
    records: int


class Transition(
    msgspec.Struct, frozen=True, kw_only=True, rename={"before": "from", "after": "to"}
):
    """The number of records that answered so before a window, and so at its end.

    `before` is None of records that were not there. Several values are one, with `; ` between them.
    `ids` are some of the records.
    """

    before: CellGroup | None
    after: CellGroup
    records: int
    ids: list[str]


class PartialMatches(msgspec.Struct, frozen=True, kw_only=True):
    """Results that have most of the words of a query, where none or few have all.

    `words` are those that they have, corrected, and a query that finds `total` of them; `missing`
    are the others, as typed.
    """

    words: str
    missing: Sequence[str]
    hits: list[Hit]
    total: int


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """A page, the exact total, and the requested facets by count, then code.

    `named` are the agencies and sectors that the words name, on the first page; `mended` is the
    corrected text that was asked for instead, `partial` what has most of the words beside what has
    all of them, on the first page, and `suggestion` words that may be meant; `size` is that of the
    log that the answer is of. `whole_country` counts those in the total that apply in the whole
    country, where regions were asked for. `kinds` has for each facet that is of a fact how those
    that it counts answer on that. `cells` are those of the table that was asked for.
    """

    hits: list[Hit]
    total: int
    facets: dict[str, list[FacetCount]]
    next: PagePosition | None
    size: int
    named: Sequence[Named] = ()
    mended: str | None = None
    partial: PartialMatches | None = None
    suggestion: str | None = None
    whole_country: int | None = None
    kinds: Mapping[str, AnswerCounts] = {}
    cells: Sequence[CrossCount] = ()
