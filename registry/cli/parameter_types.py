"""Types of the parameters of commands: whole numbers, identifiers of records."""

from __future__ import annotations

from typing import Any

import rich_click as click

from registry.errors import InvalidParameter
from registry.record.ids import split_id


class WholeNumber(click.IntRange):
    """A whole number within bounds, which click's messages call an "integer range"."""

    name = "whole number"


NUMBER = WholeNumber(1, 2**63 - 1)
"""The number of an entry or of a row."""


VERSION = WholeNumber(1, 2**31 - 1)


class RecordId(click.ParamType[str]):
    """The identifier of a record, looked at before anything is opened."""

    name = "id"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Return the identifier; any other text is wrong use."""
        try:
            split_id(str(value))
        except InvalidParameter as error:
            self.fail(error.detail, param, ctx)
        return str(value)
