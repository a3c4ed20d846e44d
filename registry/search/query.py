"""What is asked of the index, and what it answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec

from registry.store.as_of import LogWindow
from registry.text.highlighting import Highlight

Sort: TypeAlias = Literal["relevance", "newest", "name", "completeness", "review_due"]
Match: TypeAlias = Literal["name", "summary", "text"]


class PagePosition(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page ended in its order, in the log of which size.

    It comes back from outside: the limits are the columns'.
    """

    number: Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
    text: Annotated[str, msgspec.Meta(pattern=r"\A[^\x00]*\Z")]
    ord: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
    size: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked.

    `text` is as people type it (`registry.text.query_parser`); `lang` the language of its words.
    `among` are ordinals, of which alone anything is found. Of a record that stands now, a
    version was published within `changed`, and `risk_change` says what that did. `as_of` is the
    entry up to which the log is looked at, and `today` the day by which reviews are due. `after` is
    the place behind which the page begins, in the log of its size. `mends` says whether misspelt
    words may be put right, `highlights` whether passages are wanted.
    """

    text: str | None = None
    lang: str | None = None
    filters: Mapping[str, Sequence[str]] = {}
    among: Collection[int] | None = None
    changed: LogWindow | None = None
    sort: Sort = "newest"
    limit: int = 25
    after: PagePosition | None = None
    facets: Sequence[str] = ()
    as_of: int | None = None
    today: dt.date | None = None
    mends: bool = True
    highlights: bool = False


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One record found: its card, JSON text, and where the words stood (None without words).

    `overdue_days` is None unless what is overdue was asked for.
    """

    ord: int
    card: str
    match: Match | None
    highlights: list[Highlight]
    overdue_days: int | None


class FacetCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many records a code would give."""

    code: str
    count: int


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """One page, the exact total, and the wanted facets by count, then code.

    `mended` is the text that was answered where that is not the one asked; `size` is that of the
    log which the answer speaks of.
    """

    hits: list[Hit]
    total: int
    facets: dict[str, list[FacetCount]]
    next: PagePosition | None
    size: int
    mended: str | None = None
