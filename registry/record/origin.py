"""Other registers that records come from."""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from registry.record.model import LangText

CodeLabels: TypeAlias = dict[str, dict[str, LangText]]
"""Labels by list of a country pack and code."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Another register: its code, name, publisher, terms, address, country and language.

    `country` is an ISO 3166-1 code and `language` a BCP 47 tag; both are empty where they are not
    known, as of registers whose records were imported before they were asked for. `names` is the
    title in every language, and `labels` are those of the codes of its country pack, where its own
    log states them.
    """

    code: str
    title: str
    publisher: str = ""
    licence: str = ""
    homepage: str = ""
    country: str = ""
    language: str = ""
    names: LangText | UnsetType = UNSET
    labels: CodeLabels | UnsetType = UNSET

    @property
    def name(self) -> LangText:
        """The title by language."""
        return self.names or {self.language or "en": self.title}
