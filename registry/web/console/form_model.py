"""The fields of the form as templates show them: kinds, controls, choices and findings."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from registry.errors import Finding
from registry.pages.reader import Text
from registry.pages.views.diff_view import DiffValue

ControlKind: TypeAlias = Literal[
    "texts",
    "languages",
    "line",
    "lines",
    "number",
    "radios",
    "select",
    "boxes",
    "date",
    "period",
    "group",
    "list",
]


class FormOption(msgspec.Struct, frozen=True, kw_only=True):
    """A choice of a field; `label` and `description` in the reader's language."""

    code: str
    label: Text
    description: Text | None = None
    chosen: bool = False


class FormText(msgspec.Struct, frozen=True, kw_only=True):
    """The control for a text in one language."""

    tag: str
    name: Text
    dir: str
    text: str
    rows: int
    longest: int


class FormEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a list: its number from 1, its fields, and whether it is a new, empty one."""

    number: int
    pointer: str
    members: tuple[FormField, ...]
    is_new: bool


class FormField(msgspec.Struct, kw_only=True):
    """A field of the form, at a JSON Pointer, which is also the name of its control.

    `value` is the text of a single control; the parts of a date or a period are in `parts`. A list
    that may be said to be empty has `none`. `asked` marks a unit that such a record must state,
    `missing` one that it does not: `why`, and what
    the check says of that, in `told`. `findings` are those of this field and of nothing inside it,
    `comments` a reviewer's;
    `theirs` is what somebody else saved in it meanwhile.
    """

    kind: ControlKind
    pointer: str
    title: Text
    hint: Text | None = None
    input: str = "text"
    value: str = ""
    longest: int | None = None
    parts: dict[str, str] = {}
    options: tuple[FormOption, ...] = ()
    texts: tuple[FormText, ...] = ()
    members: tuple[FormField, ...] = ()
    entries: tuple[FormEntry, ...] = ()
    none: bool | None = None
    asked: bool = False
    missing: bool = False
    why: str = ""
    told: tuple[Finding, ...] = ()
    findings: list[Finding] = []
    comments: list[Text] = []
    theirs: DiffValue | None = None

    @property
    def id(self) -> str:
        """The id of the field's element, and the start of those of its controls."""
        return "f" + self.pointer.replace("/", "-")

    @property
    def is_wrong(self) -> bool:
        """Whether something has to be mended here."""
        return any(finding.severity == "error" for finding in self.findings)

    @property
    def stated(self) -> bool:
        """Whether anything stands in the field."""
        return bool(
            self.value
            or any(self.parts.values())
            or any(option.chosen and option.code for option in self.options)
            or any(text.text for text in self.texts)
            or any(member.stated for member in self.members)
            or any(not entry.is_new for entry in self.entries)
            or self.none
        )
