"""Labels of every code: the format's lists and the pack's, under the names the schema uses."""

from __future__ import annotations

from collections.abc import Mapping

from registry.log.redaction import SOURCE_BASIS
from registry.record.codelists import CodeList, codelists
from registry.record.model import NOT_STATED, LangText
from registry.record.pack import Pack
from registry.text.catalogues import SOURCE, Catalogue


def read_lists(pack: Pack) -> dict[str, CodeList]:
    """Return the code lists of the format and of the pack."""
    return {**codelists(), **{f"pack/{name}": codes for name, codes in pack.lists.items()}}


def read_labels(
    lists: Mapping[str, CodeList], catalogues: Mapping[str, Catalogue]
) -> dict[str, dict[str, LangText]]:
    """Return the labels by list and code, with words for what a record does not state."""
    labels = {
        name: {code.code: code.label for code in codes.values()} for name, codes in lists.items()
    }
    own = {
        "risk_level": message("Risk not stated"),
        "sector": message("Sector not stated"),
        "status": message("Status not stated"),
    }

    def in_languages(wording: str) -> LangText:
        return {SOURCE: wording} | {
            tag: catalogue.messages[wording]
            for tag, catalogue in catalogues.items()
            if wording in catalogue.messages
        }

    for name, of_list in labels.items():
        of_list[NOT_STATED] = in_languages(own.get(name, message("Not stated")))
    # No basis that anybody may state: that of what another register has erased.
    labels["redaction_reason"][SOURCE_BASIS] = in_languages(message("Erased at its source"))
    return labels


def message(wording: str) -> str:
    """Return an English wording, marked for the translation catalogues as by `_` in templates."""
    return wording


def plural_message(one: str, many: str) -> tuple[str, str]:
    """Mark a counted English wording for the catalogues, which hold its plural forms."""
    return one, many
