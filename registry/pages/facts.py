"""Small readers from a document's values to what a page shows: answers, lists, quoted texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from registry.pages.reader import Text, label, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from registry.pages.reader import Reader

Node = dict[str, Any]
"""An object of the document; `{}` where the document has none."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered to a yes-or-no question, with the agency's own words."""

    code: str
    label: Text
    note: Text | None
    date: str | None


def node(document: Mapping[str, Any], *path: str) -> Node:
    """Go down to an object; `{}` when any step is absent."""
    here: Any = document
    for step in path:
        here = here.get(step)
        if here is None:
            return {}
    return dict(here)


def text(reader: Reader, holder: Node, name: str) -> Text | None:
    """Read a text in the reader's language or its fallback."""
    return say(reader, holder.get(name))


def code(reader: Reader, holder: Node, name: str, codelist: str) -> Text | None:
    """Read a code as its label."""
    value = holder.get(name)
    return None if value is None else label(reader, codelist, value)


def codes(reader: Reader, holder: Node, name: str, codelist: str) -> list[Text]:
    """Read a list of codes as their labels; `[]` when the list is absent or empty."""
    return [label(reader, codelist, value) for value in holder.get(name) or ()]


def answer(reader: Reader, holder: Node, name: str) -> Answer | None:
    """Read an AnswerField."""
    value = holder.get(name)
    if value is None:
        return None
    return Answer(
        code=value["answer"],
        label=label(reader, "answer", value["answer"]),
        note=say(reader, value.get("note")),
        date=value.get("date"),
    )


def same(reader: Reader, holder: Node, names: Iterable[str]) -> dict[str, Text | None]:
    """Read several texts that the page and the document call the same."""
    return {name: text(reader, holder, name) for name in names}


def plain(holder: Node, names: Iterable[str]) -> Node:
    """Take values that have no language, None where absent."""
    return {name: holder.get(name) for name in names}
