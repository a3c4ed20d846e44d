"""How an answer differs from the one that follows from the log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Any

import msgspec

from registry.web.in_process import Answer

_AROUND = 60
_LONGEST = 120
_SIGNATURE = re.compile(rb"\xe2\x80\x94 (\S+) [A-Za-z0-9+/]{80,}=*(?:\n|\\n)")
"""A line of a signed note, in a text or in a text of JSON."""

REWRITTEN = "it is written otherwise than what follows from the log"

UNBOUND = {"/build.json": ("replaced", "imports", "peers", "witnesses")}
"""Members of answers that say what no entry of the log does."""

ABSENT = object()
"""What stands for a member that one of two values has not: null is another thing."""

_PROBLEM = "application/problem+json"
"""Has the number of the request."""


HEADERS = (
    "location",
    "content-security-policy",
    "refresh",
    "link",
    "set-cookie",
    "x-robots-tag",
    "cache-control",
    "vary",
)
"""Headers that decide what a person sees, besides the status and the media type.

How an answer is compressed is the business of the proxies on its way, which say so in `Vary`.
"""


def bound_headers(answer: Answer) -> dict[str, str]:
    """Return the headers of an answer that are compared, however lists in them are written."""
    found = {name: answer.headers[name] for name in HEADERS if name in answer.headers}
    for name in ("cache-control", "vary"):
        parts = {one.strip().lower() for one in found.pop(name, "").split(",")}
        if kept := ", ".join(sorted(parts - {"", "accept-encoding"})):
            found[name] = kept
    return found


def difference(
    path: str, answered: Answer, log: Answer, *, origin: str, is_parsed: bool = False
) -> str | None:
    """Return how an answer differs from what follows from the log, None where it does not.

    Of signed notes the log's own signature counts, of the `origin`: witnesses sign again and again.
    Of what `is_parsed` the members count that follow from the log, however they are written.
    """
    heads: list[tuple[str, Any, Any]] = [
        ("the status", answered.status, log.status),
        ("the media type", answered.media_type, log.media_type),
    ]
    for what, one, other in heads:
        if one != other:
            return _unlike(what, one, other)
    if not is_parsed and (
        found := member_difference(bound_headers(answered), bound_headers(log), "the header")
    ):
        return found
    unbound = ("request",) if log.media_type.startswith(_PROBLEM) else UNBOUND.get(path, ())
    here, there = (_bound(one.content, unbound, origin) for one in (answered, log))
    if here == there:
        return None
    if "json" not in log.media_type:
        return text_difference(here, there)
    try:
        found = member_difference(
            msgspec.json.decode(here), msgspec.json.decode(there), is_partial=is_parsed
        )
    except (msgspec.DecodeError, RecursionError):
        return text_difference(here, there)
    return found or (None if is_parsed else REWRITTEN)


def member_difference(
    here: Any, there: Any, where: str = "", *, is_partial: bool = False
) -> str | None:
    """Return the first member in which two values of JSON differ.

    Where that `is_partial`, the first may have further members.
    """
    pairs: list[tuple[str, Any, Any]]
    if isinstance(here, dict) and isinstance(there, dict):
        names = there.keys() if is_partial else here.keys() | there.keys()
        # A part has no need of a member that says nothing.
        absent = None if is_partial else ABSENT
        pairs = [(one, here.get(one, absent), there.get(one, absent)) for one in sorted(names)]
    elif isinstance(here, list) and isinstance(there, list):
        pairs = [
            (str(at), *both) for at, both in enumerate(zip_longest(here, there, fillvalue=ABSENT))
        ]
        if len(here) != len(there):
            # What stands at one place is of two things: the whole of them says which.
            name, one, other = next(
                pair for pair in pairs if member_difference(*pair[1:]) is not None
            )
            return _unlike(f"{where}, {name}" if where else name, one, other)
    else:
        # Python takes true for 1, and false for 0.
        is_same = isinstance(here, bool) is isinstance(there, bool) and here == there
        return None if is_same else _unlike(where or "it", here, there)
    for name, one, other in pairs:
        inner = f"{where}, {name}" if where else name
        if found := member_difference(one, other, inner, is_partial=is_partial):
            return found
    return None


def text_difference(here: bytes, there: bytes) -> str:
    """Return the first line in which two texts differ, or the byte of what is no text."""
    same = _common(here, there)
    start = max(there.rfind(b"\n", 0, same) + 1, same - _AROUND)
    shown = [
        each[start:same] + each[same : same + _AROUND].split(b"\n")[0] for each in (here, there)
    ]
    if b"\0" in shown[0] + shown[1]:
        return f"it has other bytes from byte {same} on"
    said, log = (each.decode("utf-8", "replace").strip("\ufffd") for each in shown)
    line = 1 + there.count(b"\n", 0, same)
    return f"line {line} has “{said}”, and “{log}” follows from the log"


def _common(here: bytes, there: bytes) -> int:
    """Return how many bytes two contents have in common at their beginning."""
    low, high = 0, min(len(here), len(there))
    while low < high:
        middle = (low + high + 1) // 2
        if here[low:middle] == there[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _bound(content: bytes, unbound: Sequence[str], origin: str) -> bytes:
    """Return what the log binds of an answer."""
    if unbound:
        with suppress(msgspec.DecodeError, AttributeError):
            members = msgspec.json.decode(content).items()
            kept = {name: value for name, value in members if name not in unbound}
            content = msgspec.json.encode(kept)
    if b"\xe2\x80\x94 " in content:
        own = origin.encode()
        content = _SIGNATURE.sub(lambda line: line[0] if line[1] == own else b"", content)
    return content


def _unlike(where: str, answered: Any, log: Any) -> str:
    said = "is missing" if answered is ABSENT else f"is {_shown(answered)}"
    return f"{where} {said}, and {_shown(log)} follows from the log"


def _shown(value: Any) -> str:
    text = "nothing" if value is ABSENT else msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
