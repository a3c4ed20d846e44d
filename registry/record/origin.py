"""Other registers that records come from."""

from __future__ import annotations

import msgspec

from registry.record.model import LangText


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Another register: its code, name, publisher, terms, address, country and language.

    `country` is an ISO 3166-1 code and `language` a BCP 47 tag; both are empty where they are not
    known, as of registers whose records were imported before they were asked for.
    """

    code: str
    title: str
    publisher: str = ""
    licence: str = ""
    homepage: str = ""
    country: str = ""
    language: str = ""

    @property
    def name(self) -> LangText:
        """The title by its language."""
        return {self.language or "en": self.title}
