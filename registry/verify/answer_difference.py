"""How an answer of a register differs from what its log says, as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_LONGEST = 120


class AnswerDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Where a register answers otherwise than its log says, and how."""

    at: str
    why: str


class WholeObject(dict[str, Any]):
    """An object that must have no other members."""


def unlike(log: Any, answered: Any, where: str = "") -> str | None:
    """Return in what an answer differs from what the log says: its first member that does.

    Objects may have further members, but for documents.
    """
    if isinstance(log, dict) and isinstance(answered, dict):
        return _unlike_members(log, answered, where)
    if isinstance(log, list) and isinstance(answered, list):
        for at, (one, other) in enumerate(zip(log, answered, strict=False)):
            if why := unlike(one, other, f"{where}, {at}" if where else f"item {at}"):
                return why
        if len(log) != len(answered):
            return unlike_value(f"the number of {where}", len(answered), len(log))
        return None
    said = msgspec.to_builtins(log)
    if isinstance(log, msgspec.Struct):
        return unlike(said, answered, where)
    return None if said == answered else unlike_value(where, answered, said)


def _unlike_members(log: Mapping[str, Any], answered: Mapping[str, Any], where: str) -> str | None:
    is_whole = isinstance(log, WholeObject)
    for name in sorted(log.keys() | answered.keys()) if is_whole else log:
        inner = f"{where}, {name}" if where else name
        if name not in answered or name not in log:
            return unlike_value(inner, answered.get(name), log.get(name))
        value = log[name]
        if is_whole and isinstance(value, dict):
            value = WholeObject(value)
        if why := unlike(value, answered[name], inner):
            return why
    return None


def unlike_value(where: str, answered: Any, log: Any) -> str:
    """Return that a value is another one than follows from the log."""
    return f"{where} is {_shown(answered)}, and {_shown(log)} follows from the log"


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
