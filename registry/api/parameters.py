"""Query parameters, declared once and taken literally: a mistake is a 400, never a wider answer."""

from __future__ import annotations

import binascii
import datetime as dt
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from hashlib import sha256
from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import PathParameter, QueryParameter
from litestar.typing import FieldDefinition

from registry.api.request import client_address, request_context
from registry.errors import InvalidParameter, NotFound
from registry.record.dimensions import dimensions
from registry.record.facets import filter_named
from registry.record.pack import Pack
from registry.search.query import PagePosition
from registry.store.as_of import AS_OF
from registry.text.catalogues import SOURCE
from registry.text.locales import negotiate

MOST_VALUES = 100
LONGEST_TEXT = 500
LONGEST_SHOWN = 100
"""Characters of a wrong code that are said again."""

_FEW = 5
"""Paths that are offered in the place of a name, at the most."""

_ALIKE = 0.75
"""How much of a name another one has that is offered in its place."""

_NUMBER = re.compile(r"-?[0-9]{1,400}")


@dataclass(frozen=True, eq=False)
class CodeParameter(QueryParameter):
    """A parameter that takes codes of a list, which may be the country's.

    Where `separated`, several of them stand in one text with commas between them, which the handler
    checks.
    """

    codes: Callable[[Pack], Collection[str]] = lambda _: ()
    separated: bool = False


@dataclass(frozen=True, eq=False)
class PathCode(PathParameter):
    """A part of an address that is a code of a list of the country's."""

    codes: Callable[[Pack], Collection[str]] = lambda _: ()


AgencyPath: TypeAlias = Annotated[
    str,
    PathParameter(schema_extra={"pattern": r"^[a-z0-9]+([.-][a-z0-9]+)*$", "max_length": 118}),
]
SlugPath: TypeAlias = Annotated[
    str, PathParameter(schema_extra={"pattern": r"^[a-z0-9]+(-[a-z0-9]+)*$", "max_length": 118})
]
RecordPath: TypeAlias = NamedDependency[str]
"""The parameter `record` of a handler: the id in its address, by `provide_record`."""

AsOfParameter: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        description="As it was then: an RFC 3339 time, a day (its end in UTC) or `entry:<n>`",
        schema_extra={"pattern": AS_OF},
    ),
]
"""A parameter for `registry.store.as_of`."""


def provide_record(agency: AgencyPath, slug: SlugPath) -> str:
    """Return the id of the record in an address; a dependency of litestar's."""
    return f"{agency}/{slug}"


def spoken(pack: Pack) -> list[str]:
    """Return the languages that sentences come in."""
    return list(dict.fromkeys((*pack.languages, SOURCE)))


Lang: TypeAlias = Annotated[
    str | None,
    CodeParameter(
        description="The language of sentences; else Accept-Language, else English", codes=spoken
    ),
]


def language_of(request: Request[Any, Any, Any], lang: str | None, pack: Pack) -> str:
    """Return the language of sentences: `lang`, else what the client prefers, else English."""
    return lang or negotiate(request.headers.get("accept-language", ""), spoken(pack)) or SOURCE


class QueryCheck:
    """Refuses what a query cannot mean, before anything else looks at the request.

    Litestar passes over unknown parameters, takes the last of repeated ones and the word null for
    none, and names of a wrong value neither the nearest code nor the range.
    """

    async def __call__(self, request: Request[Any, Any, Any]) -> None:
        """Check a request, and note its operation; raises `InvalidParameter`.

        Raises `TooManyRequests` where an address without a token has used up its work.

        It is a coroutine only so that the framework does not send it through a thread.
        """
        handler, state = request.route_handler, request.app.state
        request_context(request.scope).operation = handler.handler_name
        path = request.scope["path"]
        if state.work.has_debtors and not handler.security and not path.startswith("/health/"):
            state.work.require(client_address(request.scope, state.settings.proxies))
        if "\x00" in path:
            raise NotFound("there is nothing at an address with a NUL character")
        if not _is_literal(request.scope["path_template"], path, request.path_params):
            raise NotFound(f"there is nothing at {path}; numbers are written as in 1, 2, 10")
        if not request.scope["query_string"]:
            return
        known = query_fields(handler)
        given = request.query_params
        for name in given:
            is_search = takes_filters(handler)
            if name not in known and not (is_search and filter_named(name)):
                raise _unknown_parameter(name, known, is_search=is_search)
        for name in given:
            values = [str(value) for value in given.getall(name)]
            if any("\x00" in value for value in values):
                raise InvalidParameter(f"{name}: a NUL character is not allowed")
            if name in known:
                self._check(name, values, known[name], state.context.pack)

    def _check(self, name: str, values: list[str], field: FieldDefinition, pack: Pack) -> None:
        declared = field.kwarg_definition
        is_number = _holds(field.annotation, int)
        for value in values:
            # The framework would take the word null for none.
            if is_number and _NUMBER.fullmatch(value) is None:
                raise InvalidParameter(f"{name}: {value!r} is not a whole number")
        if len(values) > 1 and not _holds(field.annotation, list):
            raise InvalidParameter(f"{name}: give it once")
        if isinstance(declared, CodeParameter) and not declared.separated:
            codes(name, values, declared.codes(pack))
        lowest, highest = getattr(declared, "ge", None), getattr(declared, "le", None)
        if lowest is not None and highest is not None:
            for number in map(int, values):
                within(name, number, lowest, highest)


def _unknown_parameter(name: str, known: Collection[str], *, is_search: bool) -> InvalidParameter:
    """Return the fault of a parameter that an address does not take."""
    if not known:
        return InvalidParameter(f"{name}: this address takes no parameters")
    # What has it as a part of its path is meant by it; by chance of its letters another one is not.
    near, meant = None, ""
    if is_search:
        paths = [path for path in dimensions() if name in _segments(path)]
        meant = f", did you mean {' or '.join(map(repr, paths[:_FEW]))}?" if paths else ""
        near = paths[0] if len(paths) == 1 else None
    if not meant:
        near = _nearest(name, [*known, *(dimensions() if is_search else ())], cutoff=_ALIKE)
        meant = _hint(near)
    further = ", and every fact by its path, such as data.hosting.country" if is_search else ""
    return InvalidParameter(
        f"{name}: no such parameter{meant}; the parameters are {', '.join(sorted(known))}{further}",
        nearest=near,
    )


def _segments(path: str) -> list[str]:
    """Return the parts of a path, and those of it from each part on: `contract.procedure`."""
    parts = path.split(".")
    return [
        ".".join(parts[start:end])
        for start in range(len(parts))
        for end in range(start + 1, len(parts) + 1)
    ]


@cache
def takes_filters(handler: BaseRouteHandler) -> bool:
    """Return whether a handler takes the filters of search, of which those by facts are many."""
    return "sought" in handler.resolve_dependencies()


@cache
def query_fields(handler: BaseRouteHandler) -> dict[str, FieldDefinition]:
    """Return the query parameters that a handler declares, by name."""
    return {
        field.kwarg_definition.name or name: field
        for name, field in declared_fields(handler).items()
        if isinstance(field.kwarg_definition, QueryParameter)
    }


def declared_fields(handler: BaseRouteHandler) -> dict[str, FieldDefinition]:
    """Return what a handler takes, and in the place of a dependency what that one takes."""
    providers = handler.resolve_dependencies()
    declared: dict[str, FieldDefinition] = {}
    for name, field in handler.parsed_fn_signature.parameters.items():
        provider = providers.get(name)
        declared |= {name: field} if provider is None else provider.parsed_fn_signature.parameters
    return declared


def _is_literal(template: str, path: str, given: Mapping[str, Any]) -> bool:
    """Return whether numbers in a path are written in the usual way; +1, 0_1 and ١ are read too."""
    if not any(isinstance(value, int) for value in given.values()):
        return True
    parts = zip(filter(None, template.split("/")), filter(None, path.split("/")), strict=False)
    return all(
        not isinstance(value := given.get(name[1:-1]), int) or str(value) == part
        for name, part in parts
    )


@cache
def _holds(annotation: Any, kind: type) -> bool:
    field = FieldDefinition.from_annotation(annotation)
    return field.is_subclass_of(kind) or field.has_inner_subclass_of(kind)


def codes(name: str, values: Sequence[str] | None, allowed: Collection[str]) -> list[str] | None:
    """Check codes against those there are; raises `InvalidParameter` with the nearest."""
    if values is None:
        return None
    if len(values) > MOST_VALUES:
        raise InvalidParameter(f"{name}: at most {MOST_VALUES} values")
    for value in values:
        if value not in allowed:
            few = f"; the codes are {', '.join(sorted(allowed))}" if len(allowed) <= 40 else ""  # noqa: PLR2004  a readable sentence
            parts = value.split(",")
            if len(parts) > 1 and all(part in allowed for part in parts):
                raise InvalidParameter(
                    f"{name}: a comma is no or; repeat the parameter: "
                    f"{'&'.join(f'{name}={part}' for part in parts)}",
                    value=value,
                )
            near = _nearest(value, allowed)
            raise InvalidParameter(
                f"{name}: unknown code {shown(value)}{_hint(near)}{few}", value=value, nearest=near
            )
    return list(dict.fromkeys(values))


def shown(value: str) -> str:
    """Return a wrong value as a fault says it again."""
    return repr(value if len(value) <= LONGEST_SHOWN else f"{value[:LONGEST_SHOWN]}…")


def within(name: str, value: int, lowest: float, highest: float) -> None:
    """Check a number's range; raises `InvalidParameter`."""
    if not lowest <= value <= highest:
        raise InvalidParameter(f"{name}: {value} is not between {lowest} and {highest}")


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """A place in the answers to one question: its digest, and the day by which it was asked."""

    question: str
    place: PagePosition
    day: dt.date | None


def write_cursor(question: Any, place: PagePosition, day: dt.date | None) -> str:
    """Return the opaque text that asks for what comes after a place."""
    cursor = Cursor(_digest(question), place, day)
    return urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def read_cursor(question: Any, text: str | None) -> Cursor | None:
    """Read a cursor back; it must come from the same question."""
    if text is None:
        return None
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        cursor = msgspec.json.decode(raw, type=Cursor)
    except (binascii.Error, ValueError) as error:
        raise InvalidParameter(
            "cursor: not a cursor of ours; take the one that `next` of an answer gives"
        ) from error
    if cursor.question != _digest(question):
        raise InvalidParameter(
            "cursor: it belongs to another question; repeat the parameters it was given for"
        )
    return cursor


def _digest(question: Any) -> str:
    return sha256(msgspec.json.encode(question, order="sorted")).hexdigest()[:16]


def _nearest(value: str, allowed: Collection[str], cutoff: float = 0.6) -> str | None:
    by_lower = {one.lower(): one for one in allowed}
    near = get_close_matches(value.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[near[0]] if near else None


def _hint(nearest: str | None) -> str:
    return "" if nearest is None else f", did you mean {nearest!r}?"
