"""Query parameters, taken literally: a mistake is a 400, never a wider answer."""

from __future__ import annotations

import binascii
import datetime as dt
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from functools import cache
from hashlib import sha256
from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Request
from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter

from registry.api.request_context import request_context
from registry.errors import InvalidParameter, NotFound
from registry.search.query import PagePosition

AsOfParameter: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        description="As it was then: an RFC 3339 time, a day (its end in UTC) or `entry:<n>`"
    ),
]
"""A parameter for `registry.store.as_of`."""

MOST_VALUES = 100
LONGEST_TEXT = 500
LONGEST_SHOWN = 100
"""Characters of a wrong code that are said again."""

_NUMBER = re.compile(r"-?[0-9]{1,400}")


async def refuse_unknown(request: Request[Any, Any, Any]) -> None:
    """Refuse parameters that the address does not have; runs first, and notes the operation.

    It is a coroutine only so that the framework does not send it through a thread.
    """
    request_context(request.scope).operation = request.route_handler.handler_name
    if "\x00" in request.scope["path"] or "\x00" in str(request.path_params):
        raise NotFound("there is nothing at an address with a NUL character")
    known = _parameters(request.route_handler)
    for name in request.query_params:
        if name not in known:
            if not known:
                raise InvalidParameter(f"{name}: this address takes no parameters")
            raise InvalidParameter(
                f"{name}: no such parameter{_nearest(name, known)}; "
                f"the parameters are {', '.join(sorted(known))}"
            )
    for name, value in request.query_params.multi_items():
        if "\x00" in str(value):
            raise InvalidParameter(f"{name}: a NUL character is not allowed")
        # The framework would take the word null for none.
        if known[name] and _NUMBER.fullmatch(str(value)) is None:
            raise InvalidParameter(f"{name}: {value!r} is not a whole number")


@cache
def _parameters(handler: BaseRouteHandler) -> dict[str, bool]:
    """Give the parameters of an address, and whether each is a number."""
    signatures = [
        handler.parsed_fn_signature,
        *(one.parsed_fn_signature for one in handler.resolve_dependencies().values()),
    ]
    return {
        field.kwarg_definition.name or name: field.is_subclass_of(int)
        or field.has_inner_subclass_of(int)
        for signature in signatures
        for name, field in signature.parameters.items()
        if isinstance(field.kwarg_definition, QueryParameter)
    }


def codes(name: str, values: Sequence[str] | None, allowed: Collection[str]) -> list[str] | None:
    """Check codes against those there are; raises `InvalidParameter` with the nearest."""
    if values is None:
        return None
    if len(values) > MOST_VALUES:
        raise InvalidParameter(f"{name}: at most {MOST_VALUES} values")
    for value in values:
        if value not in allowed:
            few = f"; the codes are {', '.join(sorted(allowed))}" if len(allowed) <= 40 else ""  # noqa: PLR2004  a readable sentence
            shown = value if len(value) <= LONGEST_SHOWN else f"{value[:LONGEST_SHOWN]}…"
            raise InvalidParameter(f"{name}: unknown code {shown!r}{_nearest(value, allowed)}{few}")
    return list(dict.fromkeys(values))


def within(name: str, value: int, lowest: int, highest: int) -> int:
    """Check a number's range."""
    if not lowest <= value <= highest:
        raise InvalidParameter(f"{name}: {value} is not between {lowest} and {highest}")
    return value


def once(request: Request[Any, Any, Any], *names: str) -> None:
    """Refuse a repeated parameter where repeating has no meaning."""
    for name in names:
        if len(request.query_params.getall(name, [])) > 1:
            raise InvalidParameter(f"{name}: give it once")


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """A place in the answers to one question: its digest, and the day by which it was asked."""

    question: str
    place: PagePosition
    day: dt.date | None


def write_cursor(question: Any, place: PagePosition, day: dt.date | None) -> str:
    """Make the opaque text that asks for what comes after a place."""
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


def _nearest(value: str, allowed: Collection[str]) -> str:
    by_lower = {one.lower(): one for one in allowed}
    near = get_close_matches(value.lower(), by_lower, n=1)
    return f", did you mean {by_lower[near[0]]!r}?" if near else ""
