"""JSON Pointers (RFC 6901), and access to values of a document of any shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

Place: TypeAlias = tuple[str | int, ...]
"""A place of a document: names of members, and indices of lists."""

_INDEX = re.compile("0|[1-9][0-9]{0,8}")


def pointer(path: Iterable[str | int]) -> str:
    """Return a path as a pointer; the empty path is the whole document, `""`."""
    return "".join(f"/{escaped(str(part))}" for part in path)


def escaped(name: str) -> str:
    """Return the name of a member as a part of a pointer."""
    return name.replace("~", "~0").replace("/", "~1")


@lru_cache(maxsize=4_096)
def parts(text: str) -> tuple[str, ...]:
    """Return the names and numbers of a pointer."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])


def is_index(part: str) -> bool:
    """Return whether a part of a pointer is an index of a list, as RFC 6901 §4 writes it."""
    return _INDEX.fullmatch(part) is not None


def field_path(place: Iterable[str | int]) -> tuple[str, ...]:
    """Return the path of the field at a place: `*` for each index of a list."""
    return tuple("*" if isinstance(part, int) or is_index(part) else part for part in place)


def dig(document: object, *path: str) -> Any:
    """Return the value at a path of object members, or None."""
    here = document
    for name in path:
        if not isinstance(here, dict):
            return None
        here = here.get(name)
    return here


def put(document: dict[str, Any], place: Place, value: Any) -> None:
    """Set a value at a place, with the objects and lists that it needs."""
    here: Any = document
    for part, following in zip(place, [*place[1:], None], strict=True):
        new = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(here, list):
            index = int(part)
            here.extend({} for _ in range(index + 1 - len(here)))
            if following is None:
                here[index] = new
            here = here[index]
        elif following is None:
            here[part] = new
        else:
            here = here.setdefault(part, new)


def value_at(document: object, path: Sequence[str]) -> Any:
    """Return the value at a path of members and list indices, or None."""
    here = document
    for name in path:
        if isinstance(here, list):
            here = here[int(name)] if is_index(name) and int(name) < len(here) else None
        else:
            here = dig(here, name)
    return here


def strings_in(value: object) -> Iterator[str]:
    """Yield the strings of a value of any depth, but for names of members, in order."""
    if isinstance(value, dict):
        for one in value.values():
            yield from strings_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings_in(one)
    elif isinstance(value, str):
        yield value


def values_at(document: object, path: Sequence[str]) -> Iterator[tuple[Place, Any]]:
    """Yield (path, value) for each value at a path in which `*` stands for each item of a list."""
    yield from _values(document, path, ())


def _values(here: Any, path: Sequence[str], place: Place) -> Iterator[tuple[Place, Any]]:
    for depth, name in enumerate(path):
        if name == "*":
            if isinstance(here, list):
                for index, item in enumerate(here):
                    yield from _values(item, path[depth + 1 :], (*place, index))
            return
        if not isinstance(here, dict) or name not in here:
            return
        here = here[name]
        place = (*place, name)
    yield place, here
