"""Search over the latest versions: text, filters, exact counts, keyset paging.

PostgreSQL's full text search does it for now; whoever asks sees only `search`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import msgspec

from registry.store.sql import statement

if TYPE_CHECKING:
    from registry.store.database import Connection

Sort: TypeAlias = Literal["relevance", "newest", "name", "completeness", "review_due"]
Match: TypeAlias = Literal["name", "summary", "text"]

FILTERS = (
    "risk",
    "sector",
    "function",
    "agency",
    "status",
    "role",
    "area",
    "personal_data",
    "origin",
)
"""The filters and facets, in the order in which the statements take them."""

LOCAL = "local"
"""The origin, in filters and facets, of what was filed here."""

INDEXED_LANGUAGES = ("ar", "fr", "en", "other")
_TIERS: tuple[Match, ...] = ("name", "summary", "text")


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Folded text of a record by where it stands, then by language of `INDEXED_LANGUAGES`."""

    name: Mapping[str, str]
    summary: Mapping[str, str]
    text: Mapping[str, str]


class SearchRow(msgspec.Struct, frozen=True, kw_only=True):
    """What search knows of one record; `facets` has a code for each of `FILTERS`."""

    record: str
    ord: int
    facets: Mapping[str, str]
    name_key: str
    completeness: int
    next_review_on: dt.date | None
    card: str
    words: Words


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked; `text` is folded; `after` is the place behind which the page begins."""

    text: str | None = None
    lang: str | None = None
    filters: Mapping[str, Sequence[str]] = {}
    sort: Sort = "newest"
    limit: int = 25
    after: Place | None = None
    facets: Sequence[str] = ()


class Place(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page ended in its order. It comes back from outside: the limits are the columns'."""

    number: Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
    text: Annotated[str, msgspec.Meta(pattern=r"\A[^\x00]*\Z")]
    ord: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One record found: its card, JSON text, and where the words stood (None without words)."""

    card: str
    match: Match | None


class FacetCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many records a code would give."""

    code: str
    count: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One page, the exact total, and the wanted facets by count, then code."""

    hits: list[Hit]
    total: int
    facets: dict[str, list[FacetCount]]
    next: Place | None


async def index(connection: Connection, rows: Sequence[SearchRow]) -> None:
    """Write the rows of records' latest versions in place of the ones before."""
    texts = [
        [getattr(row.words, part).get(language, "") for row in rows]
        for part in ("name", "summary", "text")
        for language in INDEXED_LANGUAGES
    ]
    codes = {name: [row.facets[name] for row in rows] for name in FILTERS}
    await connection.execute(
        statement("search", "index"),
        [row.record for row in rows],
        [row.ord for row in rows],
        codes["agency"],
        codes["origin"],
        codes["risk"],
        codes["sector"],
        codes["function"],
        codes["status"],
        codes["role"],
        codes["area"],
        codes["personal_data"],
        [row.name_key for row in rows],
        [row.completeness for row in rows],
        [row.next_review_on for row in rows],
        [row.card for row in rows],
        *texts,
    )


async def remove(connection: Connection, record: str) -> None:
    """Take a record out of lists and search."""
    await connection.execute(statement("search", "remove"), record)


async def search(connection: Connection, question: Question) -> Answer:
    """Answer a question; page and counts are of one state inside a `snapshot`."""
    filters = [_codes(question.filters.get(name)) for name in FILTERS]
    hits = statement("search", "hits")
    after = question.after
    rows = await connection.fetch(
        hits + statement("search", "page"),
        question.text,
        question.lang,
        *filters,
        question.sort,
        None if after is None else after.number,
        None if after is None else after.text,
        None if after is None else after.ord,
        question.limit + 1,
    )
    counts = await connection.fetch(
        hits + statement("search", "counts"),
        question.text,
        question.lang,
        *filters,
        list(question.facets),
    )
    page = rows[: question.limit]
    facets: dict[str, list[FacetCount]] = {name: [] for name in question.facets}
    total = 0
    for row in sorted(counts, key=lambda row: (-row["count"], row["code"])):
        if row["facet"] == "":
            total = row["count"]
        else:
            facets[row["facet"]].append(FacetCount(code=row["code"], count=row["count"]))
    last = page[-1] if len(rows) > len(page) else None
    return Answer(
        hits=[
            Hit(card=row["card"], match=None if question.text is None else _TIERS[row["tier"]])
            for row in page
        ],
        total=total,
        facets=facets,
        next=None
        if last is None
        else Place(number=last["sort_number"], text=last["sort_text"], ord=last["ord"]),
    )


def _codes(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else list(values)
