"""What is sought: the words and filters that search and exports share, checked in one place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec
from litestar import Request  # noqa: TC002  the same
from litestar.params import QueryParameter

from registry.api import parameters
from registry.api.parameters import AsOf  # noqa: TC001  the same
from registry.errors import InvalidParameter
from registry.record.codelists import codelists
from registry.record.entry import NOT_STATED
from registry.store import agencies
from registry.store.index.question import LOCAL, Question
from registry.store.moments import read_moment

if TYPE_CHECKING:
    from registry.record.pack import Pack
    from registry.store.database import Database

LISTS = {
    "risk": "risk_level",
    "sector": "sector",
    "function": "function",
    "status": "status",
    "role": "decision_role",
    "area": "annex_iii_area",
    "personal_data": "personal_data",
}
"""The code lists of filters."""

Codes: TypeAlias = list[str] | None


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Words and filters as they came; `codes` are by filter, those that were not given left out."""

    q: str | None = None
    lang: str | None = None
    codes: Mapping[str, Sequence[str]] = {}
    as_of: str | None = None

    @property
    def text(self) -> str | None:
        """The words, None where there are none."""
        return self.q if self.q is not None and self.q.strip() else None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What is sought of a log, by parameter and in one order, however it was asked."""
        return [
            *([] if self.text is None else [("q", self.text)]),
            *([] if self.lang is None else [("lang", self.lang)]),
            *((name, code) for name, codes in self.codes.items() for code in sorted(set(codes))),
        ]


def provide_sought(
    *,
    request: Request[Any, Any, Any],
    q: Annotated[str | None, QueryParameter(description="Words to find, all of them")] = None,
    lang: Annotated[str | None, QueryParameter(description="The language of the words")] = None,
    risk: Annotated[Codes, QueryParameter(description="Risk levels, or not_stated")] = None,
    sector: Annotated[Codes, QueryParameter(description="Primary sectors")] = None,
    function: Annotated[Codes, QueryParameter(description="What the system does")] = None,
    agency: Annotated[Codes, QueryParameter(description="Agencies")] = None,
    status: Annotated[Codes, QueryParameter(description="Lifecycle statuses")] = None,
    role: Annotated[Codes, QueryParameter(description="Roles in decisions")] = None,
    area: Annotated[Codes, QueryParameter(description="Areas of EU AI Act Annex III")] = None,
    personal_data: Annotated[Codes, QueryParameter(description="Personal data processed")] = None,
    origin: Annotated[Codes, QueryParameter(description="Registers of origin, or local")] = None,
    as_of: AsOf = None,
) -> Sought:
    """Take the parameters of a request; a dependency of litestar's."""
    parameters.once(request, "q", "lang", "as_of")
    given = {
        "risk": risk,
        "sector": sector,
        "function": function,
        "agency": agency,
        "status": status,
        "role": role,
        "area": area,
        "personal_data": personal_data,
        "origin": origin,
    }
    return Sought(
        q=q,
        lang=lang,
        codes={name: codes for name, codes in given.items() if codes is not None},
        as_of=as_of,
    )


async def read_question(
    database: Database, sought: Sought, pack: Pack, *, now: dt.datetime
) -> Question:
    """Check what is sought and ask it of the log as it is, or was then.

    The database is asked only for what the process cannot know. Raises `InvalidParameter` for what
    no record could have.
    """
    if sought.q is not None and len(sought.q) > parameters.LONGEST_TEXT:
        raise InvalidParameter(f"q: at most {parameters.LONGEST_TEXT} characters")
    if sought.lang is not None:
        parameters.codes("lang", [sought.lang], pack.languages)
    allowed = await _allowed(database, sought.codes)
    filters = {
        name: parameters.codes(name, codes, allowed[name]) or []
        for name, codes in sought.codes.items()
    }
    entry, today = None, now.astimezone(dt.UTC).date()
    if sought.as_of is not None:
        async with database.connection() as connection:
            moment = await read_moment(connection, sought.as_of, now=now)
        entry, today = moment.entry, moment.day
    return Question(text=sought.text, lang=sought.lang, filters=filters, as_of=entry, today=today)


async def _allowed(
    database: Database, given: Mapping[str, Sequence[str]]
) -> dict[str, Collection[str]]:
    allowed: dict[str, Collection[str]] = {
        name: [*codelists()[codelist], NOT_STATED] for name, codelist in LISTS.items()
    }
    if "agency" in given or "origin" in given:
        async with database.connection() as connection:
            origins = await agencies.read_origins(connection)
        allowed["agency"] = origins
        allowed["origin"] = {LOCAL, *(origin for origin in origins.values() if origin)}
    return allowed
