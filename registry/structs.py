"""Structs that are made of others."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


def copy_as(kind: type[S], *sources: msgspec.Struct, **others: Any) -> S:
    """Return a struct of a kind, with what the sources have of its fields, and others.

    Of two sources with the same field the later one counts.
    """
    known = {name: value for one in sources for name, value in msgspec.structs.asdict(one).items()}
    return kind(**{name: known[name] for name in kind.__struct_fields__ if name in known} | others)
